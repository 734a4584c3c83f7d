"""Making a bundle: every file of it from what was scored, edition.json with their hashes last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import rfc8785

from evalsys.publication.bundle import layout
from evalsys.publication.bundle.layout import TABLES
from evalsys.publication.bundle.readme import readme
from evalsys.publication.bundle.tables import Value, adjusted_rows, inputs_rows, terms_rows, written
from evalsys.publication.merkle import Tree
from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Vector
from evalsys.scoring.pooled import Pooled
from evalsys.scoring.public_inputs import PublicInputs
from evalsys.scoring.result import Result
from evalsys.scoring.status import STATUSES


@dataclass(frozen=True)
class Material:
    """What a bundle is made from.

    Attributes:
        statement: what edition.json says beside the hashes: cycle, number, time, seed, counts, the edition before.
        rules, rules_text: by which it was scored.
        facts: by contract, the cells of contracts.csv between the reference and the frame.
        levels: by contract, the cells of levels.csv after the reference.
        public, terms, result: of the run.
        names: pseudonyms of the raters.
        leaves: hashes of the received answers, in the order of the tree.
        earlier: size and root of the tree of the edition before; None where this is the first.
    """

    statement: Mapping[str, Any]
    rules: Rules
    rules_text: bytes
    facts: Mapping[str, Sequence[Value]]
    levels: Mapping[str, Sequence[Sequence[Value]]]
    public: PublicInputs
    terms: Pooled
    result: Result
    names: Sequence[str]
    leaves: Sequence[bytes]
    earlier: tuple[int, str] | None = None


def files_of(material: Material) -> dict[str, bytes]:
    """Every file but the signatures, edition.json first."""
    public, tree = material.public, Tree(material.leaves)
    rows: dict[str, Iterator[tuple[Value, ...]]] = {
        "contracts.csv": _contracts(material),
        "inputs.csv": inputs_rows(public, material.names),
        "raters.csv": zip(material.names, public.severity.tolist(), strict=True),
        "terms.csv": terms_rows(material.terms, public.facts.parties, public.facts.dimensions),
        "levels.csv": ((contract, *row) for contract in material.levels for row in material.levels[contract]),
        "scores.csv": scores_rows(material.result, material.rules),
    }
    if public.adjusted is not None:
        rows["adjusted.csv"] = adjusted_rows(public, public.adjusted)
    tables = {name: written(name, rows[name]) for name in TABLES if name in rows}
    files = {layout.RULES: material.rules_text} | tables
    files[layout.LEAVES] = "".join(f"{leaf.hex()}\n" for leaf in material.leaves).encode()
    files[layout.PACKAGE] = rfc8785.dumps(layout.datapackage(tuple(tables)))
    files[layout.README] = readme(material.statement).encode()
    edition = {
        **material.statement,
        "format": layout.FORMAT,
        "seed": str(material.result.seed),  # may be beyond the integers that every JSON reader keeps
        "leaves": {"size": tree.size, "root": tree.root.hex()},
        "consistency": material.earlier and _grown(tree, *material.earlier),
        "files": {name: sha256(content).hexdigest() for name, content in files.items()},
    }
    return {layout.EDITION: rfc8785.dumps(edition)} | files


def _grown(tree: Tree, size: int, root: str) -> dict[str, Any]:
    """What shows that the leaves of an earlier tree are the first of this one."""
    return {"size": size, "root": root, "path": [step.hex() for step in tree.growth(size)]}


def _contracts(material: Material) -> Iterator[tuple[Value, ...]]:
    public = material.public
    for contract, frame in zip(public.facts.contracts, public.frame.tolist(), strict=True):
        yield contract, *material.facts[contract], None if np.isinf(frame) else int(frame)


def scores_rows(result: Result, rules: Rules) -> Iterator[tuple[Value, ...]]:
    """The rows of scores.csv."""
    sets, kept, space, group = result.rank_sets, result.shrunken, result.weight_space, result.peer_group
    for c, contract in enumerate(result.contracts):
        grade = int(result.grade[c])
        yield (
            contract,
            STATUSES[int(result.status[c])].value,
            *(_known(values, c) for values in (result.score, result.low, result.high)),
            rules.grades[grade].code if grade >= 0 else None,
            result.peer_groups[int(group[c])],
            int(result.rank[c]) or None,
            *((int(values[c]) or None for values in (sets.lower, sets.upper, sets.band)) if sets else (None,) * 3),
            *((_known(values, c) for values in (kept.values, kept.sd)) if kept else (None,) * 2),
            _known(kept.tau2, int(group[c])) if kept and not np.isnan(kept.values[c]) else None,
            _known(space.leads, c) if space else None,
        )


def _known(values: Vector, place: int) -> float | None:
    value = float(values[place])
    return None if np.isnan(value) else value
