"""How finely the spread of a contract's answers may be told, so that nobody's answer can be worked out.

Levels that fewer than five recipients chose are told together with their neighbours. What was taken together in one
criterion alone could be worked out from the published sums of its dimension and the spread of the others, so another
criterion of the dimension is made coarser too; where there is no other, only the number of answers is told. How many
answers came in which way is told by the same rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalsys.evaluation.breakdown import SMALLEST_GROUP
from evalsys.rules.model import Rules
from evalsys.scoring.cells import SAMPLED

OTHER_WAYS = "other"

Class = tuple[int, int]
"""First and last place of levels that are told together; the lowest level is at 0."""


def classes(counts: Sequence[int]) -> list[Class]:
    """The finest runs of levels that nobody, or at least five, chose; all in one where there is no other way.

    Args:
        counts: answers by level, the lowest first.

    Returns:
        runs that cover all levels in order; of two ways as fine, the one with shorter runs of high levels.
    """
    best: list[list[Class] | None] = [[]]  # the finest way to cover the first so many levels
    for end in range(1, len(counts) + 1):
        found: list[Class] | None = None
        for start in range(end):
            before, total = best[start], sum(counts[start:end])
            if before is not None and _may_be_told(total) and (found is None or len(before) + 1 >= len(found)):
                found = [*before, (start, end - 1)]
        best.append(found)
    return best[-1] or [(0, len(counts) - 1)]


def _may_be_told(count: int) -> bool:
    return count == 0 or count >= SMALLEST_GROUP


def disclosed(levels: Mapping[str, Mapping[str, Any]], rules: Rules) -> dict[str, list[Class]]:
    """The classes in which the answers to each criterion are told.

    Args:
        levels: counts by criterion, as a breakdown keeps them.
        rules: which criteria recipients answer, and what they are part of.
    """
    told: dict[str, list[Class]] = {}
    for criterion in rules.criteria:
        if criterion.code in levels:
            counts = levels[criterion.code]["counts"]
            own = [(place, place) for place in range(len(counts))]
            told[criterion.code] = classes(counts) if criterion.party == SAMPLED else own
    for dimension in rules.dimensions:
        asked = [c.code for c in rules.criteria_for(SAMPLED) if c.dimension == dimension.code and c.code in told]
        coarse = [code for code in asked if len(told[code]) < len(levels[code]["counts"])]
        if len(coarse) == 1:
            others = [code for code in asked if code not in coarse]
            for code in others[:1]:
                told[code] = _coarser(levels[code]["counts"])
            if not others:
                told[coarse[0]] = [(0, len(levels[coarse[0]]["counts"]) - 1)]
    return told


def ways_told(ways: Mapping[str, int]) -> dict[str, int]:
    """How many answers came in which way, none of them told of fewer than five.

    Ways that few chose are told together, as `OTHER_WAYS`, with the next one where even together they are too few:
    the total is known, so whatever is left out could be worked out. Nothing is told where one group would be left.
    """
    ordered = sorted(((count, way) for way, count in ways.items() if count), reverse=True)
    together = 0
    while ordered and (ordered[-1][0] < SMALLEST_GROUP or 0 < together < SMALLEST_GROUP):
        together += ordered.pop()[0]
    if not ordered:
        return {}
    kept = {way: count for count, way in ordered}
    return {way: kept[way] for way in ways if way in kept} | ({OTHER_WAYS: together} if together else {})


def _coarser(counts: Sequence[int]) -> list[Class]:
    """Every level by itself, but the two neighbours together that the fewest people chose, both chosen by somebody."""
    pairs = [place for place in range(len(counts) - 1) if counts[place] and counts[place + 1]]
    if not pairs:
        return [(0, len(counts) - 1)]
    first = min(pairs, key=lambda place: counts[place] + counts[place + 1])
    return [(n, n + (n == first)) for n in range(len(counts)) if n != first + 1]
