"""Krippendorff's α: agreement beyond chance where raters are many, judge different targets and leave gaps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from evalsys.scoring.arrays import Integers, Vector, floats, guarded, integers, share, whole

Metric = Literal["ordinal", "nominal", "interval", "ratio"]

_AT_ONCE = 2_000_000  # numbers held for resamples of the targets at one time


@dataclass(frozen=True)
class Krippendorff:
    """Krippendorff's α of a set of ratings.

    Attributes:
        alpha: 1 = full agreement, 0 = as by chance, below 0 = against each other.
        low, high: percentile limits, from targets drawn anew with replacement.
        units: targets that at least two raters rated.
        pairable: ratings of those targets.
    """

    alpha: float
    low: float
    high: float
    units: int
    pairable: int


@guarded("ratings")
def krippendorff_alpha(
    ratings: ArrayLike, *, metric: Metric = "ordinal", level: float = 0.95, draws: int = 1000, seed: int = 0
) -> Krippendorff:
    """Krippendorff's α with its bootstrap interval.

    Args:
        ratings: shape (targets, raters), NaN = not rated.
        metric: how far apart two ratings lie; "ordinal" counts the ratings between them, "ratio" needs 0 or more.
        level: confidence.
        draws: resamples of the targets, at least 1.
        seed: of the resamples.

    Raises:
        ValueError: infinity, a wrong shape, fewer than two targets with two ratings, ratings that are all equal.

    Source:
        Krippendorff (2011), Computing Krippendorff's Alpha-Reliability; Hayes and Krippendorff (2007), Communication
        Methods and Measures 1:77-89, for resampling.
    """
    table = floats("ratings", ratings, gaps=True, largest=np.inf)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError(f"ratings: must have shape (targets, raters) with at least two raters, has {table.shape}")
    target, _rater = np.nonzero(~np.isnan(table))
    values, place = np.unique(table[~np.isnan(table)], return_inverse=True)
    counts = np.zeros((len(table), len(values)), dtype=np.int64)
    np.add.at(counts, (target, place), 1)
    return alpha_of_counts(counts, values, metric=metric, level=level, draws=draws, seed=seed)


@guarded("counts", "values")
def alpha_of_counts(
    counts: ArrayLike,
    values: ArrayLike,
    *,
    metric: Metric = "ordinal",
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> Krippendorff:
    """`krippendorff_alpha` from how many raters gave each target each value; no table of targets by raters is needed.

    Args:
        counts: shape (targets, values), 0 or more.
        values: shape (values,), ascending.

    Raises:
        ValueError: as `krippendorff_alpha`; shapes that do not fit, counts below 0, values that do not ascend.
    """
    half = (1 - share("level", level)) / 2
    whole("draws", draws, least=1)
    whole("seed", seed, least=0)
    place = floats("values", values, largest=np.inf)
    given = integers("counts", counts)
    if place.ndim != 1 or given.ndim != 2 or given.shape[1] != len(place):
        raise ValueError(f"counts: must have shape (targets, {place.size}), has {given.shape}")
    if (given < 0).any() or (place[1:] <= place[:-1]).any():
        raise ValueError("counts, values: counts must be 0 or more, values must ascend")
    given = given[given.sum(axis=1) >= 2]
    used = given.any(axis=0)
    given, place = given[:, used], place[used]
    if len(given) < 2:
        raise ValueError(f"ratings: {len(given)} targets have two ratings; at least two must")
    if len(place) < 2:
        raise ValueError("ratings: all are equal, so agreement beyond chance is not defined")
    kinds, targets = np.unique(given, axis=0, return_counts=True)  # alike targets are drawn together
    disagree = _Disagreement(kinds, place, metric)
    alpha = float(disagree.alphas(targets[None, :].astype(np.float64))[0])
    random = np.random.default_rng(seed)
    chances = targets / len(given)
    step = max(1, _AT_ONCE // len(kinds))
    drawn = [
        disagree.alphas(random.multinomial(len(given), chances, size=min(step, draws - start)).astype(np.float64))
        for start in range(0, draws, step)
    ]
    known = np.concatenate(drawn)
    known = known[~np.isnan(known)]  # targets drawn that all have the same rating say nothing
    low, high = np.quantile(known, [half, 1 - half]) if len(known) else (alpha, alpha)
    return Krippendorff(alpha, float(low), float(high), len(given), int(given.sum()))


class _Disagreement:
    """Observed and expected disagreement for any weights of the targets.

    A target with m ratings counts v times each adds Σ v v' δ²/(m - 1); δ² of the ordinal metric is the squared
    distance of mid-ranks, which move with the targets drawn.
    """

    def __init__(self, counts: Integers, values: Vector, metric: Metric) -> None:
        if metric not in get_args(Metric):
            raise ValueError(f"metric: must be one of {', '.join(get_args(Metric))}, is {metric!r}")
        if metric == "ratio" and values[0] < 0:
            raise ValueError("ratings: the ratio metric needs 0 or more")
        self.counts = counts.astype(np.float64)
        self.ratings = self.counts.sum(axis=1)
        self.metric = metric
        scaled = values / np.abs(values).max()
        self.values = scaled - scaled.mean()  # so that squares lose no digits
        self.apart = None if metric in ("ordinal", "interval") else _apart(scaled, metric)

    def alphas(self, weights: Vector) -> Vector:
        """α for each row of weights, shape (draws, targets); NaN where nothing varies."""
        totals = weights @ self.counts
        n = totals.sum(axis=1)
        if self.apart is not None:
            within = ((self.counts @ self.apart) * self.counts).sum(axis=1) / (self.ratings - 1)
            observed, expected = weights @ within, ((totals @ self.apart) * totals).sum(axis=1)
        else:
            ranks = totals.cumsum(axis=1) - totals / 2 - n[:, None] / 2
            place = ranks if self.metric == "ordinal" else np.broadcast_to(self.values, totals.shape)
            sums, squares = self.counts @ place.T, self.counts @ (place**2).T
            within = 2 * (self.ratings[:, None] * squares - sums**2) / (self.ratings[:, None] - 1)
            observed = (weights * np.maximum(within, 0).T).sum(axis=1)
            expected = 2 * (n * (totals * place**2).sum(axis=1) - (totals * place).sum(axis=1) ** 2)
        varies = (totals > 0).sum(axis=1) > 1
        return np.where(varies, 1 - observed * (n - 1) / np.where(varies, expected, 1), np.nan)


def _apart(values: Vector, metric: Metric) -> Vector:
    """δ² between every two values."""
    if metric == "nominal":
        return 1 - np.eye(len(values))
    sums = values[:, None] + values
    ratio: Vector = ((values[:, None] - values) / np.where(sums > 0, sums, 1)) ** 2
    return ratio
