"""`evalsys db` on both engines."""

from __future__ import annotations

import pytest

from evalsys import cli
from evalsys.base import migrations


@pytest.fixture(autouse=True)
def environment(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSYS_DATABASE_URL", empty_database_url)
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.run(["db", *arguments]) == 0
    return capsys.readouterr().out.strip()


def test_up_and_down_say_from_where_to_where(capsys: pytest.CaptureFixture[str]) -> None:
    head = migrations.head()
    assert said(capsys, "current") == f"- / {head}"
    assert said(capsys, "upgrade", "--to", "0001") == "- -> 0001"
    assert said(capsys, "upgrade") == f"0001 -> {head}"
    assert said(capsys, "upgrade") == f"{head} -> {head}"
    assert said(capsys, "current") == f"{head} / {head}"
    assert said(capsys, "downgrade", "base", "--yes") == f"{head} -> -"


def test_an_unknown_migration_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "upgrade", "--to", "9999"]) == 2
    assert "There is no migration 9999." in capsys.readouterr().err
    assert said(capsys, "current").startswith("- /")


def test_down_asks_first(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    said(capsys, "upgrade")
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _text: "n")
    assert cli.run(["db", "downgrade", "base"]) == 130
    capsys.readouterr()
    assert not said(capsys, "current").startswith("-")


def test_the_answers_are_mixed_or_it_is_said_why_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said(capsys, "upgrade")
    assert said(capsys, "mix").startswith("The answers are mixed")
    monkeypatch.setattr("evalsys.base.mixing.mix", lambda _database: False)
    assert cli.run(["db", "mix"]) == 2
    assert "do it again" in capsys.readouterr().err
