"""Whatever the public functions are given: a defined result, or an error that names the argument; never a warning.

Every call here runs with NumPy's floating-point faults and all warnings turned into errors.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsys.scoring.adjustment import within_entity
from evalsys.scoring.choice import price_points, probability_best
from evalsys.scoring.composite import band_points, level_points, to_points, weighted_product, weighted_sum
from evalsys.scoring.grades import grade_of, probabilities
from evalsys.scoring.integrity import (
    benjamini_hochberg,
    busy_hours,
    even_odd,
    leave_one_rater_out,
    long_string,
    mahalanobis,
    near_duplicates,
    pair_residuals,
    party_gaps,
    response_variability,
    time_bands,
)
from evalsys.scoring.intervals import Limits, cell, combine, rater_cell, wilson
from evalsys.scoring.past_performance import past_performance
from evalsys.scoring.ranking import bands, competition_ranks, rank_sets
from evalsys.scoring.reliability import (
    alpha_of_covariance,
    cronbach_alpha,
    icc,
    kendall_w,
    krippendorff_alpha,
    raters_needed,
)
from evalsys.scoring.sensitivity import over_weights, sensitivity
from evalsys.scoring.severity import fit_crossed
from evalsys.scoring.shrinkage import shrink, tau_squared
from evalsys.scoring.weighting import kish_n_eff, poststratify, rake, survey_mean, trim

NAN, INF = math.nan, math.inf
Call = Callable[..., Any]


def strictly(function: Call, *arguments: Any, **options: Any) -> Any:
    """Call with every warning and floating-point fault an error, as a careful caller may."""
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        return function(*arguments, **options)


def numbers_in(result: Any, at: str = "result") -> Iterator[tuple[str, float]]:
    """Every number of a result, with the field it stands in."""
    if dataclasses.is_dataclass(result):
        for field in dataclasses.fields(result):
            yield from numbers_in(getattr(result, field.name), field.name)
    elif isinstance(result, tuple):
        for part in result:
            yield from numbers_in(part, at)
    elif np.asarray(result).dtype.kind in "fiu":
        yield from ((at, float(value)) for value in np.asarray(result).ravel())


RATERS = (["a", "a", "b", "b", "c", "c"], ["x", "y", "x", "y", "x", "y"])
TABLE = [[9, 2, 5], [6, 1, 3], [8, 4, 6], [7, 1, 2]]

# A function, how one argument of it is filled, and the argument's name in the error.
FILLED: list[tuple[str, str, Call]] = [
    ("icc", "ratings", icc),
    ("cronbach_alpha", "items", cronbach_alpha),
    ("kendall_w", "ratings", kendall_w),
    ("krippendorff_alpha", "ratings", lambda x: krippendorff_alpha(x, draws=20)),
    ("krippendorff_alpha", "ratings", lambda x: krippendorff_alpha(x, metric="nominal", draws=20)),
    ("krippendorff_alpha", "ratings", lambda x: krippendorff_alpha(x, metric="interval", draws=20)),
    ("krippendorff_alpha", "ratings", lambda x: krippendorff_alpha(x, metric="ratio", draws=20)),
    ("krippendorff_alpha", "draws", lambda x: krippendorff_alpha(TABLE, draws=x)),
    ("alpha_of_covariance", "covariance", lambda x: alpha_of_covariance(x, 10)),
    ("alpha_of_covariance", "respondents", lambda x: alpha_of_covariance([[2, 1], [1, 2]], x)),
    ("raters_needed", "target", lambda x: raters_needed(icc(TABLE), x)),
    ("icc", "level", lambda x: icc(TABLE, level=x)),
    ("fit_crossed", "y", lambda x: fit_crossed(x, *RATERS)),
    ("fit_crossed", "target", lambda x: fit_crossed([1, 2, 4, 3, 5, 7], x, RATERS[1])),
    ("fit_crossed", "rater", lambda x: fit_crossed([1, 2, 4, 3, 5, 7], RATERS[0], x)),
    ("poststratify", "counts", lambda x: poststratify(x, [10, 20, 30])),
    ("poststratify", "sizes", lambda x: poststratify([5, 6, 7], x)),
    ("poststratify", "minimum", lambda x: poststratify([5, 6, 7], [10, 20, 30], minimum=x)),
    ("trim", "weights", trim),
    ("trim", "times", lambda x: trim([1, 2, 3], x)),
    ("kish_n_eff", "weights", kish_n_eff),
    ("rake", "cells", lambda x: rake(x, [[3, 3], [2, 4]])),
    ("rake", "margins", lambda x: rake([[1, 2, 3], [1, 1, 1]], [[1, 5], x])),
    ("survey_mean", "y", lambda x: survey_mean(x, [1, 1, 1])),
    ("survey_mean", "weights", lambda x: survey_mean([1, 2, 4], x)),
    ("survey_mean", "strata", lambda x: survey_mean([1, 2, 4], [1, 1, 1], x)),
    ("survey_mean", "clusters", lambda x: survey_mean([1, 2, 4], [1, 1, 1], None, x)),
    ("survey_mean", "sizes", lambda x: survey_mean([1, 2, 4], [1, 1, 1], None, [1, 2, 3], x)),
    ("within_entity", "y", lambda x: within_entity(x, ["a", "a", "b"], [1, 2, 2])),
    ("within_entity", "entity", lambda x: within_entity([1, 2, 4], x, [1, 2, 4])),
    ("within_entity", "adjusters", lambda x: within_entity([1, 2, 4], ["a", "a", "b"], x)),
    ("within_entity", "coefficients", lambda x: within_entity([1, 2, 4], ["a", "a", "b"], [1, 2, 4], coefficients=x)),
    ("wilson", "m", lambda x: wilson(x, 10)),
    ("wilson", "n", lambda x: wilson(0.5, x)),
    ("wilson", "level", lambda x: wilson(0.5, 10, x)),
    ("cell", "mean", lambda x: cell(x, 100, 10, pooled=1)),
    ("cell", "variance", lambda x: cell(50, x, 10, pooled=1)),
    ("cell", "n", lambda x: cell(50, 100, x, pooled=1)),
    ("cell", "pooled", lambda x: cell(50, 100, 10, pooled=x)),
    ("cell", "frame", lambda x: cell(50, 100, 10, pooled=1, frame=x)),
    ("cell", "n_effective", lambda x: cell(50, 100, 10, pooled=1, n_effective=x)),
    ("cell", "strength", lambda x: cell(50, 100, 10, pooled=1, strength=x)),
    ("rater_cell", "mean", lambda x: rater_cell(x, 2, variance=100)),
    ("rater_cell", "raters", lambda x: rater_cell(50, x, variance=100)),
    ("rater_cell", "variance", lambda x: rater_cell(50, 2, variance=x)),
    ("combine", "weights", lambda x: combine(x, Limits(*(np.full((1, 1, 1), end) for end in (5.0, 4, 6))), [[[1]]])),
    ("tau_squared", "estimates", lambda x: tau_squared(x, [1, 1, 1])),
    ("tau_squared", "variances", lambda x: tau_squared([1, 2, 4], x)),
    ("tau_squared", "estimates", lambda x: tau_squared(x, [1, 1, 1], "PM")),
    ("tau_squared", "variances", lambda x: tau_squared([1, 2, 4], x, "PM")),
    ("tau_squared", "estimates", lambda x: tau_squared(x, [1, 1, 1], "DL")),
    ("tau_squared", "variances", lambda x: tau_squared([1, 2, 4], x, "DL")),
    ("shrink", "estimates", lambda x: shrink(x, [1, 1, 1])),
    ("shrink", "variances", lambda x: shrink([1, 2, 4], x)),
    ("shrink", "tau2", lambda x: shrink([1, 2, 4], [1, 1, 1], tau2=x)),
    ("shrink", "mean", lambda x: shrink([1, 2, 4], [1, 1, 1], mean=x)),
    ("rank_sets", "estimates", lambda x: rank_sets(x, [1, 1, 1], draws=20)),
    ("rank_sets", "se", lambda x: rank_sets([1, 2, 4], x, draws=20)),
    ("rank_sets", "level", lambda x: rank_sets([1, 2, 4], [1, 1, 1], draws=20, level=x)),
    ("rank_sets", "draws", lambda x: rank_sets([1, 2, 4], [1, 1, 1], draws=x)),
    ("rank_sets", "seed", lambda x: rank_sets([1, 2, 4], [1, 1, 1], draws=20, seed=x)),
    ("bands", "estimates", lambda x: bands(x, [1, 1, 1], [3, 3, 3])),
    ("bands", "lower", lambda x: bands([1, 2, 4], x, [3, 3, 3])),
    ("bands", "upper", lambda x: bands([1, 2, 4], [1, 1, 1], x)),
    ("competition_ranks", "scores", competition_ranks),
    ("sensitivity", "parts", lambda x: sensitivity(x, [1, 1, 1], draws=20)),
    ("sensitivity", "weights", lambda x: sensitivity([[1, 2, 3], [4, 5, 6]], x, draws=20)),
    ("sensitivity", "concentration", lambda x: sensitivity([[1, 2], [4, 5]], [1, 1], concentration=x, draws=20)),
    ("sensitivity", "draws", lambda x: sensitivity([[1, 2], [4, 5]], [1, 1], draws=x)),
    ("over_weights", "parts", lambda x: over_weights(x, [1, 1, 1])),
    ("long_string", "answers", long_string),
    ("response_variability", "answers", response_variability),
    ("even_odd", "answers", lambda x: even_odd(x, ["a", "a", "b", "b"])),
    ("even_odd", "scales", lambda x: even_odd([[1, 2, 3, 4]], x)),
    ("mahalanobis", "answers", mahalanobis),
    ("near_duplicates", "answers", lambda x: near_duplicates(x, least=1)),
    ("near_duplicates", "alike", lambda x: near_duplicates(TABLE, alike=x)),
    ("near_duplicates", "least", lambda x: near_duplicates(TABLE, least=x)),
    ("time_bands", "seconds", time_bands),
    ("time_bands", "edges", lambda x: time_bands([1, 30, 90], x)),
    ("benjamini_hochberg", "p", benjamini_hochberg),
    ("leave_one_rater_out", "y", lambda x: leave_one_rater_out(x, [1, 1, 2], [1, 2, 1])),
    ("pair_residuals", "residual", lambda x: pair_residuals(x, [1, 1, 2], [1, 2, 1], sd=1)),
    ("pair_residuals", "sd", lambda x: pair_residuals([1, 2, 4], [1, 1, 2], [1, 2, 1], sd=x)),
    ("busy_hours", "counts", busy_hours),
    ("party_gaps", "scores", party_gaps),
    ("to_points", "raw", lambda x: to_points(x, worst=0, best=10)),
    ("to_points", "worst", lambda x: to_points([1, 2], worst=x, best=10)),
    ("band_points", "raw", lambda x: band_points(x, [(0, 0), (5, 50)])),
    ("band_points", "bands", lambda x: band_points([1, 2], x)),
    ("weighted_sum", "points", lambda x: weighted_sum(x, [1, 1, 1])),
    ("weighted_sum", "weights", lambda x: weighted_sum([[1, 2, 3]], x)),
    ("weighted_product", "points", lambda x: weighted_product(x, [1, 1, 1])),
    ("weighted_product", "weights", lambda x: weighted_product([[1, 2, 3]], x)),
    ("price_points", "prices", price_points),
    ("price_points", "reference", lambda x: price_points([1, 2], reference=x)),
    ("probability_best", "parts", lambda x: probability_best(x, [[0, 1, 9]], [1, 1, 1], draws=20)),
    ("probability_best", "sd", lambda x: probability_best([[1, 2, 3]], x, [1, 1, 1], draws=20)),
    ("probability_best", "weights", lambda x: probability_best([[1, 2, 3]], [[0, 1, 0]], x, draws=20)),
    ("level_points", "levels", level_points),
    ("grade_of", "score", lambda x: grade_of(x, [90, 80, 60, 0])),
    ("grade_of", "starts", lambda x: grade_of([50, 90], x)),
    ("probabilities", "limits", lambda x: probabilities(Limits(x, x, x), [90, 80, 60, 0], level=0.95)),
    ("past_performance", "vendor", lambda x: past_performance(x, [1] * 3, [50] * 3, [1] * 3, vendors=3, for_year=2)),
    ("past_performance", "year", lambda x: past_performance([0, 1, 2], x, [50] * 3, [1] * 3, vendors=3, for_year=2)),
    ("past_performance", "score", lambda x: past_performance([0, 1, 2], [1] * 3, x, [1] * 3, vendors=3, for_year=2)),
    ("past_performance", "size", lambda x: past_performance([0, 1, 2], [1] * 3, [50] * 3, x, vendors=3, for_year=2)),
    ("past_performance", "vendors", lambda x: past_performance([0], [1], [50], [1], vendors=x, for_year=2)),
    ("past_performance", "for_year", lambda x: past_performance([0], [1], [50], [1], vendors=1, for_year=x)),
    ("past_performance", "decay", lambda x: past_performance([0], [1], [50], [1], vendors=1, for_year=2, decay=x)),
]

# Nothing of these can be meant: each has to be refused wherever it stands in for numbers.
NONSENSE: dict[str, Any] = {
    "complex": [1 + 1j, 2, 3],
    "ragged": [[1, 2], [3]],
    "masked": np.ma.array([1, 2, 3], mask=[0, 1, 0]),
    "objects": [object(), 1, 2],
    "beyond floats": [10**400, 1, 2],
}

# Some of these are fine for some arguments; elsewhere they are refused by name.
ODD: dict[str, Any] = {
    "empty": [],
    "infinite": [1, INF, 3],
    "three dimensions": np.full((2, 2, 2), -1.5),
    "one number": 5.0,
    "nothing": None,
    "a word": "abc",
    "words": ["a", "b", "c"],
    "numbers as words": ["1", "2", "3"],
    "NaN": [1, NAN, 3],
    "one": [2],
    "equal": [2.0, 2.0, 2.0],
    "zeros": [0, 0, 0],
    "six equal": [3.0] * 6,
    "below 0": [-1, -2, -3],
    "flags": [True, False, True],
    "huge": [1e300, 2e300, -1e300],
    "largest": [1.7e308, -1.7e308, 1e308],
    "small": [1e-300, 2e-300, 3e-300],
    "smallest": [5e-324, 1e-323, 0],
    "far apart": [1e300, 1e-300, 0.5],
    "beyond 64 bits": [2**64 - 1, 1, 2],
    "half floats": np.array([1, 2, 3], dtype=np.float16),
    "big single floats": np.array([3e38, 1e38, -3e38], dtype=np.float32),
    "unmasked": np.ma.array([1.0, 2, 4]),
    "years": np.array(["2026", "2027", "2028"], dtype="M8[Y]"),
    "no rows": np.empty((0, 3)),
    "no columns": np.empty((3, 0)),
    "one row": [[1, 2, 3]],
    "one column": [[1], [2], [3]],
    "two by two": [[1, 2], [3, 4]],
    "opposites": [[1, 2], [2, 1]],
    "equal table": np.full((4, 3), 5.0),
    "equal rows": np.tile([1.0, 2, 3], (4, 1)),
    "equal columns": np.tile([[1.0], [2], [3], [4]], (1, 3)),
    "gaps": [[1, NAN, 3], [2, 3, 1], [4, 5, 2]],
    "nothing but gaps": np.full((3, 3), NAN),
    "None for a gap": [[1, None, 2], [3, 4, 5]],
    "huge table": np.arange(12.0).reshape(4, 3) ** 2 * 1e300,
    "small table": np.arange(12.0).reshape(4, 3) ** 2 * 1e-300,
    "smallest table": np.arange(12.0).reshape(4, 3) ** 2 * 5e-324,
    "far from 0": 1e15 + np.arange(12.0).reshape(4, 3) ** 2,
    "a constant column": np.column_stack([np.zeros(5), np.arange(5.0), np.arange(5.0) ** 2]),
}

# Fields that are documented to be NaN or infinite where there is nothing to say.
MAY_BE_NAN = {
    "cronbach_alpha": {"if_dropped", "item_total"},
    "alpha_of_covariance": {"if_dropped", "item_total"},
    "response_variability": {"result"},
    "even_odd": {"result"},
    "mahalanobis": {"squared", "p"},
    "leave_one_rater_out": {"shift"},
    "party_gaps": {"result"},
    "to_points": {"result"},
    "band_points": {"result"},
    "price_points": {"result"},
    "probabilities": {"result"},
    "past_performance": {"score"},
}
MAY_BE_INFINITE = {"icc": {"F", "estimate", "low", "high"}}


def is_defined(function: str, result: Any) -> bool:
    nan, infinite = MAY_BE_NAN.get(function, set()), MAY_BE_INFINITE.get(function, set())
    return all(
        math.isfinite(value) or (math.isnan(value) and field in nan) or (math.isinf(value) and field in infinite)
        for field, value in numbers_in(result)
    )


def said_of(name: str, error: ValueError) -> bool:
    """The message starts with the argument's name, or with those of a pair that must fit together."""
    return name in str(error).split(":")[0] or str(error).split(":")[0].split("[")[0] in PARTNERS.get(name, ())


# What a shape or a value is compared with is named instead where the other one is at fault just as well.
PARTNERS = {
    "counts": ("sizes",),
    "y": ("weights", "target", "rater", "entity", "adjusters", "strata", "clusters"),
    "cells": ("margins",),
    "clusters": ("sizes",),
    "estimates": ("variances", "se", "lower", "upper"),
    "parts": ("weights", "sd"),
    "points": ("weights",),
    "answers": ("scales",),
    "scales": ("answers",),
    "residual": ("rater", "vendor"),
    "vendor": ("year", "score", "size"),
    "limits": ("limits.estimate",),
    "target": ("rater", "y"),
    "rater": ("target", "y"),
    "lower": ("upper",),
    "upper": ("lower",),
    "vendors": ("vendor",),
    "worst": ("best",),
    "covariance": ("items",),
    "entity": ("adjusters",),
}


@pytest.mark.parametrize(
    ("function", "name", "fill"), FILLED, ids=[f"{function}-{name}" for function, name, _ in FILLED]
)
def test_a_defined_result_or_an_error_that_names_the_argument(function: str, name: str, fill: Call) -> None:
    wrong = []
    for odd, value in (NONSENSE | ODD).items():
        try:
            result = strictly(fill, value)
        except ValueError as error:
            if not said_of(name, error):
                wrong.append(f"{odd}: {error}")
        else:
            if not is_defined(function, result):
                wrong.append(f"{odd}: {result}")
            elif odd in NONSENSE and name not in LABELS:
                wrong.append(f"{odd}: was taken, and gave {result}")
    assert not wrong


LABELS = {"target", "rater", "strata", "clusters", "entity", "scales"}
"""Labels may be numbers of any kind, words or dates, as long as they can be sorted."""

ANY_NUMBER = st.one_of(
    st.integers(-3, 100), st.floats(), st.sampled_from([0.0, 1.0, 1e-300, 5e-324, 1e59, -1e300, NAN, INF])
)
LINES = st.lists(ANY_NUMBER, min_size=3, max_size=3) | st.lists(ANY_NUMBER, max_size=7)
TABLES = st.tuples(st.integers(1, 6), st.integers(1, 4)).flatmap(
    lambda shape: st.lists(
        st.lists(ANY_NUMBER, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
    )
)


@pytest.mark.parametrize(
    ("function", "name", "fill"), FILLED, ids=[f"{function}-{name}" for function, name, _ in FILLED]
)
@settings(max_examples=15, deadline=None)
@given(value=ANY_NUMBER | LINES | TABLES)
def test_any_numbers_are_taken_or_refused_by_name(function: str, name: str, fill: Call, value: Any) -> None:
    try:
        result = strictly(fill, value)
    except ValueError as error:
        fault = "" if said_of(name, error) else str(error)
    else:
        fault = "" if is_defined(function, result) else str(result)
    assert not fault


def test_one_of_everything_is_said_to_be_too_little() -> None:
    for act, why in [
        (lambda: icc([[1, 2, 3]]), "ratings: must have shape"),
        (lambda: icc([[1], [2], [3]]), "ratings: must have shape"),
        (lambda: kendall_w([[1], [2]]), "ratings: must have shape"),
        (lambda: tau_squared([50], [4]), "estimates: at least 2"),
        (lambda: fit_crossed([50], ["a"], ["x"]), "y: must be one-dimensional with at least two"),
        (lambda: survey_mean([1, 2], [1, 1], ["a", "b"], None, [9, 9]), "strata, clusters: a stratum has one unit"),
        (lambda: mahalanobis([[1, 2, 3]]), "answers: 1 complete rows are too few"),
    ]:
        with pytest.raises(ValueError, match=why):
            strictly(act)


def test_one_of_everything_is_enough_where_one_says_something() -> None:
    assert strictly(rank_sets, [50], [2]).upper.tolist() == [1]
    assert strictly(shrink, [50], [4], tau2=9).values.tolist() == [50]
    assert strictly(sensitivity, [[50, 60]], [1, 1]).first.tolist() == [1]
    assert strictly(kish_n_eff, [7]) == 1
    one_rater = strictly(fit_crossed, [1, 2, 4, 3], ["a", "a", "b", "b"], ["x"] * 4)
    assert one_rater.variance_rater == 0
    one_target = strictly(fit_crossed, [1, 2, 4, 3], ["a"] * 4, ["x", "x", "y", "y"])
    assert one_target.variance_target == 0


def test_raters_that_nothing_connects_stand_in_components_of_their_own() -> None:
    fit = strictly(fit_crossed, [1, 2, 4, 3, 6, 5, 9, 8], list("aabbccdd"), list("xyxyzwzw"))
    assert [part.raters.tolist() for part in fit.components] == [["x", "y"], ["w", "z"]]
    with pytest.raises(ValueError, match=r"^rater: .*not told apart"):
        strictly(fit_crossed, [1, 2, 4, 3, 6, 5], list("aabbcc"), list("xxyyzz"))


def test_all_equal_is_no_variance() -> None:
    assert strictly(tau_squared, [5, 5, 5], [1, 2, 3]) == 0
    assert strictly(rank_sets, [5, 5, 5], [0, 0, 0]).lower.tolist() == [1, 1, 1]
    for function, argument in ((icc, "ratings"), (kendall_w, "ratings"), (cronbach_alpha, "items")):
        with pytest.raises(ValueError, match=f"^{argument}: "):
            strictly(function, np.full((5, 3), 4))


def test_an_empty_stratum_joins_the_thin_ones_and_weights_of_zero_are_refused() -> None:
    found = strictly(poststratify, [0, 30, 40], [10, 100, 100], names=["east", "north", "south"])
    assert found.collapsed == ("east", "north")
    assert found.weights.tolist() == pytest.approx([0, 110 / 30, 2.5])
    for act in (lambda: kish_n_eff([0, 0]), lambda: trim([0, 0]), lambda: survey_mean([1, 2], [0, 0])):
        with pytest.raises(ValueError, match=r"^weights: "):
            strictly(act)
    with pytest.raises(ValueError, match=r"^weights: "):
        strictly(sensitivity, [[1, 2]], [0, 0])


def test_a_million_identical_rows_are_no_trouble() -> None:
    rows = 1_000_000
    assert strictly(long_string, np.full((rows, 3), 4)).max() == 3
    assert strictly(near_duplicates, np.full((rows, 5), 4)).count[0] == rows - 1
    assert strictly(response_variability, np.full((rows, 3), 4)).max() == 0
    assert strictly(kish_n_eff, np.full(rows, 0.1)) == pytest.approx(rows)
    assert strictly(survey_mean, np.full(rows, 4.0), np.full(rows, 0.1)).se == pytest.approx(0, abs=1e-12)
    assert strictly(competition_ranks, np.full(rows, 81.5)).max() == 1
    with pytest.raises(ValueError, match="ratings: targets do not differ"):
        strictly(icc, np.full((rows, 2), 4.1))
    with pytest.raises(ValueError, match="items: the respondents' sums do not vary"):
        strictly(cronbach_alpha, np.full((rows, 2), 4.1))
    with pytest.raises(ValueError, match="y: all answers are equal"):
        strictly(fit_crossed, np.full(rows, 0.1), np.arange(rows) % 7, np.arange(rows) % 11)


def test_labels_need_not_follow_each_other_and_may_be_words() -> None:
    y, plain = [1.0, 2, 4, 3, 5, 9], strictly(fit_crossed, [1.0, 2, 4, 3, 5, 9], [0, 0, 1, 1, 2, 2], [0, 1] * 3)
    gappy = strictly(fit_crossed, y, [-5, -5, 10**12, 10**12, 2**50, 2**50], ["丙", "甲"] * 3)
    assert gappy.criterion == pytest.approx(plain.criterion)
    assert gappy.target_effects.labels.tolist() == [-5, 10**12, 2**50]
    adjusted = strictly(within_entity, y, ["乙", "乙", "甲", "甲", "丙", "丙"], [1, 2, 1, 3, 1, 2])
    assert set(adjusted.entities.tolist()) == {"甲", "乙", "丙"}


def test_the_unit_of_ratings_does_not_matter_however_small() -> None:
    table = np.array(TABLE, dtype=float)
    for function in (icc, cronbach_alpha, kendall_w):
        usual, tiny = (dict(numbers_in(strictly(function, table * unit))) for unit in (1.0, 1e-250))
        assert tiny == pytest.approx(usual, nan_ok=True)
    y = table.T.ravel()
    labels = np.tile(np.arange(4), 3), np.repeat(np.arange(3), 4)
    usual, tiny = (strictly(fit_crossed, y * unit, *labels) for unit in (1.0, 1e-250))
    assert tiny.rater_effects.values * 1e250 == pytest.approx(usual.rater_effects.values)
