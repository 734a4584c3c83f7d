"""One contract's score taken apart: party by dimension, adding up to the score as printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evalsys.base.language import words
from evalsys.evaluation.naming import Names
from evalsys.evaluation.sentences import Line
from evalsys.rules.model import Rules

PRINTED = 2
"""Decimals that pages print."""


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
class Explanation:
    """The score's parts.

    Attributes:
        dimensions: every dimension of the rules.
        parties: codes, the columns.
        by_party: points that each party brings.
        cut: what cutting estimates to 0 to 100 took or gave.
        uneven: what the geometric mean takes off for uneven dimensions.
        total: the sum of everything, not rounded: the score.
        printed: the sum of the parts as printed, each rounded.
    """

    dimensions: list[DimensionParts]
    parties: list[str]
    by_party: list[float]
    cut: float
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
    parts = [part for row in dimensions for part in row.parts]
    cut = sum(cell["cut"] or 0.0 for cell in kept["cells"])
    uneven = kept["uneven"] if abs(kept["uneven"]) > 1e-9 else 0.0
    everything = [part.points or 0.0 for part in parts] + [cut, uneven]
    return Explanation(
        dimensions=dimensions,
        parties=[party.code for party in rules.parties],
        by_party=[sum(p.points or 0.0 for p in parts if p.party == party.code) for party in rules.parties],
        cut=cut,
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
            points=cell["contribution"] if cell["weight"] else None,
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


@dataclass(frozen=True)
class Shares:
    """How the answers to one criterion are spread over its levels, the lowest first."""

    criterion: str
    party: str
    text: str
    levels: list[tuple[str, int, float]]
    answers: int
    not_applicable: int


def level_shares(line: Line, names: Names) -> list[Shares]:
    """The spread of every criterion that enough people answered, in the order of the rules."""
    told = []
    for criterion in names.rules.criteria:
        kept = line.breakdown["levels"].get(criterion.code)
        if kept is None:
            continue
        counts = kept["counts"]
        answers = sum(counts)
        levels = zip(names.levels(criterion.code), counts, strict=True)
        told.append(
            Shares(
                criterion=criterion.code,
                party=criterion.party,
                text=words(criterion.text),
                levels=[(name, count, count / answers if answers else 0.0) for name, count in levels],
                answers=answers,
                not_applicable=kept["not_applicable"],
            )
        )
    return told
