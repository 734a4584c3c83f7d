"""Real change or noise: laws of the difference of two independent estimates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsys.scoring.change import Change, change
from evalsys.scoring.intervals import Limits, normal_quantile, wilson

Ends = tuple[float, float, float]


def limits(*ends: Ends) -> Limits:
    """From (estimate, arm below, arm above)."""
    estimate, down, up = (np.array(column, dtype=float) for column in zip(*ends, strict=True))
    return Limits(estimate, estimate - down, estimate + up)


def one(before: Ends, after: Ends, **levels: float) -> tuple[float, float, float, bool]:
    found: Change = change(limits(before), limits(after), **levels)
    return found.points.item(), found.low.item(), found.high.item(), bool(found.real.item())


ends = st.tuples(st.floats(0, 100), st.floats(0, 40), st.floats(0, 40))


def test_newcombes_method_10_on_his_example() -> None:
    """56/70 - 48/80 with the Wilson limits of each share: 0.2 (0.0524 to 0.3339)."""
    shares, answers = np.array([0.6, 0.8]), np.array([80, 70])
    low, high = wilson(shares, answers)
    before, after = (Limits(shares[n : n + 1], low[n : n + 1], high[n : n + 1]) for n in (0, 1))
    got = change(before, after)
    assert [round(ends.item(), 4) for ends in (got.points, got.low, got.high)] == [0.2, 0.0524, 0.3339]
    assert got.real.all()


@given(st.floats(0, 100), st.floats(0.1, 20), st.floats(0, 100), st.floats(0.1, 20))
def test_symmetrical_intervals_are_judged_by_their_standard_errors(a: float, se: float, b: float, other: float) -> None:
    z = normal_quantile(0.95)
    points, low, high, real = one((a, z * se, z * se), (b, z * other, z * other))
    margin = z * math.hypot(se, other)
    assert (points, low, high) == pytest.approx((b - a, b - a - margin, b - a + margin))
    if not math.isclose(abs(b - a), margin):
        assert real == (abs(b - a) > margin)


@given(ends, ends)
def test_turned_round_it_is_the_same_with_the_other_sign(a: Ends, b: Ends) -> None:
    there, back = one(a, b), one(b, a)
    assert there == pytest.approx((-back[0], -back[2], -back[1], back[3]), abs=1e-12)


@given(ends, ends)
def test_real_says_that_the_interval_leaves_nothing_out(a: Ends, b: Ends) -> None:
    points, low, high, real = one(a, b)
    assert low <= points <= high
    if min(abs(low), abs(high)) > 1e-9:
        assert real == (low > 0 or high < 0)


@given(ends, ends)
def test_scores_whose_intervals_do_not_touch_really_differ(a: Ends, b: Ends) -> None:
    if a[0] + a[2] < b[0] - b[1] or b[0] + b[2] < a[0] - a[1]:
        assert one(a, b)[3]


@given(ends, ends, st.floats(1, 3))
def test_less_certainty_never_makes_noise_real(a: Ends, b: Ends, wider: float) -> None:
    if not one(a, b)[3]:
        assert not one(a, (b[0], b[1] * wider, b[2] * wider))[3]


def test_the_same_score_has_not_changed() -> None:
    assert one((80, 0, 0), (80, 0, 0)) == (0, 0, 0, False)
    assert one((80, 0, 0), (80.5, 0, 0))[3]


def test_intervals_of_another_level_are_stretched() -> None:
    ninety, ninety_five = normal_quantile(0.9), normal_quantile(0.95)
    stretched = one((80, 2 * ninety, 2 * ninety), (85, ninety_five, ninety_five), before_level=0.9)
    assert stretched == pytest.approx(one((80, 2 * ninety_five, 2 * ninety_five), (85, ninety_five, ninety_five)))


def test_chance_is_taken_for_change_as_often_as_the_level_says() -> None:
    luck = np.random.default_rng(20261123)
    se, z = luck.uniform(0.5, 5, (2, 40_000)), normal_quantile(0.95)
    before, after = 75 + luck.standard_normal(se.shape) * se
    found = change(
        Limits(before, before - z * se[0], before + z * se[0]), Limits(after, after - z * se[1], after + z * se[1])
    )
    assert found.real.mean() == pytest.approx(0.05, abs=0.004)


def test_nothing_to_compare_is_nothing_found() -> None:
    empty = Limits(*(np.empty(0) for _ in range(3)))
    assert change(empty, empty).real.tolist() == []


BAD: dict[str, tuple[Any, Any, str]] = {
    "no number": (limits((math.nan, 1, 1)), limits((80, 1, 1)), "before: must be finite"),
    "crossed": (limits((80, 1, 1)), limits((80, -1, 1)), "after: an end lies on the wrong side"),
    "crossed above": (limits((80, 1, -1)), limits((80, 1, 1)), "before: an end lies on the wrong side"),
    "lengths": (limits((80, 1, 1)), limits((80, 1, 1), (70, 1, 1)), "after: must have the shape of before"),
    "ends": (Limits(np.zeros(2), np.zeros(1), np.zeros(2)), limits((80, 1, 1)), "before: estimate, low and high"),
    "other ends": (Limits(np.zeros(2), np.zeros(2), np.zeros(1)), limits((80, 1, 1)), "before: estimate, low and high"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_names_the_argument(name: str) -> None:
    before, after, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        change(before, after)


@pytest.mark.parametrize("level", [0, 1, math.nan])
def test_a_level_lies_between_0_and_1(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        one((80, 1, 1), (80, 1, 1), level=level)
    with pytest.raises(ValueError, match="level"):
        one((80, 1, 1), (80, 1, 1), before_level=level)
