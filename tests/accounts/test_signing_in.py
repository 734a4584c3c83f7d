"""Signing in and out, and what ends a sign-in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.accounts import passwords, signing_in
from evalsys.accounts.models import Account, SignIn
from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from tests.factories import NOW, make_account
from tests.pages import CheckedClient, parse, words

Write = Callable[..., Any]
PASSWORD = "清远 2026 服务评价"
WRONG = "错误的密码,不能登录"


@pytest.fixture
def account(write: Write) -> Account:
    made: Account = write(make_account, username="liwei", name="李伟", password=passwords.hashed(PASSWORD))
    return made


def entries(database: Database) -> list[tuple[str, str]]:
    with database.reading() as session:
        return [(e.act, e.subject) for e in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def enter(client: CheckedClient, username: str, password: str, address: str = "/sign-in") -> Any:
    return client.post(address, data={"username": username, "password": password})


def test_signing_in_leads_to_the_desk_and_is_audited(
    client: CheckedClient, account: Account, database: Database
) -> None:
    assert client.get("/sign-in").status_code == 200
    answer = enter(client, "LiWei ", PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/desk")
    assert "李伟" in client.get("/desk").text
    assert entries(database) == [("accounts.sign_in", "account:liwei")]
    assert client.get("/sign-in").location == "/desk"


def test_every_refusal_has_the_same_answer(
    client: CheckedClient, account: Account, write: Write, database: Database
) -> None:
    write(make_account, username="gone", password=passwords.hashed(PASSWORD), active=False)
    answers = [enter(client, *who) for who in (("nobody", PASSWORD), ("liwei", WRONG), ("gone", PASSWORD))]
    assert {answer.status_code for answer in answers} == {422}
    said = {words(element) for answer in answers for element in parse(answer.text).iterfind(".//*[@role='alert']")}
    assert len(said) == 1
    assert "用户名或密码不正确" in said.pop()
    assert entries(database) == [
        ("accounts.sign_in_refused", "account:liwei"),
        ("accounts.sign_in_refused", "account:gone"),
    ]
    assert client.get("/desk").status_code == 303


def test_an_empty_form_says_what_to_enter(client: CheckedClient) -> None:
    answer = enter(client, "", "")
    assert answer.status_code == 422
    assert "请输入用户名" in answer.text
    assert "请输入密码" in answer.text


def test_the_password_is_never_sent_back(client: CheckedClient, account: Account) -> None:
    assert WRONG not in enter(client, "liwei", WRONG).text


def test_an_anonymous_reader_comes_back_to_the_page_asked_for(client: CheckedClient, account: Account) -> None:
    asked = client.get("/password?a=1")
    assert (asked.status_code, asked.location) == (303, "/sign-in?next=/password?a%3D1")
    assert enter(client, "liwei", PASSWORD, asked.location).location == "/password?a=1"


def test_an_anonymous_act_is_not_repeated_after_signing_in(client: CheckedClient) -> None:
    assert client.post("/sign-out").location == "/sign-in"


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "desk",
        "",
        "/de\nsk",
        "http:desk",
    ],
)
def test_signing_in_never_leads_to_another_site(address: str) -> None:
    assert signing_in.safe_next(address) is None


def test_a_path_of_this_site_is_a_place_to_go() -> None:
    assert signing_in.safe_next("/accounts/?q=李&page=2") == "/accounts/?q=李&page=2"


def test_signing_in_starts_a_fresh_session_and_keeps_the_language(client: CheckedClient, account: Account) -> None:
    client.get("/sign-in?lang=en")
    with client.session_transaction() as kept:
        kept["planted"] = "by somebody else"
        before = kept.get("csrf_token")
    enter(client, "liwei", PASSWORD)
    with client.session_transaction() as kept:
        assert "planted" not in kept
        assert kept["language"] == "en"
        assert before is None or kept.get("csrf_token") != before


def test_a_copied_cookie_is_of_no_use_after_signing_out(
    client: CheckedClient, app: Flask, account: Account, database: Database
) -> None:
    enter(client, "liwei", PASSWORD)
    with client.session_transaction() as kept:
        token = kept[signing_in.TOKEN]
    assert client.get("/sign-out").status_code == 405
    answer = client.post("/sign-out")
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert "已退出登录" in client.get("/sign-in").text
    with client.session_transaction() as kept:
        kept[signing_in.TOKEN] = token
    assert client.get("/desk").status_code == 303
    assert entries(database)[-1] == ("accounts.sign_out", "account:liwei")


def test_the_language_outlives_the_sign_in(client: CheckedClient, account: Account) -> None:
    client.get("/sign-in?lang=en")
    enter(client, "liwei", PASSWORD)
    client.post("/sign-out")
    assert "You are signed out." in client.get("/sign-in").text


def test_a_closed_account_is_out_at_once(
    sign_in: Callable[[Account], CheckedClient], account: Account, write: Write
) -> None:
    browser = sign_in(account)
    assert browser.get("/desk").status_code == 200

    def close(session: Session) -> None:
        session.get_one(Account, account.id).active = False

    write(close)
    assert browser.get("/desk").status_code == 303


def test_a_sign_in_lasts_a_day_and_is_cleared_away_by_the_next(session: Session) -> None:
    account = make_account(session)
    token = signing_in.open_session(session, account, now=NOW)
    almost = NOW + signing_in.LASTS - timedelta(seconds=1)
    assert signing_in.account_of(session, token, now=almost) is account
    assert signing_in.account_of(session, token, now=NOW + signing_in.LASTS) is None
    assert signing_in.account_of(session, "another", now=NOW) is None
    signing_in.open_session(session, account, now=NOW + signing_in.LASTS)
    assert session.scalar(select(func.count()).select_from(SignIn)) == 1


def test_the_database_never_holds_the_token(session: Session) -> None:
    token = signing_in.open_session(session, make_account(session), now=NOW)
    assert token not in session.scalars(select(SignIn.token_hash)).all()


def test_a_weak_hash_is_replaced_at_sign_in(client: CheckedClient, write: Write, database: Database) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    write(make_account, username="old", password=weak)
    enter(client, "old", PASSWORD)
    with database.reading() as session:
        stored = session.scalar(select(Account.password).where(Account.username == "old"))
    assert stored is not None
    assert not passwords.outdated(stored)
    assert passwords.matches(stored, PASSWORD)


def test_a_null_character_is_no_user_name(client: CheckedClient) -> None:
    assert enter(client, "li\0wei", PASSWORD).status_code == 400


def test_whoever_has_a_temporary_password_chooses_an_own_one_first(
    sign_in: Callable[[Account], CheckedClient], write: Write
) -> None:
    made = write(
        make_account, Role.AUDITOR, name="陈静", password=passwords.hashed(PASSWORD), password_is_temporary=True
    )
    browser = sign_in(made)
    assert browser.get("/desk").location == "/password"
    assert "管理员" in browser.get("/password").text
    fresh = "山城的秋天有桂花香气"
    answer = browser.post("/password", data={"present": PASSWORD, "fresh": fresh, "again": fresh})
    assert answer.location == "/desk"
    assert browser.get("/desk").status_code == 200


def test_a_new_password_ends_the_other_sign_ins(
    sign_in: Callable[[Account], CheckedClient], account: Account, client: CheckedClient, database: Database
) -> None:
    here, elsewhere = sign_in(account), sign_in(account)
    fresh = "山城的秋天有桂花香气"
    assert here.post("/password", data={"present": PASSWORD, "fresh": fresh, "again": fresh}).status_code == 303
    assert here.get("/desk").status_code == 200
    assert elsewhere.get("/desk").status_code == 303
    assert enter(client, "liwei", PASSWORD).status_code == 422
    assert enter(client, "liwei", fresh).status_code == 303
    assert ("accounts.change_own_password", "account:liwei") in entries(database)


@pytest.mark.parametrize(
    ("present", "fresh", "again", "said"),
    [
        (WRONG, "山城的秋天有桂花香气", "山城的秋天有桂花香气", "原密码不正确"),
        (PASSWORD, PASSWORD, PASSWORD, "新密码与原密码相同"),
        (PASSWORD, "太短", "太短", "密码应为 10 至 128 个字符"),
        (PASSWORD, "山城的秋天有桂花香气", "山城的秋天有桂花香", "两次输入的新密码不一致"),
        ("", "", "", "请输入原密码"),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(
    sign_in: Callable[[Account], CheckedClient],
    account: Account,
    database: Database,
    *,
    present: str,
    fresh: str,
    again: str,
    said: str,
) -> None:
    answer = sign_in(account).post("/password", data={"present": present, "fresh": fresh, "again": again})
    assert answer.status_code == 422
    assert said in answer.text
    with database.reading() as session:
        assert passwords.matches(session.get_one(Account, account.id).password, PASSWORD)
