"""The selection sheet as tables to save."""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import gettext as _

from evalsys.base.tables import Sheet as Table
from evalsys.selection.models import Plan
from evalsys.selection.sheet import Sheet

Cell = str | float | None


def tables(plan: Plan, sheet: Sheet) -> list[Table]:
    """The sheet itself, and the published scores that its past performance comes from."""
    return [
        Table(
            name=_("Selection sheet"),
            headings=[
                _("Place"),
                _("Credit code"),
                _("Vendor"),
                _("Technical points"),
                _("Offered price (yuan)"),
                _("Price points"),
                _("Past performance"),
                _("Record"),
                _("Total"),
                _("Chance to come first"),
                _("Chosen"),
            ],
            rows=_lines(plan, sheet),
            widths=(8, 22, 40, 12, 16, 12, 12, 24, 12, 12, 8),
        ),
        Table(
            name=_("Past performance"),
            headings=[
                _("Vendor"),
                _("Year"),
                _("Contract"),
                _("Title"),
                _("Score"),
                _("Drawn towards peers"),
                _("Share"),
            ],
            rows=_records(sheet),
            widths=(40, 8, 20, 40, 12, 16, 12),
        ),
    ]


def _lines(plan: Plan, sheet: Sheet) -> Iterator[list[Cell]]:
    chosen = plan.decision.vendor.credit_code if plan.decision else None
    for line in sheet.lines:
        yield [
            line.place,
            line.credit_code,
            line.vendor_name,
            line.technical,
            None if line.offer_fen is None else line.offer_fen / 100,
            line.price,
            line.past.value,
            _("No record (peer mean)") if line.past.neutral else _("Published results"),
            line.total,
            line.best,
            _("Chosen") if line.credit_code == chosen else "",
        ]


def _records(sheet: Sheet) -> Iterator[list[Cell]]:
    for line in sheet.lines:
        for record in line.past.records:
            title, score, shrunken = record.contract_title, record.score, record.shrunken
            yield [line.vendor_name, record.year, record.contract_reference, title, score, shrunken, record.share]
