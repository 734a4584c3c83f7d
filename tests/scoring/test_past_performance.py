from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsys.scoring.past_performance import PastPerformance, past_performance

NAN = float("nan")


def past(*records: tuple[int, int, float, float], vendors: int = 2, **options: Any) -> PastPerformance:
    """Records of (vendor, year, score, size), seen from 2027."""
    columns = [list(column) for column in zip(*records, strict=True)] or [[], [], [], []]
    return past_performance(*columns, vendors=vendors, for_year=2027, **options)


def test_a_record_weighs_by_its_size_and_its_age() -> None:
    got = past((0, 2026, 90, 100), (0, 2025, 60, 300))
    assert got.score[0] == pytest.approx((100 * 90 + 300 * 0.7 * 60) / (100 + 300 * 0.7))
    assert got.weight.sum() == pytest.approx(1)
    assert got.records.tolist() == [2, 0]


def test_only_published_years_inside_the_look_back_count() -> None:
    got = past((0, 2027, 10, 1), (0, 2026, NAN, 1), (0, 2024, 80, 1), (0, 2023, 20, 1))
    assert got.score[0] == pytest.approx(80)
    assert got.weight.tolist() == [0, 0, 1, 0]
    assert past((0, 2023, 20, 1), look_back=4).score[0] == pytest.approx(20)


def test_no_record_is_the_peer_mean_and_labelled() -> None:
    got = past((0, 2026, 90, 1), (1, 2026, 70, 1), vendors=3)
    assert got.score.tolist() == pytest.approx([90, 70, 80])
    assert got.neutral.tolist() == [False, False, True]
    assert past((0, 2026, 90, 1), neutral=66).score.tolist() == pytest.approx([90, 66])


def test_where_nobody_has_a_record_nobody_stands_out() -> None:
    got = past()
    assert np.isnan(got.score).all()
    assert got.neutral.all()


@pytest.mark.parametrize("size", [NAN, 0])
def test_unknown_sizes_make_that_vendors_records_equal(size: float) -> None:
    got = past((0, 2026, 90, size), (0, 2026, 60, 500), (1, 2026, 90, 100), (1, 2026, 60, 300))
    assert got.score.tolist() == pytest.approx([75, 67.5])
    assert got.equal_sizes.tolist() == [True, False]


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(2022, 2028), st.floats(0, 100), st.floats(0, 9)), max_size=8))
def test_the_value_lies_between_the_records(records: list[tuple[int, int, float, float]]) -> None:
    got = past(*records)
    for vendor in range(2):
        used = [r[2] for r, w in zip(records, got.weight, strict=True) if r[0] == vendor and w > 0]
        if used:
            assert min(used) - 1e-9 <= got.score[vendor] <= max(used) + 1e-9


@pytest.mark.parametrize(
    ("record", "options", "why"),
    [
        ((2, 2026, 50, 1), {}, "vendor: an index"),
        ((0, 2026, 101, 1), {}, "score: must lie"),
        ((0, 2026, float("inf"), 1), {}, "score: must be finite"),
        ((0, 2026, 50, -1), {}, "size, sd: must not"),
        ((0, 2026, 50, 1), {"decay": 0}, "decay: must be"),
        ((0, 2026, 50, 1), {"look_back": 0}, "look_back: must be"),
        ((0, 2026, 50, 1), {"neutral": 101}, "neutral: must lie"),
        ((0, 2026, 50, 1), {"neutral": NAN}, "neutral: must be finite"),
    ],
)
def test_faulty_records_are_refused(record: tuple[int, int, float, float], options: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        past(record, **options)


def test_columns_have_one_length() -> None:
    with pytest.raises(ValueError, match=r"size: must have shape \(1,\), has \(2,\)"):
        past_performance([0], [2026], [50], [1, 2], vendors=1, for_year=2027)


def test_a_size_that_fades_to_nothing_is_not_known() -> None:
    got = past((0, 2024, 80, 5e-324))
    assert got.score[0] == pytest.approx(80)
    assert got.equal_sizes[0]
