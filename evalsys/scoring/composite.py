"""Step 1: answers become points, and a respondent's points become one composite a dimension.

`weighted_sum` and `weighted_product` are the two plain forms of a composite, for any table of points.

Everything a database has to repeat is done in whole numbers, so that SQL on any engine and this module agree to the
last digit: points are millionths of a point, weights are whole numbers, a composite is rounded half up to thousandths.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalsys.rules.model import (
    BandScale,
    Criterion,
    GoalpostScale,
    LevelScale,
    Rules,
    Source,
    YesNoScale,
)
from evalsys.scoring.arrays import Flags, Integers, Vector, as_array, floats, guarded, integers, whole
from evalsys.scoring.inputs import THOUSANDTHS

MILLION = 1_000_000
"""Units of an answer's points in one point; no whole weight is above it."""

MISSING = -1
"""An applicable question that was not answered: it stays in the denominator of the answered share."""

NOT_APPLICABLE = -2
"""A question that does not apply, or a value nobody measured: it leaves the denominator."""


Answers = NDArray[np.int32] | Integers
"""A matrix of answers in millionths of a point; half the memory will do for it."""


@dataclass(frozen=True, eq=False)
class Scheme:
    """How one party's answers become composites.

    Attributes:
        criteria: the scored criteria, then the adjusters, in the order of the rules; columns of an answer matrix.
        dimensions: how many dimensions the rules have, each adjuster of theirs counted as one more after them.
        dimension: shape (criteria,), each criterion's position among the dimensions.
        weight: shape (criteria,), whole numbers up to 1,000,000.
        share: millionths of a composite's weight that must be answered.
    """

    criteria: tuple[Criterion, ...]
    dimensions: int
    dimension: Integers
    weight: Integers
    share: int


def scheme(rules: Rules, party: str) -> Scheme:
    """The party's scored criteria with whole weights, and the adjusters that the rules take off its answers.

    Weights stand in proportion to the party's heaviest one over all service types, so a service type changes none. An
    adjuster describes the respondent: it stands alone, as a dimension that no score has.

    Raises:
        KeyError: the rules have no such party.
    """
    rules.party(party)
    scored = tuple(c for c in rules.criteria_for(party) if c.source is not Source.ADJUSTER)
    adjusters = tuple(c for c in rules.criteria_for(party) if c.code in rules.adjusters)
    codes = [dimension.code for dimension in rules.dimensions]
    own = [len(codes) + rules.adjusters.index(c.code) for c in adjusters]
    return Scheme(
        criteria=scored + adjusters,
        dimensions=len(codes) + len(rules.adjusters),
        dimension=np.array([codes.index(c.dimension or "") for c in scored] + own, dtype=np.int64),
        weight=np.array(_whole([c.weight for c in scored]) + [1] * len(adjusters), dtype=np.int64),
        share=round(rules.answered_share * MILLION),
    )


def _whole(weights: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to the weights: exactly where a person wrote simple ones, else to a millionth.

    Exact ones matter on the edge: three of the six equal questions are half of the weight, not a little less.
    """
    shares = [weight / max(weights) for weight in weights]
    simple = [Fraction(share).limit_denominator(1000) for share in shares]
    unit = math.lcm(*(fraction.denominator for fraction in simple))
    if unit <= MILLION and all(
        fraction and math.isclose(fraction, share, rel_tol=1e-12)
        for fraction, share in zip(simple, shares, strict=True)
    ):
        return [int(fraction * unit) for fraction in simple]
    return [max(1, round(share * MILLION)) for share in shares]


def level_points(levels: int) -> Integers:
    """Millionths of a point that the levels of a scale earn, the worst first: 100 (l - 1)/(L - 1).

    Raises:
        ValueError: fewer than two levels.
    """
    whole("levels", levels, least=2)
    steps = np.arange(levels, dtype=np.int64) * 100 * MILLION
    return _divide_half_up(steps, np.full(levels, levels - 1, dtype=np.int64))


@guarded("raw", "worst", "best")
def to_points(raw: ArrayLike, *, worst: float, best: float) -> Vector:
    """Place raw values between two fixed goalposts.

    Args:
        raw: the criterion's own unit; NaN = not measured.
        worst: value that earns 0; above `best` where less is better.
        best: value that earns 100, same unit.

    Returns:
        points from 0 to 100, cut to them, shaped like `raw`; NaN stays NaN.

    Raises:
        ValueError: worst equals best, or a goalpost or value is infinite.

    Source:
        OECD/JRC, Handbook on Constructing Composite Indicators (2008), normalisation.
    """
    values = _measured(raw)
    worst, best = (float(floats(n, v, shape=(), largest=np.inf)) for n, v in (("worst", worst), ("best", best)))
    if worst == best:
        raise ValueError(f"worst, best: must differ, are both {worst}")
    below, above = min(worst, best), max(worst, best)
    # halved before subtracting: the span of two very large goalposts would not fit a float
    points = (np.clip(values, below, above) / 2 - worst / 2) / (best / 2 - worst / 2) * 100
    return np.clip(points, 0.0, 100.0)


def band_points(raw: ArrayLike, bands: Sequence[tuple[float, float]]) -> Vector:
    """Place raw values by a table: from `at` upwards a value earns `points`; below the first entry 0.

    Args:
        raw: the criterion's own unit; NaN = not measured.
        bands: (at, points) with ascending `at`.

    Returns:
        points, shaped like `raw`; NaN stays NaN.

    Raises:
        ValueError: `at` does not ascend, points outside 0 to 100, or a value is infinite.
    """
    values = _measured(raw)
    table = floats("bands", bands, largest=np.inf)
    table = table.reshape(-1, 2) if table.shape == (0,) else table
    if table.ndim != 2 or table.shape[1] != 2:
        raise ValueError(f"bands: must be pairs of `at` and points, have shape {table.shape}")
    at, points = table[:, 0], np.array([0.0, *table[:, 1]])
    if (at[1:] <= at[:-1]).any():
        raise ValueError("bands: `at` must ascend from entry to entry")
    if not ((points >= 0) & (points <= 100)).all():
        raise ValueError("bands: points must lie between 0 and 100")
    placed: Vector = points[np.searchsorted(at, values, side="right")]
    return np.where(np.isnan(values), np.nan, placed)


def answer_points(scale: LevelScale | YesNoScale | BandScale | GoalpostScale, raw: ArrayLike) -> Integers:
    """Millionths of a point for answers on a scale.

    Args:
        scale: levels and yes/no take 1 … L; bands and goalposts take a measured value.
        raw: NaN = not answered (levels, yes/no) or not measured (bands, goalposts).

    Returns:
        whole millionths, shaped like `raw`; `MISSING` for an unanswered level, `NOT_APPLICABLE` for a value
        not measured.

    Raises:
        ValueError: a level that the scale does not have, or an infinite value.
    """
    match scale:
        case LevelScale():
            return _points_of_levels(level_points(len(scale.levels)), raw)
        case YesNoScale():
            return _points_of_levels(level_points(2), raw)
        case BandScale():
            points = band_points(raw, [(entry.at, entry.points) for entry in scale.bands])
        case _:
            points = to_points(raw, worst=scale.worst, best=scale.best)
    unknown = np.isnan(points)
    return np.where(unknown, NOT_APPLICABLE, np.rint(np.where(unknown, 0, points) * MILLION).astype(np.int64))


def composites(points: Answers, how: Scheme) -> Integers:
    """One composite a respondent and dimension: the weighted mean over the answered criteria.

    Args:
        points: shape (respondents, criteria), millionths of a point, `MISSING` or `NOT_APPLICABLE`.
        how: the party's scheme; its criteria are the columns.

    Returns:
        shape (respondents, dimensions), whole thousandths of a point rounded half up; `MISSING` where the answered
        criteria carry less than the required share of the applicable weight, or none applies.

    Raises:
        ValueError: a wrong shape, or points above 100.
    """
    values = points if points.dtype == np.int32 else integers("points", points)
    if values.ndim != 2 or values.shape[1] != len(how.criteria):
        raise ValueError(f"points: must have shape (respondents, {len(how.criteria)}), has {values.shape}")
    if values.size and (int(values.max()) > 100 * MILLION or int(values.min()) < NOT_APPLICABLE):
        raise ValueError("points: a value is neither 0 to 100 points nor a mark for a missing answer")
    result = np.full((len(values), how.dimensions), MISSING, dtype=np.int64)
    for dimension in range(how.dimensions):
        columns = np.flatnonzero(how.dimension == dimension)
        total, answered, applicable = (np.zeros(len(values), dtype=np.int64) for _ in range(3))
        for column in columns:
            answer, weight = values[:, column], how.weight[column]
            given = answer >= 0
            total += np.where(given, answer, 0) * weight
            answered += np.where(given, weight, 0)
            applicable += np.where(answer == NOT_APPLICABLE, 0, weight)
        enough: Flags = (answered > 0) & (answered * MILLION >= applicable * how.share)
        denominator = answered[enough] * (MILLION // THOUSANDTHS)
        result[enough, dimension] = _divide_half_up(total[enough], denominator)
    return result


@guarded("points", "weights")
def weighted_sum(points: ArrayLike, weights: ArrayLike) -> Vector:
    """The weighted mean of each row: good parts make up for bad ones.

    Args:
        points: shape (rows, parts).
        weights: shape (parts,), 0 or more; only their ratios count.

    Returns:
        shape (rows,), in the points' unit.

    Raises:
        ValueError: shapes that do not match, weights below 0 or all 0, NaN or infinity.

    Source:
        OECD/JRC, Handbook on Constructing Composite Indicators (2008), additive aggregation.
    """
    values, shares = _weighted(points, weights)
    with np.errstate(invalid="ignore", over="ignore"):
        result: Vector = values @ shares
    if not np.isfinite(result).all():  # what is not finite in a row, its sum is not either: one look at it is enough
        raise ValueError("points: must be finite, has NaN or infinity")
    return result


@guarded("points", "weights")
def weighted_product(points: ArrayLike, weights: ArrayLike) -> Vector:
    """The weighted geometric mean of each row: a part of 0 leaves nothing.

    Args:
        points: shape (rows, parts), 0 or more.
        weights: shape (parts,), 0 or more; only their ratios count, and a part with weight 0 does not count at all.

    Returns:
        shape (rows,), in the points' unit.

    Raises:
        ValueError: as `weighted_sum`; a point below 0.

    Source:
        OECD/JRC, Handbook on Constructing Composite Indicators (2008), geometric aggregation.
    """
    values, shares = _weighted(points, weights)
    if not (values >= 0).all() or np.isinf(values).any():
        raise ValueError("points: must be finite and 0 or more to be multiplied")
    result: Vector = np.prod(values**shares, axis=1)
    return result


def _weighted(points: ArrayLike, weights: ArrayLike) -> tuple[Vector, Vector]:
    table, given = as_array("points", points), floats("weights", weights)
    if table.dtype.kind not in "fiub":
        raise ValueError(f"points: must be numbers, got {table.dtype}")
    values = table.astype(np.float64, copy=False)
    if values.ndim != 2 or given.shape != values.shape[1:]:
        raise ValueError(f"weights: must be one a column of points, {values.shape}, has shape {given.shape}")
    if (given < 0).any() or not given.any():
        raise ValueError("weights: must not be below 0, and not all 0")
    scaled = given / given.max()
    return values, scaled / scaled.sum()


def _divide_half_up(numerator: Integers, denominator: Integers) -> Integers:
    # integer arithmetic, because ROUND() differs between database engines
    return (2 * numerator + denominator) // (2 * denominator)


def _points_of_levels(table: Integers, raw: ArrayLike) -> Integers:
    values = _measured(raw)
    unanswered = np.isnan(values)
    levels = np.where(unanswered, 1, values)
    if ((levels != np.floor(levels)) | (levels < 1) | (levels > len(table))).any():
        raise ValueError(f"raw: a level is not a whole number from 1 to {len(table)}")
    return np.where(unanswered, MISSING, table[levels.astype(np.int64) - 1])


def _measured(raw: ArrayLike) -> Vector:
    return floats("raw", raw, gaps=True, largest=np.inf)
