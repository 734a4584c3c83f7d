from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from evalsys.scoring.choice import price_points, probability_best

NAN = float("nan")

POINTS = st.floats(0, 100)


def test_prices_are_rated_against_the_lowest() -> None:
    """Sf = 100 Fm/F: the prices of 20, 40 and 60 that pages on the World Bank's formula work through."""
    assert price_points([20, 40, 60]).tolist() == pytest.approx([100, 50, 33.333333333333336], abs=1e-9)


def test_prices_and_quality_against_a_reference() -> None:
    """The worked example of a best price-quality ratio of 40 to 60 that tenderwolf.com prints, to its last digit."""
    prices, quality = [100_000, 90_000, 110_000], np.array([80, 75, 90])
    against = price_points(prices, reference=100_000)
    assert against.tolist() == pytest.approx([100, 111.11111111111111, 90.9090909090909], abs=1e-9)
    assert (0.4 * against + 0.6 * quality).tolist() == pytest.approx(
        [88, 89.44444444444444, 90.36363636363637], abs=1e-9
    )
    lowest = price_points(prices)
    assert lowest.tolist() == pytest.approx([90, 100, 81.81818181818181], abs=1e-9)
    assert (0.4 * lowest + 0.6 * quality).tolist() == pytest.approx([84.0, 85.0, 86.72727272727272], abs=1e-9)
    assert price_points(prices, reference=100_000, most=100).tolist() == pytest.approx([100, 100, 90.9090909090909])


@given(st.lists(st.floats(1, 1e9), min_size=2, max_size=6), st.floats(1, 1e9))
def test_against_a_reference_no_bid_moves_another(prices: list[float], reference: float) -> None:
    alone = [float(price_points([price], reference=reference)[0]) for price in prices]
    assert price_points(prices, reference=reference).tolist() == alone


def test_a_bid_that_is_not_there_yet_has_no_points() -> None:
    assert np.isnan(price_points([NAN, NAN])).all()
    got = price_points([NAN, 50, 100])
    assert np.isnan(got[0])
    assert got[1:].tolist() == [100, 50]
    assert price_points([]).tolist() == []


def test_the_chance_is_that_of_the_normal_distribution() -> None:
    """Two past results, one part: P(a > b) = Φ(3/√(3² + 4²))."""
    got = probability_best([[70], [67]], [[3], [4]], [1], draws=40_000)
    assert got.best[0] == pytest.approx(ndtr(3 / 5), abs=0.01)
    assert got.best.sum() == pytest.approx(1)


def test_the_chance_over_weights_is_that_of_the_beta_distribution() -> None:
    """100 against 0 on one part, 0 against 100 on the other, even weights: as often one as the other."""
    got = probability_best([[100, 0], [0, 100]], np.zeros((2, 2)), [0.5, 0.5], draws=40_000)
    assert got.best[0] == pytest.approx(0.5, abs=0.01)
    certain = probability_best([[80, 70], [79, 69]], np.zeros((2, 2)), [0.9, 0.1])
    assert certain.best.tolist() == [1, 0]


def test_equal_candidates_share_and_weights_of_zero_do_not_count() -> None:
    got = probability_best([[80, 1], [80, 99], [10, 50]], [[0, 9]] * 3, [1, 0], draws=100)
    assert got.best.tolist() == [0.5, 0.5, 0]
    assert (got.draws, got.seed, got.concentration) == (100, 0, 50)
    assert probability_best(np.zeros((0, 1)), np.zeros((0, 1)), [1]).best.tolist() == []


@given(st.lists(st.tuples(POINTS, POINTS, st.floats(0, 20)), min_size=1, max_size=5), st.integers(0, 9))
def test_chances_add_up_and_come_out_the_same_again(rows: list[tuple[float, float, float]], seed: int) -> None:
    parts, sd = [[a, b] for a, b, _ in rows], [[0, s] for _, _, s in rows]
    got = [probability_best(parts, sd, [0.6 * unit, 0.4 * unit], draws=50, seed=seed).best for unit in (1, 1, 2)]
    assert got[0].sum() == pytest.approx(1)
    assert got[0].tolist() == got[1].tolist() == got[2].tolist()


@given(st.lists(st.tuples(POINTS, POINTS), min_size=2, max_size=4), st.floats(0, 30))
def test_better_points_never_lower_a_chance(rows: list[tuple[float, float]], better: float) -> None:
    """Under the same draws."""
    parts = np.array(rows)
    sd = np.full(parts.shape, 3.0)
    before = probability_best(parts, sd, [0.5, 0.5], draws=50).best[0]
    parts[0] += better
    assert probability_best(parts, sd, [0.5, 0.5], draws=50).best[0] >= before


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"parts": [1, 2]}, "parts: must have two dimensions"),
        ({"parts": [[NAN, 1]]}, "parts: must be finite"),
        ({"sd": [[0]]}, r"sd: must have shape \(1, 2\)"),
        ({"sd": [[-1, 0]]}, "sd: must not be below 0"),
        ({"weights": [1]}, r"weights: must have shape \(2,\)"),
        ({"weights": [0, 0]}, "weights: must not be below 0, and not all 0"),
        ({"concentration": 0.5}, "concentration: must be at least 1"),
        ({"draws": 0}, "draws: must be at least 1"),
        ({"seed": -1}, "seed: must be at least 0"),
    ],
)
def test_faulty_candidates_are_refused(changed: dict[str, Any], why: str) -> None:
    usual: dict[str, Any] = {"parts": [[1, 2]], "sd": [[0, 1]], "weights": [0.5, 0.5]}
    with pytest.raises(ValueError, match=why):
        probability_best(**usual | changed)


@pytest.mark.parametrize(
    ("prices", "options", "why"),
    [
        ([0], {}, "prices: must be above 0"),
        ([[1]], {}, "prices: must be one-dimensional"),
        ([1], {"reference": 0}, "reference: must be above 0"),
        ([1], {"most": -1}, "most: must be above 0"),
    ],
)
def test_faulty_prices_are_refused(prices: Any, options: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        price_points(prices, **options)
