"""What is wrong in a file, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from evalsys.base.errors import Invalid

SHOWN = 200


@dataclass(frozen=True)
class CellFault:
    """One cell at fault.

    Attributes:
        sheet: name of the sheet; empty for CSV.
        row: as the spreadsheet counts it, from 1.
        column: letter and heading, "D 合同金额".
        value: what stands in the cell, cut where it is long.
        wrong: what is wrong with it.
        remedy: what to write instead.
    """

    sheet: str
    row: int
    column: str
    value: str
    wrong: str
    remedy: str

    def __str__(self) -> str:
        place = _("row %(row)s, column %(column)s", row=self.row, column=self.column)
        sheet = _("sheet %(sheet)s, ", sheet=self.sheet) if self.sheet else ""
        return f"{sheet}{place}: {self.value!r}: {self.wrong} {self.remedy}".rstrip()


class TableFaulty(Invalid):
    """A table has cells at fault; nothing of it was taken.

    Attributes:
        faults: the first of them, at most SHOWN.
        total: how many there are.
    """

    def __init__(self, faults: Sequence[CellFault], total: int) -> None:
        super().__init__(
            ngettext(
                "%(num)s cell needs correction; nothing was saved.",
                "%(num)s cells need correction; nothing was saved.",
                total,
            ),
            remedy=_("Correct the cells in your file and send it again."),
            details=[str(fault) for fault in faults],
        )
        self.faults = tuple(faults)
        self.total = total
