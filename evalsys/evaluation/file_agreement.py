"""What the files have to agree on: contracts, vendors, strata and service types."""

from __future__ import annotations

import numpy as np

from evalsys.evaluation.file_faults import MOST, Findings, _l
from evalsys.evaluation.file_inputs import Gathered
from evalsys.evaluation.strata import parts_of
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
        remedy = _l("Add it to the contracts, or correct the code.")
        findings.add(int(cycle.ratings.row[place]), "contract", code, _l("There is no such contract."), remedy)


def _other_vendors(cycle: Gathered, findings: Findings) -> None:
    ratings = cycle.ratings
    listed = [cycle.outline.listed[code].vendor if code in cycle.outline.listed else "" for code in ratings.contracts]
    for place in _firsts(ratings.contract, (ratings.vendor > 0) | bool(ratings.vendors[0])):
        there, here = listed[ratings.contract[place]], ratings.vendors[ratings.vendor[place]]
        if there and here and there != here:
            wrong = _l("The contracts name another vendor, %(code)s.", code=there)
            findings.add(int(ratings.row[place]), "vendor", here, wrong, _l("Correct one of the two files."))


def _unknown_strata(cycle: Gathered, findings: Findings) -> None:
    ratings, frame = cycle.ratings, cycle.outline.frame
    if None not in (told := (ratings.strata.parted, frame.parted)) and told[0] != told[1]:
        wrong = _l("names strata by township and item, or the frame does, and the other file has one name for each.")
        findings.refuse(wrong, _l("Use the same columns in both files."))
    framed = {code for code, stratum in frame.sizes if stratum}
    axes = frame.axes()
    named = np.array([bool(stratum) for stratum in ratings.strata.names])
    key = ratings.contract.astype(np.int64) * len(named) + ratings.stratum
    for place in _firsts(key, named[ratings.stratum]):
        code, stratum = ratings.contracts[ratings.contract[place]], ratings.strata.names[ratings.stratum[place]]
        if code in axes:
            known = all(
                not part or not axis or part in axis for part, axis in zip(parts_of(stratum), axes[code], strict=True)
            )
        else:
            known = code not in framed or (code, stratum) in frame.sizes
        if not known:
            shown = " / ".join(filter(None, parts_of(stratum))) if ratings.strata.parted else stratum
            wrong = _l("The frame of contract %(code)s has no such stratum.", code=code)
            remedy = _l("Add it to the frame, or correct it.")
            findings.add(int(ratings.row[place]), "stratum", shown, wrong, remedy)


def _unasked(cycle: Gathered, findings: Findings) -> None:
    kinds = [cycle.outline.listed[code].service_type for code in cycle.outline.contracts]
    for place, criterion in enumerate(cycle.rules.criteria):
        other = np.array(
            [bool(criterion.service_types) and kind not in (None, *criterion.service_types) for kind in kinds]
        )
        rows = (cycle.ratings.criterion == place) & (cycle.contract >= 0)
        for row in np.flatnonzero(rows & other[cycle.contract])[: MOST + 1].tolist():
            wrong = _l("It is not asked of this service type.")
            remedy = _l("Delete the row, or correct the contract's service type.")
            findings.add(int(cycle.ratings.row[row]), "criterion", criterion.code, wrong, remedy)


def _firsts(keys: Integers, wrong: Flags) -> list[int]:
    """The first faulty row of each key, in the order of the file."""
    rows = np.flatnonzero(wrong)
    _, first = np.unique(keys[rows], return_index=True)
    ordered: list[int] = rows[np.sort(first)][: MOST + 1].tolist()
    return ordered
