"""`evalsys demo`: what it prepares and prints before it serves."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from evalsys.base.db import Database
from evalsys.cli import run
from evalsys.config import Settings
from evalsys.demo import commands
from evalsys.demo.people import SIGN_INS
from tests.factories import make_entry, make_region, make_stratum


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """What the server was started with; the county is a single contract, for speed."""
    calls: list[Settings] = []

    def load(database: Database, **_given: object) -> None:
        with database.transaction() as session:
            entry = make_entry(session)
            entry.cycle.code, entry.cycle.simulated = "2026", True
            make_stratum(session, entry=entry)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("EVALSYS_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("PORT", str(port))
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")
    monkeypatch.setenv("EVALSYS_SECRET_KEY", "")  # restored after the command has set it
    monkeypatch.delenv("EVALSYS_DATABASE_URL", raising=False)
    monkeypatch.setattr(commands, "load", load)
    monkeypatch.setattr(commands, "serve_site", lambda settings, **_where: calls.append(settings))
    return calls


def test_the_demo_says_where_it_is_and_who_may_sign_in(
    served: list[Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo"]) == 0
    said = capsys.readouterr().out
    assert f"http://127.0.0.1:{served[0].port}" in said
    assert all(entry.username in said for entry in SIGN_INS)
    assert commands.PASSWORD in said
    assert f"{served[0].base_url}/s/" in said
    kept = served[0].demo_key_file
    assert kept.read_text() == served[0].secret_key
    assert kept.stat().st_mode & 0o077 == 0, "only its owner reads the key"


def test_a_second_start_keeps_the_key_and_the_county(served: list[Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["demo"]) == 0
    monkeypatch.setenv("EVALSYS_SECRET_KEY", "")
    monkeypatch.setattr(commands, "load", lambda *_given, **_more: pytest.fail("loaded twice"))
    assert run(["demo"]) == 0
    assert served[0].secret_key == served[1].secret_key


def test_the_demo_does_not_mix_with_other_data(
    served: list[Settings], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def somebody_elses(database: Database, **_given: object) -> None:
        with database.transaction() as session:
            make_region(session)

    monkeypatch.setattr(commands, "load", somebody_elses)
    assert run(["demo"]) == 0
    assert run(["demo"]) == 2
    assert "EVALSYS_INSTANCE" in capsys.readouterr().err
    assert len(served) == 1
