"""A vendor's score: the weighted mean of its contracts, with its own variance."""

from __future__ import annotations

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
    return _scores(inputs, scores, rules, np.ones(len(inputs.contracts), dtype=np.bool_), EVERY_GROUP)


def in_groups(inputs: Inputs, scores: Scores, rules: Rules, peers: Peers) -> Vendors:
    """As `overall`, but each vendor once for every peer group in which a contract of its is compared, ranked there."""
    parts = []
    for group in np.unique(peers.group):
        everyone = _scores(inputs, scores, rules, peers.belongs[group], int(group))
        ranks = competition_ranks(everyone.score)
        ranked = replace(everyone, rank=ranks, ranked=np.full(len(ranks), np.count_nonzero(ranks)))
        at_home = np.zeros(len(inputs.vendors), dtype=np.bool_)
        at_home[inputs.vendor[peers.group == group]] = True
        parts.append(_only(ranked, at_home & (everyone.contracts > 0)))
    empty = _only(overall(inputs, scores, rules), np.zeros(len(inputs.vendors), dtype=np.bool_))
    columns = (np.concatenate([getattr(part, f.name) for part in (empty, *parts)]) for f in fields(Vendors))
    return Vendors(*columns)


def _scores(inputs: Inputs, scores: Scores, rules: Rules, taken: Flags, group: int) -> Vendors:
    count = len(inputs.vendors)
    scored = taken & ~np.isnan(scores.limits.estimate)
    size, equal = _sizes(inputs, rules, scored)
    vendor = inputs.vendor[scored]
    total = np.bincount(vendor, weights=size[scored], minlength=count)
    part = size[scored] / total[vendor]

    def add(values: Vector) -> Vector:
        return np.bincount(vendor, weights=values, minlength=count).astype(np.float64)

    estimate, low, high = (values[scored] for values in (scores.limits.estimate, scores.limits.low, scores.limits.high))
    score = np.where(total > 0, add(part * estimate), np.nan)
    # contracts are independent of each other: other people answered
    down, up = (np.sqrt(add((part * arm) ** 2)) for arm in (estimate - low, high - estimate))
    starts = np.array([grade.start for grade in rules.grades])
    return Vendors(
        vendor=np.arange(count, dtype=np.int64),
        group=np.full(count, group, dtype=np.int64),
        score=score,
        low=np.clip(score - down, 0, 100),
        high=np.clip(score + up, 0, 100),
        grade=grade_of(score, starts),
        rank=np.full(count, NO_RANK, dtype=np.int64),
        ranked=np.zeros(count, dtype=np.int64),
        contracts=np.bincount(inputs.vendor[taken], minlength=count).astype(np.int64),
        scored=np.bincount(vendor, minlength=count).astype(np.int64),
        equal_weights=equal,
        variance=np.where(total > 0, add(part**2 * scores.variance[scored]), np.nan),
    )


def _sizes(inputs: Inputs, rules: Rules, scored: Flags) -> tuple[Vector, Flags]:
    """Each contract's size, and which vendors fall back to equal ones because a size is not known."""
    ones = np.ones(len(inputs.contracts))
    size = {"amount": inputs.amount, "recipients": inputs.served, "equal": ones}[rules.vendor_weight]
    equal = np.zeros(len(inputs.vendors), dtype=np.bool_)
    equal[inputs.vendor[scored & ~(size > 0)]] = True
    return np.where(equal[inputs.vendor], 1.0, size), equal


def _only(rows: Vendors, chosen: Flags | Integers) -> Vendors:
    return Vendors(*(getattr(rows, f.name)[chosen] for f in fields(Vendors)))
