"""Steps 7, 9 and 10: each score beside those of its peers, the one part of a run in which others move a number.

A member is compared in one group, among everybody who belongs to it or to a group below it; a small group is compared
in its parent. Draws follow from the run's seed and the group's code, so neither the order of groups nor that of members
changes a number.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from evalsys.rules.model import RankSets, Rules
from evalsys.scoring import ranking
from evalsys.scoring.arrays import Flags, Integers, Vector
from evalsys.scoring.cells import weight_matrix
from evalsys.scoring.ranking import Peers
from evalsys.scoring.result import Ranked, Shrunken, Vendors, WeightSpace
from evalsys.scoring.sensitivity import sensitivity
from evalsys.scoring.shrinkage import shrink

LEAST_SE = 1e-6
"""Points; a smaller standard error counts as this one, so that a certain score can be weighed beside others."""

NOTHING = 1e-300
"""Points that stand for 0 where logarithms are taken: whatever its weight, it makes the product 0."""


@dataclass(frozen=True, eq=False)
class Made:
    """What contracts' scores are made of.

    Attributes:
        score, variance: shape (contracts,), points and squared points without the finite-population factor; NaN where
            withheld.
        cells, weights: shape (contracts, parties, dimensions), points, and each contract's own weights.
        dimensions: shape (contracts, dimensions), points.
    """

    score: Vector
    variance: Vector
    cells: Vector
    weights: Vector
    dimensions: Vector


@dataclass(frozen=True, eq=False)
class Compared:
    """The results of the three steps, as `Result` has them; None for a step that is off."""

    shrunken: Shrunken | None
    rank_sets: Ranked | None
    weight_space: WeightSpace | None
    vendor_sets: Ranked | None


def compare(
    made: Made, everyone: Iterable[tuple[int, Vendors, Flags]], peers: Peers, rules: Rules, *, seed: int
) -> Compared:
    """All steps that compare.

    Args:
        made: the contracts' scores and what they are made of.
        everyone: vendors group by group, as `vendors.among_peers` gives them.
        peers: who is compared with whom.
        rules: which steps are on, and how they are taken.
        seed: of the run.
    """
    return Compared(
        shrunken=shrunken(made.score, made.variance, peers, rules),
        rank_sets=rank_sets(made.score, made.variance, peers, rules, seed=seed),
        weight_space=weight_space(made, peers, rules, seed=seed),
        vendor_sets=vendor_sets(everyone, peers, rules, seed=seed),
    )


def shrunken(score: Vector, variance: Vector, peers: Peers, rules: Rules) -> Shrunken | None:
    """Step 7 for every contract with a score; None where the rules do not shrink.

    One alone is its own mean: it stays where it is, with its own standard error and a reliability of 0, as metafor
    takes τ² for 0 with a single estimate. Two certain scores that differ keep a reliability of 1.

    Args:
        score: shape (contracts,), points; NaN where withheld.
        variance: same shape, squared points, without the finite-population factor.
        peers: who is compared with whom.
        rules: the method for τ², and the level of the limits.
    """
    if rules.shrinkage is None:
        return None
    values, sd, low, high, reliability = (np.full(len(score), np.nan) for _ in range(5))
    mean, tau2 = (np.full(len(peers.groups), np.nan) for _ in range(2))
    for group, among, here in peers.scored(score):
        fit = shrink(
            score[among],
            _errors(variance[among]) ** 2,
            method=rules.shrinkage.method,
            level=rules.interval.level,
            tau2=0.0 if len(among) == 1 else None,
        )
        places = among[here]
        values[places], sd[places], reliability[places] = fit.values[here], fit.sd[here], fit.reliability[here]
        low[places], high[places] = np.clip(fit.low[here], 0, 100), np.clip(fit.high[here], 0, 100)
        mean[group], tau2[group] = fit.mean, fit.tau2
    return Shrunken(values, sd, low, high, reliability, mean, tau2)


def rank_sets(score: Vector, variance: Vector, peers: Peers, rules: Rules, *, seed: int) -> Ranked | None:
    """Step 9 for every contract with a score; None where the rules ask for no sets.

    Args:
        score, variance, peers: as for `shrunken`.
        rules: level, draws, and whether sets hold all at once.
        seed: of the run.
    """
    if rules.rank_sets is None:
        return None
    contests = [
        _Contest(
            group, _stream(seed, "contracts", peers.groups[group]), score[among], variance[among], here, among[here]
        )
        for group, among, here in peers.scored(score)
    ]
    return _ranked(contests, rules.rank_sets, rows=len(score), groups=len(peers.groups))


def vendor_sets(
    everyone: Iterable[tuple[int, Vendors, Flags]], peers: Peers, rules: Rules, *, seed: int
) -> Ranked | None:
    """Step 9 for the rows of `vendors.in_groups`; None where the rules ask for no sets.

    Args:
        everyone: group by group, as `vendors.among_peers` gives them.
        peers: who is compared with whom.
        rules, seed: as for `rank_sets`.
    """
    if rules.rank_sets is None:
        return None
    contests, rows = [], 0
    for group, vendors, shown in everyone:
        row = np.cumsum(shown) - 1 + rows
        rows += int(np.count_nonzero(shown))
        known = ~np.isnan(vendors.score)
        stream = _stream(seed, "vendors", peers.groups[group])
        contests.append(
            _Contest(group, stream, vendors.score[known], vendors.variance[known], shown[known], row[known & shown])
        )
    return _ranked(contests, rules.rank_sets, rows=rows, groups=len(peers.groups))


def weight_space(made: Made, peers: Peers, rules: Rules, *, seed: int) -> WeightSpace | None:
    """Step 10 for every contract with a score; None where the rules do not ask how weights matter.

    Drawn are the weights of the cells. A contract scored on other weights than the published, because a party is
    missing, takes each drawn weight as many times as it took the published one, and all of them are scaled to 1.
    A geometric score multiplies dimensions: there the dimensions' weights are drawn, on logarithms, those of the
    parties inside a dimension stay, and a deviation is that of the score's linear approximation.

    Args:
        made: what the scores are made of.
        peers: who is compared with whom.
        rules: how far the weights are drawn from the published ones.
        seed: of the run.
    """
    if rules.sensitivity is None:
        return None
    parts, weights, taken = _parts(made, rules)
    rows = len(made.score)
    result = WeightSpace(
        sd=np.full(rows, np.nan),
        lower=np.zeros(rows, dtype=np.int64),
        upper=np.zeros(rows, dtype=np.int64),
        first=np.full(rows, np.nan),
        next=np.full(rows, -1, dtype=np.int64),
        leads=np.full(rows, np.nan),
    )
    points = made.score if rules.aggregation == "geometric" else np.ones(rows)
    for group, among, here in peers.scored(made.score):
        found = sensitivity(
            parts[among],
            weights,
            taken=taken[among],
            concentration=rules.sensitivity.concentration,
            level=rules.sensitivity.level,
            draws=rules.sensitivity.draws,
            seed=_stream(seed, "weights", peers.groups[group]),
        )
        following, leads = np.full(len(among), -1, dtype=np.int64), np.full(len(among), np.nan)
        following[found.order[:-1]], leads[found.order[:-1]] = among[found.order[1:]], found.leads
        for name, values in (
            ("sd", found.sd * points[among]),
            ("lower", found.lower),
            ("upper", found.upper),
            ("first", found.first),
            ("next", following),
            ("leads", leads),
        ):
            getattr(result, name)[among[here]] = values[here]
    return result


def _parts(made: Made, rules: Rules) -> tuple[Vector, Vector, Vector]:
    """What is weighted, the published weights, and how many times each contract takes them."""
    published = weight_matrix(rules)
    if rules.aggregation == "geometric":
        weights = published.sum(axis=0)
        points = np.where((weights > 0) & ~np.isnan(made.dimensions), made.dimensions, 1)
        gone: Flags = np.any(points <= 0, axis=1)
        logarithms = np.log(np.where(gone[:, None], NOTHING, np.maximum(points, NOTHING)))
        return logarithms, weights, np.ones(points.shape)
    used = published > 0
    taken = made.weights / np.where(used, published, 1)
    cells = np.where(made.weights > 0, made.cells, 0)
    return cells[:, used], published[used], taken[:, used]


@dataclass(frozen=True, eq=False)
class _Contest:
    """Who is ranked in one group: scores and variances of all, and the rows of those who are shown there."""

    group: int
    stream: int
    score: Vector
    variance: Vector
    shown: Flags
    rows: Integers


def _ranked(contests: Iterable[_Contest], how: RankSets, *, rows: int, groups: int) -> Ranked:
    lower, upper, band = (np.zeros(rows, dtype=np.int64) for _ in range(3))
    critical, conservative = np.full(groups, np.nan), np.zeros(groups, dtype=np.bool_)
    for contest in contests:
        found = ranking.rank_sets(
            contest.score,
            _errors(contest.variance),
            level=how.level,
            simultaneous=how.simultaneous,
            draws=how.draws,
            seed=contest.stream,
        )
        places, shown = contest.rows, contest.shown
        lower[places], upper[places] = found.lower[shown], found.upper[shown]
        band[places] = ranking.bands(contest.score, found.lower, found.upper)[shown]
        if len(contest.score):
            critical[contest.group], conservative[contest.group] = found.critical, found.conservative
    return Ranked(lower, upper, band, critical, conservative)


def _errors(variance: Vector) -> Vector:
    return np.maximum(np.sqrt(variance), LEAST_SE)


def _stream(seed: int, purpose: str, group: str) -> int:
    """A seed of its own for each group, whatever other groups there are."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{purpose}/{group}".encode()).digest()[:8], "big")
