"""Step 9: which ranks a score may have, given how uncertain all scores of its group are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evalsys.scoring.arrays import Integers, Vector, floats, integers, share

STEPWISE_UP_TO = 500
"""Members up to which all pairs are looked at, stepwise; larger groups get one conservative step."""

_CLASSES = 48  # of standard errors, in the single step
_BATCH = 64  # draws looked at together
_CHUNK = 256  # draws, or rows of pairs, held at once in a large group


@dataclass(frozen=True, eq=False)
class RankSets:
    """Confidence sets for ranks; rank 1 is the highest estimate.

    Attributes:
        lower, upper: shape (members,), the best and the worst rank in each set.
        critical: the largest standardised difference that chance explains; of the last step. NaN for sets that hold
            one at a time, where each member has its own.
        conservative: a group so large that the sets are wider than they need be.
    """

    lower: Integers
    upper: Integers
    critical: float
    conservative: bool


def rank_sets(
    estimates: ArrayLike,
    se: ArrayLike,
    *,
    level: float = 0.95,
    simultaneous: bool = True,
    draws: int = 10_000,
    seed: int = 0,
) -> RankSets:
    """Sets that hold the true ranks with the confidence asked for.

    Up to 500 members all pairs are compared and clear ones are set aside step by step; above that in one step, with
    standard errors taken down to the least of their class, which makes the sets wider, never narrower.

    Args:
        estimates: shape (members,), higher is better.
        se: shape (members,), standard errors, 0 or more, without a finite-population factor; members are independent.
        level: confidence.
        simultaneous: all sets hold at once; False: each holds for its own member.
        draws: of the distribution of the largest difference.
        seed: of the draws; the order of members does not matter.

    Raises:
        ValueError: NaN, different lengths, a negative standard error, level or draws out of range.

    Source:
        Mogstad, Romano, Shaikh and Wilhelm (2024), Review of Economic Studies 91:476-518.
    """
    theta = floats("estimates", estimates)
    if theta.ndim != 1:
        raise ValueError(f"estimates: must be one-dimensional, has {theta.ndim} dimensions")
    sigma = floats("se", se, shape=theta.shape)
    if (sigma < 0).any():
        raise ValueError("se: must not be below 0")
    share("level", level)
    if draws < 1:
        raise ValueError(f"draws: must be at least 1, is {draws}")
    order = np.lexsort((sigma, theta))  # draws go by this order, not by that of the rows
    back = np.argsort(order, kind="stable")
    generator = np.random.default_rng(seed)
    large = len(theta) > STEPWISE_UP_TO
    found = _one_step if large else _stepwise if simultaneous else _one_by_one
    lower, upper, critical = found(theta[order], sigma[order], level, draws, generator)
    return RankSets(lower[back], upper[back], critical, conservative=large)


def bands(estimates: ArrayLike, lower: ArrayLike, upper: ArrayLike) -> Integers:
    """Bands of members that cannot be told from their leader.

    Sorted by estimate, a band runs down to the first member whose set lies wholly below its leader's.

    Args:
        estimates: shape (members,), higher is better.
        lower, upper: shape (members,), the rank sets.

    Returns:
        shape (members,), 1 for the best band.

    Raises:
        ValueError: different lengths, or a set whose lower end is above its upper.
    """
    theta = floats("estimates", estimates)
    best, worst = (integers(n, v, shape=theta.shape) for n, v in (("lower", lower), ("upper", upper)))
    if (best > worst).any():
        raise ValueError("lower: must not be above upper")
    result = np.zeros(len(theta), dtype=np.int64)
    band, leader = 0, -1
    for place in np.lexsort((worst, -theta)).tolist():
        if leader < 0 or best[place] > worst[leader]:
            band, leader = band + 1, place
        result[place] = band
    return result


Found = tuple[Integers, Integers, float]


def _stepwise(theta: Vector, sigma: Vector, level: float, draws: int, generator: np.random.Generator) -> Found:
    """Each ordered pair is a claim, "the first is not above the second"; claims refuted make the rest easier.

    The opposite claim of a refuted one stays: it may well be true, and a true claim must never be set aside.
    """
    scale = _inverse(np.hypot(sigma[:, None], sigma))
    clear = _differences(theta, sigma)
    noise = generator.standard_normal((draws, len(theta))) * sigma
    bound = _class_bounds(noise, sigma) if len(theta) else np.zeros(draws)
    open_claims = ~np.eye(len(theta), dtype=np.bool_)
    critical = 0.0
    while open_claims.any():
        critical, bound = _critical(noise, np.where(open_claims, scale, 0), bound, level)
        refuted = open_claims & (clear > critical)
        if not refuted.any():
            break
        open_claims &= ~refuted
    above = ~open_claims & ~np.eye(len(theta), dtype=np.bool_)
    return 1 + above.sum(axis=0), len(theta) - above.sum(axis=1), critical


def _one_by_one(theta: Vector, sigma: Vector, level: float, draws: int, generator: np.random.Generator) -> Found:
    """As `_stepwise`, for each member only the claims about itself, in both directions."""
    clear, members = _differences(theta, sigma), len(theta)
    noise = generator.standard_normal((draws, members)) * sigma
    lower, upper = np.ones(members, dtype=np.int64), np.full(members, members, dtype=np.int64)
    for place in range(members):
        above = (noise[:, [place]] - noise) * _inverse(np.hypot(sigma, sigma[place]))
        scaled, about = np.hstack([above, -above]), np.concatenate([clear[place], -clear[place]])
        open_claims = np.tile(np.arange(members) != place, 2)
        while open_claims.any():
            critical = _upper(scaled[:, open_claims].max(axis=1), level)
            refuted = open_claims & (about > critical)
            if not refuted.any():
                break
            open_claims &= ~refuted
        told = ~open_claims.reshape(2, members)
        told[:, place] = False
        upper[place] -= told[0].sum()
        lower[place] += told[1].sum()
    return lower, upper, math.nan


def _one_step(theta: Vector, sigma: Vector, level: float, draws: int, generator: np.random.Generator) -> Found:
    largest = np.concatenate(
        [
            _class_bounds(generator.standard_normal((min(_CHUNK, draws - done), len(theta))) * sigma, sigma)
            for done in range(0, draws, _CHUNK)
        ]
    )
    critical = _upper(largest, level)
    lower, upper = np.ones(len(theta), dtype=np.int64), np.full(len(theta), len(theta), dtype=np.int64)
    for start in range(0, len(theta), _CHUNK):
        rows = slice(start, start + _CHUNK)
        reach = critical * np.hypot(sigma[rows, None], sigma)
        away = theta[rows, None] - theta
        lower[rows] += (away < -reach).sum(axis=1)
        upper[rows] -= (away > reach).sum(axis=1)
    return lower, upper, critical


def _class_bounds(noise: Vector, sigma: Vector) -> Vector:
    """For each draw, not less than the largest standardised difference of any pair.

    Members are put in classes of like standard errors; a pair of classes is judged by its outermost members and the
    smallest standard errors of both.
    """
    order = np.argsort(sigma, kind="stable")
    certain = int((sigma == 0).sum())  # a class of their own: beside them nothing bounds a ratio from above
    cuts = certain + np.linspace(0, len(sigma) - certain, _CLASSES, endpoint=False).astype(np.int64)
    starts = np.unique([0, *cuts[cuts < len(sigma)]])
    sorted_noise = np.take(noise, order, axis=1)
    top, bottom = (f.reduceat(sorted_noise, starts, axis=1) for f in (np.maximum, np.minimum))
    least = sigma[order][starts]
    largest = np.zeros(len(noise))
    for place in range(len(starts)):
        away = np.maximum(top[:, [place]] - bottom[:, place:], top[:, place:] - bottom[:, [place]])
        ratio = away * _inverse(np.hypot(least[place], least[place:]))
        np.maximum(largest, ratio.max(axis=1), out=largest)
    return largest


def _critical(noise: Vector, scale: Vector, bound: Vector, level: float) -> tuple[float, Vector]:
    """The upper quantile of the largest standardised difference over some ordered pairs, and tighter bounds.

    Draws are looked at from the one that may have the largest difference down, until none that is left can matter.

    Args:
        noise: shape (draws, members).
        scale: shape (members, members), 1/σ of the first above the second; 0 leaves the pair out.
        bound: shape (draws,), what no pair of a draw exceeds.
        level: of the quantile.
    """
    order = np.argsort(-bound, kind="stable")
    exact, tight = np.zeros(0), bound.copy()
    allowed = len(bound) - math.ceil(level * len(bound)) + 1  # the quantile is the so-manieth largest
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        if len(exact) >= allowed and np.partition(exact, -allowed)[-allowed] >= bound[chosen[0]]:
            break
        columns = np.ascontiguousarray(noise[chosen].T)
        largest = np.zeros(len(chosen))
        for place in np.flatnonzero(scale.any(axis=1)):
            others = np.flatnonzero(scale[place])
            ratio = (columns[place] - columns[others]) * scale[place, others, None]
            np.maximum(largest, ratio.max(axis=0), out=largest)
        tight[chosen] = largest
        exact = np.concatenate([exact, largest])
    return float(np.partition(exact, -allowed)[-allowed]), tight


def _upper(values: Vector, level: float) -> float:
    return float(np.quantile(values, level, method="inverted_cdf"))


def _differences(theta: Vector, sigma: Vector) -> Vector:
    """Standardised differences of all pairs; infinite between two that differ and have no error."""
    away, scale = theta[:, None] - theta, np.hypot(sigma[:, None], sigma)
    return np.where(scale > 0, away * _inverse(scale), np.where(away == 0, 0, np.copysign(np.inf, away)))


def _inverse(scale: Vector) -> Vector:
    inverse: Vector = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    return inverse
