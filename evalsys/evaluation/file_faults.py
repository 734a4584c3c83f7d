"""What is wrong with a file, cell by cell, in words that can be said in either language without an application."""

from __future__ import annotations

import gettext
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from evalsys import config

MOST = 100
"""How many faults are listed; the rest are only said to exist."""

SHOWN = 60
"""Characters of a faulty cell that are shown."""


@dataclass(frozen=True)
class Message:
    """A text of the catalogue with its values; said later, in the language of who reads it."""

    text: str
    values: tuple[tuple[str, Any], ...] = ()

    def said(self, language: Literal["zh", "en"]) -> str:
        known = gettext.translation("messages", config.TRANSLATIONS, [language], fallback=True)
        return known.gettext(self.text) % dict(self.values)


def _l(text: str, **values: Any) -> Message:
    return Message(text, tuple(values.items()))


@dataclass(frozen=True)
class FileFault:
    """One fault. Row 1 is the header; row 0 is the file as a whole."""

    file: str
    row: int
    column: str
    value: str
    wrong: Message
    remedy: Message

    def said(self, language: Literal["zh", "en"]) -> str:
        place = self.file
        if self.row:
            place += ", " + _l("row %(row)s", row=self.row).said(language)
        if self.column:
            place += ", " + _l("column %(column)s", column=self.column).said(language)
        shown = self.value if len(self.value) <= SHOWN else self.value[:SHOWN] + "…"
        cell = f" “{shown}”" if shown else ""
        return f"{place}{cell}: {self.wrong.said(language)} {self.remedy.said(language)}"


class FilesFaulty(Exception):
    """The files cannot be scored; nothing was written.

    Attributes:
        faults: up to `MOST` of them, in the order of the rows.
        more: whether there are others.
        count: how many there are altogether; None where that was not counted.
    """

    def __init__(self, faults: tuple[FileFault, ...], *, more: bool = False, count: int | None = None) -> None:
        super().__init__("\n".join(fault.said("en") for fault in faults))
        self.faults = faults
        self.more = more
        self.count = count

    def lines(self, language: Literal["zh", "en"]) -> list[str]:
        """Every fault as a line, and how many there are."""
        count = _l("At least %(count)s faults; nothing was written.", count=len(self.faults))
        if self.count is not None and self.count > len(self.faults):
            told = {"all": self.count, "count": len(self.faults)}
            count = _l("Faults: %(all)s, %(count)s of them above; nothing was written.", **told)
        elif not self.more:
            count = _l("Faults: %(count)s; nothing was written.", count=len(self.faults))
        return [*(fault.said(language) for fault in self.faults), count.said(language)]


class Findings:
    """The faults of one file, collected until there are too many to list."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[FileFault] = []
        self._count: int | None = None

    @property
    def full(self) -> bool:
        return len(self.faults) > MOST

    def add(self, row: int, column: str, value: str, wrong: Message, remedy: Message) -> None:
        if not self.full:
            self.faults.append(FileFault(self.file, row, column, value, wrong, remedy))

    def count(self, faults: int) -> None:
        """So many there are of a kind, of which some are added."""
        self._count = (self._count or 0) + faults

    def refuse(self, wrong: Message, remedy: Message, *, row: int = 0) -> NoReturn:
        """Nothing more can be read: say this with whatever was found before."""
        self.faults.append(FileFault(self.file, row, "", "", wrong, remedy))
        raise self._faulty()

    def raise_if_any(self) -> None:
        if self.faults:
            raise self._faulty()

    def _faulty(self) -> FilesFaulty:
        ordered = sorted(self.faults, key=lambda fault: fault.row)
        return FilesFaulty(tuple(ordered[:MOST]), more=self.full, count=self._count)
