"""What is published of a cycle's inputs: enough to recompute every score, and no answer that only a few gave.

Answers are told as sums over groups of at least five recipients, and over each appointed rater. With the rules and the
frozen terms they give the same score, interval, grade, status, rank sets and weight space; steps 2 to 4 enter as
weights, adjustments and severities. Sums are taken of deviations from a number near the mean, so that answers that are
all alike have a spread of exactly 0 in any arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evalsys.rules.model import Rules
from evalsys.scoring import engine, pooled
from evalsys.scoring.arrays import Flags, Integers, Vector
from evalsys.scoring.cells import SAMPLED, Moves, Spread
from evalsys.scoring.frames import frame_of
from evalsys.scoring.inputs import THOUSANDTHS, Inputs, Moments
from evalsys.scoring.pooled import Pooled, Prepared
from evalsys.scoring.recipients import Sample, ratio, sample_of
from evalsys.scoring.result import Result

SMALLEST_GROUP = 5
"""The fewest recipients whose answers are told together."""

NOBODY = -1
"""The rater of a group whose answers are nobody's in particular."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Sums over groups of respondents; arrays with one row a group, ascending by contract, party and group.

    Attributes:
        contract, party: positions in the lists of `Inputs`.
        group: counts from 1 inside each contract and party.
        rater: position among the raters; `NOBODY` where they are not told apart.
        people: respondents.
        n: shape (rows, dimensions, dimensions), those who have both composites; 0 where too few have.
        weight: same shape, their weights added up.
        squares: shape (rows, dimensions), the squares of their weights added up.
        centre: shape (rows, dimensions), points near the mean of the contract and party.
        sums: shape (rows, dimensions, dimensions); [i, j]: weighted deviations of i from its centre, over who has both.
        products: same shape; weighted products of both deviations; of raters the squares alone.
    """

    contract: Integers
    party: Integers
    group: Integers
    rater: Integers
    people: Integers
    n: Integers
    weight: Vector
    squares: Vector
    centre: Vector
    sums: Vector
    products: Vector


@dataclass(frozen=True, eq=False)
class Adjusted:
    """What step 3 did to recipients' answers: recorded, for their modes and circumstances are not told by group.

    Attributes:
        points: shape (contracts, dimensions), added to the weighted mean.
        variance: same shape, squared points, of the adjusted answers.
    """

    points: Vector
    variance: Vector


@dataclass(frozen=True, eq=False)
class PublicInputs:
    """Everything a recomputation reads beside the rules and the frozen terms.

    Attributes:
        facts: the contracts, vendors, peer groups and sizes; its tables are empty.
        frame: shape (contracts,), F; infinite where no frame is known.
        raters: labels of those that `groups.rater` points into.
        severity: shape (raters,), points; 0 where none is known.
        groups: the sums.
        adjusted: None where step 3 is off.
    """

    facts: Inputs
    frame: Vector
    raters: tuple[str, ...]
    severity: Vector
    groups: Groups
    adjusted: Adjusted | None


def public_inputs(inputs: Inputs, rules: Rules, terms: Pooled) -> PublicInputs:
    """Tell a cycle's inputs in groups.

    Args:
        inputs: what step 0 handed over.
        rules: by which it is scored.
        terms: the frozen terms of the run.
    """
    frame = frame_of(inputs)
    spread = pooled.prepare(inputs, frame, rules, terms).spread
    parts = [part for p in range(len(inputs.parties)) for part in _of_raters(inputs, rules, p)]
    if SAMPLED in inputs.parties:
        parts += _of_recipients(inputs, sample_of(inputs, frame, rules))
    parts.sort(key=lambda part: (part.contract, part.party))  # a stable sort: groups keep their order
    return PublicInputs(
        facts=_facts(inputs),
        frame=frame.size,
        raters=inputs.raters,
        severity=_severity(inputs, terms),
        groups=_table(parts, len(inputs.dimensions)),
        adjusted=None if rules.adjustment is None else _adjusted(inputs, spread),
    )


def recompute(public: PublicInputs, rules: Rules, terms: Pooled, *, seed: int) -> Result:
    """Score from what is published alone.

    What only the answers themselves tell (the parts of a score by step, strata taken together) is empty.
    """
    ready = Prepared(_spread(public), terms, ((),) * len(public.facts.contracts))
    return engine.conclude(public.facts, ready, public.frame, rules, seed=seed)


@dataclass(frozen=True, eq=False)
class _Part:
    """One group; the arrays without the axis of rows."""

    contract: int
    party: int
    rater: int
    people: int
    n: Integers
    weight: Vector
    squares: Vector
    centre: Vector
    sums: Vector
    products: Vector


def _facts(inputs: Inputs) -> Inputs:
    d, empty = len(inputs.dimensions), np.zeros(0, dtype=np.int64)
    nothing = np.zeros((0, d, d), dtype=np.int64)
    return Inputs(
        parties=inputs.parties,
        dimensions=inputs.dimensions,
        criteria=inputs.criteria,
        modes=(),
        strata=(),
        contracts=inputs.contracts,
        vendors=inputs.vendors,
        peer_groups=inputs.peer_groups,
        vendor=inputs.vendor,
        peer_group=inputs.peer_group,
        amount=inputs.amount,
        served=inputs.served,
        moments=Moments(empty, empty, empty, empty, empty, nothing, nothing, nothing),
    )


def _severity(inputs: Inputs, terms: Pooled) -> Vector:
    known = {} if terms.raters is None else dict(zip(terms.raters.labels, terms.raters.severity.tolist(), strict=True))
    return np.array([known.get(label, 0.0) for label in inputs.raters], dtype=np.float64)


def _adjusted(inputs: Inputs, spread: Spread) -> Adjusted:
    p = inputs.parties.index(SAMPLED)
    return Adjusted((spread.moves.mode + spread.moves.case_mix)[:, p], spread.variance[:, p])


def _of_raters(inputs: Inputs, rules: Rules, p: int) -> Iterator[_Part]:
    """The groups of an appointed party: one a rater where they are told apart, then those who are not."""
    if inputs.parties[p] == SAMPLED:
        return
    rows, d = np.flatnonzero(inputs.moments.party == p), len(inputs.dimensions)
    shape, contract = (len(inputs.contracts), d), inputs.moments.contract[rows]
    people, n, y = np.zeros(shape[0], dtype=np.int64), np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    np.add.at(people, contract, inputs.moments.respondents[rows])
    for total, column in ((n, inputs.moments.n), (y, inputs.moments.y)):
        np.add.at(total, contract, np.diagonal(column[rows], axis1=1, axis2=2)[:, :d])
    if inputs.judged is not None and rules.severity is not None and rules.severity.party == inputs.parties[p]:
        judged = inputs.judged
        for row in np.lexsort((judged.rater, judged.contract)).tolist():
            c = int(judged.contract[row])
            yield _single((c, p, int(judged.rater[row])), 1, judged.n[row], judged.y[row])
            people[c], n[c], y[c] = max(people[c] - 1, 0), n[c] - judged.n[row], y[c] - judged.y[row]
    for c in np.flatnonzero(n.any(axis=1)).tolist():
        yield _single((c, p, NOBODY), int(people[c]), n[c], y[c])


def _single(where: tuple[int, int, int], people: int, n: Integers, y: Integers) -> _Part:
    """A group (contract, party, rater) whose spread is not told, for that of raters is frozen."""
    d, (contract, party, rater) = len(n), where
    return _Part(
        contract=contract,
        party=party,
        rater=rater,
        people=people,
        n=np.diag(n),
        weight=np.diag(n).astype(np.float64),
        squares=n.astype(np.float64),
        centre=np.zeros(d),
        sums=np.diag(y) / THOUSANDTHS,
        products=np.zeros((d, d)),
    )


def _of_recipients(inputs: Inputs, sample: Sample) -> Iterator[_Part]:
    """The groups of recipients: those of one weight, small ones taken together with the next by weight."""
    d, p, rows = len(inputs.dimensions), inputs.parties.index(SAMPLED), sample.rows
    n, y, yy = (table[:, :d, :d] for table in (rows.n, rows.y, rows.yy))
    near = sample.near[:, :d]
    centre = near[rows.contract]
    sums = y - centre[:, :, None] * n
    products = yy - centre[:, :, None] * np.swapaxes(y, 1, 2) - centre[:, None, :] * sums
    starts = np.searchsorted(rows.contract, np.arange(len(inputs.contracts) + 1))
    for c in range(len(inputs.contracts)):
        for group in _large_enough(np.arange(*starts[c : c + 2]), sample.weights, rows):
            w, told = sample.weights[group, None, None], _told(n[group].sum(axis=0))
            yield _Part(
                contract=c,
                party=p,
                rater=NOBODY,
                people=int(rows.respondents[group].sum()),
                n=n[group].sum(axis=0) * told,
                weight=(w * n[group]).sum(axis=0) * told,
                squares=np.diagonal((w**2 * n[group]).sum(axis=0) * told),
                centre=near[c] / THOUSANDTHS,
                sums=(w * sums[group]).sum(axis=0) * told / THOUSANDTHS,
                products=(w * products[group]).sum(axis=0) * told / THOUSANDTHS**2,
            )


def _told(n: Integers) -> Flags:
    """Where enough people stand behind a sum."""
    return n >= SMALLEST_GROUP


def _large_enough(here: Integers, weights: Vector, rows: Moments) -> list[Integers]:
    """Rows of one contract by weight, light ones first, in groups on whose every dimension nobody or enough answered.

    The last group may stay too small where the contract has too few answers.
    """
    groups: list[Integers] = []
    open_rows = here[:0]
    for weight in np.unique(weights[here]):
        open_rows = np.concatenate([open_rows, here[weights[here] == weight]])
        if _is_enough(open_rows, rows):
            groups.append(open_rows)
            open_rows = here[:0]
    while len(open_rows) and groups and not _is_enough(open_rows, rows):
        open_rows = np.concatenate([groups.pop(), open_rows])
    return [*groups, open_rows] if len(open_rows) else groups


def _is_enough(group: Integers, rows: Moments) -> bool:
    n = np.diagonal(rows.n[group].sum(axis=0))
    return bool(np.all((n == 0) | _told(n)) and rows.respondents[group].sum() >= SMALLEST_GROUP)


def _table(parts: list[_Part], dimensions: int) -> Groups:
    number: dict[tuple[int, int], int] = {}
    group = [number.setdefault((part.contract, part.party), 0) for part in parts]
    for place, part in enumerate(parts):
        number[part.contract, part.party] += 1
        group[place] = number[part.contract, part.party]
    square = (-1, dimensions, dimensions)
    return Groups(
        contract=np.array([part.contract for part in parts], dtype=np.int64),
        party=np.array([part.party for part in parts], dtype=np.int64),
        group=np.array(group, dtype=np.int64),
        rater=np.array([part.rater for part in parts], dtype=np.int64),
        people=np.array([part.people for part in parts], dtype=np.int64),
        n=np.array([part.n for part in parts], dtype=np.int64).reshape(square),
        weight=np.array([part.weight for part in parts], dtype=np.float64).reshape(square),
        squares=np.array([part.squares for part in parts], dtype=np.float64).reshape(-1, dimensions),
        centre=np.array([part.centre for part in parts], dtype=np.float64).reshape(-1, dimensions),
        sums=np.array([part.sums for part in parts], dtype=np.float64).reshape(square),
        products=np.array([part.products for part in parts], dtype=np.float64).reshape(square),
    )


def _spread(public: PublicInputs) -> Spread:
    """What the groups say of each contract and party, together."""
    groups, facts = public.groups, public.facts
    where, d = (groups.contract, groups.party), len(facts.dimensions)
    shape = (len(facts.contracts), len(facts.parties))
    n, respondents = np.zeros((*shape, d, d), dtype=np.int64), np.zeros(shape, dtype=np.int64)
    weight, sums, products = (np.zeros((*shape, d, d)) for _ in range(3))
    squares, centre, severity = (np.zeros((*shape, d)) for _ in range(3))
    np.add.at(respondents, where, groups.people)
    for total, column in ((n, groups.n), (weight, groups.weight), (sums, groups.sums), (products, groups.products)):
        np.add.at(total, where, column)
    np.add.at(squares, where, groups.squares)
    centre[where] = groups.centre
    known = groups.rater != NOBODY
    own = np.diagonal(groups.n, axis1=1, axis2=2)[known]
    np.add.at(severity, tuple(axis[known] for axis in where), own * public.severity[groups.rater[known], None])
    people = n.astype(np.float64)
    whole, answers, first = (np.diagonal(table, axis1=2, axis2=3) for table in (weight, people, sums))
    cross = (products - ratio(sums * np.swapaxes(sums, 2, 3), weight)) * ratio(people, weight)
    mean = centre + ratio(first, whole) - ratio(severity, answers)
    if public.adjusted is not None:
        p = facts.parties.index(SAMPLED)
        mean[:, p] += public.adjusted.points
        for i in range(d):
            cross[:, p, i, i] = public.adjusted.variance[:, i] * np.maximum(answers[:, p, i] - 1, 0)
    still = np.zeros(mean.shape)
    moves = Moves(still, still, still, still)
    return Spread(respondents, n, mean, moves, mean, cross, ratio(whole**2, squares))
