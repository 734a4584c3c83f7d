"""Pages of rectifications, from the demand to what everybody reads, and the recipients' one question."""

from __future__ import annotations

import csv
import io
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask, render_template
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.appeals import follow_up_slips, follow_up_views
from evalsys.appeals.files import Sent, looked_at
from evalsys.appeals.follow_up import end_asking, follow_up_key, make_codes
from evalsys.appeals.models import FollowUpCode, FollowUpCount, Rectification, Reply
from evalsys.appeals.rectifying import Demand, find_done, lift, open_items
from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.clock import now
from evalsys.base.db import Database
from evalsys.base.working_days import local_day
from evalsys.collection.bare_pages import WRONG_CODES
from evalsys.publication.remarks import remarks_of, tags_of
from tests.appeals.rectified import DEMAND, DUE, NOTE, REPORT, World, corrected, make_world, opened, reported
from tests.appeals.test_rectification import PDF
from tests.collection.surveys import SECRET
from tests.factories import NOW, make_account
from tests.pages import CheckedClient

KEY = follow_up_key(SECRET)
Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]
LIST = "/appeals/rectifications"


@pytest.fixture
def world(write: Write) -> World:
    made: World = write(make_world)
    return made


def upload(text: str) -> dict[str, Any]:
    return {"report": text, "files": [(io.BytesIO(PDF), "台账.pdf")]}


def due_in(days: int) -> str:
    return (local_day(now()) + timedelta(days=days)).isoformat()


def test_from_the_demand_to_the_check(world: World, sign_in: SignIn, database: Database) -> None:
    officer, vendor, purchaser = (sign_in(one) for one in (world.officer, world.vendor, world.purchaser))
    assert "2026 按等级需要整改的项目" in officer.get("/desk").text
    assert "2026 有 2 个项目需要整改" in officer.get(LIST).text
    page = officer.get("/appeals/cycles/2026/rectifications").text
    assert "公布的等级为“差”（28.38 分）。请整改：" in page
    data = {"due_on": due_in(40), "entry": [str(world.worst)], f"demand-{world.worst}": DEMAND}
    assert officer.post("/appeals/cycles/2026/rectifications", data=data).status_code == 303
    assert "待报告的整改" in vendor.get("/desk").text
    where = re.search(r"/appeals/rectification/\d+", vendor.get(LIST).text)
    assert where
    address = where[0]
    page = vendor.get(address).text
    assert DEMAND in page
    assert "还剩 40 天" in page
    assert vendor.post(f"{address}/report", data=upload(REPORT)).status_code == 303
    assert "待复查的整改" in purchaser.get("/desk").text
    assert REPORT in purchaser.get(address).text
    back = {"result": "returned", "note": "缺 11 月份的上门记录。", "due_on": due_in(60)}
    assert purchaser.post(f"{address}/check", data=back).status_code == 303
    assert "退回原因" in vendor.get(address).text
    assert vendor.post(f"{address}/report", data=upload("11 月份的上门记录已补。")).status_code == 303
    assert officer.post(f"{address}/check", data={"result": "done", "note": NOTE}).status_code == 303
    page = vendor.get(address).text
    for text in (DEMAND, REPORT, "缺 11 月份的上门记录。", "11 月份的上门记录已补。", NOTE, "已整改"):
        assert text in page
    with database.reading() as session:
        assert session.scalars(select(Rectification.state)).all() == ["done"]


def test_a_refused_opening_keeps_what_was_written(world: World, sign_in: SignIn, write: Write) -> None:
    officer, address = sign_in(world.officer), "/appeals/cycles/2026/rectifications"
    data = {"entry": [str(world.worst)], f"demand-{world.worst}": "短"}
    no_day = officer.post(address, data=data)
    assert no_day.status_code == 422
    assert "请选择日期" in no_day.text
    short = officer.post(address, data=data | {"due_on": due_in(9)})
    assert short.status_code == 422
    assert "10 至 3000 个字" in short.text
    assert short.text.count(" checked") == 1
    assert officer.post(address, data={"due_on": due_in(9), "entry": "x"}).status_code == 422
    write(lambda session: [opened(session, world), setattr(session.get(Rectification, 1), "state", "open")])
    stale = officer.post(address, data=data | {"due_on": due_in(9), f"demand-{world.worst}": DEMAND})
    assert stale.status_code == 409


def test_a_cycle_in_which_all_is_demanded_says_so(world: World, sign_in: SignIn, write: Write) -> None:
    officer = sign_in(world.officer)
    page = officer.get("/appeals/cycles/2026/rectifications").text
    numbers = re.findall(r'name="entry" value="(\d+)"', page)
    data = {"due_on": due_in(9), "entry": numbers} | {f"demand-{one}": DEMAND for one in numbers}
    assert officer.post("/appeals/cycles/2026/rectifications", data=data).status_code == 303
    assert "均已提出整改要求" in officer.get("/appeals/cycles/2026/rectifications").text


def test_more_than_one_page_opens_come_in_turn(world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evalsys.appeals.rectifying.AT_ONCE", 1)
    assert "共 2 个项目，先显示前 1 个" in sign_in(world.officer).get("/appeals/cycles/2026/rectifications").text


def test_who_may_not_is_refused(world: World, sign_in: SignIn, write: Write) -> None:
    number = write(lambda session: reported(session, world).id)
    address = f"/appeals/rectification/{number}"
    stranger, vendor, auditor = (sign_in(one) for one in (world.stranger, world.vendor, world.auditor))
    assert stranger.get(address).status_code == 404
    assert stranger.post(f"{address}/report", data=upload(REPORT)).status_code == 404
    assert "没有需要整改的事项" in stranger.get(LIST).text
    assert vendor.post(f"{address}/check", data={"result": "done", "note": NOTE}).status_code == 403
    for act in ("lift", "slips", "asking/end"):
        assert vendor.post(f"{address}/{act}").status_code == 403
    assert vendor.get("/appeals/cycles/2026/rectifications").status_code == 403
    page = auditor.get(address).text
    assert REPORT in page
    assert "<form" not in page.split("<h1>")[1]
    assert stranger.get("/appeals/rectification/99").status_code == 404


def test_evidence_is_for_those_who_see_the_item(world: World, sign_in: SignIn, write: Write) -> None:
    number = write(lambda session: opened(session, world).id)
    vendor = sign_in(world.vendor)
    vendor.post(f"/appeals/rectification/{number}/report", data=upload(REPORT))
    link = re.search(r"/appeals/rectification/files/\d+", vendor.get(f"/appeals/rectification/{number}").text)
    assert link
    got = sign_in(world.officer).get(link[0])
    assert got.data == PDF
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert sign_in(world.stranger).get(link[0]).status_code == 404
    assert vendor.get("/appeals/rectification/files/99").status_code == 404

    def of_a_reply(session: Session) -> int:
        told = Reply(entry_id=world.worst, text="已知悉。", state="submitted", submitted_at=NOW, submitted_by="谢婷")
        told.files = looked_at([Sent("说明.pdf", PDF)], now=NOW)
        session.add(told)
        session.flush()
        return told.files[0].id

    assert vendor.get(f"/appeals/rectification/files/{write(of_a_reply)}").status_code == 404


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"note": NOTE}, "请选择"),
        ({"result": "returned", "note": NOTE}, "请选择日期"),
        ({"result": "returned", "note": NOTE, "due_on": "2020-01-01"}, "一年内"),
        ({"result": "done", "note": "好"}, "10 至 1000 个字"),
    ],
)
def test_a_check_that_says_too_little_is_shown_again(
    world: World, sign_in: SignIn, write: Write, data: dict[str, str], said: str
) -> None:
    number = write(lambda session: reported(session, world).id)
    answer = sign_in(world.officer).post(f"/appeals/rectification/{number}/check", data=data)
    assert answer.status_code == 422
    assert said in answer.text


def test_script_in_a_report_stays_text(world: World, sign_in: SignIn, write: Write) -> None:
    number = write(lambda session: opened(session, world).id)
    sign_in(world.vendor).post(
        f"/appeals/rectification/{number}/report", data={"report": "<script>alert(1)</script> 已整改"}
    )
    page = sign_in(world.officer).get(f"/appeals/rectification/{number}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_list_as_a_file_and_narrowed(
    world: World, sign_in: SignIn, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalsys.appeals.rectification_desk.WHOLE", 1)

    def late(session: Session) -> None:
        cycle, demands = world.cycle(session), [Demand(world.weak, DEMAND)]
        open_items(session, cycle, demands, due_on=DUE, actor=world.acting, now=NOW)
        item = opened(session, world)
        item.due_on = NOW.date().replace(year=2025)

    write(late)
    officer = sign_in(world.officer)
    assert "逾期未报告的整改" in officer.get("/desk").text
    page = officer.get(f"{LIST}?state=overdue&cycle=2026&q=送医").text
    assert "送医陪护服务" in page
    assert "显示全部" in officer.get(f"{LIST}?q=无此").text
    assert officer.get(f"{LIST}?format=xlsx").data.startswith(b"PK")
    rows = list(csv.reader(io.StringIO(officer.get(f"{LIST}?format=csv").data.decode("utf-8-sig"))))
    assert [row[1] for row in rows[1:]] == ["QX-1", "QX-2"]
    assert rows[1][:4] == ["2026", "QX-1", "送医陪护服务", "好帮手服务中心"]
    assert rows[1][8:10] == ["待整改", "是"]
    vendor = sign_in(world.vendor)
    assert "已逾期" in vendor.get(re.findall(r"/appeals/rectification/\d+", vendor.get(LIST).text)[0]).text


def test_a_lifted_item_is_closed_with_its_ground(world: World, sign_in: SignIn, write: Write) -> None:
    number = write(lambda session: opened(session, world).id)
    officer, address = sign_in(world.officer), f"/appeals/rectification/{number}"
    assert officer.post(f"{address}/lift").status_code == 409
    write(lambda session: corrected(session, world, world.worst, "good"))
    assert "以此为由办结" in officer.get(address).text
    assert officer.post(f"{address}/lift").status_code == 303
    assert "第 2 版更正了结果" in sign_in(world.vendor).get(address).text


def told(app: Flask, session: Session, world: World) -> str:
    """What stands beside the line of the worst contract, as its page shows it."""
    remark = next(one for one in remarks_of(session, world.cycle_id, "QX-1") if "rectification" in one.template)
    with app.test_request_context("/"):
        return render_template(remark.template, about=remark.about)


def test_everybody_reads_how_far_it_is_and_nothing_of_the_words(app: Flask, session: Session) -> None:
    world = make_world(session)
    item = opened(session, world)
    assert "整改期限为2026年12月31日" in told(app, session, world)
    assert [(one.tag, one.code) for one in tags_of(session, world.cycle_id)["QX-1"]] == [("整改中", "rectifying")]
    item.report, item.state, item.reported_at = REPORT, "reported", NOW
    assert "已于2026年11月2日报告整改情况，正在复查" in told(app, session, world)
    made = make_codes(session, item.id, 5, key=KEY, actor=world.acting, now=NOW)
    find_done(session, item.id, NOTE, actor=world.acting, now=NOW)
    assert "回访服务对象" not in told(app, session, world)
    end_asking(session, made.item.id, actor=world.acting, now=NOW)
    text = told(app, session, world)
    assert "确认已整改" in text
    assert "不足五人" in text
    assert not {DEMAND, REPORT, NOTE} & set(text.split("\n"))
    assert DEMAND not in text
    assert [(one.tag, one.code) for one in tags_of(session, world.cycle_id)["QX-1"]] == [("已整改", "rectified")]
    session.execute(FollowUpCount.__table__.update().values(count=3))
    assert "变好了" in told(app, session, world)


def test_a_lifted_demand_is_told_as_such(app: Flask, session: Session) -> None:
    world = make_world(session)
    item = opened(session, world)
    corrected(session, world, world.worst, "good")
    lift(session, item.id, actor=world.acting, now=NOW)
    assert "第 2 版更正了结果，不再需要整改" in told(app, session, world)
    assert "QX-1" not in tags_of(session, world.cycle_id)


def test_slips_are_made_used_and_counted(
    world: World, client: CheckedClient, sign_in: SignIn, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = write(lambda session: reported(session, world).id)
    officer, address = sign_in(world.officer), f"/appeals/rectification/{number}"
    given: dict[str, Any] = {}

    def keep(template: str, folder: object, **values: Any) -> bytes:
        given.update(values)
        return b"%PDF-"

    monkeypatch.setattr(follow_up_slips, "typeset", keep)
    for count in ("", "0", "201"):
        assert officer.post(f"{address}/slips", data={"count": count}).status_code == 422
    got = officer.post(f"{address}/slips", data={"count": "6", "phone": "0763-123"})
    assert got.mimetype == "application/pdf"
    slips = given["heaps"][0]["slips"]
    assert len(slips) == 6
    assert given["words"]["title"] == "服务有没有变好？"
    assert "0763-123" in given["words"]["phone"]
    assert officer.post(f"{address}/slips", data={"count": "195"}).status_code == 422
    for slip, answer in zip(slips, ("better", "better", "better", "worse", "same", "unknown"), strict=True):
        code = slip["code"].replace("-", "")
        assert "送医陪护服务" in client.get(f"/better/{code}").text
        assert client.post(f"/better/{code}", data={"answer": answer}).location.endswith("/better/thanks")
    assert "已制作 6 张纸条，已有 6 张作答" in officer.get(address).text
    assert "已制作" not in sign_in(world.vendor).get(address).text
    assert officer.post(f"{address}/asking/end").status_code == 422
    assert officer.post(f"{address}/asking/end", data={"sure": "y"}).status_code == 303
    page = sign_in(world.vendor).get(address).text
    assert "<dt>变好了</dt><dd>3</dd>" in page
    assert officer.post(f"{address}/asking/end", data={"sure": "y"}).status_code == 409
    assert officer.post(f"{address}/slips", data={"count": "1"}).status_code == 409


def test_slips_are_printed(app: Flask, session: Session) -> None:
    world = make_world(session)
    contract = opened(session, world).entry.contract
    pdf = follow_up_slips.follow_up_pdf(
        contract, ["23456789AC"], base_url="https://pj.example.cn", until=NOW.date(), phone="", fonts=None
    )
    assert pdf.startswith(b"%PDF-")


@pytest.fixture
def code(world: World, write: Write) -> str:
    def made(session: Session) -> str:
        item = reported(session, world)
        return make_codes(session, item.id, 1, key=KEY, actor=world.acting, now=now()).codes[0]

    fresh: str = write(made)
    return fresh


def test_a_recipient_answers_once_without_a_trace(
    code: str, client: CheckedClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with database.reading() as session:
        before = session.scalar(select(func.count()).select_from(AuditEntry))
    typed = client.get(f"/better/?code={code[:5].lower()}-{code[5:]}")
    assert typed.location.endswith(f"/better/{code}")
    page = client.get(f"/better/{code}")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in page.headers
    assert "<script" not in page.text
    assert "变好了" in page.text
    assert "It got better" in client.get(f"/better/{code}?lang=en").text
    for nothing in ({}, {"answer": "splendid"}, {"answer": ["better", "worse"]}):
        again = client.post(f"/better/{code}", data=nothing)
        assert again.status_code == 422
        assert 'class="plain wrong"' in again.text
    sent = client.post(f"/better/{code}", data={"answer": "same"})
    assert sent.status_code == 303
    assert "Set-Cookie" not in sent.headers
    assert "您的回答已收到" in client.get(sent.location).text
    assert client.get(f"/better/{code}").status_code == 410
    second = client.post(f"/better/{code}", data={"answer": "better"})
    assert second.status_code == 409
    assert "没有重复计数" in second.text
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == before
        assert dict(session.execute(select(FollowUpCount.answer, FollowUpCount.count)).all()) == {
            "better": 0,
            "same": 1,
            "worse": 0,
            "unknown": 0,
        }
        assert session.scalars(select(FollowUpCode.used)).all() == [True]
    assert code not in caplog.text


def test_after_the_end_the_truth_is_told(code: str, world: World, client: CheckedClient, write: Write) -> None:
    write(lambda session: end_asking(session, 1, actor=world.acting, now=now()))
    assert client.get(f"/better/{code}").status_code == 410
    late = client.post(f"/better/{code}", data={"answer": "better"})
    assert late.status_code == 410
    assert "回访已结束" in late.text


def test_wrong_codes_are_told_and_slowed_together_with_the_surveys(code: str, client: CheckedClient) -> None:
    assert "纸条上的回访码" in client.get("/better/").text
    assert client.get("/better/?code=ABC").status_code == 404
    assert client.get("/better/2222222222").status_code == 404
    assert client.post("/better/2222222222", data={"answer": "better"}).status_code == 404
    with time_machine.travel(now(), tick=False):
        for _n in range(WRONG_CODES):
            slowed = client.get("/better/2222222222")
        assert slowed.status_code == 429
        assert slowed.headers["Retry-After"] == "2"
        for address in (f"/better/{code}", "/s/2222222222"):
            assert client.get(address).status_code == 429
        assert client.post(f"/better/{code}", data={"answer": "better"}).status_code == 429


def test_while_the_database_is_away_the_answer_is_kept_in_the_page(
    code: str, client: CheckedClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_given: object, **_more: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    with monkeypatch.context() as patch:
        patch.setattr(follow_up_views, "count_answer", fails)
        away = client.post(f"/better/{code}", data={"answer": "worse"})
    assert away.status_code == 503
    assert 'name="answer" value="worse"' in away.text
    assert code not in caplog.text
    assert client.post(f"/better/{code}", data={"answer": "x" * 70_000}).status_code == 413
    assert client.post(f"/better/{code}", data={"answer": "worse"}).status_code == 303


def test_an_administrator_reads_the_branch(world: World, sign_in: SignIn, write: Write) -> None:
    number = write(lambda session: opened(session, world).id)

    def administrator(session: Session) -> Account:
        account = make_account(session, Role.ADMINISTRATOR, region=world.cycle(session).region)
        assert account.as_actor().region_path
        return account

    assert sign_in(write(administrator)).get(f"/appeals/rectification/{number}").status_code == 200
