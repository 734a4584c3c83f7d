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
                _("Price points"),
                _("Past performance"),
                _("Record"),
                _("Total"),
                _("Chosen"),
            ],
            rows=_lines(plan, sheet),
            widths=(8, 22, 40, 12, 12, 12, 24, 12, 8),
        ),
        Table(
            name=_("Past performance"),
            headings=[_("Vendor"), _("Year"), _("Contract"), _("Title"), _("Score"), _("Share")],
            rows=_records(sheet),
            widths=(40, 8, 20, 40, 12, 12),
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
            line.price,
            line.past.value,
            _("No record (peer mean)") if line.past.neutral else _("Published results"),
            line.total,
            _("Chosen") if line.credit_code == chosen else "",
        ]


def _records(sheet: Sheet) -> Iterator[list[Cell]]:
    for line in sheet.lines:
        for record in line.past.records:
            title, score = record.contract_title, record.score
            yield [line.vendor_name, record.year, record.contract_reference, title, score, record.share]
