"""Connections of the driver itself."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from evalsys.base import direct
from evalsys.base.db import Database
from evalsys.base.direct import DatabaseAway, Direct


def test_a_kept_connection_is_used_again_and_closed_with_the_database(database: Database) -> None:
    lines = Direct(database)
    first = lines.run(lambda connection: connection)
    assert lines.run(lambda connection: connection) is first
    assert lines.first("SELECT 7", ()) == (7,)
    database.dispose()
    with pytest.raises(lines.failures):
        first.execute("SELECT 1")


def test_a_kept_connection_that_died_is_replaced(database: Database) -> None:
    lines = Direct(database)
    lines.run(lambda connection: connection).close()
    assert lines.first("SELECT 7", ()) == (7,)


def test_a_database_that_fails_is_said_to_be_away(database: Database) -> None:
    with pytest.raises(DatabaseAway):
        Direct(database).first("SELECT nothing FROM nowhere", ())


def test_a_database_that_cannot_be_reached_is_said_to_be_away(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "x.sqlite"
    database = Database(f"sqlite:///{file}")
    file.parent.rmdir()
    with pytest.raises(DatabaseAway):
        Direct(database).first("SELECT 1", ())


def test_a_fault_of_the_data_is_not_tried_again(database: Database) -> None:
    lines = Direct(database)
    with database.transaction() as session:
        session.execute(text("CREATE TABLE once (n INTEGER PRIMARY KEY)"))
    lines.run(lambda connection: connection.execute("INSERT INTO once VALUES (1)"))
    tries = []
    with pytest.raises(lines.faults):
        lines.run(lambda connection: (tries.append(1), connection.execute("INSERT INTO once VALUES (1)")))
    assert len(tries) == 1


def test_a_lock_of_somebody_else_is_waited_for_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "BUSY_MILLISECONDS", 1)
    lines, tries = Direct(database), []
    lines.first("SELECT 1", ())
    with database.transaction() as session:
        session.execute(text("DELETE FROM receipt_leaf" if database.is_sqlite else "LOCK TABLE receipt_leaf"))
        with pytest.raises(lines.failures):
            lines.run(lambda connection: (tries.append(1), connection.execute("DELETE FROM receipt_leaf")))
    assert len(tries) == 1


def test_what_was_begun_and_failed_is_undone(database: Database) -> None:
    lines = Direct(database)
    with database.transaction() as session:
        session.execute(text("CREATE TABLE half (n INTEGER)"))

    def half(connection: direct.DriverConnection) -> None:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO half VALUES (1)")
        raise KeyError

    with pytest.raises(KeyError):
        lines.run(half)
    assert lines.first("SELECT count(*) FROM half", ()) == (0,)


def test_a_locked_sqlite_file_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "BUSY_MILLISECONDS", 1)
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    with database.transaction() as session:
        session.execute(text("CREATE TABLE t (n INTEGER)"))
    lines = Direct(database)
    foreign = sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    with pytest.raises(lines.failures, match="locked"):
        lines.run(lambda connection: connection.execute("INSERT INTO t VALUES (1)"))
    foreign.close()
    database.dispose()


def test_each_thread_gets_a_connection_of_its_own_while_another_is_at_work(database: Database) -> None:
    lines = Direct(database)
    seen = []

    def nested(connection: direct.DriverConnection) -> None:
        other = threading.Thread(target=lambda: seen.append(lines.run(lambda second: second is connection)))
        other.start()
        other.join()

    lines.run(nested)
    assert seen == [False]
