"""A copy of the database in which no row remembers when it came.

On SQLite `VACUUM INTO` writes every page anew, in the order of the keys, while the site goes on. On PostgreSQL the
answers are mixed first; then pg_dump gets a snapshot that is known to hold nothing that came since.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask_babel import gettext as _

from evalsys.base import mixing
from evalsys.base.db import Database
from evalsys.base.errors import Conflict

TRIES = 5  # to find a moment between two answers


def back_up(database: Database, target: Path) -> None:
    """Write a copy to a file, whole or not at all; one that is there is replaced. Only its owner may read it.

    Raises:
        Conflict: the answers could not be mixed, or pg_dump failed.
    """
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    try:
        part.touch(mode=0o600)
        if database.is_sqlite:
            with database.engine.connect() as connection:
                raw = connection.connection.driver_connection
                assert raw is not None  # noqa: S101 - connect() gave one; no transaction is open on it, as VACUUM needs
                raw.execute("VACUUM INTO ?", (str(part),))
        else:
            _dump(database, part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # else the name may be lost though the bytes are there
    finally:
        os.close(folder)


def _dump(database: Database, file: Path) -> None:
    url = database.url.set(drivername="postgresql", password=None).render_as_string()
    password = {"PGPASSWORD": database.url.password} if database.url.password else {}
    with _mixed_snapshot(database) as snapshot:
        command = ["pg_dump", "--format=custom", "--no-owner", "--snapshot", snapshot, "--file", str(file), url]
        try:
            subprocess.run(command, env=os.environ | password, check=True, capture_output=True, text=True)
        except FileNotFoundError as missing:
            raise Conflict(
                _("There is no pg_dump here."), remedy=_("Install the client programs of PostgreSQL.")
            ) from missing
        except subprocess.CalledProcessError as failed:
            raise Conflict(
                _("pg_dump made no copy."),
                remedy=_("See what it said; it must be as new as the server."),
                details=failed.stderr.splitlines(),
            ) from failed


@contextmanager
def _mixed_snapshot(database: Database) -> Iterator[str]:
    """The name of a snapshot of PostgreSQL in which all answers were mixed together."""
    alone = f"LOCK TABLE {', '.join(table.name for table in mixing.mixed_tables())} IN SHARE MODE"
    came_since = "SELECT count(DISTINCT xmin::text) > 1 FROM response"  # mixing stamps them all with one transaction
    for _attempt in range(TRIES):
        if not mixing.mix(database):
            raise mixing_failed()
        with database.connect_for_writing() as connection:
            snapshot = connection.execution_options(isolation_level="REPEATABLE READ").exec_driver_sql
            with database.connect_for_writing() as guard, guard.begin():
                guard.exec_driver_sql(alone)
                late = guard.exec_driver_sql(came_since).scalar()
                name = str(snapshot("SELECT pg_export_snapshot()").scalar())
            if not late:
                yield name
                return
    raise mixing_failed()


def mixing_failed() -> Conflict:
    """That others would not let go of the answers."""
    return Conflict(
        _("The answers could not be mixed: something else is using them."),
        remedy=_("Wait until scoring, an import or a backup is done, and do it again."),
    )
