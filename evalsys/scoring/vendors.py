"""A vendor's score: the weighted mean of its contracts, with its own variance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Flags, Integers, Vector
from evalsys.scoring.grades import grade_of
from evalsys.scoring.inputs import Inputs
from evalsys.scoring.intervals import Limits
from evalsys.scoring.ranking import NO_RANK, Peers, competition_ranks
from evalsys.scoring.result import Vendors

EVERY_GROUP = -1
"""`Vendors.group` of a score over all peer groups."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Contracts' scores. `variance`: shape (contracts,), squared points, without the finite-population factor."""

    limits: Limits
    variance: Vector


def overall(inputs: Inputs, scores: Scores, rules: Rules) -> Vendors:
    """Every vendor over all its contracts, in the order of the inputs; not ranked, for groups differ.

    Args:
        inputs: whose contract is whose, and how large it is.
        scores: of the contracts, NaN where one has none.
        rules: how contracts are weighed, and the grades.
    """
    return _scores(inputs, scores, rules, np.arange(len(inputs.contracts)), np.arange(len(inputs.vendors)))


def in_groups(inputs: Inputs, scores: Scores, rules: Rules, peers: Peers) -> Vendors:
    """As `overall`, but each vendor once for every peer group in which a contract of its is compared, ranked there."""
    parts = [_only(everyone, at_home) for _, everyone, at_home in among_peers(inputs, scores, rules, peers)]
    empty = _only(overall(inputs, scores, rules), np.zeros(len(inputs.vendors), dtype=np.bool_))
    columns = (np.concatenate([getattr(part, f.name) for part in (empty, *parts)]) for f in fields(Vendors))
    return Vendors(*columns)


def among_peers(inputs: Inputs, scores: Scores, rules: Rules, peers: Peers) -> Iterator[tuple[int, Vendors, Flags]]:
    """For each peer group in which contracts are compared: everybody ranked there, and whose contracts those are.

    A group that takes in a small one ranks the vendors of all contracts below it, but only those of the small one are
    shown there.
    """
    for group in np.unique(peers.group).tolist():
        taken = peers.members[group]
        everyone = _scores(inputs, scores, rules, taken, np.unique(inputs.vendor[taken]))
        ranks = competition_ranks(everyone.score)
        compared = inputs.vendor[taken[peers.group[taken] == group]]
        ranked, groups = (np.full(len(ranks), value, dtype=np.int64) for value in (np.count_nonzero(ranks), group))
        at_home: Flags = np.isin(everyone.vendor, compared)
        yield group, replace(everyone, group=groups, rank=ranks, ranked=ranked), at_home


def _scores(inputs: Inputs, scores: Scores, rules: Rules, taken: Integers, vendors: Integers) -> Vendors:
    """Scores of ascending `vendors` over the contracts `taken`, which are theirs."""
    count = len(vendors)
    owner = np.searchsorted(vendors, inputs.vendor[taken])
    known = ~np.isnan(scores.limits.estimate[taken])
    scored, vendor = taken[known], owner[known]
    size, equal = _sizes(inputs, rules, scored, vendor, count)
    total = np.bincount(vendor, weights=size, minlength=count)
    part = size / total[vendor]

    def add(values: Vector) -> Vector:
        return np.bincount(vendor, weights=values, minlength=count).astype(np.float64)

    estimate, low, high = (values[scored] for values in (scores.limits.estimate, scores.limits.low, scores.limits.high))
    score = np.where(total > 0, add(part * estimate), np.nan)
    # contracts are independent of each other: other people answered
    down, up = (np.sqrt(add((part * arm) ** 2)) for arm in (estimate - low, high - estimate))
    starts = np.array([grade.start for grade in rules.grades])
    return Vendors(
        vendor=vendors,
        group=np.full(count, EVERY_GROUP, dtype=np.int64),
        score=score,
        low=np.clip(score - down, 0, 100),
        high=np.clip(score + up, 0, 100),
        grade=grade_of(score, starts),
        rank=np.full(count, NO_RANK, dtype=np.int64),
        ranked=np.zeros(count, dtype=np.int64),
        contracts=np.bincount(owner, minlength=count).astype(np.int64),
        scored=np.bincount(vendor, minlength=count).astype(np.int64),
        equal_weights=equal,
        variance=np.where(total > 0, add(part**2 * scores.variance[scored]), np.nan),
    )


def _sizes(inputs: Inputs, rules: Rules, contracts: Integers, vendor: Integers, vendors: int) -> tuple[Vector, Flags]:
    """Each contract's size, and which vendors fall back to equal ones because a size is not known."""
    ones = np.ones(len(inputs.contracts))
    size = {"amount": inputs.amount, "recipients": inputs.served, "equal": ones}[rules.vendor_weight][contracts]
    equal = np.zeros(vendors, dtype=np.bool_)
    equal[vendor[~(size > 0)]] = True
    return np.where(equal[vendor], 1.0, size), equal


def _only(rows: Vendors, chosen: Flags) -> Vendors:
    return Vendors(*(getattr(rows, f.name)[chosen] for f in fields(Vendors)))
