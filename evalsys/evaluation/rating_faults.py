"""What can be wrong with a rating in a file, in the same words whatever the file: what is wrong, and the remedy."""

from __future__ import annotations

from collections.abc import Iterable

from evalsys.evaluation.file_faults import Message, _l
from evalsys.rules.model import BandScale, Criterion, GoalpostScale, LevelScale, Rules

Told = tuple[Message, Message]

EMPTY = _l("The cell is empty.")

NO_CONTRACT: Told = EMPTY, _l("Write the contract's code.")
NO_RATER: Told = EMPTY, _l("Write who rated; any label that keeps one rater's rows together will do.")
NEITHER: Told = _l("Neither yes nor no."), _l("Write yes where the rating is held back, else no.")
STRANGER: Told = _l("This party is not asked this."), _l("`evalsys rules show` lists who answers what.")
UNLISTED: Told = _l("There is no such contract."), _l("Add it to the contracts, or correct the code.")
UNASKED: Told = (
    _l("It is not asked of this service type."),
    _l("Delete the row, or correct the contract's service type."),
)
ALL_HELD: Told = _l("has no rating that is not held back."), _l("Release ratings in the column held.")
NOTHING: Told = _l("has no ratings."), _l("Write one rating a row below the header.")
TWO_WAYS: Told = (
    _l("names strata by township and item, or the frame does, and the other file has one name for each."),
    _l("Use the same columns in both files."),
)


def unknown(codes: Iterable[str]) -> Told:
    return _l("The rules do not have it."), _l("Write one of: %(codes)s.", codes=", ".join(codes))


def off_scale(criterion: Criterion, rules: Rules) -> Told:
    wrong = _l("The value is not on the scale of %(criterion)s.", criterion=criterion.code)
    top = levels_of(rules, criterion)
    if not top:
        return wrong, _l("Write a number, or na where it was not measured.")
    if criterion.not_applicable:
        return wrong, _l("Write a whole number from 1 to %(top)s, or na.", top=top)
    return wrong, _l("Write a whole number from 1 to %(top)s.", top=top)


def twice(row: int) -> Told:
    wrong = _l("Row %(row)s already rates this contract on this criterion by this rater.", row=row)
    return wrong, _l("Delete one of the two rows.")


def changed(row: int, value: str) -> Told:
    wrong = _l("Row %(row)s says “%(value)s”.", row=row, value=value)
    return wrong, _l("Write the same in every row of one rater, and one vendor in every row of one contract.")


def other_vendor(listed: str) -> Told:
    return _l("The contracts name another vendor, %(code)s.", code=listed), _l("Correct one of the two files.")


def no_such_stratum(contract: str) -> Told:
    wrong = _l("The frame of contract %(code)s has no such stratum.", code=contract)
    return wrong, _l("Add it to the frame, or correct it.")


def levels_of(rules: Rules, criterion: Criterion) -> int:
    """How many levels a criterion has; 0 for a measured value."""
    scale = rules.scale_of(criterion)
    if isinstance(scale, BandScale | GoalpostScale):
        return 0
    return len(scale.levels) if isinstance(scale, LevelScale) else 2
