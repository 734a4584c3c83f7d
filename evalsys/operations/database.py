"""`evalsys db`: the schema, up to date or taken back."""

from __future__ import annotations

import click
from alembic.util import CommandError
from flask_babel import gettext as _

from evalsys.base import migrations
from evalsys.base.command import application
from evalsys.base.errors import Invalid


@click.group()
def db() -> None:
    """Bring the database's schema up to date, or take it back."""


@db.command()
@click.option("--to", "revision", default="head", show_default=True, help="Migration to stop at.")
def upgrade(revision: str) -> None:
    """Bring the schema up to date; the data stays."""
    _move("upgrade", revision)


@db.command()
@click.argument("revision")
@click.confirmation_option(prompt="What later migrations added will be lost. Is there a backup, and go on?")
def downgrade(revision: str) -> None:
    """Take the schema back to REVISION ("base": to nothing). What later migrations added is lost."""
    _move("downgrade", revision)


@db.command()
def current() -> None:
    """Print the migration the database stands at, and the newest one."""
    with application(newest_schema=False) as database:
        click.echo(f"{migrations.current(database) or '-'} / {migrations.head()}")


def _move(direction: str, revision: str) -> None:
    with application(newest_schema=False) as database:
        before = migrations.current(database)
        try:
            getattr(migrations, direction)(database, revision)
        except CommandError as error:
            raise Invalid(
                _("There is no migration %(revision)s.", revision=revision), remedy=_("See the folder migrations.")
            ) from error
        click.echo(f"{before or '-'} -> {migrations.current(database) or '-'}")
