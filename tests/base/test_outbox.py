"""Messages are sent at most once, whoever stops when; and none is lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from evalsys.base import jobs, outbox
from evalsys.base.db import Database
from evalsys.base.jobs import Compose, Later, Needless, Worker
from evalsys.base.outbox import Channel, Message, MessageState, queue, send_again
from evalsys.base.post import Drawer, Letter, NotNow, NotSent, PostOffice, Refused, Unclear
from tests.factories import NOW

MINUTE = timedelta(minutes=1)


class Way:
    """Takes letters, and fails as told."""

    place = "test"

    def __init__(self, *failures: BaseException) -> None:
        self.taken: list[int] = []
        self.failures = list(failures)

    def send(self, letter: Letter) -> None:
        self.taken.append(letter.number)
        if self.failures:
            raise self.failures.pop(0)


class Killed(BaseException):
    """The process ends here."""


def compose(_session: Session, message: Message, _now: datetime) -> Letter:
    return Letter(message.id, to="13800138000", subject="", text="")


def worker(database: Database, way: Way, composer: Compose = compose) -> Worker:
    return Worker(database, PostOffice(dict.fromkeys(Channel, way), Drawer(Path("none"))), {"test": composer})


def put(database: Database, abouts: Iterable[int] = (1,), *, batch: int = 1, **changes: Any) -> None:
    with database.transaction() as session:
        queue(session, [(n, Channel.SMS) for n in abouts], kind="test", batch=batch, now=NOW, due_at=NOW, **changes)


def only(database: Database) -> Message:
    with database.reading() as session:
        return session.scalars(select(Message)).one()


def test_what_is_due_is_sent_once(database: Database) -> None:
    put(database, (1, 2))
    way = Way()
    sender = worker(database, way)
    assert not sender.send_next(now=NOW - MINUTE)
    assert [sender.send_next(now=NOW) for _ in range(3)] == [True, True, False]
    assert len(set(way.taken)) == len(way.taken) == 2
    with database.reading() as session:
        assert set(session.scalars(select(Message.state))) == {"sent"}


def test_a_message_is_queued_with_the_act_or_not_at_all(database: Database) -> None:
    def act() -> None:
        with database.transaction() as session:
            queue(session, [(1, Channel.SMS)], kind="test", batch=1, due_at=NOW, now=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act()
    assert not worker(database, Way()).send_next(now=NOW)


def test_nobody_stands_in_a_batch_twice(database: Database) -> None:
    put(database)
    with pytest.raises(IntegrityError, match="message"):
        put(database)
    put(database, batch=2)
    with database.transaction() as session:
        assert queue(session, [], kind="test", batch=3, due_at=NOW, now=NOW) == 0


def test_whoever_is_killed_while_sending_leaves_it_unknown_and_nobody_sends_it_again(database: Database) -> None:
    put(database)
    way = Way(Killed())
    with pytest.raises(Killed):
        worker(database, way).send_next(now=NOW)
    assert only(database).state == "sending"
    another = worker(database, way)
    assert not another.send_next(now=NOW + 9 * MINUTE)
    assert not another.send_next(now=NOW + 11 * MINUTE)
    assert (only(database).state, only(database).why) == ("unknown", "stopped")
    assert not another.send_next(now=NOW + timedelta(days=30))
    assert len(way.taken) == 1


def test_a_person_decides_what_becomes_of_it(database: Database) -> None:
    put(database)
    way = Way(Unclear("no_answer"))
    sender = worker(database, way)
    sender.send_next(now=NOW)
    assert only(database).state == "unknown"
    with database.transaction() as session:
        assert send_again(session, 1, [MessageState.FAILED], due_at=NOW) == 0
        assert send_again(session, 1, [MessageState.UNKNOWN], due_at=NOW + MINUTE) == 1
    assert not sender.send_next(now=NOW)
    assert sender.send_next(now=NOW + MINUTE)
    assert len(way.taken) == 2
    assert only(database).state == "sent"


def test_tries_come_at_growing_distances_and_end(database: Database) -> None:
    put(database)
    way = Way(*(NotNow("busy", f"try {n}") for n in range(9)))
    sender, at = worker(database, way), NOW
    for minutes in (1, 4, 16, 64, 256):
        assert sender.send_next(now=at)
        assert (only(database).state, only(database).due_at) == ("waiting", at + minutes * MINUTE)
        at += minutes * MINUTE
        assert not sender.send_next(now=at - MINUTE / 60)
    assert sender.send_next(now=at)
    kept = only(database)
    assert (kept.state, kept.attempts, kept.why, kept.said) == ("failed", 6, "busy", "try 5")
    assert not sender.send_next(now=at + timedelta(days=9))
    assert len(way.taken) == 6


@pytest.mark.parametrize(
    ("error", "state", "why"),
    [
        (Refused("refused", "550 " + "x" * 300), "failed", "refused"),
        (Unclear("no_answer"), "unknown", "no_answer"),
        (NotSent("other"), "unknown", "other"),
        (ZeroDivisionError(), "unknown", "program"),
    ],
)
def test_what_will_not_do_is_not_tried_again(database: Database, error: Exception, state: str, why: str) -> None:
    put(database)
    way = Way(error)
    sender = worker(database, way)
    sender.send_next(now=NOW)
    assert not sender.send_next(now=NOW + timedelta(days=9))
    kept = only(database)
    assert (kept.state, kept.why) == (state, why)
    assert len(kept.said) <= 200


def test_what_was_true_is_asked_again_when_it_is_due(database: Database) -> None:
    put(database)
    way = Way()
    answers: list[Any] = [Later(NOW + 60 * MINUTE), Needless("answered")]
    sender = worker(database, way, lambda *_given: answers.pop(0))
    assert sender.send_next(now=NOW)
    assert only(database).due_at == NOW + 60 * MINUTE
    assert not sender.send_next(now=NOW)
    assert sender.send_next(now=NOW + 60 * MINUTE)
    kept = only(database)
    assert (kept.state, kept.why, kept.attempts, way.taken) == ("dropped", "answered", 0, [])


def test_one_that_cannot_be_composed_does_not_stop_the_others(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    put(database, (1, 2))

    def fails_once(session: Session, message: Message, now: datetime) -> Letter:
        if message.about == 1:
            raise ValueError("13800138000")
        return compose(session, message, now)

    way = Way()
    sender = worker(database, way, fails_once)
    assert [sender.send_next(now=NOW) for _ in range(3)] == [True, True, False]
    assert len(way.taken) == 1
    with database.reading() as session:
        assert sorted(session.scalars(select(Message.state))) == ["failed", "sent"]
    assert "ValueError" in caplog.text
    assert "13800138000" not in caplog.text


@pytest.mark.parametrize("again", [False, True])
def test_who_comes_back_late_does_not_overrule_a_decision(database: Database, *, again: bool) -> None:
    """Neither one that waits to be carried out, nor one that another carries out just then."""
    put(database)

    class Slow(Way):
        def send(self, _letter: Letter) -> None:
            later = NOW + 11 * MINUTE
            worker(database, self).send_next(now=later)  # another finds it stopped
            with database.transaction() as session:
                send_again(session, 1, [MessageState.UNKNOWN], due_at=later)
                message = outbox.next_due(session, now=later)
                assert message is not None
                if again:
                    outbox.begin(message, now=later)

    worker(database, Slow()).send_next(now=NOW)
    assert only(database).state == ("sending" if again else "waiting")


def test_many_workers_send_each_message_once(database: Database) -> None:
    put(database, range(40))
    way = Way()
    start = threading.Barrier(4)

    def work() -> None:
        sender = worker(database, way)
        start.wait()
        while sender.send_next(now=NOW):
            pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worker(database, way)
    with database.reading() as session:
        assert Counter(session.scalars(select(Message.state))) == {"sent": 40}
    assert set(Counter(way.taken).values()) == {1}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_nobody_waits_for_a_message_that_another_has_in_hand(database: Database) -> None:
    put(database, (1, 2))
    with database.transaction() as one, database.transaction() as other:
        first, second = (outbox.next_due(session, now=NOW) for session in (one, other))
        assert first is not None
        assert second is not None
        assert first.id != second.id


def run(database: Database, way: Way, monkeypatch: pytest.MonkeyPatch, *, rounds: int) -> list[float]:
    """Let the worker run for some rounds; returns its pauses."""
    monkeypatch.setattr(jobs, "present", lambda: NOW)
    pauses: list[float] = []
    left = iter([True] * rounds + [False])
    worker(database, way).run(go_on=lambda: next(left), wait=pauses.append)
    return pauses


def test_it_works_without_a_pause_while_there_is_something_to_do(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(database, (1, 2, 3))
    way = Way()
    assert run(database, way, monkeypatch, rounds=5) == [jobs.PAUSE] * 2
    assert len(way.taken) == 3


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_database_that_is_away_is_asked_again(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    errors = [OperationalError("SELECT", {}, Exception()), TimeoutError()]

    def away(*_given: object, **_more: object) -> Any:
        raise errors.pop(0)

    monkeypatch.setattr(Worker, "send_next", away)
    assert run(database, Way(), monkeypatch, rounds=2) == [jobs.PAUSE] * 2
    assert "OperationalError" in caplog.text
    assert "TimeoutError" in caplog.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_database_that_fails_while_composing_takes_nothing_out(database: Database) -> None:
    put(database)

    def fails(*_given: object) -> Any:
        raise OperationalError("SELECT", {}, Exception())

    with pytest.raises(OperationalError):
        worker(database, Way(), fails).send_next(now=NOW)
    assert only(database).state == "waiting"


BAD: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "channel_known": lambda row: row | {"channel": "fax"},
    "state_known": lambda row: row | {"state": "lost"},
    "attempts_not_negative": lambda row: row | {"attempts": -1},
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_refused(session: Session, name: str) -> None:
    good = {"kind": "test", "about": 1, "batch": 1, "channel": "sms", "state": "waiting", "attempts": 0}
    session.add(Message(**BAD[name](good | {"due_at": NOW, "changed_at": NOW})))
    with pytest.raises(IntegrityError, match=name):
        session.flush()


def test_a_row_is_refused_only_for_what_is_bad(session: Session) -> None:
    good = {"kind": "test", "about": 1, "batch": 1, "channel": "sms", "state": "waiting", "attempts": 0}
    session.add(Message(**good, due_at=NOW, changed_at=NOW))
    session.flush()
