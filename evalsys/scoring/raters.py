"""Step 4 inside a cycle: how severe each appointed rater is, learned once and taken off where raters overlap."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Flags, Integers, Vector
from evalsys.scoring.cells import Spread, weight_matrix
from evalsys.scoring.inputs import THOUSANDTHS, Inputs, Judged
from evalsys.scoring.severity import fit_crossed


@dataclass(frozen=True, eq=False)
class Raters:
    """How severe each appointed rater is, from one crossed fit of their composites when the cycle closed.

    Attributes:
        labels: of the raters, ascending; one who comes later is taken as neither severe nor lenient.
        severity: shape (raters,), points above what others would give the same contracts; 0 where it is not known. The
            ratings of a connected part add up to no severity, so taking it off moves no part against another.
        sd: shape (raters,), its conditional standard deviation; NaN where it is not known.
        component: shape (raters,), number of the connected part of the rater-contract graph, in the order of their
            first raters; between parts nothing is comparable.
        overlapping: contracts that at least two of them rated.
        variance_target, variance_rater, variance_residual: squared points; the assumed rater variance and NaN
            otherwise where `assumed`.
        assumed: too few contracts overlap to learn from, so nothing is taken off.
    """

    labels: tuple[str, ...]
    severity: Vector
    sd: Vector
    component: Integers
    overlapping: int
    variance_target: float
    variance_rater: float
    variance_residual: float
    assumed: bool


@dataclass(frozen=True, eq=False)
class _Composites:
    """One composite for each pair of a contract and a rater, ascending by both; arrays of shape (pairs,).

    Attributes:
        contract: position among the inputs' contracts.
        rater: position among the labels in ascending order.
        points: the rater's mean over the party's dimensions by their weights.
    """

    contract: Integers
    rater: Integers
    points: Vector


def fit_raters(inputs: Inputs, rules: Rules) -> Raters | None:
    """Learn severity from the contracts that several raters of the party judged; None where the step is off.

    A rater's composite on a contract is the mean over the dimensions there are, by the weights the party has on them.
    One fit takes in every connected part with at least two raters. Where fewer contracts than the rules ask have two
    raters, or the answers cannot tell severity from quality and chance, an assumed deviation is kept to be shown and
    nothing is taken off.
    """
    if rules.severity is None:
        return None
    labels = tuple(sorted(set(inputs.raters)))
    answers = _composites(inputs, rules, labels)
    component, shared = _parts(answers, len(inputs.contracts), len(labels))
    overlapping = int((np.bincount(answers.contract) > 1).sum())
    nothing = Raters(
        labels=labels,
        severity=np.zeros(len(labels)),
        sd=np.full(len(labels), np.nan),
        component=component,
        overlapping=overlapping,
        variance_target=np.nan,
        variance_rater=rules.interval.assumed_rater_sd**2,
        variance_residual=np.nan,
        assumed=True,
    )
    if overlapping < rules.interval.pool_minimum:
        return nothing
    known = shared[component[answers.rater]]
    points, contract, rater = answers.points[known], answers.contract[known], answers.rater[known]
    try:
        fit = fit_crossed(points, contract, rater, method=rules.severity.method)
    except ValueError:  # all equal, not told apart or not converged: the answers do not say
        return nothing
    severity, sd = np.zeros(len(labels)), np.full(len(labels), np.nan)
    who = fit.rater_effects.labels.astype(np.int64)
    severity[who], sd[who] = fit.rater_effects.values, fit.rater_effects.sd
    rated = np.bincount(component[rater], minlength=len(shared))
    level = np.bincount(component[rater], severity[rater], len(shared)) / np.maximum(rated, 1)
    severity[who] -= level[component[who]]
    return replace(
        nothing,
        severity=severity,
        sd=sd,
        variance_target=fit.variance_target,
        variance_rater=fit.variance_rater,
        variance_residual=fit.variance_residual,
        assumed=False,
    )


def without_severity(inputs: Inputs, rules: Rules, spread: Spread, raters: Raters | None) -> Spread:
    """Take the severity of its raters off a party's means; spreads stay, for they are those between raters.

    On each dimension a contract moves by the mean severity of the raters who judged it there.

    Raises:
        ValueError: more ratings of single raters than the party has.
    """
    if rules.severity is None or raters is None or inputs.judged is None:
        return spread
    p = inputs.parties.index(rules.severity.party)
    known = dict(zip(raters.labels, raters.severity.tolist(), strict=True))
    off = np.array([known.get(label, 0.0) for label in inputs.raters])
    judged = _summed(inputs.judged)
    n, answers = np.zeros(spread.mean[:, p].shape, dtype=np.int64), spread.answers[:, p]
    np.add.at(n, judged.contract, judged.n)
    if (n > answers).any():
        contract = inputs.contracts[int(np.argwhere(n > answers)[0, 0])]
        raise ValueError(f"judged.n: contract {contract} has more ratings by rater than its party gave")
    sums = np.zeros(n.shape)
    np.add.at(sums, judged.contract, judged.n * off[judged.rater, None])
    severity = spread.moves.severity.copy()
    severity[:, p] = 0.0 - sums / np.maximum(answers, 1)
    return replace(spread, moves=replace(spread.moves, severity=severity), mean=spread.mean + severity)


def _composites(inputs: Inputs, rules: Rules, labels: tuple[str, ...]) -> _Composites:
    nothing = np.zeros(0, dtype=np.int64)
    if rules.severity is None or inputs.judged is None:
        return _Composites(nothing, nothing, np.zeros(0))
    place = np.searchsorted(np.array(labels), np.array(inputs.raters)).astype(np.int64)
    judged = _summed(replace(inputs.judged, rater=place[inputs.judged.rater]))
    weights = weight_matrix(rules)[inputs.parties.index(rules.severity.party)] * (judged.n > 0)
    whole, points = np.zeros(len(judged.rater)), np.zeros(len(judged.rater))
    for d in range(weights.shape[1]):
        whole += weights[:, d]
        points += weights[:, d] * (judged.y[:, d] / np.maximum(judged.n[:, d], 1) / THOUSANDTHS)
    known = whole > 0
    return _Composites(judged.contract[known], judged.rater[known], points[known] / whole[known])


def _parts(answers: _Composites, contracts: int, raters: int) -> tuple[Integers, Flags]:
    """The connected part of each rater, numbered in their order, and which parts have several raters."""
    nodes = contracts + raters
    edges = csr_array(
        (np.ones(len(answers.points)), (answers.contract, contracts + answers.rater)), shape=(nodes, nodes)
    )
    part = connected_components(edges, directed=False)[1][contracts:]
    _, first, place = np.unique(part, return_index=True, return_inverse=True)
    component = np.argsort(np.argsort(first))[place].astype(np.int64)
    return component, np.bincount(component, minlength=len(first)) > 1


def _summed(table: Judged) -> Judged:
    """Rows ascending by contract and rater, rows alike added up."""
    order = np.lexsort((table.rater, table.contract))
    contract, rater = table.contract[order], table.rater[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (np.diff(contract) != 0) | (np.diff(rater) != 0)
    starts = np.flatnonzero(new)
    sums = (np.add.reduceat(column[order], starts, axis=0) for column in (table.n, table.y, table.yy))
    return Judged(contract[starts], rater[starts], *sums)
