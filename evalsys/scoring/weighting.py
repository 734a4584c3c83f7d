"""Step 2: respondents weighted to the people they stand for, and what that costs in precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evalsys.scoring.arrays import Flags, Integers, Vector, as_array, floats, guarded, integers, levels, number, whole

_ROUNDS = 10_000
"""Rounds of raking before it is given up."""


@dataclass(frozen=True, eq=False)
class PostStratified:
    """Weights of one contract's respondents.

    Attributes:
        weights: shape (strata,), what each respondent of a stratum stands for; 0 where nobody answered.
        group: shape (strata,), strata with the same number were taken together.
        collapsed: names of the strata that were taken together; empty where each stands for itself.
    """

    weights: Vector
    group: Integers
    collapsed: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class SurveyMean:
    """A design-weighted mean and total with linearised standard errors."""

    mean: float
    se: float
    total: float
    total_se: float


@guarded("counts", "sizes")
def poststratify(
    counts: ArrayLike, sizes: ArrayLike, *, minimum: int = 5, names: Sequence[str] | None = None
) -> PostStratified:
    """Weight respondents to the frame, w_h = F_h/n_h; thin strata are taken together.

    Strata with fewer than `minimum` respondents, or without anybody in the frame, form one group; while the group is
    thin itself, the stratum with the fewest respondents joins it.

    Args:
        counts: shape (strata,), respondents.
        sizes: shape (strata,), people in the frame.
        minimum: respondents below which a stratum does not stand for itself.
        names: of the strata; their positions where not given.

    Raises:
        ValueError: nobody answered, the frame is empty, a negative count, different lengths.
    """
    n, frame = integers("counts", counts), floats("sizes", sizes)
    if n.ndim != 1 or frame.shape != n.shape:
        raise ValueError(f"sizes: must have the shape of counts, {n.shape}, has {frame.shape}")
    if (n < 0).any() or (frame < 0).any():
        raise ValueError("counts, sizes: must not be below 0")
    if not n.any() or not frame.any():
        raise ValueError("counts, sizes: nobody answered, or nobody is in the frame")
    whole("minimum", minimum, least=0)
    labels = [str(place) for place in range(len(n))] if names is None else list(names)
    if len(labels) != len(n):
        raise ValueError(f"names: must be {len(n)}, are {len(labels)}")
    thin: Flags = (n < minimum) | (frame == 0)
    while thin.any() and not thin.all() and (n[thin].sum(dtype=np.float64) < minimum or frame[thin].sum() == 0):
        fewest = np.flatnonzero(~thin)[np.argmin(n[~thin])]
        thin[fewest] = True
    group = np.arange(len(n), dtype=np.int64)
    group[thin] = group[thin].min(initial=len(n))
    answered = np.bincount(group, weights=n, minlength=len(n))
    people = np.bincount(group, weights=frame, minlength=len(n))
    weights = np.where(n > 0, people[group] / np.maximum(answered[group], 1), 0.0)
    together = tuple(labels[place] for place in np.flatnonzero(thin)) if thin.sum() > 1 else ()
    return PostStratified(weights, group, together)


@guarded("weights", "times")
def trim(weights: ArrayLike, times: float = 4.0) -> Vector:
    """Cut weights at so many times their median; weights of 0 do not count towards it.

    Args:
        weights: shape (respondents,), 0 or more.
        times: at least 1.

    Raises:
        ValueError: a negative weight, all are 0, `times` below 1.
    """
    w = _weights(weights)
    if number("times", times) < 1:
        raise ValueError(f"times: must be at least 1, is {times}")
    return np.minimum(w, times * np.median(w[w > 0]))


@guarded("weights")
def kish_n_eff(weights: ArrayLike) -> float:
    """How many equally weighted respondents are as precise: (Σw)²/Σw².

    Args:
        weights: shape (respondents,), 0 or more, not all 0.

    Raises:
        ValueError: a negative weight, or all are 0.

    Source:
        Kish (1965), Survey Sampling, section 11.7.
    """
    w = _weights(weights)
    w = w / w.max()  # so that no square overflows
    return float(w.sum() ** 2 / (w @ w))


@guarded("cells", "margins")
def rake(cells: ArrayLike, margins: Sequence[ArrayLike]) -> Vector:
    """Scale a table along each axis in turn until it has the margins known of the frame.

    Args:
        cells: weighted totals of the respondents; one axis a margin; 0 stays 0.
        margins: one array an axis, its length that axis'; all with the same sum.

    Returns:
        the adjusted table, shaped like `cells`.

    Raises:
        ValueError: a margin of the wrong length or below 0, sums that differ, a positive margin over empty cells, or
            margins that no table with these empty cells can have.

    Source:
        Deming and Stephan (1940), Annals of Mathematical Statistics 11:427-444.
    """
    table = floats("cells", cells)
    if table.ndim != len(margins) or not table.size:
        raise ValueError(
            f"margins: must be one for each of the {table.ndim} axes of a table with cells, are {len(margins)}"
        )
    if (table < 0).any():
        raise ValueError("cells: must not be below 0")
    wanted = [floats(f"margins[{axis}]", margin, shape=(table.shape[axis],)) for axis, margin in enumerate(margins)]
    if any((margin < 0).any() for margin in wanted):
        raise ValueError("margins: must not be below 0")
    whole = wanted[0].sum()
    if not all(np.isclose(margin.sum(), whole, rtol=1e-9, atol=0) for margin in wanted):
        raise ValueError(f"margins: must have the same sum, have {[float(margin.sum()) for margin in wanted]}")
    for axis, margin in enumerate(wanted):
        if (margin[_along(table, axis) == 0] > 0).any():
            raise ValueError(f"margins[{axis}]: people are expected where there is no cell; take categories together")
    for _ in range(_ROUNDS):
        for axis, margin in enumerate(wanted):
            have = _along(table, axis)
            factor = np.divide(margin, have, out=np.zeros_like(margin), where=have > 0)
            table = table * factor.reshape([-1 if place == axis else 1 for place in range(table.ndim)])
        if all(np.allclose(_along(table, a), m, rtol=1e-10, atol=whole * 1e-12) for a, m in enumerate(wanted)):
            return table
    raise ValueError("margins: no table with these empty cells has these margins; take categories together")


@guarded("y", "weights")
def survey_mean(
    y: ArrayLike,
    weights: ArrayLike,
    strata: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
    sizes: ArrayLike | None = None,
) -> SurveyMean:
    """A weighted mean and total with linearised standard errors under a finite population.

    Args:
        y: shape (rows,).
        weights: shape (rows,), 0 or more, not all 0; 0 keeps a row that was drawn without an answer in the design.
        strata: shape (rows,), labels; None = one stratum.
        clusters: shape (rows,) or (rows, stages), labels of the units drawn at each stage; None = each row is a unit.
        sizes: shaped like `clusters` (or (rows,) without clusters): how many units the stratum, and at later stages the
            unit above, has in the population; None = endless.

    Raises:
        ValueError: a wrong shape, a size below the number of units drawn, or a stratum with a single unit of several,
            whose spread cannot be seen.

    Source:
        Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, sections 4.3 and 5.7.
    """
    values = floats("y", y)
    w = _weights(weights)
    if values.ndim != 1 or w.shape != values.shape:
        raise ValueError(f"weights: must have the shape of y, {values.shape}, has {w.shape}")
    rows = len(values)
    stratum = _labels("strata", np.zeros(rows) if strata is None else strata, rows)[:, 0]
    units = _labels("clusters", np.arange(rows) if clusters is None else clusters, rows)
    population = np.full(units.shape, np.inf) if sizes is None else floats("sizes", sizes)
    if population.ndim == 1:
        population = population[:, None]
    if population.shape != units.shape:
        raise ValueError(f"sizes: must have the shape of clusters, {units.shape}, has {population.shape}")
    whole, total = float(w.sum()), float(w @ values)
    mean = total / whole
    residual = w * (values - mean) / whole
    return SurveyMean(
        mean=mean,
        se=float(np.sqrt(_variance(residual, stratum, units, population))),
        total=total,
        total_se=float(np.sqrt(_variance(w * values, stratum, units, population))),
    )


def _variance(z: Vector, stratum: Integers, units: Integers, population: Vector) -> float:
    """Variance of Σz over the first stage, and below each unit drawn, in its sampled share, over the next."""
    result = 0.0
    for here in np.unique(stratum):
        rows = stratum == here
        labels, place = np.unique(units[rows, 0], return_inverse=True)
        drawn = len(labels)
        size = float(population[rows, 0].min())
        if size < drawn:
            raise ValueError(f"sizes: {size:g} units are in the population, {drawn} were drawn")
        share = drawn / size
        if drawn == 1 and share < 1:
            raise ValueError("strata, clusters: a stratum has one unit of several; take strata together")
        totals = np.bincount(place, weights=z[rows])
        result += (1 - share) * drawn / max(drawn - 1, 1) * float(((totals - totals.mean()) ** 2).sum())
        if units.shape[1] > 1 and share > 0:
            result += share * _variance(z[rows], place, units[rows, 1:], population[rows, 1:])
    return result


def _labels(name: str, values: ArrayLike, rows: int) -> Integers:
    """Labels of any kind as numbers, shape (rows, stages)."""
    given = as_array(name, values)
    if given.shape[:1] != (rows,) or given.ndim > 2 or not given.size:
        raise ValueError(f"{name}: must have {rows} rows, has shape {given.shape}")
    given = given.reshape(rows, -1)
    return np.column_stack([levels(name, column, rows)[1] for column in given.T])


def _along(table: Vector, axis: int) -> Vector:
    sums: Vector = table.sum(axis=tuple(place for place in range(table.ndim) if place != axis))
    return sums


def _weights(values: ArrayLike) -> Vector:
    w = floats("weights", values, largest=np.inf)
    if w.ndim != 1 or (w < 0).any() or not (w > 0).any():
        raise ValueError("weights: must be a line of numbers of 0 or more, not all 0")
    return w
