"""Cycles told person by person: who answered, how, from which stratum, and what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evalsys.scoring.inputs import Frames, Inputs, Judged, Moments, moments_of
from tests.scoring.made import DIMENSIONS, PARTIES

Stratum = tuple[str, ...]


@dataclass(frozen=True)
class Person:
    """One respondent; None = did not answer. `x`: adjusters, points. `name`: of an appointed rater."""

    contract: str
    y: tuple[float | None, ...]
    party: str = "recipient"
    mode: str = "self"
    stratum: Stratum = ("", "")
    x: tuple[float | None, ...] = ()
    name: str = ""


def make_people(
    people: Sequence[Person],
    *,
    frames: Mapping[str, Mapping[Stratum, int]] | None = None,
    adjusters: Sequence[str] = (),
    whole: bool = False,
    contracts: Sequence[str] = (),
) -> Inputs:
    """Each contract has its own vendor; raters of the third party are told apart by name.

    `whole`: strata are not split into parts; `contracts`: those that exist even where nobody answered.
    """
    codes = tuple(sorted({person.contract for person in people} | set(frames or {}) | set(contracts)))
    framed = [(c, stratum, size) for c, sizes in (frames or {}).items() for stratum, size in sizes.items()]
    strata = tuple(sorted({person.stratum for person in people} | {stratum for _, stratum, _ in framed}))
    modes = tuple(sorted({person.mode for person in people}))
    keys = [
        (codes.index(a.contract), PARTIES.index(a.party), modes.index(a.mode), strata.index(a.stratum)) for a in people
    ]
    cells = sorted(set(keys))
    columns = len(DIMENSIONS) + len(adjusters)
    rows = [[-1 if v is None else round(v * 1000) for v in (*a.y, *(a.x or (None,) * len(adjusters)))] for a in people]
    place = np.array([cells.index(key) for key in keys], dtype=np.int64)
    sums = moments_of(np.array(rows, dtype=np.int64).reshape(-1, columns), place, len(cells), adjusters=len(adjusters))
    nothing = np.zeros(len(codes), dtype=np.int64)
    raters, judged = _judged([a for a in people if a.party == "third_party"], codes)
    return Inputs(
        parties=PARTIES,
        dimensions=DIMENSIONS,
        criteria=tuple(f"{p}_{d}" for p in PARTIES for d in DIMENSIONS) + tuple(adjusters),
        modes=modes,
        strata=tuple("/".join(stratum) for stratum in strata),
        parts=() if whole else strata,
        contracts=codes,
        vendors=codes,
        peer_groups=("all",),
        vendor=np.arange(len(codes), dtype=np.int64),
        peer_group=nothing,
        amount=np.full(len(codes), np.nan),
        served=np.full(len(codes), np.nan),
        moments=Moments(*np.array(cells, dtype=np.int64).reshape(-1, 4).T, *sums),
        frames=Frames(
            np.array([codes.index(c) for c, _, _ in framed], dtype=np.int64),
            np.array([strata.index(stratum) for _, stratum, _ in framed], dtype=np.int64),
            np.array([size for *_, size in framed], dtype=np.int64),
        ),
        adjusters=tuple(adjusters),
        raters=raters,
        judged=judged,
    )


def _judged(ratings: Sequence[Person], codes: Sequence[str]) -> tuple[tuple[str, ...], Judged]:
    raters = tuple(sorted({rating.name for rating in ratings}))
    pairs = sorted({(codes.index(a.contract), raters.index(a.name)) for a in ratings})
    where = np.array([pairs.index((codes.index(a.contract), raters.index(a.name))) for a in ratings], dtype=np.int64)
    rows = np.array([[-1 if v is None else round(v * 1000) for v in a.y] for a in ratings], dtype=np.int64)
    _, *sums = moments_of(rows.reshape(-1, len(DIMENSIONS)), where, len(pairs))
    contract, rater = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return raters, Judged(contract, rater, *(np.diagonal(total, axis1=1, axis2=2) for total in sums))
