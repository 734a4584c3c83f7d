"""The pages on which a coordinator writes to recipients; and the one on which a recipient wants no more of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from evalsys.accounts.models import Account
from evalsys.base.db import Database
from evalsys.base.outbox import Message
from evalsys.collection.bare_pages import WRONG_CODES
from evalsys.collection.messages.keeping import code_box, unlocked
from evalsys.collection.messages.models import KeptCode, MailingKind
from tests.collection.messaged import CONTACTS, enrol, messaged_world, start_now
from tests.collection.surveys import SECRET
from tests.collection.world import make_world
from tests.factories import NOW, make_cycle, make_stratum
from tests.pages import CheckedClient

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]
URL = "/collection/cycles/2026/messages"
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # pages; the rest runs on both engines


def test_from_the_codes_to_the_messages(database: Database, write: Write, sign_in: SignIn) -> None:
    def unasked(session: Any) -> Any:
        world = make_world(session, code="2026")
        enrol(session, make_stratum(session, entry=world.entry, size=4), CONTACTS)
        return world

    browser = sign_in(write(unasked).administrator)
    assert "尚未发送消息" in browser.get(f"{URL}/").text
    assert "尚无服务对象有问卷码" in browser.get(f"{URL}/new/invitation").text
    codes = browser.post("/collection/cycles/2026/invitations/", data={"kept": "y", "by_message": "y"})
    assert codes.mimetype == "text/csv"
    preview = browser.get(f"{URL}/new/invitation")
    for said in ("短信", "电子邮件", "没有手机号或电子邮箱", "发送给 2 人", "messages.jsonl"):
        assert said in preview.text
    sent = browser.post(f"{URL}/new/invitation", follow_redirects=True)
    assert "已排队等待发送" in sent.text
    assert "刷新页面可查看进度" in sent.text
    assert "messages.jsonl" in sent.text
    again = browser.post(f"{URL}/new/invitation")
    assert again.status_code == 409
    assert "没有可发送的对象" in again.text
    assert "邀请服务对象" in browser.get(f"{URL}/").text
    assert browser.get(f"{URL}/new/birthday").status_code == 404
    nobody = browser.get(f"{URL}/new/overdue")
    assert "没有逾期的" in nobody.text
    assert "发送给" not in nobody.text


def batch_with(write: Write, database: Database, **columns: Any) -> tuple[Any, str]:
    world = write(messaged_world)
    mailing = write(start_now, world.cycle, MailingKind.INVITATION)
    with database.transaction() as session:
        session.execute(update(Message).values(**columns))
    return world, f"{URL}/{mailing.id}"


def test_what_failed_is_told_with_a_remedy_and_tried_again(database: Database, write: Write, sign_in: SignIn) -> None:
    world, address = batch_with(write, database, state="failed", why="refused", said="550 no such user …")
    browser = sign_in(world.administrator)
    page = browser.get(address).text
    for said in ("服务器拒收", "550 no such user", "以其他方式联系", "发送失败：2 条"):
        assert said in page
    assert "结果不明：" not in page
    assert "2 条消息已重新排队" in browser.post(f"{address}/failed", follow_redirects=True).text
    assert browser.post(f"{address}/failed").status_code == 409


def test_what_is_unknown_is_sent_again_only_on_purpose(database: Database, write: Write, sign_in: SignIn) -> None:
    world, address = batch_with(write, database, state="unknown", why="stopped")
    browser = sign_in(world.administrator)
    assert "结果不明：2 条" in browser.get(address).text
    assert "发送途中系统中断" in browser.get(address).text
    assert "结果不明的消息" in browser.get("/collection/cycles/2026/desk/").text
    assert browser.post(f"{address}/unknown").status_code == 422
    assert (
        "2 条消息已重新排队"
        in browser.post(f"{address}/unknown", data={"may-come-twice": "1"}, follow_redirects=True).text
    )
    with database.transaction() as session:
        session.execute(update(Message).values(state="unknown"))
    assert "已将 2 条消息认定为已发送" in browser.post(f"{address}/sent", follow_redirects=True).text


def test_reasons_of_recipients_are_told_too(database: Database, write: Write, sign_in: SignIn) -> None:
    world, address = batch_with(write, database, state="dropped", why="answered")
    assert "收件人已作答" in sign_in(world.administrator).get(address).text


def test_the_export_holds_numbers_only(database: Database, write: Write, sign_in: SignIn) -> None:
    world, address = batch_with(write, database, state="dropped", why="answered")
    file = sign_in(world.auditor).get(f"{address}/csv")
    rows = list(csv.reader(io.StringIO(file.data.decode("utf-8-sig"))))
    assert rows[0] == ["编号", "服务项目（合同）", "乡镇（街道）", "渠道", "状态", "消息"]
    assert [row[2:] for row in rows[1:]] == [["城关镇", way, "已无需发送", "1"] for way in ("电子邮件", "短信")]
    for hidden in ("13800138000", "对象", "已作答"):
        assert hidden not in file.text
    assert sign_in(world.auditor).get(f"{address}/xlsx").data.startswith(b"PK")


def test_the_export_of_raters_counts_roles(database: Database, write: Write, sign_in: SignIn) -> None:
    def late(session: Any) -> Any:
        world = make_world(session, code="2026")
        world.cycle.closes_on = world.cycle.opens_on
        world.evaluator.email = "rater@example.cn"
        session.flush()
        return world

    world = write(late)
    browser = sign_in(world.administrator)
    browser.post(f"{URL}/new/overdue")
    with database.reading() as session:
        number = session.scalars(select(Message.batch)).one()
    text = browser.get(f"{URL}/{number}/csv").data.decode("utf-8-sig")
    assert "第三方评价员,电子邮件,等待发送,1" in text
    assert "rater@" not in text


def test_only_administrators_send_and_overseers_look(database: Database, write: Write, sign_in: SignIn) -> None:
    world, address = batch_with(write, database, state="unknown")
    auditor = sign_in(world.auditor)
    assert auditor.get(f"{URL}/").status_code == 200
    assert "查看发送范围" not in auditor.get(f"{URL}/").text
    assert "重新发送" not in auditor.get(address).text
    assert auditor.get(f"{URL}/new/reminder").status_code == 403
    for path in ("/new/reminder",):
        assert auditor.post(f"{URL}{path}").status_code == 403
    assert auditor.post(f"{address}/sent").status_code == 403
    assert sign_in(world.purchaser).get(f"{URL}/").status_code == 403
    with database.transaction() as session:
        session.get_one(type(world.cycle), world.cycle.id).state = "review"
    administrator = sign_in(world.administrator)
    assert "不在评价收集期" in administrator.get(f"{URL}/new/reminder").text
    assert "查看发送范围" not in administrator.get(f"{URL}/").text
    assert (
        "没有发送过消息"
        in sign_in(world.administrator)
        .get(f"/collection/cycles/{write(make_cycle, region=world.county, state='review').code}/messages/")
        .text
    )


@pytest.fixture
def code(database: Database, write: Write) -> str:
    """Of a recipient who may be reminded."""
    write(messaged_world, contacts=["13800138000"])
    with database.reading() as session:
        return unlocked(code_box(SECRET), session.scalars(select(KeptCode)).one()) or ""


def test_a_recipient_stops_reminders_and_can_still_answer(client: CheckedClient, database: Database, code: str) -> None:
    survey = client.get(f"/s/{code}")
    assert f'href="{code}/quiet"' in survey.text
    assert len(survey.data) <= 6_000
    asked = client.get(f"/s/{code}/quiet")
    assert "不再给我发提醒" in asked.text
    with database.reading() as session:
        assert not session.scalars(select(KeptCode.quiet)).one()  # a mail program opened the link
    assert "不会再收到提醒" in client.post(f"/s/{code}/quiet", follow_redirects=True).text
    with database.reading() as session:
        kept = session.scalars(select(KeptCode)).one()
        assert (kept.quiet, kept.locked) == (True, None)
    assert "quiet" not in client.get(f"/s/{code}").text
    assert "Set-Cookie" not in asked.headers
    assert client.get("/s/2222222223/quiet").status_code == 404
    assert client.post("/s/2222222223/quiet").status_code == 404


def test_guessing_codes_here_is_slowed_down_as_on_the_survey(client: CheckedClient, code: str) -> None:
    with time_machine.travel(NOW, tick=False):
        assert client.get(f"/s/{code}/quiet").status_code == 200
        for _guess in range(WRONG_CODES):
            client.get("/s/ABC/quiet")
        assert client.get("/s/ABC/quiet").status_code == 429
        assert client.post(f"/s/{code}/quiet").status_code == 429  # a right one has to wait for its turn too
