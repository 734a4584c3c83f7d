import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from evalsys.scoring.grades import NO_GRADE, cap, grade_of, probabilities
from evalsys.scoring.intervals import Limits
from tests.scoring.made import make_rules

STARTS = np.array([90.0, 80.0, 60.0, 0.0])
EXCELLENT, GOOD, FAIR, POOR = range(4)


def limits(*ends: tuple[float, float, float]) -> Limits:
    return Limits(*np.array(ends, dtype=np.float64).reshape(-1, 3).T)


def test_bands_are_half_open_on_the_unrounded_score() -> None:
    scores = np.array([100, 90, 89.9999999, 89.5, 80, 60, 59.9999, 0, np.nan])
    assert grade_of(scores, STARTS).tolist() == [0, 0, 1, 1, 1, 2, 3, 3, NO_GRADE]
    assert grade_of(scores, STARTS[::-1]).tolist() == [3, 3, 2, 2, 2, 1, 0, 0, NO_GRADE]


def test_probabilities_use_each_side_of_the_interval() -> None:
    chances = probabilities(limits((85, 75, 88)), STARTS, level=0.95)[0]
    z = norm.ppf(0.975)
    assert chances[EXCELLENT] == pytest.approx(norm.sf(90, 85, 3 / z))
    assert chances[GOOD] == pytest.approx(norm.cdf(90, 85, 3 / z) - norm.cdf(80, 85, 10 / z))
    assert chances[POOR] == pytest.approx(norm.cdf(60, 85, 10 / z))


def test_a_score_without_width_is_certain() -> None:
    chances = probabilities(limits((90, 90, 90), (89, 89, 89), (0, 0, 0), (100, 100, 100)), STARTS, level=0.95)
    assert chances.argmax(axis=1).tolist() == [EXCELLENT, GOOD, POOR, EXCELLENT]
    assert chances.max(axis=1).tolist() == [1, 1, 1, 1]


def test_no_score_has_no_probability() -> None:
    assert np.isnan(probabilities(limits((np.nan, np.nan, np.nan)), STARTS, level=0.95)).all()


@given(st.lists(st.floats(0, 100), min_size=3, max_size=3), st.permutations(range(4)))
def test_probabilities_add_up_in_any_order_of_bands(ends: list[float], order: list[int]) -> None:
    low, middle, high = sorted(ends)
    chances = probabilities(limits((middle, low, high)), STARTS[order], level=0.9)
    assert chances.sum() == pytest.approx(1)
    assert (chances >= 0).all()
    assert chances[0] == pytest.approx(probabilities(limits((middle, low, high)), STARTS, level=0.9)[0][order])


def test_a_weak_dimension_holds_the_grade_down() -> None:
    rules = make_rules(cap={"dimension_below": 40, "grade": "fair"})
    grade = np.array([EXCELLENT, EXCELLENT, POOR, NO_GRADE])
    chances = np.array([[0.6, 0.3, 0.1, 0], [0.6, 0.3, 0.1, 0], [0, 0.1, 0.2, 0.7], [np.nan] * 4])
    held, moved, capped = cap(grade, chances, np.array([39.9, 40.0, 10.0, 5.0]), rules)
    assert held.tolist() == [FAIR, EXCELLENT, POOR, NO_GRADE]
    assert capped.tolist() == [True, False, False, False]
    assert moved[0] == pytest.approx([0, 0, 1, 0])
    assert moved[1] == pytest.approx([0.6, 0.3, 0.1, 0])
    assert moved[2] == pytest.approx([0, 0, 0.3, 0.7])


def test_without_a_cap_nothing_is_held() -> None:
    held, _, capped = cap(np.array([EXCELLENT]), np.zeros((1, 4)), np.array([0.0]), make_rules())
    assert (held.tolist(), capped.tolist()) == ([EXCELLENT], [False])
