"""What the files have to agree on: contracts, vendors, strata and service types."""

from __future__ import annotations

import numpy as np

from evalsys.evaluation import rating_faults
from evalsys.evaluation.file_faults import MOST, Findings
from evalsys.evaluation.file_inputs import Gathered
from evalsys.evaluation.strata import shown_of
from evalsys.scoring.arrays import Flags, Integers


def refuse_disagreement(cycle: Gathered, findings: Findings) -> None:
    """Look at each rating in the light of the other files.

    Raises:
        FilesFaulty: with every fault, up to 100.
    """
    _strangers(cycle, findings)
    _other_vendors(cycle, findings)
    _unknown_strata(cycle, findings)
    _unasked(cycle, findings)
    findings.raise_if_any()


def _strangers(cycle: Gathered, findings: Findings) -> None:
    for place in _firsts(cycle.ratings.contract, cycle.contract < 0):
        code = cycle.ratings.contracts[cycle.ratings.contract[place]]
        findings.add(int(cycle.ratings.row[place]), "contract", code, *rating_faults.UNLISTED)


def _other_vendors(cycle: Gathered, findings: Findings) -> None:
    ratings = cycle.ratings
    listed = [cycle.outline.listed[code].vendor if code in cycle.outline.listed else "" for code in ratings.contracts]
    for place in _firsts(ratings.contract, (ratings.vendor > 0) | bool(ratings.vendors[0])):
        there, here = listed[ratings.contract[place]], ratings.vendors[ratings.vendor[place]]
        if there and here and there != here:
            findings.add(int(ratings.row[place]), "vendor", here, *rating_faults.other_vendor(there))


def _unknown_strata(cycle: Gathered, findings: Findings) -> None:
    ratings, frame = cycle.ratings, cycle.outline.frame
    if frame.tells_otherwise(ratings.strata.parted):
        findings.refuse(*rating_faults.TWO_WAYS)
    known = frame.known()
    named = np.array([bool(stratum) for stratum in ratings.strata.names])
    key = ratings.contract.astype(np.int64) * len(named) + ratings.stratum
    for place in _firsts(key, named[ratings.stratum]):
        code, stratum = ratings.contracts[ratings.contract[place]], ratings.strata.names[ratings.stratum[place]]
        if not known(code, stratum):
            shown = shown_of(stratum) if ratings.strata.parted else stratum
            findings.add(int(ratings.row[place]), "stratum", shown, *rating_faults.no_such_stratum(code))


def _unasked(cycle: Gathered, findings: Findings) -> None:
    kinds = [cycle.outline.listed[code].service_type for code in cycle.outline.contracts]
    for place, criterion in enumerate(cycle.rules.criteria):
        other = np.array(
            [bool(criterion.service_types) and kind not in (None, *criterion.service_types) for kind in kinds]
        )
        rows = (cycle.ratings.criterion == place) & (cycle.contract >= 0)
        for row in np.flatnonzero(rows & other[cycle.contract])[: MOST + 1].tolist():
            findings.add(int(cycle.ratings.row[row]), "criterion", criterion.code, *rating_faults.UNASKED)


def _firsts(keys: Integers, wrong: Flags) -> list[int]:
    """The first faulty row of each key, in the order of the file."""
    rows = np.flatnonzero(wrong)
    _, first = np.unique(keys[rows], return_index=True)
    ordered: list[int] = rows[np.sort(first)][: MOST + 1].tolist()
    return ordered
