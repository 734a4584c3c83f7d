"""Reading the audit trail: who sees what, filters, pages, tables to save."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy.orm import Session

from evalsys.accounts import trail
from evalsys.accounts.models import Account
from evalsys.base import audit
from evalsys.base.access import COMMAND_LINE, Role
from evalsys.base.audit_chain import START, VERIFIED, link_up
from evalsys.base.listing import Wanted
from tests.factories import NOW, make_account, make_county, make_region
from tests.pages import CheckedClient

Write = Callable[..., Any]


def note(session: Session, account: Account | None, act: str = "accounts.sign_in", **given: Any) -> None:
    actor = account.as_actor() if account else COMMAND_LINE
    subject = given.pop("subject", "account:x")
    audit.record(session, actor=actor, act=act, subject=subject, now=given.pop("now", NOW), **given)
    session.flush()


def names(session: Session, account: Account, **narrow: str) -> list[str]:
    page = trail.trail_page(session, Wanted(), trail.Filter.from_args(narrow), actor=account.as_actor())
    return [entry.actor_name for entry in page.rows]


def test_a_reader_sees_the_acts_of_the_own_branch(session: Session) -> None:
    city = make_region(session)
    county = make_region(session, parent=city)
    top = make_account(session, Role.AUDITOR, region=city, name="市审计员")
    here = make_account(session, Role.AUDITOR, region=county, name="县审计员")
    for account in (top, here, None):
        note(session, account)
    assert sorted(names(session, top)) == ["command line", "县审计员", "市审计员"]
    assert names(session, here) == ["县审计员"]


def test_with_a_second_city_the_commands_belong_to_nobodys_branch(session: Session) -> None:
    one = make_account(session, Role.AUDITOR, region=make_region(session), name="甲")
    make_region(session)
    note(session, one)
    note(session, None)
    assert names(session, one) == ["甲"]


@pytest.mark.parametrize(
    ("narrow", "found"),
    [
        ({}, ["张三", "李四"]),
        ({"who": "张"}, ["张三"]),
        ({"who": "%"}, []),
        ({"act": "registry.add_cycle"}, ["李四"]),
        ({"subject": "CYCLE:2026"}, ["李四"]),
        ({"since": "2026-11-02", "until": "2026-11-02"}, ["李四"]),
        ({"until": "2026-11-01"}, ["张三"]),
        ({"since": "2026-11-03"}, []),
        ({"since": "yesterday", "until": "99999"}, ["张三", "李四"]),
        ({"since": "0001-01-01", "until": "9999-12-31"}, ["张三", "李四"]),
    ],
)
def test_filters_narrow_the_trail(session: Session, narrow: dict[str, str], found: list[str]) -> None:
    """Days are China's: 16:30 UTC on the first is half past midnight on the second."""
    region = make_region(session)
    first = make_account(session, Role.AUDITOR, region=region, name="张三")
    second = make_account(session, Role.AUDITOR, region=region, name="李四")
    note(session, first, now=datetime(2026, 11, 1, 15, 30, tzinfo=UTC))
    late = datetime(2026, 11, 1, 16, 30, tzinfo=UTC)
    note(session, second, "registry.add_cycle", subject="cycle:2026", now=late)
    assert sorted(names(session, first, **narrow)) == found


@pytest.fixture
def auditor(sign_in: Callable[[Account], CheckedClient], write: Write) -> CheckedClient:
    county = write(make_county)
    account = write(make_account, Role.AUDITOR, region=county, name="陈静")

    def acts(session: Session) -> None:
        kept = session.get_one(Account, account.id)
        for n in range(30):
            note(session, kept, subject=f"account:{n:02d}", detail={"name": "李伟", "before": {"region": "4418"}})
        note(session, kept, "elsewhere.unheard_of")

    write(acts)
    return sign_in(account)


def test_the_page_names_the_acts_and_pages_them(auditor: CheckedClient) -> None:
    page = auditor.get("/audit").text
    assert "登录" in page
    assert "elsewhere.unheard_of" in page
    assert "名称: 李伟; 之前: {&#34;region&#34;: &#34;4418&#34;}" in page
    assert "共 31 条" in page
    assert "没有符合条件的记录" in auditor.get("/audit?who=nobody").text
    assert "账号 00" in auditor.get("/audit?sort=subject&act=accounts.sign_in").text


def test_a_commands_act_and_a_strange_subject_are_shown_as_they_are(
    sign_in: Callable[[Account], CheckedClient], write: Write
) -> None:
    write(note, None, subject="nothing known")
    page = sign_in(write(make_account, Role.AUDITOR, region=write(make_region))).get("/audit").text
    assert "命令行" in page
    assert "nothing known" in page


def test_what_matches_is_saved_as_a_table(auditor: CheckedClient) -> None:
    answer = auditor.get("/audit.xlsx?act=accounts.sign_in")
    rows = CalamineWorkbook.from_filelike(BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert rows[0][:2] == ["时间", "操作人"]
    assert len(rows) == 31
    assert rows[1][1:5] == ["陈静", "审计员", "登录", "账号 00"]
    text = auditor.get("/audit.csv").data.decode("utf-8-sig")
    assert len(text.splitlines()) == 32
    assert auditor.get("/audit.pdf").status_code == 404


def test_only_auditors_and_administrators_read_it(
    sign_in: Callable[[Account], CheckedClient], write: Write, client: CheckedClient
) -> None:
    for role in (Role.OFFICER, Role.PURCHASER, Role.EVALUATOR, Role.VENDOR):
        browser = sign_in(write(make_account, role))
        assert [browser.get(address).status_code for address in ("/audit", "/audit.csv")] == [403, 403]
    assert client.get("/audit.csv").location == "/sign-in?next=/audit.csv"


def test_the_page_tells_how_far_the_chain_reaches(auditor: CheckedClient, write: Callable[..., Any]) -> None:
    page = auditor.get("/audit").text
    assert "尚未核对" in page
    assert START in page

    def verified(session: Session) -> str:
        head = link_up(session)
        said = {"links": 1, "head": head, "holds": True}
        audit.record(session, actor=COMMAND_LINE, act=VERIFIED, subject="audit trail", now=NOW, detail=said)
        return head

    head = write(verified)
    page = auditor.get("/audit").text
    assert head in page
    assert "未被改动" in page
    assert "其后新增" in page
