"""Step 11: whether the raters agree, and how many of them a reliable mean needs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, fdtrc, fdtri

from evalsys.scoring.arrays import Vector, floats, guarded, share, whole
from evalsys.scoring.krippendorff import Krippendorff, alpha_of_counts, krippendorff_alpha

__all__ = [
    "FORMS",
    "Alpha",
    "Concordance",
    "Crossed",
    "Icc",
    "Krippendorff",
    "alpha_of_counts",
    "alpha_of_covariance",
    "cronbach_alpha",
    "icc",
    "kendall_w",
    "krippendorff_alpha",
    "of_mean",
    "raters_needed",
]

FORMS = ("ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k")
"""Shrout and Fleiss's forms: one-way; two-way, raters drawn from many; two-way, these raters only; k: of their mean."""


@dataclass(frozen=True, eq=False)
class Icc:
    """Intraclass correlations; arrays in the order of `forms`.

    Attributes:
        forms: names of the six forms.
        estimate, low, high: the correlation and its limits.
        F, df1, df2, p: the F test that targets do not differ; F is infinite where raters agree to the last digit.
        targets, raters: the size of the table.
    """

    forms: tuple[str, ...]
    estimate: Vector
    low: Vector
    high: Vector
    F: Vector
    df1: Vector
    df2: Vector
    p: Vector
    targets: int
    raters: int


@dataclass(frozen=True, eq=False)
class Alpha:
    """Cronbach's α of a questionnaire.

    Attributes:
        alpha, low, high: the coefficient and Feldt's limits.
        if_dropped: shape (items,), α of the others; NaN where only two items are there.
        item_total: shape (items,), correlation of an item with the sum of the others; NaN where one is constant.
        respondents, items: the size of the table.
    """

    alpha: float
    low: float
    high: float
    if_dropped: Vector
    item_total: Vector
    respondents: int
    items: int


@dataclass(frozen=True, eq=False)
class Concordance:
    """Kendall's W with its χ² test; `uncorrected` leaves ties out of account."""

    W: float
    chi2: float
    df: int
    p: float
    uncorrected: float


@runtime_checkable
class Crossed(Protocol):
    """A fit with the variances of targets, raters and residual, as `severity.fit_crossed` gives it."""

    @property
    def variance_target(self) -> float: ...
    @property
    def variance_rater(self) -> float: ...
    @property
    def variance_residual(self) -> float: ...


@guarded("ratings")
def icc(ratings: ArrayLike, *, level: float = 0.95) -> Icc:
    """Shrout and Fleiss's six intraclass correlations.

    Args:
        ratings: shape (targets, raters), at least 2 by 2, without gaps.
        level: confidence.

    Raises:
        ValueError: NaN, too small a table, or neither targets nor residuals vary, so that nothing is defined.

    Source:
        Shrout and Fleiss (1979), Psychological Bulletin 86:420-428; the limits of a mean's forms follow from those of
        one rater's.
    """
    x = _table("ratings", ratings, "targets", "raters")
    half = (1 - share("level", level)) / 2
    n, k = x.shape
    between, within, judges, residual = _mean_squares(x)
    if between + residual == 0:
        raise ValueError("ratings: targets do not differ, so no agreement about them is defined")
    one = (between - within) / (between + (k - 1) * within)
    whole = between + (k - 1) * residual + k * (judges - residual) / n
    two = (between - residual) / whole if whole > 0 else -1 / (k - 1)  # 0 only in a table of two by two
    three = (between - residual) / (between + (k - 1) * residual)
    f1, f3 = _ratio(between, within), _ratio(between, residual)
    df1, df_within, df_residual = n - 1, n * (k - 1), (n - 1) * (k - 1)
    limits = np.array(
        [
            _limits_of_ratio(f1, df1, df_within, k, half),
            _limits_of_agreement(two, (between, judges, residual), n, k, half),
            _limits_of_ratio(f3, df1, df_residual, k, half),
        ]
    )
    single = np.array([one, two, three])
    f, df2 = np.array([f1, f3, f3]), np.array([df_within, df_residual, df_residual], dtype=np.float64)
    return Icc(
        forms=FORMS,
        estimate=np.concatenate([single, of_mean(single, k)]),
        low=np.concatenate([limits[:, 0], of_mean(limits[:, 0], k)]),
        high=np.concatenate([limits[:, 1], of_mean(limits[:, 1], k)]),
        F=np.tile(f, 2),
        df1=np.full(6, float(df1)),
        df2=np.tile(df2, 2),
        p=np.tile(fdtrc(df1, df2, f), 2),
        targets=n,
        raters=k,
    )


def of_mean(single: Vector, raters: float) -> Vector:
    """Spearman and Brown: the reliability of the mean of so many raters, from that of one; -∞ at -1/(raters - 1)."""
    whole = 1 + (raters - 1) * single
    return np.where(whole > 0, raters * single / np.where(whole > 0, whole, 1), -np.inf)


def raters_needed(fit: Icc | Crossed, target: float) -> int:
    """How many raters make the mean as reliable as wanted.

    Args:
        fit: what `icc` gave (its form ICC2 is used: other raters of the same kind, absolute agreement), or a crossed
            fit with variances of targets, raters and residual.
        target: reliability of the mean, between 0 and 1.

    Raises:
        ValueError: the target is no share, or one rater tells the targets apart no better than chance: then no number
            of raters is enough.

    Source:
        Spearman (1910), Brown (1910), British Journal of Psychology 3.
    """
    share("target", target)
    if isinstance(fit, Crossed):
        whole = fit.variance_target + fit.variance_rater + fit.variance_residual
        single = fit.variance_target / whole if whole > 0 else 0.0
    else:
        single = float(fit.estimate[FORMS.index("ICC2")])
    if single <= 0:
        raise ValueError("fit: one rater tells nothing about the targets, so no number of raters is enough")
    exact = target * (1 - single) / (single * (1 - target))
    return max(1, math.ceil(exact - 1e-9))


@guarded("items")
def cronbach_alpha(items: ArrayLike, *, level: float = 0.95) -> Alpha:
    """Cronbach's α, Feldt's interval, and α without each item.

    Args:
        items: shape (respondents, items), at least 2 by 2, without gaps.
        level: confidence.

    Raises:
        ValueError: NaN, too small a table, or the respondents' sums do not vary.

    Source:
        Cronbach (1951), Psychometrika 16:297-334; Feldt, Woodruff and Salih (1987), Appl. Psychol. Meas. 11:93-103.
    """
    x = _table("items", items, "respondents", "items")
    x = x - x[0]  # exactly 0 where an item is constant
    return alpha_of_covariance(np.cov(x / (np.abs(x).max() or 1), rowvar=False), len(x), level=level)


@guarded("covariance")
def alpha_of_covariance(covariance: ArrayLike, respondents: int, *, level: float = 0.95) -> Alpha:
    """`cronbach_alpha` from the items' covariances, so that sums of many respondents are enough.

    Args:
        covariance: shape (items, items), at least 2 by 2, symmetric, divisor respondents - 1.
        respondents: how many it rests on, at least 2.
        level: confidence.

    Raises:
        ValueError: another shape, too few respondents, or their sums do not vary.
    """
    covariance = _table("covariance", covariance, "items", "items")
    half = (1 - share("level", level)) / 2
    n, k = respondents, len(covariance)
    if covariance.shape[1] != k or not np.allclose(covariance, covariance.T) or (np.diagonal(covariance) < 0).any():
        raise ValueError("covariance: must be square and symmetric, with variances of 0 or more")
    whole("respondents", n, least=2)
    total = float(covariance.sum())
    spread = np.diagonal(covariance)
    if total <= 1e-12 * spread.sum():
        raise ValueError("items: the respondents' sums do not vary, so α is not defined")
    alpha = k / (k - 1) * (1 - float(spread.sum()) / total)
    df1, df2 = n - 1, (n - 1) * (k - 1)
    rest = total - 2 * covariance.sum(axis=0) + spread  # variance of the sum of the others
    dropped = np.full(k, np.nan)
    known = rest > 1e-12 * spread.sum()
    if k > 2:
        share_of_items = (spread.sum() - spread) / np.where(known, rest, 1)
        dropped = np.where(known, (k - 1) / (k - 2) * (1 - share_of_items), np.nan)
    shared = covariance.sum(axis=0) - spread
    scale = np.sqrt(np.where(known, spread * rest, 0))
    return Alpha(
        alpha=alpha,
        low=1 - (1 - alpha) * float(fdtri(df1, df2, 1 - half)),
        high=1 - (1 - alpha) * float(fdtri(df1, df2, half)),
        if_dropped=dropped,
        item_total=np.where(scale > 0, shared / np.where(scale > 0, scale, 1), np.nan),
        respondents=n,
        items=k,
    )


@guarded("ratings")
def kendall_w(ratings: ArrayLike) -> Concordance:
    """Kendall's coefficient of concordance, corrected for ties.

    Args:
        ratings: shape (targets, raters), at least 2 by 2, without gaps; each rater's ranks come from them.

    Raises:
        ValueError: NaN, too small a table, or every rater gives every target the same.

    Source:
        Kendall and Babington Smith (1939), Annals of Mathematical Statistics 10:275-287.
    """
    x = _table("ratings", ratings, "targets", "raters")
    n, m = x.shape
    ranks = np.column_stack([_mid_ranks(column) for column in x.T])
    ties = sum(float((counts**3 - counts).sum()) for counts in (np.unique(c, return_counts=True)[1] for c in x.T))
    deviation = float(((ranks.sum(axis=1) - m * (n + 1) / 2) ** 2).sum())
    full = m**2 * (n**3 - n)
    if full - m * ties <= 0:
        raise ValueError("ratings: every rater gives every target the same, so no order is there to agree on")
    w = 12 * deviation / (full - m * ties)
    chi2 = m * (n - 1) * w
    return Concordance(W=w, chi2=chi2, df=n - 1, p=float(chdtrc(n - 1, chi2)), uncorrected=12 * deviation / full)


def _table(name: str, values: ArrayLike, rows: str, columns: str) -> Vector:
    x = floats(name, values)
    if x.ndim != 2 or min(x.shape) < 2:
        raise ValueError(f"{name}: must have shape ({rows}, {columns}), at least 2 by 2, has {x.shape}")
    return x


def _mean_squares(x: Vector) -> tuple[float, float, float, float]:
    """Between targets, within targets, between raters, residual; noise of the arithmetic is 0."""
    n, k = x.shape
    x = x - x[0, 0]  # exactly 0 where all are equal
    x = x - x.mean()
    x = x / (np.abs(x).max() or 1)  # only ratios are used; no square too small for a float
    rows, columns = x.mean(axis=1), x.mean(axis=0)
    noise = 1e-24
    between = k * float(rows @ rows)
    judges = n * float(columns @ columns)
    within = float(((x - rows[:, None]) ** 2).sum())
    residual = float(((x - rows[:, None] - columns) ** 2).sum())
    between, within, judges, residual = (0.0 if s <= noise * n * k else s for s in (between, within, judges, residual))
    return between / (n - 1), within / (n * (k - 1)), judges / (k - 1), residual / ((n - 1) * (k - 1))


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else math.inf


def _limits_of_ratio(f: float, df1: int, df2: int, k: int, half: float) -> tuple[float, float]:
    if math.isinf(f):
        return 1.0, 1.0
    low, high = f / float(fdtri(df1, df2, 1 - half)), f * float(fdtri(df2, df1, 1 - half))
    return (low - 1) / (low + k - 1), (high - 1) / (high + k - 1)


def _limits_of_agreement(
    two: float, squares: tuple[float, float, float], n: int, k: int, half: float
) -> tuple[float, float]:
    """Of ICC2, by Satterthwaite's degrees of freedom; multiplied out, so that a residual of 0 does no harm."""
    between, judges, residual = squares
    a, b = k * two * judges, (n * (1 + (k - 1) * two) - k * two) * residual
    if a == 0 and b == 0:  # no rater differs from another
        return 1.0, 1.0
    df = max(0.5, (k - 1) * (n - 1) * (a + b) ** 2 / ((n - 1) * a**2 + b**2))  # below 1 only for negative agreement
    upper, lower = float(fdtri(n - 1, df, 1 - half)), float(fdtri(df, n - 1, 1 - half))
    noise = k * judges + (k * n - k - n) * residual
    if noise + between == 0:  # two by two, each rater the other's opposite: nothing is learned
        return -1 / (k - 1), 1.0
    low = n * (between - upper * residual) / (upper * noise + n * between)
    return low, n * (lower * between - residual) / (noise + n * lower * between)


def _mid_ranks(values: Vector) -> Vector:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle: Vector = (last - (counts - 1) / 2)[place]
    return middle
