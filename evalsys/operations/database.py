"""`evalsys db`: the schema, up to date or taken back; the stored answers, mixed."""

from __future__ import annotations

import click
from alembic.util import CommandError
from flask_babel import gettext as _

from evalsys.base import migrations, mixing
from evalsys.base.command import application
from evalsys.base.errors import Conflict, Invalid


@click.group()
def db() -> None:
    """Bring the database's schema up to date, or take it back; mix the answers before a backup."""


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


@db.command()
def mix() -> None:
    """Take from the stored answers every trace of the order in which they came. Do this before each backup."""
    with application() as database:
        if not mixing.mix(database):
            raise Conflict(
                _("The answers could not be mixed: something else is using them."),
                remedy=_("Wait until scoring, an import or a backup is done, and do it again."),
            )
        click.echo(_("The answers are mixed; a backup made now does not tell who answered when."))


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
