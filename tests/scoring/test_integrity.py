from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from evalsys.scoring import integrity as module
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

NAN = np.nan

# Yentes and Wilhelm, R package careless 1.2.2, careless_dataset: eight of 200 simulated respondents, ten scales of five
# questions; then what the package gives: longest string, intra-individual variability, even-odd (NaN: not defined).
CARELESS = """
33322423342332222224322324122523312331233312132233 6 0.863074712399612 1
45322254354431233434442222543533323243334533234445 4 1.03509833901353 -0.640984360001408
42144551432345532413512143445143412451431212125215 2 1.47024918060213 0.114955295833502
55555555555555555515254555555555555255555555555555 18 0.815412753876019 0.394007255061266
55555555555555555555555555555555555555555555555555 50 0 nan
55555555555555555555554555555555555555555555555555 27 0.14142135623731 nan
55555555355555555555555555555555555555555555535555 36 0.395897327444315 0.25
33533424433452442343224224223243543413432232342443 2 0.961291648072041 -0.945118753309274
"""

likert = arrays(np.float64, st.tuples(st.integers(1, 8), st.integers(1, 9)), elements=st.sampled_from([1, 2, 3, NAN]))


def careless() -> tuple[Any, Any]:
    lines = [line.split() for line in CARELESS.strip().splitlines()]
    return np.array([[int(c) for c in line[0]] for line in lines]), np.array([line[1:] for line in lines], np.float64).T


def test_careless_answers_are_what_the_package_finds() -> None:
    answers, (longest, variability, halves) = careless()
    assert long_string(answers).tolist() == longest.tolist()
    assert_allclose(response_variability(answers), variability, atol=1e-12)
    assert_allclose(even_odd(answers, np.repeat(list("ABCDEFGHIJ"), 5)), halves, atol=1e-12)


def test_a_gap_ends_a_run_and_is_none() -> None:
    table = [[3, 3, NAN, 3, 3, 3], [NAN] * 6, [1, 2, 1, 2, 1, 2]]
    assert long_string(table).tolist() == [3, 0, 1]
    assert long_string(np.zeros((2, 0))).tolist() == [0, 0]
    assert long_string(np.zeros((0, 2))).tolist() == []


def test_variability_needs_two_answers() -> None:
    assert_allclose(response_variability([[1, NAN, 3], [NAN, 5, NAN], [NAN] * 3, [4, 4, 4]]), [2**0.5, NAN, NAN, 0])


@settings(deadline=None)
@given(likert, st.integers(0, 9))
def test_turning_a_scale_round_changes_neither_runs_nor_variability(table: Any, shift: int) -> None:
    turned = shift - table
    assert long_string(turned).tolist() == long_string(table).tolist()
    assert_allclose(response_variability(turned), response_variability(table))


def test_halves_that_agree_and_halves_that_do_not() -> None:
    scales = [9, 9, 4, 4, 7, 7]
    got = even_odd([[1, 1, 2, 2, 5, 5], [1, 5, 2, 2, 5, 1], [3, 1, 3, 2, 3, 3], [1, 2, 2, 3, NAN, 4]], scales)
    assert_allclose(got, [-1, 1, NAN, -1])
    assert np.isnan(even_odd([[1, 1, NAN, 3, NAN, 2], [NAN] * 6], scales)).all()
    mixed = even_odd([[1, 2, 5, 1, 2, 5, 4]], ["a", "b", "c", "a", "b", "c", "alone"])
    assert_allclose(mixed, [-1])  # questions of a scale need not stand together; a scale of one has no halves


def test_distances_are_the_textbooks() -> None:
    draws = np.random.default_rng(1).normal(size=(40, 3)) @ [[2, 1, 0], [0, 1, 1], [0, 0, 3]] + 50
    away = draws - draws.mean(axis=0)
    expected = np.einsum("ij,jk,ik->i", away, np.linalg.inv(np.cov(draws.T)), away)
    got = mahalanobis(draws)
    assert_allclose(got.squared, expected)
    assert (got.freedom, got.squared.sum()) == (3, pytest.approx(39 * 3))
    assert got.p[np.argmax(got.squared)] == got.p.min()
    padded = np.column_stack([draws, draws[:, 0] + draws[:, 1], np.full(40, 7)])
    padded = np.vstack([padded, [NAN, 1, 2, 3, 7]])
    same = mahalanobis(padded)
    assert_allclose(same.squared, [*expected, NAN])  # a question that follows from others, and a constant, tell nothing
    assert same.freedom == 3
    assert np.isnan(same.p[-1])


def test_the_chance_of_a_distance_is_that_of_chi_squared() -> None:
    # four points of a cross: D² = (n - 1)/2 each; the upper tail on 2 degrees of freedom is exp(-x/2)
    got = mahalanobis([[1, 0], [-1, 0], [0, 1], [0, -1]])
    assert_allclose(got.squared, 1.5)
    assert_allclose(got.p, np.exp(-0.75))


def test_equal_answers_are_no_distance_apart() -> None:
    got = mahalanobis([[3, 3]] * 4)
    assert (got.squared.tolist(), got.p.tolist(), got.freedom) == ([0] * 4, [1] * 4, 0)


def test_near_duplicates_are_counted_with_exact_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS", 2)
    table = [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [1, 2, 3, 4, 1], [5, 4, 3, 1, 1], [NAN, 2, 3, 4, 5], [NAN] * 5]
    got = near_duplicates(table, alike=0.8, least=5)
    assert got.count.tolist() == [2, 2, 2, 0, 0, 0]
    assert_allclose(got.nearest, [1, 1, 0.8, 0.4, 0, 0])
    assert near_duplicates(table, alike=0.9, least=5).count.tolist() == [1, 1, 0, 0, 0, 0]
    assert near_duplicates(table, alike=1, least=4).count.tolist() == [2, 2, 0, 0, 2, 0]


def test_a_crowd_of_identical_rows_is_quickly_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = np.full((100_000, 6), 3)
    got = near_duplicates(crowd)
    assert (got.count == 99_999).all()
    assert (got.nearest == 1).all()
    assert near_duplicates(np.zeros((0, 6))).count.tolist() == []
    monkeypatch.setattr(module, "DISTINCT_UP_TO", 2)
    with pytest.raises(ValueError, match="answers: 3 different rows are too many to compare"):
        near_duplicates(np.eye(3))


@settings(deadline=None)
@given(likert, st.sampled_from([0.5, 0.8, 1.0]), st.integers(1, 3))
def test_twins_are_those_of_comparing_everybody(table: Any, alike: float, least: int) -> None:
    got = near_duplicates(table, alike=alike, least=least)
    for i, mine in enumerate(table):
        shares = [0.0]
        for j, theirs in enumerate(table):
            common = np.count_nonzero(~np.isnan(mine) & ~np.isnan(theirs))
            if i != j and common >= least:
                shares.append(np.count_nonzero(mine == theirs) / common)
        assert got.nearest[i] == pytest.approx(max(shares))
        assert got.count[i] == sum(found >= alike - 1e-9 for found in shares)


def test_bands_of_time_meet_without_a_gap() -> None:
    assert time_bands([0, 19.99, 20, 60, 60.01, 1e9]).tolist() == [0, 0, 1, 1, 2, 2]
    assert time_bands([5], (1, 4)).tolist() == [2]


def test_the_published_example_of_false_discoveries() -> None:
    # Benjamini and Hochberg (1995), section 3.2: at .05 the first four of fifteen stand
    p = [1e-4, 4e-4, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .324, .4262, .5719, .6528, .759, 1]  # fmt: skip
    got = benjamini_hochberg(p)
    assert (got <= 0.05).sum() == 4
    assert_allclose(got[:8], [0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.447 / 7, 0.447 / 7, 0.0645])
    assert benjamini_hochberg([]).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1), st.randoms(use_true_random=False))
def test_laws_of_adjusting(p: list[float], random: Any) -> None:
    order = random.sample(range(len(p)), len(p))
    got = benjamini_hochberg(p)
    assert (got >= np.array(p) - 1e-15).all()
    assert got.max() == max(p)
    assert benjamini_hochberg(np.array(p)[order]).tolist() == got[order].tolist()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100), st.sampled_from([30, -7]), st.sampled_from("abc")), min_size=1))
def test_leaving_a_rater_out_is_the_mean_of_the_others(rows: list[tuple[int, int, str]]) -> None:
    y, target, rater = (list(column) for column in zip(*rows, strict=True))
    got = leave_one_rater_out(y, target, rater)
    assert list(zip(got.target.tolist(), got.rater.tolist(), strict=True)) == sorted({row[1:] for row in rows})
    for t, r, answers, shift in zip(got.target, got.rater, got.answers, got.shift, strict=True):
        everybody = [row[0] for row in rows if row[1] == t]
        others = [row[0] for row in rows if row[1] == t and row[2] != r]
        assert answers == len(everybody) - len(others)
        assert shift == pytest.approx(np.mean(others) - np.mean(everybody) if others else NAN, abs=1e-9, nan_ok=True)


def test_nobody_shifts_nothing() -> None:
    assert leave_one_rater_out([], [], []).shift.tolist() == []
    assert pair_residuals([], [], [], sd=1).p.tolist() == []


def test_a_favoured_vendor_stands_out() -> None:
    residual = [4.0, 4, 4, 4, -1, 1, 1, -1]
    got = pair_residuals(residual, ["z"] * 4 + ["a"] * 4, [8, 8, 8, 8, 8, 8, 3, 3], sd=2)
    assert list(zip(got.rater.tolist(), got.vendor.tolist(), strict=True)) == [("a", 3), ("a", 8), ("z", 8)]
    assert got.mean.tolist() == [0, 0, 4]
    assert_allclose(got.p, [1, 1, 6.334248366623996e-05])  # two-sided, four standard errors
    assert_allclose(got.adjusted, [1, 1, 3 * 6.334248366623996e-05])


def test_a_busy_hour_stands_out() -> None:
    got = busy_hours([[0, 0, 8, 0], [2, 2, 2, 2], [0, 0, 0, 0]])
    # Poisson with mean 2: P(8 or more) = .0010967, P(2 or more) = 1 - 3 exp(-2)
    assert_allclose(got[0], [1, 1, 0.00109672, 1], rtol=1e-5)
    assert_allclose(got[1], 1 - 3 * np.exp(-2))
    assert got[2].tolist() == [1] * 4


def test_gaps_between_parties() -> None:
    got = party_gaps([[90, 60, 70], [NAN, 60, 70], [50, NAN, NAN]])
    assert_allclose(got, [[25, -20, -5], [NAN, -10, 10], [NAN, NAN, NAN]])


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: long_string([1, 2]), "answers: must have two dimensions"),
        (lambda: long_string([[1, np.inf]]), "answers: must be finite"),
        (lambda: response_variability([["much"]]), "answers: must be numbers"),
        (lambda: party_gaps([[1], [1, 2]]), "scores: is not a rectangular array"),
        (lambda: even_odd([[1, 2]], [0]), "scales: must have shape"),
        (lambda: even_odd([[1, 2, 3]], [0, 0, 1]), "scales: at least two scales need two questions"),
        (lambda: mahalanobis([[1, 2], [2, 1]]), "answers: 2 complete rows are too few to compare 1 questions"),
        (lambda: mahalanobis(np.zeros((0, 2))), "answers: 0 complete rows are too few"),
        (lambda: near_duplicates([[1]], alike=0), "alike: must be above 0"),
        (lambda: near_duplicates([[1]], alike=NAN), "alike: must be finite"),
        (lambda: near_duplicates([[1]], least=0), "least: must be at least 1"),
        (lambda: time_bands([-1]), "seconds: must not be below 0"),
        (lambda: time_bands([NAN]), "seconds: must be finite"),
        (lambda: time_bands([1], (60, 20)), "edges: the first must be"),
        (lambda: benjamini_hochberg([1.1]), "p: must be one-dimensional, from 0 to 1"),
        (lambda: benjamini_hochberg([NAN]), "p: must be finite"),
        (lambda: benjamini_hochberg([[0.5]]), "p: must be one-dimensional"),
        (lambda: leave_one_rater_out([[1]], [1], [1]), "y: must be one-dimensional"),
        (lambda: leave_one_rater_out([1], [1, 2], [1]), "target: must have shape"),
        (lambda: leave_one_rater_out([1], [1], [NAN]), "rater: must be finite"),
        (lambda: pair_residuals([1], [1], [1], sd=0), "sd: must be above 0"),
        (lambda: pair_residuals([NAN], [1], [1], sd=1), "residual: must be finite"),
        (lambda: busy_hours([]), "counts: needs at least one hour"),
        (lambda: busy_hours(3), "counts: needs at least one hour"),
        (lambda: busy_hours([-1]), "counts: must not be below 0"),
        (lambda: busy_hours([0.5]), "counts: must be whole numbers"),
    ],
)
def test_bad_input_is_refused_by_name(call: Any, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}"):
        call()
