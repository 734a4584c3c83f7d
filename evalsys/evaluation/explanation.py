"""One contract's score taken apart: by party and dimension, and from the raw answers step by step to the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalsys.base.language import words
from evalsys.evaluation.disclosure import Class
from evalsys.evaluation.naming import Names
from evalsys.evaluation.sentences import Line
from evalsys.rules.model import Rules

PRINTED = 2
"""Decimals that pages print."""

NOTHING = 1e-9
"""Points below which a part is noise of floating-point arithmetic."""

RAW = "contribution"
IN_CELLS = (RAW, "weighting", "mode", "case_mix", "severity", "cut")
"""What adds up to a cell's points, in the order of the method."""
UNEVEN = "uneven"
"""The last step, which belongs to no cell."""


@dataclass(frozen=True)
class Part:
    """One party's say on one dimension; None where it is not told or carries no weight."""

    party: str
    n: int
    weight: float
    estimate: float | None
    low: float | None
    high: float | None
    points: float | None


@dataclass(frozen=True)
class DimensionParts:
    """A dimension with its parties, in the order of the rules."""

    dimension: str
    weight: float
    score: float | None
    points: float
    parts: list[Part]


@dataclass(frozen=True)
class Step:
    """Points that a step of the method adds: by party, and together. `uneven` belongs to no party."""

    code: str
    by_party: list[float]
    points: float


@dataclass(frozen=True)
class Explanation:
    """The score's parts.

    Attributes:
        dimensions: every dimension of the rules.
        parties: codes, the columns.
        by_party: points that each party brings.
        steps: from the plain mean of the raw answers on, those that are in use.
        uneven: what the geometric mean takes off for uneven dimensions.
        total: the sum of everything, not rounded: the score.
        printed: the sum of the parts as printed, each rounded.
    """

    dimensions: list[DimensionParts]
    parties: list[str]
    by_party: list[float]
    steps: list[Step]
    uneven: float
    total: float
    printed: float

    @property
    def rounding(self) -> float:
        """What rounding the parts adds to the score as printed; 0 where the printed parts add up."""
        return round(self.printed - round(self.total, PRINTED), PRINTED)


def explain(line: Line, rules: Rules) -> Explanation | None:
    """Take a line apart; None where it has no score."""
    if line.score is None:
        return None
    kept = line.breakdown
    cells = {(cell["dimension"], cell["party"]): cell for cell in kept["cells"]}
    dimensions = [
        _dimension(dimension.code, [cells[dimension.code, party.code] for party in rules.parties], kept)
        for dimension in rules.dimensions
    ]
    uneven = kept["uneven"] if abs(kept["uneven"]) > NOTHING else 0.0
    everything = [part.points or 0.0 for row in dimensions for part in row.parts] + [uneven]
    steps = _steps(kept["cells"], [party.code for party in rules.parties])
    if uneven:
        steps.append(Step(UNEVEN, [0.0] * len(rules.parties), uneven))
    return Explanation(
        dimensions=dimensions,
        parties=[party.code for party in rules.parties],
        by_party=[sum(row.parts[p].points or 0.0 for row in dimensions) for p in range(len(rules.parties))],
        steps=steps,
        uneven=uneven,
        total=sum(everything),
        printed=round(sum(round(value, PRINTED) for value in everything), PRINTED),
    )


def _dimension(code: str, cells: list[dict[str, Any]], kept: dict[str, Any]) -> DimensionParts:
    parts = [
        Part(
            party=cell["party"],
            n=cell["n"],
            weight=cell["weight"],
            estimate=cell["estimate"],
            low=cell["low"],
            high=cell["high"],
            points=sum(cell.get(step) or 0.0 for step in IN_CELLS) if cell["weight"] else None,
        )
        for cell in cells
    ]
    return DimensionParts(
        dimension=code,
        weight=sum(part.weight for part in parts),
        score=kept["dimensions"][code],
        points=sum(part.points or 0.0 for part in parts),
        parts=parts,
    )


def _steps(cells: list[dict[str, Any]], parties: list[str]) -> list[Step]:
    """The steps that are in use: raw answers always, a cut only where there was one."""
    steps = []
    for code in IN_CELLS:
        if not any(code in cell for cell in cells):
            continue
        by_party = [sum((c.get(code) or 0.0) for c in cells if c["party"] == p and c["weight"]) for p in parties]
        if code != "cut" or any(abs(points) > NOTHING for points in by_party):
            steps.append(Step(code, by_party, sum(by_party)))
    return steps


@dataclass(frozen=True)
class Shares:
    """How the answers to one criterion are spread over its levels, the lowest first."""

    criterion: str
    party: str
    text: str
    levels: list[tuple[str, int, float]]
    answers: int
    not_applicable: int

    highest_alone: bool

    @property
    def top(self) -> float:
        """The share of the highest level, and of those told with it unless `highest_alone`."""
        return self.levels[-1][2]


def level_shares(
    levels: dict[str, dict[str, Any]], names: Names, *, together: Mapping[str, Sequence[Class]] | None = None
) -> list[Shares]:
    """The spread of every criterion that enough people answered, in the order of the rules.

    Args:
        levels: by criterion, as a breakdown keeps them.
        names: of the levels and questions.
        together: levels that are told together, by criterion; each by itself where not given.
    """
    told = []
    for criterion in names.rules.criteria:
        kept = levels.get(criterion.code)
        if kept is None:
            continue
        counts = kept["counts"]
        answers = sum(counts)
        own = names.levels(criterion.code)
        runs = together[criterion.code] if together else [(place, place) for place in range(len(counts))]
        called = [("–".join(dict.fromkeys((own[a], own[b]))), sum(counts[a : b + 1])) for a, b in runs]
        told.append(
            Shares(
                criterion=criterion.code,
                party=criterion.party,
                text=words(criterion.text),
                levels=[(name, count, count / answers if answers else 0.0) for name, count in called],
                answers=answers,
                not_applicable=kept["not_applicable"],
                highest_alone=runs[-1][0] == runs[-1][1],
            )
        )
    return told
