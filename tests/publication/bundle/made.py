"""A bundle of a simulated cycle, without a database."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np
import rfc8785

from evalsys.config import SHIPPED_RULES
from evalsys.publication.bundle import layout
from evalsys.publication.bundle.archive import packed
from evalsys.publication.bundle.contents import Material, files_of
from evalsys.publication.bundle.signature import SigningKey
from evalsys.publication.merkle import Tree
from evalsys.rules.loading import loads, rules_hash
from evalsys.scoring import engine
from evalsys.scoring.public_inputs import public_inputs
from tests.scoring.people import Person, make_people

KEY = SigningKey.fresh()
RULES_TEXT = SHIPPED_RULES.read_bytes()
SEED = 2**60 + 1


def people(count: int = 6, seed: int = 5) -> list[Person]:
    """Contracts C00 …: 8 to 25 recipients of two towns, two evaluators each, one purchaser."""
    draw = np.random.default_rng(seed)
    found = []
    for n in range(count):
        level, code = draw.uniform(55, 90), f"C{n:02}"
        for place in range(int(draw.integers(8, 25))):
            y = np.clip(np.round((level + draw.normal(0, 15, 3)) / 5) * 5, 0, 100).tolist()
            found.append(Person(code, tuple(y), stratum=(("东镇", "西镇")[place % 3 == 0], "")))
        for name in ("李评", "王评", "赵评")[n % 2 : n % 2 + 2]:
            y = np.clip(level + draw.normal(0, 4, 3) + 3 * (name == "李评"), 0, 100).tolist()
            found.append(Person(code, tuple(y), party="third_party", name=name))
        found.append(Person(code, (80.0, 75.0, level), party="purchaser"))
    return found


def made_files(
    rules_text: bytes = RULES_TEXT, *, answers: int = 40, earlier: int | None = None, **changes: Any
) -> dict[str, bytes]:
    """The files of a bundle; `changes` are of its statement, `earlier` is the number of answers of one before."""
    rules = loads(rules_text, "rules.toml")
    asked = people()
    frames = {f"C{n:02}": {("东镇", ""): 80, ("西镇", ""): 30} for n in range(6)}
    inputs = make_people(asked, frames=frames)
    criteria = tuple(criterion.code for criterion in rules.criteria)
    inputs = replace(inputs, criteria=criteria, peer_groups=(rules.peer_group_of("care"),))
    result = engine.score(inputs, rules, seed=SEED)
    leaves = [sha256(bytes([0, n])).digest() for n in range(answers)]
    statement = {
        "cycle": {"code": "2026-A", "title": "2026年度评价", "year": 2026, "region": "441800"},
        "number": 1,
        "published_at": "2026-11-23T08:00:00Z",
        "reason": "",
        "simulated": True,
        "rules_hash": rules_hash(rules_text),
        "rules_version": rules.version,
        "code_version": "evalsys test",
        "inputs_hash": "0" * 64,
        "received": answers,
        "counted": answers - 2,
        "held": 2,
        "previous": None,
        "audit_head": None,
    }
    names = ("标题", "91441802MA00000000", "承接主体", "购买主体", "某县", "care")
    facts = dict.fromkeys(inputs.contracts, (*names, None, None, "2026-01-01", "2026-12-31"))
    material = Material(
        statement=statement | changes,
        rules=rules,
        rules_text=rules_text,
        facts=facts,
        levels={"C00": [("satisfied", 1, 3, 6), ("satisfied", 4, 5, 9)]},
        public=public_inputs(inputs, rules, result.pooled),
        terms=result.pooled,
        result=result,
        names=[f"E{n:02}" for n in range(len(inputs.raters))],
        leaves=leaves,
        earlier=None if earlier is None else (earlier, Tree(leaves[:earlier]).root.hex()),
    )
    return files_of(material)


def signed(files: dict[str, bytes], *keys: SigningKey) -> bytes:
    """The zip file with signatures of the keys; of `KEY` where none are given."""
    rows = [vars(key.sign(files[layout.EDITION])) for key in keys or (KEY,)]
    return packed({**files, layout.SIGNATURES: json.dumps(rows).encode()})


def restated(files: dict[str, bytes], change: Callable[[dict[str, Any]], None] | None = None) -> dict[str, bytes]:
    """The files with hashes in edition.json that fit them, as a forger with the key would leave them."""
    edition = json.loads(files[layout.EDITION])
    others = {name: content for name, content in files.items() if name != layout.EDITION}
    edition["files"] = {name: sha256(content).hexdigest() for name, content in others.items()}
    if change is not None:
        change(edition)
    return {layout.EDITION: rfc8785.dumps(edition)} | others
