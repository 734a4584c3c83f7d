"""Steps 5 and 6: the interval of a cell, and of a weighted sum of cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from evalsys.scoring.arrays import Flags, Vector, as_array, floats, guarded, number, share


@dataclass(frozen=True, eq=False)
class Limits:
    """An estimate with the ends of its interval, in points; three arrays of one shape."""

    estimate: Vector
    low: Vector
    high: Vector


def normal_quantile(level: float) -> float:
    """The z of a two-sided interval: 1.96 for 0.95.

    Raises:
        ValueError: the level is not between 0 and 1.
    """
    return float(ndtri((1 + share("level", level)) / 2))


@guarded("m", "n")
def wilson(m: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Vector, Vector]:
    """Wilson's score limits of a mean share.

    Args:
        m: the mean, from 0 to 1; any shape.
        n: how many answers it stands for, above 0; need not be whole, may be infinite (then the limits are m itself).
        level: confidence.

    Returns:
        low and high, from 0 to 1, with low ≤ m ≤ high.

    Raises:
        ValueError: m outside 0 to 1, n not above 0, or NaN.

    Source:
        Wilson (1927); Newcombe (1998), Statistics in Medicine 17:857-872, method 3.
    """
    count = _endless("n", n)
    if not (count > 0).all():
        raise ValueError("n: must be above 0")
    per_answer = 1 / np.maximum(count, 1e-30)  # so little says nothing: the limits are 0 and 1
    return _wilson(floats("m", m), per_answer, normal_quantile(level))


def _wilson(m: Vector, per_answer: Vector, z: float) -> tuple[Vector, Vector]:
    if ((m < 0) | (m > 1)).any():
        raise ValueError("m: must lie between 0 and 1")
    v = z * z * per_answer
    middle = m + v / 2
    arm = np.sqrt(v) * np.sqrt(m * (1 - m) + v / 4)
    low, high = (middle - arm) / (1 + v), (middle + arm) / (1 + v)
    return np.clip(np.minimum(low, m), 0, 1), np.clip(np.maximum(high, m), 0, 1)


def dispersion(mean: Vector, variance: Vector, n: Vector, *, pooled: ArrayLike, strength: float) -> Vector:
    """φ: how much answers vary, as a share of what yes/no answers with the same mean would.

    Args:
        mean: points, 0 to 100.
        variance: sample variance s² in squared points (divisor n - 1); 0 where n is 1.
        n: answers, at least 1.
        pooled: φ_pool, above 0.
        strength: how many answers φ_pool is worth, the 8 in (8 φ_pool + (n - 1) s²/(m(1 - m)))/(n + 7).

    Returns:
        φ; φ_pool itself where all answers are equal, for then nothing was learned of the spread.
    """
    m = mean / 100
    possible = m * (1 - m)
    spread = variance / 100**2
    learned = (spread > 0) & (possible > 0)
    ratio = np.where(learned, spread, 0) / np.where(learned, possible, 1)
    weight = np.where(learned, n - 1, 0)
    prior = np.where(learned, strength, 1.0)
    phi: Vector = (prior * np.asarray(pooled, dtype=np.float64) + weight * ratio) / (prior + weight)
    return phi


@guarded("mean", "variance", "n", "n_effective")
def cell(
    mean: ArrayLike,
    variance: ArrayLike,
    n: ArrayLike,
    *,
    pooled: ArrayLike,
    frame: ArrayLike = np.inf,
    n_effective: ArrayLike | None = None,
    strength: float = 8,
    level: float = 0.95,
) -> Limits:
    """A cell of people asked from a frame: Wilson limits at n' = n_eff/(φ(1 - n/F)).

    Args:
        mean: points; means above 100 or below 0 (after an adjustment) are cut.
        variance: s² in squared points, divisor n - 1; ignored where n is 1.
        n: answers, at least 1.
        pooled: φ_pool, above 0.
        frame: F, people who could have answered; infinite = not known, no finite-population factor. A frame smaller
            than the answers is no frame either.
        n_effective: Kish's effective n of weighted answers; n where not given.
        strength: how many answers φ_pool is worth.
        level: confidence.

    Returns:
        limits in points, shaped as the arguments broadcast; of zero width for a census (n = F).

    Raises:
        ValueError: a value out of its range, NaN; names the argument.
    """
    answers = floats("n", n)
    _require("n", "must be at least 1", answers >= 1)
    s2 = floats("variance", variance)
    _require("variance", "must not be below 0", s2 >= 0)
    shared = floats("pooled", pooled)
    _require("pooled", "must be above 0", shared > 0)
    people = _endless("frame", frame)
    _require("frame", "must not be below 0", people >= 0)
    effective = answers if n_effective is None else floats("n_effective", n_effective)
    _require("n_effective", "must be above 0", effective > 0)
    _require("strength", "must be 0 or more", np.asarray(number("strength", strength) >= 0))
    estimate = np.clip(floats("mean", mean), 0, 100)
    phi = dispersion(estimate, np.where(answers > 1, s2, 0), answers, pooled=shared, strength=strength)
    asked = np.where(people >= answers, answers / np.where(people >= answers, people, 1), 0)
    low, high = _wilson(estimate / 100, phi * (1 - asked) / effective, normal_quantile(level))
    return _around(estimate, low * 100, high * 100)


@guarded("mean", "raters", "variance")
def rater_cell(mean: ArrayLike, raters: ArrayLike, *, variance: ArrayLike, level: float = 0.95) -> Limits:
    """A cell of appointed raters: normal limits with (σ²_rater + σ²_e)/raters, cut to 0 to 100.

    Two purchasers are no census of purchasers, so no finite-population factor applies to them.

    Args:
        mean: points; cut to 0 to 100.
        raters: how many, at least 1.
        variance: σ²_rater + σ²_e in squared points.
        level: confidence.

    Raises:
        ValueError: a value out of its range, NaN; names the argument.
    """
    count = floats("raters", raters)
    _require("raters", "must be at least 1", count >= 1)
    spread = floats("variance", variance)
    _require("variance", "must not be below 0", spread >= 0)
    estimate = np.clip(floats("mean", mean), 0, 100)
    arm = normal_quantile(level) * np.sqrt(spread / count)
    return _around(estimate, estimate - arm, estimate + arm)


@guarded("weights", "cells", "extra")
def combine(
    weights: ArrayLike,
    cells: Limits,
    correlation: ArrayLike,
    *,
    extra: ArrayLike = 0.0,
    geometric: bool = False,
) -> Limits:
    """The weighted mean of cells, with limits by the method of variance estimates recovery.

    low = T - √(aᵀRa + extra²) with a = weight·(θ - l); high likewise with the upper arms. The geometric form takes the
    parties' arithmetic mean on each dimension and multiplies the dimensions, θ_1^W_1 · θ_2^W_2 …; a is then the change
    of T when one cell moves to its limit.

    Args:
        weights: shape (contracts, parties, dimensions), 0 or more, adding up to 1 in each contract (or to 0, which
            gives a score of 0 for the caller to leave out).
        cells: arrays of the same shape; where a weight is 0 the cell is not read.
        correlation: shape (parties, dimensions, dimensions), from 0 to 1: between a party's dimensions; parties are
            independent of each other.
        extra: shape (contracts,), an arm in points that comes on top (a missing party's).
        geometric: multiply the dimensions instead of adding them.

    Returns:
        shape (contracts,), points; the limits are cut to 0 to 100.

    Raises:
        ValueError: a wrong shape, a negative weight, a correlation outside 0 to 1.

    Source:
        Zou and Donner (2008), Statistics in Medicine 27:1693-1702.
    """
    w = floats("weights", weights)
    if w.ndim != 3 or cells.estimate.shape != w.shape:
        raise ValueError(f"weights: must have the cells' shape {cells.estimate.shape}, has {w.shape}")
    _require("weights", "must not be below 0", w >= 0)
    parties, dimensions = w.shape[1:]
    r = floats("correlation", correlation, shape=(parties, dimensions, dimensions))
    _require("correlation", "must lie between 0 and 1", (r >= 0) & (r <= 1))
    more = floats("extra", extra)
    used = w > 0
    theta = np.where(used, cells.estimate, 0)
    falls = w * np.where(used, cells.estimate - cells.low, 0)
    rises = w * np.where(used, cells.high - cells.estimate, 0)
    if geometric:
        score = _geometric(w, w * theta)
        falls, rises = (_changes(w, w * theta, moves, score) for moves in (-falls, rises))
    else:
        score = add_up(w * theta)
    low, high = (np.sqrt(_quadratic(a, r) + more**2) for a in (falls, rises))
    return _around(score, score - low, score + high)


def add_up(values: Vector) -> Vector:
    """Sum over parties and dimensions, shape (contracts, parties, dimensions) to (contracts,).

    Plain loops over the few cells: each contract's arithmetic is the same whoever stands beside it.
    """
    total = np.zeros(values.shape[0])
    for p in range(values.shape[1]):
        for d in range(values.shape[2]):
            total += values[:, p, d]
    return total


def _quadratic(a: Vector, r: Vector) -> Vector:
    total = np.zeros(a.shape[0])
    _, parties, dimensions = a.shape
    for p in range(parties):
        for d in range(dimensions):
            for e in range(dimensions):
                total += a[:, p, d] * r[p, d, e] * a[:, p, e]
    return total


def _geometric(weights: Vector, parts: Vector) -> Vector:
    score = np.where(add_up(weights) > 0, 1.0, 0.0)
    for d in range(weights.shape[2]):
        weight, total = (add_up(values[:, :, d : d + 1]) for values in (weights, parts))
        score *= (np.maximum(total, 0) / np.where(weight > 0, weight, 1)) ** weight
    return score


def _changes(weights: Vector, parts: Vector, moves: Vector, score: Vector) -> Vector:
    changes = np.zeros_like(parts)
    for p in range(parts.shape[1]):
        for d in range(parts.shape[2]):
            moved = parts.copy()
            moved[:, p, d] += moves[:, p, d]
            changes[:, p, d] = np.abs(_geometric(weights, moved) - score)
    return changes


def _endless(name: str, values: ArrayLike) -> Vector:
    """Numbers that may be infinite, but not NaN."""
    given = as_array(name, values)
    if given.dtype.kind != "f":
        return floats(name, given)
    endless: Flags = given.astype(np.float64) == np.inf
    return np.where(endless, np.inf, floats(name, np.where(endless, 0, given)))


def _around(estimate: Vector, low: Vector, high: Vector) -> Limits:
    return Limits(
        estimate,
        np.clip(np.minimum(low, estimate), 0, 100),
        np.clip(np.maximum(high, estimate), 0, 100),
    )


def _require(name: str, why: str, holds: Flags) -> None:
    if not np.all(holds):
        raise ValueError(f"{name}: {why}")
