"""Rows that must not remember when they came: their tables are rewritten in the order of their random keys.

PostgreSQL appends rows and stamps each with its transaction. `CLUSTER` brings them into order but keeps the stamps; an
expression that PostgreSQL cannot know to change nothing then makes it write, and stamp, every row anew. A table asks
for both with `info={"mixed": "held TYPE boolean USING held IS TRUE"}`, such a change of a column that refers to no
other table: that would lock the other one too. SQLite keeps keys in order, but within a page the rows as they came;
`VACUUM` writes every page anew.
"""

from __future__ import annotations

import logging
import sqlite3

from sqlalchemy import Table
from sqlalchemy.exc import OperationalError

from evalsys.base.db import Base, Database

PATIENCE = "30s"
"""How long to wait for others who use the tables; nobody can submit meanwhile."""

_log = logging.getLogger(__name__)


def mixed_tables() -> list[Table]:
    """The tables to rewrite, those before that others point to."""
    return [table for table in Base.metadata.sorted_tables if "mixed" in table.info]


def mix(database: Database) -> bool:
    """Rewrite the tables, all or none; submissions wait until it is done.

    Returns:
        False, with nothing changed and a line in the log, where others would not let go of the tables.
    """
    try:
        with database.writing():
            if database.is_sqlite:
                _vacuum(database)
            else:
                _rewrite(database)
    except (OperationalError, sqlite3.OperationalError, TimeoutError) as error:
        _log.warning("the answers were not mixed: %s", error)
        return False
    return True


def _vacuum(database: Database) -> None:
    with database.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None  # noqa: S101 - connect() gave one; no transaction is open on it, as VACUUM needs
        raw.execute("VACUUM")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log held the pages as they came


def _rewrite(database: Database) -> None:
    with database.connect_for_writing() as connection, connection.begin():
        run = connection.exec_driver_sql
        run(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        run("SET LOCAL synchronize_seqscans = off")  # a scan that joins another begins in the middle
        tables = mixed_tables()
        run(f"LOCK TABLE {', '.join(table.name for table in tables)} IN ACCESS EXCLUSIVE MODE")
        for table in tables:
            run(f"CLUSTER {table.name} USING {table.primary_key.name}")
            run(f"ALTER TABLE {table.name} ALTER COLUMN {table.info['mixed']}")
