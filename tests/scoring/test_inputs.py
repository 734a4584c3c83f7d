from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsys.scoring.inputs import Frames, Inputs, LevelCounts, moments_of
from tests.scoring.made import full, make_cycle


@pytest.fixture
def cycle() -> Inputs:
    return make_cycle({"A": full([80, 60]), "B": full([70])}, frames={"A": 10})


def column(*values: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


def test_moments_count_only_who_has_both() -> None:
    composites = np.array([[100_000, 50_000], [-1, 20_000], [-1, -1]])
    respondents, n, y, yy = moments_of(composites, column(0, 0, 0), 2)
    assert respondents.tolist() == [2, 0]
    assert n[0].tolist() == [[1, 1], [1, 2]]
    assert y[0].tolist() == [[100_000, 100_000], [50_000, 70_000]]
    assert yy[0].tolist() == [[10**10, 5 * 10**9], [5 * 10**9, 25 * 10**8 + 4 * 10**8]]
    assert not n[1].any()


def test_an_adjuster_alone_makes_no_respondent() -> None:
    composites = np.array([[100_000, 50_000], [-1, 20_000]])
    respondents, n, *_sums = moments_of(composites, column(0, 0), 1, adjusters=1)
    assert respondents.tolist() == [1]  # whose counts alone are kept: no sum has more people than respondents
    assert n[0].tolist() == [[1, 1], [1, 1]]


@given(st.lists(st.tuples(st.integers(-1, 100_000), st.integers(-1, 100_000), st.integers(0, 2)), max_size=12))
def test_moments_do_not_depend_on_the_order_of_rows(rows: list[tuple[int, int, int]]) -> None:
    table = np.array(rows, dtype=np.int64).reshape(-1, 3)
    there = moments_of(table[:, :2], table[:, 2], 3)
    back = moments_of(table[::-1, :2], table[::-1, 2], 3)
    assert all((a == b).all() for a, b in zip(there, back, strict=True))
    exact = [sum(r[0] * r[1] for r in rows if r[2] == c and min(r[:2]) >= 0) for c in range(3)]
    assert there[3][:, 0, 1].tolist() == exact


def test_moments_refuse_a_wrong_matrix() -> None:
    with pytest.raises(ValueError, match="composites: must have shape"):
        moments_of(column(1), column(0), 1)
    with pytest.raises(ValueError, match="100001 thousandths are more than 100 points"):
        moments_of(np.array([[100_001]]), column(0), 1)


def test_contracts_ascend(cycle: Inputs) -> None:
    with pytest.raises(ValueError, match="contracts: must be ascending"):
        replace(cycle, contracts=("B", "A"))
    with pytest.raises(ValueError, match="contracts: must be ascending"):
        replace(cycle, contracts=("A", "A"))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"vendor": column(0)}, r"vendor: must have shape \(2,\)"),
        ({"peer_group": column(0, 7)}, "peer_group: an index is outside"),
        ({"amount": np.array([1.0])}, r"amount: must have shape \(2,\)"),
        ({"served": np.array([1.0, -1.0])}, r"served: must be 0 or more and finite; .*\(row 1\)"),
        ({"served": np.array([np.inf, 1.0])}, r"served: .*\(row 0\)"),
        ({"frames": Frames(column(0), column(0), column(-1))}, "frames.size: a count is below 0"),
        ({"frames": Frames(column(0), column(1), column(1))}, "frames.stratum: an index is outside"),
        ({"frames": Frames(column(2), column(0), column(1))}, "frames.contract: an index is outside"),
        ({"parts": (("A",), ("B",), ("C",))}, r"parts: must be as many as the strata, \d+, are 3"),
    ],
)
def test_a_faulty_table_names_its_column(cycle: Inputs, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(cycle, **changes)


@pytest.mark.parametrize(
    ("column_name", "add", "why"),
    [
        ("respondents", -1, "moments.n: a count is below 0 or above the respondents"),
        ("y", 10**9, "moments.y: a sum lies outside"),
        ("yy", -(10**12), "moments.yy: a sum of products does not fit"),
        ("contract", 9, "moments.contract: an index is outside"),
        ("party", 9, "moments.party: an index is outside"),
        ("mode", 9, "moments.mode: an index is outside"),
        ("stratum", 9, "moments.stratum: an index is outside"),
    ],
)
def test_faulty_moments_name_their_column(cycle: Inputs, column_name: str, add: int, why: str) -> None:
    moments = replace(cycle.moments, **{column_name: getattr(cycle.moments, column_name) + add})
    with pytest.raises(ValueError, match=why):
        replace(cycle, moments=moments)


@pytest.mark.parametrize("name", ["contract", "party", "mode", "criterion", "level", "count"])
def test_faulty_level_counts_name_their_column(cycle: Inputs, name: str) -> None:
    good = LevelCounts(column(1), column(2), column(0), column(8), column(5), column(3))
    assert replace(cycle, levels=good).levels.count.tolist() == [3]
    with pytest.raises(ValueError, match=f"levels.{name}:"):
        replace(cycle, levels=replace(good, **{name: column(-1)}))


def test_a_cycle_needs_neither_frames_nor_level_counts(cycle: Inputs) -> None:
    bare = replace(cycle, frames=Frames.none(), levels=LevelCounts.none())
    assert bare.frames.size.size == bare.levels.count.size == 0
