"""The database's numbered steps: where it stands, up and down."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_babel import gettext as _

from evalsys import config
from evalsys.base.db import Database
from evalsys.base.errors import Conflict


def _configuration(database: Database) -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(config.MIGRATIONS))
    settings.attributes["database"] = database
    return settings


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema up to a revision."""
    command.upgrade(_configuration(database), revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to a revision ("base": to nothing)."""
    command.downgrade(_configuration(database), revision)


def current(database: Database) -> str | None:
    """The revision the database stands at; None for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The newest revision there is."""
    settings = Config()
    settings.set_main_option("script_location", str(config.MIGRATIONS))
    newest = ScriptDirectory.from_config(settings).get_current_head()
    assert newest is not None  # noqa: S101 - the folder ships with at least one
    return newest


def require_newest(database: Database) -> None:
    """Raises Conflict unless the database stands at the newest migration."""
    stands, newest = current(database), head()
    if stands != newest:
        raise Conflict(
            _(
                "The database stands at %(stands)s, and this program needs %(newest)s.",
                stands=stands or "-",
                newest=newest,
            ),
            remedy=_("Back it up, then run: evalsys db upgrade"),
        )
