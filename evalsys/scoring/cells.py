"""From the tables of step 0 to one mean, count and spread for every (contract, party, dimension)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Integers, Vector
from evalsys.scoring.frames import frame_of
from evalsys.scoring.inputs import THOUSANDTHS, Inputs

SAMPLED = "recipient"
"""The party that is asked as a sample of many; the others are appointed raters."""


@dataclass(frozen=True, eq=False)
class Moves:
    """Points that steps 2 to 4 add to the plain mean of each (contract, party, dimension); 0 for a step that is off."""

    weighting: Vector
    mode: Vector
    case_mix: Vector
    severity: Vector


@dataclass(frozen=True, eq=False)
class Spread:
    """What the respondents of each contract and party said, all modes and strata together.

    Attributes:
        respondents: shape (contracts, parties).
        n: shape (contracts, parties, dimensions, dimensions); [..., i, j] counts those who have both composites.
        plain: shape (contracts, parties, dimensions), points: the mean of the answers as they came; 0 where nobody
            answered.
        moves: from the plain mean to `mean`.
        mean: shaped like `plain`: after the steps that are on; may leave 0 to 100.
        cross: shaped like `n`, squared points: sums of products around the means of those who have both; of weighted
            answers scaled so that they stand for as many answers as there are.
        n_effective: shaped like `plain`: answers of equal weight that are as precise.
    """

    respondents: Integers
    n: Integers
    plain: Vector
    moves: Moves
    mean: Vector
    cross: Vector
    n_effective: Vector

    @property
    def answers(self) -> Integers:
        """Shape (contracts, parties, dimensions): those with a composite on the dimension."""
        return np.diagonal(self.n, axis1=2, axis2=3)

    @property
    def variance(self) -> Vector:
        """Sample variance in squared points, shaped like `mean`; 0 where fewer than two answered."""
        freedom = np.maximum(self.answers - 1, 1)
        return np.diagonal(self.cross, axis1=2, axis2=3) / freedom


def spread_of(inputs: Inputs) -> Spread:
    """Add up the moments of each contract and party, exactly, then centre them; no step has moved anything yet."""
    table, d = inputs.moments, len(inputs.dimensions)
    shape = (len(inputs.contracts), len(inputs.parties), d, d)
    where = (table.contract, table.party)
    n, y, yy = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    respondents = np.zeros(shape[:2], dtype=np.int64)
    np.add.at(respondents, where, table.respondents)
    for total, rows in ((n, table.n), (y, table.y), (yy, table.yy)):
        np.add.at(total, where, rows[:, :d, :d])
    # Shifted by whole numbers near the means, so that equal answers have a spread of exactly 0.
    near = y // np.maximum(n, 1)
    other = np.swapaxes(near, 2, 3)
    shifted = yy - near * np.swapaxes(y, 2, 3) - other * y + n * near * other
    rest = y - n * near
    cross = shifted - rest * np.swapaxes(rest, 2, 3) / np.maximum(n, 1)
    total, answers = (np.diagonal(table, axis1=2, axis2=3) for table in (y, n))
    mean = total / np.maximum(answers, 1) / THOUSANDTHS
    still = np.zeros(mean.shape)
    return Spread(
        respondents=respondents,
        n=n,
        plain=mean,
        moves=Moves(still, still, still, still),
        mean=mean,
        cross=cross / THOUSANDTHS**2,
        n_effective=answers.astype(np.float64),
    )


def frame_sizes(inputs: Inputs) -> Vector:
    """F of each contract, shape (contracts,); infinite where no frame is known."""
    return frame_of(inputs).size


def weight_matrix(rules: Rules) -> Vector:
    """W_d V_{p|d}, shape (parties, dimensions), scaled to add up to 1: only the proportions of weights count."""
    weights = np.zeros((len(rules.parties), len(rules.dimensions)))
    whole = sum(row.share for row in rules.weights)
    for row in rules.weights:
        d = [dimension.code for dimension in rules.dimensions].index(row.dimension)
        of_dimension = sum(row.parties.values())
        for p, party in enumerate(rules.parties):
            weights[p, d] = row.share / whole * (row.parties.get(party.code, 0.0) / of_dimension)
    return weights
