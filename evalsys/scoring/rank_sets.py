"""Step 9: which ranks a score may have, given how uncertain all scores of its group are."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evalsys.scoring.arrays import Flags, Integers, Vector, floats, guarded, integers, share, whole

STEPWISE_UP_TO = 500
"""Members up to which all pairs are looked at, stepwise; larger groups get one conservative step."""

_COARSE = 24  # classes of standard errors where they only say which draws and members to look at
_FINE = 48  # where they make the sets of a large group, which are the wider the fewer classes there are
_CHUNK = 256  # draws, or members compared with all, held at once in a large group


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


@guarded("estimates", "se")
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
    whole("draws", draws, least=1)
    whole("seed", seed, least=0)
    if len(theta) < 2:
        alone = np.ones(len(theta), dtype=np.int64)
        return RankSets(alone, alone, 0.0 if simultaneous else math.nan, conservative=False)
    order = np.lexsort((theta, sigma))  # draws go by this order, not by that of the rows
    back = np.argsort(order, kind="stable")
    generator = np.random.default_rng(seed)
    large = len(theta) > STEPWISE_UP_TO
    found = _one_step if large else _stepwise if simultaneous else _one_by_one
    lower, upper, critical = found(theta[order], sigma[order], level, draws, generator)
    return RankSets(lower[back], upper[back], critical, conservative=large)


@guarded("estimates")
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
    if theta.ndim != 1:
        raise ValueError(f"estimates: must be one-dimensional, has {theta.ndim} dimensions")
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
    inverse, clear = _differences(theta, sigma)
    noise = _noise(generator, draws, sigma)
    claims = _EveryPair(noise, _Classes.of(noise, sigma, _COARSE), sigma, inverse)
    critical = claims.refute(clear, level)
    above = claims.refuted
    return 1 + above.sum(axis=0), len(theta) - above.sum(axis=1), critical


def _one_by_one(theta: Vector, sigma: Vector, level: float, draws: int, generator: np.random.Generator) -> Found:
    """As `_stepwise`, for each member only the claims about itself, in both directions."""
    inverse, clear = _differences(theta, sigma)
    noise = _noise(generator, draws, sigma)
    classes, members = _Classes.of(noise, sigma, _COARSE), len(theta)
    lower, upper = np.ones(members, dtype=np.int64), np.full(members, members, dtype=np.int64)
    for place in range(members):
        claims = _OneMember(place, noise, classes, sigma, inverse[place])
        claims.refute(np.stack([clear[place], -clear[place]]), level)
        above, below = claims.refuted.sum(axis=1)
        upper[place] -= above
        lower[place] += below
    return lower, upper, math.nan


def _one_step(theta: Vector, sigma: Vector, level: float, draws: int, generator: np.random.Generator) -> Found:
    batches = (min(_CHUNK, draws - done) for done in range(0, draws, _CHUNK))
    largest = np.concatenate([_Classes.of(_noise(generator, rows, sigma), sigma, _FINE).bounds() for rows in batches])
    critical, members = _upper(largest, level), len(theta)
    order = np.argsort(theta, kind="stable")
    points, variance = theta[order], sigma[order] ** 2
    least, most = (critical * np.sqrt(2 * end) for end in (variance.min(), variance.max()))
    above, below = (np.zeros(members, dtype=np.int64) for _ in range(2))  # clearly above each, clearly below
    for start in range(0, members, _CHUNK):
        rows = slice(start, min(start + _CHUNK, members))
        near = np.searchsorted(points, points[start] + least, side="left")  # nobody before is clear of any of the rows
        far = np.searchsorted(points, points[rows.stop - 1] + most, side="right")  # everybody from here on is of all
        clear = points[near:far] - points[rows, None] > critical * np.sqrt(variance[rows, None] + variance[near:far])
        above[rows] = clear.sum(axis=1) + members - far
        below[near:far] += clear.sum(axis=0)
        below[far:] += rows.stop - start
    lower, upper = np.empty(members, dtype=np.int64), np.empty(members, dtype=np.int64)
    lower[order], upper[order] = 1 + above, members - below
    return lower, upper, critical


def _noise(generator: np.random.Generator, draws: int, sigma: Vector) -> Vector:
    noise: Vector = generator.standard_normal((draws, len(sigma)))
    noise *= sigma
    return noise


@dataclass(frozen=True, eq=False)
class _Classes:
    """Members, ascending by standard error, in classes, each judged by its outermost members and its least error.

    Attributes:
        least: shape (classes,), the smallest standard error of each.
        top, bottom: shape (draws, classes), the outermost noise of each.
    """

    least: Vector
    top: Vector
    bottom: Vector

    @classmethod
    def of(cls, noise: Vector, sigma: Vector, count: int) -> _Classes:
        certain = int((sigma == 0).sum())  # a class of their own: beside them nothing bounds a ratio from above
        cuts = certain + np.linspace(0, len(sigma) - certain, count, endpoint=False).astype(np.int64)
        starts = np.unique([0, *cuts[cuts < len(sigma)]])
        top, bottom = (f.reduceat(noise, starts, axis=1) for f in (np.maximum, np.minimum))
        return cls(sigma[starts], top, bottom)

    def bounds(self) -> Vector:
        """For each draw, not less than the largest standardised difference of any pair."""
        largest = np.zeros(len(self.top))
        for place, least in enumerate(self.least):
            away = np.maximum(
                self.top[:, [place]] - self.bottom[:, place:], self.top[:, place:] - self.bottom[:, [place]]
            )
            np.maximum(largest, (away * _inverse(np.hypot(least, self.least[place:]))).max(axis=1), out=largest)
        return largest


class _Claims(ABC):
    """Claims that one is not above another, refuted step by step: the fewer are left, the less chance explains.

    Attributes:
        noise: shape (draws, members).
        open: claims that may be true, any shape.
        refuted: those found false, same shape.
        bound: shape (draws,), what no open claim's standardised difference exceeds.
        known: shape (draws,), where it is exactly the largest.
    """

    def __init__(self, noise: Vector, claims: Flags, bound: Vector) -> None:
        self.noise, self.open, self.bound = noise, claims, bound
        self.refuted, self.known = np.zeros_like(claims), np.zeros(len(bound), dtype=np.bool_)

    def refute(self, clear: Vector, level: float) -> float:
        """Set aside what is clearer than chance explains, until nothing more is; gives the last critical value.

        Args:
            clear: shaped as the claims, how far the estimates speak against each.
            level: confidence.
        """
        while True:  # of two opposite claims one always stays open
            critical = self._quantile(level)
            refuted = self.open & (clear > critical)
            if not refuted.any():
                return critical
            self.open, self.refuted = self.open & ~refuted, self.refuted | refuted
            self._forget()

    def _quantile(self, level: float) -> float:
        """Of the largest differences, from the draw that may have the largest down, until none left can matter."""
        needed = len(self.bound) - math.ceil(level * len(self.bound)) + 1  # the quantile is the so-manieth largest
        while True:
            top = np.argpartition(self.bound, -needed)[-needed:]
            unknown = top[~self.known[top]]
            if not len(unknown):
                return max(0.0, float(self.bound[top].min()))
            self.bound[unknown], self.known[unknown] = self._largest(unknown), True

    @abstractmethod
    def _largest(self, draws: Integers) -> Vector:
        """The largest difference of an open claim in each of some draws."""

    @abstractmethod
    def _forget(self) -> None:
        """What was the largest of some draws may be so no longer; it still bounds what is."""


class _EveryPair(_Claims):
    """The claim in row i and column j is that i is not above j."""

    def __init__(self, noise: Vector, classes: _Classes, sigma: Vector, inverse: Vector) -> None:
        """`inverse`: 1/σ of each pair's difference."""
        super().__init__(noise, ~np.eye(len(sigma), dtype=np.bool_), classes.bounds())
        self._classes, self._inverse = classes, inverse
        self._to_class = _inverse(np.hypot(classes.least[:, None], sigma))
        self._pair = np.zeros((2, len(noise)), dtype=np.int64)  # whose difference is a known draw's largest

    def _forget(self) -> None:
        self.known &= self.open[tuple(self._pair)]

    def _largest(self, draws: Integers) -> Vector:
        """Member by member, from the one that may be furthest above others down."""
        noise, each = self.noise[draws], np.arange(len(draws))
        limit = np.zeros_like(noise)  # what no difference of a member above others exceeds
        for bottom, inverse in zip(self._classes.bottom[draws].T, self._to_class, strict=True):
            np.maximum(limit, (noise - bottom[:, None]) * inverse, out=limit)
        largest = np.full(len(draws), -np.inf)
        while len(each):
            one = limit[each].argmax(axis=1)
            hopeful = limit[each, one] > largest[each]
            each, one = each[hopeful], one[hopeful]
            ratio = np.where(self.open[one], (noise[each, one][:, None] - noise[each]) * self._inverse[one], -np.inf)
            other = ratio.argmax(axis=1)
            found = ratio[np.arange(len(each)), other]
            better = found > largest[each]
            largest[each[better]] = found[better]
            self._pair[:, draws[each[better]]] = one[better], other[better]
            limit[each, one] = -np.inf
        return largest


class _OneMember(_Claims):
    """The first row claims that the member is not above each other, the second that none of these is above it."""

    def __init__(self, place: int, noise: Vector, classes: _Classes, sigma: Vector, inverse: Vector) -> None:
        """`inverse`: 1/σ of the member's difference from each other."""
        self._own, self._inverse = noise[:, place, None], inverse
        away = np.maximum(self._own - classes.bottom, classes.top - self._own)
        bound = (away * _inverse(np.hypot(classes.least, sigma[place]))).max(axis=1)
        super().__init__(noise, np.tile(np.arange(len(sigma)) != place, (2, 1)), bound)

    def _forget(self) -> None:
        self.known[:] = False

    def _largest(self, draws: Integers) -> Vector:
        ratio = (self._own[draws] - self.noise[draws]) * self._inverse
        above, below = (np.where(claims, way, -np.inf) for claims, way in zip(self.open, (ratio, -ratio), strict=True))
        largest: Vector = np.maximum(above, below).max(axis=1)
        return largest


def _upper(values: Vector, level: float) -> float:
    return float(np.quantile(values, level, method="inverted_cdf"))


def _differences(theta: Vector, sigma: Vector) -> tuple[Vector, Vector]:
    """1/σ of all pairs' differences, and these standardised; infinite between two that differ and have no error."""
    variance = sigma**2
    away, inverse = theta[:, None] - theta, _inverse(np.sqrt(variance[:, None] + variance))
    clear, certain = away * inverse, inverse == 0
    clear[certain] = np.where(away[certain] == 0, 0, np.copysign(np.inf, away[certain]))
    return inverse, clear


def _inverse(scale: Vector) -> Vector:
    inverse: Vector = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    return inverse
