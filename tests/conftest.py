"""Databases, applications and people for every test.

A test that asks for `database` (or anything made from it) runs twice: on SQLite and on a real PostgreSQL. The
migrations run once for each; every test gets a copy, or (see tests.postgresql) the emptied database of the one before.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy.orm import Session

from evalsys import web
from evalsys.accounts import signing_in
from evalsys.accounts.models import Account
from evalsys.base import db, migrations
from evalsys.base.clock import now
from evalsys.base.db import Database
from evalsys.config import Settings
from tests import postgresql as postgres
from tests import sharing
from tests.pages import CheckedClient

hypothesis.settings.register_profile("house", derandomize=True, deadline=None)  # the same examples on every machine
hypothesis.settings.register_profile("explore", deadline=None)  # new ones: pytest --hypothesis-profile=explore
hypothesis.settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def quick_sqlite() -> Iterator[Callable[..., None]]:
    """Connections that do not wait for the disk: a test's database need not outlive a crash. Gives the real set-up."""
    prepare = db._prepare_sqlite

    def prepare_quickly(connection: Any, record: object) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA synchronous=OFF")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "_prepare_sqlite", prepare_quickly)
        yield prepare


@pytest.fixture(scope="session", autouse=True)
def parts_made_once() -> Iterator[None]:
    with sharing.parts_made_once():
        yield


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    file = tmp_path_factory.mktemp("template") / "template.sqlite"
    made = Database(f"sqlite:///{file}")
    migrations.upgrade(made)
    with made.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    made.dispose()
    return file


@pytest.fixture(scope="session")
def sqlite_database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """The same for all tests, so that a statement is compiled once; each test gets a new file under it."""
    return Database(f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'evalsys.sqlite'}")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres.Server]:
    """A PostgreSQL server of this test process's own."""
    with postgres.running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, for tests of the migrations themselves."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite'}"
        return
    with request.getfixturevalue("postgresql").empty() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A migrated, empty database."""
    if request.param == "postgresql":
        with request.getfixturevalue("postgresql").migrated() as lent:
            yield lent
        return
    made: Database = request.getfixturevalue("sqlite_database")
    for ending in ("", "-wal", "-shm"):
        Path(f"{made.url.database}{ending}").unlink(missing_ok=True)
    shutil.copyfile(request.getfixturevalue("sqlite_template"), str(made.url.database))
    yield made
    made.dispose()


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    return Settings(
        instance=tmp_path / "instance",
        database_url=database.url.render_as_string(hide_password=False),
        secret_key="a secret for tests only, long enough to be one",
        base_url="http://localhost",
        port=8000,
    )


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates compiled once for all applications of this test process."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(settings: Settings, database: Database, compiled_templates: FileSystemBytecodeCache) -> Iterator[Flask]:
    """The whole application on `database`, its context pushed so that texts can be translated.

    Outside a request the language is Chinese; a test client's requests are too, unless they say otherwise.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(web, "Database", lambda _url: database)  # one pool of connections instead of two
        application = web.create_app(settings)
    application.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    application.jinja_env.bytecode_cache = compiled_templates
    application.test_client_class = CheckedClient
    with application.app_context():
        yield application


@pytest.fixture
def client(app: Flask) -> CheckedClient:
    """An anonymous browser; every HTML page it receives is checked (see tests.pages)."""
    made = app.test_client()
    assert isinstance(made, CheckedClient)
    return made


@pytest.fixture
def sign_in(app: Flask) -> Callable[[Account], CheckedClient]:
    """A browser in which the account is signed in already."""

    def signed_in(account: Account) -> CheckedClient:
        browser = app.test_client()
        assert isinstance(browser, CheckedClient)
        with app.extensions["database"].transaction() as session:
            token = signing_in.open_session(session, account, now=now())
        with browser.session_transaction() as kept:
            kept[signing_in.TOKEN] = token
        return browser

    return signed_in


@pytest.fixture
def write(database: Database) -> Callable[..., Any]:
    """Run a function with a writing session in its own transaction: `write(make_vendor, name="…")`."""

    def run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        with database.transaction() as session:
            return function(session, *args, **kwargs)

    return run


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A writing session for tests of use cases and constraints; rolled back at the end.

    On SQLite it holds the write lock: do not send requests that write while it is open.
    """
    with database.writing(), database.connect_for_writing() as connection, Session(connection) as made:
        yield made
        made.rollback()
