from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsys.scoring import crossed
from evalsys.scoring.severity import CrossedFit, fit_crossed

Method = Literal["REML", "ML"]

# Davies and Goldsmith (1972), Statistical Methods in Research and Production: diameters of penicillin's zones of
# inhibition, a group of six a plate (a to x), one a sample (A to F).
PENICILLIN = """
27 23 26 23 23 21|27 23 26 23 23 21|25 21 25 24 24 20|26 23 25 23 23 20|25 22 26 22 23 20|24 22 25 23 22 19
24 20 23 21 22 19|26 22 26 24 24 21|24 21 24 22 22 20|24 21 24 23 22 19|26 23 26 24 24 21|25 22 26 24 24 20
26 24 26 24 25 22|26 23 26 23 23 20|26 23 25 24 24 22|25 22 25 23 23 20|25 21 24 23 23 20|25 22 24 23 23 19
24 21 23 21 21 19|26 23 26 24 24 21|25 21 24 22 22 18|25 22 25 22 22 20|24 21 24 22 24 19|24 21 24 22 21 18
"""

# Davies (1947), six batches of five; Box and Tiao (1973) for the second, made with no difference between batches.
DYESTUFF = [
    [1545, 1440, 1440, 1520, 1580],
    [1540, 1555, 1490, 1560, 1495],
    [1595, 1550, 1605, 1510, 1560],
    [1445, 1440, 1595, 1465, 1545],
    [1595, 1630, 1515, 1635, 1625],
    [1520, 1455, 1450, 1480, 1445],
]
DYESTUFF2 = [
    [7.298, 3.846, 2.434, 9.566, 7.99],
    [5.22, 6.556, 0.608, 11.788, -0.892],
    [0.11, 10.386, 13.434, 5.51, 8.166],
    [2.212, 4.852, 7.092, 9.288, 4.98],
    [0.282, 9.014, 4.458, 9.446, 7.198],
    [1.722, 4.782, 8.106, 0.758, 3.758],
]


def penicillin(method: Method = "REML", *, swapped: bool = False) -> CrossedFit:
    y = [int(cell) for cell in PENICILLIN.replace("|", " ").split()]
    plates, samples = [chr(ord("a") + i // 6) for i in range(144)], list("ABCDEF" * 24)
    return fit_crossed(y, samples, plates, method=method) if swapped else fit_crossed(y, plates, samples, method=method)


def batches(table: list[list[float]] | list[list[int]], method: Method = "REML") -> CrossedFit:
    """One factor alone: everything comes from a single rater."""
    return fit_crossed(np.ravel(table), np.repeat(list("ABCDEF"), 5), np.zeros(30), method=method)


@pytest.fixture(params=[crossed.DENSE_LIMIT, 0], ids=["dense", "sparse"], autouse=True)
def both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossed, "DENSE_LIMIT", request.param)
    monkeypatch.setattr(crossed, "FILLED_LIMIT", request.param)


def near(value: Any) -> Any:
    return pytest.approx(value, rel=1e-5, abs=1e-5)


def test_penicillin_is_what_lme4_finds() -> None:
    got = penicillin()
    assert got.variance_target == near(0.71690817676607)
    assert got.variance_rater == near(3.73091758834559)
    assert got.variance_residual == near(0.302415462713223)
    assert (got.intercept, got.intercept_se) == near((22.9722222222251, 0.808573360598727))
    assert got.criterion == near(330.860588991086)
    assert got.rater_effects.labels.tolist() == list("ABCDEF")
    assert got.rater_effects.values.tolist() == near([
        2.1870579667706, -1.01047614920839, 1.93789946422678, -0.0968949732144, -0.0138421390331, -3.00374416955893,
    ])  # fmt: skip
    assert got.rater_effects.sd.tolist() == near([0.202170802978162] * 6)
    assert got.target_effects.values[[0, 2, 12, 23]].tolist() == near([
        0.804547041122586, 0.18167191251155, 1.42742216973362, -1.21979712686328,
    ])  # fmt: skip
    assert got.target_effects.sd.tolist() == near([0.271359530768902] * 24)


def test_penicillin_by_full_likelihood() -> None:
    got = penicillin("ML")
    assert (got.variance_target, got.variance_rater) == near((0.714992330415461, 3.13518883204639))
    assert (got.variance_residual, got.criterion) == near((0.302425417624317, 332.188348668501))


def test_the_two_sides_are_alike() -> None:
    one, other = penicillin(), penicillin(swapped=True)
    assert (one.variance_target, one.criterion) == near((other.variance_rater, other.criterion))
    assert one.target_effects.values.tolist() == near(other.rater_effects.values.tolist())
    assert one.rater_effects.sd.tolist() == near(other.target_effects.sd.tolist())


def test_dyestuff_is_what_lme4_finds() -> None:
    got = batches(DYESTUFF)
    assert (got.variance_target, got.variance_residual) == near((1764.04994926988, 2451.25001099403))
    assert (got.intercept, got.intercept_se, got.criterion) == near((1527.5, 19.3834119436727, 319.654276842257))
    assert got.target_effects.values.tolist() == near([
        -17.6068512234638, 0.391263360522021, 28.5622253180653, -23.0845382707638, 56.7331872756084, -44.9952864599641,
    ])  # fmt: skip
    assert got.target_effects.sd.tolist() == near([19.5865700599132] * 6)
    full = batches(DYESTUFF, "ML")
    assert (full.variance_target, full.criterion) == near((1388.3333781366, 327.327059881135))
    assert full.target_effects.sd.tolist() == near([19.0344549401934] * 6)


def test_a_variance_of_nothing_is_exactly_nothing() -> None:
    got = batches(DYESTUFF2)
    assert got.variance_target == 0
    assert got.target_effects.values.tolist() == got.target_effects.sd.tolist() == [0] * 6
    assert (got.variance_residual, got.criterion) == near((13.8063096275862, 161.828277812288))


def test_one_rater_and_one_target_leave_the_plain_mean() -> None:
    got = fit_crossed([1, 2, 6], ["t"] * 3, ["r"] * 3)
    assert (got.intercept, got.variance_residual, got.intercept_se) == near((3, 7, np.sqrt(7 / 3)))
    assert (got.variance_target, got.variance_rater) == (0, 0)
    assert got.criterion == near(2 * (1 + np.log(2 * np.pi * 7)) + np.log(3))


def test_parts_without_a_common_rater_are_told_apart() -> None:
    target, rater = [30, 30, -7, -7, 30, 9, 9], ["b", "c", "x", "y", "b", "x", "x"]
    got = fit_crossed([1.0, 3, 2, 5, 4, 1, 2], target, rater).components
    assert [(part.targets.tolist(), part.raters.tolist()) for part in got] == [
        ([-7, 9], ["x", "y"]),
        ([30], ["b", "c"]),
    ]


def test_deviations_of_parts_and_of_slices_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = np.random.default_rng(2)
    part = draws.integers(0, 4, 80)
    target, rater = part * 10 + draws.integers(0, 5, 80), part * 10 + draws.integers(0, 3, 80)
    y = draws.normal(size=40)[target] + draws.normal(size=40)[rater] + draws.normal(size=80)
    plain = fit_crossed(y, target, rater)
    design = np.column_stack([of[:, None] == np.unique(of) for of in (target, rater)]).astype(np.float64)
    levels = [len(plain.target_effects.labels), len(plain.rater_effects.labels)]
    prior = np.repeat([plain.variance_target, plain.variance_rater], levels)
    exact = np.linalg.inv(design.T @ design / plain.variance_residual + np.diag(1 / prior))
    monkeypatch.setattr(crossed, "TOGETHER", 1)
    monkeypatch.setattr(crossed, "BLOCK", 1)
    sliced = fit_crossed(y, target, rater)
    for got in (plain, sliced):
        assert len(got.components) == 4
        assert [*got.target_effects.sd, *got.rater_effects.sd] == near(np.sqrt(np.diagonal(exact)).tolist())


@st.composite
def answers(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Up to 40 answers, two at least from one rater about one target, so that chance shows."""
    draws = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(12, 40))
    target, rater = draws.integers(0, draw(st.integers(1, 6)), n), draws.integers(0, draw(st.integers(2, 5)), n)
    scale = draw(st.sampled_from([0.0, 1.0, 5.0]))
    y = 50 + scale * draws.normal(size=6)[target] + draws.normal(size=5)[rater] + draws.normal(size=n)
    return y, target, rater


@settings(max_examples=12, deadline=None)
@given(answers(), st.sampled_from(["REML", "ML"]))
def test_the_criterion_is_the_likelihood_and_nothing_near_is_better(
    data: tuple[np.ndarray, np.ndarray, np.ndarray], method: Method
) -> None:
    """Against the textbook's dense formula."""
    y, target, rater = data
    got = fit_crossed(y, target, rater, method=method)

    def dense(of_target: float, of_rater: float, rest: float) -> float:
        v = of_target * (target[:, None] == target) + of_rater * (rater[:, None] == rater) + rest * np.eye(len(y))
        inverse, total = np.linalg.inv(v), np.linalg.inv(v).sum()
        away = y - inverse.sum(axis=0) @ y / total
        freedom = len(y) - (method == "REML")
        fit = np.linalg.slogdet(v)[1] + away @ inverse @ away + freedom * np.log(2 * np.pi)
        return float(fit + (np.log(total) if method == "REML" else 0))

    best = np.array([got.variance_target, got.variance_rater, got.variance_residual])
    assert got.criterion == pytest.approx(dense(*best), rel=1e-9)
    for k in range(3):
        for other in (best[k] * 0.9, best[k] * 1.1 + 0.01):
            moved = best.copy()
            moved[k] = other
            assert dense(*moved) >= got.criterion - 1e-8


@settings(max_examples=12, deadline=None)
@given(answers(), st.randoms(use_true_random=False))
def test_order_and_unit_change_nothing(data: tuple[np.ndarray, np.ndarray, np.ndarray], random: Any) -> None:
    y, target, rater = data
    plain = fit_crossed(y, target, rater)
    order = random.sample(range(len(y)), len(y))
    moved = fit_crossed(1000 * y[order] - 7, target[order] * 10 + 3, np.array(list("vwxyz"))[rater[order]])
    assert moved.rater_effects.values / 1000 == near(plain.rater_effects.values)
    assert moved.target_effects.sd / 1000 == near(plain.target_effects.sd)
    assert moved.target_effects.labels.tolist() == (plain.target_effects.labels * 10 + 3).tolist()


@pytest.mark.parametrize(
    ("y", "target", "rater", "why"),
    [
        ([1, np.nan], [0, 0], [0, 0], "y: must be finite"),
        ([1, np.inf], [0, 0], [0, 0], "y: must be finite"),
        ([1], [0], [0], "y: must be one-dimensional with at least two"),
        ([[1, 2]], [0, 0], [0, 0], "y: must be one-dimensional"),
        ([1, 2], [0], [0, 0], "target: must have shape"),
        ([1, 2], [0, 0], [[0, 0]], "rater: must have shape"),
        ([1, 2], [0.0, np.nan], [0, 0], "target: must be finite"),
        ([1, 2], np.array([0, "a"], dtype=object), [0, 0], "target: labels must be all numbers or all strings"),
        ([3, 3, 3], [0, 0, 1], [0, 1, 1], "y: all answers are equal"),
        ([1e9, 1e9, 1e9], [0, 0, 1], [0, 1, 1], "y: all answers are equal"),
        ([1, 2, 3], [0, 0, 0], [0, 1, 2], "rater: every answer has one of its own"),
        ([1, 2, 3], [0, 1, 2], [0, 0, 1], "target: every answer has one of its own"),
        ([1, 2, 4, 8], [0, 0, 1, 1], [5, 5, 7, 7], "rater: raters and targets divide the answers alike"),
        ([1, 2, 3, 4] * 2, [0, 0, 1, 1] * 2, [0, 1, 0, 1] * 2, "y: targets and raters explain every answer"),
    ],
)
def test_what_cannot_be_fitted_is_refused_by_name(y: Any, target: Any, rater: Any, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}"):
        fit_crossed(y, target, rater)


def test_only_two_methods_exist() -> None:
    with pytest.raises(ValueError, match='method: must be "REML" or "ML"'):
        fit_crossed([1, 2], [0, 0], [0, 0], method="MLE")  # type: ignore[arg-type]  # what is refused


def test_a_search_that_stalls_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evalsys.scoring.severity.FLAT_ENOUGH", 0.0)
    monkeypatch.setattr("evalsys.scoring.severity.FLAT", 0.0)
    with pytest.raises(ValueError, match="y: the fit did not converge"):
        penicillin()


def test_a_matrix_that_is_no_covariance_is_refused() -> None:
    with pytest.raises(ValueError, match="y: the variances run away"):
        crossed._Dense(np.array([[-1.0]], order="F"), np.zeros((1, 1)))


def test_many_raters_stay_dense_where_they_meet_many_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossed, "DENSE_LIMIT", 0)
    monkeypatch.setattr(crossed, "FILLED_LIMIT", 200)
    random = np.random.default_rng(2)
    target, apart = np.repeat(np.arange(600), 2), np.repeat(np.arange(600) // 6 * 2, 2) + np.tile([0, 1], 600)
    for rater, kind in ((random.integers(0, 200, 1200), crossed._Dense), (apart, crossed._Sparse)):
        of = crossed.design(random.normal(0, 1, 1200), target, rater, reml=True)
        assert type(crossed._factor(of, np.ones(2))) is kind
