"""Ranks inside peer groups, computed before any rounding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Flags, Integers, Vector, floats, indices
from evalsys.scoring.rank_sets import RankSets, bands, rank_sets

__all__ = ["NO_RANK", "Peers", "RankSets", "bands", "competition_ranks", "peers_of", "rank_sets", "ranks_among"]

TIE_DECIMALS = 9
"""Scores equal to this many decimals are ties: less is noise of floating-point arithmetic."""

NO_RANK = 0
"""The rank of a score that is withheld."""


@dataclass(frozen=True, eq=False)
class Peers:
    """Who is compared with whom.

    Attributes:
        groups: codes of the groups, those of the inputs first, then ancestors that only the rules name.
        group: shape (members,), the group in which each is compared.
        members: for each of the groups, positions of those who belong to it or to one of its descendants, ascending.
    """

    groups: tuple[str, ...]
    group: Integers
    members: tuple[Integers, ...]

    def scored(self, scores: Vector) -> Iterator[tuple[int, Integers, Flags]]:
        """Each group in which somebody with a score is compared.

        Args:
            scores: shape (members,), NaN = no score.

        Yields:
            the group's position, its members with a score, and which of these are compared there, not further down.
        """
        for group in np.unique(self.group).tolist():
            among = self.members[group][~np.isnan(scores[self.members[group]])]
            here: Flags = self.group[among] == group
            if here.any():
                yield group, among, here


def competition_ranks(scores: ArrayLike) -> Integers:
    """1, 2, 2, 4 …: the best first, ties share the better rank.

    Args:
        scores: shape (members,), NaN = not ranked.

    Returns:
        shape (members,), 1 for the best; `NO_RANK` for NaN.

    Raises:
        ValueError: not one line of numbers.
    """
    given = floats("scores", scores, gaps=True)
    if given.ndim != 1:
        raise ValueError(f"scores: must be one-dimensional, has {given.ndim} dimensions")
    values = -np.round(given, TIE_DECIMALS)
    order = values.argsort()  # NaN comes last
    down = values[order]
    place = np.arange(1, len(given) + 1)
    place[1:][down[1:] == down[:-1]] = NO_RANK
    np.maximum.accumulate(place, out=place)
    place[np.isnan(down)] = NO_RANK
    ranks = np.empty(len(given), dtype=np.int64)
    ranks[order] = place
    return ranks


def peers_of(groups: tuple[str, ...], group: Integers, rules: Rules) -> Peers:
    """Find the group each member is compared in: its own, or the nearest ancestor that is large enough.

    A group with fewer members than the rules' minimum is compared in its parent, among everybody below that parent;
    members of a large sibling keep their own group. Without a large enough ancestor the topmost one serves.

    Args:
        groups: codes that `group` points into; a code the rules do not name has no parent.
        group: shape (members,).
        rules: the tree of peer groups and their minimum size.
    """
    own = indices("group", group, below=len(groups))
    parents = {entry.code: entry.parent for entry in rules.peer_groups}
    ancestry = {code: _ancestry(code, parents) for code in groups}
    every = tuple(dict.fromkeys((*groups, *(code for line in ancestry.values() for code in line))))
    places = {code: place for place, code in enumerate(every)}
    lists: list[list[Integers]] = [[] for _ in every]
    ends = np.bincount(own, minlength=len(groups)).cumsum()
    for code, inside in zip(groups, np.split(np.argsort(own, kind="stable"), ends), strict=False):  # the rest is empty
        for ancestor in ancestry[code]:
            lists[places[ancestor]].append(inside)
    members = tuple(np.sort(np.concatenate(parts)) for parts in lists)
    chosen = np.zeros(len(groups), dtype=np.int64)
    for place, code in enumerate(groups):
        line = [places[ancestor] for ancestor in ancestry[code]]
        chosen[place] = next((g for g in line if len(members[g]) >= rules.peer_group_minimum), line[-1])
    return Peers(every, chosen[own] if len(own) else own, members)


def ranks_among(scores: Vector, peers: Peers) -> tuple[Integers, Integers]:
    """Competition ranks of each member among its peers.

    Args:
        scores: shape (members,), NaN = not ranked.
        peers: who is compared with whom.

    Returns:
        the ranks, and how many are ranked in each member's group; both of shape (members,).
    """
    ranks, ranked = np.full(len(scores), NO_RANK, dtype=np.int64), np.zeros(len(scores), dtype=np.int64)
    for group in np.unique(peers.group).tolist():
        among = peers.members[group]
        here, everyone = peers.group[among] == group, competition_ranks(scores[among])
        ranks[among[here]] = everyone[here]
        ranked[among[here]] = np.count_nonzero(everyone)
    return ranks, ranked


def _ancestry(code: str, parents: dict[str, str | None]) -> tuple[str, ...]:
    line = [code]
    while (parent := parents.get(line[-1])) is not None:
        if parent in line:
            raise ValueError(f"rules.peer_groups: {parent} is its own ancestor")
        line.append(parent)
    return tuple(line)
