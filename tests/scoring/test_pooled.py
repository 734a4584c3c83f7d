import numpy as np
import pytest

from evalsys.scoring.pooled import fit
from tests.scoring.made import Answers, full, make_cycle, make_rules

PURCHASER, RECIPIENT, THIRD = range(3)


def recipients(*contracts: list[list[float | None]]) -> Answers:
    return {f"C{place}": {"recipient": rows} for place, rows in enumerate(contracts)}


def test_dispersion_is_pooled_within_contracts() -> None:
    # contracts at 50 (s² = 1250) and 20 (s² = 200), one degree of freedom each
    pooled = fit(make_cycle(recipients([[25] * 3, [75] * 3], [[10] * 3, [30] * 3])), make_rules())
    assert pooled.dispersion[RECIPIENT, 0] == pytest.approx((0.125 + 0.02) / (0.25 + 0.16))
    assert not pooled.dispersion_assumed[RECIPIENT].any()


@pytest.mark.parametrize("rows", [[[50] * 3, [50] * 3], [[50] * 3], [[100] * 3, [100] * 3], []])
def test_dispersion_is_that_of_yes_and_no_where_nobody_differs(rows: list[list[float | None]]) -> None:
    pooled = fit(make_cycle(recipients(rows)), make_rules())
    assert pooled.dispersion[RECIPIENT].tolist() == [1, 1, 1]
    assert pooled.dispersion_assumed[RECIPIENT].all()


def test_a_rater_variance_needs_enough_contracts_with_two_raters() -> None:
    pair = {"third_party": [[60, 60, 60], [80, 60, 60]]}
    single = {"third_party": [[60, 60, 60]]}
    rules = make_rules(interval={"pool_minimum": 2, "assumed_rater_sd": 7.0})
    learned = fit(make_cycle({"A": pair, "B": pair, "C": single}), rules)
    assert learned.rater_variance[THIRD] == pytest.approx([200, 0, 0])
    assert not learned.rater_variance_assumed[THIRD].any()
    assumed = fit(make_cycle({"A": pair, "C": single}), rules)
    assert assumed.rater_variance[THIRD].tolist() == [49, 49, 49]
    assert assumed.rater_variance_assumed[THIRD].all()


def test_correlation_is_pooled_within_contracts() -> None:
    rows = [[10.0, 20.0, 90.0], [20.0, 40.0, 80.0], [30.0, 50.0, 70.0]]
    higher = [[value + 5 for value in row] for row in rows]
    pooled = fit(make_cycle(recipients(rows, higher)), make_rules(interval={"pool_minimum": 4}))
    expected = np.corrcoef(np.array(rows).T)[0, 1]
    assert pooled.correlation[RECIPIENT, 0, 1] == pytest.approx(expected)
    assert pooled.correlation[RECIPIENT, 0, 2] == 0  # -1 would let one error narrow another
    assert not pooled.correlation_assumed[RECIPIENT].any()


def test_correlation_is_full_where_it_cannot_be_learned() -> None:
    few = fit(make_cycle(recipients([[10, 20, 30], [20, 10, 40]])), make_rules())
    assert few.correlation[RECIPIENT].tolist() == np.ones((3, 3)).tolist()
    assert few.correlation_assumed[RECIPIENT].tolist() == (~np.eye(3, dtype=bool)).tolist()
    equal = fit(make_cycle(recipients([[10, 20, 30]] * 9)), make_rules(interval={"pool_minimum": 2}))
    assert equal.correlation_assumed[RECIPIENT, 0, 1]


def test_correlation_uses_those_who_have_both() -> None:
    rows = [[10.0, 20.0, None], [30.0, 40.0, None], [None, 90.0, 50.0]]
    pooled = fit(make_cycle(recipients(rows)), make_rules(interval={"pool_minimum": 1}))
    # the pair's covariance is 200; the deviations are those of everybody with the one composite
    assert pooled.correlation[RECIPIENT, 0, 1] == pytest.approx(200 / np.sqrt(200 * np.var([20, 40, 90], ddof=1)))


def test_a_gap_is_a_partys_share_against_the_others() -> None:
    rules = make_rules(interval={"pool_minimum": 2}, minimums={"recipient": 1})
    low, high = full([70], purchaser=60, third=70), full([70], purchaser=90, third=70)
    pooled = fit(make_cycle({"A": low, "B": high, "C": {"purchaser": [[0, 0, 0]]}}), rules)
    weight = 0.5 * 0.2 + 0.3 * 0.4 + 0.2 * 0.2
    assert pooled.gap[PURCHASER] == pytest.approx(weight * np.sqrt((10**2 + 20**2) / 2))
    assert not pooled.gap_assumed.any()


def test_a_gap_is_assumed_where_too_few_contracts_have_everybody() -> None:
    pooled = fit(make_cycle({"A": full([70] * 5)}), make_rules())
    assert pooled.gap[PURCHASER] == pytest.approx(10 * (0.5 * 0.2 + 0.3 * 0.4 + 0.2 * 0.2))
    assert pooled.gap_assumed.all()
