"""Step 10: what the ranks owe to the weights, had these been chosen a little differently."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalsys.scoring.arrays import Flags, Integers, Vector, floats, guarded, number, share, whole
from evalsys.scoring.ranking import TIE_DECIMALS

CONCENTRATION = 50.0
"""How close the drawn weights stay to the published ones: a weight of .2 then has a standard deviation of .056."""

_AT_ONCE = 2**16  # scores held at one time: few enough to stay in the cache


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Scores and ranks over weights drawn around the published ones.

    Attributes:
        score: shape (members,), with the published weights; the mean over the drawn ones too.
        sd: shape (members,), standard deviation over the drawn weights, in closed form.
        rank: shape (members,), with the published weights; 1 is the highest score, ties share the better rank.
        lower, upper: shape (members,), best and worst rank over the middle of the draws, the published one included.
        first: shape (members,), share of the draws in which a member leads everybody; joint leaders share it.
        order: shape (members,), positions by published score, the highest first.
        leads: shape (members - 1,), share of the draws in which each of `order` is above the next; a tie is half.
        draws: how many weights were drawn.
    """

    score: Vector
    sd: Vector
    rank: Integers
    lower: Integers
    upper: Integers
    first: Vector
    order: Integers
    leads: Vector
    draws: int


@guarded("parts", "weights", "taken")
def over_weights(
    parts: ArrayLike, weights: ArrayLike, *, taken: ArrayLike = 1.0, concentration: float = CONCENTRATION
) -> tuple[Vector, Vector]:
    """Score and standard deviation of Σ w t x/Σ w t where w is drawn from a Dirichlet around `weights`.

    Var(Σ w x) = (Σ w₀x² - (Σ w₀x)²)/(κ + 1), exact for a member that takes all weights as they are; for the difference
    of two such members, give the difference of their rows. A member that lacks a part is a ratio: its score is that of
    the published weights, its deviation that of the ratio's linear approximation there.

    Args:
        parts: shape (members, parts), points; for geometric weights, logarithms of points.
        weights: shape (parts,), the published weights w₀, 0 or more; only their ratios count.
        taken: t, shape (members, parts), how many times each weight counts for a member: 0 where it lacks the part.
        concentration: κ, at least 1; the larger, the closer to the published weights.

    Raises:
        ValueError: NaN, shapes that do not match, weights below 0 or all 0, a member that takes none of them,
            concentration below 1.

    Source:
        Kotz, Balakrishnan, Johnson (2000), Continuous Multivariate Distributions 1, chapter 49.
    """
    values, shares, times = _checked(parts, weights, taken, concentration)
    return _over_weights(values, shares, times, concentration)


def _over_weights(values: Vector, shares: Vector, times: Vector, concentration: float) -> tuple[Vector, Vector]:
    carried = times @ shares
    score = (times * values) @ shares / carried
    spread = (times * (values - score[:, None])) ** 2 @ shares  # Σ w₀x² - mean² without its cancellation
    return score, np.sqrt(spread / (concentration + 1)) / carried


@guarded("parts", "weights", "taken")
def sensitivity(
    parts: ArrayLike,
    weights: ArrayLike,
    *,
    taken: ArrayLike = 1.0,
    concentration: float = CONCENTRATION,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> Sensitivity:
    """Rank the members of one peer group under weights drawn around the published ones.

    Args:
        parts: shape (members, parts), points of what is weighted, as for `over_weights`; a withheld member is left out.
        weights: shape (parts,), the published weights; one that is 0 stays 0.
        taken: shape (members, parts), as for `over_weights`.
        concentration: how close the drawn weights stay.
        level: share of the draws that the range of ranks covers; the rest is cut off equally at both ends.
        draws: weights drawn, at least 1.
        seed: of the draws; members do not enter them, so each is ranked under the same weights.

    Raises:
        ValueError: as `over_weights`; level or draws out of range.

    Source:
        OECD/JRC, Handbook on Constructing Composite Indicators (2008), uncertainty and sensitivity analysis.
    """
    values, shares, times = _checked(parts, weights, taken, concentration)
    share("level", level)
    whole("draws", draws, least=1)
    whole("seed", seed, least=0)
    score, sd = _over_weights(values, shares, times, concentration)
    used = shares > 0
    drawn = np.random.default_rng(seed).dirichlet(concentration * shares[used], size=draws)
    members, weighted = len(values), (times * values)[:, used]
    published = _ranks(np.round(score[None], TIE_DECIMALS))[0].astype(np.int64)
    order = np.lexsort((*values.T, published))  # among ties by their parts: the order of rows decides nothing
    ranks = np.empty((members, draws), dtype=np.int32)
    first, leads = np.zeros(members), np.zeros(max(members - 1, 0))
    step = max(1, _AT_ONCE // max(members, 1))
    for start in range(0, draws, step):
        batch_of = drawn[start : start + step]
        scores = np.round((batch_of @ weighted.T) / (batch_of @ times[:, used].T), TIE_DECIMALS)
        batch = _ranks(scores)
        ranks[:, start : start + step] = batch.T
        top: Flags = batch == 1
        first += (top / np.maximum(top.sum(axis=1, keepdims=True), 1)).sum(axis=0)
        leads -= np.sign(np.diff(scores[:, order], axis=1)).sum(axis=0)
    middle = np.clip([math.ceil(draws * at) - 1 for at in ((1 - level) / 2, (1 + level) / 2)], 0, draws - 1)
    ranks.partition(middle, axis=1)
    low, high = ranks[:, middle].T.astype(np.int64)
    return Sensitivity(
        score=score,
        sd=sd,
        rank=published,
        lower=np.minimum(low, published),
        upper=np.maximum(high, published),
        first=first / draws,
        order=order,
        leads=(1 + leads / draws) / 2,
        draws=draws,
    )


def _checked(
    parts: ArrayLike, weights: ArrayLike, taken: ArrayLike, concentration: float
) -> tuple[Vector, Vector, Vector]:
    values, given = floats("parts", parts), floats("weights", weights, largest=np.inf)
    times = floats("taken", taken)
    if values.ndim != 2:
        raise ValueError(f"parts: must have two dimensions, members by parts, has shape {values.shape}")
    if given.shape != values.shape[1:]:
        raise ValueError(f"weights: must have shape {values.shape[1:]}, one a part, has {given.shape}")
    if (given < 0).any() or not given.any():
        raise ValueError("weights: must not be below 0, and not all 0")
    if number("concentration", concentration) < 1:
        raise ValueError(f"concentration: must be at least 1, is {concentration}")
    if times.shape not in {(), values.shape}:
        raise ValueError(f"taken: must have the shape of parts, {values.shape}, has {times.shape}")
    times = np.broadcast_to(times, values.shape)
    if (times < 0).any() or not (times * given).any(axis=1).all():
        raise ValueError("taken: must not be below 0, and each member must take some weight")
    scaled = given / given.max()
    return values, scaled / scaled.sum(), times


def _ranks(scores: Vector) -> NDArray[np.int32]:
    """Competition ranks in each row, the highest first."""
    draws, members = scores.shape
    order = np.argsort(-scores, axis=1)
    order += np.arange(0, draws * members, members)[:, None] if members else 0  # positions in the whole table
    down = scores.ravel()[order]
    place = np.tile(np.arange(1, members + 1, dtype=np.int32), (draws, 1))
    tied = down[:, 1:] == down[:, :-1]
    if tied.any():
        place[:, 1:][tied] = 0
        np.maximum.accumulate(place, axis=1, out=place)
    ranks = np.empty(scores.shape, dtype=np.int32)
    ranks.ravel()[order] = place
    return ranks
