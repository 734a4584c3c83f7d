"""`evalsys paper print`."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalsys.cli import run
from evalsys.collection import paper_commands
from evalsys.config import Settings
from tests.collection.paper import Office, make_office
from tests.collection.surveys import SECRET

Write = Callable[..., Any]
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # the use case runs on both elsewhere


@pytest.fixture
def office(settings: Settings, write: Write, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.setenv("EVALSYS_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("EVALSYS_INSTANCE", str(settings.instance))
    monkeypatch.setenv("EVALSYS_SECRET_KEY", SECRET)
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")
    made: Office = write(make_office)
    return made


def arguments(office: Office, out: Path, copies: str = "4", **changes: str) -> list[str]:
    named = {"contract": office.entry.contract.reference, "copies": copies, "out": str(out)} | changes
    return ["paper", "print", office.cycle.code, *(part for k, v in named.items() for part in (f"--{k}", v))]


def test_forms_are_printed_into_a_file_that_only_the_owner_reads(
    office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "forms.pdf"
    assert run(arguments(office, out, township="山塘镇")) == 0
    assert "4 forms to print" in capsys.readouterr().out
    assert out.read_bytes().startswith(b"%PDF-")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert run(arguments(office, out)) == 2
    assert "forms.pdf" in capsys.readouterr().err


def test_nothing_is_left_where_nothing_can_be_given(
    office: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "forms.pdf"
    assert run(arguments(office, out, township="北京路")) == 2
    assert "山塘镇" in capsys.readouterr().err
    assert run(arguments(office, out, copies="21")) == 2
    assert "Only 20" in capsys.readouterr().err
    assert run(arguments(office, out, copies="0")) == 2
    assert not out.exists()
    monkeypatch.setattr(paper_commands, "forms_pdf", lambda *_args, **_named: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(arguments(office, out))
    assert not out.exists()
