"""`evalsys jobs`: the worker that sends messages and links the audit trail, on its own."""

from __future__ import annotations

import signal
import threading

import click
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.base import outbox
from evalsys.base.audit_chain import link_up
from evalsys.base.clock import now
from evalsys.base.command import application
from evalsys.base.db import Database
from evalsys.base.jobs import Worker
from evalsys.base.post import PostOffice
from evalsys.collection.messages.composing import composers
from evalsys.collection.messages.keeping import tidy
from evalsys.config import Settings


def worker_of(database: Database, office: PostOffice, settings: Settings) -> Worker:
    """A worker for every kind of message there is."""
    return Worker(database, office, composers(settings), hourly)


def hourly(session: Session) -> None:
    """Forget what messages need no more, and take what came since into the chain of the audit trail."""
    tidy(session)
    link_up(session)


@click.group()
def jobs() -> None:
    """Send messages without serving the site; `serve` and `demo` send them by themselves."""


@jobs.command()
def restored() -> None:
    """After a restore, before the service starts: send nothing by itself that was waiting in the backup.

    It may have been sent since. Coordinators find these messages as unknown, and decide.
    """
    with application() as database, database.transaction() as session:
        count = outbox.distrust(session, now=now())
    click.echo(_("%(count)s messages wait for a decision.", count=count))


@jobs.command()
@click.option("--once", is_flag=True, help="Send what is due now, then end.")
def run(*, once: bool) -> None:
    """Send messages as they become due, until a signal ends it.

    Any number of workers may run beside each other and beside the site, on several machines: none sends a message that
    another has in hand.
    """
    settings = Settings.from_environment()
    with application(settings) as database:
        worker = worker_of(database, PostOffice.of(settings), settings)
        if once:
            worker.tidy(now=now())
            count = 0
            while worker.send_next(now=now()):
                count += 1
            click.echo(_("%(count)s messages were due.", count=count))
            return
        ended = threading.Event()
        for ending in (signal.SIGTERM, signal.SIGINT):
            signal.signal(ending, lambda *_given: ended.set())
        worker.run(go_on=lambda: not ended.is_set(), wait=ended.wait)
