"""`evalsys serve`: what it refuses, and that it serves."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from evalsys import cli
from evalsys.base import migrations
from evalsys.base.db import Database
from evalsys.operations import serve

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(autouse=True)
def environment(database: Database, free: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSYS_DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("EVALSYS_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("EVALSYS_SECRET_KEY", "a secret for tests only, long enough to be one")
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")
    monkeypatch.setenv("PORT", str(free))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What the server would have been started with."""
    calls: list[dict[str, object]] = []

    class Server:
        def __init__(self, target: str, **options: object) -> None:
            self.options = {"target": target, **options}

        def serve(self) -> None:
            calls.append(self.options)

    monkeypatch.setattr("granian.Granian", Server)
    return calls


def test_it_serves_the_application_in_as_many_processes_as_the_database_bears(
    started: list[dict[str, object]], database: Database, free: int
) -> None:
    assert cli.run(["serve", "--host", "127.0.0.2"]) == 0
    (options,) = started
    assert options["target"] == "evalsys.operations.serve:served_app"
    assert options["factory"] is True
    assert (options["address"], options["port"]) == ("127.0.0.2", free)
    assert options["workers"] == (1 if database.is_sqlite else os.cpu_count())


def test_several_processes_are_refused_on_sqlite_only(
    started: list[dict[str, object]], database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["serve", "--workers", "3"]) == (2 if database.is_sqlite else 0)
    assert [options["workers"] for options in started] == ([] if database.is_sqlite else [3])
    assert ("--workers" in capsys.readouterr().err) is database.is_sqlite


def test_no_secret_key_is_refused(
    started: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EVALSYS_SECRET_KEY")
    assert cli.run(["serve"]) == 2
    assert started == []
    said = capsys.readouterr().err
    assert "EVALSYS_SECRET_KEY is not set." in said
    assert "export EVALSYS_SECRET_KEY=" in said


def test_an_older_schema_is_refused_unless_it_may_be_upgraded(
    started: list[dict[str, object]], database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    migrations.downgrade(database, "-1")
    assert cli.run(["serve"]) == 2
    assert "evalsys db upgrade" in capsys.readouterr().err
    assert started == []
    assert cli.run(["serve", "--upgrade"]) == 0
    assert len(started) == 1
    assert migrations.current(database) == migrations.head()


def test_a_taken_port_is_refused(
    started: list[dict[str, object]], taken: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", str(taken))
    assert cli.run(["serve"]) == 2
    assert started == []
    assert f"Cannot listen on 127.0.0.1:{taken}" in capsys.readouterr().err


def test_a_free_port_is_found_on_ipv6_too(free: int) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    serve.require_free_port("::1", free)


def test_the_real_server_answers_and_ends_when_told(free: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "evalsys.cli", "serve"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert f"http://127.0.0.1:{free}" in process.stdout.readline()
            assert status_of("/healthz", free, process) == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_messages_are_sent_beside_the_site_until_its_process_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    class Process:
        is_alive = staticmethod(lambda: not ended.is_set())
        join = staticmethod(ended.wait)

    looked = threading.Event()
    monkeypatch.setattr(threading, "main_thread", Process)
    monkeypatch.setattr("evalsys.base.jobs.Worker.send_next", lambda *_given, **_more: looked.set())
    app = serve.served_app()
    (worker,) = (thread for thread in threading.enumerate() if thread.name == "messages")
    assert looked.wait(30)
    ended.set()
    worker.join(30)
    assert not worker.is_alive()
    app.extensions["database"].dispose()


def status_of(path: str, port: int, process: subprocess.Popen[str]) -> int:
    """The status of the first answer; the server takes a moment to listen."""
    for _try in range(600):
        assert process.poll() is None, "the server ended by itself"
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            threading.Event().wait(0.05)
        finally:
            connection.close()
    pytest.fail("the server did not answer within half a minute")
