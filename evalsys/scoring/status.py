"""Whether a score is published as rated, provisional or withheld, and why; from this contract alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Flags, Integers, Vector
from evalsys.scoring.intervals import Limits


class Status(StrEnum):
    """What a published score may be called."""

    RATED = "rated"
    PROVISIONAL = "provisional"
    WITHHELD = "withheld"


STATUSES = tuple(Status)
"""`Result.status` holds positions in this tuple."""

RATED, PROVISIONAL, WITHHELD = range(len(STATUSES))


class Why(StrEnum):
    """Codes of reasons; the words are made where they are shown."""

    TOO_FEW_ANSWERS = "too_few_answers"  # party, have, need: the score is withheld
    PARTY_LEFT_OUT = "party_left_out"  # party, have, need: its weight went to the other parties
    NO_PARTY_LEFT = "no_party_left"  # dimension: nobody who judges it has enough answers
    WIDE_INTERVAL = "wide_interval"  # have, need: the half-width and the most it may be
    FRAME_TOO_SMALL = "frame_too_small"  # have, need: more answers than recipients; the frame was not used


@dataclass(frozen=True)
class Reason:
    """Why a contract has its status, for a machine.

    Attributes:
        code: one of `Why`.
        party, dimension: codes of what it is about; empty where it is about the whole contract.
        have, need: the number found and the number asked for; None where there is none.
    """

    code: Why
    party: str = ""
    dimension: str = ""
    have: float | None = None
    need: float | None = None


@dataclass(frozen=True, eq=False)
class Presence:
    """Which parties count.

    Attributes:
        judges: shape (parties,), whether a party carries any weight.
        fewest: shape (contracts, parties), answers on the weighted dimension that has the fewest.
        present: same shape; a party is present when `fewest` reaches its minimum.
    """

    judges: Flags
    fewest: Integers
    present: Flags


def presence(answers: Integers, weights: Vector, rules: Rules) -> Presence:
    """Count the answers of each party against its minimum, on every dimension it is weighted on.

    Args:
        answers: shape (contracts, parties, dimensions).
        weights: shape (parties, dimensions).
        rules: the parties' minimums.
    """
    weighted = weights > 0
    none = np.iinfo(np.int64).max
    fewest = np.where(weighted, answers, none).min(axis=2, initial=none)
    judges: Flags = np.any(weighted, axis=1)
    minimum = np.array([party.minimum for party in rules.parties])
    return Presence(judges, np.where(judges, fewest, 0), judges & (fewest >= minimum))


def decide(limits: Limits, complete: Flags, rules: Rules) -> Integers:
    """Rated, provisional or withheld, as positions in `STATUSES`.

    Args:
        limits: shape (contracts,), points; not read where incomplete.
        complete: shape (contracts,), whether the parties there are suffice for a score.
        rules: the largest half-widths; None = no gate.
    """
    half = half_width(limits)
    status = np.full(len(complete), RATED, dtype=np.int64)
    if rules.status.rated_half_width is not None:
        status[half > rules.status.rated_half_width] = PROVISIONAL
    if rules.status.provisional_half_width is not None:
        status[half > rules.status.provisional_half_width] = WITHHELD
    return np.where(complete, status, WITHHELD)


def half_width(limits: Limits) -> Vector:
    """Half the length of the interval, points."""
    return (limits.high - limits.low) / 2


def reasons(
    there: Presence, uncovered: Flags, rules: Rules, *, half: Vector, most_answers: Integers, frame: Vector
) -> tuple[tuple[Reason, ...], ...]:
    """Why each contract is not plainly rated, and what else a reader must know of it.

    Args:
        there: which parties count.
        uncovered: shape (contracts, dimensions), where a party that is needed is missing.
        rules: minimums and gates.
        half: shape (contracts,), half-width of the interval, points; not read where a dimension is uncovered.
        most_answers: shape (contracts,), recipients who answered.
        frame: shape (contracts,), recipients served; infinite = not known.

    Returns:
        one tuple a contract, empty where there is nothing to say.
    """
    found: list[list[Reason]] = [[] for _ in half]
    complete: Flags = ~np.any(uncovered, axis=1)
    for c, p in np.argwhere(there.judges & ~there.present).tolist():
        code, party = (Why.PARTY_LEFT_OUT if complete[c] else Why.TOO_FEW_ANSWERS), rules.parties[p]
        found[c].append(Reason(code, party=party.code, have=int(there.fewest[c, p]), need=party.minimum))
    for c, d in np.argwhere(uncovered).tolist() if rules.status.missing_party == "reproportion" else ():
        found[c].append(Reason(Why.NO_PARTY_LEFT, dimension=rules.dimensions[d].code))
    gates = [gate for gate in (rules.status.rated_half_width, rules.status.provisional_half_width) if gate is not None]
    for c in np.flatnonzero(complete & (half > min(gates, default=np.inf))).tolist():
        crossed = max(gate for gate in gates if half[c] > gate)
        found[c].append(Reason(Why.WIDE_INTERVAL, have=float(half[c]), need=crossed))
    for c in np.flatnonzero(most_answers > frame).tolist():
        found[c].append(Reason(Why.FRAME_TOO_SMALL, have=int(most_answers[c]), need=int(frame[c])))
    return tuple(tuple(line) for line in found)
