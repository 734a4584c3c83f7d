"""`evalsys cycle` from the command line."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.appeals.models import PreliminaryNotice
from evalsys.base.db import Database
from evalsys.cli import run
from evalsys.config import Settings
from evalsys.evaluation.models import KeptSums, Run
from evalsys.publication.models import Edition
from evalsys.registry.models import Cycle, Entry
from tests.collection.surveys import make_invitation
from tests.evaluation.rated import rated_cycle

WHY = "补入漏登的纸质问卷，重新计算。"


@pytest.fixture
def county(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A cycle 2026 that collects, and the environment that leads commands to its database."""
    monkeypatch.setenv("EVALSYS_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("EVALSYS_INSTANCE", str(settings.instance))
    monkeypatch.setenv("EVALSYS_LANGUAGE", "zh")
    with database.transaction() as session:
        cycle = rated_cycle(session, contracts=2, state="collecting", code="2026")
        rated_cycle(session, contracts=1, state="collecting", code="other")
        draft = rated_cycle(session, contracts=1, state="collecting", code="draft")
        draft.state = "draft"
        assert cycle.id
    return database


def state(database: Database, code: str = "2026") -> str:
    with database.reading() as session:
        return session.scalars(select(Cycle.state).where(Cycle.code == code)).one()


def rows(session: Session, model: type[Run] | type[Edition] | type[PreliminaryNotice]) -> int:
    return len(session.scalars(select(model)).all())


def test_the_steps_one_after_the_other(county: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cycle", "2026", "close"]) == 0
    assert state(county) == "review"
    assert run(["cycle", "2026", "run", "--seed", "7"]) == 0
    told = capsys.readouterr()
    assert "共 2 个项目，正式评级 2 个" in told.out
    assert "正在为 2026 计分" in told.err
    assert run(["cycle", "2026", "publish"]) == 0
    assert "2026 第 1 版已公告" in capsys.readouterr().out
    assert run(["cycle", "2026", "run", "--refit"]) == 0
    assert run(["cycle", "2026", "publish"]) == 2
    assert "更正必须说明理由" in capsys.readouterr().err
    assert run(["cycle", "2026", "publish", "--reason", WHY]) == 0
    with county.reading() as session:
        assert [edition.reason for edition in session.scalars(select(Edition).order_by(Edition.number))] == ["", WHY]
        assert session.scalars(select(Run.seed).order_by(Run.id)).first() == 7
    assert state(county, "other") == "collecting"


def test_ratings_are_looked_through(county: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cycle", "2026", "scan"]) == 2
    assert "请先结束评分收集" in capsys.readouterr().err
    assert run(["cycle", "2026", "close"]) == 0
    assert run(["cycle", "2026", "scan"]) == 0
    assert "2026：新增提示" in capsys.readouterr().out
    assert state(county) == "review"


def test_a_draft_is_opened(county: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cycle", "draft", "open"]) == 0
    assert state(county, "draft") == "collecting"
    assert "draft" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["2026", "publish"], ["2026", "run"], ["2026", "open"], ["nowhere", "run"], ["2026", "fly"], ["2026"]]
)
def test_a_step_out_of_turn_is_refused_and_nothing_is_saved(
    county: Database, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(["cycle", *arguments]) == 2
    assert capsys.readouterr().err
    assert state(county) == "collecting"
    with county.reading() as session:
        assert rows(session, Run) == rows(session, Edition) == 0


def test_an_interrupted_run_saves_nothing_and_says_so(
    county: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["cycle", "2026", "close"]) == 0

    def interrupted(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("evalsys.evaluation.usecases._keep_scores", interrupted)
    assert run(["cycle", "2026", "run"]) == 130
    assert "已中断，没有保存任何内容" in capsys.readouterr().err
    assert state(county) == "review"
    with county.reading() as session:
        assert rows(session, Run) == 0
        assert session.scalars(select(KeptSums)).all() == []


def test_a_terminal_is_told_each_step(
    county: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert run(["cycle", "2026", "close"]) == 0
    assert run(["cycle", "2026", "run"]) == 0
    told = capsys.readouterr().err
    assert told.index("读取评分") < told.index("为 2 个项目计分") < told.index("保存结果")


def test_a_run_that_is_not_to_wait_for_open_surveys_says_so(
    county: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed: list[Database] = []
    monkeypatch.setattr("evalsys.operations.cycle.mix", mixed.append)
    with county.transaction() as session:
        make_invitation(session, entry=session.scalars(select(Entry).join(Cycle).where(Cycle.code == "2026")).first())
    assert run(["cycle", "2026", "close"]) == 0
    assert run(["cycle", "2026", "run"]) == 2
    assert "打开着的问卷" in capsys.readouterr().err
    assert run(["cycle", "2026", "run", "--early"]) == 0
    assert run(["cycle", "2026", "publish"]) == 0
    assert len(mixed) == 2  # with close and with run


def test_vendors_are_told_the_result_and_until_when_they_may_object(
    county: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["cycle", "2026", "close"]) == 0
    assert run(["cycle", "2026", "notify"]) == 2
    assert "没有可告知的初步结果" in capsys.readouterr().err
    assert run(["cycle", "2026", "run"]) == 0
    assert run(["cycle", "2026", "notify"]) == 0
    assert "已告知承接主体" in capsys.readouterr().out
    assert run(["cycle", "2026", "notify"]) == 2
    with county.reading() as session:
        assert rows(session, PreliminaryNotice) == 1
