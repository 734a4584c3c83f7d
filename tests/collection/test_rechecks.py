"""Interviewers' work, draws of interviews to check again, and what recipients say about them."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import COMMAND_LINE, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from evalsys.base.errors import Conflict, Invalid, NotAllowed
from evalsys.base.listing import Wanted
from evalsys.collection.call_list import call_list
from evalsys.collection.interview_cases import count_open, open_cases
from evalsys.collection.interview_marks import interview_key, mark_of, note, worked
from evalsys.collection.interview_models import Interview, Recheck, RecheckDraw
from evalsys.collection.models import Invitation
from evalsys.collection.rechecks import draw, drawn_order
from evalsys.registry.models import Cycle, Entry, RosterMember
from tests.collection.surveys import COMPLETE, SECRET, make_invitation, token_of
from tests.factories import (
    NOW,
    make_account,
    make_contract,
    make_county,
    make_cycle,
    make_entry,
    make_stratum,
    make_vendor,
)
from tests.pages import CheckedClient

KEY = interview_key(SECRET)
Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]
BODY = {"result": "confirmed", "how": "in_person", "with_whom": "recipient", "lasted": "unknown", "suggested": "no"}


@dataclass
class Work:
    """Two interviewers have interviewed ten and three people by name; one is still to be asked."""

    administrator: Account
    first: Account
    second: Account
    employed: Account
    elsewhere: Account
    cycle: Cycle
    cases: list[int]
    left: int


def make_work(session: Session, *, interviewed: tuple[int, int] = (10, 3)) -> Work:
    county = make_county(session, name="测试县")
    vendor = make_vendor(session)
    cycle = make_cycle(session, region=county, code="2026")
    contract = make_contract(session, region=county, vendor=vendor, title="送医陪护服务")
    entry = make_entry(session, cycle=cycle, contract=contract)

    def person(role: Role, region: Any = county, **columns: Any) -> Account:
        account = make_account(session, role, region=region, **columns)
        assert account.as_actor().region_path  # loads what is asked for after the session's end
        return account

    work = Work(
        administrator=person(Role.ADMINISTRATOR),
        first=person(Role.INTERVIEWER, name="黄访问"),
        second=person(Role.INTERVIEWER, name="李访问"),
        employed=person(Role.INTERVIEWER, vendor_id=vendor.id),
        elsewhere=person(Role.INTERVIEWER, make_county(session)),
        cycle=cycle,
        cases=[],
        left=0,
    )
    stratum = make_stratum(session, entry=entry, township="三坑镇")
    for number in range(sum(interviewed) + 1):
        member = RosterMember(stratum_id=stratum.id, name=f"陈{number}", contact=f"1380000{number:04}")
        session.add(member)
        session.flush()
        used = number < sum(interviewed)
        make_invitation(session, entry=entry, stratum_id=stratum.id, roster_member_id=member.id, used=used)
        work.cases.append(session.scalars(select(func.max(Invitation.id))).one())
        if used:
            account = work.first if number < interviewed[0] else work.second
            note(session, work.cases[-1], key=KEY, actor=account.as_actor())
    session.flush()
    work.left = work.cases.pop()
    return work


@pytest.fixture
def work(write: Write) -> Work:
    made: Work = write(make_work)
    return made


def drawn(session: Session, cycle: Cycle, *, seed: str = "2026-11-23", share: float = 0.3, **who: Any) -> RecheckDraw:
    kept = session.get_one(Cycle, cycle.id)
    return draw(session, kept, seed=seed, share=share, key=KEY, actor=who.get("actor", COMMAND_LINE), now=NOW)


def by_interviewer(session: Session) -> Counter[int]:
    return Counter(session.scalars(select(Recheck.account_id)))


def test_three_in_ten_of_each_interviewer_are_drawn_in_the_seeds_order(session: Session) -> None:
    work = make_work(session)
    assert drawn(session, work.cycle).cases == 4
    assert by_interviewer(session) == {work.first.id: 3, work.second.id: 1}
    marks = set(session.scalars(select(Recheck.mark).where(Recheck.account_id == work.first.id)))
    own = sorted(work.cases[:10], key=lambda case: hashlib.sha256(b"2026-11-23\x00" + str(case).encode()).digest())
    assert marks == {mark_of(case, KEY) for case in own[:3]}
    entry = session.scalars(select(AuditEntry)).one()
    assert entry.detail == {"seed": "2026-11-23", "share": 0.3, "cases": 4}


def test_a_second_draw_adds_what_is_missing(session: Session) -> None:
    work = make_work(session)
    drawn(session, work.cycle)
    with pytest.raises(Conflict, match="No interview is left"):
        drawn(session, work.cycle, seed="another")
    assert drawn(session, work.cycle, seed="another", share=0.5).cases == 3
    assert by_interviewer(session) == {work.first.id: 5, work.second.id: 2}
    drawn(session, work.cycle, share=1)
    assert by_interviewer(session) == {work.first.id: 10, work.second.id: 3}


@pytest.mark.parametrize("share", [0.29, 0, -1, 1.01, float("nan")])
def test_a_share_below_three_in_ten_is_refused(app: Flask, session: Session, share: float) -> None:
    work = make_work(session)
    with pytest.raises(Invalid, match="30%"):
        drawn(session, work.cycle, share=share)


@pytest.mark.parametrize("seed", ["", "   ", "x" * 81])
def test_a_draw_needs_a_seed(session: Session, seed: str) -> None:
    with pytest.raises(Invalid, match="seed"):
        drawn(session, make_work(session).cycle, seed=seed)


def test_nothing_is_drawn_elsewhere_or_too_late(session: Session) -> None:
    work = make_work(session)
    with pytest.raises(NotAllowed):
        drawn(session, work.cycle, actor=work.elsewhere.as_actor())
    work.cycle.state = "preliminary"
    session.flush()
    with pytest.raises(Conflict, match="neither"):
        drawn(session, work.cycle)


def test_only_answered_cases_with_a_name_are_drawn(session: Session) -> None:
    work = make_work(session)
    entry = session.scalars(select(Entry)).one()
    make_invitation(session, entry=entry, used=True)
    nameless = session.scalars(select(func.max(Invitation.id))).one()
    for case in (work.left, nameless):
        note(session, case, key=KEY, actor=work.first.as_actor())
    session.flush()
    found = worked(session, work.cycle, key=KEY, actor=COMMAND_LINE)
    assert len(found) == 15
    drawn(session, work.cycle, share=1)
    assert by_interviewer(session) == {work.first.id: 10, work.second.id: 3}


def test_without_the_key_nobody_knows_whose_interview_it_was(session: Session) -> None:
    work = make_work(session)
    assert worked(session, work.cycle, key=interview_key("another secret"), actor=COMMAND_LINE) == []
    columns = {column.name for table in (Interview, Recheck) for column in table.__table__.columns}
    told = {"mark", "cycle_id", "account_id", "draw_id", "result", "how", "with_whom", "lasted", "suggested"}
    assert columns == told | {"checked_by_id"}  # no invitation, no recipient, no time, no answer


def test_a_seed_orders_cases_the_same_for_everybody() -> None:
    assert drawn_order("a", range(6)) == drawn_order("a", reversed(range(6)))
    assert drawn_order("a", range(6)) != drawn_order("b", range(6))


# ── The pages ──


def answer(browser: CheckedClient, case: int) -> None:
    address = f"/collection/interviews/{case}/assisted"
    sent = COMPLETE | {"form-token": token_of(browser.get(address).text), "csrf_token": "any"}
    assert browser.post(address, data=sent).status_code == 303


def table(browser: CheckedClient) -> dict[str, dict[str, str]]:
    address = "/collection/cycles/2026/interviewers?format=csv&lang=en"
    rows = csv.DictReader(io.StringIO(browser.get(address).data.decode("utf-8-sig")))
    return {row["Interviewer"]: row for row in rows}


def test_who_takes_an_answer_down_or_records_an_outcome_has_worked_at_the_case(
    work: Work, sign_in: SignIn, write: Write
) -> None:
    write(lambda session: session.execute(update(Interview).values(account_id=work.first.id)))
    browser = sign_in(work.second)
    browser.post(f"/collection/interviews/{work.left}/outcome", data={"outcome": "unreachable"})
    administrator = sign_in(work.administrator)
    line = table(administrator)["李访问"]
    assert (line["Cases"], line["Answered"], line["Not reached"], line["Can be checked"]) == ("1", "0", "1", "0")
    browser.post(f"/collection/interviews/{work.left}/outcome", data={"outcome": "paper"})
    assert table(administrator)["李访问"]["Got a form on paper instead"] == "1"
    write(lambda session: session.execute(update(Invitation).values(outcome=None)))
    answer(browser, work.left)
    line = table(administrator)["李访问"]
    assert (line["Cases"], line["Answered"], line["Not reached"], line["Can be checked"]) == ("1", "1", "0", "1")
    assert table(administrator)["黄访问"]["Cases"] == "13"


def test_the_coordinator_draws_and_sees_what_came_of_it(
    work: Work, sign_in: SignIn, database: Database, write: Write
) -> None:
    browser, address = sign_in(work.administrator), "/collection/cycles/2026/interviewers"
    assert "抽取回访核查个案" in browser.get(address).text
    for data, said in (
        ({"share": "29", "seed": "x"}, "30%"),
        ({"share": "abc", "seed": "x"}, "整数"),
        ({"share": "30"}, "请填写种子"),
    ):
        refused = browser.post(address, data=data)
        assert refused.status_code == 422
        assert said in refused.text
    page = browser.post(address, data={"share": "30", "seed": "2026-11-23 开奖 07"}, follow_redirects=True).text
    assert "已抽取 4 次访问" in page
    assert "2026-11-23 开奖 07" in page
    assert "待回访核查的访问" in browser.get("/collection/cycles/2026/desk/").text
    rows = list(csv.reader(io.StringIO(browser.get(f"{address}/cases.csv").data.decode("utf-8-sig"))))
    assert len(rows) == 14
    assert sum(bool(row[2]) for row in rows[1:]) == 4
    assert "陈" not in str(rows)
    with database.reading() as session:
        marks = {recheck.mark: recheck.account_id for recheck in session.scalars(select(Recheck))}
    theirs = [case for case in work.cases if marks.get(mark_of(case, KEY)) == work.first.id]
    told = [BODY, BODY | {"suggested": "yes"}, {"result": "not_confirmed"}]
    for case, said_of_it in zip(theirs, told, strict=True):
        assert browser.post(f"/collection/rechecks/{case}", data=said_of_it).status_code == 303
    line = table(browser)["黄访问"]
    columns = ("Can be checked", "Drawn", "Share drawn (%)", "Asked again", "Confirmed", "Not confirmed")
    assert [line[name] for name in columns] == ["10", "3", "30.0", "3", "2", "1"]
    assert (line["Answers suggested"], line["More"]) == ("1", "Not confirmed: look at it")
    browser.post(f"/collection/rechecks/{theirs[0]}", data={"result": "unreachable"})  # a mistake is put right
    assert table(browser)["黄访问"]["Confirmed"] == "1"
    with database.reading() as session:
        acts = session.execute(select(AuditEntry.subject, AuditEntry.detail).order_by(AuditEntry.id)).all()
    assert acts[-1] == ("cycle:2026", {"result": "unreachable"})


def test_another_interviewer_asks_again_and_never_about_the_own_interview(
    work: Work, sign_in: SignIn, write: Write
) -> None:
    write(lambda session: drawn(session, work.cycle, share=1))
    browser = sign_in(work.second)
    page = browser.get("/collection/rechecks/?size=100").text
    assert all(f"陈{number}<" in page for number in range(10))
    assert "陈10" not in page
    assert "没有与“陈12”相符的内容" in browser.get("/collection/rechecks/?q=陈12").text
    assert "待回访核查的访问" in browser.get("/desk").text
    own = browser.get(f"/collection/rechecks/{work.cases[-1]}")
    assert (own.status_code, "不得核查本人所做的访问" in own.text) == (403, True)
    address = f"/collection/rechecks/{work.cases[0]}"
    assert "不问您答了什么" in browser.get(address).text
    halfway = browser.post(address, data={"result": "confirmed", "how": "telephone"})
    assert (halfway.status_code, halfway.text.count("请选择")) == (422, 6)
    assert browser.post(address, data={}).status_code == 422
    assert browser.post(address, data=BODY | {"lasted": "a day"}).status_code == 422
    assert browser.post(address, data=BODY).status_code == 303
    assert "进行过访问" in browser.get("/collection/rechecks/").text
    assert browser.get(address).text.count(" checked") == 5


@pytest.mark.parametrize("who", ["employed", "elsewhere"])
def test_a_case_out_of_reach_is_not_asked_about(work: Work, sign_in: SignIn, write: Write, who: str) -> None:
    write(lambda session: drawn(session, work.cycle))
    browser = sign_in(getattr(work, who))
    assert "没有抽中需由您核查的" in browser.get("/collection/rechecks/").text
    for case in work.cases:
        assert browser.get(f"/collection/rechecks/{case}").status_code == 404


def test_a_case_that_is_not_drawn_is_not_asked_about(work: Work, sign_in: SignIn) -> None:
    assert sign_in(work.administrator).get(f"/collection/rechecks/{work.cases[0]}").status_code == 404


def test_an_auditor_sees_the_table_and_does_not_draw(work: Work, sign_in: SignIn, write: Write) -> None:
    def auditor(session: Session) -> Account:
        account = make_account(session, Role.AUDITOR, region=session.get_one(Cycle, work.cycle.id).region)
        assert account.as_actor().region_path
        return account

    browser = sign_in(write(auditor))
    page = browser.get("/collection/cycles/2026/interviewers").text
    assert "黄访问" in page
    assert "<button" not in page.split("<h1>")[1].split("搜索")[1]
    assert browser.post("/collection/cycles/2026/interviewers", data={}).status_code == 403
    assert "没有与“无此人”相符的内容" in browser.get("/collection/cycles/2026/interviewers?q=无此人").text
    write(lambda session: session.execute(Interview.__table__.delete()))
    assert "还没有访问员经办的个案" in browser.get("/collection/cycles/2026/interviewers").text


def test_the_call_list_is_the_administrators_and_saving_it_is_told(
    work: Work, sign_in: SignIn, database: Database, write: Write
) -> None:
    browser, address = sign_in(work.administrator), "/collection/cycles/2026/desk/calls"
    write(
        lambda session: session.execute(
            update(Invitation).where(Invitation.id == work.left).values(outcome="unreachable")
        )
    )
    page = browser.get(address).text
    assert "陈13" in page
    assert "联系不上" in page
    assert "没有与“无此人”相符的内容" in browser.get(f"{address}?q=无此人").text
    saved = browser.post(f"{address}.csv")
    rows = list(csv.reader(io.StringIO(saved.data.decode("utf-8-sig"))))
    assert rows[1][:4] == ["三坑镇", "陈13", "13800000013", "送医陪护服务"]
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.act, entry.detail) == ("collection.save_call_list", {"people": 1})
    assert sign_in(work.first).get(address).status_code == 403
    write(lambda session: session.execute(update(Invitation).values(used=True)))
    assert "没有需要联系的服务对象" in browser.get(address).text


@pytest.mark.parametrize("outcome", ["refused", "moved", "died"])
def test_who_refused_or_is_gone_is_on_no_list_but_can_be_found(session: Session, outcome: str) -> None:
    work = make_work(session)
    session.get_one(Invitation, work.left).outcome = outcome
    session.flush()
    clerk = work.second.as_actor()
    assert count_open(session, actor=clerk) == 0
    assert not open_cases(session, Wanted(), actor=clerk).rows
    assert not call_list(session, work.cycle, Wanted(), actor=work.administrator.as_actor()).rows
    assert [row.name for row in open_cases(session, Wanted(), actor=clerk, all_open=True).rows] == ["陈13"]
