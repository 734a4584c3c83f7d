"""Scores straight from files, without a database: ratings, contracts and frames in, scores out.

The ratings file is long: one row a rating (contract, party, rater, criterion, value, and if wanted mode, stratum or
township and item, vendor, held).
A wide export is turned with one line; for lme4's InstEval, where each lecturer d is a contract and each student s a
rater:

    awk -F, 'BEGIN{print "contract,vendor,rater,value"} NR>1{print $2","$2","$1","$7}' insteval.csv > ratings.csv
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from evalsys.evaluation.contract_files import Contract, read_contracts, read_frame
from evalsys.evaluation.file_agreement import refuse_disagreement
from evalsys.evaluation.file_answers import Said, appointed, item_sums, said_by
from evalsys.evaluation.file_faults import Findings, Message, _l
from evalsys.evaluation.file_inputs import Gathered, gather, inputs_of
from evalsys.evaluation.file_signs import Flag, signs_of_parties, signs_of_ratings
from evalsys.evaluation.parquet.opening import Room, is_parquet
from evalsys.evaluation.parquet.reading import read_parquet
from evalsys.evaluation.rating_files import Ratings, read_ratings
from evalsys.evaluation.reliability import Told, reliability_of
from evalsys.evaluation.strata import Frame
from evalsys.rules.model import Rules
from evalsys.scoring.engine import score
from evalsys.scoring.inputs import Inputs
from evalsys.scoring.result import Result

ROOM = Room()


@dataclass(frozen=True)
class Sources:
    """The files of a cycle.

    Attributes:
        ratings: a long file, or Parquet, long or wide.
        contracts: contract, vendor, peer group, amount, served; without it each contract stands for itself as a vendor,
            unless the ratings name vendors.
        frame: recipients by contract and stratum; without it the size is not known and no answer counts for more.
    """

    ratings: Path
    contracts: Path | None = None
    frame: Path | None = None

    def hashes(self) -> dict[str, str]:
        """SHA-256 of each file by its purpose."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {purpose: _sha256(path) for purpose, path in given.items() if path}


@dataclass(frozen=True, eq=False)
class Scored:
    """A run from files: what went in, what came out.

    Attributes:
        inputs, result: the scores.
        files: SHA-256 of each input file by its purpose.
        held: ratings held back, which count nowhere.
        reliability: step 11; None where the rules do not ask.
        flags: step 12, ascending; None where the rules do not ask, or the ratings are Parquet.
    """

    inputs: Inputs
    result: Result
    files: Mapping[str, str]
    held: int
    reliability: Told | None = None
    flags: Sequence[Flag] | None = None


def score_files(
    sources: Sources,
    rules: Rules,
    *,
    seed: int = 0,
    room: Room = ROOM,
    progress: Callable[[Message], None] = lambda _said: None,
) -> Scored:
    """Score the ratings of a file.

    Args:
        sources: the files.
        rules: what was asked, and how it is scored.
        seed: of the run's random draws.
        room: what DuckDB may use where the ratings are Parquet.
        progress: told how far it is.

    Raises:
        FilesFaulty: with every fault of the first faulty file, up to 100.
        OSError: a file cannot be opened.
    """
    read = _read(sources, rules, room=room, progress=progress)
    inputs, flags = read.inputs, read.flags
    progress(_l("scoring %(count)s contracts", count=f"{len(inputs.contracts):,}"))
    result, agreement = score(inputs, rules, seed=seed), None
    if rules.reliability:
        progress(_l("comparing raters"))
        agreement = reliability_of(result, rules, rules.reliability, read.said.judgements, read.said.items)
    if rules.integrity and flags is not None:
        flags = sorted([*flags, *signs_of_parties(inputs, result, rules, rules.integrity)])
    return Scored(inputs, result, sources.hashes(), read.held, agreement, flags)


def read_inputs(
    sources: Sources, rules: Rules, *, room: Room = ROOM, progress: Callable[[Message], None] = lambda _said: None
) -> tuple[Inputs, int]:
    """Step 0 from files: the arrays, and how many ratings are held back. Arguments and errors as of `score_files`."""
    read = _read(sources, rules, room=room, progress=progress)
    return read.inputs, read.held


@dataclass(frozen=True, eq=False)
class _Read:
    """The files without their ratings; `flags` = signs in ratings, None where they are not looked for."""

    inputs: Inputs
    held: int
    said: Said
    flags: Sequence[Flag] | None = None


def _read(sources: Sources, rules: Rules, *, room: Room, progress: Callable[[Message], None]) -> _Read:
    if is_parquet(sources.ratings):
        return _Read(
            *read_parquet(
                sources.ratings, rules, contracts=sources.contracts, frame=sources.frame, room=room, progress=progress
            )
        )
    listed = read_contracts(sources.contracts, rules) if sources.contracts else None
    read = read_ratings(sources.ratings, rules, progress=progress)
    if listed is None:
        listed = _told_by_ratings(read, rules)
    frame = read_frame(sources.frame, listed.keys()) if sources.frame else Frame()
    cycle = gather(read, rules, listed, frame)
    refuse_disagreement(cycle, Findings(sources.ratings.name))
    return _Read(inputs_of(cycle), read.held, *_look_at_raters(cycle, progress))


def _look_at_raters(cycle: Gathered, progress: Callable[[Message], None]) -> tuple[Said, Sequence[Flag] | None]:
    """What step 11 reads, and the signs of step 12; nothing of a step that is off."""
    rules = cycle.rules
    if rules.reliability is None and rules.integrity is None:
        return Said(), None
    progress(_l("looking at raters"))
    raters, said = said_by(cycle)
    flags = signs_of_ratings(cycle.outline, raters, said, rules.integrity) if rules.integrity else None
    if rules.reliability is None:
        return Said(), flags
    return Said(appointed(said), [sums for one in said for sums in item_sums(cycle.outline, one)]), flags


def _told_by_ratings(ratings: Ratings, rules: Rules) -> dict[str, Contract]:
    vendor = np.full(len(ratings.contracts), -1)  # all of its ratings may be held back
    vendor[ratings.contract] = ratings.vendor
    names = (*ratings.vendors, "")
    group = rules.peer_group_of(None)
    return {
        code: Contract(vendor=names[vendor[place]] or code, peer_group=group)
        for place, code in enumerate(ratings.contracts)
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
