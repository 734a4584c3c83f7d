"""The whole run: inputs and rules in, scores with intervals, grades, statuses, ranks and their breakdown out."""

from __future__ import annotations

import numpy as np

from evalsys.rules.model import Rules
from evalsys.scoring import grades, pooled, vendors
from evalsys.scoring.arrays import Flags, Integers, Vector
from evalsys.scoring.cells import SAMPLED, Spread, weight_matrix
from evalsys.scoring.comparisons import Made, compare
from evalsys.scoring.frames import frame_of
from evalsys.scoring.inputs import Inputs
from evalsys.scoring.intervals import Limits, add_up, cell, combine, normal_quantile, rater_cell
from evalsys.scoring.pooled import Pooled, Prepared
from evalsys.scoring.ranking import peers_of, ranks_among
from evalsys.scoring.result import Cells, Result
from evalsys.scoring.status import WITHHELD, Presence, decide, half_width, presence, reasons


def score(inputs: Inputs, rules: Rules, *, seed: int, frozen: Pooled | None = None) -> Result:
    """Score every contract of a cycle.

    A contract's score, interval, grade and status depend on its own answers, the rules and the frozen terms alone.

    Args:
        inputs: what step 0 hands over.
        rules: the rules the cycle pinned; their parties, dimensions and criteria are those of the inputs.
        seed: of random draws; kept with the result.
        frozen: the pooled terms fitted when the cycle closed; fitted from the inputs where not given.

    Raises:
        ValueError: the inputs were made for other rules, or the frozen terms have another shape.
    """
    _check_same(inputs, rules)
    frame = frame_of(inputs)
    return conclude(inputs, pooled.prepare(inputs, frame, rules, frozen), frame.size, rules, seed=seed)


def conclude(inputs: Inputs, ready: Prepared, frame: Vector, rules: Rules, *, seed: int) -> Result:
    """Steps 5 to 10: what follows from the respondents' means and spreads.

    What is published of an edition's inputs goes this way too (see `public_inputs`), so a score and its recomputation
    cannot differ.

    Args:
        inputs: contracts, vendors, peer groups and sizes; their tables are not read.
        ready: the spreads after steps 2 to 4, and the pooled terms.
        frame: shape (contracts,), F; infinite where no frame is known.
        rules: as for `score`.
        seed: as for `score`.
    """
    spread, terms = ready.spread, ready.terms
    limits = _cells(spread, frame, rules, terms)
    there = presence(spread.answers, weight_matrix(rules), rules)
    weights, uncovered = _weights(there, rules)
    total = _total(weights, limits, there, rules, terms)
    shown = (status := decide(total, ~np.any(uncovered, axis=1), rules)) != WITHHELD
    variance = np.where(shown, _variance(spread, weights, there, rules, terms), np.nan)
    final = Limits(*(np.where(shown, end, np.nan) for end in (total.estimate, total.low, total.high)))
    answers = _most_answers(spread, inputs)
    why = reasons(there, uncovered, rules, half=half_width(total), most_answers=answers, frame=frame)
    cells, dimensions = _breakdown(spread, limits, weights), _dimensions(weights, limits)
    grade, chances, capped = _grades(final, dimensions, rules)
    peers = peers_of(inputs.peer_groups, inputs.peer_group, rules)
    rank, ranked = ranks_among(final.estimate, peers)
    scores, made = vendors.Scores(final, variance), Made(final.estimate, variance, limits.estimate, weights, dimensions)
    beside = compare(made, vendors.among_peers(inputs, scores, rules, peers), peers, rules, seed=seed)
    return Result(
        contracts=inputs.contracts,
        peer_groups=peers.groups,
        score=final.estimate,
        low=final.low,
        high=final.high,
        uneven=_uneven(final.estimate, cells),
        grade=grade,
        chances=chances,
        near_boundary=shown & (chances.max(axis=1) < rules.status.near_boundary),
        capped=capped,
        status=status,
        reasons=why,
        peer_group=peers.group,
        rank=rank,
        ranked=ranked,
        respondents=spread.respondents,
        dimensions=dimensions,
        cells=cells,
        collapsed=ready.collapsed,
        vendors=vendors.overall(inputs, scores, rules),
        vendors_in_groups=vendors.in_groups(inputs, scores, rules, peers),
        variance=variance,
        pooled=terms,
        seed=seed,
        **vars(beside),
    )


def _check_same(inputs: Inputs, rules: Rules) -> None:
    for name, have, rows in (
        ("parties", inputs.parties, rules.parties),
        ("dimensions", inputs.dimensions, rules.dimensions),
        ("criteria", inputs.criteria, rules.criteria),
    ):
        asked = tuple(row.code for row in rows)
        if have != asked:
            raise ValueError(f"inputs.{name}: {have} are not those of the rules, {asked}")
    missing = [code for code in rules.adjusters if code not in inputs.adjusters]
    if missing:
        raise ValueError(
            f"inputs.adjusters: {', '.join(missing)} must be a column of the moments; the rules adjust by it"
        )


def _cells(spread: Spread, frame: Vector, rules: Rules, terms: Pooled) -> Limits:
    """Step 5 for every cell; NaN where nobody answered."""
    level = rules.interval.level
    answers = np.maximum(spread.answers, 1)
    ends = [np.empty(spread.mean.shape) for _ in range(3)]
    for p, party in enumerate(rules.parties):
        if party.code == SAMPLED:
            limits = cell(
                spread.mean[:, p],
                spread.variance[:, p],
                answers[:, p],
                pooled=terms.dispersion[p],
                frame=frame[:, None],
                n_effective=np.where(spread.answers[:, p] > 0, spread.n_effective[:, p], 1.0),
                strength=rules.interval.prior_strength,
                level=level,
            )
        else:
            limits = rater_cell(spread.mean[:, p], answers[:, p], variance=terms.rater_variance[p], level=level)
        for end, values in zip(ends, (limits.estimate, limits.low, limits.high), strict=True):
            end[:, p] = np.where(spread.answers[:, p] > 0, values, np.nan)
    return Limits(*ends)


def _weights(there: Presence, rules: Rules) -> tuple[Vector, Flags]:
    """Each contract's own weights (contracts, parties, dimensions), and which dimensions lack a party they need."""
    base = weight_matrix(rules)
    absent = there.judges & ~there.present
    if rules.status.missing_party == "withhold":
        uncovered: Flags = np.any(absent[:, :, None] & (base > 0), axis=1)
        weights = np.broadcast_to(base, (len(absent), *base.shape))
    else:
        kept = base * ~absent[:, :, None]
        left, whole = kept.sum(axis=1), base.sum(axis=0)
        uncovered = (left == 0) & (whole > 0)
        grown = kept * (whole / np.where(left > 0, left, 1))[:, None, :]
        weights = np.where(np.any(absent, axis=1)[:, None, None], grown, base)
    complete: Flags = ~np.any(uncovered, axis=1)
    return weights * complete[:, None, None], uncovered


def _total(weights: Vector, limits: Limits, there: Presence, rules: Rules, terms: Pooled) -> Limits:
    """Step 6; a missing party widens the interval by what parties of its kind stand off the others."""
    absent = there.judges & ~there.present
    gap = normal_quantile(rules.interval.level) * np.sqrt((absent * terms.gap**2).sum(axis=1))
    return combine(weights, limits, terms.correlation, extra=gap, geometric=rules.aggregation == "geometric")


def _variance(spread: Spread, weights: Vector, there: Presence, rules: Rules, terms: Pooled) -> Vector:
    """V of each score, squared points: as if its recipients were drawn from endlessly many."""
    endless = np.full(len(weights), np.inf)
    total = _total(weights, _cells(spread, endless, rules, terms), there, rules, terms)
    return ((total.high - total.low) / (2 * normal_quantile(rules.interval.level))) ** 2


def _grades(final: Limits, dimensions: Vector, rules: Rules) -> tuple[Integers, Vector, Flags]:
    starts = np.array([grade.start for grade in rules.grades])
    chances = grades.probabilities(final, starts, level=rules.interval.level)
    weakest = np.where(np.isnan(dimensions), np.inf, dimensions).min(axis=1, initial=np.inf)
    return grades.cap(grades.grade_of(final.estimate, starts), chances, weakest, rules)


def _dimensions(weights: Vector, limits: Limits) -> Vector:
    of_dimension = weights.sum(axis=1)
    points = np.where(weights > 0, weights * limits.estimate, 0).sum(axis=1)
    return np.where(of_dimension > 0, points / np.where(of_dimension > 0, of_dimension, 1), np.nan)


def _breakdown(spread: Spread, limits: Limits, weights: Vector) -> Cells:
    moves = spread.moves
    return Cells(
        estimate=limits.estimate,
        low=limits.low,
        high=limits.high,
        n=spread.answers,
        n_effective=spread.n_effective,
        weight=weights,
        contribution=weights * spread.plain,
        weighting=weights * moves.weighting,
        mode=weights * moves.mode,
        case_mix=weights * moves.case_mix,
        severity=weights * moves.severity,
        cut=np.where(weights > 0, weights * (limits.estimate - spread.mean), 0.0),
    )


def _uneven(score: Vector, cells: Cells) -> Vector:
    """What the parts of a score's cells leave unexplained: nothing but rounding where dimensions are added."""
    rest = score
    for part in (cells.contribution, cells.cut, cells.weighting, cells.mode, cells.case_mix, cells.severity):
        rest = rest - add_up(part)
    return rest


def _most_answers(spread: Spread, inputs: Inputs) -> Integers:
    """Answers of recipients on the dimension most of them answered, shape (contracts,)."""
    if SAMPLED not in inputs.parties:
        return np.zeros(len(inputs.contracts), dtype=np.int64)
    answered: Integers = spread.answers[:, inputs.parties.index(SAMPLED)].max(axis=1, initial=0)
    return answered
