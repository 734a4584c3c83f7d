from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsys.scoring import sensitivity as module
from evalsys.scoring.ranking import competition_ranks
from evalsys.scoring.sensitivity import over_weights, sensitivity

tables = st.integers(1, 4).flatmap(
    lambda parts: st.lists(st.lists(st.integers(0, 100), min_size=parts, max_size=parts), min_size=1, max_size=6)
)


def test_mean_and_spread_of_two_parts_are_those_of_a_beta() -> None:
    # w ~ Beta(2, 6): mean 1/4, variance 12/(64 * 9); the score is 100 w
    mean, sd = over_weights([[100, 0], [40, 40]], [1, 3], concentration=8)
    assert mean.tolist() == pytest.approx([25, 40])
    assert sd.tolist() == pytest.approx([100 * np.sqrt(12 / 576), 0])


def test_draws_agree_with_the_closed_form_and_with_the_beta() -> None:
    # the first leads where w > 1/2: P(Beta(2, 2) > 1/2) = 1/2; the second leads the third where w > 1/4: 27/32
    parts = [[100, 0], [0, 100], [-50, 150 - 1e-7]]
    got = sensitivity(parts[:2], [1, 1], concentration=4, draws=20_000)
    assert got.leads.tolist() == pytest.approx([0.5], abs=0.02)
    assert got.first.tolist() == pytest.approx([0.5, 0.5], abs=0.02)
    near = sensitivity([[80, 60], [85, 45]], [1, 1], concentration=4, draws=20_000)
    assert near.order.tolist() == [0, 1]
    assert near.leads.tolist() == pytest.approx([27 / 32], abs=0.01)  # 85w + 45(1-w) > 80w + 60(1-w) where w > 3/4


def test_the_range_of_ranks_is_the_middle_of_the_draws() -> None:
    got = sensitivity([[80, 60], [85, 45], [10, 10]], [1, 1], concentration=4, level=0.6)
    assert (got.rank.tolist(), got.lower.tolist(), got.upper.tolist()) == ([1, 2, 3], [1, 2, 3], [1, 2, 3])
    wide = sensitivity([[80, 60], [85, 45], [10, 10]], [1, 1], concentration=4, level=0.9)
    assert (wide.lower.tolist(), wide.upper.tolist()) == ([1, 1, 3], [2, 2, 3])


def test_ties_share_rank_lead_and_first_place() -> None:
    got = sensitivity([[70, 70], [70, 70], [20, 90]], [1, 0], draws=7)
    assert got.rank.tolist() == got.lower.tolist() == got.upper.tolist() == [1, 1, 3]
    assert got.first.tolist() == pytest.approx([0.5, 0.5, 0])
    assert got.leads.tolist() == [0.5, 1]
    assert got.draws == 7


@settings(deadline=None)
@given(tables, st.integers(0, 9))
def test_laws_of_ranks_over_weights(parts: list[list[int]], seed: int) -> None:
    weights = np.arange(1, len(parts[0]) + 1)
    got = sensitivity(parts, weights, draws=40, seed=seed)
    assert got.rank.tolist() == competition_ranks(got.score).tolist()
    assert (got.lower <= got.rank).all()
    assert (got.rank <= got.upper).all()
    assert got.first.sum() == pytest.approx(1)
    values = np.array(parts)
    for a, b in zip(got.order[:-1], got.order[1:], strict=True):
        assert got.score[a] >= got.score[b] - 1e-9
    for a, b in zip(*np.nonzero((values[:, None] >= values).all(axis=2)), strict=True):
        assert got.lower[a] <= got.lower[b]  # never behind whom it is nowhere below
        assert got.upper[a] <= got.upper[b]


@settings(deadline=None)
@given(tables, st.randoms(use_true_random=False))
def test_order_scale_and_batches_change_nothing(parts: list[list[int]], random: Any) -> None:
    weights = np.arange(len(parts[0]), 0, -1)
    order = random.sample(range(len(parts)), len(parts))
    plain = sensitivity(parts, weights, draws=30)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_AT_ONCE", 7)
        moved = sensitivity(np.array(parts)[order], weights * 8, draws=30)
    assert moved.lower.tolist() == plain.lower[order].tolist()
    assert moved.upper.tolist() == plain.upper[order].tolist()
    assert moved.first.tolist() == pytest.approx(plain.first[order].tolist())
    assert moved.leads.tolist() == pytest.approx(plain.leads.tolist())
    assert moved.sd.tolist() == pytest.approx(plain.sd[order].tolist(), abs=1e-9)


def test_the_order_of_rows_does_not_decide_who_stands_first_of_a_tie() -> None:
    one, other = sensitivity([[80, 60], [60, 80]], [1, 1], draws=9), sensitivity([[60, 80], [80, 60]], [1, 1], draws=9)
    assert one.rank.tolist() == [1, 1]
    assert one.leads.tolist() == other.leads.tolist()


def test_one_member_and_none() -> None:
    alone = sensitivity([[50, 60]], [1, 1])
    assert (alone.lower.tolist(), alone.upper.tolist(), alone.first.tolist()) == ([1], [1], [1])
    assert alone.leads.tolist() == []
    nobody = sensitivity(np.zeros((0, 2)), [1, 1], draws=3)
    assert nobody.rank.tolist() == nobody.leads.tolist() == nobody.lower.tolist() == []


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"parts": [[np.nan, 1]]}, "parts: must be finite"),
        ({"parts": [1, 2]}, "parts: must have two dimensions"),
        ({"weights": [1]}, "weights: must have shape"),
        ({"weights": [1, -1]}, "weights: must not be below 0"),
        ({"weights": [0, 0]}, "weights: must not be below 0, and not all 0"),
        ({"weights": [np.inf, 0]}, "weights: must be finite"),
        ({"taken": [1, 1]}, "taken: must have the shape of parts"),
        ({"taken": [[1, -1]]}, "taken: must not be below 0"),
        ({"taken": [[0, 1]], "weights": [1, 0]}, "taken: must not be below 0, and each member must take some weight"),
        ({"concentration": 0.9}, "concentration: must be at least 1"),
        ({"concentration": np.inf}, "concentration: must be finite"),
        ({"level": 1}, "level: must lie between"),
        ({"draws": 0}, "draws: must be at least 1"),
    ],
)
def test_bad_input_is_refused_by_name(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}"):
        sensitivity(**{"parts": [[1, 2]], "weights": [1, 1], **changed})
