"""Scores straight from files, without a database: ratings, contracts and frames in, scores out.

The ratings file is long: one row a rating (contract, party, rater, criterion, value, optional mode, stratum, vendor).
A wide export is turned with one line; for lme4's InstEval, where each lecturer d is a contract and each student s a
rater:

    awk -F, 'BEGIN{print "contract,vendor,rater,value"} NR>1{print $2","$2","$1","$7}' insteval.csv > ratings.csv
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evalsys.evaluation.contract_files import Contract, read_contracts, read_frame
from evalsys.evaluation.file_agreement import refuse_disagreement
from evalsys.evaluation.file_faults import Findings
from evalsys.evaluation.file_inputs import gather, inputs_of
from evalsys.evaluation.rating_files import Ratings, read_ratings
from evalsys.rules.model import Rules
from evalsys.scoring.engine import score
from evalsys.scoring.inputs import Inputs
from evalsys.scoring.result import Result


@dataclass(frozen=True, eq=False)
class Scored:
    """A run from files: what went in, what came out. `files`: SHA-256 of each input file by its purpose."""

    inputs: Inputs
    result: Result
    files: Mapping[str, str]


def score_files(
    ratings: Path,
    rules: Rules,
    *,
    contracts: Path | None = None,
    frame: Path | None = None,
    seed: int = 0,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Scored:
    """Score the ratings of a file.

    Args:
        ratings: the long file.
        rules: what was asked, and how it is scored.
        contracts: contract, vendor, peer group, amount, served; without it each contract stands for itself as a vendor,
            unless the ratings name vendors.
        frame: recipients by contract and stratum; without it the size is not known and no answer counts for more.
        seed: of the run's random draws.
        progress: told the number of ratings read so far.

    Raises:
        FilesFaulty: with every fault of the first faulty file, up to 100.
        OSError: a file cannot be opened.
    """
    listed = read_contracts(contracts, rules) if contracts else None
    read = read_ratings(ratings, rules, progress=progress)
    if listed is None:
        listed = _told_by_ratings(read, rules)
    sizes = read_frame(frame, listed.keys()) if frame else {}
    cycle = gather(read, rules, listed, sizes)
    refuse_disagreement(cycle, Findings(ratings.name))
    inputs = inputs_of(cycle)
    given = {"ratings": ratings, "contracts": contracts, "frame": frame}
    hashes = {purpose: _sha256(path) for purpose, path in given.items() if path}
    return Scored(inputs, score(inputs, rules, seed=seed), hashes)


def _told_by_ratings(ratings: Ratings, rules: Rules) -> dict[str, Contract]:
    vendor = np.zeros(len(ratings.contracts), dtype=np.int64)
    vendor[ratings.contract] = ratings.vendor
    group = rules.peer_group_of(None)
    return {
        code: Contract(vendor=ratings.vendors[vendor[place]] or code, peer_group=group)
        for place, code in enumerate(ratings.contracts)
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
