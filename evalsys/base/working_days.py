"""Days of work in China: weekends and public holidays are off, days that were shifted into a weekend are not.

Each autumn the State Council announces the next year's holidays and the weekends worked for them. Until then only the
statutory days are known, and a day that is counted over such a year is provisional: it is counted anew whenever it is
asked for, so nobody keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache

from evalsys.base.language import CHINA

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Deadline:
    """The last day on which something may be done, until midnight in China.

    `certain`: every year on the way to it has its shifted days announced; always so for plain days.
    """

    day: date
    certain: bool = True

    @property
    def ends(self) -> datetime:
        """The first moment that is too late."""
        return datetime.combine(self.day + DAY, time(), tzinfo=CHINA)

    def is_over(self, now: datetime) -> bool:
        return now >= self.ends


@cache
def _year(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """A year's days off, and its weekend days that are worked; the latter are empty until they are announced."""
    import holidays

    calendar = holidays.country_holidays("CN", years=year)
    return frozenset(calendar), frozenset(day for day in calendar.weekend_workdays if day.year == year)


def is_announced(year: int) -> bool:
    """Whether the shifted days of a year are known; no year since 2000 was without any."""
    return bool(_year(year)[1])


def is_working_day(day: date) -> bool:
    off, worked = _year(day.year)
    return day in worked or (day.weekday() < 5 and day not in off)


def local_day(moment: datetime) -> date:
    """The day in China."""
    return moment.astimezone(CHINA).date()


def after_working_days(start: datetime, count: int) -> Deadline:
    """The count-th working day after the day of `start`, which is not counted itself.

    Raises:
        ValueError: a negative count.
    """
    if count < 0:
        raise ValueError("count must not be negative")
    day = local_day(start)
    years = {day.year} if count else set()
    while count:
        day += DAY
        years.add(day.year)
        count -= is_working_day(day)
    return Deadline(day, certain=all(map(is_announced, years)))


def after_days(start: datetime, count: int) -> Deadline:
    """The count-th day after the day of `start`, holidays included."""
    return Deadline(local_day(start) + count * DAY)


def working_days_left(now: datetime, deadline: Deadline) -> int:
    """Working days from today to the deadline, today included; 0 when it is over."""
    today = local_day(now)
    span = max(0, (deadline.day - today).days + 1)
    return sum(is_working_day(today + n * DAY) for n in range(span))
