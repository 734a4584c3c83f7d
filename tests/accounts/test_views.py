"""The pages of accounts, the audit trail and the desk."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from evalsys.accounts import passwords, todo
from evalsys.accounts.models import Account
from evalsys.accounts.todo import Todo
from evalsys.base.access import Role
from evalsys.base.db import Database
from evalsys.registry.models import Region
from tests.factories import (
    make_account,
    make_county,
    make_evaluator_body,
    make_purchaser,
    make_region,
    make_vendor,
)
from tests.pages import CheckedClient

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]


@pytest.fixture
def region(write: Write) -> Region:
    made: Region = write(make_county, name="清城区")
    return made


@pytest.fixture
def administrator(sign_in: SignIn, write: Write, region: Region) -> CheckedClient:
    return sign_in(write(make_account, username="boss", name="王主任", region=region))


def stored(database: Database, username: str) -> Account | None:
    with database.reading() as session:
        return session.scalar(select(Account).where(Account.username == username))


def test_the_list_shows_the_branch_only(administrator: CheckedClient, write: Write, region: Region) -> None:
    write(make_account, Role.OFFICER, username="inside", region=region)
    write(make_account, Role.OFFICER, username="outside")
    page = administrator.get("/accounts/").text
    assert "inside" in page
    assert "outside" not in page
    assert "采购负责人" in page


def test_the_list_is_searched_sorted_and_paged(administrator: CheckedClient, write: Write, region: Region) -> None:
    for n in range(30):
        write(make_account, Role.AUDITOR, username=f"audit{n:02d}", region=region)
    first = administrator.get("/accounts/?sort=-username").text
    assert first.index("boss") < first.index("audit29")
    assert "audit00" not in first
    assert "audit00" in administrator.get("/accounts/?sort=-username&page=2").text
    assert "audit07" in administrator.get("/accounts/?q=audit07").text
    assert "没有符合条件的账号" in administrator.get("/accounts/?q=nobody").text


def test_an_auditor_reads_the_list_and_changes_nothing(sign_in: SignIn, write: Write, region: Region) -> None:
    browser = sign_in(write(make_account, Role.AUDITOR, region=region))
    page = browser.get("/accounts/").text
    assert "/accounts/new" not in page
    for address in ("/accounts/new", "/accounts/boss"):
        assert browser.get(address).status_code == 403


def test_adding_an_account_begins_with_the_role(administrator: CheckedClient) -> None:
    page = administrator.get("/accounts/new").text
    for role in Role:
        assert f"role={role.value}" in page
    assert administrator.get("/accounts/new?role=king").text.count("role=") >= len(Role)


def test_a_new_account_is_shown_with_its_password_once(
    administrator: CheckedClient, client: CheckedClient, region: Region, database: Database
) -> None:
    answer = administrator.post(
        "/accounts/new?role=auditor", data={"username": "chenjing", "name": "陈静", "region_id": region.id}
    )
    assert answer.status_code == 200
    shown = re.search(r'<code class="secret">([^<]+)</code>', answer.text)
    assert shown
    account = stored(database, "chenjing")
    assert account is not None
    assert passwords.matches(account.password, shown.group(1))
    entered = client.post("/sign-in", data={"username": "chenjing", "password": shown.group(1)})
    assert entered.status_code == 303
    assert client.get("/desk").location == "/password"


def test_each_role_asks_for_its_body_alone(administrator: CheckedClient, write: Write, region: Region) -> None:
    empty = administrator.get("/accounts/new?role=evaluator").text
    assert "本地区尚未登记" in empty
    purchaser = write(make_purchaser, region=region, name="清城区民政局")
    body = write(make_evaluator_body, region=region)
    vendor = write(make_vendor)
    fields = {
        "purchaser": ("purchaser_id", purchaser.id),
        "evaluator": ("evaluator_body_id", body.id),
        "vendor": ("vendor_credit_code", vendor.credit_code),
    }
    for role, (field, value) in fields.items():
        page = administrator.get(f"/accounts/new?role={role}").text
        assert [name for name, _value in fields.values() if f'name="{name}"' in page] == [field]
        data = {"username": f"a-{role}", "name": "某人", "region_id": region.id}
        assert administrator.post(f"/accounts/new?role={role}", data=data).status_code == 422
        assert administrator.post(f"/accounts/new?role={role}", data=data | {field: value}).status_code == 200


def test_an_interviewer_may_name_an_employer(
    administrator: CheckedClient, write: Write, region: Region, database: Database
) -> None:
    vendor = write(make_vendor)
    url = "/accounts/new?role=interviewer"
    assert "所在承接主体" in administrator.get(url).text
    data = {"name": "某人", "region_id": region.id}
    for username, code, status in (("free", "", 200), ("employed", vendor.credit_code, 200), ("lost", "9144", 422)):
        given = data | {"username": username, "employer_credit_code": code}
        assert administrator.post(url, data=given).status_code == status
    free, employed = stored(database, "free"), stored(database, "employed")
    assert free is not None
    assert free.vendor_id is None
    assert employed is not None
    assert employed.vendor_id == vendor.id


def test_a_refused_account_keeps_what_was_typed(administrator: CheckedClient, region: Region) -> None:
    data = {"username": "boss", "name": "另一位", "region_id": region.id}
    answer = administrator.post("/accounts/new?role=auditor", data=data)
    assert answer.status_code == 409
    assert "已被使用" in answer.text
    assert 'value="另一位"' in answer.text


def test_an_account_is_edited(administrator: CheckedClient, write: Write, region: Region, database: Database) -> None:
    write(make_account, Role.AUDITOR, username="chenjing", region=region)
    township = write(make_region, parent=region)
    assert administrator.get("/accounts/chenjing").status_code == 200
    answer = administrator.post("/accounts/chenjing", data={"name": "陈静", "region_id": township.id})
    assert (answer.status_code, answer.location) == (303, "/accounts/")
    account = stored(database, "chenjing")
    assert account is not None
    assert (account.name, account.region_id) == ("陈静", township.id)
    assert administrator.post("/accounts/chenjing", data={"name": "", "region_id": region.id}).status_code == 422


def test_where_reminders_go_is_given_on_the_page(
    administrator: CheckedClient, write: Write, region: Region, database: Database
) -> None:
    username = write(make_account, Role.EVALUATOR, region=region).username
    given = {"name": "评价员", "region_id": region.id, "email": "rater@example.cn"}
    assert administrator.post(f"/accounts/{username}", data=given).status_code == 303
    assert 'value="rater@example.cn"' in administrator.get(f"/accounts/{username}").text
    assert administrator.post(f"/accounts/{username}", data=given | {"email": "rater"}).status_code == 422


def test_the_own_account_stays_where_it_is(administrator: CheckedClient, write: Write, region: Region) -> None:
    township = write(make_region, parent=region)
    assert "这是您本人的账号" in administrator.get("/accounts/boss").text
    answer = administrator.post("/accounts/boss", data={"name": "王主任", "region_id": township.id})
    assert answer.status_code == 403
    assert "不能把本人的账号改到其他地区" in answer.text


def test_closing_asks_first_and_opening_again_takes_it_back(
    administrator: CheckedClient, write: Write, region: Region, database: Database
) -> None:
    write(make_account, Role.VENDOR, username="vendor1", region=region)
    assert "确定停用" in administrator.get("/accounts/vendor1/close").text
    assert administrator.post("/accounts/vendor1/close").location == "/accounts/vendor1"
    page = administrator.get("/accounts/vendor1").text
    assert "账号“vendor1”已停用" in page
    assert administrator.post("/accounts/vendor1/close").status_code == 409
    assert administrator.post("/accounts/vendor1/reopen").status_code == 303
    account = stored(database, "vendor1")
    assert account is not None
    assert account.active


def test_a_password_is_reset_and_shown(
    administrator: CheckedClient, write: Write, region: Region, database: Database
) -> None:
    write(make_account, Role.AUDITOR, username="chenjing", region=region)
    assert "确定重置" in administrator.get("/accounts/chenjing/password").text
    answer = administrator.post("/accounts/chenjing/password")
    shown = re.search(r'<code class="secret">([^<]+)</code>', answer.text)
    account = stored(database, "chenjing")
    assert account is not None
    assert shown
    assert passwords.matches(account.password, shown.group(1))
    assert answer.headers["Cache-Control"] == "no-store"
    assert "临时密码" in administrator.get("/accounts/chenjing").text


@pytest.mark.parametrize("address", ["", "/close", "/password"])
def test_an_account_of_another_branch_is_out_of_reach(administrator: CheckedClient, write: Write, address: str) -> None:
    write(make_account, username="elsewhere")
    assert administrator.get(f"/accounts/elsewhere{address}").status_code == 403
    assert administrator.get(f"/accounts/nobody{address}").status_code == 404
    assert administrator.post(f"/accounts/elsewhere{address}").status_code == 403


def test_the_desk_shows_what_waits_and_who_one_is(sign_in: SignIn, write: Write, app: Flask, region: Region) -> None:
    browser = sign_in(write(make_account, Role.PURCHASER, region=region, name="李伟"))
    idle = browser.get("/desk").text
    assert "目前没有待办事项" in idle
    assert "测试民政局" in idle
    todo.offer(
        app, lambda _session, actor: [Todo("评分", "/x", count=3, detail=actor.name), Todo("无事", "/y", count=0)]
    )
    busy = browser.get("/desk").text
    assert 'href="/x"' in busy
    assert "无事" not in busy


def test_too_many_tries_have_to_wait(client: CheckedClient, write: Write) -> None:
    write(make_account, username="liwei", password=passwords.hashed("清远 2026 服务评价"))
    wrong = {"username": "liwei", "password": "不对的密码不能登录"}
    assert {client.post("/sign-in", data=wrong).status_code for _ in range(10)} == {422}
    answer = client.post("/sign-in", data=wrong | {"password": "清远 2026 服务评价"})
    assert answer.status_code == 429
    assert "请等待 15 分钟" in answer.text
    assert client.get("/desk").status_code == 303


def test_the_right_password_forgets_earlier_mistakes(client: CheckedClient, write: Write) -> None:
    write(make_account, username="liwei", password=passwords.hashed("清远 2026 服务评价"))
    for _ in range(2):
        for _ in range(9):
            client.post("/sign-in", data={"username": "liwei", "password": "不对的密码不能登录"})
        assert client.post("/sign-in", data={"username": "liwei", "password": "清远 2026 服务评价"}).status_code == 303
        client.post("/sign-out")


def test_an_address_has_its_tries_too(client: CheckedClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evalsys.accounts.signing_in.TRIES_AN_ADDRESS", 2)
    tried = [client.post("/sign-in", data={"username": f"name{n}", "password": "x"}).status_code for n in range(3)]
    assert tried == [422, 422, 429]
