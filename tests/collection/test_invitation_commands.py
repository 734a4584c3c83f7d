"""`evalsys invite` and `evalsys status`."""

from __future__ import annotations

import csv
import io
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from evalsys.base.db import Database
from evalsys.cli import run
from evalsys.collection import invitation_commands
from evalsys.collection.messages.models import KeptCode
from evalsys.collection.models import Invitation
from evalsys.config import Settings
from evalsys.registry.models import Stratum
from tests.collection.messaged import enrol
from tests.collection.surveys import SECRET
from tests.factories import make_cycle, make_entry, make_stratum

Write = Callable[..., Any]


@pytest.fixture
def cycle(settings: Settings, write: Write, monkeypatch: pytest.MonkeyPatch) -> str:
    """The code of a cycle with a frame of seven, in the database that commands find."""
    monkeypatch.setenv("EVALSYS_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("EVALSYS_INSTANCE", str(settings.instance))
    monkeypatch.setenv("EVALSYS_SECRET_KEY", SECRET)
    monkeypatch.setenv("EVALSYS_BASE_URL", "https://pj.example.cn")
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")
    write(lambda s: make_stratum(s, entry=make_entry(s, cycle=make_cycle(s, code="2026")), size=7))
    return "2026"


def count(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Invitation)) or 0


def links(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))


def test_invite_writes_links_that_only_the_owner_reads(
    cycle: str, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "links.csv"
    assert run(["invite", cycle, "--out", str(out)]) == 0
    assert "7 new codes" in capsys.readouterr().out
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    rows = links(out)
    assert list(rows[0]) == ["contract", "code", "url", "township", "item", "number"]
    assert {row["url"] for row in rows} == {f"https://pj.example.cn/s/{row['code']}" for row in rows}
    assert len(rows) == count(database) == 7
    assert list(tmp_path.glob(".*.part")) == []


def test_invite_prints_slips_and_posters(
    cycle: str, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["--out", str(tmp_path / "links.csv"), "--slips", str(tmp_path / "s.pdf")]
    posters = ["--posters", str(tmp_path / "p.pdf"), "--phone", "0763-8731234"]
    (tmp_path / "p.pdf").write_text("another year's")
    assert run(["invite", cycle, *names, *posters]) == 2
    assert "--posters" in capsys.readouterr().err
    monkeypatch.setenv("EVALSYS_FONTS", str(tmp_path))
    assert run(["invite", cycle, *names]) == 2
    assert "EVALSYS_FONTS" in capsys.readouterr().err
    assert count(database) == 0
    monkeypatch.delenv("EVALSYS_FONTS")
    (tmp_path / "p.pdf").unlink()
    assert run(["invite", cycle, *names, *posters]) == 0
    assert "To print:" in capsys.readouterr().out
    for name in ("s.pdf", "p.pdf"):
        assert (tmp_path / name).read_bytes().startswith(b"%PDF")
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert len(links(tmp_path / "links.csv")) == 7
    assert list(tmp_path.glob(".*.part")) == []


def test_when_printing_fails_the_codes_are_kept(cycle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_invited: object, _notice: object) -> bytes:
        raise OSError(28, "No space left on device", "s.pdf")

    monkeypatch.setitem(invitation_commands.PRINTED, "--slips", full)
    assert run(["invite", cycle, "--out", str(tmp_path / "links.csv"), "--slips", str(tmp_path / "s.pdf")]) == 2
    assert len(links(tmp_path / "links.csv")) == 7
    assert [file.name for file in tmp_path.iterdir() if "s.pdf" in file.name] == []


@pytest.mark.parametrize(("asked", "kept"), [([], 0), (["--by-message"], 1)])
def test_codes_are_kept_for_messages_when_asked(
    cycle: str, database: Database, tmp_path: Path, asked: list[str], kept: int
) -> None:
    with database.transaction() as session:
        enrol(session, session.scalars(select(Stratum)).one(), ["13800138000", "0763-8731234"])
    assert run(["invite", cycle, "--out", str(tmp_path / "links.csv"), *asked]) == 0
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(KeptCode)) == kept


def test_invite_again_gives_none_and_keeps_the_file(
    cycle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "links.csv"
    run(["invite", cycle, "--out", str(out)])
    before = out.read_bytes()
    assert run(["invite", cycle, "--out", str(out)]) == 0
    assert "0 new codes" in capsys.readouterr().out
    assert out.read_bytes() == before


def test_invite_never_writes_over_codes(
    cycle: str, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "links.csv"
    out.write_text("contract,code,url\nHT,A,B\n")
    assert run(["invite", cycle, "--out", str(out)]) == 2
    assert "--out" in capsys.readouterr().err
    assert count(database) == 0
    out.write_text("")  # an empty file holds nothing to lose
    assert run(["invite", cycle, "--out", str(out)]) == 0


def test_replacing_makes_the_old_codes_worthless(cycle: str, database: Database, tmp_path: Path) -> None:
    run(["invite", cycle, "--out", str(tmp_path / "lost.csv")])
    assert run(["invite", cycle, "--out", str(tmp_path / "new.csv"), "--replace-unused"]) == 0
    old, new = ({row["code"] for row in links(tmp_path / name)} for name in ("lost.csv", "new.csv"))
    assert len(new) == 7
    assert not old & new
    assert count(database) == 7


def test_when_the_file_cannot_be_written_no_code_is_given(
    cycle: str, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["invite", cycle, "--out", str(tmp_path / "nowhere" / "links.csv")]) == 2

    def full(_file: Path, _text: str) -> None:
        raise OSError(28, "No space left on device", "links.csv")

    monkeypatch.setattr(invitation_commands, "_write_privately", full)
    assert run(["invite", cycle, "--out", str(tmp_path / "links.csv")]) == 2
    assert count(database) == 0
    assert list(tmp_path.glob("*links*")) == []


def test_an_unknown_cycle_and_a_missing_key_are_told(
    cycle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["invite", "1999", "--out", str(tmp_path / "x.csv")]) == 2
    assert "2026" in capsys.readouterr().err
    monkeypatch.delenv("EVALSYS_SECRET_KEY")
    assert run(["invite", cycle, "--out", str(tmp_path / "x.csv")]) == 2
    assert "EVALSYS_SECRET_KEY" in capsys.readouterr().err


def test_status_says_how_far_the_survey_is(cycle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["invite", cycle, "--out", str(tmp_path / "links.csv")])
    capsys.readouterr()
    assert run(["status", cycle, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"invited": 7, "used": 0, "received": 0, "counted": 0}
    assert run(["status", cycle]) == 0
    assert "invited           7" in capsys.readouterr().out
