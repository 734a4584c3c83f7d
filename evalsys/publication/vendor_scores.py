"""A vendor's own score in one edition: the weighted mean of its scored contracts, with its interval."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from evalsys.evaluation.naming import Names
from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.queries import Published, rules_of_edition
from evalsys.rules.model import Rules


@dataclass(frozen=True)
class VendorScore:
    """Points; `weighed_by` is amount, recipients or equal (also where a size is not known)."""

    score: float
    low: float
    high: float
    scored: int
    weighed_by: str


def vendor_score(lines: Sequence[EditionScore], rules: Rules) -> VendorScore | None:
    """As `scoring.vendors` does it, from published lines; None where no contract has a score.

    Contracts are independent of each other, so the arms of their intervals add up as squares.
    """
    scored = [line for line in lines if line.score is not None]
    if not scored:
        return None
    weighed_by: str = rules.vendor_weight
    sizes = [_size(line, weighed_by) for line in scored]
    if min(sizes) <= 0:
        sizes, weighed_by = [1.0] * len(scored), "equal"
    shares = [size / sum(sizes) for size in sizes]
    score = sum(share * (line.score or 0.0) for share, line in zip(shares, scored, strict=True))
    down = math.hypot(*(s * ((line.score or 0.0) - (line.low or 0.0)) for s, line in zip(shares, scored, strict=True)))
    up = math.hypot(*(s * ((line.high or 0.0) - (line.score or 0.0)) for s, line in zip(shares, scored, strict=True)))
    return VendorScore(score, max(0.0, score - down), min(100.0, score + up), len(scored), weighed_by)


@dataclass(frozen=True)
class VendorYear:
    """What one edition says of a vendor."""

    edition: Edition
    names: Names
    lines: list[EditionScore]
    score: VendorScore | None


@dataclass(frozen=True)
class VendorHistory:
    """A vendor over all cycles, the latest first."""

    name: str
    credit_code: str
    years: list[VendorYear]


def vendor_history(published: Sequence[Published]) -> VendorHistory:
    """Put a vendor's published lines together by edition; there is at least one."""
    years = []
    for _number, group in itertools.groupby(published, key=lambda item: item.edition.id):
        items = list(group)
        edition, lines = items[0].edition, [item.line for item in items]
        rules = rules_of_edition(edition)
        years.append(VendorYear(edition, Names(rules), lines, vendor_score(lines, rules)))
    latest = published[0].line
    return VendorHistory(latest.vendor_name, latest.vendor_credit_code, years)


def _size(line: EditionScore, weighed_by: str) -> float:
    return {"amount": float(line.amount_fen), "recipients": float(line.recipients_served), "equal": 1.0}[weighed_by]
