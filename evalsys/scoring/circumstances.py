"""Step 3 inside a cycle: what answering by another mode, or being another respondent, is worth in points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Flags, Integers, Vector
from evalsys.scoring.cells import SAMPLED
from evalsys.scoring.inputs import FULL, THOUSANDTHS, Inputs, Moments

SINGULAR = 1e-8
"""Smallest eigenvalue of correlations below which one circumstance is taken to follow from the others."""


FLAT = 1e-9
"""A standard deviation within contracts, of a share from 0 to 1, that is none."""


@dataclass(frozen=True, eq=False)
class Circumstances:
    """What each circumstance of answering was worth in one cycle, for the rules of later ones.

    Attributes:
        dimensions: codes of those that recipients answered.
        modes, adjusters: the circumstances, in this order along the last axis of the arrays.
        points: shape (dimensions, circumstances): a mode against the reference mode, an adjuster's best answer against
            its worst.
        se: same shape, standard errors.
        means: shape (circumstances,), x̄: the share of the mode, or the mean answer from 0 to 1.
        respondents: shape (dimensions,).
    """

    dimensions: tuple[str, ...]
    modes: tuple[str, ...]
    adjusters: tuple[str, ...]
    points: Vector
    se: Vector
    means: Vector
    respondents: Integers


def coefficient_means(inputs: Inputs, rules: Rules) -> Vector:
    """x̄ of each coefficient of the rules' adjustment: as written, else learned from all recipients.

    Returns:
        shape (coefficients,): the share of a mode among those whose mode is known, or the mean answer from 0 to 1 of
        those who answered; 0 where there is nobody. Nothing where the adjustment is off.
    """
    coefficients = rules.adjustment.coefficients if rules.adjustment else ()
    return np.array(
        [
            coefficient.mean
            if coefficient.mean is not None
            else _share_of(inputs, coefficient.mode)
            if coefficient.mode is not None
            else _mean_answer(inputs, coefficient.criterion or "")
            for coefficient in coefficients
        ],
        dtype=np.float64,
    )


def _share_of(inputs: Inputs, mode: str) -> float:
    asked = _asked(inputs)
    known = asked & np.array([label != "" for label in inputs.modes])[inputs.moments.mode]
    this = known & np.array([label == mode for label in inputs.modes])[inputs.moments.mode]
    return float(inputs.moments.respondents[this].sum() / max(inputs.moments.respondents[known].sum(), 1))


def _mean_answer(inputs: Inputs, criterion: str) -> float:
    column = len(inputs.dimensions) + inputs.adjusters.index(criterion)
    n, y = (values[_asked(inputs), column, column].sum() for values in (inputs.moments.n, inputs.moments.y))
    return float(y / max(n, 1) / FULL)


def from_moments(
    inputs: Inputs,
    *,
    reference_mode: str = "self",
    modes: Sequence[str] | None = None,
    adjusters: Sequence[str] | None = None,
) -> Circumstances:
    """Estimate coefficients by one regression within contracts for each dimension, from the sums alone.

    It is the estimator of `adjustment.within_entity`, with a contract as the entity and a 0/1 column for every mode but
    the reference. Where something is missing, each covariance comes from the respondents who have both columns.

    Args:
        inputs: a cycle whose moments have the adjusters as columns.
        reference_mode: which mode the others are compared with.
        modes: codes of those compared; every mode of the inputs that is known where not given.
        adjusters: codes of those taken; all of the inputs' where not given.

    Returns:
        points, standard errors and means of the circumstances.

    Raises:
        ValueError: an unknown code, no circumstance, one that does not vary within any contract or follows from the
            others, or too few respondents. Names what to leave out.

    Source:
        CAHPS (2020), Instructions for Analyzing Data, case-mix adjustment.
    """
    others = tuple(mode for mode in inputs.modes if mode not in ("", reference_mode))
    modes = others if modes is None else tuple(modes)
    adjusters = inputs.adjusters if adjusters is None else tuple(adjusters)
    _refuse_unknown("reference_mode", (reference_mode,), inputs.modes if modes else (reference_mode,))
    _refuse_unknown("modes", modes, others)
    _refuse_unknown("adjusters", adjusters, inputs.adjusters)
    if not modes and not adjusters:
        raise ValueError("inputs: answers came in one mode and without adjusters; there is nothing to estimate")
    rows = np.flatnonzero(_asked(inputs))
    answered = [d for d in range(len(inputs.dimensions)) if inputs.moments.n[rows, d, d].any()]
    if not answered:
        raise ValueError("inputs: no recipient answered")
    found = [_regress(inputs, rows, d, modes, adjusters) for d in answered]
    return Circumstances(
        dimensions=tuple(inputs.dimensions[d] for d in answered),
        modes=modes,
        adjusters=adjusters,
        points=np.stack([points for points, _ in found]),
        se=np.stack([se for _, se in found]),
        means=np.array([_share_of(inputs, m) for m in modes] + [_mean_answer(inputs, a) for a in adjusters]),
        respondents=np.array([inputs.moments.n[rows, d, d].sum() for d in answered], dtype=np.int64),
    )


def _refuse_unknown(name: str, codes: Sequence[str], known: Sequence[str]) -> None:
    for code in codes:
        if code not in known:
            raise ValueError(
                f"{name}: {code!r} is none of those in the answers: {', '.join(known) or 'there are none'}"
            )


@dataclass(frozen=True, eq=False)
class _Column:
    """Something known of respondents, as the rows of the moments tell it.

    Attributes:
        name: for the error.
        place: column of the moments; for a mode that of the dimension, whose respondents are looked at.
        unit: of the moments' sums in one unit of the column.
        value: shape (rows,), the same for all respondents of a row: whether it is this mode. None = see the sums.
        known: shape (rows,).
    """

    name: str
    place: int
    unit: int
    value: Flags | None
    known: Flags


def _columns(
    inputs: Inputs, rows: Integers, d: int, modes: Sequence[str], adjusters: Sequence[str]
) -> tuple[_Column, list[_Column]]:
    """The dimension, and the circumstances of those who answered it."""
    labels = np.array(inputs.modes)[inputs.moments.mode[rows]]
    always = np.ones(len(rows), dtype=np.bool_)
    after = len(inputs.dimensions)
    by_mode = [_Column(f"mode {mode}", d, 1, labels == mode, labels != "") for mode in modes]
    places = [(code, after + inputs.adjusters.index(code)) for code in adjusters]
    by_adjuster = [_Column(f"adjuster {code}", place, FULL, None, always) for code, place in places]
    return _Column(inputs.dimensions[d], d, THOUSANDTHS, None, always), by_mode + by_adjuster


def _within(table: Moments, rows: Integers, a: _Column, b: _Column) -> tuple[float, int]:
    """Sum of products of two columns around the contracts' means, and its degrees of freedom."""
    known = a.known & b.known
    both = table.n[rows, a.place, b.place] * known

    def sums(column: _Column, other: _Column) -> Vector:
        seen = table.y[rows, column.place, other.place] * known / column.unit
        values: Vector = seen if column.value is None else both.astype(np.float64) * column.value
        return values

    first, second = sums(a, b), sums(b, a)
    if a.value is not None:
        products = second * a.value
    elif b.value is not None:
        products = first * b.value
    else:
        products = table.yy[rows, a.place, b.place] / (a.unit * b.unit)
    n, y, z, yz = (np.bincount(table.contract[rows], values) for values in (both, first, second, products))
    some = n > 0
    return float((yz[some] - y[some] * z[some] / n[some]).sum()), int((n[some] - 1).sum())


def _regress(
    inputs: Inputs, rows: Integers, d: int, modes: Sequence[str], adjusters: Sequence[str]
) -> tuple[Vector, Vector]:
    """Points of the circumstances on one dimension, and their standard errors."""
    y, x = _columns(inputs, rows, d, modes, adjusters)
    everything = [y, *x]
    size = len(everything)
    covariance, freedom = np.zeros((size, size)), np.zeros((size, size), dtype=np.int64)
    for i in range(size):
        for j in range(i + 1):
            total, free = _within(inputs.moments, rows, everything[i], everything[j])
            covariance[i, j] = covariance[j, i] = total / max(free, 1)
            freedom[i, j] = freedom[j, i] = free
    left = int(freedom[0, 0]) - len(x)
    if left < 1:
        raise ValueError(f"inputs: too few respondents share a contract to estimate anything on {y.name}")
    deviation = np.sqrt(np.maximum(np.diagonal(covariance), 0))[1:]
    for column, spread in zip(x, deviation, strict=True):
        if spread <= FLAT:
            raise ValueError(f"inputs: {column.name} does not vary within any contract on {y.name}; leave it out")
    scale = np.outer(deviation, deviation)
    if np.linalg.eigvalsh(covariance[1:, 1:] / scale)[0] < SINGULAR:
        names = ", ".join(column.name for column in x)
        raise ValueError(f"inputs: on {y.name} one of {names} follows from the others; leave one out")
    inverse = np.linalg.inv(covariance[1:, 1:] / scale) / scale
    points = inverse @ covariance[1:, 0]
    residual = max(covariance[0, 0] - float(points @ covariance[1:, 0]), 0.0) * freedom[0, 0] / left
    return points, np.sqrt(residual * np.diagonal(inverse) / np.maximum(freedom[1:, 0], 1))


def _asked(inputs: Inputs) -> Flags:
    """Rows of the moments that are recipients'."""
    party = inputs.parties.index(SAMPLED) if SAMPLED in inputs.parties else -1
    rows: Flags = inputs.moments.party == party
    return rows
