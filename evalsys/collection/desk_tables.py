"""The tables of the coordinator's desk: which columns each has, as a page and as a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.listing import Page, Wanted, page_of
from evalsys.base.tables import Cell, Sheet
from evalsys.collection.closing import TOLD_FROM
from evalsys.collection.models import Mode
from evalsys.collection.standing import Line, by_contract, by_party, by_township, by_vendor, by_way
from evalsys.collection.ways import MODES
from evalsys.registry.models import Cycle

KINDS: dict[str, LazyString] = {
    "contract": _l("By contract"),
    "township": _l("By township"),
    "party": _l("By party"),
    "vendor": _l("By vendor"),
    "way": _l("By way of answering"),
}


class Named(Protocol):
    """A line: what it is about, and what stands in small type below; all else is told by columns."""

    @property
    def name(self) -> str: ...

    @property
    def under(self) -> str: ...


@dataclass(frozen=True)
class Column:
    """A column; `percent`: its values are shares from 0 to 1."""

    key: str
    heading: str
    value: Callable[[Any], float | None]
    percent: bool = False


@dataclass(frozen=True)
class Table:
    """A table with everything that it can show.

    Attributes:
        name: of the file's sheet.
        first: heading of the names.
    """

    name: str
    first: str
    columns: Sequence[Column]
    lines: Sequence[Named]

    def page(self, wanted: Wanted) -> Page[Named]:
        return page_of(
            self.lines,
            wanted,
            sorts={"name": lambda line: line.name, **{column.key: column.value for column in self.columns}},
            default_sort="name",
            search=lambda line: (line.name, line.under),
        )

    def sheet(self, wanted: Wanted) -> Sheet:
        """All that matches, in the order of the screen; shares as per cent."""
        lines = self.page(replace(wanted, page=1, size=max(1, len(self.lines)))).rows
        headings = [f"{c.heading} (%)" if c.percent else c.heading for c in self.columns]
        rows = ([line.name, line.under, *(_cell(column, line) for column in self.columns)] for line in lines)
        return Sheet(self.name, [self.first, _("More"), *headings], rows, widths=(32, 24))


def _cell(column: Column, line: Named) -> Cell:
    value = column.value(line)
    return value if value is None or not column.percent else round(100 * value, 1)


def table(session: Session, cycle: Cycle, kind: str, *, actor: Actor, now: datetime) -> Table:
    """One of KINDS, of the actor's branch."""
    name = str(KINDS[kind])
    match kind:
        case "township":
            return Table(name, _("Township"), _township_columns(), by_township(session, cycle, actor=actor))
        case "party":
            return Table(name, _("Party"), _party_columns(), by_party(session, cycle, actor=actor, now=now))
        case "vendor":
            return Table(name, _("Vendor"), _vendor_columns(), by_vendor(session, cycle, actor=actor, now=now))
        case "way":
            return Table(name, _("Way of answering"), _way_columns(), by_way(session, cycle, actor=actor))
    lines = by_contract(session, cycle, actor=actor, now=now)
    return Table(name, _("Service contract"), _contract_columns(), lines)


def _survey() -> list[Column]:
    return [
        Column("frame", _("In the frame"), lambda line: line.figures.frame),
        Column("invited", _("Invited"), lambda line: line.figures.invited),
        Column("answered", _("Answered"), lambda line: line.figures.used),
        Column("rate", _("Response rate"), lambda line: line.figures.rate, percent=True),
    ]


def _mix() -> list[Column]:
    def share(mode: Mode) -> Callable[[Line], float | None]:
        return lambda line: line.share(mode)

    return [Column(mode.value, str(name), share(mode), percent=True) for mode, name in MODES.items()]


def _answers() -> list[Column]:
    return [
        Column("counted", _("Counted"), lambda line: line.figures.counted + line.figures.filed),
        Column("held", _("Held back"), lambda line: line.figures.held + line.figures.filed_held),
        Column("flags", _("Open flags"), lambda line: line.flags),
    ]


def _assessed() -> list[Column]:
    return [
        Column("submitted", _("Assessments submitted"), lambda line: line.rated.submitted.total()),
        Column("due", _("Assessments due"), lambda line: line.rated.due.total()),
        Column("overdue", _("Overdue"), lambda line: line.rated.overdue.total()),
    ]


def _contracts() -> Column:
    return Column("contracts", _("Contracts"), lambda line: line.contracts)


def _contract_columns() -> list[Column]:
    return [*_survey(), *_mix(), *_answers(), *_assessed()]


def _vendor_columns() -> list[Column]:
    return [_contracts(), *_contract_columns()]


def _township_columns() -> list[Column]:
    return [
        _contracts(),
        *_survey(),
        Column("refused", _("Refused"), lambda line: line.figures.refused),
        Column("unreachable", _("Not reached"), lambda line: line.figures.unreachable),
        Column("gone", _("Moved or died"), lambda line: line.figures.moved + line.figures.died),
        *_mix(),
    ]


def _party_columns() -> list[Column]:
    return [
        _contracts(),
        Column("enough", _("With enough ratings"), lambda line: line.enough),
        Column("due", _("Asked"), lambda line: line.rated.due.total()),
        Column("submitted", _("Received"), lambda line: line.rated.submitted.total()),
        Column("overdue", _("Overdue"), lambda line: line.rated.overdue.total()),
        Column("counted", _("Counted"), lambda line: line.rated.counted.total()),
        Column("held", _("Held back"), lambda line: line.rated.held.total()),
        Column("rate", _("Response rate"), lambda line: line.figures.rate, percent=True),
    ]


def _way_columns() -> list[Column]:
    """A few people's way of answering is not told."""

    def told(line: Line) -> int | None:
        return line.answers if line.answers >= TOLD_FROM else None

    def share(line: Line) -> float | None:
        return line.answers / line.of if line.answers >= TOLD_FROM else None

    return [Column("answers", _("Counted"), told), Column("share", _("Share"), share, percent=True)]
