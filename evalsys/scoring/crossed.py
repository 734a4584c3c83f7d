"""Two crossed random intercepts: the criterion of a pair of variance ratios, and its slope.

y = μ + α_a + α_b + e has the covariance σ²V with V = I + γ_a Z_a Z_aᵀ + γ_b Z_b Z_bᵀ; γ is a variance over the residual
one. A Schur complement takes out the factor with more levels, whose own block is diagonal; what is left has as many
rows as the other factor has levels. No dense matrix has one side for each factor, and γ = 0 is a point like any other.

Source:
    Bates, Mächler, Bolker, Walker (2015), Journal of Statistical Software 67(1), section 3: the profiled criterion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs
from scipy.sparse import csc_array, csr_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from evalsys.scoring.arrays import Integers, Vector

DENSE_LIMIT = 1500
"""Up to so many levels a dense triangle (9 MB at 1,000) is faster than a sparse one."""

FILLED_LIMIT = 3000
"""Up to so many a dense one is still faster where each level meets many others, for then a sparse one fills up."""

FILLED = 0.01
"""Share of pairs of levels that meet, from which a sparse triangle fills up."""

BLOCK = 2**23
"""Numbers of an inverse that are held at one time, 64 MB."""

TOGETHER = 512
"""Levels of b whose inverse is taken together, where the graph falls into parts."""

STEP = 1e-5
"""Relative step of the slope where it is taken by differences."""

SMALLEST_RESIDUAL = 1e-10
"""A residual variance below this share of the whole is rounding, not chance."""


class Factor(Protocol):
    """A factorised positive definite matrix."""

    log_determinant: float

    def solve(self, right: Vector) -> Vector: ...


@dataclass(frozen=True, eq=False)
class Design:
    """Who answered for whom, after labels became positions.

    Attributes:
        y: shape (answers,), with mean near 0 and spread near 1.
        a: shape (answers,), level of the factor with more levels.
        b: shape (answers,), level of the other.
        counts: shape (levels of a, levels of b), answers of each pair.
        reml: take the restricted likelihood, which counts the mean as estimated.
    """

    y: Vector
    a: Integers
    b: Integers
    counts: csr_array[np.float64]
    reml: bool

    @property
    def freedom(self) -> int:
        return len(self.y) - self.reml

    @property
    def sizes(self) -> tuple[Vector, Vector]:
        """Answers of each level, of a and of b."""
        return self.sums(np.ones(len(self.y)))

    def sums(self, values: Vector) -> tuple[Vector, Vector]:
        """Sums of `values` over the answers of each level, of a and of b."""
        levels_a, levels_b = self.counts.shape
        of_a, of_b = np.bincount(self.a, values, levels_a), np.bincount(self.b, values, levels_b)
        return of_a.astype(np.float64), of_b.astype(np.float64)


@dataclass(frozen=True, eq=False)
class Point:
    """What one pair of ratios gives.

    Attributes:
        criterion: -2 log likelihood.
        slope: shape (2,), its derivative by γ_a and by γ_b.
        mean: the intercept.
        precision: 1ᵀV⁻¹1; the intercept's variance is σ² over it.
        residual: σ².
        pulls: Zᵀ of the weighted residuals; times γ they are the predicted effects, of a and of b.
    """

    criterion: float
    slope: Vector
    mean: float
    precision: float
    residual: float
    pulls: tuple[Vector, Vector]


def design(y: Vector, a: Integers, b: Integers, *, reml: bool) -> Design:
    """Count the pairs of positions without gaps; work goes down when `a` is the factor with more levels."""
    shape = (int(a.max()) + 1, int(b.max()) + 1)
    return Design(y, a, b, csr_array((np.ones(len(y)), (a, b)), shape=shape), reml)


def evaluate(of: Design, ratios: Vector) -> Point:
    """The criterion at `ratios`, shape (2,), each 0 or more.

    Raises:
        ValueError: next to nothing of y is left for the residual.
    """
    factor = _factor(of, ratios)
    ones = np.ones(len(of.y))
    flat, tilted = (_whiten(of, ratios, factor, values) for values in (ones, of.y))
    precision = float(flat.sum())
    mean = float(tilted.sum() / precision)
    rest = tilted - mean * flat
    squares = float(of.y @ rest)
    if squares <= SMALLEST_RESIDUAL * float(of.y @ of.y):
        raise ValueError("y: targets and raters explain every answer; no residual variance is left to compare with")
    pulls = of.sums(rest)
    residual = squares / of.freedom
    criterion = _log_determinant(of, ratios, factor) + of.freedom * (1 + np.log(2 * np.pi * residual))
    slope = _log_determinant_slope(of, ratios, factor) - np.array([pull @ pull for pull in pulls]) / residual
    if of.reml:
        criterion += np.log(precision)
        slope -= np.array([pull @ pull for pull in of.sums(flat)]) / precision
    return Point(float(criterion), slope, mean, precision, residual, pulls)


def connected(a: Integers, b: Integers) -> tuple[Integers, Integers]:
    """Number the parts of the graph whose edges are answers: for the levels of a, then for those of b."""
    levels_a = int(a.max()) + 1
    nodes = levels_a + int(b.max()) + 1
    graph = csr_array((np.ones(len(a)), (a, levels_a + b)), shape=(nodes, nodes))
    part = connected_components(graph, directed=False)[1].astype(np.int64)
    return part[:levels_a], part[levels_a:]


def conditional_variances(of: Design, ratios: Vector) -> tuple[Vector, Vector]:
    """Var(effect | y, μ) over σ², of a and of b.

    Parts without a common answer know nothing of each other, so an inverse is taken of a few of them at a time.
    """
    of_a, of_b = (np.zeros(levels) for levels in of.counts.shape)
    part = connected(of.a, of.b)[1]
    sizes = np.bincount(part)
    batch = ((np.cumsum(sizes) - sizes) // TOGETHER)[part][of.b]
    order = np.argsort(batch, kind="stable")
    for these in np.split(order, np.flatnonzero(np.diff(batch[order])) + 1):
        rows, a = np.unique(of.a[these], return_inverse=True)
        columns, b = np.unique(of.b[these], return_inverse=True)
        of_a[rows], of_b[columns] = _batch_variances(design(of.y[these], a, b, reml=of.reml), ratios)
    return of_a, of_b


def _batch_variances(of: Design, ratios: Vector) -> tuple[Vector, Vector]:
    gamma_a, gamma_b = ratios
    factor = _factor(of, ratios)
    inner = 1 + gamma_a * of.sizes[0]
    levels_a, levels_b = of.counts.shape
    own, through = np.zeros(levels_b), np.zeros(levels_a)
    columns = of.counts.tocsc()
    width = max(1, BLOCK // levels_a)
    for start in range(0, levels_b, width):
        stop = min(start + width, levels_b)
        inverse = factor.solve(np.eye(levels_b, stop - start, -start))
        own[start:stop] = np.diagonal(inverse[start:stop])
        part = columns[:, start:stop].tocoo()
        weight = part.data * np.asarray(of.counts @ inverse)[part.row, part.col]
        through += np.bincount(part.row, weight, levels_a)
    return gamma_a * (1 / inner + gamma_a * gamma_b * through / inner**2), gamma_b * own


class _Dense:
    """Cholesky's lower triangle; `between` is the sum over levels of a of the pairs in b, kept for the slope."""

    def __init__(self, matrix: Vector, between: Vector) -> None:
        self._triangle, fault = dpotrf(matrix, lower=1, overwrite_a=1)
        if fault:
            raise ValueError(f"y: the variances run away, no fit is possible (pivot {fault})")
        self.log_determinant = 2 * float(np.log(np.diagonal(self._triangle)).sum())
        self.between = between

    def solve(self, right: Vector) -> Vector:
        solution: Vector = dpotrs(self._triangle, right, lower=1)[0]
        return solution

    def inner_products(self, *symmetric: Vector) -> list[float]:
        """The sums over (inverse · matrix), elementwise."""
        lower = dpotri(self._triangle, lower=1)[0]
        own = np.diagonal(lower)
        return [float(2 * np.vdot(lower, matrix) - own @ np.diagonal(matrix)) for matrix in symmetric]


class _Sparse:
    """SuperLU without pivoting, in an order that keeps a symmetric matrix sparse."""

    def __init__(self, matrix: csc_array[np.float64]) -> None:
        self._lu = splu(matrix, "MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        self.log_determinant = float(np.log(np.abs(self._lu.U.diagonal())).sum())

    def solve(self, right: Vector) -> Vector:
        return self._lu.solve(right)


def _factor(of: Design, ratios: Vector) -> _Dense | _Sparse:
    size_a, size_b = of.sizes
    gamma_a, gamma_b = ratios
    between = of.counts.T @ _scaled(of.counts, 1 / (1 + gamma_a * size_a))
    diagonal = 1 + gamma_b * size_b
    filled = between.nnz > FILLED * len(size_b) ** 2
    if len(size_b) > (FILLED_LIMIT if filled else DENSE_LIMIT):
        return _Sparse((diags_array(diagonal) - gamma_a * gamma_b * between).tocsc())
    dense = between.toarray(order="F")
    matrix = -gamma_a * gamma_b * dense
    matrix[np.diag_indices_from(matrix)] += diagonal
    return _Dense(matrix, dense)


def _whiten(of: Design, ratios: Vector, factor: Factor, values: Vector) -> Vector:
    """V⁻¹ values."""
    gamma_a, gamma_b = ratios
    inner = 1 + gamma_a * of.sizes[0]
    sum_a, sum_b = of.sums(values)
    part_b = gamma_b * factor.solve(sum_b - gamma_a * (of.counts.T @ (sum_a / inner)))
    part_a = gamma_a * (sum_a - of.counts @ part_b) / inner
    white: Vector = values - part_a[of.a] - part_b[of.b]
    return white


def _log_determinant(of: Design, ratios: Vector, factor: Factor) -> float:
    return float(np.log1p(ratios[0] * of.sizes[0]).sum()) + factor.log_determinant


def _log_determinant_slope(of: Design, ratios: Vector, factor: _Dense | _Sparse) -> Vector:
    """tr(V⁻¹ZZᵀ) for a and b: exact from a dense factor, by central differences from a sparse one."""
    if isinstance(factor, _Dense):
        return _traces(of, ratios, factor)
    slope = np.zeros(2)
    for k, sizes in enumerate(of.sizes):
        step = np.zeros(2)
        step[k] = STEP * max(float(ratios[k]), 1 / float(sizes.max()))
        ahead, behind = (_log_determinant(of, at, _factor(of, at)) for at in (ratios + step, ratios - step))
        slope[k] = (ahead - behind) / (2 * step[k])
    return slope


def _traces(of: Design, ratios: Vector, factor: _Dense) -> Vector:
    size_a, size_b = of.sizes
    gamma_a, gamma_b = ratios
    share = 1 / (1 + gamma_a * size_a)
    twice = (of.counts.T @ _scaled(of.counts, share**2)).toarray(order="F")
    direct = np.diag(size_b) - gamma_a * factor.between
    trace_b, through = factor.inner_products(direct, twice)
    return np.array([float((size_a * share).sum()) - gamma_b * through, trace_b])


def _scaled(counts: csr_array[np.float64], rows: Vector) -> csr_array[np.float64]:
    return csr_array(
        (counts.data * np.repeat(rows, np.diff(counts.indptr)), counts.indices, counts.indptr), counts.shape
    )
