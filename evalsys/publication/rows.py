"""A line of an edition with what stands beside it: who answered, how old it is, and the year before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from evalsys.collection.queries import today
from evalsys.evaluation.sentences import response_rate
from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.trends import Trend, Trends, trends_of
from evalsys.scoring.cells import SAMPLED


@dataclass(frozen=True)
class Row:
    """A line and its company.

    Attributes:
        answered: recipients whose answers count.
        rate: response rate of those invited (AAPOR RR1); None where nobody was invited, as with ratings from files.
        until: the last day of service that the ratings can speak of.
        old: that day was a year ago, or longer.
    """

    line: EditionScore
    answered: int
    rate: float | None
    until: date
    old: bool
    trend: Trend | None


def rows_of(session: Session, edition: Edition, lines: Sequence[EditionScore], *, now: datetime) -> list[Row]:
    """Lines of an edition, in their order."""
    return _rows(edition, lines, trends_of(session, edition, lines), now)


def rows_in_parts(
    session: Session, edition: Edition, parts: Iterable[Sequence[EditionScore]], *, now: datetime
) -> Iterator[Row]:
    """The same for most of an edition, which comes part by part."""
    trends = Trends(session, edition)
    for lines in parts:
        yield from _rows(edition, lines, trends.of(lines), now)


def _rows(edition: Edition, lines: Sequence[EditionScore], trends: dict[str, Trend], now: datetime) -> list[Row]:
    day, asked_until, rows = today(now), _asked_until(edition), []
    for line in lines:
        until = min(line.ends_on, asked_until)
        rows.append(
            Row(
                line=line,
                answered=line.breakdown["respondents"].get(SAMPLED, 0),
                rate=response_rate(line.breakdown["collected"]),
                until=until,
                old=is_a_year_old(until, day),
                trend=trends.get(line.contract_reference),
            )
        )
    return rows


def is_a_year_old(until: date, day: date) -> bool:
    """Whether a year has passed; one that began on 29 February ends on 1 March."""
    return (day.year - until.year, (day.month, day.day)) >= (1, (until.month, until.day))


def _asked_until(edition: Edition) -> date:
    """The last day of the cycle's collecting; a correction published later makes no answer younger."""
    cycle = edition.cycle
    return today(cycle.collected_until) if cycle.collected_until else cycle.closes_on
