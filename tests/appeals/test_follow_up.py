"""Asking recipients whether it got better: a code counts once, nothing leads back, little is told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.appeals.follow_up import (
    MOST_CODES,
    OPEN_DAYS,
    Counted,
    Told,
    count_answer,
    end_asking,
    follow_up_key,
    make_codes,
    slip_of,
    slips_of,
    told_of,
)
from evalsys.appeals.models import Better, FollowUpCode, FollowUpCount, Rectification
from evalsys.appeals.rectifying import find_done, lift, send_back
from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from evalsys.base.errors import Conflict, Invalid, NotFound
from evalsys.collection.codes import code_hash, code_key
from tests.appeals.rectified import DUE, NOTE, World, corrected, make_world, opened, reported
from tests.collection.surveys import SECRET
from tests.factories import NOW

KEY = follow_up_key(SECRET)
Write = Callable[..., Any]


def codes_of(session: Session, world: World, item: Rectification, count: int, now: datetime = NOW) -> list[str]:
    return make_codes(session, item.id, count, key=KEY, actor=world.acting, now=now).codes


def say(session: Session, code: str, answer: Better = Better.BETTER, *, now: datetime = NOW) -> Counted:
    return count_answer(session, code_hash(code, KEY), answer, now=now)


def counts(session: Session) -> dict[str, int]:
    return dict(session.execute(select(FollowUpCount.answer, FollowUpCount.count)).all())


def test_a_code_counts_once_and_leaves_no_trace_but_the_count(session: Session) -> None:
    world = make_world(session)
    item = reported(session, world)
    first, second = codes_of(session, world, item, 2)
    entries = session.scalar(select(func.count()).select_from(AuditEntry))
    opened_by = slip_of(session, code_hash(first, KEY), now=NOW)
    assert opened_by is not None
    assert (opened_by.title, opened_by.vendor, opened_by.used, opened_by.open) == (
        "送医陪护服务",
        "好帮手服务中心",
        False,
        True,
    )
    assert say(session, first, Better.WORSE) is Counted.COUNTED
    assert say(session, first, Better.BETTER) is Counted.USED
    assert say(session, second) is Counted.COUNTED
    assert say(session, "2" * 10) is Counted.UNKNOWN
    assert slip_of(session, code_hash("2" * 10, KEY), now=NOW) is None
    assert counts(session) == {"better": 1, "same": 0, "worse": 1, "unknown": 0}
    assert (slips_of(session, item).made, slips_of(session, item).used) == (2, 2)
    assert session.scalar(select(func.count()).select_from(AuditEntry)) == entries
    assert {column.name for column in FollowUpCode.__table__.columns} == {"code_hash", "rectification_id", "used"}
    assert {column.name for column in FollowUpCount.__table__.columns} == {"rectification_id", "answer", "count"}


def test_the_audit_trail_counts_slips_and_holds_no_code(session: Session) -> None:
    world = make_world(session)
    item = reported(session, world)
    code = codes_of(session, world, item, 3)[0]
    entry = session.scalars(select(AuditEntry).where(AuditEntry.act == "appeals.make_follow_up_codes")).one()
    assert entry.detail == {"rectification": item.id, "count": 3}
    assert code not in str(session.scalars(select(AuditEntry.detail)).all())


def test_a_survey_code_has_another_key() -> None:
    assert follow_up_key(SECRET) != code_key(SECRET)


def test_slips_are_made_once_something_is_reported_and_not_without_end(session: Session) -> None:
    world = make_world(session)
    item = opened(session, world)
    with pytest.raises(Conflict):
        codes_of(session, world, item, 5)
    item.state, item.report = "reported", "已经整改完毕，附台账。"
    session.flush()
    for count in (0, MOST_CODES + 1):
        with pytest.raises(Invalid, match=str(MOST_CODES)):
            codes_of(session, world, item, count)
    assert len(set(codes_of(session, world, item, MOST_CODES - 1))) == MOST_CODES - 1
    with pytest.raises(Invalid, match="200"):
        codes_of(session, world, item, 2)
    assert len(codes_of(session, world, item, 1)) == 1
    with pytest.raises(NotFound):
        make_codes(session, item.id, 1, key=KEY, actor=world.stranger.as_actor(), now=NOW)


def test_nothing_is_told_while_slips_may_be_used(session: Session) -> None:
    world = make_world(session)
    item = reported(session, world)
    assert told_of(session, item, now=NOW) is None
    for code in codes_of(session, world, item, 6):
        say(session, code)
    assert told_of(session, item, now=NOW) is None
    end_asking(session, item.id, actor=world.acting, now=NOW)
    told = told_of(session, item, now=NOW)
    assert told == Told({Better.BETTER: 6, Better.SAME: 0, Better.WORSE: 0, Better.UNKNOWN: 0})


@pytest.mark.parametrize(("answers", "is_told"), [(4, False), (5, True)])
def test_counts_are_told_from_five_answers_on(session: Session, answers: int, is_told: bool) -> None:
    world = make_world(session)
    item = reported(session, world)
    for code in codes_of(session, world, item, 8)[:answers]:
        say(session, code, Better.SAME)
    over = NOW + timedelta(days=OPEN_DAYS + 1)
    told = told_of(session, item, now=over)
    assert told is not None
    assert (told.counts is not None) is is_told


def test_after_the_end_no_answer_and_no_slip_comes(session: Session) -> None:
    world = make_world(session)
    item = reported(session, world)
    with pytest.raises(Conflict):
        end_asking(session, item.id, actor=world.acting, now=NOW)
    code, other = codes_of(session, world, item, 2)
    last = NOW + timedelta(days=OPEN_DAYS)
    assert say(session, other, now=last) is Counted.COUNTED
    assert say(session, code, now=last + timedelta(days=1)) is Counted.CLOSED
    with pytest.raises(Conflict):
        codes_of(session, world, item, 1, now=last + timedelta(days=1))
    end_asking(session, item.id, actor=world.acting, now=NOW)
    assert say(session, code) is Counted.CLOSED
    for act in (
        lambda: codes_of(session, world, item, 1),
        lambda: end_asking(session, item.id, actor=world.acting, now=NOW),
    ):
        with pytest.raises(Conflict):
            act()


def test_slips_stay_good_while_the_vendor_goes_on_and_after_it_is_done(session: Session) -> None:
    world = make_world(session)
    item = reported(session, world)
    first, second = codes_of(session, world, item, 2)
    send_back(session, item.id, NOTE, due_on=DUE, actor=world.acting, now=NOW)
    assert say(session, first) is Counted.COUNTED
    item.state = "reported"
    find_done(session, item.id, NOTE, actor=world.acting, now=NOW)
    assert say(session, second) is Counted.COUNTED
    assert len(codes_of(session, world, item, 1)) == 1


def test_a_lifted_rectification_asks_nobody(session: Session) -> None:
    world = make_world(session)
    item = reported(session, world)
    code = codes_of(session, world, item, 1)[0]
    corrected(session, world, world.worst, "good")
    lift(session, item.id, actor=world.acting, now=NOW)
    assert say(session, code) is Counted.CLOSED
    with pytest.raises(Conflict):
        codes_of(session, world, item, 1)


def test_of_eight_who_send_one_code_at_once_exactly_one_counts(database: Database, write: Write, app: Flask) -> None:
    world: World = write(make_world)
    number = write(lambda session: reported(session, world).id)
    code = write(lambda session: codes_of(session, world, session.get_one(Rectification, number), 1))[0]
    results: list[Counted] = []
    barrier = threading.Barrier(8)

    def go() -> None:
        barrier.wait()
        with app.app_context(), database.transaction() as session:
            results.append(say(session, code))

    threads = [threading.Thread(target=go) for _n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(Counted.COUNTED) == 1
    assert results.count(Counted.USED) == 7
    with database.reading() as session:
        assert counts(session) == {"better": 1, "same": 0, "worse": 0, "unknown": 0}
