"""`evalsys jobs`: the worker on its own."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from evalsys import cli
from evalsys.base import jobs
from evalsys.base.db import Database
from evalsys.base.outbox import Message
from evalsys.collection.messages.models import KeptCode, MailingKind
from evalsys.collection.models import Invitation
from evalsys.config import Settings
from tests.collection.messaged import messaged_world, start_now

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
    assert cli.run(["jobs", "run", "--once"]) == 0
    assert capsys.readouterr().out == "2 messages were due.\n"
    with database.reading() as session:
        states = [message.state for message in session.scalars(select(Message).order_by(Message.id))]
        assert len(session.scalars(select(KeptCode)).all()) == 1
    assert states[0] == "dropped"
    assert states[1] in ("sent", "waiting")  # the latter in the night


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
