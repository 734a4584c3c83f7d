"""Step 4: how severe each evaluator is, told apart from how good each contract is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from evalsys.scoring.arrays import Integers, Labels, Vector, floats, guarded, levels
from evalsys.scoring.crossed import Design, Point, conditional_variances, connected, design, evaluate

FLAT = 1e-6
"""The slope of the criterion at which a fit is found, a standard error of a parameter being the unit of length."""

FLAT_ENOUGH = 1e-4
"""The slope that is accepted where rounding hides a better one: effects thousands of times the residual."""

NOTHING = 1e-3
"""A standard deviation closer to 0 than this many of its standard errors is 0, which the slope there has to confirm."""

LEAST_RATIO = 1e-2
"""Ratios of variances below this one share its unit of length."""

ROUNDS = 3
"""Searches after which the fit is given up."""


@dataclass(frozen=True, eq=False)
class Effects:
    """Predicted effects of one factor's levels.

    Attributes:
        labels: shape (levels,), sorted, each once.
        values: shape (levels,), conditional modes, in y's unit.
        sd: shape (levels,), conditional standard deviations given the intercept.
    """

    labels: Labels
    values: Vector
    sd: Vector


@dataclass(frozen=True, eq=False)
class Component:
    """Targets and raters that a chain of common answers connects; between components nothing is comparable."""

    targets: Labels
    raters: Labels


@dataclass(frozen=True, eq=False)
class CrossedFit:
    """What `fit_crossed` found.

    Attributes:
        variance_target: between targets, in squared units of y; 0 where there is one target alone.
        variance_rater: between raters; 0 where there is one rater alone.
        variance_residual: what is left.
        intercept: the mean.
        intercept_se: its standard error.
        target_effects: how far each target lies from the mean.
        rater_effects: how far each rater's answers lie from the mean: below 0 = severe.
        criterion: -2 log likelihood, restricted for REML.
        components: parts of the rater-target graph, in the order of their first target.
    """

    variance_target: float
    variance_rater: float
    variance_residual: float
    intercept: float
    intercept_se: float
    target_effects: Effects
    rater_effects: Effects
    criterion: float
    components: tuple[Component, ...]


@guarded("y")
def fit_crossed(
    y: ArrayLike, target: ArrayLike, rater: ArrayLike, *, method: Literal["REML", "ML"] = "REML"
) -> CrossedFit:
    """Fit y = μ + α_target + s_rater + e with independent normal effects.

    Args:
        y: shape (answers,), at least two, in any unit.
        target: shape (answers,), labels of whom each answer judges: numbers or strings.
        rater: shape (answers,), labels of who gave it.
        method: restricted or full maximum likelihood.

    Raises:
        ValueError: shapes differ; NaN or infinity; answers all equal, or explained without remainder; variances that
            these answers cannot tell apart; no convergence. Names the argument.

    Source:
        Bates, Mächler, Bolker, Walker (2015), Journal of Statistical Software 67(1): the same model, estimates,
        conditional standard deviations and criterion as `lmer(y ~ 1 + (1 | target) + (1 | rater))`.
    """
    if method not in {"REML", "ML"}:
        raise ValueError(f'method: must be "REML" or "ML", is {method!r}')
    answers = floats("y", y)
    if answers.ndim != 1 or len(answers) < 2:
        raise ValueError(f"y: must be one-dimensional with at least two answers, has shape {answers.shape}")
    labels, positions = zip(
        *(levels(name, values, len(answers)) for name, values in (("target", target), ("rater", rater))), strict=True
    )
    centre = float(answers.mean())
    farthest = float(np.abs(answers - centre).max())
    scale = farthest and farthest * float(((answers - centre) / farthest).std())  # no square too small for a float
    if scale <= 1e-12 * abs(centre):
        raise ValueError("y: all answers are equal; there is no variance to divide between targets and raters")
    larger = 0 if len(labels[0]) >= len(labels[1]) else 1
    order = [larger, 1 - larger]
    model = design((answers - centre) / scale, *(positions[k] for k in order), reml=method == "REML")
    ratios, point = _search(model, _start(model, [("target", "rater")[k] for k in order]))
    residual = point.residual * scale**2
    effects: dict[int, Effects] = {}
    for k, ratio, pull, variance in zip(order, ratios, point.pulls, conditional_variances(model, ratios), strict=True):
        effects[k] = Effects(labels[k], ratio * pull * scale, np.sqrt(variance * residual))
    variances = dict(zip(order, (ratios * residual).tolist(), strict=True))
    return CrossedFit(
        variance_target=variances[0],
        variance_rater=variances[1],
        variance_residual=residual,
        intercept=centre + point.mean * scale,
        intercept_se=float(np.sqrt(residual / point.precision)),
        target_effects=effects[0],
        rater_effects=effects[1],
        criterion=point.criterion + 2 * model.freedom * float(np.log(scale)),
        components=_components(labels, positions),
    )


def _components(labels: tuple[Labels, ...], positions: tuple[Integers, ...]) -> tuple[Component, ...]:
    targets, raters = labels
    of_target, of_rater = connected(*positions)
    count = int(of_target.max()) + 1
    order = np.argsort(of_target, kind="stable"), np.argsort(of_rater, kind="stable")
    cuts = [np.searchsorted(of[by], np.arange(1, count)) for of, by in zip((of_target, of_rater), order, strict=True)]
    parts = zip(np.split(targets[order[0]], cuts[0]), np.split(raters[order[1]], cuts[1]), strict=True)
    return tuple(Component(*part) for part in parts)


def _start(model: Design, names: list[str]) -> Vector:
    """Ratios by MIVQUE(0), the variances that would expect these sums of squares; 0 for a factor with a single level.

    Raises:
        ValueError: the sums of squares cannot be told apart.

    Source:
        Hartley, Rao, LaMotte (1978), Biometrics 34:233-242.
    """
    n, sizes = len(model.y), model.sizes
    told = [k for k in range(2) if len(sizes[k]) > 1]
    for k in told:
        if len(sizes[k]) == n:
            raise ValueError(
                f"{names[k]}: every answer has one of its own, so its variance is not told apart from chance"
            )
    ask = [*told, 2]
    expected = _expected_squares(model)[np.ix_(ask, ask)]
    unit = np.sqrt(np.diagonal(expected))
    if np.linalg.eigvalsh(expected / np.outer(unit, unit))[0] < 1e-10:
        raise ValueError("rater: raters and targets divide the answers alike; their variances are not told apart")
    observed = np.array([*(total @ total for total in model.sums(model.y)), model.y @ model.y])
    found = np.linalg.solve(expected, observed[ask])
    ratios = np.zeros(2)
    ratios[told] = np.clip(found[:-1] / max(float(found[-1]), 1e-3), 1e-2, 1e4)
    return ratios


def _expected_squares(model: Design) -> Vector:
    """tr(C K_j C K_k) for K = ZZᵀ of a, of b, and I, where C takes off the mean."""
    n, (size_a, size_b), counts = len(model.y), model.sizes, model.counts
    total = np.array([size_a @ size_a, size_b @ size_b, n]) / n
    product = np.array(
        [
            [(size_a**2).sum(), (counts.data**2).sum(), n],
            [(counts.data**2).sum(), (size_b**2).sum(), n],
            [n, n, n],
        ]
    )
    through = np.array(
        [
            [(size_a**3).sum(), size_a @ (counts @ size_b), (size_a**2).sum()],
            [size_a @ (counts @ size_b), (size_b**3).sum(), (size_b**2).sum()],
            [(size_a**2).sum(), (size_b**2).sum(), n],
        ]
    )
    return product - 2 * through / n + np.outer(total, total)


def _search(model: Design, start: Vector) -> tuple[Vector, Point]:
    """Ratios at the lowest criterion.

    The search runs over standard deviations, each in units of about its own standard error; a sign has no meaning, so 0
    is an inner point and no border. A search that stalls far from where it began begins anew there, with better units.

    Raises:
        ValueError: the search did not end where the criterion is flat.
    """
    free = np.flatnonzero(start)
    count = np.array([len(size) for size in model.sizes])[free]
    ratios = start
    for _ in range(ROUNDS):
        unit = np.sqrt(np.maximum(ratios[free], LEAST_RATIO) / count) / 2
        ratios, point, slope = _descend(model, ratios, free, unit)
        steepest = float(np.abs(slope).max(initial=0))
        if steepest <= FLAT:
            break
    if steepest <= FLAT_ENOUGH:
        return ratios, point
    raise ValueError(
        "y: the fit did not converge; the answers leave too little, or too few of them, to measure chance by"
    )


def _descend(model: Design, start: Vector, free: Integers, unit: Vector) -> tuple[Vector, Point, Vector]:
    def at(x: Vector) -> Vector:
        ratios = np.zeros(2)
        ratios[free] = (x * unit) ** 2
        return ratios

    def value(x: Vector) -> tuple[float, Vector]:
        point = evaluate(model, at(x))
        return point.criterion, point.slope[free] * 2 * x * unit**2

    x = np.sqrt(start[free]) / unit
    if len(free):
        x = minimize(value, x, jac=True, method="BFGS", options={"gtol": FLAT}).x
    x[np.abs(x) < NOTHING] = 0.0
    point = evaluate(model, at(x))
    slope = point.slope[free] * unit**2
    return at(x), point, np.where(x == 0, np.minimum(slope, 0), slope * 2 * x)
