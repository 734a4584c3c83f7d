"""The database: one declarative base, sessions, and who may write when.

SQLite before 3.51.3 (and 3.44.6, 3.50.7 on their branches) can corrupt its write-ahead log when one connection
resets the log while another writes or checkpoints (sqlite.org/changes.html). Python often carries an older one, so on
SQLite every write transaction, its commit and the checkpoint that the commit may run happen under one lock: a lock
between threads and an advisory file lock between processes. Two connections then never write or checkpoint at once,
and no writer waits in SQLite's busy handler, whose sleeps made the p99 more than a second. PostgreSQL needs none of it.
"""

from __future__ import annotations

import fcntl
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, cast

from flask import current_app, g
from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import DeclarativeBase, Session

LARGEST_ID = 2**31 - 1  # of an integer column on PostgreSQL; SQLite's are larger
PATIENCE = 30  # seconds to wait for other writers, or for a connection
NO_ANSWER = {"connect_timeout": 5, "tcp_user_timeout": 10_000}  # libpq gives a host up: seconds, milliseconds


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC on both engines (SQLite forgets the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every room's tables; constraints get predictable names."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012 - SQLAlchemy reads it


class WriteLock:
    """Mutual exclusion of writers, between threads and, by a lock file, between processes. Not re-entrant."""

    def __init__(self, path: Path) -> None:
        self._threads = threading.Lock()
        self._path = path

    @contextmanager
    def held(self, patience: float) -> Iterator[None]:
        """Raises TimeoutError where others do not let go of it within some seconds."""
        deadline = time.monotonic() + patience
        if not self._threads.acquire(timeout=patience):
            raise TimeoutError("another thread is still writing")
        try:
            with self._path.open("a") as file:
                _lock(file, deadline)  # released when the file closes, also if the process dies
                yield
        finally:
            self._threads.release()


def _lock(file: IO[str], deadline: float) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError("another process is still writing") from None
            time.sleep(0.01)  # other processes write seldom: commands
        else:
            return


class Database:
    """An engine with its two kinds of session: reading, and writing in one transaction."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if not self.is_sqlite and self.url.get_backend_name() != "postgresql":
            raise ArgumentError(f"{self.url.get_backend_name()} is neither sqlite nor postgresql")
        self._lock: WriteLock | None = None
        if self.is_sqlite:
            if not self.url.database or self.url.database == ":memory:":
                raise ArgumentError("an in-memory database cannot be shared between threads; give a file")
            file = Path(self.url.database)
            file.parent.mkdir(parents=True, exist_ok=True)
            self._lock = WriteLock(file.with_name(file.name + ".lock"))
            self.engine = create_engine(self.url, connect_args={"timeout": PATIENCE}, pool_size=20, max_overflow=40)
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = create_engine(
                self.url, connect_args=NO_ANSWER, pool_size=10, max_overflow=20, pool_pre_ping=True
            )
        self._writer: Engine = self.engine.execution_options(writes=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reads only; what it changes is thrown away."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose changes are committed together at the end, or, on any exception, not at all."""
        with self.writing(), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def writing(self, patience: float = PATIENCE) -> Iterator[None]:
        """Hold the right to write; for the few that go below the session.

        Raises:
            TimeoutError: others did not let go of it within so many seconds.
        """
        with self._lock.held(patience) if self._lock else nullcontext():
            yield

    def connect_for_writing(self) -> Connection:
        """A connection whose transactions begin as writers; use it inside `writing()`."""
        return self._writer.connect()

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    raw = cast(sqlite3.Connection, connection)
    raw.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL", f"busy_timeout={PATIENCE * 1000}"):
        raw.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def database() -> Database:
    """The running application's database."""
    return cast(Database, current_app.extensions["database"])


def reading() -> Session:
    """The request's reading session, made on first use and closed with the application context."""
    if "reading_session" not in g:
        g.reading_session = Session(database().engine)
    return cast(Session, g.reading_session)


@contextmanager
def transaction() -> Iterator[Session]:
    """`Database.transaction` of the running application; reads made before it are read anew afterwards."""
    with database().transaction() as session:
        yield session
    close_reading()


def close_reading(_error: BaseException | None = None) -> None:
    """End the request's reading session, if there is one."""
    session: Session | None = g.pop("reading_session", None)
    if session is not None:
        session.close()


def one_of(column: str, values: type[StrEnum]) -> str:
    """SQL that holds a column to an enumeration's values."""
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"


def permanent(table: str, dialect: str, *, columns: tuple[str, ...] = ()) -> list[str]:
    """DDL of triggers that refuse update and delete on a table.

    Args:
        table: the table's name.
        dialect: "sqlite" or "postgresql".
        columns: when given, only updates of these columns are refused (and every delete).
    """
    of = f" OF {', '.join(columns)}" if columns else ""
    message = f"{table} is permanent"
    if dialect == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        return [
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE{of} ON {table} {refuse}",
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        ]
    body = f"$$ BEGIN RAISE EXCEPTION '{message}' USING ERRCODE = 'restrict_violation'; END $$"
    refuse = f"EXECUTE FUNCTION {table}_refuse()"
    return [
        f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS {body}",
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE{of} ON {table} FOR EACH ROW {refuse}",
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {refuse}",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} {refuse}",
    ]


def not_permanent(table: str, dialect: str) -> list[str]:
    """DDL that takes the triggers of `permanent` away again, for a migration down."""
    if dialect == "sqlite":
        return [f"DROP TRIGGER {table}_no_update", f"DROP TRIGGER {table}_no_delete"]
    return [f"DROP FUNCTION {table}_refuse() CASCADE"]
