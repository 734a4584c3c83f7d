"""Sessions, the write lock, moments in time, permanent tables."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, select, text
from sqlalchemy.exc import ArgumentError, DatabaseError, StatementError
from sqlalchemy.orm import Session

from evalsys.base import db
from evalsys.base.db import Database, WriteLock
from evalsys.registry.models import Region, RulesVersion
from tests.factories import NOW, make_region, make_rules


def test_a_moment_comes_back_as_it_was_whatever_its_zone(session: Session) -> None:
    china = datetime(2026, 11, 2, 17, 30, tzinfo=timezone(timedelta(hours=8)))
    version = make_rules(session)
    session.add(RulesVersion(hash="0" * 64, text="", added_at=china))
    session.flush()
    session.expire_all()
    read = session.scalars(select(RulesVersion.added_at).where(RulesVersion.id != version.id)).one()
    assert read == NOW
    assert read.utcoffset() == timedelta(0)


def test_a_moment_without_a_zone_is_refused(session: Session) -> None:
    session.add(RulesVersion(hash="0" * 64, text="", added_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - that is the fault
    with pytest.raises(StatementError, match="time zone"):
        session.flush()


def test_a_reading_session_throws_changes_away(database: Database) -> None:
    with database.reading() as session:
        make_region(session)
    with database.reading() as session:
        assert session.scalars(select(Region)).all() == []


def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    def half(session: Session) -> None:
        make_region(session)
        raise LookupError

    with pytest.raises(LookupError), database.transaction() as session:
        half(session)
    with database.transaction() as session:
        kept = make_region(session)
    with database.reading() as session:
        assert session.scalars(select(Region.code)).all() == [kept.code]


def test_what_was_read_before_a_transaction_is_read_anew_after_it(app: Flask) -> None:
    before = db.reading()
    assert before.scalars(select(Region)).all() == []
    assert db.reading() is before
    with db.transaction() as session:
        make_region(session)
    assert len(db.reading().scalars(select(Region)).all()) == 1
    db.close_reading()


def test_sqlite_in_memory_is_refused() -> None:
    for url in ("sqlite://", "sqlite:///:memory:"):
        with pytest.raises(ArgumentError, match="give a file"):
            Database(url)


def test_a_database_of_another_kind_is_refused() -> None:
    with pytest.raises(ArgumentError, match="mysql is neither sqlite nor postgresql"):
        Database("mysql://somebody@localhost/evalsys")


def test_sqlite_is_set_up_to_last(
    tmp_path: Path, quick_sqlite: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "_prepare_sqlite", quick_sqlite)
    made = Database(f"sqlite:///{tmp_path / 'new' / 'folder' / 'x.sqlite'}")
    with made.engine.connect() as connection:
        asked = ("foreign_keys", "journal_mode", "synchronous", "busy_timeout")
        answers = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked]
    assert answers == [1, "wal", 2, 30000]
    made.dispose()


def test_writers_in_one_process_wait_for_each_other(tmp_path: Path) -> None:
    lock = WriteLock(tmp_path / "lock")
    order: list[str] = []

    def second() -> None:
        with lock.held(30):
            order.append("second")

    with lock.held(30):
        thread = threading.Thread(target=second)
        thread.start()
        order.append("first")
    thread.join(timeout=30)
    assert order == ["first", "second"]


def _hold(path: Path, holds: Event, release: Event) -> None:
    with WriteLock(path).held(30):
        holds.set()
        release.wait(30)


def test_writers_in_two_processes_wait_for_each_other(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    spawn = multiprocessing.get_context("spawn")
    holds, release = spawn.Event(), spawn.Event()
    other = spawn.Process(target=_hold, args=(path, holds, release))
    other.start()
    assert holds.wait(60)
    entered = threading.Event()

    def enter() -> None:
        with WriteLock(path).held(30):
            entered.set()

    thread = threading.Thread(target=enter)
    thread.start()
    assert not entered.is_set()
    release.set()
    assert entered.wait(60)
    thread.join(timeout=30)
    other.join(timeout=30)


def test_nobody_waits_for_ever(tmp_path: Path) -> None:
    lock, another = WriteLock(tmp_path / "lock"), WriteLock(tmp_path / "lock")  # the other as if of another process
    with lock.held(30):
        for waiting, said in ((lock, "another thread"), (another, "another process")):
            with pytest.raises(TimeoutError, match=said), waiting.held(0.02):
                pass
    with another.held(30):
        pass
    with lock.held(30):
        pass


def test_some_columns_alone_can_be_permanent(empty_database_url: str) -> None:
    """Of a table, the named columns refuse change, the others take it; taken away, all do."""
    made = create_engine(empty_database_url)
    dialect = made.dialect.name
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE thing (a INTEGER, b INTEGER)"))
        for statement in db.permanent("thing", dialect, columns=("a",)):
            connection.execute(text(statement))
        connection.execute(text("INSERT INTO thing VALUES (1, 1)"))
        connection.execute(text("UPDATE thing SET b = 2"))
    for refused in ("UPDATE thing SET a = 2", "DELETE FROM thing"):
        with pytest.raises(DatabaseError, match="thing is permanent"), made.begin() as connection:
            connection.execute(text(refused))
    with made.begin() as connection:
        for statement in db.not_permanent("thing", dialect):
            connection.execute(text(statement))
        connection.execute(text("UPDATE thing SET a = 2"))
    made.dispose()
