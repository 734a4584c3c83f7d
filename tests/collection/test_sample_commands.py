"""`evalsys sample`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from evalsys.base.db import Database
from evalsys.cli import run
from evalsys.collection.models import Invitation
from evalsys.collection.sample_models import Sample, SamplePart, SampleSeed
from evalsys.config import Settings
from tests.collection.surveys import SECRET
from tests.factories import make_contract, make_cycle, make_entry, make_stratum

Write = Callable[..., Any]
pytestmark = [pytest.mark.usefixtures("cycle"), pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
DRAW = ["sample", "2026", "--seed", "s", "--source", "lottery", "--design", "equal", "--size", "10%", "--spare", "50%"]


@pytest.fixture
def cycle(settings: Settings, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contract with 40 recipients in the database that commands find."""
    monkeypatch.setenv("EVALSYS_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("EVALSYS_INSTANCE", str(settings.instance))
    monkeypatch.setenv("EVALSYS_SECRET_KEY", SECRET)
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")

    def make(session: Any) -> None:
        contract = make_contract(session, reference="HT-1")
        entry = make_entry(session, cycle=make_cycle(session, code="2026"), contract=contract)
        make_stratum(session, entry=entry, township="甲镇", size=40)

    write(make)


def kept(database: Database, column: Any) -> list[Any]:
    with database.reading() as session:
        return list(session.scalars(select(column)))


def test_without_yes_it_only_says_what_it_would_draw(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(DRAW) == 0
    said = capsys.readouterr().out
    assert "Seed: s" in said
    assert "HT-1 甲镇: 4 of 40, 2 spare" in said
    assert "--yes" in said
    assert kept(database, SampleSeed.seed) == kept(database, Sample.id) == []
    assert run(["sample", "2026", "--size", "3"]) == 0
    assert "Seed: drawn by the system" in capsys.readouterr().out


def test_with_yes_it_draws_and_says_what_is_left_out(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*DRAW, "--contract", "HT-1", "--yes"]) == 0
    assert "Drawn." in capsys.readouterr().out
    assert kept(database, SampleSeed.seed) == ["s"]
    assert kept(database, SamplePart.drawn) == [4]
    assert run([*DRAW, "--yes"]) == 2
    assert "HT-1: A sample is drawn." in capsys.readouterr().err
    assert kept(database, SampleSeed.seed) == ["s"], "the same seed is not fixed twice"


def test_another_seed_needs_a_reason_and_what_is_left_out_is_told(
    database: Database, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*DRAW, "--yes"]) == 0
    other = [argument.replace("lottery", "another") if argument != "s" else "t" for argument in DRAW]
    assert run([*other, "--yes"]) == 2
    assert "reason" in capsys.readouterr().err

    def more(session: Any) -> None:
        made = session.scalars(select(Sample)).one().entry.cycle
        entry = make_entry(session, cycle=made, contract=make_contract(session, reference="HT-2"))
        make_stratum(session, entry=entry, size=20)

    write(more)
    assert run([*other, "--reason", "a contract was added", "--yes"]) == 0
    assert "HT-1: A sample is drawn." in capsys.readouterr().err
    assert kept(database, SampleSeed.seed) == ["s", "t"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sample", "2026"], "--size is missing"),
        (["sample", "2026", "--size", "a"], "30"),
        (["sample", "2026", "--size", "3", "--spare", "101"], "0 to 100"),
        (["sample", "2026", "--size", "3", "--spare", "few"], "0 to 100"),
        (["sample", "2026", "--size", "3", "--design", "quota"], "quota"),
        (["sample", "2026", "--size", "3", "--seed", "s"], "source"),
        (["sample", "none", "--size", "3"], "none"),
        (["sample", "2026", "--size", "3", "--contract", "HT-9"], "HT-9"),
    ],
)
def test_bad_input_is_refused(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert run(arguments) == 2
    assert said in capsys.readouterr().err


def test_spare_cases_are_released_with_yes(
    database: Database, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*DRAW, "--yes"]) == 0

    def refuse(session: Any) -> None:
        part = session.scalars(select(SamplePart)).one()
        stratum = part.stratum
        session.add(
            Invitation(code_hmac=b"c" * 32, entry_id=stratum.entry_id, stratum_id=stratum.id, outcome="refused")
        )

    write(refuse)
    for yes, released in (([], [0]), (["--yes"], [1])):
        assert run(["sample", "2026", "--release", *yes]) == 0
        assert "Spare cases: 1" in capsys.readouterr().out
        assert kept(database, SamplePart.released) == released
