"""The selection sheet: every candidate's points, total and place. The decision freezes it as it stood."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from sqlalchemy.orm import Session

from evalsys.registry.pins import rules_of_version
from evalsys.rules.model import Rules
from evalsys.scoring.choice import price_points, probability_best
from evalsys.scoring.ranking import competition_ranks
from evalsys.scoring.sensitivity import CONCENTRATION
from evalsys.selection.law import against_reference, use_of
from evalsys.selection.models import Candidate, Plan
from evalsys.selection.past import Past, Record, past_of


@dataclass(frozen=True)
class SheetLine:
    """One candidate. `total` and `place` are None while points that weigh something are missing.

    Attributes:
        price: points of the offer.
        best: chance of the highest total (0 to 1); None until all have a total.
    """

    candidate_id: int
    credit_code: str
    vendor_name: str
    technical: float | None
    price: float | None
    past: Past
    total: float | None = None
    place: int | None = None
    offer_fen: int | None = None
    best: float | None = None


@dataclass(frozen=True)
class Sheet:
    """A plan's candidates in order.

    Attributes:
        past_weight: share of past performance; 0 where it stands beside the points.
        left_out: past performance weighs something, but nobody has a record: the others share its weight.
        lines: the best first; those without a total after them, by name.
        price_basis: "reference" or "lowest" offer; "entered" on sheets decided when points were entered by hand.
        basis_fen: the price that earns all points; None while it is not known.
        concentration, draws, seed: of the weights drawn for the chances; None where there are none.
    """

    technical_weight: float
    price_weight: float
    past_weight: float
    beside: bool
    left_out: bool
    lines: tuple[SheetLine, ...]
    price_basis: Literal["reference", "lowest", "entered"] = "entered"
    basis_fen: int | None = None
    concentration: float | None = None
    draws: int | None = None
    seed: int | None = None

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
    use = use_of(rules, plan.use)
    candidates = sorted(plan.candidates, key=lambda candidate: candidate.vendor.credit_code)
    codes = [candidate.vendor.credit_code for candidate in candidates]
    pasts = past_of(session, codes, rules=rules, service_type=plan.service_type, year=plan.year)
    weights = [plan.weight_technical, plan.weight_price, plan.weight_past]
    left_out = bool(candidates) and weights[2] > 0 and all(past.value is None for past in pasts)
    if left_out:
        weights[2] = 0.0
    basis = plan.reference_fen if against_reference(use) else _lowest_offer(candidates)
    prices = _price_points(candidates, basis)
    lines = [
        _line(candidate, price, past, weights) for candidate, price, past in zip(candidates, prices, pasts, strict=True)
    ]
    sheet = Sheet(
        technical_weight=plan.weight_technical,
        price_weight=plan.weight_price,
        past_weight=plan.weight_past,
        beside=use.past_performance == "beside",
        left_out=left_out,
        lines=_ordered(lines),
        price_basis="reference" if against_reference(use) else "lowest",
        basis_fen=basis,
    )
    return _with_chances(sheet, weights, rules) if sheet.complete else sheet


def _lowest_offer(candidates: Sequence[Candidate]) -> int | None:
    return min((one.offer_fen for one in candidates if one.offer_fen is not None), default=None)


def _price_points(candidates: Sequence[Candidate], basis: int | None) -> list[float | None]:
    """A price at the basis or below earns all points: who undercuts a reference gains nothing by it."""
    if basis is None:
        return [None] * len(candidates)
    offers = np.array([np.nan if one.offer_fen is None else one.offer_fen for one in candidates], dtype=np.float64)
    points = price_points(offers, reference=basis, most=100)
    return [None if math.isnan(value) else value for value in points.tolist()]


def _line(candidate: Candidate, price: float | None, past: Past, weights: list[float]) -> SheetLine:
    parts = [(candidate.technical, weights[0]), (price, weights[1]), (past.value, weights[2])]
    counted = [(points, weight) for points, weight in parts if weight > 0]
    total = None
    if counted and all(points is not None for points, _weight in counted):
        total = sum((points or 0.0) * weight for points, weight in counted) / sum(weight for _points, weight in counted)
    return SheetLine(
        candidate_id=candidate.id,
        credit_code=candidate.vendor.credit_code,
        vendor_name=candidate.vendor.name,
        technical=candidate.technical,
        price=price,
        past=past,
        total=total,
        offer_fen=candidate.offer_fen,
    )


def _with_chances(sheet: Sheet, weights: list[float], rules: Rules) -> Sheet:
    """How often each line comes first, over the uncertainty of past performance and the weights around the plan's."""
    by_code = sorted(
        sheet.lines, key=lambda line: line.credit_code
    )  # draws go by this order, not by that of the totals
    chances = probability_best(
        [[line.technical or 0.0, line.price or 0.0, line.past.value or 0.0] for line in by_code],
        [[0.0, 0.0, line.past.sd] for line in by_code],
        weights,
        concentration=rules.sensitivity.concentration if rules.sensitivity else CONCENTRATION,
    )
    best = dict(zip((line.credit_code for line in by_code), chances.best.tolist(), strict=True))
    return replace(
        sheet,
        lines=tuple(replace(line, best=best[line.credit_code]) for line in sheet.lines),
        concentration=chances.concentration,
        draws=chances.draws,
        seed=chances.seed,
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
