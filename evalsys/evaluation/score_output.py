"""A run as files: a table for reading on, the full breakdown, and the signs that a person must look at."""

from __future__ import annotations

import csv
import itertools
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import IO, Any

import numpy as np

from evalsys import __version__
from evalsys.evaluation import pooled_terms
from evalsys.evaluation.breakdown import of_steps, rank_sets_told
from evalsys.evaluation.file_signs import Flag
from evalsys.evaluation.files import Scored
from evalsys.rules.model import Rules
from evalsys.scoring.inputs import NOT_APPLICABLE_LEVEL, Inputs
from evalsys.scoring.result import Cells, Result
from evalsys.scoring.status import STATUSES, Reason

COUNTED = ("recipient", "purchaser", "third_party")
HEADER = (
    "contract",
    "vendor",
    "score",
    "low",
    "high",
    "grade",
    "status",
    "reason",
    "rank",
    *(f"n_{party}" for party in COUNTED),
    "rank_low",
    "rank_high",
    "band",
    "shrunk",
    "reliability",
)
FLAGS = ("contract", "party", "rater", "sign", "value", "threshold")
STEPS = (
    "weighting",
    "adjustment",
    "severity",
    "shrinkage",
    "rank_sets",
    "sensitivity",
    "reliability",
    "integrity",
)
"""Steps of the method that a section of the rules turns on."""

FORMAT = 1
"""Of scores.json."""

_OF_STEP = {
    "weighting": "weighting",
    "n_effective": "weighting",
    "mode": "adjustment",
    "case_mix": "adjustment",
    "severity": "severity",
}
"""The section of the rules that each part of a cell belongs to."""


def write_scores(out: Path, scored: Scored, rules: Rules, origin: dict[str, Any]) -> list[Path]:
    """Write scores.csv, scores.json and, where signs were looked for, flags.csv; each whole or not at all.

    Numbers of the table have 6 decimals; those of the breakdown are exact, so that its parts add up to the score.

    Args:
        out: the folder; made when missing.
        scored, rules: the run.
        origin: what the breakdown says of where it comes from: hashes of the rules and of the files.

    Raises:
        OSError: the folder cannot be written to.
    """
    out.mkdir(parents=True, exist_ok=True)
    tables = {"scores.csv": _table(scored.inputs, rules, scored.result)}
    if scored.flags is not None:
        tables["flags.csv"] = _flags(scored.flags)
    names = ("scores.csv", "scores.json", *(name for name in tables if name != "scores.csv"))
    fresh = {out / f".{name}.{os.getpid()}.tmp": out / name for name in names}
    try:
        for path, target in fresh.items():
            with path.open("w", encoding="utf-8", newline="") as stream:
                if target.name in tables:
                    csv.writer(stream, lineterminator="\n").writerows(tables[target.name])
                else:
                    stream.writelines(_breakdown(scored, rules, origin))
                _settle(stream)
        for path, target in fresh.items():
            path.replace(target)
    finally:
        for path in fresh:
            path.unlink(missing_ok=True)
    return list(fresh.values())


def _settle(stream: IO[str]) -> None:
    stream.flush()
    os.fsync(stream.fileno())  # a name that points at data not yet on the disk would be half a file after a power cut


def _table(inputs: Inputs, rules: Rules, result: Result) -> Iterator[tuple[object, ...]]:
    yield HEADER
    answered = [
        result.respondents[:, inputs.parties.index(party)]
        if party in inputs.parties
        else np.zeros(len(inputs.contracts))
        for party in COUNTED
    ]
    for c, contract in enumerate(inputs.contracts):
        yield (
            contract,
            inputs.vendors[inputs.vendor[c]],
            *(_decimals(values[c]) for values in (result.score, result.low, result.high)),
            _grade(rules, int(result.grade[c])) or "",
            STATUSES[result.status[c]].value,
            "; ".join(_in_words(reason) for reason in result.reasons[c]),
            int(result.rank[c]) or "",
            *(int(counts[c]) for counts in answered),
            *_among_peers(result, c),
        )


def _flags(flags: Sequence[Flag]) -> Iterator[tuple[object, ...]]:
    yield FLAGS
    for flag in flags:
        yield flag.contract, flag.party, flag.rater, flag.sign, f"{flag.value:.6g}", f"{flag.threshold:.6g}"


def _among_peers(result: Result, c: int) -> tuple[object, ...]:
    """The rank set, the band, the shrunken score and its reliability; empty where the step is off or has no score."""
    sets, shrunken = result.rank_sets, result.shrunken
    ranks = [int(values[c]) or "" for values in (sets.lower, sets.upper, sets.band)] if sets else [""] * 3
    drawn = [_decimals(values[c]) for values in (shrunken.values, shrunken.reliability)] if shrunken else [""] * 2
    return *ranks, *drawn


def _breakdown(scored: Scored, rules: Rules, origin: dict[str, Any]) -> Iterator[str]:
    """The document in pieces, one line a contract and a vendor: a large cycle is never held as one text."""
    inputs, result = scored.inputs, scored.result
    head = {
        "format": FORMAT,
        "software": f"evalsys {__version__}",
        "rules": {"version": rules.version},
        "seed": result.seed,
        "level": rules.interval.level,
        "aggregation": rules.aggregation,
        "steps": _steps(scored, rules),
    }
    pooled = pooled_terms.to_json(result.pooled)
    lists = {"parties": inputs.parties, "dimensions": inputs.dimensions, "pooled": pooled}
    if scored.reliability is not None:
        lists["reliability"] = scored.reliability
    yield "{\n" + ",\n".join(f"{_json(key)}: {_json(value)}" for key, value in (head | origin | lists).items())
    yield ',\n"contracts": ['
    steps = of_steps(result, inputs, rules)
    for c, (contract, levels) in enumerate(zip(inputs.contracts, _levels(inputs), strict=True)):
        told = _contract(c, inputs, rules, result) | {step: values[c] for step, values in steps.items()}
        document = {"contract": contract} | told | {"levels": levels}
        yield (",\n" if c else "\n") + _json(document)
    yield '\n],\n"vendors": ['
    for v, groups in enumerate(_in_groups(inputs, result)):
        yield (",\n" if v else "\n") + _json(_vendor(v, groups, inputs, rules, result))
    yield "\n]\n}\n"


def _steps(scored: Scored, rules: Rules) -> dict[str, bool | None]:
    """Whether each step was taken; null = the rules ask for it, but it is not taken for such files."""
    taken: dict[str, bool | None] = {step: getattr(rules, step) is not None for step in STEPS}
    return taken | ({"integrity": None} if taken["integrity"] and scored.flags is None else {})


def _contract(c: int, inputs: Inputs, rules: Rules, result: Result) -> dict[str, Any]:
    told = _told_of_cells(rules)
    return {
        "vendor": inputs.vendors[inputs.vendor[c]],
        "score": _number(result.score[c]),
        "low": _number(result.low[c]),
        "high": _number(result.high[c]),
        "grade": _grade(rules, int(result.grade[c])),
        "status": STATUSES[result.status[c]].value,
        "reasons": [
            {key: value for key, value in asdict(r).items() if value not in ("", None)} for r in result.reasons[c]
        ],
        "peer_group": result.peer_groups[result.peer_group[c]],
        "rank": int(result.rank[c]) or None,
        "ranked": int(result.ranked[c]),
        "chances": {grade.code: _number(result.chances[c, g]) for g, grade in enumerate(rules.grades)},
        "near_boundary": bool(result.near_boundary[c]),
        "capped": bool(result.capped[c]),
        "respondents": dict(zip(inputs.parties, result.respondents[c].tolist(), strict=True)),
        "dimension_scores": {d: _number(result.dimensions[c, i]) for i, d in enumerate(inputs.dimensions)},
        "uneven": _number(result.uneven[c]),
        "cells": [
            {"party": party, "dimension": dimension, "n": int(result.cells.n[c, p, d])}
            | {name: _number(getattr(result.cells, name)[c, p, d]) for name in told}
            for p, party in enumerate(inputs.parties)
            for d, dimension in enumerate(inputs.dimensions)
        ],
    }


def _told_of_cells(rules: Rules) -> list[str]:
    """The parts of a cell; those of a step that is off are left out."""
    off = {name for name, section in _OF_STEP.items() if getattr(rules, section) is None}
    return [field.name for field in fields(Cells) if field.name not in {"n", *off}]


def _vendor(v: int, groups: list[dict[str, Any]], inputs: Inputs, rules: Rules, result: Result) -> dict[str, Any]:
    rows = result.vendors
    return {
        "vendor": inputs.vendors[rows.vendor[v]],
        "score": _number(rows.score[v]),
        "low": _number(rows.low[v]),
        "high": _number(rows.high[v]),
        "grade": _grade(rules, int(rows.grade[v])),
        "contracts": int(rows.contracts[v]),
        "scored": int(rows.scored[v]),
        "equal_weights": bool(rows.equal_weights[v]),
        "in_groups": groups,
    }


def _in_groups(inputs: Inputs, result: Result) -> list[list[dict[str, Any]]]:
    """Of each vendor: its score and rank in every peer group in which a contract of its is compared."""
    found: list[list[dict[str, Any]]] = [[] for _ in inputs.vendors]
    rows = result.vendors_in_groups
    sets = None if result.vendor_sets is None else rank_sets_told(result.vendor_sets, rows.group)
    for row, (vendor, group) in enumerate(zip(rows.vendor.tolist(), rows.group.tolist(), strict=True)):
        told = {
            "peer_group": result.peer_groups[group],
            "score": _number(rows.score[row]),
            "rank": int(rows.rank[row]) or None,
            "ranked": int(rows.ranked[row]),
        }
        if sets is not None:
            told["rank_set"] = sets[row]
        found[vendor].append(told)
    return found


def _levels(inputs: Inputs) -> Iterator[dict[str, dict[str, int]]]:
    """Of each contract: criterion → level → how often, all modes together; "na" where it did not apply."""
    table = inputs.levels
    order = np.lexsort((table.level, table.criterion, table.contract))
    ends = np.searchsorted(table.contract[order], np.arange(len(inputs.contracts) + 1))
    for start, end in itertools.pairwise(ends.tolist()):
        rows = order[start:end]
        found: dict[str, dict[str, int]] = {}
        columns = (table.criterion[rows], table.level[rows], table.count[rows])
        for criterion, level, count in zip(*(column.tolist() for column in columns), strict=True):
            counts = found.setdefault(inputs.criteria[criterion], {})
            name = "na" if level == NOT_APPLICABLE_LEVEL else str(level)
            counts[name] = counts.get(name, 0) + count
        yield found


def _in_words(reason: Reason) -> str:
    """E.g. `too_few_answers party=recipient have=3 need=5`."""
    parts = {"party": reason.party, "dimension": reason.dimension, "have": reason.have, "need": reason.need}
    return " ".join(
        [reason.code.value, *(f"{key}={_short(value)}" for key, value in parts.items() if value not in ("", None))]
    )


def _short(value: object) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _grade(rules: Rules, place: int) -> str | None:
    return rules.grades[place].code if place >= 0 else None


def _decimals(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.6f}"


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
