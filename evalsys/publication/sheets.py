"""A ranking as a table to take away."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import cache

from flask_babel import gettext as _

from evalsys.base.tables.writing import Cell, Sheet
from evalsys.evaluation.naming import Names
from evalsys.evaluation.sentences import reasons
from evalsys.publication.models import Edition
from evalsys.publication.queries import rules_of_edition
from evalsys.publication.rows import Row
from evalsys.publication.trends import Trend, meaning_told


def ranking_sheet(edition: Edition, rows: Iterable[Row]) -> Sheet:
    """One row a contract, in the order given; scores to six decimals, for they are not rounded before."""
    headings = (
        _("Rank"),
        _("Peer group"),
        _("Contract no."),
        _("Contract"),
        _("Vendor"),
        _("Credit code"),
        _("Purchaser"),
        _("Region"),
        _("Service type"),
        _("Amount (yuan)"),
        _("Recipients served"),
        _("Score"),
        _("Low"),
        _("High"),
        _("Grade"),
        _("Status"),
        _("Rank from"),
        _("Rank to"),
        _("Band"),
        _("Drawn towards peers"),
        _("Recipients' answers"),
        _("Response rate"),
        _("Evaluated until"),
        _("Over a year old"),
        _("The year before"),
        _("Change"),
        _("Change, low"),
        _("Change, high"),
        _("What the change says"),
        _("Compared with"),
        _("Notes"),
    )
    cells = map(_Teller(Names(rules_of_edition(edition))).cells, rows)
    return Sheet(f"{edition.cycle.title} {edition.number}", headings, cells, widths=(8, 14, 18, 36, 30, 22, 24, 14, 14))


class _Teller:
    """Writes rows; words that come again and again are looked up once."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._group, self._service_type = cache(names.group), cache(names.service_type)
        self._grade, self._status = cache(names.grade), cache(names.status)
        self._yes, self._no = _("yes"), _("no")
        self._this, self._service = _("this contract"), _("the vendor's contracts of this service")

    def cells(self, row: Row) -> tuple[Cell, ...]:
        line = row.line
        return (
            line.rank,
            self._group(line.peer_group),
            line.contract_reference,
            line.contract_title,
            line.vendor_name,
            line.vendor_credit_code,
            line.purchaser_name,
            line.region_name,
            self._service_type(line.service_type),
            Decimal(line.amount_fen) / 100,
            line.recipients_served,
            _six(line.score),
            _six(line.low),
            _six(line.high),
            self._grade(line.grade) if line.grade else None,
            self._status(line.status),
            line.rank_low,
            line.rank_high,
            line.band,
            _six(line.shrunk),
            row.answered,
            _six(row.rate),
            row.until,
            self._yes if row.old else self._no,
            *self._trend(row.trend),
            " ".join(reasons(line, self._names)),
        )

    def _trend(self, trend: Trend | None) -> tuple[Cell, ...]:
        if trend is None:
            return (None,) * 6
        what = self._this if trend.same_contract else self._service
        return (
            *map(_six, (trend.before, trend.points, trend.low, trend.high)),
            meaning_told(trend),
            f"{trend.edition.cycle.title} {trend.edition.number}, {what}",
        )


def _six(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
