"""Published limits, the edges of a cell, and the combination of cells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsys.scoring.intervals import Limits, add_up, cell, combine, dispersion, normal_quantile, rater_cell, wilson

# Newcombe (1998), Statistics in Medicine 17:857-872, Table I, method 3 (first, second, eighth and ninth rows of limits,
# printed to four decimals there); further digits and the other small counts from R's binom.confint(method = "wilson").
PUBLISHED = [
    (81, 263, 0.255288519878274, 0.3662095769828),
    (15, 148, 0.0623863995307363, 0.160487241723308),
    (0, 20, 0, 0.161125158052819),
    (1, 29, 0.00611321429276266, 0.171755218793203),
    (29, 29, 0.883030201500259, 1),
    (2, 5, 0.117620774232648, 0.769275718723987),
    (3, 3, 0.438502968244955, 1),
    (1, 10, 0.0178762130950729, 0.404150026795238),
    (10, 10, 0.722467200137111, 1),
    (0, 5, 0, 0.434482464783175),
]

points = st.floats(0, 100)


@pytest.mark.parametrize(("x", "n", "low", "high"), PUBLISHED)
def test_wilson_matches_the_published_limits(x: int, n: int, low: float, high: float) -> None:
    got = wilson(x / n, n, 0.95)
    assert got[0] == pytest.approx(low, abs=1e-9)
    assert got[1] == pytest.approx(high, abs=1e-9)


def test_wilson_of_endless_and_of_next_to_no_answers() -> None:
    assert [float(end) for end in wilson(0.3, np.inf)] == [0.3, 0.3]
    low, high = wilson([0.0, 0.5, 1.0], 1e-300)
    assert low == pytest.approx([0, 0, 0], abs=1e-9)
    assert high == pytest.approx([1, 1, 1], abs=1e-9)


@given(st.floats(0, 1), st.floats(0.01, 1e9), st.floats(0.5, 0.999))
def test_wilson_holds_its_mean_and_stays_a_share(m: float, n: float, level: float) -> None:
    low, high = wilson(m, n, level)
    assert 0 <= low <= m <= high <= 1


@pytest.mark.parametrize(
    ("m", "n", "level", "why"),
    [
        (1.1, 5, 0.95, "m: must lie"),
        (-0.1, 5, 0.95, "m: must lie"),
        (np.nan, 5, 0.95, "m: must be finite"),
        (0.5, 0, 0.95, "n: must be above 0"),
        (0.5, np.nan, 0.95, "n: must be finite"),
        (0.5, 5, 1, "level: must lie"),
    ],
)
def test_wilson_refuses(m: float, n: float, level: float, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        wilson(m, n, level)


def phi(mean: float, variance: float, n: float, pooled: float, strength: float) -> float:
    values = (np.array([value]) for value in (mean, variance, n))
    return float(dispersion(*values, pooled=pooled, strength=strength)[0])


def test_dispersion_weighs_the_pooled_value_as_eight_answers() -> None:
    # s² = 625 points², m(1 - m) = 1/4: the ratio is 1/4
    assert phi(50, 625, 9, 0.5, 8) == pytest.approx((8 * 0.5 + 8 * 0.25) / 16)
    assert phi(50, 625, 9, 0.5, 0) == pytest.approx(0.25)
    assert phi(50, 0, 9, 0.5, 8) == pytest.approx(0.5)  # all equal
    assert phi(100, 0, 9, 0.5, 8) == pytest.approx(0.5)
    assert phi(50, 0, 1, 0.5, 0) == pytest.approx(0.5)


def test_a_cell_uses_the_dispersed_and_corrected_count() -> None:
    got = cell(50, 625, 9, pooled=0.5, frame=18)
    low, high = wilson(0.5, 9 / (0.375 * 0.5))
    assert (got.low, got.high) == (pytest.approx(low * 100), pytest.approx(high * 100))
    weighted = cell(50, 625, 9, pooled=0.5, n_effective=4.5)
    assert weighted.low == pytest.approx(float(wilson(0.5, 4.5 / 0.375)[0]) * 100)


def test_a_census_has_no_width_and_a_frame_below_the_answers_is_none() -> None:
    census = cell(62, 100, 10, pooled=0.3, frame=10)
    assert (census.low, census.high) == (62, 62)
    unknown, too_small, nobody = (cell(62, 100, 10, pooled=0.3, frame=f) for f in (np.inf, 9, 0))
    assert too_small.low == nobody.low == unknown.low < 62


def test_one_answer_has_the_pooled_spread() -> None:
    one = cell(75, 12345, 1, pooled=1)
    assert one.low == pytest.approx(float(wilson(0.75, 1)[0]) * 100)


def test_an_estimate_beyond_the_scale_is_cut() -> None:
    assert cell([103, -2], 10, 20, pooled=0.2).estimate.tolist() == [100, 0]
    assert rater_cell([103, -2], 2, variance=100).estimate.tolist() == [100, 0]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"mean": np.nan}, "mean: must be finite"),
        ({"n": 0}, "n: must be at least 1"),
        ({"variance": -1}, "variance: must not be below 0"),
        ({"pooled": 0}, "pooled: must be above 0"),
        ({"frame": -1}, "frame: must not be below 0"),
        ({"frame": np.nan}, "frame: must be finite"),
        ({"n_effective": 0}, "n_effective: must be above 0"),
        ({"strength": -1}, "strength: must be 0 or more"),
        ({"strength": np.inf}, "strength: must be finite"),
    ],
)
def test_a_cell_refuses(changes: dict[str, float], why: str) -> None:
    arguments = {"mean": 50, "variance": 100, "n": 5, "pooled": 0.5} | changes
    with pytest.raises(ValueError, match=why):
        cell(**arguments)


def test_raters_have_normal_limits_cut_to_the_scale() -> None:
    z = normal_quantile(0.95)
    got = rater_cell([50, 95], [4, 1], variance=100)
    assert got.low == pytest.approx([50 - z * 5, 95 - z * 10])
    assert got.high == pytest.approx([50 + z * 5, 100])


@pytest.mark.parametrize(
    ("changes", "why"), [({"raters": 0}, "raters: must be"), ({"variance": -1}, "variance: must not")]
)
def test_raters_refuse(changes: dict[str, float], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        rater_cell(50, **({"raters": 2, "variance": 100} | changes))


def block(estimate: list[list[float]], arm: float = 5) -> Limits:
    middle = np.array([estimate], dtype=np.float64)
    return Limits(middle, middle - arm, middle + arm)


def test_parties_add_in_squares_and_correlated_dimensions_in_full() -> None:
    cells = block([[60, 80], [50, 70]])
    weights = np.full((1, 2, 2), 0.25)
    together = combine(weights, cells, np.ones((2, 2, 2)))
    assert together.estimate[0] == pytest.approx(65)
    assert together.low[0] == pytest.approx(65 - np.sqrt(2) * 2.5)
    apart = combine(weights, cells, np.stack([np.eye(2)] * 2))
    assert apart.high[0] == pytest.approx(65 + 2.5)
    wider = combine(weights, cells, np.stack([np.eye(2)] * 2), extra=[6.0])
    assert wider.low[0] == pytest.approx(65 - 6.5)


def test_the_arms_need_not_be_alike() -> None:
    cells = Limits(np.full((1, 1, 1), 90.0), np.full((1, 1, 1), 70.0), np.full((1, 1, 1), 95.0))
    got = combine(np.ones((1, 1, 1)), cells, np.ones((1, 1, 1)))
    assert (got.low[0], got.high[0]) == (70, 95)


def test_a_cell_without_weight_is_not_read() -> None:
    cells = Limits(*(np.array([[[end], [np.nan]]]) for end in (60.0, 50.0, 70.0)))
    got = combine(np.array([[[1.0], [0.0]]]), cells, np.ones((2, 1, 1)))
    assert (got.estimate[0], got.low[0], got.high[0]) == (60, 50, 70)


def test_the_geometric_form_multiplies_dimensions() -> None:
    # UNDP, Human Development Report 2010, technical note 1: the index is the geometric mean of its dimensions
    cells = block([[90, 40]], arm=0)
    got = combine(np.array([[[0.5, 0.5]]]), cells, np.ones((1, 2, 2)), geometric=True)
    assert got.estimate[0] == pytest.approx(60)
    assert got.low[0] == got.high[0] == pytest.approx(60)


def test_geometric_limits_follow_the_change_of_the_score() -> None:
    cells = block([[90, 40]], arm=4)
    got = combine(np.array([[[0.5, 0.5]]]), cells, np.stack([np.eye(2)]), geometric=True)
    falls = [60 - np.sqrt(86 * 40), 60 - np.sqrt(90 * 36)]
    assert got.low[0] == pytest.approx(60 - np.hypot(*falls))
    zero = combine(np.array([[[0.5, 0.5]]]), block([[0, 50]], arm=0), np.ones((1, 2, 2)), geometric=True)
    assert zero.estimate[0] == 0
    nothing = combine(np.zeros((1, 1, 2)), block([[30, 50]]), np.ones((1, 2, 2)), geometric=True)
    assert nothing.estimate[0] == 0


@pytest.mark.parametrize(
    ("weights", "correlation", "why"),
    [
        (np.ones((1, 2, 2)), np.ones((1, 2, 2)), "weights: must have the cells' shape"),
        (np.ones(2), np.ones((1, 2, 2)), "weights: must have the cells' shape"),
        (-np.ones((1, 1, 2)), np.ones((1, 2, 2)), "weights: must not be below 0"),
        (np.ones((1, 1, 2)), np.ones((2, 2)), "correlation: must have shape"),
        (np.ones((1, 1, 2)), -np.ones((1, 2, 2)), "correlation: must lie"),
    ],
)
def test_combine_refuses(weights: np.ndarray, correlation: np.ndarray, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        combine(weights, block([[50, 60]]), correlation)


@given(st.lists(st.tuples(points, points, points), min_size=4, max_size=4), st.floats(0, 1), st.booleans())
def test_the_score_lies_inside_its_limits(ends: list[tuple[float, float, float]], rho: float, geometric: bool) -> None:
    low, middle, high = np.sort(np.array(ends), axis=1).T.reshape(3, 1, 2, 2)
    weights = np.array([[[0.1, 0.2], [0.3, 0.4]]])
    correlation = np.stack([np.array([[1, rho], [rho, 1]])] * 2)
    got = combine(weights, Limits(middle, low, high), correlation, geometric=geometric)
    assert 0 <= got.low[0] <= got.estimate[0] <= got.high[0] <= 100
    assert got.estimate[0] <= add_up(weights * middle)[0] + 1e-9
