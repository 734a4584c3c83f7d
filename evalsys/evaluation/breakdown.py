"""What is kept of one contract's score: everything its explanation needs, as plain JSON.

Recipients are not to be recognised: what fewer than `SMALLEST_GROUP` of them said is counted, never told.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import asdict
from typing import Any

from evalsys.evaluation.aggregations import levels_of
from evalsys.rules.model import Rules
from evalsys.scoring.cells import SAMPLED, frame_sizes
from evalsys.scoring.inputs import Inputs
from evalsys.scoring.result import Result

SMALLEST_GROUP = 5
"""The fewest recipients whose answers may be told."""

Breakdown = dict[str, Any]


def breakdowns(result: Result, inputs: Inputs, rules: Rules) -> list[Breakdown]:
    """One a contract, in the order of the inputs.

    Keys: `cells` (a list, one item a party and dimension with estimate, low, high, n, weight, contribution, cut),
    `dimensions` (points), `uneven`, `chances` (by grade), `near_boundary`, `capped`, `reasons`, `respondents` (by
    party), `levels` (by criterion: counts from the lowest level up, and not_applicable), `frame`, `ranked`.
    """
    levels, frames = _levels(inputs, rules), frame_sizes(inputs)
    return [
        {
            "cells": _cells(result, rules, c),
            "dimensions": {
                dimension.code: _number(result.dimensions[c, d]) for d, dimension in enumerate(rules.dimensions)
            },
            "uneven": _number(result.uneven[c]),
            "chances": {grade.code: _number(result.chances[c, g]) for g, grade in enumerate(rules.grades)},
            "near_boundary": bool(result.near_boundary[c]),
            "capped": bool(result.capped[c]),
            "reasons": [asdict(reason) | {"code": reason.code.value} for reason in result.reasons[c]],
            "respondents": {party.code: int(result.respondents[c, p]) for p, party in enumerate(rules.parties)},
            "levels": levels[c],
            "frame": None if math.isinf(frames[c]) else int(frames[c]),
            "ranked": int(result.ranked[c]),
        }
        for c in range(len(inputs.contracts))
    ]


def _cells(result: Result, rules: Rules, c: int) -> list[dict[str, Any]]:
    told = []
    for p, party in enumerate(rules.parties):
        for d, dimension in enumerate(rules.dimensions):
            cells, at = result.cells, (c, p, d)
            n, weight = int(cells.n[at]), float(cells.weight[at])
            hidden = party.code == SAMPLED and n < SMALLEST_GROUP and not weight
            values = {name: getattr(cells, name)[at] for name in ("estimate", "low", "high", "contribution", "cut")}
            told.append(
                {"party": party.code, "dimension": dimension.code, "n": n, "weight": weight}
                | {name: None if hidden else _number(value) for name, value in values.items()}
            )
    return told


def _levels(inputs: Inputs, rules: Rules) -> dict[int, dict[str, dict[str, Any]]]:
    """Counts by contract and criterion over all modes."""
    table = inputs.levels
    counted: dict[int, dict[int, dict[int, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for c, k, level, count in zip(table.contract, table.criterion, table.level, table.count, strict=True):
        counted[int(c)][int(k)][int(level)] += int(count)
    told: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    for c, by_criterion in counted.items():
        for k, counts in sorted(by_criterion.items()):
            criterion = rules.criteria[k]
            if criterion.party == SAMPLED and sum(counts.values()) < SMALLEST_GROUP:
                continue
            top = levels_of(rules, criterion.code)
            told[c][criterion.code] = {
                "counts": [counts.get(level, 0) for level in range(1, top + 1)],
                "not_applicable": counts.get(0, 0),
            }
    return told


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
