"""Published between-variances and shrunken estimates, and the edges."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsys.scoring import shrinkage as module
from evalsys.scoring.shrinkage import shrink, tau_squared

# Colditz et al. (1994), JAMA 271:698-702: log relative risks of tuberculosis in 13 BCG vaccine trials, as in metafor's
# dat.bcg. Expected values from metafor 3.8 (rma, blup), which its documentation prints to four digits.
BCG = [
    (-0.889311333920205, 0.325584765003961),
    (-1.58538865720143, 0.194581121398144),
    (-1.34807314829969, 0.415367965367965),
    (-1.44155119002131, 0.0200100319022476),
    (-0.217547322211296, 0.0512101721696309),
    (-0.786115585818864, 0.00690561845590876),
    (-1.62089822359839, 0.223017247572315),
    (0.0119523335238405, 0.00396157929781773),
    (-0.469417648738149, 0.056434210463249),
    (-1.37134480347278, 0.0730247936130289),
    (-0.339358828338391, 0.0124122139715597),
    (0.445913400571379, 0.532505845200153),
    (-0.0173139482168798, 0.0714046596839863),
]
BCG_FITS = [
    ("REML", 0.313243258136486, -0.71453234215814, 0.179781516105207, -0.80023356197035, 0.409930447526168),
    ("PM", 0.318068452205024, -0.714968153493444, 0.180892191537624, None, None),
    ("DL", 0.308760262862376, -0.714117222073227, 0.178742089535403, -0.799390973185865, 0.408523174355307),
]
# The trials' best linear unbiased predictions with REML and their standard errors, by metafor's blup
BCG_DRAWN = [
    (-0.80023356197035, 0.409930447526168),
    (-1.25170598030225, 0.35322730160002),
    (-0.986903093357505, 0.434831576434724),
    (-1.39789769649515, 0.137568415669478),
    (-0.287379806476373, 0.211311758383421),
    (-0.784571533645954, 0.0822903527274534),
    (-1.24396346517331, 0.368591959898758),
    (0.00287924789676642, 0.0625870944113634),
    (-0.50683635929277, 0.220391268259192),
    (-1.24717301599845, 0.245712211747201),
    (-0.35365840052076, 0.109480965717205),
    (-0.284733712861193, 0.458300476006367),
    (-0.146743069858524, 0.243440297383333),
]
# Rubin (1981), J. Educ. Stat. 6:377-401: coaching effects in eight schools
SCHOOLS = [(28, 15), (8, 10), (-3, 16), (7, 11), (-1, 9), (1, 11), (18, 10), (12, 18)]
# Efron and Morris (1975), J. Am. Stat. Assoc. 70:311-319, table 1: hits in the first 45 at-bats of 1970
HITS = [18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7]

members = st.lists(st.tuples(st.floats(-100, 100), st.floats(0.01, 100)), min_size=2, max_size=9)


def columns(rows: list[tuple[float, float]]) -> tuple[Any, Any]:
    y, v = np.array(rows, dtype=np.float64).T
    return y, v


@pytest.mark.parametrize("fit", BCG_FITS, ids=lambda fit: fit[0])
def test_bcg_matches_metafor(fit: tuple[Any, ...]) -> None:
    method, tau2, mean, se, first, first_sd = fit
    assert tau_squared(*columns(BCG), method=method) == pytest.approx(tau2, abs=1e-9)
    got = shrink(*columns(BCG), method=method)
    assert (got.mean, got.mean_se, got.tau2) == pytest.approx((mean, se, tau2), abs=1e-9)
    if first is not None:
        assert got.values[0] == pytest.approx(first, abs=1e-9)
        assert got.sd_known_spread[0] == pytest.approx(first_sd, abs=1e-9)


def test_a_large_group_is_searched_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tau_squared(*columns(BCG))
    monkeypatch.setattr(module, "_AT_ONCE", 50)
    assert tau_squared(*columns(BCG)) == whole


def test_every_bcg_trial_is_drawn_as_far_as_metafor_draws_it() -> None:
    got = shrink(*columns(BCG))
    values, deviations = columns(BCG_DRAWN)
    assert got.values.tolist() == pytest.approx(values.tolist(), abs=1e-8)
    assert got.sd_known_spread.tolist() == pytest.approx(deviations.tolist(), abs=1e-8)


@pytest.mark.parametrize("method", ["REML", "PM", "DL"])
def test_eight_schools_lie_on_the_boundary_and_keep_honest_limits(method: Any) -> None:
    y, se = columns(SCHOOLS)
    got = shrink(y, se**2, method=method)
    assert got.tau2 == 0
    assert got.values == pytest.approx(np.full(8, 7.68561672495604), abs=1e-9)
    assert got.mean_se == pytest.approx(4.0719191584023, abs=1e-9)
    assert got.reliability.tolist() == [0] * 8
    assert (got.sd > got.sd_known_spread).all()


def test_dyestuff_shrinks_like_lme4() -> None:
    # Davies (1947), as in lme4's Dyestuff: batch means of 5, REML's residual variance 2451.25; Bates gives 42.00² and
    # batch effects from -44.995 to 56.733
    means = np.array([1505.0, 1528, 1564, 1498, 1600, 1470])
    got = shrink(means, np.full(6, 2451.25 / 5))
    assert got.tau2 == pytest.approx(1764.05, abs=1e-6)
    assert got.values - 1527.5 == pytest.approx(
        [-17.6068512, 0.39126336, 28.5622253, -23.0845383, 56.7331873, -44.9952866], abs=1e-5
    )


@pytest.mark.parametrize(("method", "shrunk"), [("PM", 0.29391385489966), ("DL", 0.29391385489966)])
def test_baseball_matches_james_and_stein(method: Any, shrunk: float) -> None:
    # Efron and Morris (1977), Scientific American 236:119-127: grand mean .265, shrinking factor .212
    average = np.array(HITS) / 45
    mean = average.mean()
    got = shrink(average, np.full(18, mean * (1 - mean) / 45), method=method, bias_corrected=True)
    assert got.reliability[0] == pytest.approx(0.211653417144266, abs=1e-9)
    assert got.values[0] == pytest.approx(shrunk, abs=1e-9)


def test_baseball_on_the_scale_of_equal_variances() -> None:
    # Efron and Morris (1975), section 2: x = √45 arcsin(2p - 1) has variance 1; the factor is 1 - 15/18.96 = .209
    x = np.sqrt(45) * np.arcsin(2 * np.array(HITS) / 45 - 1)
    got = shrink(x, np.ones(18), method="DL", bias_corrected=True)
    assert got.mean == pytest.approx(-3.31656313614355, abs=1e-6)
    assert got.reliability.tolist() == pytest.approx([0.208974232098123] * 18, abs=1e-6)
    assert got.values[[0, -1]].tolist() == pytest.approx([-2.90575884475154, -3.68882368059278], abs=1e-6)


def test_frozen_terms_make_a_member_independent_of_the_others() -> None:
    y, v = columns(BCG)
    all_together = shrink(y, v, tau2=0.3, mean=-0.7)
    alone = shrink(y[:1], v[:1], tau2=0.3, mean=-0.7)
    assert alone.values[0] == all_together.values[0]
    assert alone.mean_se == 0
    assert alone.sd[0] == alone.sd_known_spread[0]


@given(members)
def test_shrunken_values_lie_between_the_estimate_and_the_mean(rows: list[tuple[float, float]]) -> None:
    y, v = columns(rows)
    got = shrink(y, v)
    low, high = np.minimum(y, got.mean), np.maximum(y, got.mean)
    assert (got.values >= low - 1e-9).all()
    assert (got.values <= high + 1e-9).all()
    assert np.isfinite(got.sd).all()
    assert (got.low <= got.values).all()


@given(members, st.sampled_from(["REML", "PM", "DL"]), st.floats(0.001, 1000), st.floats(-1000, 1000))
def test_the_spread_follows_the_unit_and_ignores_the_origin(
    rows: list[tuple[float, float]], method: Any, unit: float, origin: float
) -> None:
    y, v = columns(rows)
    there, here = tau_squared(y, v, method), tau_squared(y * unit + origin, v * unit**2, method)
    assert here == pytest.approx(there * unit**2, rel=1e-4, abs=1e-4 * unit**2)


@given(members)
def test_the_restricted_likelihood_is_nowhere_higher(rows: list[tuple[float, float]]) -> None:
    y, v = columns(rows)

    def deviance(tau2: float) -> float:
        w = 1 / (v + tau2)
        return float(-np.log(w).sum() + np.log(w.sum()) + w @ (y - w @ y / w.sum()) ** 2)

    best = tau_squared(y, v)
    assert all(deviance(best) <= deviance(best * f + a) + 1e-7 for f in (0, 0.5, 0.99, 1.01, 2) for a in (0, 1e-3, 50))


def test_equal_estimates_do_not_differ() -> None:
    for method in ("REML", "PM", "DL"):
        assert tau_squared([5, 5, 5], [1, 2, 3], method) == 0


@pytest.mark.parametrize(
    ("arguments", "options", "why"),
    [
        (([1], [1]), {}, "estimates: at least 2"),
        (([], []), {"tau2": 1.0}, "estimates: there is no member"),
        (([1, 2], [1]), {}, "variances: must have shape"),
        (([[1, 2]], [[1, 1]]), {}, "estimates: must be one-dimensional"),
        (([1, 2], [0, 1]), {}, "variances: must be above 0"),
        (([1, np.nan], [1, 1]), {}, "estimates: must be finite"),
        (([1, 2], [1, 1]), {"method": "ML"}, "method: 'ML' is not one of"),
        (([1, 2], [1, 1]), {"tau2": -1.0}, "tau2: must be 0 or more"),
        (([1, 2], [1, 1]), {"tau2": np.inf}, "tau2: must be finite"),
        (([1, 2], [1, 1]), {"mean": np.nan}, "mean: must be finite"),
        (([1, 2, 3], [1, 1, 1]), {"bias_corrected": True}, "bias_corrected: needs at least 4"),
    ],
)
def test_faulty_members_are_refused(arguments: Any, options: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        shrink(*arguments, **options)


def test_a_likelihood_too_flat_for_its_slope_still_has_a_highest_point() -> None:
    # the contrast's variance is exactly what the members' variances explain: τ² is 0, up to rounding
    assert tau_squared([1, 3], [1e-12, 4]) == pytest.approx(0, abs=1e-5)


@given(st.lists(st.tuples(st.integers(0, 100), st.sampled_from([1e-12, 0.25, 4.0, 100.0])), min_size=2, max_size=9))
def test_almost_certain_members_leave_every_result_defined(rows: list[tuple[float, float]]) -> None:
    with np.errstate(all="raise"):
        got = shrink(*columns(rows))
    assert np.isfinite(got.values).all()
    assert np.isfinite(got.sd).all()
    assert ((got.reliability >= 0) & (got.reliability <= 1)).all()
