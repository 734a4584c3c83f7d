"""What is kept of one contract's score: everything its explanation needs, as plain JSON.

Recipients are not to be recognised: what fewer than `SMALLEST_GROUP` of them said is counted, never told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsys.evaluation.rating_faults import levels_of
from evalsys.rules.model import Dimension, Grade, Party, Rules
from evalsys.scoring.arrays import Flags, Integers
from evalsys.scoring.cells import SAMPLED, frame_sizes
from evalsys.scoring.inputs import Inputs, Judged
from evalsys.scoring.raters import Raters
from evalsys.scoring.result import Ranked, Result, Shrunken, WeightSpace

SMALLEST_GROUP = 5
"""The fewest recipients whose answers may be told."""

Breakdown = dict[str, Any]


def breakdowns(result: Result, inputs: Inputs, rules: Rules) -> list[Breakdown]:
    """One a contract, in the order of the inputs.

    Keys: `cells` (a list, one item a party and dimension with estimate, low, high, n, weight, contribution, cut),
    `dimensions` (points), `uneven`, `chances` (by grade), `near_boundary`, `capped`, `reasons`, `respondents` (by
    party), `levels` (by criterion: counts from the lowest level up, and not_applicable), `frame`, `ranked`.

    Only where the rules have the step: in the cells `weighting` and `n_effective`, `mode` and `case_mix`, `severity`;
    `collapsed` (names of the strata too small to stand for themselves), `modes` (recipients by mode), `raters`,
    `shrunken`, `rank_set`, `weight_space`.
    """
    frame = frame_sizes(inputs)
    columns: dict[str, list[Any]] = {
        "cells": _cells(result, rules),
        "dimensions": _by_code(rules.dimensions, result.dimensions),
        "uneven": numbers(result.uneven),
        "chances": _by_code(rules.grades, result.chances),
        "near_boundary": result.near_boundary.tolist(),
        "capped": result.capped.tolist(),
        "reasons": [[asdict(one) | {"code": one.code.value} for one in reasons] for reasons in result.reasons],
        "respondents": _by_code(rules.parties, result.respondents),
        "levels": _levels(inputs, rules),
        "frame": [None if np.isinf(size) else int(size) for size in frame.tolist()],
        "ranked": result.ranked.tolist(),
    }
    columns |= of_steps(result, inputs, rules)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def numbers(values: NDArray[Any]) -> list[Any]:
    """As nested lists; NaN is None."""
    plain: list[Any] = values.tolist()
    if not np.isnan(values).any():
        return plain
    if values.ndim > 1:
        return [numbers(row) for row in values]
    return [None if unknown else one for one, unknown in zip(plain, np.isnan(values).tolist(), strict=True)]


def _by_code(rows: Iterable[Party | Dimension | Grade], values: NDArray[Any]) -> list[dict[str, Any]]:
    codes = [row.code for row in rows]
    return [dict(zip(codes, row, strict=True)) for row in numbers(values)]


def _cells(result: Result, rules: Rules) -> list[list[dict[str, Any]]]:
    cells = result.cells
    names = ["estimate", "low", "high", "contribution", "cut"]
    if rules.weighting is not None:
        names += ["weighting", "n_effective"]
    if rules.adjustment is not None:
        names += ["mode", "case_mix"]
    if rules.severity is not None:
        names.append("severity")
    columns = []
    for p, party in enumerate(rules.parties):
        hidden = (cells.n[:, p] < SMALLEST_GROUP) & (cells.weight[:, p] == 0) & (party.code == SAMPLED)
        values = [numbers(np.where(hidden, np.nan, getattr(cells, name)[:, p])) for name in names]
        columns.append([cells.n[:, p].tolist(), cells.weight[:, p].tolist(), *values])
    told: list[list[dict[str, Any]]] = [[] for _contract in result.contracts]
    for party, of_party in zip(rules.parties, columns, strict=True):
        for kept, *values in zip(told, *of_party, strict=True):
            for dimension, *numbers_of_cell in zip(rules.dimensions, *values, strict=True):
                cell = dict(zip(("n", "weight", *names), numbers_of_cell, strict=True))
                kept.append({"party": party.code, "dimension": dimension.code} | cell)
    return told


def _levels(inputs: Inputs, rules: Rules) -> list[dict[str, dict[str, Any]]]:
    """Counts by contract and criterion over all modes."""
    table, count, criteria = inputs.levels, len(inputs.contracts), len(rules.criteria)
    highest = max((levels_of(rules, criterion) for criterion in rules.criteria), default=0) + 1
    counts = np.zeros((count, criteria, highest), dtype=np.int64)
    np.add.at(counts, (table.contract, table.criterion, table.level), table.count)
    there = counts.sum(axis=2)
    least = np.array([SMALLEST_GROUP if criterion.party == SAMPLED else 1 for criterion in rules.criteria])
    told: list[dict[str, dict[str, Any]]] = [{} for _contract in range(count)]
    contracts, questions = np.nonzero(there >= least)
    for c, k, levels in zip(contracts.tolist(), questions.tolist(), counts[contracts, questions].tolist(), strict=True):
        code = rules.criteria[k].code
        told[c][code] = {"counts": levels[1 : levels_of(rules, rules.criteria[k]) + 1], "not_applicable": levels[0]}
    return told


def of_steps(result: Result, inputs: Inputs, rules: Rules) -> dict[str, list[Any]]:
    """What the steps that may be off say, one value a contract each."""
    told: dict[str, list[Any]] = {}
    if rules.weighting is not None:
        told["collapsed"] = [list(names) for names in result.collapsed]
    if rules.adjustment is not None:
        told["modes"] = _modes(inputs)
    if result.pooled.raters is not None and inputs.judged is not None:
        told["raters"] = _raters(result.pooled.raters, inputs.judged, inputs)
    if result.shrunken is not None:
        told["shrunken"] = _shrunken(result.shrunken, result.peer_group)
    if result.rank_sets is not None:
        told["rank_set"] = rank_sets_told(result.rank_sets, result.peer_group)
    if result.weight_space is not None:
        told["weight_space"] = _weight_space(result.weight_space, result.contracts)
    return told


def _modes(inputs: Inputs) -> list[dict[str, int]]:
    table, shape = inputs.moments, (len(inputs.contracts), len(inputs.modes))
    counts = np.zeros(shape, dtype=np.int64)
    asked = table.party == (inputs.parties.index(SAMPLED) if SAMPLED in inputs.parties else -1)
    np.add.at(counts, (table.contract[asked], table.mode[asked]), table.respondents[asked])
    return [{mode: count for mode, count in zip(inputs.modes, row, strict=True) if count} for row in counts.tolist()]


def _raters(raters: Raters, judged: Judged, inputs: Inputs) -> list[dict[str, Any]]:
    """`component`: of the graph of raters and contracts; None where none of the contract's raters is known."""
    known = dict(zip(raters.labels, raters.component.tolist(), strict=True))
    component: list[int | None] = [None] * len(inputs.contracts)
    for c, rater in zip(judged.contract.tolist(), judged.rater.tolist(), strict=True):
        component[c] = known.get(inputs.raters[rater], component[c])
    return [{"component": one, "overlapping": raters.overlapping, "assumed": raters.assumed} for one in component]


def _shrunken(kept: Shrunken, group: Integers) -> list[dict[str, Any] | None]:
    names = ("value", "sd", "low", "high", "reliability", "peer_mean", "tau2")
    own = (kept.values, kept.sd, kept.low, kept.high, kept.reliability)
    return _named(names, ~np.isnan(kept.values), *own, kept.mean[group], kept.tau2[group])


def rank_sets_told(sets: Ranked, group: Integers) -> list[dict[str, Any] | None]:
    names = ("low", "high", "band", "conservative")
    return _named(names, sets.lower > 0, sets.lower, sets.upper, sets.band, sets.conservative[group])


def _weight_space(space: WeightSpace, contracts: tuple[str, ...]) -> list[dict[str, Any] | None]:
    names = ("sd", "low", "high", "first", "next", "leads")
    told = _named(names, space.lower > 0, space.sd, space.lower, space.upper, space.first, space.next, space.leads)
    for one in told:
        if one is not None:
            one["next"] = contracts[one["next"]] if one["next"] >= 0 else None
    return told


def _named(names: tuple[str, ...], shown: Flags, *columns: NDArray[Any]) -> list[dict[str, Any] | None]:
    """One dictionary a contract; None for one without a score."""
    return [
        dict(zip(names, values, strict=True)) if there else None
        for there, *values in zip(shown.tolist(), *(numbers(column) for column in columns), strict=True)
    ]
