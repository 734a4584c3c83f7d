"""An edition counted: contracts, vendors, grades, and who took part."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.queries import statuses_of
from evalsys.rules.model import Rules


@dataclass(frozen=True)
class Tally:
    """How many of what an edition holds.

    Attributes:
        contracts, vendors, purchasers: each counted once.
        statuses, grades: contracts by code.
        raters: ratings that count, by party.
        invited, answered, gone, received, held: recipients, over all contracts; `gone` moved away or died before.
    """

    contracts: int
    vendors: int
    purchasers: int
    statuses: dict[str, int]
    grades: dict[str, int]
    raters: dict[str, int]
    invited: int
    answered: int
    gone: int
    received: int
    held: int


def tally_of(session: Session, edition: Edition, rules: Rules) -> Tally:
    """Count an edition's lines, in the database: no line is read."""
    here = EditionScore.edition_id == edition.id
    parties = [party.code for party in rules.parties]
    asked = ("invited", "answered", "moved", "died", "received", "held")
    counted = session.execute(
        select(
            func.count(),
            func.count(EditionScore.vendor_credit_code.distinct()),
            func.count(EditionScore.purchaser_name.distinct()),
            *(_added("respondents", party) for party in parties),
            *(_added("collected", name) for name in asked),
        ).where(here)
    ).one()
    contracts, vendors, purchasers, *numbers = (int(value) for value in counted)
    raters, sums = numbers[: len(parties)], dict(zip(asked, numbers[len(parties) :], strict=True))
    grades = session.execute(select(EditionScore.grade, func.count()).where(here).group_by(EditionScore.grade)).all()
    return Tally(
        contracts=contracts,
        vendors=vendors,
        purchasers=purchasers,
        statuses=statuses_of(session, edition),
        grades={grade: count for grade, count in grades if grade is not None},
        raters=dict(zip(parties, raters, strict=True)),
        invited=sums["invited"],
        answered=sums["answered"],
        gone=sums["moved"] + sums["died"],
        received=sums["received"],
        held=sums["held"],
    )


def _added(*path: str) -> ColumnElement[int]:
    """A number of the breakdown, over all lines."""
    value = EditionScore.breakdown
    return func.coalesce(func.sum(value[path].as_integer()), 0)
