"""Connections of the database's own driver, for the few statements where SQLAlchemy's share of the time counts.

Only the survey's hot path uses them; benchmarks/survey_posts.py shows why. Statements are written with `?`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import BoundedSemaphore
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from evalsys.base.db import Database
from evalsys.base.outages import kind_of

Result = TypeVar("Result")
DriverConnection = Any  # sqlite3.Connection or psycopg.Connection: both execute, and answer with a cursor

MOST = 8  # at once, in a process; PostgreSQL allows 100 to all programs together unless told otherwise
BUSY_MILLISECONDS = 5000  # another program may hold the file, or the tables; a person waits no longer


class DatabaseAway(Exception):
    """The database failed, or took too long; nothing of the act is saved, unless the failure hid its success."""


class Direct:
    """Driver connections in autocommit mode, kept between uses; threads may share it."""

    def __init__(self, database: Database) -> None:
        driver = database.engine.dialect.loaded_dbapi
        self.failures: tuple[type[Exception], ...] = (driver.Error, SQLAlchemyError)  # connecting is SQLAlchemy's
        self.faults: tuple[type[Exception], ...] = (driver.IntegrityError, driver.DataError)
        self._database = database
        self._idle: deque[DriverConnection] = deque()
        self._room = BoundedSemaphore(MOST)
        event.listen(database.engine, "engine_disposed", lambda _engine: self.close())

    def native(self, statement: str) -> str:
        """A statement as the driver reads it."""
        return statement if self._database.is_sqlite else statement.replace("?", "%s")

    def first(self, statement: str, parameters: Sequence[Any]) -> Any:
        """The first row of a native statement's answer, or None.

        Raises:
            DatabaseAway: the database failed.
        """
        try:
            return self.run(lambda connection: connection.execute(statement, parameters).fetchone())
        except self.failures as error:
            raise DatabaseAway from error

    def run(self, act: Callable[[DriverConnection], Result]) -> Result:
        """Do something on a connection; once more on a new one where a kept one failed, as after a restart."""
        with self._room:
            try:
                kept = self._idle.pop()
            except IndexError:
                return self._run_on(self._connect(), act)
            try:
                return self._run_on(kept, act)
            except self.faults:
                raise
            except self.failures as failure:
                if kind_of(failure).partition(" ")[2] in {"SQLITE_BUSY", "55P03"}:
                    raise  # somebody holds a lock: a new connection would wait as long
                self.close()
                return self._run_on(self._connect(), act)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._idle:
            self._idle.pop().close()

    def _run_on(self, connection: DriverConnection, act: Callable[[DriverConnection], Result]) -> Result:
        try:
            result = act(connection)
        except BaseException:
            connection.close()  # and with it whatever transaction was open
            raise
        self._idle.append(connection)
        return result

    def _connect(self) -> DriverConnection:
        pooled = self._database.engine.raw_connection()
        connection: DriverConnection = pooled.driver_connection
        pooled.detach()  # it is ours now, not the pool's
        if self._database.is_sqlite:
            connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
        else:
            connection.autocommit = True
            connection.execute(f"SET lock_timeout = {BUSY_MILLISECONDS}")
        return connection
