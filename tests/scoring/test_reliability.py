"""Published coefficients of agreement, and the edges."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsys.scoring.reliability import alpha_of_covariance, cronbach_alpha, icc, kendall_w, of_mean, raters_needed

# Shrout and Fleiss (1979), Psychological Bulletin 86:420-428, table 2; limits from psych 2.2.9's ICC(lmer = FALSE)
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
ICCS = {
    "ICC1": (0.165741768405476, -0.132932324874751, 0.722560062328121, 1.79467849223947, 18),
    "ICC2": (0.289763779527559, 0.018786513374712, 0.761084369648953, 11.0272479564033, 15),
    "ICC3": (0.714840714840715, 0.342464765033925, 0.94585825995536, 11.0272479564033, 15),
    "ICC1k": (0.442797133679269, -0.884442155238119, 0.912415420340776, 1.79467849223947, 18),
    "ICC2k": (0.620050547598989, 0.0711368153025035, 0.927232040167722, 11.0272479564033, 15),
    "ICC3k": (0.909315542377069, 0.675674713816305, 0.985891678169062, 11.0272479564033, 15),
}
# irr's anxiety, 20 subjects by 3 raters; its manual prints W = .54
ANXIETY = "332 361 344 464 523 542 221 346 531 231 221 632 133 533 221 221 113 233 432 342"
# R's attitude (Chatterjee and Price 1977), 30 departments by 7 items; psych's manual prints alpha .84
ATTITUDE = """
43 51 30 39 61 92 45  63 64 51 54 63 73 47  71 70 68 69 76 86 48  61 63 45 47 54 84 35  81 78 56 66 71 83 47
43 55 49 44 54 49 34  58 67 42 56 66 68 35  71 75 50 55 70 66 41  72 82 72 67 71 83 31  67 61 45 47 62 80 41
64 53 53 58 58 67 34  67 60 47 39 59 74 41  69 62 57 42 55 63 25  68 83 83 45 59 77 35  77 77 54 72 79 77 46
81 90 50 72 60 54 36  74 85 64 69 79 79 63  65 60 65 75 55 80 60  65 70 46 57 75 85 46  50 58 68 54 64 78 52
50 40 33 34 43 64 33  64 61 52 62 66 80 41  53 66 52 50 63 80 37  40 37 42 58 50 57 49  63 54 42 48 66 75 33
66 77 66 63 88 76 72  78 75 58 74 80 78 49  48 57 44 45 51 83 38  85 85 71 71 77 74 55  82 82 39 59 64 78 39
"""
DROPPED = [0.809760206308921, 0.79691745727414, 0.827847765938659, 0.803030975022574, 0.795386574198205]
ITEM_TOTAL = [0.671262057223664, 0.742109710222238, 0.560711111480256, 0.714445498133676, 0.7862755938344]

tables = st.integers(2, 4).flatmap(
    lambda k: st.lists(st.lists(st.integers(1, 4), min_size=k, max_size=k), min_size=2, max_size=6)
)


def anxiety() -> list[list[int]]:
    return [[int(digit) for digit in row] for row in ANXIETY.split()]


def attitude() -> Any:
    return np.array(ATTITUDE.split(), dtype=np.float64).reshape(30, 7)


@dataclass(frozen=True)
class Variances:
    variance_target: float
    variance_rater: float
    variance_residual: float


def test_iccs_match_shrout_and_fleiss() -> None:
    got = icc(SHROUT_FLEISS)
    for place, form in enumerate(got.forms):
        estimate, low, high, f, df2 = ICCS[form]
        assert got.estimate[place] == pytest.approx(estimate, abs=1e-9)
        assert (got.low[place], got.high[place]) == pytest.approx((low, high), abs=1e-9)
        assert got.F[place] == pytest.approx(f, abs=1e-9)
        assert (got.df1[place], got.df2[place]) == (5, df2)
    assert got.p[:2] == pytest.approx([0.16476880834464, 0.000134566516484337], abs=1e-12)
    assert (got.targets, got.raters) == (6, 4)


def test_perfect_agreement_is_one_without_width() -> None:
    got = icc([[1, 1], [2, 2], [3, 3]])
    assert got.estimate.tolist() == got.low.tolist() == got.high.tolist() == [1] * 6
    assert np.isinf(got.F).all()
    assert got.p.tolist() == [0] * 6


def test_a_constant_shift_spoils_agreement_but_not_consistency() -> None:
    got = icc([[1.1, 2.1], [2.1, 3.1], [4.1, 5.1]])
    assert got.estimate[2] == got.low[2] == 1
    assert got.low[1] < got.estimate[1] < 1


def test_targets_that_do_not_differ() -> None:
    got = icc([[1, 2], [2, 1]])
    assert got.estimate[0] == pytest.approx(-1)
    assert np.isneginf(got.estimate[3])
    with pytest.raises(ValueError, match="ratings: targets do not differ"):
        icc([[1, 2], [1, 2]])
    with pytest.raises(ValueError, match="ratings: targets do not differ"):
        icc([[0.1, 0.1], [0.1, 0.1]])


@given(tables)
def test_iccs_of_one_rater_are_always_numbers(rows: list[list[int]]) -> None:
    try:
        got = icc(rows)
    except ValueError:
        return
    assert np.isfinite(got.estimate[:3]).all()
    assert (got.low[:3] <= got.estimate[:3] + 1e-9).all()
    assert (got.estimate[:3] <= got.high[:3] + 1e-9).all()
    assert not np.isnan(got.low).any()


def test_raters_needed_follow_spearman_and_brown() -> None:
    fit = icc(SHROUT_FLEISS)
    needed = raters_needed(fit, 0.8)
    assert needed == 10
    assert of_mean(fit.estimate[1:2], needed)[0] >= 0.8 > of_mean(fit.estimate[1:2], needed - 1)[0]
    assert raters_needed(Variances(1, 0.5, 0.5), 0.8) == 4
    assert raters_needed(Variances(1, 0, 0), 0.9) == 1


@pytest.mark.parametrize("fit", [Variances(0, 1, 1), Variances(0, 0, 0), icc([[1, 2], [2, 1]])])
def test_no_number_of_raters_makes_up_for_chance(fit: Any) -> None:
    with pytest.raises(ValueError, match="fit: one rater tells nothing"):
        raters_needed(fit, 0.8)


def test_a_target_reliability_is_a_share() -> None:
    with pytest.raises(ValueError, match="target: must lie"):
        raters_needed(Variances(1, 1, 1), 1)


def test_alpha_matches_psych() -> None:
    got = cronbach_alpha(attitude())
    assert got.alpha == pytest.approx(0.84314276956476, abs=1e-9)
    assert (got.low, got.high) == pytest.approx((0.739375685643107, 0.915773072159982), abs=1e-9)
    assert got.if_dropped[:5] == pytest.approx(DROPPED, abs=1e-9)
    assert got.item_total[:5] == pytest.approx(ITEM_TOTAL, abs=1e-9)
    assert (got.respondents, got.items) == (30, 7)


def test_alpha_of_two_items_and_of_a_constant_one() -> None:
    pair = cronbach_alpha([[1, 2], [2, 3], [3, 5]])
    assert np.isnan(pair.if_dropped).all()
    constant = cronbach_alpha([[1, 2, 3], [2, 2, 3], [3, 2, 3]])
    assert constant.alpha == pytest.approx(0)
    assert np.isnan(constant.if_dropped).tolist() == [True, False, False]
    assert np.isnan(constant.item_total).tolist() == [True, True, True]


@pytest.mark.parametrize("items", [[[1, 1], [1, 1]], [[1, 2], [2, 1], [3, 0]]])
def test_alpha_needs_sums_that_vary(items: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="items: the respondents' sums do not vary"):
        cronbach_alpha(items)


def test_w_matches_irr_with_ties() -> None:
    got = kendall_w(anxiety())
    assert (got.W, got.chi2, got.df) == pytest.approx((0.53965687595437, 30.7604419293991, 19), abs=1e-9)
    assert got.p == pytest.approx(0.0428834731269479, abs=1e-9)
    assert got.uncorrected == pytest.approx(0.501921470342523, abs=1e-9)


def test_w_of_full_and_of_no_agreement() -> None:
    assert pytest.approx(1) == kendall_w([[1, 10], [2, 20], [3, 30]]).W
    assert pytest.approx(0) == kendall_w([[1, 2], [2, 1]]).W
    with pytest.raises(ValueError, match="ratings: every rater gives every target the same"):
        kendall_w([[3, 5], [3, 5]])


@pytest.mark.parametrize("of", [icc, cronbach_alpha, kendall_w])
@pytest.mark.parametrize(
    ("table", "why"),
    [
        ([[1, 2]], "at least 2 by 2"),
        ([[1], [2]], "at least 2 by 2"),
        ([1, 2], "at least 2 by 2"),
        ([[1, np.nan], [2, 3]], "must be finite"),
    ],
)
def test_faulty_tables_are_refused(of: Any, table: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        of(table)


def test_alpha_needs_only_the_covariances() -> None:
    items = attitude()
    whole, summed = cronbach_alpha(items), alpha_of_covariance(np.cov(items, rowvar=False), 30)
    assert (summed.alpha, summed.low, summed.high) == pytest.approx((whole.alpha, whole.low, whole.high))


@pytest.mark.parametrize(
    ("covariance", "respondents", "said"),
    [
        pytest.param([[1, 0.5, 0], [0.5, 1, 0]], 9, "covariance: must be square", id="not-square"),
        pytest.param([[1, 0.5], [0.2, 1]], 9, "covariance: must be square", id="not-symmetric"),
        pytest.param([[-1, 0], [0, 1]], 9, "covariance: must be square", id="below-0"),
        pytest.param([[1, 0.5], [0.5, 1]], 1, "respondents", id="one-respondent"),
    ],
)
def test_covariances_that_make_no_sense_are_refused(covariance: Any, respondents: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        alpha_of_covariance(covariance, respondents)
