"""A ranking as a table to take away."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from flask_babel import gettext as _

from evalsys.base.tables.writing import Sheet
from evalsys.evaluation.naming import Names
from evalsys.evaluation.sentences import reasons
from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.queries import rules_of_edition


def ranking_sheet(edition: Edition, lines: Sequence[EditionScore]) -> Sheet:
    """One row a contract, in the order given; scores to six decimals, for they are not rounded before."""
    names = Names(rules_of_edition(edition))
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
        _("Notes"),
    )
    rows = [_row(line, names) for line in lines]
    return Sheet(f"{edition.cycle.title} {edition.number}", headings, rows, widths=(8, 14, 18, 36, 30, 22, 24, 14, 14))


def _row(line: EditionScore, names: Names) -> tuple[str | float | Decimal | None, ...]:
    return (
        line.rank,
        names.group(line.peer_group),
        line.contract_reference,
        line.contract_title,
        line.vendor_name,
        line.vendor_credit_code,
        line.purchaser_name,
        line.region_name,
        names.service_type(line.service_type),
        Decimal(line.amount_fen) / 100,
        line.recipients_served,
        _six(line.score),
        _six(line.low),
        _six(line.high),
        names.grade(line.grade) if line.grade else None,
        names.status(line.status),
        line.rank_low,
        line.rank_high,
        line.band,
        _six(line.shrunk),
        " ".join(reasons(line, names)),
    )


def _six(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
