"""`evalsys demo`: the simulated county, served on this machine alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click
from flask_babel import gettext as _

from evalsys.accounts.passwords import hashed
from evalsys.accounts.words import ROLES
from evalsys.base import migrations
from evalsys.base.command import application
from evalsys.base.db import Database
from evalsys.config import Settings
from evalsys.demo.loading import is_loaded, load, ready_link
from evalsys.demo.people import SIGN_INS
from evalsys.operations.serve import require_free_port, serve_site

PASSWORD = "demo-2026-evalsys"  # noqa: S105 - printed on purpose: the demo listens on 127.0.0.1 only
HOST = "127.0.0.1"


@click.command()
def demo() -> None:
    """Serve a simulated county on http://127.0.0.1:8000 (PORT chooses another port).

    The first start makes the database in the instance folder; later starts find it as it was left. Delete the folder to
    begin anew.
    """
    settings = Settings.from_environment()
    os.environ["EVALSYS_SECRET_KEY"] = settings.secret_key or _make_key(settings.demo_key_file)
    settings = Settings.from_environment()
    with application(settings, newest_schema=False) as database:
        require_free_port(HOST, settings.port)
        migrations.upgrade(database)
        with database.reading() as session:
            loaded = is_loaded(session)
        if not loaded:
            load(database, password=hashed(PASSWORD), say=lambda line: click.echo(f"  … {line}"))
        _announce(database, settings)
    serve_site(settings, host=HOST)


def _make_key(file: Path) -> str:
    """A secret key that later commands on this instance find again."""
    file.parent.mkdir(parents=True, exist_ok=True)
    key = secrets.token_urlsafe(48)
    file.touch(mode=0o600)
    file.write_text(key, "ascii")
    return key


def _announce(database: Database, settings: Settings) -> None:
    with database.transaction() as session:
        link = ready_link(session, settings)
    click.echo()
    click.echo(_("A simulated county is ready at %(url)s", url=f"http://{HOST}:{settings.port}"))
    click.echo()
    click.echo(_("Sign in with the password %(password)s as:", password=PASSWORD))
    for entry in SIGN_INS:
        click.echo(f"  {entry.username:<12} {ROLES[entry.role]}")
    click.echo()
    if link:
        click.echo(_("Answer as a recipient (the link works once):"))
        click.echo(f"  {link}")
        click.echo()
    click.echo(_("Ctrl-C ends it."))
