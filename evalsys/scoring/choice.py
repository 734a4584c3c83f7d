"""Step 13: what offered prices earn, and how sure it is who comes first when next year's vendor is chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evalsys.scoring.arrays import Flags, Vector, floats, guarded, number, whole
from evalsys.scoring.ranking import TIE_DECIMALS
from evalsys.scoring.sensitivity import CONCENTRATION


@dataclass(frozen=True, eq=False)
class Chances:
    """Who comes first, over what the totals leave open.

    Attributes:
        best: shape (candidates,), share of the draws in which each has the highest total; joint winners share a draw.
        concentration: how close the drawn weights stayed to the plan's.
        draws: how many were drawn.
        seed: of the draws.
    """

    best: Vector
    concentration: float
    draws: int
    seed: int


@guarded("prices", "reference")
def price_points(prices: ArrayLike, *, reference: float | None = None, most: float | None = None) -> Vector:
    """Points of offered prices, 100 · basis/price.

    Against a reference fixed beforehand no bid moves another's points. Against the lowest bid, which the law prescribes
    for tenders, a bid that cannot win may decide between two others.

    Args:
        prices: shape (candidates,), above 0, in the reference's unit; NaN = not offered yet.
        reference: the price that earns 100; the lowest of the prices where not given.
        most: what a price below the reference earns at most; without it, more than 100.

    Returns:
        shape (candidates,), points; NaN stays NaN.

    Raises:
        ValueError: a price, the reference or `most` is not above 0.

    Source:
        World Bank, Consulting Services Manual (QCBS), Sf = 100 Fm/F; 财政部令第87号 Art. 55, the lowest price as basis.
    """
    offered = floats("prices", prices, gaps=True)
    if offered.ndim != 1:
        raise ValueError(f"prices: must be one-dimensional, has {offered.ndim} dimensions")
    known: Flags = ~np.isnan(offered)
    if (offered[known] <= 0).any():
        raise ValueError("prices: must be above 0")
    for name, value in (("reference", reference), ("most", most)):
        if value is not None and number(name, value) <= 0:
            raise ValueError(f"{name}: must be above 0, is {value}")
    basis = offered[known].min(initial=np.inf) if reference is None else reference
    points = np.full(len(offered), np.nan)
    points[known] = 100 * (basis / offered[known])
    return points if most is None else np.minimum(points, most)


@guarded("parts", "sd", "weights")
def probability_best(
    parts: ArrayLike,
    sd: ArrayLike,
    weights: ArrayLike,
    *,
    concentration: float = CONCENTRATION,
    draws: int = 10_000,
    seed: int = 0,
) -> Chances:
    """How often each candidate has the highest total, had results and weights turned out a little differently.

    Points are drawn from normal distributions cut to 0 to 100, weights from a Dirichlet around the plan's; candidates
    are independent of each other and ranked under the same weights.

    Args:
        parts: shape (candidates, parts), points of what is weighed.
        sd: shaped like `parts`, standard deviation of the points; 0 for points that are as they are.
        weights: shape (parts,), the plan's, 0 or more, not all 0; only their ratios count, and one that is 0 stays 0.
        concentration: the larger, the closer to the plan's weights.
        draws: at least 1.
        seed: of the draws, which go by the order of the candidates.

    Raises:
        ValueError: NaN, shapes that do not match, a standard deviation or weight below 0, no weight above 0,
            concentration below 1.
    """
    points = floats("parts", parts)
    if points.ndim != 2:
        raise ValueError(f"parts: must have two dimensions, candidates by parts, has shape {points.shape}")
    spread = floats("sd", sd, shape=points.shape)
    if (spread < 0).any():
        raise ValueError("sd: must not be below 0")
    shares = floats("weights", weights, shape=points.shape[1:])
    if (shares < 0).any() or not shares.any():
        raise ValueError("weights: must not be below 0, and not all 0")
    if number("concentration", concentration) < 1:
        raise ValueError(f"concentration: must be at least 1, is {concentration}")
    generator = np.random.default_rng(whole("seed", seed, least=0))
    times = whole("draws", draws, least=1)
    used = shares > 0
    drawn_weights = generator.dirichlet(concentration * shares[used] / shares.sum(), size=times)
    totals = np.zeros((times, len(points)))
    for weight, value, unsure in zip(drawn_weights.T, points[:, used].T, spread[:, used].T, strict=True):
        drawn = value + unsure * generator.standard_normal((times, len(points)))
        totals += weight[:, None] * np.where(unsure > 0, np.clip(drawn, 0, 100), value)
    rounded = np.round(totals, TIE_DECIMALS)
    first = rounded == rounded.max(axis=1, keepdims=True, initial=-np.inf)
    won = (first / np.maximum(first.sum(axis=1, keepdims=True), 1)).mean(axis=0)
    return Chances(won, float(concentration), times, seed)
