"""`evalsys doctor`: whether this installation is fit to run, and what to do where it is not."""

from __future__ import annotations

import os
import platform
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import click
from flask_babel import gettext as _
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from evalsys import __version__, config
from evalsys.base import migrations
from evalsys.base.command import speaking
from evalsys.base.db import Database
from evalsys.base.outbox import Channel
from evalsys.base.post import PostOffice
from evalsys.config import SettingMissing, Settings

OLDEST_POSTGRESQL = 14
SHORTEST_KEY = 32
MAKE_KEY = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"


class Verdict(StrEnum):
    """How a finding stands; only BAD makes the installation unfit."""

    GOOD = "ok"
    NOTE = "note"
    BAD = "BAD"


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        remedy: what to do; empty when it is good.
    """

    verdict: Verdict
    subject: str
    said: str
    remedy: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything the site stands on, without changing anything; in an application context."""
    yield Finding(Verdict.GOOD, "evalsys", f"{__version__}, Python {platform.python_version()}, {config.ROOT}")
    yield _secret_key(settings.secret_key)
    yield _base_url(settings.base_url)
    if settings.base_url.startswith("https://"):
        yield _proxies(settings.proxies)
    yield _instance(settings.instance)
    yield from _database(settings.database_url)
    yield from _messages(settings)


def _secret_key(key: str | None) -> Finding:
    subject = _("secret key")
    remedy = _("Set EVALSYS_SECRET_KEY to what this prints: %(command)s", command=MAKE_KEY)
    if not key:
        return Finding(Verdict.BAD, subject, _("not set"), remedy)
    if len(key) < SHORTEST_KEY:
        return Finding(Verdict.BAD, subject, _("short enough to be guessed"), remedy)
    return Finding(Verdict.GOOD, subject, _("set"))


def _base_url(url: str) -> Finding:
    if url.startswith("https://"):
        return Finding(Verdict.GOOD, _("address"), url)
    return Finding(
        Verdict.NOTE,
        _("address"),
        _("%(url)s is not encrypted, and recipients get links to it", url=url),
        _("For real use set EVALSYS_BASE_URL to the site's https address."),
    )


def _proxies(number: int) -> Finding:
    """`serve` speaks no https, so something of ours stands in front."""
    if number:
        return Finding(Verdict.GOOD, _("proxies"), str(number))
    return Finding(
        Verdict.NOTE,
        _("proxies"),
        _("none is believed, so all visitors seem to come from one address: who guesses codes slows everybody"),
        _("Set EVALSYS_PROXIES to how many proxies stand in front: 1 behind one nginx."),
    )


def _instance(folder: Path) -> Finding:
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return Finding(Verdict.GOOD, _("instance folder"), str(folder))
    return Finding(
        Verdict.BAD,
        _("instance folder"),
        _("cannot write to %(place)s", place=nearest),
        _("Give the folder to the user who runs the site, or set EVALSYS_INSTANCE to another one."),
    )


def _messages(settings: Settings) -> Iterator[Finding]:
    try:
        office = PostOffice.of(settings)
    except SettingMissing as error:
        yield Finding(Verdict.BAD, _("messages"), str(error), error.remedy)
        return
    for channel, subject, setting in (
        (Channel.EMAIL, _("e-mail"), "EVALSYS_SMTP_URL"),
        (Channel.SMS, _("SMS"), "EVALSYS_SMS_URL"),
    ):
        place = office.ways[channel].place
        if office.goes_out(channel):
            yield Finding(Verdict.GOOD, subject, place)
            continue
        said = _("written into the file %(file)s; nobody gets it", file=place)
        remedy = _("To send it, set %(setting)s: see README.md.", setting=setting)
        yield Finding(Verdict.NOTE, subject, said, remedy)


def _database(address: str) -> Iterator[Finding]:
    try:
        url = make_url(address)
        if url.get_backend_name() == "sqlite":
            yield _sqlite(sqlite3.sqlite_version_info)
            if not Path(url.database or "").is_file():  # connecting would make one
                yield _schema(None)
                return
        database = Database(address)
        with database.reading() as session:
            if not database.is_sqlite:
                yield _postgresql(int(session.execute(text("SHOW server_version_num")).scalar_one()))
        yield _schema(migrations.current(database))
        database.dispose()
    except (SQLAlchemyError, ValueError) as error:
        said = str(getattr(error, "orig", None) or error).splitlines()[0]
        remedy = _("Check EVALSYS_DATABASE_URL, and that the database runs.")
        yield Finding(Verdict.BAD, _("database"), said, remedy)


def _schema(stands: str | None) -> Finding:
    newest = migrations.head()
    if stands == newest:
        return Finding(Verdict.GOOD, _("schema"), newest)
    said = _("stands at %(stands)s, the newest is %(newest)s", stands=stands or "-", newest=newest)
    return Finding(Verdict.BAD, _("schema"), said, _("Back it up, then run: evalsys db upgrade"))


def wal_reset_is_safe(version: tuple[int, int, int]) -> bool:
    """Whether an SQLite is free of the fault that can damage a write-ahead log when it is reset.

    Source: sqlite.org/changes.html: from 3.7.0 on, mended in 3.53.0 and in 3.51.3, 3.50.7 and 3.44.6.
    """
    if version < (3, 7, 0) or version >= (3, 53, 0):
        return True
    mended = {(3, 51): 3, (3, 50): 7, (3, 44): 6}.get(version[:2])
    return mended is not None and version[2] >= mended


def _sqlite(version: tuple[int, int, int]) -> Finding:
    number = ".".join(map(str, version))
    if wal_reset_is_safe(version):
        return Finding(Verdict.GOOD, "SQLite", number)
    return Finding(
        Verdict.NOTE,
        "SQLite",
        _(
            "%(number)s can damage its log when two connections write at once; this program lets one write at a time",
            number=number,
        ),
        _("Let no other program write to the database file while the site runs."),
    )


def _postgresql(number: int) -> Finding:
    said = f"{number // 10000}.{number % 10000}"
    if number // 10000 >= OLDEST_POSTGRESQL:
        return Finding(Verdict.GOOD, "PostgreSQL", said)
    remedy = _("Use PostgreSQL %(oldest)s or newer.", oldest=OLDEST_POSTGRESQL)
    return Finding(Verdict.BAD, "PostgreSQL", _("%(number)s is too old", number=said), remedy)


@click.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Say whether this installation is fit to run; exit code 1 when it is not."""
    settings = Settings.from_environment()
    with speaking(settings):
        findings = list(examine(settings))
    for finding in findings:
        click.echo(f"{finding.verdict:4}  {finding.subject}: {finding.said}")
        if finding.remedy:
            click.echo(f"      -> {finding.remedy}")
    ctx.exit(1 if any(finding.verdict is Verdict.BAD for finding in findings) else 0)
