"""Step 7: how much peers differ, and each score drawn towards its peers as far as it is uncertain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from evalsys.scoring.arrays import Vector, floats, guarded, number
from evalsys.scoring.intervals import normal_quantile

Method = Literal["REML", "PM", "DL"]

MORRIS_FROM = 4
"""Members from which the uncertainty of τ² can be reckoned: Morris's term divides by k - 3."""

NEGLIGIBLE = 1e-20
"""A variance below this share of the squared range of the estimates is rounding, and so is what it adds to τ²."""

_AT_ONCE = 2**20  # numbers held at one time, members times places of the grid


@dataclass(frozen=True, eq=False)
class Shrunk:
    """Scores of one peer group, drawn towards its mean.

    Attributes:
        values: shape (members,), θ̃ = (1 - B)·T + B·μ.
        sd: shape (members,), with the uncertainty of μ and, from four members on, of τ².
        low, high: shape (members,), normal limits.
        factor: shape (members,), B = V/(V + τ²).
        reliability: shape (members,), 1 - B.
        sd_known_spread: shape (members,), as `sd`, but taking τ² for known.
        mean, mean_se: μ and its standard error.
        tau2: τ².
    """

    values: Vector
    sd: Vector
    low: Vector
    high: Vector
    factor: Vector
    reliability: Vector
    sd_known_spread: Vector
    mean: float
    mean_se: float
    tau2: float


@guarded("estimates", "variances")
def tau_squared(estimates: ArrayLike, variances: ArrayLike, method: Method = "REML") -> float:
    """The variance between members beyond what their own variances explain.

    Args:
        estimates: shape (members,), at least 2.
        variances: shape (members,), above 0.
        method: restricted maximum likelihood, Paule and Mandel, or DerSimonian and Laird.

    Returns:
        τ², 0 or more.

    Raises:
        ValueError: fewer than two members, a variance not above 0, NaN, different lengths, an unknown method.

    Source:
        Viechtbauer (2005), J. Educ. Behav. Stat. 30:261-293; Paule and Mandel (1982), J. Res. NBS 87:377-385;
        DerSimonian and Laird (1986), Controlled Clinical Trials 7:177-188.
    """
    y, v = _members(estimates, variances)
    if len(y) < 2:
        raise ValueError("estimates: at least 2 members are needed to see how they differ")
    v = np.maximum(v, NEGLIGIBLE * np.ptp(y) ** 2)
    scale = float(v.max())  # in units of the largest variance, so that tolerances mean the same at any scale
    y, v = (y - y.mean()) / np.sqrt(scale), v / scale
    if method == "REML":
        return scale * _reml(y, v)
    if method == "PM":
        return scale * _root(lambda tau2: _heterogeneity(y, v, tau2) - (len(y) - 1))
    if method == "DL":
        w = 1 / v
        return scale * max(0.0, float((_heterogeneity(y, v, 0.0) - (len(y) - 1)) / (w.sum() - (w**2).sum() / w.sum())))
    raise ValueError(f"method: {method!r} is not one of REML, PM and DL")


@guarded("estimates", "variances", "tau2", "mean")
def shrink(
    estimates: ArrayLike,
    variances: ArrayLike,
    *,
    method: Method = "REML",
    level: float = 0.95,
    tau2: float | None = None,
    mean: float | None = None,
    bias_corrected: bool = False,
) -> Shrunk:
    """Draw each estimate towards its peers' mean, the more the less certain it is.

    Args:
        estimates: shape (members,).
        variances: shape (members,), above 0, without a finite-population factor.
        method: of τ², where it is not given.
        level: confidence of the limits.
        tau2: a frozen τ².
        mean: a frozen μ, taken for certain.
        bias_corrected: multiply B by (k - 3)/(k - 1), as Morris does and James and Stein before him.

    Returns:
        the shrunken scores; with τ² = 0 all are the mean, and Morris's term keeps their limits honest.

    Raises:
        ValueError: as `tau_squared`; τ² below 0; too few members to correct B.

    Source:
        Morris (1983), J. Am. Stat. Assoc. 78:47-55, section 5.
    """
    y, v = _members(estimates, variances)
    if not len(y):
        raise ValueError("estimates: there is no member")
    if tau2 is None:
        tau2 = tau_squared(y, v, method)
    elif number("tau2", tau2) < 0:
        raise ValueError(f"tau2: must be 0 or more, is {tau2}")
    k, total = len(y), v + tau2
    w = 1 / total
    centre = float(w @ y / w.sum()) if mean is None else number("mean", mean)
    centre_variance = float(1 / w.sum()) if mean is None else 0.0
    factor = v / total
    if bias_corrected:
        if k < MORRIS_FROM:
            raise ValueError(f"bias_corrected: needs at least {MORRIS_FROM} members, there are {k}")
        factor = factor * (k - 3) / (k - 1)
    away = y - centre
    known = v * (1 - factor) + factor**2 * centre_variance
    spread = np.zeros(k)
    if k >= MORRIS_FROM:
        spread = 2 / (k - 3) * factor**2 * ((w @ v / w.sum()) + tau2) / total * away**2
    values, sd = y - factor * away, np.sqrt(known + spread)
    arm = normal_quantile(level) * sd
    return Shrunk(
        values=values,
        sd=sd,
        low=values - arm,
        high=values + arm,
        factor=factor,
        reliability=1 - factor,
        sd_known_spread=np.sqrt(known),
        mean=centre,
        mean_se=float(np.sqrt(centre_variance)),
        tau2=float(tau2),
    )


def _members(estimates: ArrayLike, variances: ArrayLike) -> tuple[Vector, Vector]:
    y = floats("estimates", estimates)
    if y.ndim != 1:
        raise ValueError(f"estimates: must be one-dimensional, has {y.ndim} dimensions")
    v = floats("variances", variances, shape=y.shape)
    if (v <= 0).any():
        raise ValueError("variances: must be above 0; a member without uncertainty cannot be weighed")
    return y, v


def _heterogeneity(y: Vector, v: Vector, tau2: float) -> float:
    w = 1 / (v + tau2)
    return float(w @ (y - w @ y / w.sum()) ** 2)


def _reml(y: Vector, v: Vector) -> float:
    """The highest point of the restricted likelihood: the best of a grid, then the root of its slope beside it."""
    top = 10 * (float(np.ptp(y)) ** 2 + float(v.max()))
    grid = np.concatenate([[0.0], np.geomspace(top * 1e-9, top, 181)])
    pieces = np.array_split(grid, 1 + len(grid) * len(y) // _AT_ONCE)
    best = int(np.concatenate([_deviance(y, v, piece) for piece in pieces]).argmin())
    low, middle, high = grid[max(best - 1, 0)], grid[best], grid[min(best + 1, len(grid) - 1)]

    def slope(tau2: float) -> float:
        w = 1 / (v + tau2)
        away = y - w @ y / w.sum()
        return float((w**2) @ away**2 - w.sum() + (w**2).sum() / w.sum())

    if best == 0 and slope(middle) <= 0:  # it falls from here on: the boundary is the best
        return 0.0
    between = (middle, high) if slope(middle) > 0 else (low, middle)
    if slope(between[0]) <= 0 or slope(between[1]) > 0:  # as flat as rounding can tell: all of these are the best
        return float(middle)
    return float(brentq(slope, *between, xtol=1e-15, rtol=1e-14))


def _deviance(y: Vector, v: Vector, tau2: Vector) -> Vector:
    """-2 log restricted likelihood at each τ², but for a constant."""
    w = 1 / (v + tau2[:, None])
    total = w.sum(axis=1)
    away = y - ((w @ y) / total)[:, None]
    deviance: Vector = np.log(total) - np.log(w).sum(axis=1) + (w * away**2).sum(axis=1)
    return deviance


def _root(excess: Callable[[float], float]) -> float:
    """Where a falling function of τ² reaches 0; 0 where it starts below."""
    if excess(0.0) <= 0:
        return 0.0
    high = 1.0
    while excess(high) > 0:
        high *= 4
    return float(brentq(excess, 0.0, high, xtol=1e-15, rtol=1e-14))
