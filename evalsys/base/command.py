"""The ground a command stands on: settings, words and the database, without the web."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask_babel import force_locale

from evalsys import config
from evalsys.base import language, migrations
from evalsys.base.db import Database, close_reading
from evalsys.config import Settings


@contextmanager
def speaking(settings: Settings) -> Iterator[Flask]:
    """The context in which texts can be translated, in the language of the terminal; it has no database."""
    app = Flask("evalsys")
    app.config["SETTINGS"] = settings
    language.install(app)
    with app.app_context(), force_locale(config.command_language()):
        yield app


@contextmanager
def application(
    settings: Settings | None = None, *, newest_schema: bool = True, slots: Mapping[str, Any] | None = None
) -> Iterator[Database]:
    """The context in which use cases find the database and the words they speak in.

    No secret key is needed: a command that signs something asks `Settings.require_secret_key` for it.

    Args:
        settings: read from the environment when not given.
        newest_schema: False only for commands that change the schema or look at it.
        slots: what a lower floor asks of a higher one, for `app.extensions`.

    Raises:
        Conflict: the database is not at the newest migration.
    """
    settings = settings or Settings.from_environment()
    database = Database(settings.database_url)
    try:
        with speaking(settings) as app:
            app.teardown_appcontext(close_reading)
            app.extensions.update(slots or {}, database=database)
            if newest_schema:
                migrations.require_newest(database)
            yield database
    finally:  # after the context, whose end gives the reading connection back
        database.dispose()
