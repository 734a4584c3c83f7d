"""`evalsys db`: the schema, up to date or taken back; the stored answers, mixed; a copy of everything."""

from __future__ import annotations

from pathlib import Path

import click
from alembic.util import CommandError
from flask_babel import gettext as _
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from evalsys.base import migrations, mixing
from evalsys.base.clock import now
from evalsys.base.command import application
from evalsys.base.errors import Conflict, Invalid
from evalsys.base.language import CHINA
from evalsys.operations.backup import back_up, mixing_failed
from evalsys.registry.models import Cycle, CycleState


@click.group()
def db() -> None:
    """Bring the database's schema up to date, or take it back; mix the answers, or back everything up."""


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
    """Take from the stored answers every trace of the order in which they came; `backup` does it by itself."""
    with application() as database:
        if not mixing.mix(database):
            raise mixing_failed()
        click.echo(_("The answers are mixed; a backup made now does not tell who answered when."))


@db.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--dated", is_flag=True, help="Keep earlier ones too; refused while a cycle collects answers.")
def backup(folder: Path, *, dated: bool) -> None:
    """Copy the database into FOLDER, its answers mixed; the copy that is there is replaced."""
    with application() as database:
        if dated:
            with database.reading() as session:
                _require_nobody_collects(session)
        name = f"evalsys-{now().astimezone(CHINA).date()}" if dated else "evalsys-backup"
        target = folder / f"{name}{'.sqlite' if database.is_sqlite else '.dump'}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        back_up(database, target)
        click.echo(target)
        click.echo(_("Keep the key and the evidence folder too, elsewhere: see docs/operations.md."))


def _require_nobody_collects(session: Session) -> None:
    if session.scalar(select(exists().where(Cycle.state == CycleState.COLLECTING))):
        raise Conflict(
            _("A cycle collects answers: two backups would tell which answers came between them."),
            remedy=_("Leave --dated out, so that the new backup replaces the old one, until collecting is closed."),
        )


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
