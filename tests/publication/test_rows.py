"""What stands beside a line: who answered, how old it is, how large the contract is."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.publication.models import EditionScore
from evalsys.publication.rows import is_a_year_old, rows_of
from evalsys.publication.sizes import SIZES, of_size
from tests.factories import make_cycle
from tests.publication.editions import breakdown_of, make_edition, make_line


@pytest.mark.parametrize(
    ("until", "day", "old"),
    [
        (date(2025, 11, 30), date(2026, 11, 29), False),
        (date(2025, 11, 30), date(2026, 11, 30), True),
        (date(2025, 11, 30), date(2027, 1, 1), True),
        (date(2025, 11, 30), date(2025, 12, 31), False),
        (date(2024, 2, 29), date(2025, 2, 28), False),
        (date(2024, 2, 29), date(2025, 3, 1), True),
    ],
)
def test_a_result_is_old_after_a_year(until: date, day: date, old: bool) -> None:
    assert is_a_year_old(until, day) is old


def test_a_line_is_as_old_as_the_service_that_could_be_judged(session: Session) -> None:
    edition = make_edition(session, make_cycle(session, state="published", closes_on=date(2026, 11, 30)))
    whole = make_line(session, edition, "A-1", 80, ends_on=date(2028, 12, 31))
    ended = make_line(session, edition, "A-2", 80, ends_on=date(2026, 6, 30))
    now = datetime(2027, 7, 1, tzinfo=UTC)
    told = rows_of(session, edition, [whole, ended], now=now)
    assert [(row.until, row.old) for row in told] == [(date(2026, 11, 30), False), (date(2026, 6, 30), True)]
    edition.cycle.collected_until = datetime(2026, 6, 29, 23, tzinfo=UTC)  # the 30th in China
    assert rows_of(session, edition, [whole], now=now)[0].until == date(2026, 6, 30)


def test_who_answered_stands_beside_a_line(session: Session) -> None:
    edition = make_edition(session, make_cycle(session, state="published"))
    asked = make_line(session, edition, "A-1", 80)
    filed = breakdown_of(80)
    filed["collected"] = {"invited": 0, "received": 30, "held": 0}
    filed["respondents"] = {"purchaser": 1}
    silent = make_line(session, edition, "A-2", 80, breakdown=filed)
    told = rows_of(session, edition, [asked, silent], now=datetime(2026, 12, 1, tzinfo=UTC))
    assert [(row.answered, row.rate) for row in told] == [(30, 30 / 48), (0, None)]


def test_every_known_size_is_in_one_band(session: Session) -> None:
    edition = make_edition(session, make_cycle(session, state="published"))
    served = [0, 1, 299, 300, 599, 600, 2999, 3000, 90_000]
    for number in served:
        make_line(session, edition, f"A-{number}", 80, recipients_served=number)

    def of(code: str) -> list[int]:
        column = EditionScore.recipients_served
        return list(session.scalars(select(column).where(of_size(column, code)).order_by(column)))

    assert [of(size.code) for size in SIZES] == [[1, 299], [300, 599], [600, 2999], [3000, 90_000]]
    assert of("nonsense") == []


def test_sizes_have_names(app: Flask) -> None:
    assert [size.name for size in SIZES] == [
        "服务不足 300 人",
        "服务 300 人以上不足 600 人",
        "服务 600 人以上不足 3,000 人",
        "服务 3,000 人以上",
    ]
