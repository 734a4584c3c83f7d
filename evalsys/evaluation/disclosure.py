"""How finely the spread of a contract's answers may be told, so that nobody's answer can be worked out.

Levels that fewer than five recipients chose are told together with their neighbours. What was taken together in one
criterion alone could be worked out from the published sums of its dimension and the spread of the others, so another
criterion of the dimension is made coarser too; where there is no other, only the number of answers is told. How many
answers came in which way is told by the same rule. Two editions that differ by a few answers would tell these by their
difference, and all contracts together those of one: both are told more coarsely then.
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


TOGETHER = "levels_together"
"""In a breakdown: recipients' answers are told by their number alone, for only a few differ from an earlier edition."""


def disclosed(breakdown: Mapping[str, Any], rules: Rules) -> dict[str, list[Class]]:
    """The classes in which the answers to each criterion of a contract are told.

    Args:
        breakdown: holds the counts by criterion.
        rules: which criteria recipients answer, and what they are part of.
    """
    levels, told = breakdown["levels"], _by_themselves(breakdown["levels"], rules)
    if breakdown.get(TOGETHER):
        return told | {c.code: _whole(levels[c.code]["counts"]) for c in rules.criteria_for(SAMPLED) if c.code in told}
    for dimension in rules.dimensions:
        asked = [c.code for c in rules.criteria_for(SAMPLED) if c.dimension == dimension.code and c.code in told]
        coarse = [code for code in asked if len(told[code]) < len(levels[code]["counts"])]
        if len(coarse) == 1:
            others = [code for code in asked if code not in coarse]
            for code in others[:1]:
                told[code] = _coarser(levels[code]["counts"])
            if not others:
                told[coarse[0]] = _whole(levels[coarse[0]]["counts"])
    return told


def _by_themselves(levels: Mapping[str, Mapping[str, Any]], rules: Rules) -> dict[str, list[Class]]:
    told: dict[str, list[Class]] = {}
    for criterion in rules.criteria:
        if criterion.code in levels:
            counts = levels[criterion.code]["counts"]
            own = [(place, place) for place in range(len(counts))]
            told[criterion.code] = classes(counts) if criterion.party == SAMPLED else own
    return told


def _whole(counts: Sequence[int]) -> list[Class]:
    return [(0, len(counts) - 1)]


def few_differ(before: Mapping[str, Any], after: Mapping[str, Any], rules: Rules) -> bool:
    """Whether so few recipients' answers came or went between two breakdowns that the difference would tell them."""
    moved = 0
    for criterion in rules.criteria_for(SAMPLED):
        was, now = ((one["levels"].get(criterion.code) or {}).get("counts") for one in (before, after))
        if was and now:
            steps = [b - a for a, b in zip(was, now, strict=True)]
            moved = max(moved, sum(n for n in steps if n > 0), -sum(n for n in steps if n < 0))
    return 0 < moved < SMALLEST_GROUP


class Total:
    """How finely the answers to all contracts together may be told, where some are told of each alone."""

    def __init__(self, rules: Rules) -> None:
        self._asked = [criterion.code for criterion in rules.criteria_for(SAMPLED)]
        self._hidden: dict[str, list[list[int]]] = {code: [] for code in self._asked}
        self._few = False

    def add(self, breakdown: Mapping[str, Any]) -> None:
        """Take in a contract."""
        self._few = self._few or bool(breakdown.get(TOGETHER))
        for code in self._asked:
            counts = (breakdown["levels"].get(code) or {}).get("counts", ())
            if not all(map(_may_be_told, counts)):
                self._hidden[code].append(counts)

    def classes(self, levels: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Class]]:
        """By criterion: what is left when everything that is told of single contracts is taken off tells nobody.

        Where it is one contract's, or where only few answers differ from an earlier edition, the number alone is told.
        """
        told = {code: [(n, n) for n in range(len(kept["counts"]))] for code, kept in levels.items()}
        for code in self._asked:
            if code in told and (self._few or len(self._hidden[code]) == 1):
                told[code] = _whole(levels[code]["counts"])
            elif code in told and self._hidden[code]:
                told[code] = classes([sum(column) for column in zip(*self._hidden[code], strict=True)])
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
