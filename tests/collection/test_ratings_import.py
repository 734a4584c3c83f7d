"""The two ways in for a file of ratings: the command and the pages."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys import cli
from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.base.db import Database
from evalsys.collection.models import RatingsImport, Response
from evalsys.config import Settings
from evalsys.registry.models import Cycle
from tests.collection.world import World, make_world
from tests.factories import make_account
from tests.pages import CheckedClient

SignIn = Callable[[Account], CheckedClient]
HEAD = "contract,party,rater,criterion,value\n"


@pytest.fixture
def world(write: Callable[..., Any], app: Flask) -> World:
    made: World = write(make_world, code="2026")
    return made


def rows(world: World, value: int = 5) -> str:
    return f"{HEAD}{world.contract.reference},recipient,张三,recipient_satisfied,{value}\n"


def counted(database: Database) -> tuple[int, int]:
    with database.reading() as session:
        return (
            session.scalar(select(func.count()).select_from(Response)) or 0,
            session.scalar(select(func.count()).select_from(RatingsImport)) or 0,
        )


# ── The command ──


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    monkeypatch.setenv("EVALSYS_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("EVALSYS_INSTANCE", str(settings.instance))
    monkeypatch.setenv("EVALSYS_LANGUAGE", "zh")

    def command(content: str, *options: str) -> int:
        file = tmp_path / "ratings.csv"
        file.write_text(content, "utf-8")
        return cli.run(["import", "ratings", str(file), *options])

    return command


def test_the_command_takes_a_file_in_once(
    world: World, database: Database, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(rows(world), "--cycle", "2026", "--dry-run") == 0
    assert "没有保存" in capsys.readouterr().out
    assert counted(database) == (0, 0)
    assert run(rows(world), "--cycle", "2026") == 0
    assert "1 条评分" in capsys.readouterr().out
    assert run(rows(world), "--cycle", "2026") == 0
    said = capsys.readouterr().out
    assert "没有变化" in said
    assert "已替换" not in said
    assert counted(database) == (1, 1)


def test_the_command_replaces_only_when_told(
    world: World, database: Database, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    run(rows(world), "--cycle", "2026")
    assert run(rows(world, 4), "--cycle", "2026") == 2
    assert "--replace" in capsys.readouterr().err
    assert run(rows(world, 4), "--cycle", "2026", "--dry-run") == 0
    said = capsys.readouterr().out
    assert "将被替换：1 组" in said
    assert "已替换" not in said
    assert run(rows(world, 4), "--cycle", "2026", "--replace") == 0
    assert "已替换" in capsys.readouterr().out
    assert counted(database) == (1, 1)


def test_the_command_lists_faults_without_labels(
    world: World, database: Database, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(rows(world, 9), "--cycle", "2026") == 2
    said = capsys.readouterr().err
    assert "第 2 行" in said
    assert "张三" not in said
    assert run(rows(world), "--cycle", "nothing") == 2
    assert counted(database) == (0, 0)


def test_the_command_tells_how_far_it_is(
    world: World, run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    line = f"{world.contract.reference},recipient,{{}},recipient_satisfied,5\n"
    run(HEAD + "".join(map(line.format, range(50_000))), "--cycle", "2026", "--dry-run")
    assert "50,000" in capsys.readouterr().err


# ── The pages ──


def send(browser: CheckedClient, content: str) -> Any:
    data = {"file": (io.BytesIO(content.encode("gb18030")), "评分.csv")}
    return browser.post("/collection/cycles/2026/ratings", data=data, content_type="multipart/form-data")


def test_upload_preview_and_confirmation(world: World, database: Database, sign_in: SignIn) -> None:
    browser = sign_in(world.administrator)
    assert "还没有导入过" in browser.get("/collection/cycles/2026/ratings").text
    assert "/collection/cycles/2026/ratings" in browser.get("/collection/").text
    sent = send(browser, rows(world))
    assert sent.status_code == 303
    page = browser.get(sent.location).text
    assert "评分.csv" in page
    assert "服务对象" in page
    assert counted(database) == (0, 0)
    done = browser.post(sent.location, follow_redirects=True)
    assert "评分已导入" in done.text
    assert counted(database) == (1, 1)
    assert browser.get(sent.location).status_code == 410
    again = send(browser, rows(world))
    assert "不会有任何变化" in browser.get(again.location).text
    assert "没有变化" in browser.post(again.location, follow_redirects=True).text


def test_replacing_is_confirmed_by_a_tick(world: World, database: Database, sign_in: SignIn) -> None:
    browser = sign_in(world.administrator)
    browser.post(send(browser, rows(world)).location)
    changed = send(browser, rows(world, 3)).location
    assert "用本文件替换" in browser.get(changed).text
    refused = browser.post(changed)
    assert (refused.status_code, "以前已经导入" in refused.text) == (409, True)
    assert browser.post(changed, data={"replace": "y"}).status_code == 303
    assert counted(database) == (1, 1)


def test_faulty_cells_are_listed_on_the_page(world: World, database: Database, sign_in: SignIn) -> None:
    browser = sign_in(world.administrator)
    answer = send(browser, rows(world, 9))
    assert answer.status_code == 422
    assert "E value" in answer.text
    assert "请填写 1 至 5 的整数等级" in answer.text
    assert send(browser, "a,b\n1,2\n").status_code == 422
    empty = browser.post("/collection/cycles/2026/ratings", data={})
    assert (empty.status_code, "请选择文件" in empty.text) == (422, True)


def test_the_templates_can_be_sent_back_filled(world: World, sign_in: SignIn) -> None:
    browser = sign_in(world.administrator)
    csv = browser.get("/collection/ratings-template.csv")
    assert csv.text.lstrip("\ufeff").startswith("合同编号,评价主体,评价人,评价指标,评分")
    assert browser.get("/collection/ratings-template.xlsx").data.startswith(b"PK")
    assert browser.get("/collection/ratings-template.pdf").status_code == 404
    example = csv.data.decode("utf-8-sig").replace("QY-2026-001", world.contract.reference)
    assert send(browser, example).status_code == 303


def test_only_administrators_and_only_while_ratings_come_in(
    write: Callable[..., Any], world: World, sign_in: SignIn
) -> None:
    assert sign_in(world.auditor).get("/collection/cycles/2026/ratings").status_code == 403
    elsewhere = write(make_account, Role.ADMINISTRATOR)
    assert sign_in(elsewhere).get("/collection/cycles/2026/ratings").status_code == 403

    def publish(session: Session) -> None:
        session.get_one(Cycle, world.cycle.id).state = "published"

    write(publish)
    assert sign_in(world.administrator).get("/collection/cycles/2026/ratings").status_code == 409
