"""Counting tries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evalsys.base.limits import Allowance, Pace, TryCount, allow_try, forget_tries, tries
from tests.factories import NOW

WINDOW = timedelta(minutes=10)


def test_tries_are_allowed_up_to_the_limit_and_again_when_the_window_ends(app: Flask, session: Session) -> None:
    def attempt(key: str = "code:a", later: timedelta = timedelta()) -> bool:
        return allow_try(session, key, limit=3, window=WINDOW, now=NOW + later)

    assert [attempt() for _ in range(4)] == [True, True, True, False]
    assert tries(session, "code:a", now=NOW) == 3
    assert attempt("code:b")
    assert not attempt(later=WINDOW - timedelta(seconds=1))
    assert attempt(later=WINDOW)
    assert tries(session, "code:a", now=NOW + WINDOW) == 1


def test_a_window_that_ended_leaves_nothing_behind(app: Flask, session: Session) -> None:
    allow_try(session, "code:a", limit=3, window=WINDOW, now=NOW)
    allow_try(session, "code:b", limit=3, window=WINDOW, now=NOW + WINDOW)
    (kept,) = session.scalars(select(TryCount)).all()
    assert kept.count == 1
    assert b"code:b" not in kept.key  # a keyed hash, not the origin


def test_tries_can_be_forgotten(app: Flask, session: Session) -> None:
    allow_try(session, "code:a", limit=1, window=WINDOW, now=NOW)
    forget_tries(session, "code:a")
    assert allow_try(session, "code:a", limit=1, window=WINDOW, now=NOW)


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [({"key": b"short"}, "key_length"), ({"count": 0}, "count_positive")],
)
def test_a_bad_row_is_refused(app: Flask, session: Session, columns: dict[str, object], constraint: str) -> None:
    session.add(TryCount(**{"key": b"k" * 32, "ends_at": 1, "count": 1} | columns))
    with pytest.raises(IntegrityError, match=constraint):
        session.flush()


def test_who_was_slowed_down_gets_one_try_a_gap_until_the_rest_is_over() -> None:
    pace = Pace(gap=timedelta(seconds=2), rest=timedelta(minutes=10))
    assert [pace.allows("a", now=NOW) for _ in range(3)] == [True] * 3
    pace.slow_down("a", now=NOW)
    second = timedelta(seconds=1)
    assert [pace.allows("a", now=NOW + n * second) for n in range(7)] == [False, False, True, False, True, False, True]
    assert pace.allows("b", now=NOW)
    pace.slow_down("b", now=NOW + timedelta(minutes=9))
    later = NOW + timedelta(minutes=10)
    assert [pace.allows("a", now=later) for _ in range(3)] == [True] * 3
    assert not pace.allows("b", now=NOW + timedelta(minutes=9))
    pace.slow_down("c", now=later)
    assert pace.allows("a", now=later - second)  # forgotten by then


def test_an_allowance_holds_for_each_origin_until_the_window_ends() -> None:
    allowance = Allowance(most=2, window=timedelta(minutes=1))
    moment = NOW + timedelta(milliseconds=100)
    assert [allowance.wait("a", now=moment) for _ in range(3)] == [0, 0, 60]
    assert allowance.wait("b", now=moment) == 0
    assert allowance.wait("a", now=moment + timedelta(seconds=59.5)) == 1
    assert allowance.wait("a", now=moment + timedelta(minutes=1)) == 0
