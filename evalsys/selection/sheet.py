"""The selection sheet: every candidate's points, total and place. The decision freezes it as it stood."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from evalsys.registry.pins import rules_of_version
from evalsys.scoring.ranking import competition_ranks
from evalsys.selection.law import use_of
from evalsys.selection.models import Candidate, Plan
from evalsys.selection.past import Past, Record, past_of


@dataclass(frozen=True)
class SheetLine:
    """One candidate. `total` and `place` are None while points that weigh something are missing."""

    candidate_id: int
    credit_code: str
    vendor_name: str
    technical: float | None
    price: float | None
    past: Past
    total: float | None = None
    place: int | None = None


@dataclass(frozen=True)
class Sheet:
    """A plan's candidates in order.

    Attributes:
        past_weight: share of past performance; 0 where it stands beside the points.
        left_out: past performance weighs something, but nobody has a record: the others share its weight.
        lines: the best first; those without a total after them, by name.
    """

    technical_weight: float
    price_weight: float
    past_weight: float
    beside: bool
    left_out: bool
    lines: tuple[SheetLine, ...]

    @property
    def complete(self) -> bool:
        """Whether there are candidates and each has its total."""
        return bool(self.lines) and all(line.total is not None for line in self.lines)

    def line(self, credit_code: str) -> SheetLine:
        """Raises KeyError for a vendor that is no candidate."""
        for line in self.lines:
            if line.credit_code == credit_code:
                return line
        raise KeyError(credit_code)

    def as_json(self) -> dict[str, Any]:
        """What a decision keeps."""
        return asdict(self)

    @property
    def fingerprint(self) -> str:
        """Changes with anything on the sheet, so that nobody decides on another sheet than the one seen."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()


def sheet_of(session: Session, plan: Plan) -> Sheet:
    """The sheet as it stands now, or as it was frozen by the decision."""
    if plan.decision is not None:
        return _thawed(plan.decision.sheet)
    rules = rules_of_version(plan.rules)
    candidates = sorted(plan.candidates, key=lambda candidate: candidate.vendor.credit_code)
    codes = [candidate.vendor.credit_code for candidate in candidates]
    pasts = past_of(session, codes, rules=rules, service_type=plan.service_type, year=plan.year)
    weights = [plan.weight_technical, plan.weight_price, plan.weight_past]
    left_out = bool(candidates) and weights[2] > 0 and all(past.value is None for past in pasts)
    if left_out:
        weights[2] = 0.0
    lines = [_line(candidate, past, weights) for candidate, past in zip(candidates, pasts, strict=True)]
    return Sheet(
        technical_weight=plan.weight_technical,
        price_weight=plan.weight_price,
        past_weight=plan.weight_past,
        beside=use_of(rules, plan.use).past_performance == "beside",
        left_out=left_out,
        lines=_ordered(lines),
    )


def _line(candidate: Candidate, past: Past, weights: list[float]) -> SheetLine:
    parts = [(candidate.technical, weights[0]), (candidate.price, weights[1]), (past.value, weights[2])]
    counted = [(points, weight) for points, weight in parts if weight > 0]
    total = None
    if counted and all(points is not None for points, _weight in counted):
        total = sum((points or 0.0) * weight for points, weight in counted) / sum(weight for _points, weight in counted)
    return SheetLine(
        candidate_id=candidate.id,
        credit_code=candidate.vendor.credit_code,
        vendor_name=candidate.vendor.name,
        technical=candidate.technical,
        price=candidate.price,
        past=past,
        total=total,
    )


def _ordered(lines: list[SheetLine]) -> tuple[SheetLine, ...]:
    """Places with ties, before any rounding; the order of equals is by credit code, not by who came first."""
    places = competition_ranks(np.array([np.nan if line.total is None else line.total for line in lines], dtype=float))
    placed = [replace(line, place=int(place) or None) for line, place in zip(lines, places, strict=True)]
    return tuple(sorted(placed, key=lambda line: (line.place is None, line.place, line.credit_code)))


def _thawed(kept: dict[str, Any]) -> Sheet:
    def past(of: dict[str, Any]) -> Past:
        return Past(**{**of, "records": tuple(Record(**record) for record in of["records"])})

    lines = tuple(SheetLine(**{**line, "past": past(line["past"])}) for line in kept["lines"])
    return Sheet(**{**kept, "lines": lines})
