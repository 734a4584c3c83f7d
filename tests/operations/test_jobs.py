"""`evalsys jobs`: the worker on its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from aiosmtpd.controller import Controller
from flask import Flask
from sqlalchemy import func, select

from evalsys import cli
from evalsys.base import audit, jobs
from evalsys.base.access import COMMAND_LINE
from evalsys.base.audit_chain import AuditLink
from evalsys.base.command import speaking
from evalsys.base.db import Database
from evalsys.base.outbox import Message
from evalsys.base.post import PostOffice
from evalsys.collection.messages.models import KeptCode, MailingKind
from evalsys.collection.models import Invitation
from evalsys.config import Settings
from evalsys.operations.jobs import worker_of
from tests.collection.messaged import NOON, messaged_world, start_now

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.instance.mkdir()
    monkeypatch.setenv("EVALSYS_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("EVALSYS_INSTANCE", str(settings.instance))
    monkeypatch.setenv("EVALSYS_SECRET_KEY", settings.secret_key or "")
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")


def test_once_sends_what_is_due_and_forgets_what_nobody_needs(
    settings: Settings, write: Callable[..., Any], database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    world = write(messaged_world)
    write(start_now, world.cycle, MailingKind.INVITATION)
    with database.transaction() as session:
        messages = session.scalars(select(Message).order_by(Message.id)).all()
        session.get_one(Invitation, messages[0].about).outcome = "moved"
    with time_machine.travel(NOON):  # at night they wait
        assert cli.run(["jobs", "run", "--once"]) == 0
    assert capsys.readouterr().out == "2 messages were due.\n"
    with database.reading() as session:
        states = [message.state for message in session.scalars(select(Message).order_by(Message.id))]
        assert len(session.scalars(select(KeptCode)).all()) == 1
    assert states[0] == "dropped"
    assert states[1] in ("sent", "waiting")  # the latter in the night


def test_what_waits_in_a_restored_backup_is_not_sent_by_itself(
    write: Callable[..., Any], database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    world = write(messaged_world)
    write(start_now, world.cycle, MailingKind.INVITATION)
    assert cli.run(["jobs", "restored"]) == 0
    assert cli.run(["jobs", "run", "--once"]) == 0
    assert capsys.readouterr().out == "2 messages wait for a decision.\n0 messages were due.\n"
    with database.reading() as session:
        assert session.execute(select(Message.state, Message.why)).all() == [("unknown", "restored")] * 2


def test_it_works_until_a_signal_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    former = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    looks: list[object] = []

    def look(*_given: object, **_more: object) -> bool:
        looks.append(threading.current_thread())
        if len(looks) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return False

    monkeypatch.setattr(jobs.Worker, "send_next", look)
    monkeypatch.setattr(jobs, "PAUSE", 0.001)
    try:
        assert cli.run(["jobs", "run"]) == 0
    finally:
        signal.signal(signal.SIGTERM, former[0])
        signal.signal(signal.SIGINT, former[1])
    assert len(looks) == 2


class Held:
    """A mail server that takes a message and does not answer."""

    def __init__(self) -> None:
        self.taken = 0
        self.came = threading.Event()

    async def handle_DATA(self, *_given: object) -> str:  # noqa: N802 - aiosmtpd's name
        self.taken += 1
        self.came.set()
        await asyncio.Event().wait()
        return ""


def test_a_worker_killed_before_the_answer_leaves_it_to_a_person(
    settings: Settings, write: Callable[..., Any], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = write(messaged_world, contacts=["li.ming@example.cn"])
    write(start_now, world.cycle, MailingKind.INVITATION)
    held = Held()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(held, hostname="127.0.0.1", port=port)
    controller.start()
    monkeypatch.setenv("EVALSYS_SMTP_URL", f"smtp://127.0.0.1:{port}")
    monkeypatch.setenv("EVALSYS_MAIL_FROM", "pj@example.gov.cn")
    by_day = f"with time_machine.travel({NOON.timestamp()}): cli.run(['jobs', 'run'])"
    command = [sys.executable, "-c", f"import time_machine; from evalsys import cli\n{by_day}"]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            assert held.came.wait(60)
        finally:
            process.kill()
    office = PostOffice.of(Settings.from_environment())
    with speaking(settings):
        another = worker_of(database, office, settings)
        for later in (timedelta(minutes=5), timedelta(minutes=20), timedelta(days=3)):
            assert not another.send_next(now=NOON + later)
    controller.stop()
    assert held.taken == 1
    with database.reading() as session:
        assert session.execute(select(Message.state, Message.why)).all() == [("unknown", "stopped")]


def test_what_came_since_is_taken_into_the_chain(database: Database, settings: Settings, app: Flask) -> None:
    assert app
    with database.transaction() as session:
        audit.record(session, actor=COMMAND_LINE, act="x.y", subject="z", now=NOON)
    worker_of(database, PostOffice.of(settings), settings).tidy(now=NOON)
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditLink)) == 1
