"""Krippendorff's α: his own example, his reference program, and the edges."""

from typing import Any

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsys.scoring.reliability import alpha_of_counts, krippendorff_alpha

_ = np.nan
# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability: 4 observers by 12 units, transposed; printed are
# nominal .743, ordinal .815, interval .849, ratio .797; more digits from R's irr 0.84.1
CANONICAL = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    ]
).T
PUBLISHED = {
    "nominal": 0.743421052631579,
    "ordinal": 0.815387503754881,
    "interval": 0.849107142857143,
    "ratio": 0.797402774711612,
}
ratings = st.integers(2, 4).flatmap(
    lambda k: st.lists(
        st.lists(st.sampled_from([np.nan, 1.0, 2.0, 3.0, 5.0]), min_size=k, max_size=k), min_size=3, max_size=8
    )
)


@pytest.mark.parametrize("metric", PUBLISHED)
def test_it_matches_the_published_example(metric: Any) -> None:
    got = krippendorff_alpha(CANONICAL, metric=metric, draws=200)
    assert got.alpha == pytest.approx(PUBLISHED[metric], abs=1e-9)
    assert (got.units, got.pairable) == (11, 40)
    assert got.low < got.alpha < got.high <= 1


@pytest.mark.parametrize("metric", PUBLISHED)
@given(table=ratings)
def test_it_agrees_with_the_reference_program(metric: Any, table: list[list[float]]) -> None:
    x = np.array(table)
    try:
        mine = krippendorff_alpha(x, metric=metric, draws=1).alpha
    except ValueError:
        paired = x[(~np.isnan(x)).sum(axis=1) > 1]
        assert len(paired) < 2 or len(np.unique(paired[~np.isnan(paired)])) < 2
        return
    theirs = krippendorff.alpha(reliability_data=x.T, level_of_measurement=metric)
    assert mine == pytest.approx(theirs, abs=1e-9)


@given(table=ratings, seed=st.integers(0, 5))
def test_the_order_of_raters_changes_nothing(table: list[list[float]], seed: int) -> None:
    x = np.array(table)
    mixed = np.random.default_rng(seed).permuted(x, axis=1)
    assert tried(mixed) == tried(x)


def tried(table: Any) -> object:
    try:
        return krippendorff_alpha(table, draws=20)
    except ValueError as error:
        return str(error)


def test_full_agreement_is_one() -> None:
    got = krippendorff_alpha([[1, 1], [2, 2], [5, 5]], draws=50)
    assert (got.alpha, got.low, got.high) == (1, 1, 1)


def test_the_interval_covers_what_resampling_by_hand_gives() -> None:
    got = krippendorff_alpha(CANONICAL, metric="interval", draws=4000, seed=1)
    random = np.random.default_rng(9)
    paired = CANONICAL[(~np.isnan(CANONICAL)).sum(axis=1) > 1]
    by_hand = [
        krippendorff.alpha(reliability_data=paired[random.integers(0, 11, 11)].T, level_of_measurement="interval")
        for _draw in range(1500)
    ]
    assert np.quantile(by_hand, [0.025, 0.975]) == pytest.approx([got.low, got.high], abs=0.04)


def test_seed_and_draws_settle_the_interval() -> None:
    first, again, other = (krippendorff_alpha(CANONICAL, draws=50, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert other.low != first.low


def test_many_targets_are_resampled_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = krippendorff_alpha(CANONICAL, draws=30)
    monkeypatch.setattr("evalsys.scoring.krippendorff._AT_ONCE", 11 * 7)
    assert krippendorff_alpha(CANONICAL, draws=30) == whole


def test_a_resample_in_which_nothing_varies_says_nothing() -> None:
    got = krippendorff_alpha([[1, 1], [1, 2]], draws=1, seed=2)
    assert (got.low, got.high) == (got.alpha, got.alpha)


def test_huge_numbers_lose_nothing() -> None:
    far = krippendorff_alpha(np.array([[1.0, 2], [3, 3], [2, 3]]) + 1e9, metric="interval", draws=1).alpha
    assert far == pytest.approx(krippendorff_alpha([[1, 2], [3, 3], [2, 3]], metric="interval", draws=1).alpha)
    assert krippendorff_alpha([[1e308, -1e308], [1e308, 1e308]], metric="interval", draws=1).alpha == pytest.approx(0)


@pytest.mark.parametrize(
    ("table", "arguments", "said"),
    [
        pytest.param([[1, np.inf], [1, 2]], {}, "ratings: must be finite", id="infinite"),
        pytest.param([[1], [2]], {}, "ratings: must have shape", id="one-rater"),
        pytest.param([1, 2], {}, "ratings: must have shape", id="flat"),
        pytest.param([["a", "b"]], {}, "ratings: must be numbers", id="words"),
        pytest.param([[2, 2], [2, 2]], {}, "ratings: all are equal", id="all-equal"),
        pytest.param([[1, 2], [1, _]], {}, "ratings: 1 targets", id="one-pair"),
        pytest.param([[1, 2], [2, 2]], {"metric": "length"}, "metric", id="metric"),
        pytest.param([[-1, 2], [2, 2]], {"metric": "ratio"}, "ratings: the ratio metric", id="ratio-below-0"),
        pytest.param([[1, 2], [2, 2]], {"draws": 0}, "draws", id="no-draws"),
        pytest.param([[1, 2], [2, 2]], {"level": 1}, "level", id="level"),
    ],
)
def test_what_makes_no_sense_is_refused(table: Any, arguments: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        krippendorff_alpha(table, **arguments)


@pytest.mark.parametrize(
    ("counts", "values", "said"),
    [
        pytest.param([[1, 1]], [1, 2, 3], "counts: must have shape", id="shapes"),
        pytest.param([[1, -1]], [1, 2], "counts must be 0 or more", id="below-0"),
        pytest.param([[1, 1]], [2, 1], "values must ascend", id="order"),
    ],
)
def test_counts_that_make_no_sense_are_refused(counts: Any, values: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        alpha_of_counts(counts, values)
