"""What a scoring run says, as frozen arrays; a withheld score is NaN, has no grade and no rank."""

from __future__ import annotations

from dataclasses import dataclass

from evalsys.scoring.arrays import Flags, Integers, Vector
from evalsys.scoring.pooled import Pooled
from evalsys.scoring.status import Reason


@dataclass(frozen=True, eq=False)
class Cells:
    """One value for every (contract, party, dimension); arrays of that shape.

    Attributes:
        estimate, low, high: points, cut to 0 to 100; NaN where nobody answered.
        n: answers.
        weight: share of the score the cell really had; 0 where the party is missing.
        contribution: points of the score, from the estimate before the cut.
        cut: points of the score taken or given by cutting the estimate to 0 to 100.
    """

    estimate: Vector
    low: Vector
    high: Vector
    n: Integers
    weight: Vector
    contribution: Vector
    cut: Vector


@dataclass(frozen=True, eq=False)
class Vendors:
    """Vendors' scores, each the weighted mean of its scored contracts; arrays of shape (rows,).

    Attributes:
        vendor: position among the inputs' vendors.
        group: position among the result's peer groups; -1 where contracts of all groups are taken together.
        score, low, high: points; NaN where no contract is scored.
        grade: position among the rules' grades; -1 without a score.
        rank: among the vendors with contracts in the same group; 0 without a score or a group.
        ranked: how many vendors are ranked there.
        contracts, scored: how many contracts there are, and how many of them have a score.
        equal_weights: the contracts' sizes are not all known, so each counts the same.
    """

    vendor: Integers
    group: Integers
    score: Vector
    low: Vector
    high: Vector
    grade: Integers
    rank: Integers
    ranked: Integers
    contracts: Integers
    scored: Integers
    equal_weights: Flags


@dataclass(frozen=True, eq=False)
class Result:
    """The scores of one cycle. For a score, contribution + cut over all cells + uneven add up to it within 1e-9.

    Attributes:
        contracts: codes, as in the inputs.
        peer_groups: codes; `peer_group` points into them.
        score, low, high: shape (contracts,), points, not rounded.
        uneven: shape (contracts,), what the geometric form takes off for uneven dimensions; 0 in the arithmetic one.
        grade: shape (contracts,), position among the rules' grades, after the cap.
        chances: shape (contracts, grades), P(grade).
        near_boundary: shape (contracts,), the likeliest grade is less probable than the rules ask.
        capped: shape (contracts,), a weak dimension held the grade down.
        status: shape (contracts,), position in `status.STATUSES`.
        reasons: why, one tuple a contract; empty for a plain rated score.
        peer_group: shape (contracts,), the group in which each is ranked.
        rank, ranked: shape (contracts,), the rank there, and how many are ranked.
        respondents: shape (contracts, parties), those with at least one composite.
        dimensions: shape (contracts, dimensions), points by dimension; NaN where a present party is lacking.
        cells: the breakdown.
        vendors: every vendor over all its contracts, in the order of the inputs' vendors.
        vendors_in_groups: vendors inside each peer group, ranked.
        pooled: the frozen terms used.
        seed: of the run's random draws.
    """

    contracts: tuple[str, ...]
    peer_groups: tuple[str, ...]
    score: Vector
    low: Vector
    high: Vector
    uneven: Vector
    grade: Integers
    chances: Vector
    near_boundary: Flags
    capped: Flags
    status: Integers
    reasons: tuple[tuple[Reason, ...], ...]
    peer_group: Integers
    rank: Integers
    ranked: Integers
    respondents: Integers
    dimensions: Vector
    cells: Cells
    vendors: Vendors
    vendors_in_groups: Vendors
    pooled: Pooled
    seed: int
