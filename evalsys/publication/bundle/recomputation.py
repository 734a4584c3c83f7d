"""From the files of a bundle to scores, by the scoring core that made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evalsys.publication.bundle import layout
from evalsys.publication.bundle.tables import (
    Codes,
    Record,
    Unreadable,
    adjusted_from,
    groups_from,
    records,
    terms_from,
)
from evalsys.rules.loading import loads
from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Integers, Vector
from evalsys.scoring.cells import SAMPLED, weight_matrix
from evalsys.scoring.inputs import Inputs, Moments
from evalsys.scoring.public_inputs import PublicInputs, recompute
from evalsys.scoring.result import Result


@dataclass(frozen=True)
class Recomputed:
    """What the files say. `hidden`: contracts with a score whose recipients are too few to be told."""

    rules: Rules
    result: Result
    hidden: frozenset[str]


def recomputed(files: Mapping[str, bytes], *, seed: int) -> Recomputed:
    """Score every contract from the public inputs.

    Raises:
        Unreadable: a table is missing or faulty.
        RulesFaulty: the rules are no rules.
        ValueError: numbers that cannot be.
    """
    rules = loads(_file(files, layout.RULES), layout.RULES)
    contracts = records("contracts.csv", _file(files, "contracts.csv"))
    raters = records("raters.csv", _file(files, "raters.csv"))
    facts = _facts(contracts, rules)
    codes = Codes(
        contracts={code: place for place, code in enumerate(facts.contracts)},
        parties={code: place for place, code in enumerate(facts.parties)},
        dimensions={code: place for place, code in enumerate(facts.dimensions)},
        raters={row["rater"]: place for place, row in enumerate(raters)},
    )
    adjusted = None
    if rules.adjustment is not None:
        adjusted = adjusted_from(records("adjusted.csv", _file(files, "adjusted.csv")), codes)
    public = PublicInputs(
        facts=facts,
        frame=np.array([float(row["frame"] or "inf") for row in contracts]),
        raters=tuple(codes.raters),
        severity=np.array([float(row["severity"]) for row in raters]),
        groups=groups_from(records("inputs.csv", _file(files, "inputs.csv")), codes),
        adjusted=adjusted,
    )
    terms = terms_from(records("terms.csv", _file(files, "terms.csv")), codes)
    return Recomputed(rules, recompute(public, rules, terms, seed=seed), _hidden(files, public, rules))


def _file(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise Unreadable(f"{name} is missing")
    return files[name]


def _hidden(files: Mapping[str, bytes], public: PublicInputs, rules: Rules) -> frozenset[str]:
    """Contracts with a score whose recipients are weighted on a dimension that inputs.csv does not tell."""
    if SAMPLED not in public.facts.parties:
        return frozenset()
    p = public.facts.parties.index(SAMPLED)
    asked = weight_matrix(rules)[p] > 0
    told = np.zeros((len(public.facts.contracts), len(asked)), dtype=np.bool_)
    here = public.groups.party == p
    answered = np.diagonal(public.groups.n[here], axis1=1, axis2=2) > 0
    np.logical_or.at(told, public.groups.contract[here], answered)
    scored = {row["contract"] for row in records("scores.csv", _file(files, "scores.csv")) if row["score"]}
    short = np.any(asked & ~told, axis=1)
    return frozenset(code for code, is_short in zip(public.facts.contracts, short, strict=True) if is_short) & scored


def _facts(rows: Sequence[Record], rules: Rules) -> Inputs:
    d, nobody = len(rules.dimensions), np.zeros(0, dtype=np.int64)
    nothing = np.zeros((0, d, d), dtype=np.int64)
    vendors, vendor = _numbered([row["vendor"] for row in rows])
    groups, group = _numbered([rules.peer_group_of(row["service_type"]) for row in rows])
    return Inputs(
        parties=tuple(party.code for party in rules.parties),
        dimensions=tuple(dimension.code for dimension in rules.dimensions),
        criteria=tuple(criterion.code for criterion in rules.criteria),
        modes=(),
        strata=(),
        contracts=tuple(row["contract"] for row in rows),
        vendors=vendors,
        peer_groups=groups,
        vendor=vendor,
        peer_group=group,
        amount=_sizes(rows, "amount"),
        served=_sizes(rows, "recipients_served"),
        moments=Moments(nobody, nobody, nobody, nobody, nobody, nothing, nothing, nothing),
    )


def _sizes(rows: Sequence[Record], name: str) -> Vector:
    return np.array([float(row[name] or "nan") for row in rows])


def _numbered(codes: Sequence[str]) -> tuple[tuple[str, ...], Integers]:
    known = tuple(sorted(set(codes)))
    place = {code: number for number, code in enumerate(known)}
    return known, np.array([place[code] for code in codes], dtype=np.int64)
