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
        n_effective: answers of equal weight that are as precise.
        contribution: points of the score, from the plain mean of the answers.
        weighting, mode, case_mix, severity: points of the score that weighting to the frame, taking off how people
            answered and who they are, and taking off the raters' severity add; 0 everywhere for a step that is off.
        cut: points of the score taken or given by cutting the estimate to 0 to 100.
    """

    estimate: Vector
    low: Vector
    high: Vector
    n: Integers
    n_effective: Vector
    weight: Vector
    contribution: Vector
    weighting: Vector
    mode: Vector
    case_mix: Vector
    severity: Vector
    cut: Vector


@dataclass(frozen=True, eq=False)
class Shrunken:
    """Step 7; members in the order of what they belong to, NaN for those without a score.

    Attributes:
        values, sd, low, high: shape (members,), θ̃ with its standard deviation and limits.
        reliability: shape (members,), 1 - B.
        mean, tau2: shape (groups,), μ and τ² of each peer group; NaN for a group in which nobody is compared.
    """

    values: Vector
    sd: Vector
    low: Vector
    high: Vector
    reliability: Vector
    mean: Vector
    tau2: Vector


@dataclass(frozen=True, eq=False)
class Ranked:
    """Step 9; 0 for members without a score.

    Attributes:
        lower, upper: shape (members,), best and worst rank in the set.
        band: shape (members,), 1 for the best band.
        critical: shape (groups,), the largest standardised difference that chance explains; NaN where nobody is.
        conservative: shape (groups,), a group so large that its sets are wider than they need be.
    """

    lower: Integers
    upper: Integers
    band: Integers
    critical: Vector
    conservative: Flags


@dataclass(frozen=True, eq=False)
class WeightSpace:
    """Step 10; 0 or NaN for members without a score.

    Attributes:
        sd: shape (members,), standard deviation of the score over the weights.
        lower, upper: shape (members,), range of ranks over plausible weights.
        first: shape (members,), share of the weight space in which a member leads its group.
        next: shape (members,), position of the next one down in the same group; -1 for the last.
        leads: shape (members,), share of the weight space in which a member is above that next one.
    """

    sd: Vector
    lower: Integers
    upper: Integers
    first: Vector
    next: Integers
    leads: Vector


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
        variance: squared points, without the finite-population factor.
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
    variance: Vector


@dataclass(frozen=True, eq=False)
class Result:
    """The scores of one cycle.

    For a score, contribution, weighting, mode, case_mix, severity and cut of all cells and uneven add up to it within
    1e-9.

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
        collapsed: for each contract, names of the strata, or categories of a margin, that were weighted together; an
            empty name is that of recipients whose stratum is not known.
        vendors: every vendor over all its contracts, in the order of the inputs' vendors.
        vendors_in_groups: vendors inside each peer group, ranked.
        variance: shape (contracts,), V: squared points, without the finite-population factor.
        shrunken, rank_sets, weight_space: of the contracts; None for a step that is off.
        vendor_sets: rank sets of `vendors_in_groups`; None where the step is off.
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
    collapsed: tuple[tuple[str, ...], ...]
    vendors: Vendors
    vendors_in_groups: Vendors
    variance: Vector
    shrunken: Shrunken | None
    rank_sets: Ranked | None
    weight_space: WeightSpace | None
    vendor_sets: Ranked | None
    pooled: Pooled
    seed: int
