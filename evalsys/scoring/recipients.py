"""Steps 2 and 3 inside a cycle: recipients weighted to the frame, and how they answered taken off."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evalsys.rules.model import Coefficient, Rules
from evalsys.scoring.arrays import Integers, Vector
from evalsys.scoring.cells import SAMPLED, Moves, Spread
from evalsys.scoring.frame_weights import Collapsed, frame_weights
from evalsys.scoring.frames import Frame
from evalsys.scoring.inputs import FULL, THOUSANDTHS, Inputs, Moments

Terms = list[tuple[Coefficient, float]]
"""Each coefficient with its x̄."""


@dataclass(frozen=True, eq=False)
class Sample:
    """The recipients' answers, ready to be added up by contract.

    Attributes:
        rows: ascending by contract, stratum and mode, rows alike added up; columns are dimensions, then adjusters.
        weights: shape (rows,), 1 everywhere where they are not weighted.
        near: shape (contracts, columns), whole thousandths near the mean of each column.
        together: names of the strata taken together in each contract.
    """

    rows: Moments
    weights: Vector
    near: Integers
    together: Collapsed

    def total(self, values: Vector | Integers) -> Vector:
        """Sum over the rows of each contract, in their order."""
        return np.bincount(self.rows.contract, values, len(self.near)).astype(np.float64)


def corrected(inputs: Inputs, frame: Frame, rules: Rules, spread: Spread, means: Vector) -> tuple[Spread, Collapsed]:
    """Put recipients' means and spreads through the steps that are on; without one the spread is returned as it is.

    ỹ = y - Σ b (x - x̄): what is not known of a respondent counts as x̄. The spread of ỹ is put together from pairs of
    columns, each seen on those who have both; it is exact where everybody answered the adjusters.

    Args:
        inputs: the rows, by mode and stratum.
        frame: how each contract's frame is to be read.
        rules: which steps are on, and the coefficients.
        spread: of the plain answers.
        means: shape (coefficients,), x̄ of each coefficient.

    Returns:
        the spread, and which strata were taken together in each contract.
    """
    if SAMPLED not in inputs.parties or (rules.weighting is None and rules.adjustment is None):
        return spread, ((),) * len(inputs.contracts)
    sample = sample_of(inputs, frame, rules)
    coefficients = rules.adjustment.coefficients if rules.adjustment else ()
    terms = list(zip(coefficients, means.tolist(), strict=True))
    return _moved(inputs, spread, sample, terms), sample.together


def sample_of(inputs: Inputs, frame: Frame, rules: Rules) -> Sample:
    """The recipients' rows with their weights (step 2); the inputs must have recipients among their parties."""
    rows = _rows(inputs, by_mode=rules.adjustment is not None)
    weights = np.ones(len(rows.contract))
    together: Collapsed = ((),) * len(inputs.contracts)
    if rules.weighting is not None:
        weights, together = frame_weights(inputs, frame, rows, rules.weighting)
    return Sample(rows, weights, _near(inputs, rows), together)


def _rows(inputs: Inputs, *, by_mode: bool) -> Moments:
    """Sums of fractions depend on their order; in these rows it is always the same."""
    table = inputs.moments
    taken = np.flatnonzero(table.party == inputs.parties.index(SAMPLED))
    mode = table.mode if by_mode else np.zeros_like(table.mode)
    order = taken[np.lexsort((mode[taken], table.stratum[taken], table.contract[taken]))]
    keys = np.stack([column[order] for column in (table.contract, table.party, mode, table.stratum)])
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = np.diff(keys).any(axis=0)
    starts = np.flatnonzero(new)
    columns = (table.respondents, table.n, table.y, table.yy)
    return Moments(*keys[:, starts], *(np.add.reduceat(column[order], starts, axis=0) for column in columns))


def _near(inputs: Inputs, rows: Moments) -> Integers:
    near = np.zeros((len(inputs.contracts), rows.n.shape[1]), dtype=np.int64)
    for i in range(near.shape[1]):
        n, y = (np.bincount(rows.contract, values[:, i, i], len(near)) for values in (rows.n, rows.y))
        near[:, i] = y // np.maximum(n, 1)
    return near


def _moved(inputs: Inputs, spread: Spread, sample: Sample, terms: Terms) -> Spread:
    p, rows, w = inputs.parties.index(SAMPLED), sample.rows, sample.weights
    worth = _worth_of_modes(inputs, terms)[rows.mode]
    weighting, mode, case_mix = (np.zeros(spread.mean.shape) for _ in range(3))
    cross, effective = spread.cross.copy(), spread.n_effective.copy()
    for d in range(len(inputs.dimensions)):
        answers = rows.n[:, d, d]
        rest = rows.y[:, d, d] - sample.near[rows.contract, d] * answers
        plain, weighted = sample.total(answers), sample.total(w * answers)
        effective[:, p, d] = ratio(weighted**2, sample.total(w**2 * answers))
        weighting[:, p, d] = (ratio(sample.total(w * rest), weighted) - ratio(sample.total(rest), plain)) / THOUSANDTHS
        mode[:, p, d] -= ratio(sample.total(w * answers * worth[:, d]), weighted)
        for points, column, mean in _adjusters(inputs, d, terms):
            above = rows.y[:, column, d] / FULL - mean * rows.n[:, column, d]
            case_mix[:, p, d] -= points * ratio(sample.total(w * above), weighted)
    cross[:, p] = _cross(inputs, sample, worth, terms) / THOUSANDTHS**2
    return replace(
        spread,
        moves=Moves(weighting, mode, case_mix, spread.moves.severity),
        mean=spread.plain + weighting + mode + case_mix,
        cross=cross,
        n_effective=effective,
    )


def _worth_of_modes(inputs: Inputs, terms: Terms) -> Vector:
    """Σ b (x - x̄) of the modes, shape (modes, dimensions), points; 0 where the mode is not known."""
    worth = np.zeros((len(inputs.modes), len(inputs.dimensions)))
    known = np.array([mode != "" for mode in inputs.modes])
    for coefficient, mean in terms:
        if coefficient.mode is not None:
            here = np.array([mode == coefficient.mode for mode in inputs.modes])
            worth[:, inputs.dimensions.index(coefficient.dimension)] += coefficient.points * (here - mean) * known
    return worth


def _adjusters(inputs: Inputs, d: int, terms: Terms) -> list[tuple[float, int, float]]:
    """Points, column and x̄ of each adjuster with a coefficient on the dimension."""
    return [
        (coefficient.points, len(inputs.dimensions) + inputs.adjusters.index(coefficient.criterion), mean)
        for coefficient, mean in terms
        if coefficient.criterion is not None and coefficient.dimension == inputs.dimensions[d]
    ]


def _cross(inputs: Inputs, sample: Sample, worth: Vector, terms: Terms) -> Vector:
    """Sums of products of ỹ around its means, scaled to as many answers as there are; squared thousandths."""
    count = len(inputs.dimensions)
    slopes = [[(b / 100, column) for b, column, _ in _adjusters(inputs, d, terms)] for d in range(count)]
    n, pairs = _pairs(sample, worth)
    own = np.diagonal(n, axis1=1, axis2=2)
    cross = np.zeros((len(n), count, count))
    for d in range(count):
        for e in range(count):
            of_y = pairs[:, d, e].copy()
            for b, a in slopes[d]:
                of_y -= b * pairs[:, a, e]
            for b, a in slopes[e]:
                of_y -= b * pairs[:, d, a]
            for b, a in slopes[d]:
                for other, c in slopes[e]:
                    # adjusters of those who answered the dimensions, as far as pairs of columns tell
                    share = np.sqrt(ratio(n[:, a, d], own[:, a]) * ratio(n[:, c, e], own[:, c]))
                    of_y += b * other * share * pairs[:, a, c]
            answers = sample.total(sample.rows.n[:, d, e])
            cross[:, d, e] = (of_y if d != e else np.maximum(of_y, 0)) * ratio(answers, n[:, d, e])
    return cross


def _pairs(sample: Sample, worth: Vector) -> tuple[Vector, Vector]:
    """Weights of those who have both of two columns, and their sums of products, the worth of modes taken off."""
    rows, w = sample.rows, sample.weights
    contracts, columns = sample.near.shape
    centre = sample.near[rows.contract].astype(np.float64)
    centre[:, : worth.shape[1]] += worth * THOUSANDTHS
    n, cross = (np.zeros((contracts, columns, columns)) for _ in range(2))
    for i in range(columns):
        for j in range(i + 1):
            both = rows.n[:, i, j]
            first, second = rows.y[:, i, j] - centre[:, i] * both, rows.y[:, j, i] - centre[:, j] * both
            products = rows.yy[:, i, j] - centre[:, i] * rows.y[:, j, i] - centre[:, j] * first
            weight = sample.total(w * both)
            n[:, i, j] = n[:, j, i] = weight
            around = sample.total(w * products) - ratio(sample.total(w * first) * sample.total(w * second), weight)
            cross[:, i, j] = cross[:, j, i] = around
    return n, cross


def ratio(part: Vector, whole: Vector) -> Vector:
    """0 where there is nothing to divide by."""
    some = whole > 0
    return np.where(some, part, 0) / np.where(some, whole, 1)
