"""Working days in China, against the State Council's announcements (国办发明电〔2025〕7号 for 2026)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsys.base.working_days import (
    Deadline,
    after_days,
    after_working_days,
    is_announced,
    is_working_day,
    working_days_left,
)


def noon(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 4, tzinfo=UTC)  # 12:00 in China


def test_shifted_days_of_the_spring_festival_2026() -> None:
    off = [date(2026, 2, day) for day in range(15, 24)]
    assert not any(map(is_working_day, off))
    assert all(map(is_working_day, (date(2026, 2, 14), date(2026, 2, 28), date(2026, 2, 24))))  # two Saturdays


def test_five_working_days_over_the_national_day() -> None:
    # Wednesday 30 September; 1 to 7 October are off, Saturday 10 October is worked
    assert after_working_days(noon(2026, 9, 30), 5) == Deadline(date(2026, 10, 13))
    assert after_working_days(noon(2026, 9, 30), 3) == Deadline(date(2026, 10, 10))


def test_the_day_itself_does_not_count_and_is_that_in_china() -> None:
    late = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)  # Tuesday, 00:30 in China
    assert after_working_days(late, 1).day == date(2026, 11, 25)
    assert after_working_days(late, 0) == Deadline(date(2026, 11, 24))
    assert after_days(late, 15) == Deadline(date(2026, 12, 9))


def test_the_last_second_is_in_time_and_the_next_is_not() -> None:
    deadline = Deadline(date(2026, 11, 30))
    last = datetime(2026, 11, 30, 15, 59, 59, 999999, tzinfo=UTC)
    assert not deadline.is_over(last)
    assert deadline.is_over(last + timedelta(microseconds=1))


def test_a_year_that_is_not_announced_makes_a_deadline_provisional() -> None:
    assert all(map(is_announced, range(2008, 2027)))
    assert not is_announced(2060)
    assert after_working_days(noon(2026, 12, 30), 1).certain
    assert not after_working_days(noon(2059, 12, 30), 5).certain
    assert Deadline(date(2060, 1, 1)).certain  # plain days need no calendar


def test_days_left_count_today_and_end_with_the_deadline() -> None:
    deadline = after_working_days(noon(2026, 9, 30), 3)
    assert working_days_left(noon(2026, 9, 30), deadline) == 4
    assert working_days_left(noon(2026, 10, 5), deadline) == 3
    assert working_days_left(noon(2026, 10, 10), deadline) == 1
    assert working_days_left(noon(2026, 10, 11), deadline) == 0


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="count must not be negative"):
        after_working_days(noon(2026, 1, 1), -1)


@given(
    start=st.integers(0, 16 * 365 * 24).map(lambda hours: noon(2010, 1, 1) + timedelta(hours=hours)),
    count=st.integers(1, 30),
)
def test_a_deadline_is_a_working_day_with_as_many_before_it(start: datetime, count: int) -> None:
    deadline = after_working_days(start, count)
    assert is_working_day(deadline.day)
    following = after_days(start, 1)
    opening = datetime.combine(following.day, datetime.min.time(), tzinfo=UTC)
    assert working_days_left(opening, deadline) == count
