import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsys.rules.model import BandScale, GoalpostScale, LevelScale, Rules, YesNoScale
from evalsys.scoring.composite import (
    MISSING,
    NOT_APPLICABLE,
    answer_points,
    band_points,
    composites,
    level_points,
    scheme,
    to_points,
    weighted_product,
    weighted_sum,
)
from tests.scoring.made import make_rules, words

NAN = float("nan")


def make_questions(weights: list[float], *, share: float = 0.5) -> Rules:
    """One recipient question on outcomes for each weight, and one adjuster."""
    questions = [
        {
            "code": f"q{k}",
            "party": "recipient",
            "dimension": "outcomes",
            "text": words("?"),
            "scale": "five",
            "weight": w,
        }
        for k, w in enumerate(weights)
    ]
    age = {"code": "age", "party": "recipient", "text": words("?"), "scale": "five", "source": "adjuster"}
    return make_rules(criteria=[*questions, age], answered_share=share)


def composite_of(points: list[int], weights: list[float], *, share: float = 0.5) -> int:
    how = scheme(make_questions(weights, share=share), "recipient")
    return int(composites(np.array([points]), how)[0, 0])


def test_levels_divide_the_hundred_points_evenly() -> None:
    assert level_points(5).tolist() == [0, 25_000_000, 50_000_000, 75_000_000, 100_000_000]
    assert level_points(4).tolist() == [0, 33_333_333, 66_666_667, 100_000_000]
    assert level_points(2).tolist() == [0, 100_000_000]
    with pytest.raises(ValueError, match="levels: must be at least 2, is 1"):
        level_points(1)


def test_goalposts_cut_and_may_run_downwards() -> None:
    assert to_points([0.5, 0.75, 2, NAN], worst=0.5, best=1).tolist()[:3] == [0, 50, 100]
    assert np.isnan(to_points([NAN], worst=0, best=1)).all()
    assert to_points([30, 15, 0], worst=30, best=0).tolist() == [0, 50, 100]
    assert to_points([0], worst=-1.7e308, best=1.7e308).tolist() == [50]


@pytest.mark.parametrize(
    ("worst", "best", "why"),
    [(1, 1, "worst, best: must differ"), (NAN, 1, "worst: must be finite"), (0, float("inf"), "best: must be finite")],
)
def test_goalposts_must_be_two_numbers(worst: float, best: float, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        to_points([1], worst=worst, best=best)


def test_a_band_starts_at_its_value() -> None:
    points = band_points([0.49, 0.5, 0.99, 1, 7, NAN], [(0.5, 50), (1, 100)])
    assert points.tolist()[:5] == [0, 50, 50, 100, 100]
    assert np.isnan(points[5])


@pytest.mark.parametrize(
    ("bands", "why"),
    [
        ([(1, 50), (1, 60)], "must ascend"),
        ([(NAN, 50)], "bands: must be finite"),
        ([(1, 50, 2)], r"bands: must be pairs of `at` and points, have shape \(1, 3\)"),
        ([(1, 101)], "points must lie"),
        ([(1, NAN)], "bands: must be finite"),
    ],
)
def test_faulty_bands_are_refused(bands: list[tuple[float, float]], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        band_points([1], bands)


@pytest.mark.parametrize(
    ("scale", "raw", "points"),
    [
        (
            LevelScale.model_validate({"code": "l", "kind": "levels", "levels": [words("a"), words("b"), words("c")]}),
            [1, 2, 3, NAN],
            [0, 50_000_000, 100_000_000, MISSING],
        ),
        (YesNoScale(code="y", kind="yes_no"), [1, 2, NAN], [0, 100_000_000, MISSING]),
        (
            BandScale.model_validate(
                {"code": "b", "kind": "bands", "unit": words("x"), "bands": [{"at": 1.0, "points": 62.5}]}
            ),
            [0, 1, NAN],
            [0, 62_500_000, NOT_APPLICABLE],
        ),
        (
            GoalpostScale.model_validate(
                {"code": "g", "kind": "goalposts", "unit": words("x"), "worst": 0.0, "best": 3.0}
            ),
            [1, 2, NAN],
            [33_333_333, 66_666_667, NOT_APPLICABLE],
        ),
    ],
)
def test_every_scale_gives_millionths(scale: Any, raw: list[float], points: list[int]) -> None:
    assert answer_points(scale, raw).tolist() == points


@pytest.mark.parametrize("raw", [0, 3, 1.5, float("inf")])
def test_a_level_the_scale_does_not_have_is_refused(raw: float) -> None:
    with pytest.raises(ValueError, match="raw: "):
        answer_points(YesNoScale(code="y", kind="yes_no"), [raw])


def test_a_scheme_leaves_adjusters_out_and_keeps_proportions() -> None:
    how = scheme(make_questions([0.3, 0.6]), "recipient")
    assert [c.code for c in how.criteria] == ["q0", "q1"]
    assert how.weight.tolist() == [1, 2]
    assert scheme(make_questions([3, 6]), "recipient").weight.tolist() == how.weight.tolist()
    assert scheme(make_questions([1e-12, 1.0]), "recipient").weight.tolist() == [1, 1_000_000]
    assert scheme(make_questions([3.14159265, 2.71828183]), "recipient").weight.tolist() == [1_000_000, 865_256]
    assert scheme(make_questions([1 / 997, 1 / 991, 1]), "recipient").weight.tolist() == [991, 997, 988_027]
    many = scheme(make_questions([1 / 997, 1 / 991, 1 / 983, 1]), "recipient")
    assert many.weight.tolist() == [1003, 1009, 1017, 1_000_000]  # their common unit is too large


def test_a_composite_is_the_weighted_mean_rounded_half_up() -> None:
    assert composite_of([100_000_000, 0, 0], [1, 1, 1]) == 33_333
    assert composite_of([100_000_000, 100_000_000, 0], [1, 1, 1]) == 66_667
    assert composite_of([1_000, 0], [1, 1]) == 1  # half a thousandth goes up
    assert composite_of([75_000_000, 25_000_000], [3, 1]) == 62_500


def test_half_of_the_weight_must_be_answered() -> None:
    full = 100_000_000
    assert composite_of([full, MISSING], [1, 1]) == 100_000
    assert composite_of([full, MISSING], [1, 1.01]) == MISSING
    assert composite_of([full, MISSING, MISSING], [1, 1, 1], share=0.3333) == 100_000
    assert composite_of([MISSING], [1]) == MISSING


def test_not_applicable_leaves_the_denominator() -> None:
    assert composite_of([50_000_000, NOT_APPLICABLE, NOT_APPLICABLE], [1, 5, 5]) == 50_000
    assert composite_of([NOT_APPLICABLE], [1]) == MISSING


def test_a_dimension_without_questions_is_missing() -> None:
    how = scheme(make_questions([1]), "recipient")
    assert composites(np.array([[0]]), how).tolist() == [[0, MISSING, MISSING]]
    assert composites(np.zeros((0, 1), dtype=np.int64), how).shape == (0, 3)
    assert composites(np.array([[25_000_000]], dtype=np.int32), how)[0, 0] == 25_000


@pytest.mark.parametrize(
    ("points", "why"),
    [([[1, 2]], r"points: must have shape \(respondents, 1\)"), ([[100_000_001]], "neither"), ([[-3]], "neither")],
)
def test_faulty_points_are_refused(points: list[list[int]], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        composites(np.array(points), scheme(make_questions([1]), "recipient"))


@given(
    st.lists(st.tuples(st.integers(-2, 5), st.integers(1, 9)), min_size=1, max_size=6), st.sampled_from([0.3, 0.5, 1])
)
def test_composites_agree_with_exact_fractions(answers: list[tuple[int, int]], share: float) -> None:
    weights = [Fraction(weight) for _, weight in answers]
    points = [Fraction(100 * 10**6 * level, 5) if level >= 0 else level for level, _ in answers]
    given_weight = sum(w for p, w in zip(points, weights, strict=True) if p >= 0)
    applicable = sum(w for p, w in zip(points, weights, strict=True) if p != NOT_APPLICABLE)
    got = composite_of([int(p) for p in points], [float(w) / 7 for w in weights], share=share)
    if given_weight and given_weight >= Fraction(str(share)) * applicable:
        mean = sum(p * w for p, w in zip(points, weights, strict=True) if p >= 0) / given_weight / 1000
        assert got == math.floor(mean + Fraction(1, 2))
    else:
        assert got == MISSING


def test_an_adjuster_that_is_taken_off_is_a_column_of_its_own() -> None:
    questions = make_questions([1, 3])
    assert scheme(questions, "recipient").dimensions == len(questions.dimensions)
    coefficient = {"dimension": "outcomes", "criterion": "age", "points": -4}
    named = [criterion.model_dump(exclude_none=True) for criterion in questions.criteria]
    adjusted = make_rules(criteria=named, adjustment={"ground": words("2025"), "coefficients": [coefficient]})
    how = scheme(adjusted, "recipient")
    assert [criterion.code for criterion in how.criteria] == ["q0", "q1", "age"]
    assert how.dimension.tolist() == [0, 0, len(adjusted.dimensions)]
    points = [[25_000_000, 100_000_000, 75_000_000], [0, 0, MISSING]]
    assert composites(np.array(points), how)[:, [0, -1]].tolist() == [[81_250, 75_000], [0, MISSING]]
    assert scheme(adjusted, "purchaser").dimensions == how.dimensions


def test_the_weighted_sum_ranks_projects_as_published() -> None:
    # Kracka, Brauers and Zavadskas (2010), as scikit-criteria's tests have it: costs inverted, columns divided by sums
    table = np.array(
        [
            [33.95, 23.78, 11.45, 39.97, 29.44, 167.1, 3.852],
            [38.9, 4.17, 6.32, 0.01, 4.29, 132.52, 25.184],
            [37.59, 9.36, 8.23, 4.35, 10.22, 136.71, 10.845],
            [30.44, 37.59, 13.91, 74.08, 45.1, 198.34, 2.186],
            [36.21, 14.79, 9.17, 17.77, 17.06, 148.3, 6.61],
            [37.8, 8.55, 7.97, 2.35, 9.25, 134.83, 11.935],
        ]
    )
    benefit = np.where([False] * 4 + [True, False, True], table, 1 / table)
    got = weighted_sum(benefit / benefit.sum(axis=0), np.ones(7))
    expected = [0.12040426, 0.3458235, 0.13838192, 0.12841246, 0.12346084, 0.14351701]
    assert got.tolist() == pytest.approx(expected, abs=1e-8)


def test_a_product_forgives_less_than_a_sum() -> None:
    # the example of the weighted product model (Wikipedia, 1015567716): both forms, and they rank in opposite orders
    table = np.array([[25.0, 20, 15, 30], [10, 30, 20, 30], [30, 10, 30, 10]])
    shares, weights = table / table.sum(axis=0), [0.2, 0.15, 0.4, 0.25]
    product = weighted_product(shares, weights)
    assert np.log10(product).tolist() == pytest.approx([-0.50128589, -0.50448471, -0.52947246], abs=1e-8)
    assert weighted_sum(shares, weights).tolist() == pytest.approx([0.32637363, 0.33598901, 0.33763737], abs=1e-8)


def test_the_human_development_index_is_a_product_of_three() -> None:
    # UNDP, Human Development Report 2020/21, technical note 1, worked example
    income = to_points(np.log([3829.0]), worst=np.log(100), best=np.log(75000)) / 100
    assert income.tolist() == pytest.approx([0.5506], abs=5e-5)
    assert weighted_product([[0.6971, 0.3447, income[0]]], [1, 1, 1]).tolist() == pytest.approx([0.510], abs=5e-4)


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), max_size=6),
    st.tuples(st.floats(0.01, 9), st.floats(0.01, 9)),
    st.floats(1e-3, 1e3),
)
def test_both_forms_lie_between_the_parts_and_only_proportions_of_weights_count(
    rows: list[tuple[float, float]], weights: tuple[float, float], factor: float
) -> None:
    points = np.array(rows).reshape(-1, 2)
    total, product = weighted_sum(points, weights), weighted_product(points, weights)
    assert (product >= points.min(axis=1, initial=100) - 1e-9).all()
    assert (product <= total + 1e-9).all()
    assert (total <= points.max(axis=1, initial=0) + 1e-9).all()
    scaled = np.array(weights) * factor
    assert weighted_sum(points, scaled) == pytest.approx(total)
    assert weighted_product(points, scaled) == pytest.approx(product)


def test_a_part_of_nothing_leaves_no_product_unless_it_has_no_weight() -> None:
    assert weighted_product([[0, 100], [0, 100]], [1, 1]).tolist() == [0, 0]
    assert weighted_product([[0, 100]], [0, 3]).tolist() == pytest.approx([100])
    assert weighted_sum(np.zeros((0, 2)), [1, 1]).tolist() == weighted_product(np.zeros((0, 2)), [1, 1]).tolist() == []


@pytest.mark.parametrize("form", [weighted_sum, weighted_product])
@pytest.mark.parametrize(
    ("points", "weights", "why"),
    [
        ([[1, NAN]], [1, 1], "points: must be finite"),
        ([[1, float("inf")]], [1, 0], "points: must be finite"),
        ([["1", "2"]], [1, 1], "points: must be numbers"),
        ([[1, 2], [3]], [1, 1], "points: is not a rectangular array"),
        ([1, 2], [1, 1], "weights: must be one a column"),
        ([[1, 2]], [1], "weights: must be one a column"),
        ([[1, 2]], [1, -1], "weights: must not be below 0"),
        ([[1, 2]], [0, 0], "weights: must not be below 0, and not all 0"),
        ([[1, 2]], [1, NAN], "weights: must be finite"),
    ],
)
def test_faulty_tables_are_refused(form: Any, points: Any, weights: Any, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}"):
        form(points, weights)


def test_a_point_below_nothing_cannot_be_multiplied() -> None:
    with pytest.raises(ValueError, match="points: must be finite and 0 or more"):
        weighted_product([[1, -1]], [1, 1])
