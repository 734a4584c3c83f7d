"""One contract of an edition, scored again from its open data in plain arithmetic, as a reader could with a calculator.

Nothing of the scoring core is used: what comes out is compared with what was published.
"""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from statistics import NormalDist

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.publication.bundle.archive import unpacked
from evalsys.publication.models import Edition, EditionRecord, EditionScore
from evalsys.rules.model import Rules
from evalsys.scoring.cells import SAMPLED
from evalsys.scoring.status import Why

NEAR = 50
"""Contracts on both sides of the middle among which one that all parties judged is looked for."""

TABLES = ("contracts.csv", "inputs.csv", "adjusted.csv", "terms.csv", "raters.csv")
Rows = list[dict[str, str]]
Terms = Mapping[tuple[str, ...], float]
"""By term, party, dimension and second dimension."""


def example_of(session: Session, edition: Edition) -> EditionScore | None:
    """The contract in the middle of the largest peer group, or the nearest to it that every party judged.

    An ordinary one, and always the same. None where no contract has a score.
    """
    scored = EditionScore.edition_id == edition.id, EditionScore.score.is_not(None)
    largest = select(EditionScore.peer_group).where(*scored).group_by(EditionScore.peer_group)
    group = session.scalar(largest.order_by(func.count().desc(), EditionScore.peer_group).limit(1))
    members = select(EditionScore.id).where(*scored, EditionScore.peer_group == group)
    ids = session.scalars(members.order_by(EditionScore.score, EditionScore.contract_reference)).all()
    if not ids:
        return None
    middle = len(ids) // 2
    nearest = sorted(range(len(ids)), key=lambda place: (abs(place - middle), place))[: 2 * NEAR]
    lines = (session.get_one(EditionScore, ids[place]) for place in nearest)
    return next((line for line in lines if _all_judged(line)), session.get_one(EditionScore, ids[middle]))


def _all_judged(line: EditionScore) -> bool:
    return all(reason["code"] != Why.PARTY_LEFT_OUT for reason in line.breakdown["reasons"])


@dataclass(frozen=True)
class Cell:
    """One party on one dimension, reckoned.

    Attributes:
        n: answers; for an appointed party, raters.
        weights, weighted: Σw and Σwy.
        severity, adjusted: what steps 4 and 3 take off and add, points.
        share: W_d V_{p|d}.
        effective: answers of equal weight that are as precise.
        variance: s², squared points; of an appointed party the frozen variance of one rater.
        pooled, dispersion, standing: φ_pool, φ and n′; 0 for an appointed party.
        low, high: the interval.
        down, up: by how much the score moves when this cell moves to an end of its interval.
    """

    party: str
    dimension: str
    n: float
    weights: float
    weighted: float
    severity: float
    adjusted: float
    share: float
    effective: float
    variance: float = 0.0
    pooled: float = 0.0
    dispersion: float = 0.0
    standing: float = 0.0
    low: float = 0.0
    high: float = 0.0
    down: float = 0.0
    up: float = 0.0

    @property
    def estimate(self) -> float:
        """θ̂, cut to 0 to 100."""
        return min(max(self.weighted / self.weights - self.severity + self.adjusted, 0.0), 100.0)


@dataclass(frozen=True)
class Worked:
    """A score reckoned.

    Attributes:
        z: of the interval's confidence.
        frame: F; None where it is not known.
        cells: those that carry weight, by party and dimension in the order of the rules.
        falls, rises: aᵀRa and bᵀRb by party, squared points.
        chances: by grade; the rules' cap is not looked at.
    """

    z: float
    frame: float | None
    cells: list[Cell]
    score: float
    low: float
    high: float
    falls: dict[str, float]
    rises: dict[str, float]
    chances: dict[str, float]


def worked(record: EditionRecord, reference: str, rules: Rules) -> Worked | None:
    """Reckon a contract from the bundle of its edition.

    None where the bundle was taken away, or does not tell enough: fewer than five recipients of a part that carries
    weight, or a party that is missing.
    """
    told = _evidence(_Asked(record.hash, reference, lambda: record.bundle))
    return _reckoned(told, rules) if told and told["contracts.csv"] else None


@dataclass(frozen=True)
class _Asked:
    """A contract of a sealed edition; the bundle, large, is fetched only where nobody asked before."""

    hash: str
    reference: str
    bundle: Callable[[], bytes | None] = field(compare=False)


@lru_cache(maxsize=32)
def _evidence(asked: _Asked) -> dict[str, Rows] | None:
    """The rows of a bundle that speak of one contract, and those that speak of all."""
    content = asked.bundle()
    if content is None:
        return None
    files = unpacked(content)
    return {
        name: [
            row
            for row in csv.DictReader(io.StringIO(files.get(name, b"").decode(), newline=""))
            if row.get("contract", asked.reference) == asked.reference
        ]
        for name in TABLES
    }


def _reckoned(told: Mapping[str, Rows], rules: Rules) -> Worked | None:
    z = NormalDist().inv_cdf((1 + rules.interval.level) / 2)
    frame = float(told["contracts.csv"][0]["frame"] or "nan")
    terms: Terms = {
        (r["term"], r["party"], r["dimension"], r["other_dimension"]): float(r["value"]) for r in told["terms.csv"]
    }
    cells = []
    for party in rules.parties:
        for dimension in rules.dimensions:
            if rules.weight(dimension.code, party.code):
                cell = _cell(party.code, dimension.code, told, rules, terms, frame=frame, z=z)
                if cell is None:
                    return None
                cells.append(cell)
    score = _score(cells, rules)
    cells = [_moved(cells, place, rules, score) for place in range(len(cells))]
    falls, rises = (
        {party.code: _together(party.code, end, cells, terms) for party in rules.parties} for end in ("down", "up")
    )
    low = max(0.0, score - math.sqrt(sum(falls.values())))
    high = min(100.0, score + math.sqrt(sum(rises.values())))
    return Worked(
        z=z,
        frame=None if math.isnan(frame) else frame,
        cells=cells,
        score=score,
        low=low,
        high=high,
        falls=falls,
        rises=rises,
        chances=_chances(score, low, high, rules, z),
    )


def _cell(
    party: str, dimension: str, told: Mapping[str, Rows], rules: Rules, terms: Terms, *, frame: float, z: float
) -> Cell | None:
    """Steps 2 to 5; None where nobody's answers are told."""
    severities = {row["rater"]: float(row["severity"]) for row in told["raters.csv"]}
    sums: defaultdict[str, float] = defaultdict(float)
    for row in told["inputs.csv"]:
        if (row["party"], row["dimension"], row["other_dimension"]) == (party, dimension, ""):
            n, weight = float(row["n"]), float(row["weight"])
            sums["n"] += n
            sums["w"] += weight
            sums["w²"] += float(row["squares"])
            sums["wy"] += float(row["sum"]) + float(row["centre"]) * weight
            sums["away"] += float(row["sum"])
            sums["away²"] += float(row["products"] or 0)
            sums["severity"] += n * severities.get(row["rater"], 0.0)
    n, weights = sums["n"], sums["w"]
    if not n:
        return None
    moved = next((row for row in told["adjusted.csv"] if party == SAMPLED and row["dimension"] == dimension), None)
    cell = Cell(
        party=party,
        dimension=dimension,
        n=n,
        weights=weights,
        weighted=sums["wy"],
        severity=sums["severity"] / n,
        adjusted=float(moved["points"]) if moved else 0.0,
        share=rules.weight(dimension, party),
        effective=weights**2 / sums["w²"],
    )
    if party != SAMPLED:
        return _of_raters(cell, terms["rater_variance", party, dimension, ""], z)
    away = max(sums["away²"] - sums["away"] ** 2 / weights, 0.0) * n / weights / max(n - 1, 1)
    variance = float(moved["variance"]) if moved else away
    pooled = terms["dispersion", party, dimension, ""]
    return _of_recipients(replace(cell, variance=variance, pooled=pooled), rules.interval.prior_strength, frame, z)


def _of_raters(cell: Cell, variance: float, z: float) -> Cell:
    arm = z * math.sqrt(variance / cell.n)
    low, high = max(0.0, cell.estimate - arm), min(100.0, cell.estimate + arm)
    return replace(cell, variance=variance, low=low, high=high)


def _of_recipients(cell: Cell, prior: float, frame: float, z: float) -> Cell:
    m = cell.estimate / 100
    phi = _dispersion(m, cell.variance / 100**2, cell.n, cell.pooled, prior)
    per_answer = phi * (1 - cell.n / frame if frame >= cell.n else 1.0) / cell.effective
    low, high = _wilson(m, per_answer, z)
    standing = 1 / per_answer if per_answer else math.inf
    return replace(cell, low=low, high=high, dispersion=phi, standing=standing)


def _dispersion(m: float, spread: float, n: float, pooled: float, prior: float) -> float:
    if spread <= 0 or not 0 < m < 1:
        return pooled
    return (prior * pooled + (n - 1) * spread / (m * (1 - m))) / (prior + n - 1)


def _wilson(m: float, per_answer: float, z: float) -> tuple[float, float]:
    v = z * z * per_answer
    middle, arm = m + v / 2, math.sqrt(v * (m * (1 - m) + v / 4))
    low, high = min((middle - arm) / (1 + v), m), max((middle + arm) / (1 + v), m)
    return 100 * max(low, 0.0), 100 * min(high, 1.0)


def _score(cells: list[Cell], rules: Rules) -> float:
    """Step 6: T of these estimates."""
    return _mean([(cell.dimension, cell.share, cell.estimate) for cell in cells], rules)


def _mean(parts: list[tuple[str, float, float]], rules: Rules) -> float:
    if rules.aggregation == "arithmetic":
        return math.fsum(share * points for _dimension, share, points in parts)
    shares: defaultdict[str, float] = defaultdict(float)
    brought: defaultdict[str, float] = defaultdict(float)
    for dimension, share, points in parts:
        shares[dimension] += share
        brought[dimension] += share * points
    return math.prod(math.pow(brought[code] / share, share) for code, share in shares.items())


def _moved(cells: list[Cell], place: int, rules: Rules, score: float) -> Cell:
    """The cell at a place, with how far the score goes when it alone goes to an end of its interval."""

    def at(points: float) -> float:
        parts = [(c.dimension, c.share, points if n == place else c.estimate) for n, c in enumerate(cells)]
        return _mean(parts, rules)

    cell = cells[place]
    return replace(cell, down=score - at(cell.low), up=at(cell.high) - score)


def _together(party: str, end: str, cells: list[Cell], terms: Terms) -> float:
    """aᵀRa of one party."""
    own = [cell for cell in cells if cell.party == party]

    def related(one: str, other: str) -> float:
        return terms.get(("correlation", party, one, other), terms.get(("correlation", party, other, one), 1.0))

    return math.fsum(
        getattr(a, end) * getattr(b, end) * (1.0 if a is b else related(a.dimension, b.dimension))
        for a in own
        for b in own
    )


def _chances(score: float, low: float, high: float, rules: Rules, z: float) -> dict[str, float]:
    """Step 8: the share of each band under a normal curve with the interval's own two arms."""

    def below(edge: float) -> float:
        if edge >= 100:
            return 1.0
        arm = (score - low if edge < score else high - score) / z
        return NormalDist().cdf((edge - score) / arm) if arm > 0 else float(edge > score)

    return {grade.code: below(grade.stop) - (below(grade.start) if grade.start else 0.0) for grade in rules.grades}
