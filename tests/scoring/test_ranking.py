import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsys.rules.model import Rules
from evalsys.scoring.ranking import NO_RANK, competition_ranks, peers_of, ranks_among
from tests.scoring.made import make_rules, words


def make_groups(minimum: int, **parents: str | None) -> Rules:
    groups = [{"code": code, "name": words(code), "parent": parent} for code, parent in parents.items()]
    return make_rules(peer_groups=groups, peer_group_minimum=minimum)


def test_ties_share_the_better_rank_and_the_next_is_skipped() -> None:
    assert competition_ranks(np.array([80, 90, 80, 70, np.nan])).tolist() == [2, 1, 2, 4, NO_RANK]
    assert competition_ranks(np.array([])).tolist() == []


def test_ranks_are_computed_before_rounding_but_not_on_noise() -> None:
    assert competition_ranks(np.array([80.001, 80.002])).tolist() == [2, 1]
    assert competition_ranks(np.array([0.1 + 0.2, 0.3])).tolist() == [1, 1]


@given(st.lists(st.integers(0, 5), max_size=9))
def test_a_rank_is_one_more_than_those_above(scores: list[int]) -> None:
    got = competition_ranks(np.array(scores, dtype=np.float64))
    assert got.tolist() == [1 + sum(other > score for other in scores) for score in scores]


def test_a_small_group_is_compared_in_its_parent_among_everybody_below() -> None:
    rules = make_groups(3, care="all", training="all", all=None)
    groups = np.array([0, 0, 0, 1, 1])
    peers = peers_of(("care", "training"), groups, rules)
    assert [peers.groups[g] for g in peers.group] == ["care", "care", "care", "all", "all"]
    ranks, ranked = ranks_among(np.array([90, 80, 70, 85, 60]), peers)
    assert ranks.tolist() == [1, 2, 3, 2, 5]
    assert ranked.tolist() == [3, 3, 3, 5, 5]


def test_the_topmost_group_serves_when_none_is_large_enough() -> None:
    peers = peers_of(("care", "other"), np.array([0, 1]), make_groups(3, care="all", all=None))
    assert [peers.groups[g] for g in peers.group] == ["all", "other"]


def test_withheld_scores_are_not_counted() -> None:
    peers = peers_of(("all",), np.array([0, 0]), make_rules())
    ranks, ranked = ranks_among(np.array([np.nan, 70]), peers)
    assert (ranks.tolist(), ranked.tolist()) == ([NO_RANK, 1], [1, 1])


def test_nobody_has_no_rank() -> None:
    peers = peers_of((), np.array([], dtype=np.int64), make_rules())
    assert ranks_among(np.array([]), peers)[0].tolist() == []


def test_a_group_cannot_be_its_own_ancestor() -> None:
    with pytest.raises(ValueError, match="peer_groups: a is its own ancestor"):
        peers_of(("a",), np.array([0]), make_groups(1, a="b", b="a"))
