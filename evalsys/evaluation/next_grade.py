"""What would have to change for the next grade, everything else staying as it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from evalsys.evaluation.explanation import DimensionParts, Explanation, Part
from evalsys.evaluation.sentences import Line
from evalsys.rules.model import Grade, Rules


@dataclass(frozen=True)
class Way:
    """One party's estimate on one dimension, and to what it would have to rise; None: not even 100 is enough."""

    party: str
    dimension: str
    now: float
    needed: float | None

    @property
    def rise(self) -> float | None:
        return None if self.needed is None else self.needed - self.now


@dataclass(frozen=True)
class Weak:
    """A dimension below the line under which the rules cap the grade."""

    dimension: str
    now: float
    needed: float


@dataclass(frozen=True)
class NextGrade:
    """The way up.

    Attributes:
        grade: the next better one.
        missing: points of the score, rounded up as printed; 0 where only weak dimensions stand in the way.
        weak: dimensions that have to rise first.
        ways: single cells, the smallest rise first and the impossible ones last; none where no points are missing.
    """

    grade: Grade
    missing: float
    weak: list[Weak]
    ways: list[Way]


def next_grade(line: Line, explanation: Explanation, rules: Rules) -> NextGrade | None:
    """None for the best grade."""
    ladder = sorted(rules.grades, key=lambda grade: grade.start)
    place = next(n for n, grade in enumerate(ladder) if grade.code == line.grade)
    if place == len(ladder) - 1:
        return None
    above = ladder[place + 1]
    missing = max(0.0, above.start - explanation.total)
    ways = []
    if missing:
        ways = [
            _way(part, row, explanation, above.start, geometric=rules.aggregation == "geometric")
            for row in explanation.dimensions
            for part in row.parts
            if part.weight
        ]
    return NextGrade(
        grade=above,
        missing=_up(missing),
        weak=_weak(explanation, above, rules),
        ways=sorted(ways, key=lambda way: math.inf if way.rise is None else way.rise),
    )


def _weak(explanation: Explanation, above: Grade, rules: Rules) -> list[Weak]:
    """Dimensions that hold the grade below the next one."""
    cap = rules.cap
    if cap is None or above.start <= next(grade.start for grade in rules.grades if grade.code == cap.grade):
        return []
    return [
        Weak(row.dimension, row.score, cap.dimension_below)
        for row in explanation.dimensions
        if row.score is not None and row.score < cap.dimension_below
    ]


def _way(part: Part, row: DimensionParts, explanation: Explanation, goal: float, *, geometric: bool) -> Way:
    """The arithmetic score rises by the cell's weight; the geometric one as its dimension's power does."""
    now = part.estimate or 0.0
    if not geometric:
        rise = (goal - explanation.total) / part.weight
    elif explanation.total > 0:
        dimension = row.points / row.weight
        factor = math.exp(min(math.log(goal / explanation.total) / row.weight, 700))  # beyond it, a float overflows
        rise = dimension * (factor - 1) * row.weight / part.weight
    else:
        rise = math.inf  # another dimension may be at 0 too, and then this one alone lifts nothing
    needed = now + rise
    return Way(part.party, row.dimension, now, _up(needed) if needed <= 100 else None)


def _up(points: float) -> float:
    """To two decimals, upwards: what is printed has to be enough."""
    return math.ceil(points * 100 - 1e-7) / 100
