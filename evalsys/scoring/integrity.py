"""Step 12: signs that a rating was not given with care; a sign holds it for a person to decide, and decides nothing.

Everything here reads one contract's answers, or one row a rater and contract; NaN is a question without an answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtr, pdtrc

from evalsys.scoring.arrays import Integers, Labels, Vector, floats, guarded, integers, levels, number, whole

DISTINCT_UP_TO = 20_000
"""Different rows of answers that are compared pair by pair; beyond, the work would not end in time."""

_ROWS = 256  # compared with all others at one time


@dataclass(frozen=True, eq=False)
class Distances:
    """How unlike the others each respondent answers.

    Attributes:
        squared: shape (respondents,), Mahalanobis's D²; NaN where an answer is missing.
        p: shape (respondents,), chance of so large a D² if answers were normal; NaN likewise.
        freedom: questions that count: those without a constant answer that do not follow from others.
    """

    squared: Vector
    p: Vector
    freedom: int


@dataclass(frozen=True, eq=False)
class Twins:
    """How like another respondent each one answers.

    Attributes:
        count: shape (respondents,), how many others give nearly the same answers.
        nearest: shape (respondents,), the largest share of equal answers with any other.
    """

    count: Integers
    nearest: Vector


@dataclass(frozen=True, eq=False)
class Shifts:
    """What each rater does to each target's mean; one entry a pair, sorted by target, then rater.

    Attributes:
        target, rater: shape (pairs,), labels.
        answers: shape (pairs,), how many answers the pair has.
        shift: shape (pairs,), the mean without this rater less the mean with it; NaN where nobody else has answered.
    """

    target: Labels
    rater: Labels
    answers: Integers
    shift: Vector


@dataclass(frozen=True, eq=False)
class Residuals:
    """How far each rater's answers for each vendor lie from what the fit expects; one entry a pair.

    Attributes:
        rater, vendor: shape (pairs,), labels.
        mean: shape (pairs,), mean residual; above 0 = favoured.
        p: shape (pairs,), two-sided chance of so large a mean.
        adjusted: shape (pairs,), p after Benjamini and Hochberg.
    """

    rater: Labels
    vendor: Labels
    mean: Vector
    p: Vector
    adjusted: Vector


def long_string(answers: ArrayLike) -> Integers:
    """The longest run of equal answers in a row; a question without an answer ends a run.

    Args:
        answers: shape (respondents, questions), in the order they were asked.

    Source:
        Johnson (2005), Journal of Research in Personality 39:103-129.
    """
    table = _table(answers)
    longest = run = np.zeros(len(table), dtype=np.int64)
    before = np.full(len(table), np.nan)
    for column in table.T:
        run = np.where(column == before, run + 1, ~np.isnan(column))
        longest, before = np.maximum(longest, run), column
    return longest


@guarded("answers")
def response_variability(answers: ArrayLike) -> Vector:
    """Standard deviation of each respondent's own answers, divisor n - 1; NaN where fewer than two are given.

    Source:
        Dunn, Heggestad, Shanock, Theilgard (2018), Journal of Business and Psychology 33:105-121.
    """
    table = _table(answers)
    given = ~np.isnan(table)
    n = given.sum(axis=1)
    middle = np.where(given, table, 0).sum(axis=1) / np.maximum(n, 1)
    squares = (np.where(given, table - middle[:, None], 0) ** 2).sum(axis=1)
    return np.where(n > 1, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)


@guarded("answers")
def even_odd(answers: ArrayLike, scales: ArrayLike) -> Vector:
    """Whether the even and the odd questions of each scale agree: -1 in full, up to 1 against each other.

    The correlation over scales of the two halves' means, stepped up by Spearman and Brown, its sign turned so that a
    higher value means less care.

    Args:
        answers: shape (respondents, questions).
        scales: shape (questions,), label of the scale each belongs to; at least two scales of two questions.

    Returns:
        shape (respondents,); NaN where fewer than two scales have both halves, or one half does not vary.

    Source:
        Johnson (2005), Journal of Research in Personality 39:103-129; R package careless 1.2.
    """
    table = _table(answers)
    names, scale = levels("scales", scales, table.shape[1])
    if (np.bincount(scale, minlength=len(names)) > 1).sum() < 2:
        raise ValueError("scales: at least two scales need two questions")
    place = np.array([(scale[:at] == scale[at]).sum() for at in range(len(scale))])
    halves = []
    for odd in (0, 1):
        mine = np.stack([(scale == k) & (place % 2 == odd) for k in range(len(names))])
        given = ~np.isnan(table) @ mine.T.astype(np.float64)
        halves.append(np.where(given > 0, np.nan_to_num(table) @ mine.T / np.maximum(given, 1), np.nan))
    first, second = halves
    both = ~np.isnan(first) & ~np.isnan(second)
    n = np.maximum(both.sum(axis=1), 1)[:, None]
    a, b = (np.where(both, half - np.where(both, half, 0).sum(axis=1, keepdims=True) / n, 0) for half in halves)
    scale_of = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    floor = 1e-12 * np.maximum(np.abs(np.nan_to_num(table)).max(axis=1, initial=0), 1e-300) ** 2
    known = scale_of > floor
    r = np.where(known, (a * b).sum(axis=1), 0) / np.where(known, scale_of, 1)
    stepped = np.where(r > -1 / 3, -2 * r / (1 + np.maximum(r, -1 / 3)), 1)  # from r = -1/3 down it is 1 or more
    return np.where(known, stepped, np.nan)


@guarded("answers")
def mahalanobis(answers: ArrayLike) -> Distances:
    """How far each respondent's answers lie from the mean, in units of how answers vary together.

    Raises:
        ValueError: not more complete rows than questions that count: then everybody is equally far.

    Source:
        Mahalanobis (1936), Proceedings of the National Institute of Sciences of India 2:49-55; Meade and Craig (2012),
        Psychological Methods 17:437-455.
    """
    table = _table(answers)
    whole = ~np.isnan(table).any(axis=1)
    rows = table[whole]
    squared, p = np.full(len(table), np.nan), np.full(len(table), np.nan)
    centred = rows - rows.mean(axis=0) if len(rows) else rows
    largest = np.abs(centred).max(axis=0, initial=0)
    varying = largest > 1e-12 * np.abs(rows).max(axis=0, initial=0)
    unit = centred[:, varying] / largest[varying]
    left, size, _ = np.linalg.svd(unit / np.sqrt((unit**2).sum(axis=0)), full_matrices=False)
    freedom = int((size > 1e-10 * size.max(initial=0)).sum())
    if len(rows) <= freedom + 1:
        raise ValueError(f"answers: {len(rows)} complete rows are too few to compare {freedom} questions")
    squared[whole] = (len(rows) - 1) * (left[:, :freedom] ** 2).sum(axis=1)
    p[whole] = chdtrc(freedom, squared[whole]) if freedom else 1.0
    return Distances(squared, p, freedom)


def near_duplicates(answers: ArrayLike, *, alike: float = 0.85, least: int = 5) -> Twins:
    """Respondents who give nearly the same answers as others.

    Short questionnaires have honest twins, above all where most are content: read the count beside what is usual.

    Args:
        answers: shape (respondents, questions).
        alike: share of equal answers, among the questions both answered, from which two are near duplicates.
        least: questions that both must have answered to be compared.

    Raises:
        ValueError: alike not above 0 and at most 1, least below 1, or more than 20,000 different rows.

    Source:
        Kuriakose and Robbins (2016), Statistical Journal of the IAOS 32:283-291: the share of .85.
    """
    table = _table(answers)
    if not 0 < number("alike", alike) <= 1:
        raise ValueError(f"alike: must be above 0 and at most 1, is {alike}")
    whole("least", least, least=1)
    codes = np.unique(table, return_inverse=True)[1].reshape(table.shape).astype(np.int32)
    codes[np.isnan(table)] = -1
    rows, back, copies = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    if len(rows) > DISTINCT_UP_TO:
        raise ValueError(f"answers: {len(rows)} different rows are too many to compare; give one contract at a time")
    count, nearest = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows))
    for start in range(0, len(rows), _ROWS):
        these = np.arange(start, min(start + _ROWS, len(rows)))
        agreement = _agreement(rows[these], rows, least)
        count[these] = (agreement >= alike - 1e-12) @ copies
        own = agreement[np.arange(len(these)), these] > 0
        count[these] -= own
        agreement[np.arange(len(these)), these] = own & (copies[these] > 1)
        nearest[these] = agreement.max(axis=1)
    return Twins(count[back], nearest[back])


def time_bands(seconds: ArrayLike, edges: tuple[float, float] = (20, 60)) -> Integers:
    """0 under the first edge, 1 from there to the second, 2 over it.

    Args:
        seconds: shape (answers,), from the issue of a form to its return.
        edges: in seconds, the first below the second.
    """
    took = floats("seconds", seconds)
    if (took < 0).any():
        raise ValueError("seconds: must not be below 0")
    first, second = floats("edges", edges, shape=(2,))
    if not 0 <= first < second:
        raise ValueError(f"edges: the first must be 0 or more and below the second, are {first:g} and {second:g}")
    bands: Integers = (took >= first).astype(np.int64) + (took > second)
    return bands


@guarded("p")
def benjamini_hochberg(p: ArrayLike) -> Vector:
    """Adjust p values so that of those up to q at most a share q is expected to be false alarms.

    Args:
        p: shape (tests,), from 0 to 1; independent tests, or positively dependent ones.

    Source:
        Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57:289-300.
    """
    chances = floats("p", p)
    if chances.ndim != 1 or ((chances < 0) | (chances > 1)).any():
        raise ValueError("p: must be one-dimensional, from 0 to 1")
    tests = len(chances)
    order = np.argsort(-chances, kind="stable")
    stepped = np.minimum.accumulate(np.minimum(chances[order] * (tests / np.arange(tests, 0, -1)), 1))
    adjusted = np.empty(tests)
    adjusted[order] = stepped
    return adjusted


@guarded("y")
def leave_one_rater_out(y: ArrayLike, target: ArrayLike, rater: ArrayLike) -> Shifts:
    """How each target's mean moves when one of its raters is left out.

    Args:
        y: shape (answers,), points.
        target, rater: shape (answers,), labels.

    Raises:
        ValueError: NaN, different lengths.
    """
    points = _column("y", y)
    targets, of_target = levels("target", target, len(points))
    raters, of_rater = levels("rater", rater, len(points))
    pair, answers, total = _pairs(points, of_target, of_rater, len(raters))
    whose = pair // max(len(raters), 1)
    all_answers = np.bincount(of_target, minlength=len(targets))[whose]
    all_total = np.bincount(of_target, points, len(targets))[whose]
    others = all_answers - answers
    shift = (all_total - total) / np.maximum(others, 1) - all_total / np.maximum(all_answers, 1)
    known = np.where(others > 0, shift, np.nan)
    return Shifts(targets[whose], raters[pair % max(len(raters), 1)], answers, known)


@guarded("residual", "sd")
def pair_residuals(residual: ArrayLike, rater: ArrayLike, vendor: ArrayLike, *, sd: float) -> Residuals:
    """Test every rater's residuals for every vendor against chance.

    Args:
        residual: shape (answers,), what a fit leaves: y - intercept - target effect - rater effect.
        rater, vendor: shape (answers,), labels.
        sd: of a residual, above 0.

    Raises:
        ValueError: NaN, different lengths, sd not above 0.
    """
    left = _column("residual", residual)
    if number("sd", sd) <= 0:
        raise ValueError(f"sd: must be above 0, is {sd}")
    raters, of_rater = levels("rater", rater, len(left))
    vendors, of_vendor = levels("vendor", vendor, len(left))
    pair, answers, total = _pairs(left, of_rater, of_vendor, len(vendors))
    p = 2 * ndtr(-np.abs(total) / (sd * np.sqrt(answers)))
    who, whom = np.divmod(pair, max(len(vendors), 1))
    return Residuals(raters[who], vendors[whom], total / answers, p, benjamini_hochberg(p))


@guarded("counts")
def busy_hours(counts: ArrayLike) -> Vector:
    """Chance that an hour brings so many answers or more, had they come evenly over the hours a contract was open.

    Args:
        counts: shape (..., hours), answers in each hour, 0 or more; a row a contract.

    Returns:
        the same shape, Poisson upper tails; 1 where nothing came. Adjust them with `benjamini_hochberg`.
    """
    came = integers("counts", counts)
    if came.ndim == 0 or came.shape[-1] == 0:
        raise ValueError(f"counts: needs at least one hour, has shape {came.shape}")
    if (came < 0).any():
        raise ValueError("counts: must not be below 0")
    mean = np.broadcast_to(came.mean(axis=-1, keepdims=True), came.shape)
    tail: Vector = np.where(came > 0, pdtrc(np.maximum(came - 1, 0), mean), 1.0)
    return tail


@guarded("scores")
def party_gaps(scores: ArrayLike) -> Vector:
    """How far each party's score lies above the mean of the other parties' for the same contract.

    Args:
        scores: shape (contracts, parties), points; NaN where a party gave none.

    Returns:
        the same shape; NaN where the party or all others are missing.
    """
    table = _table(scores, "scores")
    given = ~np.isnan(table)
    others = given.sum(axis=1, keepdims=True) - given
    filled = np.where(given, table, 0)
    mean = (filled.sum(axis=1, keepdims=True) - filled) / np.maximum(others, 1)
    return np.where(given & (others > 0), filled - mean, np.nan)


def _table(answers: ArrayLike, name: str = "answers") -> Vector:
    table = floats(name, answers, gaps=True)
    if table.ndim != 2:
        raise ValueError(f"{name}: must have two dimensions, has shape {table.shape}")
    return table


def _column(name: str, values: ArrayLike) -> Vector:
    column = floats(name, values)
    if column.ndim != 1:
        raise ValueError(f"{name}: must be one-dimensional, has shape {column.shape}")
    return column


def _pairs(y: Vector, a: Integers, b: Integers, width: int) -> tuple[Integers, Integers, Vector]:
    """Codes a · width + b that occur, with the number and the sum of their rows."""
    pair, place, answers = np.unique(a * width + b, return_inverse=True, return_counts=True)
    return pair, answers.astype(np.int64), np.bincount(place, y, len(pair)).astype(np.float64)


def _agreement(these: NDArray[np.int32], rows: NDArray[np.int32], least: int) -> Vector:
    """Share of equal answers of each of `these` with each of `rows`; 0 where too few are common."""
    same = np.zeros((len(these), len(rows)), dtype=np.int32)
    for mine, theirs in zip(these.T, rows.T, strict=True):
        same += (mine[:, None] == theirs) & (mine[:, None] >= 0)
    common = (these >= 0).astype(np.float64) @ (rows >= 0).astype(np.float64).T
    return np.where(common >= least, same / np.maximum(common, 1), 0.0)
