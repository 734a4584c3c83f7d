"""Terms learned from the whole cycle once, then frozen, so that no contract's score moves another's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Flags, Vector, floats
from evalsys.scoring.cells import Spread, spread_of, weight_matrix
from evalsys.scoring.circumstances import coefficient_means
from evalsys.scoring.frame_weights import Collapsed
from evalsys.scoring.frames import Frame, frame_of
from evalsys.scoring.inputs import Inputs
from evalsys.scoring.raters import Raters, fit_raters, without_severity
from evalsys.scoring.recipients import corrected
from evalsys.scoring.status import presence


@dataclass(frozen=True, eq=False)
class Pooled:
    """What the cycle taught about spreads; fitted when it closes, an input of every later run.

    Attributes:
        dispersion: shape (parties, dimensions), φ_pool.
        rater_variance: shape (parties, dimensions), σ²_rater + σ²_e in squared points.
        correlation: shape (parties, dimensions, dimensions), from 0 to 1, between a party's dimensions.
        gap: shape (parties,), points of the score by which a party stands off what the others say of its share.
        dispersion_assumed, rater_variance_assumed, correlation_assumed, gap_assumed: the same shapes; true where too
            little was there to learn from and the cautious value stands instead.
        coefficient_means: shape (coefficients of the rules' adjustment,), x̄: the share of the mode, or the mean answer
            from 0 to 1, among all respondents.
        raters: None where the rules take off no severity.
    """

    dispersion: Vector
    rater_variance: Vector
    correlation: Vector
    gap: Vector
    dispersion_assumed: Flags
    rater_variance_assumed: Flags
    correlation_assumed: Flags
    gap_assumed: Flags
    coefficient_means: Vector
    raters: Raters | None


def fit(inputs: Inputs, rules: Rules) -> Pooled:
    """Learn the pooled terms of a cycle.

    φ_pool is Σ(n - 1)s² over Σ(n - 1)m(1 - m) of all contracts; 1, the spread of yes/no answers, where nobody differs.
    A rater's variance is the pooled variance within contracts, before any severity is taken off; the rules' assumed one
    where fewer contracts than the rules ask have two raters. A correlation is the pooled one within contracts; 1 where
    it cannot be learned, and not below 0, for one dimension's error must not narrow another's. A gap is the root mean
    square of a party's share of the score against the others' view of it; the assumed rater deviation where too few
    contracts have all.
    """
    return prepare(inputs, frame_of(inputs), rules).terms


@dataclass(frozen=True, eq=False)
class Prepared:
    """A cycle before its cells are looked at.

    Attributes:
        spread: after steps 2 to 4.
        terms: pooled, fitted here or frozen before.
        collapsed: strata of each contract taken together.
    """

    spread: Spread
    terms: Pooled
    collapsed: Collapsed


def prepare(inputs: Inputs, frame: Frame, rules: Rules, frozen: Pooled | None = None) -> Prepared:
    """Steps 2 to 4, and the pooled terms where they are not frozen.

    Raises:
        ValueError: the frozen terms have another shape than these inputs and rules ask.
    """
    if frozen is not None:
        _check(frozen, inputs, rules)
    plain = spread_of(inputs)
    means = frozen.coefficient_means if frozen else coefficient_means(inputs, rules)
    spread, collapsed = corrected(inputs, frame, rules, plain, means)
    raters = frozen.raters if frozen else fit_raters(inputs, rules)
    final = without_severity(inputs, rules, spread, raters)
    return Prepared(final, frozen or _fit(final, rules, means, raters), collapsed)


def _check(frozen: Pooled, inputs: Inputs, rules: Rules) -> None:
    cells = (len(inputs.parties), len(inputs.dimensions))
    expected: dict[str, tuple[int, ...]] = {
        "dispersion": cells,
        "rater_variance": cells,
        "correlation": (*cells, cells[1]),
        "gap": cells[:1],
        "coefficient_means": (len(rules.adjustment.coefficients) if rules.adjustment else 0,),
    }
    for name, shape in expected.items():
        floats(f"frozen.{name}", getattr(frozen, name), shape=shape)
    if (frozen.raters is None) != (rules.severity is None):
        raise ValueError("frozen.raters: must be there where the rules take off severity, and only there")
    if frozen.raters is not None:
        raters = (len(frozen.raters.labels),)
        floats("frozen.raters.severity", frozen.raters.severity, shape=raters)
        for name in ("sd", "component"):
            have = getattr(frozen.raters, name).shape
            if have != raters:
                raise ValueError(f"frozen.raters.{name}: must have shape {raters}, has {have}")


def _fit(spread: Spread, rules: Rules, means: Vector, raters: Raters | None) -> Pooled:
    dispersion, no_dispersion = _dispersion(spread)
    variance, no_variance = _rater_variance(spread, rules)
    correlation, no_correlation = _correlation(spread, rules)
    gap, no_gap = _gap(spread, rules)
    return Pooled(
        dispersion, variance, correlation, gap, no_dispersion, no_variance, no_correlation, no_gap, means, raters
    )


def _dispersion(spread: Spread) -> tuple[Vector, Flags]:
    m = np.clip(spread.mean / 100, 0, 1)
    freedom = np.maximum(spread.answers - 1, 0)
    seen = (freedom * spread.variance / 100**2).sum(axis=0)
    possible = (freedom * m * (1 - m)).sum(axis=0)
    learned = (seen > 0) & (possible > 0)
    return np.where(learned, seen, 1) / np.where(learned, possible, 1), ~learned


def _rater_variance(spread: Spread, rules: Rules) -> tuple[Vector, Flags]:
    freedom = np.maximum(spread.answers - 1, 0)
    overlapping = (freedom > 0).sum(axis=0)
    pooled = (freedom * spread.variance).sum(axis=0) / np.maximum(freedom.sum(axis=0), 1)
    learned = overlapping >= rules.interval.pool_minimum
    return np.where(learned, pooled, rules.interval.assumed_rater_sd**2), ~learned


def _correlation(spread: Spread, rules: Rules) -> tuple[Vector, Flags]:
    freedom = np.maximum(spread.n - 1, 0).sum(axis=0)
    covariance = spread.cross.sum(axis=0) / np.maximum(freedom, 1)
    deviation = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0))
    scale = deviation[:, :, None] * deviation[:, None, :]
    learned = (freedom >= rules.interval.pool_minimum) & (scale > 0)
    result = np.where(learned, np.clip(covariance / np.where(learned, scale, 1), 0, 1), 1.0)
    diagonal = np.eye(result.shape[1], dtype=np.bool_)
    return np.where(diagonal, 1.0, result), ~learned & ~diagonal


def _gap(spread: Spread, rules: Rules) -> tuple[Vector, Flags]:
    weights = weight_matrix(rules)
    present = presence(spread.answers, weights, rules).present
    parties = len(rules.parties)
    gap, assumed = np.zeros(parties), np.zeros(parties, dtype=np.bool_)
    for p in range(parties):
        others = weights * present[:, :, None]
        others[:, p] = 0
        total = others.sum(axis=1)
        comparable = present[:, p] & ((total > 0) | (weights[p] == 0)).all(axis=1)
        view = (others * spread.mean).sum(axis=1) / np.where(total > 0, total, 1)
        away = (weights[p] * (spread.mean[:, p] - view)).sum(axis=1)[comparable]
        assumed[p] = len(away) < rules.interval.pool_minimum
        known = np.sqrt(np.mean(away**2)) if not assumed[p] else weights[p].sum() * rules.interval.assumed_rater_sd
        gap[p] = known
    return gap, assumed
