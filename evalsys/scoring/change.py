"""Whether two scores differ by more than chance: the same work a year apart, or two contracts beside each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalsys.scoring.arrays import Flags, Vector, floats, guarded
from evalsys.scoring.intervals import Limits, normal_quantile


@dataclass(frozen=True, eq=False)
class Change:
    """Differences with their intervals; arrays of one shape.

    Attributes:
        points: what was added.
        low, high: ends of its interval, points.
        real: chance alone does not explain it: the interval leaves 0 out.
    """

    points: Vector
    low: Vector
    high: Vector
    real: Flags


@guarded("before", "after")
def change(before: Limits, after: Limits, *, before_level: float = 0.95, level: float = 0.95) -> Change:
    """The difference of two independent estimates, with its interval from theirs.

    With d = T₁ - T₀ above 0 the change is real where d > √((T₁ - l₁)² + (u₀ - T₀)²); where both intervals are
    symmetrical that is |d| > z·√(se₁² + se₀²). What is certain on both sides (intervals of no width) is real unless it
    is 0.

    Args:
        before: T₀ with the ends of its interval, points; any shape.
        after: T₁ likewise, of the same shape.
        before_level: confidence of the intervals of `before`; their arms are stretched to `level`.
        level: confidence of the intervals of `after`, and of the result.

    Raises:
        ValueError: NaN, shapes that differ, an end on the wrong side of its estimate, or a level outside 0 to 1.

    Source:
        Newcombe (1998), Statistics in Medicine 17:873-890, method 10; Zou and Donner (2008), Statistics in Medicine
        27:1693-1702.
    """
    stretch = normal_quantile(level) / normal_quantile(before_level)
    old, old_down, old_up = _arms("before", before)
    new, new_down, new_up = _arms("after", after)
    if new.shape != old.shape:
        raise ValueError(f"after: must have the shape of before, {old.shape}, has {new.shape}")
    points = new - old
    down, up = np.hypot(new_down, stretch * old_up), np.hypot(new_up, stretch * old_down)
    return Change(points, points - down, points + up, real=(points > down) | (-points > up))


def _arms(name: str, limits: Limits) -> tuple[Vector, Vector, Vector]:
    estimate, low, high = (floats(name, ends) for ends in (limits.estimate, limits.low, limits.high))
    if low.shape != estimate.shape or high.shape != estimate.shape:
        raise ValueError(f"{name}: estimate, low and high must have one shape")
    if (low > estimate).any() or (high < estimate).any():
        raise ValueError(f"{name}: an end lies on the wrong side of its estimate")
    return estimate, estimate - low, high - estimate
