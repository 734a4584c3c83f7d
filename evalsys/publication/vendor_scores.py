"""A vendor's own score in one edition: the weighted mean of its scored contracts, with its interval."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from evalsys.base.listing import Page, Wanted, page_of
from evalsys.evaluation.naming import Names
from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.queries import Published, rules_of_edition
from evalsys.publication.telling import year_told
from evalsys.rules.model import Rules


class Contract(Protocol):
    """What a vendor's score reads of a line."""

    @property
    def amount_fen(self) -> int: ...
    @property
    def recipients_served(self) -> int: ...
    @property
    def score(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


@dataclass(frozen=True)
class VendorScore:
    """Points; `weighed_by` is amount, recipients or equal (also where a size is not known)."""

    score: float
    low: float
    high: float
    scored: int
    weighed_by: str


def vendor_score(lines: Sequence[Contract], rules: Rules) -> VendorScore | None:
    """As `scoring.vendors` does it, from published lines; None where no contract has a score.

    Contracts are independent of each other, so the arms of their intervals add up as squares.
    """
    scored = [line for line in lines if line.score is not None]
    if not scored:
        return None
    shares, weighed_by = shares_of(scored, rules)
    score = sum(share * (line.score or 0.0) for share, line in zip(shares, scored, strict=True))
    down = math.hypot(*(s * ((line.score or 0.0) - (line.low or 0.0)) for s, line in zip(shares, scored, strict=True)))
    up = math.hypot(*(s * ((line.high or 0.0) - (line.score or 0.0)) for s, line in zip(shares, scored, strict=True)))
    return VendorScore(score, max(0.0, score - down), min(100.0, score + up), len(scored), weighed_by)


def shares_of(scored: Sequence[Contract], rules: Rules) -> tuple[list[float], str]:
    """What each scored contract of a vendor weighs in its score, and by what they are weighed."""
    weighed_by: str = rules.vendor_weight
    sizes = [_size(line, weighed_by) for line in scored]
    if min(sizes) <= 0:
        sizes, weighed_by = [1.0] * len(scored), "equal"
    return [size / sum(sizes) for size in sizes], weighed_by


@dataclass(frozen=True)
class VendorYear:
    """What one edition says of a vendor."""

    edition: Edition
    names: Names
    page: Page[EditionScore]
    score: VendorScore | None
    told: list[str]


@dataclass(frozen=True)
class VendorHistory:
    """A vendor over all cycles, the latest first. `contracts`: in all of them; `purchasers`: names, once each."""

    name: str
    credit_code: str
    years: list[VendorYear]
    contracts: int
    purchasers: list[str]


def vendor_history(published: Sequence[Published], wanted: Wanted) -> VendorHistory:
    """Put a vendor's published lines together by edition, ordered as wanted; there is at least one."""
    years = []
    for _number, group in itertools.groupby(published, key=lambda item: item.edition.id):
        items = list(group)
        edition, lines = items[0].edition, [item.line for item in items]
        rules = rules_of_edition(edition)
        names, page = Names(rules), _ordered(lines, wanted)
        years.append(VendorYear(edition, names, page, vendor_score(lines, rules), year_told(lines, names)))
    latest = published[0].line
    return VendorHistory(
        name=latest.vendor_name,
        credit_code=latest.vendor_credit_code,
        years=years,
        contracts=len(published),
        purchasers=list(dict.fromkeys(item.line.purchaser_name for item in published)),
    )


def _ordered(lines: list[EditionScore], wanted: Wanted) -> Page[EditionScore]:
    """All of a year's lines in the order wanted."""
    return page_of(
        lines,
        Wanted(sort=wanted.sort, size=len(lines)),
        sorts={
            "contract": lambda line: line.contract_reference,
            "served": lambda line: line.recipients_served,
            "score": lambda line: line.score,
        },
        default_sort="contract",
        search=lambda line: (line.contract_title,),
    )


def _size(line: Contract, weighed_by: str) -> float:
    return {"amount": float(line.amount_fen), "recipients": float(line.recipients_served), "equal": 1.0}[weighed_by]
