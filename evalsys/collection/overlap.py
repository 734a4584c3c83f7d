"""Which evaluators share contracts: a picture of dots and lines, and the same as a table.

Scores of evaluators in parts that share no contract are not comparable; the picture and the table show the parts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalsys.collection.planning import Counts, Matrix, parts_of

SIZE = 400  # of the picture's side
MOST_NUMBERED = 60  # evaluators; with more the dots bear no numbers


@dataclass(frozen=True)
class Dot:
    """An evaluator in the picture."""

    number: int
    x: float
    y: float
    radius: float
    part: int


@dataclass(frozen=True)
class Line:
    """Two evaluators that share contracts; `width` grows with their number."""

    x1: float
    y1: float
    x2: float
    y2: float
    width: float


@dataclass(frozen=True)
class Rater:
    """A row of the table: an evaluator, and with whom contracts are shared."""

    number: int
    name: str
    load: int
    shared: int  # contracts seen together with somebody
    partners: Sequence[int]  # their numbers
    part: int  # -1 without work


@dataclass(frozen=True)
class Overlap:
    """Who shares contracts with whom.

    Attributes:
        parts: how many connected parts there are.
        contracts: how many contracts are seen, and `doubly` by how many at least two.
    """

    raters: Sequence[Rater]
    dots: Sequence[Dot]
    lines: Sequence[Line]
    parts: int
    contracts: int
    doubly: int

    @property
    def numbered(self) -> bool:
        return len(self.raters) <= MOST_NUMBERED

    def names_of(self, part: int) -> list[str]:
        """The evaluators of a part."""
        return [rater.name for rater in self.raters if rater.part == part]


def overlap_of(seen: Matrix, names: Sequence[str]) -> Overlap:
    """The overlap of a matrix with a row for each contract and a column for each evaluator."""
    parts = parts_of(seen)
    counts = seen.astype(np.float32)
    met = (counts.T @ counts).astype(np.int64)
    doubly = seen.sum(axis=1) >= 2
    raters = [
        Rater(
            number=n + 1,
            name=name,
            load=int(met[n, n]),
            shared=int((seen[:, n] & doubly).sum()),
            partners=[int(other) + 1 for other in np.flatnonzero(met[n]) if other != n],
            part=int(parts[n]),
        )
        for n, name in enumerate(names)
    ]
    dots = _dots(parts)
    return Overlap(
        raters=raters,
        dots=dots,
        lines=_lines(met, dots),
        parts=int(parts.max(initial=-1)) + 1,
        contracts=int(seen.any(axis=1).sum()),
        doubly=int(doubly.sum()),
    )


def _dots(parts: Counts) -> list[Dot]:
    """The evaluators on a circle, those of a part beside each other."""
    count = max(len(parts), 1)
    radius = min(15.0, 0.42 * 2 * math.pi * 170 / count)
    places = {int(n): place for place, n in enumerate(np.lexsort((np.arange(len(parts)), parts)))}
    found = []
    for n, part in enumerate(parts):
        angle = 2 * math.pi * places[n] / count - math.pi / 2
        x, y = SIZE / 2 + 175 * math.cos(angle), SIZE / 2 + 175 * math.sin(angle)
        found.append(Dot(n + 1, round(x, 1), round(y, 1), round(radius, 1), int(part)))
    return found


def _lines(met: Counts, dots: Sequence[Dot]) -> list[Line]:
    most = max(int(np.triu(met, 1).max(initial=0)), 1)
    return [
        Line(dots[i].x, dots[i].y, dots[j].x, dots[j].y, round(0.8 + 4 * float(met[i, j]) / most, 2))
        for i, j in zip(*np.nonzero(np.triu(met, 1)), strict=True)
    ]
