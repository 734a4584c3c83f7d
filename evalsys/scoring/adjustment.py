"""Step 3: what respondents answer because of who they are, taken off by a regression within contracts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evalsys.scoring.arrays import Vector, floats, guarded, levels


@dataclass(frozen=True, eq=False)
class WithinEntity:
    """A case-mix adjustment.

    Attributes:
        coefficients: shape (adjusters,), points a unit of each adjuster is worth inside an entity.
        grand_means: shape (adjusters,), over all rows; the respondent everybody is compared as.
        entities: labels, ascending.
        adjusted_means: shape (entities,), what each entity's mean would be with the average respondents.
        raw_means: shape (entities,).
        entity_means: shape (entities, adjusters), of the adjusters.
    """

    coefficients: Vector
    grand_means: Vector
    entities: NDArray[np.generic]
    adjusted_means: Vector
    raw_means: Vector
    entity_means: Vector


@guarded("y", "adjusters")
def within_entity(
    y: ArrayLike, entity: ArrayLike, adjusters: ArrayLike, *, coefficients: ArrayLike | None = None
) -> WithinEntity:
    """Adjust the means of entities for their respondents: mean - Σ b (x̄_entity - x̄).

    The coefficients come from one regression with an effect for each entity, so that what entities do well or badly is
    not mistaken for an effect of their respondents.

    Args:
        y: shape (rows,), points.
        entity: shape (rows,), labels of any kind.
        adjusters: shape (rows, adjusters) or (rows,).
        coefficients: shape (adjusters,), frozen ones of an earlier cycle; then none are estimated.

    Raises:
        ValueError: no rows, NaN, different lengths, or an adjuster that does not vary within any entity or follows from
            the others, so that its coefficient is not defined.

    Source:
        CAHPS (2020), Instructions for Analyzing Data, case-mix adjustment; CMS, HCAHPS patient-mix adjustment.
    """
    values = floats("y", y)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"y: must be a line of at least one number, has shape {values.shape}")
    x = floats("adjusters", adjusters)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or len(x) != len(values):
        raise ValueError(f"adjusters: must have shape ({len(values)}, adjusters), has {x.shape}")
    entities, place = levels("entity", entity, len(values))
    rows = np.bincount(place)
    raw = np.bincount(place, weights=values) / rows
    means = np.zeros((len(rows), x.shape[1]))
    np.add.at(means, place, x)
    means /= rows[:, None]
    grand = x.mean(axis=0)
    if coefficients is None:
        slopes = _slopes(values - raw[place], x - means[place], np.abs(x).max(axis=0, initial=0))
    else:
        slopes = floats("coefficients", coefficients, shape=(x.shape[1],))
    return WithinEntity(
        coefficients=slopes,
        grand_means=grand,
        entities=entities,
        adjusted_means=raw - (means - grand) @ slopes,
        raw_means=raw,
        entity_means=means,
    )


def _slopes(y: Vector, x: Vector, size: Vector) -> Vector:
    """Least squares on deviations from entity means, each adjuster in units of its own spread."""
    spread = np.sqrt((x**2).mean(axis=0))
    flat = np.flatnonzero(spread <= 1e-12 * size)
    if flat.size:
        raise ValueError(f"adjusters: number {int(flat[0])} does not vary within any entity")
    solution, _, rank, _ = np.linalg.lstsq(x / spread, y, rcond=1e-10)
    if rank < x.shape[1]:
        raise ValueError("adjusters: one follows from the others within entities; leave it out")
    slopes: Vector = solution / spread
    return slopes
