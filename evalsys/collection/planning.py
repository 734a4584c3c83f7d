"""Who assesses what, worked out: balanced, overlapping, connected, and nobody where a tie bars.

Pure: matrices in, a matrix out; rows are contracts, columns evaluators. First every contract gets somebody, then the
wanted share gets a second one, chosen so that evaluators who share no contract yet come together; what is still apart
is joined; at last contracts pass from the loaded to the free as long as nothing comes apart. The same seed gives the
same plan.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Matrix = NDArray[np.bool_]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """A plan, with what it could not do.

    Attributes:
        given: shape (contracts, evaluators); what comes on top of what is kept.
        seen: the same with what is kept.
        parts: shape (evaluators,); the connected part that each belongs to, the largest 0; -1 for those without work.
        unseen: rows of the contracts that nobody gets.
        wanted: how many contracts at least two were to see.
        by_capacity: what is left undone could be done if some evaluator took more; otherwise bars forbid it.
    """

    given: Matrix
    seen: Matrix
    parts: Counts
    unseen: Counts
    wanted: int
    by_capacity: bool

    @property
    def doubly(self) -> int:
        """How many contracts at least two see."""
        return int((self.seen.sum(axis=1) >= 2).sum())

    @property
    def loads(self) -> Counts:
        """Contracts of each evaluator."""
        counts: Counts = self.seen.sum(axis=0)
        return counts


def make_plan(allowed: Matrix, kept: Matrix, *, share: float, seed: int, capacity: Counts | None = None) -> Plan:
    """Plan on top of what is assigned already.

    Args:
        allowed: shape (contracts, evaluators); whether the evaluator may assess the contract.
        kept: the same shape; assignments that stay, whatever `allowed` says.
        share: of the contracts that at least two are to see, 0 to 1. Where the evaluators would not be connected by
            these alone, more are seen twice.
        seed: settles what is equal otherwise.
        capacity: shape (evaluators,); the most contracts that each takes, what is kept included; none without.

    Raises:
        ValueError: nothing to plan, the shapes differ, or the share is none.
    """
    if allowed.ndim != 2 or allowed.shape != kept.shape:
        raise ValueError(f"allowed and kept must be two matrices of one shape, not {allowed.shape} and {kept.shape}")
    if not allowed.size:
        raise ValueError("there must be at least one contract and one evaluator")
    if not 0 <= share <= 1:
        raise ValueError(f"share must be from 0 to 1, not {share}")
    board = _Board(allowed, kept, seed, capacity)
    wanted = math.ceil(share * len(allowed) - 1e-9)
    _give_first(board)
    _give_second(board, wanted)
    _join(board)
    while _shift(board) or _pass_on(board):
        pass
    parts = parts_of(board.seen)
    unseen = np.flatnonzero(board.seers == 0)
    return Plan(board.new, board.seen, parts, unseen, wanted, _room_would_help(board, parts, wanted))


def parts_of(seen: Matrix) -> Counts:
    """The connected part that each evaluator belongs to through shared contracts.

    Returns:
        shape (evaluators,); 0 for the part with the most evaluators, then contracts; -1 for those who see nothing.
    """
    rows, columns = np.nonzero(seen)
    contracts, evaluators = seen.shape
    nodes = contracts + evaluators
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, contracts + columns)), shape=(nodes, nodes))
    _count, labels = connected_components(graph, directed=False)
    found = labels[contracts:]
    active = seen.any(axis=0)
    of_contracts = np.bincount(labels[:contracts], minlength=nodes)
    names, firsts, sizes = np.unique(found[active], return_index=True, return_counts=True)
    order = sorted(range(len(names)), key=lambda i: (-sizes[i], -of_contracts[names[i]], firsts[i]))
    renamed = np.full(nodes, -1, dtype=np.int64)
    renamed[names[order]] = np.arange(len(names))
    return np.where(active, renamed[found], -1)


class _Board:
    """The plan in the making."""

    def __init__(self, allowed: Matrix, kept: Matrix, seed: int, capacity: Counts | None) -> None:
        self.allowed = allowed
        self.seen = kept.copy()
        self.new = np.zeros_like(kept)
        self.load: Counts = kept.sum(axis=0)
        self.seers: Counts = kept.sum(axis=1)
        self.part = parts_of(kept)
        self.most = np.full(allowed.shape[1], np.iinfo(np.int64).max) if capacity is None else capacity
        self.random = np.random.default_rng(seed)

    def has_room(self) -> Matrix:
        return self.load < self.most

    def open_rows(self, evaluator: int) -> Matrix:
        """The contracts that an evaluator may see and does not yet."""
        rows: Matrix = self.allowed[:, evaluator] & ~self.seen[:, evaluator]
        return rows

    def by_load(self) -> Counts:
        """The evaluators that have room, the least loaded first, equals by chance."""
        order = np.argsort(self.load + self.random.random(len(self.load)))
        with_room: Counts = order[self.has_room()[order]]
        return with_room

    def give(self, row: int, evaluator: int) -> None:
        """Give a contract to one more evaluator, and join the parts that this connects."""
        together = self.part[self.seen[row]]
        self._set(row, evaluator, given=True)
        if self.part[evaluator] < 0:
            self.part[evaluator] = self.part.max() + 1
        for other in together:
            self.part[self.part == other] = self.part[evaluator]

    def move(self, row: int, giver: int, taker: int) -> None:
        """Let another see a contract instead; the parts are not kept up."""
        self._set(row, giver, given=False)
        self._set(row, taker, given=True)

    def _set(self, row: int, evaluator: int, *, given: bool) -> None:
        self.seen[row, evaluator] = self.new[row, evaluator] = given
        self.load[evaluator] += 1 if given else -1
        self.seers[row] += 1 if given else -1

    def any_of(self, rows: Matrix) -> int:
        """One of the rows by chance."""
        return int(self.random.choice(np.flatnonzero(rows)))


def _give_first(board: _Board) -> None:
    """Somebody for every contract: those with the least choice come first, to whoever has least."""
    waiting = np.flatnonzero(board.seers == 0)
    choice = board.allowed[waiting].sum(axis=1) + board.random.random(len(waiting))
    for row in waiting[np.argsort(choice)]:
        may = board.allowed[row]
        if not (may & board.has_room()).any():
            _make_room(board, may)
        takers = may & board.has_room()
        if takers.any():
            wait = np.where(takers, board.load + board.random.random(len(may)), np.inf)
            board.give(row, int(np.argmin(wait)))


def _make_room(board: _Board, full: Matrix) -> None:
    """Let one of some evaluators, who are all full, pass a contract on, over others where need be."""
    for giver in np.flatnonzero(full):
        path = _path(_movable(board, board.new), int(giver), board.has_room())
        if path:
            _walk(board, path, board.new)
            return


def _give_second(board: _Board, wanted: int) -> None:
    """A second evaluator for as many contracts as are wanted: first where it connects, then where pairs met least."""
    met = (board.seen.astype(np.float32).T @ board.seen.astype(np.float32)).astype(np.int64)
    doubly = int((board.seers >= 2).sum())
    while doubly < wanted:
        chosen = next(_seconds(board, met), None)
        if chosen is None:
            return
        row, evaluator = chosen
        others = np.flatnonzero(board.seen[row])
        board.give(row, evaluator)
        met[others, evaluator] += 1
        met[evaluator, others] += 1
        doubly += 1


def _seconds(board: _Board, met: Counts) -> Iterator[tuple[int, int]]:
    first = board.seen.argmax(axis=1)
    for evaluator in board.by_load():
        rows = np.flatnonzero(board.open_rows(evaluator) & (board.seers == 1))
        if len(rows):
            apart = board.part[first[rows]] != board.part[evaluator]
            wait = np.where(apart, -1, met[first[rows], evaluator]) + board.random.random(len(rows))
            yield int(rows[np.argmin(wait)]), int(evaluator)


def _join(board: _Board) -> None:
    """Let evaluators see one contract more where that connects parts; those without work stay out."""
    while board.part.max(initial=-1) > 0:
        chosen = next(_links(board), None)
        if chosen is None:
            return
        board.give(*chosen)


def _links(board: _Board) -> Iterator[tuple[int, int]]:
    of_row = np.where(board.seers > 0, board.part[board.seen.argmax(axis=1)], -1)
    for evaluator in board.by_load():
        if board.load[evaluator]:
            rows = board.open_rows(evaluator) & (of_row >= 0) & (of_row != board.part[evaluator])
            if rows.any():
                singly = rows & (board.seers == 1)
                yield board.any_of(singly if singly.any() else rows), int(evaluator)


def _shift(board: _Board) -> bool:
    """Move one contract from somebody to another who has at least two fewer; False where none can be moved."""
    order = np.argsort(-board.load, kind="stable")
    for giver in order:
        if not board.new[:, giver].any():
            continue
        for taker in order[::-1]:
            if board.load[giver] - board.load[taker] < 2:
                break
            if board.load[taker] < board.most[taker] and _shift_between(board, int(giver), int(taker)):
                return True
    return False


def _shift_between(board: _Board, giver: int, taker: int) -> bool:
    rows = board.new[:, giver] & board.open_rows(taker)
    singly = rows & (board.seers == 1)
    if board.load[taker] and singly.any():  # what one alone sees connects nobody
        board.move(board.any_of(singly), giver, taker)
        return True
    before = _part_count(board)
    for row in map(int, np.flatnonzero(rows & ~singly)):
        board.move(row, giver, taker)
        if _part_count(board) <= before:
            return True
        board.move(row, taker, giver)
    return False


def _part_count(board: _Board) -> int:
    return int(parts_of(board.seen).max(initial=-1)) + 1


def _pass_on(board: _Board) -> bool:
    """The same over others in between, with contracts that one alone sees; False where there is no such way."""
    singly = board.new & (board.seers == 1)[:, None]
    movable = _movable(board, singly) & (board.load > 0)[None, :]
    for giver in np.argsort(-board.load, kind="stable"):
        fewer = (board.load <= board.load[giver] - 2) & board.has_room()
        path = _path(movable, int(giver), fewer) if fewer.any() else []
        if path:
            _walk(board, path, singly)
            return True
    return False


def _movable(board: _Board, given: Matrix) -> Matrix:
    """Shape (evaluators, evaluators): whether the one has something given that the other could have instead."""
    free = (board.allowed & ~board.seen).astype(np.float32)
    return (given.astype(np.float32).T @ free) > 0


def _path(movable: Matrix, start: int, ends: Matrix) -> list[int]:
    """The shortest way from an evaluator to one of others; empty where there is none."""
    came_from = np.full(len(movable), -1)
    came_from[start] = start
    reached = [int(start)]
    for here in reached:
        for there in np.flatnonzero(movable[here] & (came_from < 0)):
            came_from[there] = here
            reached.append(int(there))
            if ends[there]:
                path = [int(there)]
                while path[-1] != start:
                    path.append(int(came_from[path[-1]]))
                return path[::-1]
    return []


def _walk(board: _Board, path: list[int], given: Matrix) -> None:
    """Pass one contract along each step of a way."""
    steps = [(giver, taker, given[:, giver] & board.open_rows(taker)) for giver, taker in pairwise(path)]
    for giver, taker, rows in steps:
        board.move(board.any_of(rows), giver, taker)
    board.part = parts_of(board.seen)


def _room_would_help(board: _Board, parts: Counts, wanted: int) -> bool:
    """Whether something is undone that only a full evaluator could do."""
    open_pairs = board.allowed & ~board.seen & ~board.has_room()[None, :]
    if open_pairs[board.seers == 0].any():
        return True
    if (board.seers >= 2).sum() < wanted and open_pairs[board.seers == 1].any():
        return True
    of_row = np.where(board.seers > 0, parts[board.seen.argmax(axis=1)], -1)
    crossing = (of_row[:, None] != parts[None, :]) & (of_row >= 0)[:, None] & (parts >= 0)[None, :]
    return bool((open_pairs & crossing).any())
