"""Step 8: half-open grade bands on the unrounded score, and how sure a grade is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Flags, Integers, Vector, floats, guarded
from evalsys.scoring.intervals import Limits, normal_quantile

NO_GRADE = -1
"""The grade of a score that is withheld."""

NO_WIDTH = 1e-9
"""Points; an arm of an interval not longer than this leaves no doubt, and a division by it would overflow."""


def grade_of(score: ArrayLike, starts: ArrayLike) -> Integers:
    """The band each score lies in; a score on a boundary belongs to the band that starts there.

    Args:
        score: shape (contracts,), points, not rounded; NaN = no score.
        starts: shape (grades,), the lower end of each band in the order of the rules; the lowest is 0.

    Returns:
        shape (contracts,), position among the grades; `NO_GRADE` for NaN.

    Raises:
        ValueError: not numbers, no grade, or two that start at the same score.
    """
    points, edges = floats("score", score, gaps=True), _starts(starts)
    order = np.argsort(edges, kind="stable")
    place = np.searchsorted(edges[order], points, side="right") - 1
    return np.where(np.isnan(points), NO_GRADE, order[np.clip(place, 0, len(order) - 1)])


@guarded("limits")
def probabilities(limits: Limits, starts: ArrayLike, *, level: float) -> Vector:
    """P(grade): the share of each band under a normal curve with the interval's own two arms.

    Args:
        limits: shape (contracts,), points; NaN = no score.
        starts: shape (grades,), the lower end of each band in the order of the rules.
        level: confidence of the limits.

    Returns:
        shape (contracts, grades), rows add up to 1; NaN where there is no score.

    Raises:
        ValueError: as `grade_of`; limits of different lengths, or level out of range.
    """
    z = normal_quantile(level)
    estimate = floats("limits.estimate", limits.estimate, gaps=True)
    if estimate.ndim != 1:
        raise ValueError(f"limits.estimate: must be one-dimensional, has shape {estimate.shape}")
    low, high = (
        floats(f"limits.{end}", getattr(limits, end), shape=estimate.shape, gaps=True) for end in ("low", "high")
    )
    every = _starts(starts)
    order = np.argsort(every, kind="stable")
    edges = every[order][1:]
    below = np.empty((len(estimate), len(edges) + 2))
    below[:, 0], below[:, -1] = 0.0, 1.0
    for place, edge in enumerate(edges, start=1):
        distance = edge - estimate
        arm = np.where(distance < 0, estimate - low, high - estimate) / z
        certain = np.where(distance > 0, 1.0, 0.0)  # no width: on the boundary is inside the band that starts there
        wide = arm > NO_WIDTH
        curve = ndtr(np.clip(distance / np.where(wide, arm, 1), -40, 40))
        below[:, place] = np.where(wide, curve, certain)
    result = np.empty((len(estimate), len(every)))
    result[:, order] = np.diff(below, axis=1)
    result[np.isnan(estimate)] = np.nan
    return result


def _starts(starts: ArrayLike) -> Vector:
    edges = floats("starts", starts)
    if edges.ndim != 1 or not len(edges) or len(np.unique(edges)) < len(edges):
        raise ValueError("starts: must be a line of at least one score, each once")
    return edges


def cap(grade: Integers, chances: Vector, lowest_dimension: Vector, rules: Rules) -> tuple[Integers, Vector, Flags]:
    """Hold the grade down where any dimension is too low.

    Args:
        grade: shape (contracts,), as `grade_of` gives it.
        chances: shape (contracts, grades), as `probabilities` gives it.
        lowest_dimension: shape (contracts,), points of the weakest dimension.
        rules: their `cap` and grades.

    Returns:
        the grades, the probabilities (what lay above the cap moves to it), and where the cap changed the grade.
    """
    if rules.cap is None:
        return grade, chances, np.zeros(len(grade), dtype=np.bool_)
    ceiling = [entry.code for entry in rules.grades].index(rules.cap.grade)
    above = np.array([entry.start > rules.grades[ceiling].start for entry in rules.grades])
    low = (lowest_dimension < rules.cap.dimension_below) & (grade != NO_GRADE)
    capped = low & above[grade]
    held = chances.copy()
    held[low, ceiling] += chances[low][:, above].sum(axis=1)
    held[np.ix_(low, above)] = 0.0
    return np.where(capped, ceiling, grade), held, capped
