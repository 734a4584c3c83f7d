"""Small rules and cycles for the tests of the scoring core; a test names only what it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evalsys.rules.model import Rules
from evalsys.scoring.inputs import Frames, Inputs, Moments, moments_of

PARTIES = ("purchaser", "recipient", "third_party")
DIMENSIONS = ("outcomes", "management", "impact")
MATRIX = {"outcomes": (0.5, (0.2, 0.5, 0.3)), "management": (0.3, (0.4, 0.1, 0.5)), "impact": (0.2, (0.2, 0.4, 0.4))}
GRADES = {"excellent": (90, 100), "good": (80, 90), "fair": (60, 80), "poor": (0, 60)}

Answers = Mapping[str, Mapping[str, Sequence[Sequence[float | None]]]]
"""contract → party → one row of composites (points by dimension, None = missing) a respondent."""


def words(text: str) -> dict[str, str]:
    return {"zh": text, "en": text}


def make_rules(**changes: Any) -> Rules:
    """Three parties, three dimensions, the shipped weights; `minimums` and any key of the file may be changed."""
    minimums = changes.pop("minimums", {"recipient": 5})
    document: dict[str, Any] = {
        "format": 1,
        "version": "test",
        "title": words("test"),
        "parties": [{"code": p, "name": words(p), "minimum": minimums.get(p, 1)} for p in PARTIES],
        "dimensions": [{"code": d, "name": words(d)} for d in DIMENSIONS],
        "scales": [{"code": "five", "kind": "levels", "levels": [words(str(level)) for level in range(1, 6)]}],
        "criteria": [
            {"code": f"{p}_{d}", "party": p, "dimension": d, "text": words("?"), "scale": "five"}
            for p in PARTIES
            for d in DIMENSIONS
        ],
        "weights": [
            {"dimension": d, "share": share, "parties": dict(zip(PARTIES, parts, strict=True))}
            for d, (share, parts) in MATRIX.items()
        ],
        "grades": [{"code": c, "name": words(c), "from": a, "to": b} for c, (a, b) in GRADES.items()],
    }
    return Rules.model_validate(document | changes)


def make_cycle(
    answers: Answers,
    *,
    frames: Mapping[str, int] | None = None,
    vendors: Mapping[str, str] | None = None,
    groups: Mapping[str, str] | None = None,
    amount: Mapping[str, float] | None = None,
    served: Mapping[str, float] | None = None,
) -> Inputs:
    """A cycle in which each contract has its own vendor and all share one peer group, unless told otherwise."""
    contracts = tuple(sorted(answers))
    vendor = [(vendors or {}).get(c, f"vendor of {c}") for c in contracts]
    group = [(groups or {}).get(c, "all") for c in contracts]
    vendor_codes, group_codes = tuple(sorted(set(vendor))), tuple(sorted(set(group)))
    places = [(c, p) for c, code in enumerate(contracts) for p, party in enumerate(PARTIES) if party in answers[code]]
    rows = [
        (place, [-1 if points is None else round(points * 1000) for points in row])
        for place, (c, p) in enumerate(places)
        for row in answers[contracts[c]][PARTIES[p]]
    ]
    composites = np.array([row for _, row in rows], dtype=np.int64).reshape(-1, len(DIMENSIONS))
    cell = np.array([place for place, _ in rows], dtype=np.int64)
    sums = moments_of(composites, cell, len(places))
    where = np.array(places, dtype=np.int64).reshape(-1, 2)
    nothing = np.zeros(len(places), dtype=np.int64)
    framed = [(contracts.index(c), size) for c, size in (frames or {}).items()]
    return Inputs(
        parties=PARTIES,
        dimensions=DIMENSIONS,
        criteria=tuple(f"{p}_{d}" for p in PARTIES for d in DIMENSIONS),
        modes=("",),
        strata=("",),
        contracts=contracts,
        vendors=vendor_codes,
        peer_groups=group_codes,
        vendor=np.array([vendor_codes.index(v) for v in vendor], dtype=np.int64),
        peer_group=np.array([group_codes.index(g) for g in group], dtype=np.int64),
        amount=np.array([(amount or {}).get(c, np.nan) for c in contracts]),
        served=np.array([(served or {}).get(c, np.nan) for c in contracts]),
        moments=Moments(where[:, 0], where[:, 1], nothing, nothing, *sums),
        frames=Frames(
            np.array([c for c, _ in framed], dtype=np.int64),
            np.zeros(len(framed), dtype=np.int64),
            np.array([size for _, size in framed], dtype=np.int64),
        ),
    )


def full(recipients: Sequence[float], *, purchaser: float = 80, third: float = 70) -> dict[str, list[list[float]]]:
    """A contract that all three parties judged; every respondent gives the same points on all dimensions."""
    return {
        "recipient": [[points] * 3 for points in recipients],
        "purchaser": [[purchaser] * 3],
        "third_party": [[third] * 3],
    }
