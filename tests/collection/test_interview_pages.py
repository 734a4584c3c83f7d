"""Answering with help: whom an interviewer may ask, and what is left of it afterwards."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from evalsys.base.direct import DatabaseAway
from evalsys.collection.bare_pages import WRONG_CODES
from evalsys.collection.codes import new_code
from evalsys.collection.models import Invitation, Response
from evalsys.collection.survey import SurveyDesk
from evalsys.registry.models import Cycle, CycleState, Entry, RosterMember
from tests.collection.surveys import COMPLETE, NOTHING, ONE, form, make_invitation, stored, token_of
from tests.factories import (
    NOW,
    make_account,
    make_contract,
    make_county,
    make_cycle,
    make_entry,
    make_region,
    make_stratum,
    make_vendor,
)
from tests.pages import CheckedClient

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]
URL = "/collection/interviews/"


@dataclass
class Village:
    """A county whose contract serves two townships; one recipient in each is known by name."""

    county: Account
    township: Account
    employed: Account
    elsewhere: Account
    case: int
    other_case: int
    nameless_case: int
    code: str
    nameless_code: str
    entry_id: int


def make_village(session: Session) -> Village:
    county = make_county(session, name="测试县")
    township = make_region(session, name="三坑镇", parent=county)
    vendor = make_vendor(session, name="仁爱社工服务中心")
    contract = make_contract(session, region=county, vendor=vendor, title="送医陪护服务")
    entry = make_entry(session, cycle=make_cycle(session, region=county), contract=contract)

    def person(region: Any, **columns: Any) -> Account:
        account = make_account(session, Role.INTERVIEWER, region=region, **columns)
        assert account.region.path  # loads what is asked for after the session's end
        return account

    here, code = _invited(session, entry, "三坑镇", name="陈伯", contact="13800000001")
    there, _code = _invited(session, entry, "山塘镇", name="李婶", contact="")
    nameless_code = make_invitation(session, entry=entry)
    return Village(
        county=person(county),
        township=person(township),
        employed=person(county, vendor_id=vendor.id),
        elsewhere=person(make_county(session)),
        case=here,
        other_case=there,
        nameless_case=session.scalars(select(Invitation.id).order_by(Invitation.id.desc())).first() or 0,
        code=code,
        nameless_code=nameless_code,
        entry_id=entry.id,
    )


def _invited(session: Session, entry: Entry, township: str, **columns: str) -> tuple[int, str]:
    stratum = make_stratum(session, entry=entry, township=township)
    member = RosterMember(stratum_id=stratum.id, **columns)
    session.add(member)
    session.flush()
    code = make_invitation(session, entry=entry, stratum_id=stratum.id, roster_member_id=member.id)
    return session.scalars(select(Invitation.id).where(Invitation.roster_member_id == member.id)).one(), code


@pytest.fixture
def village(write: Write) -> Village:
    made: Village = write(make_village)
    return made


def filled(browser: CheckedClient, address: str, **changes: str) -> dict[str, str]:
    return COMPLETE | changes | {"form-token": token_of(browser.get(address).text), "csrf_token": "any"}


def test_the_list_names_those_who_have_not_answered(village: Village, sign_in: SignIn, write: Write) -> None:
    browser = sign_in(village.county)
    page = browser.get(URL).text
    assert "陈伯" in page
    assert "13800000001" in page
    assert "李婶" in page
    assert f"{URL}{village.nameless_case}/" not in page
    assert "李婶" not in browser.get(f"{URL}?q=三坑").text
    assert "没有与“无此人”相符" in browser.get(f"{URL}?q=无此人").text
    assert "待询问的服务对象" in browser.get("/desk").text
    write(lambda session: session.execute(update(Invitation).values(used=True)))
    assert "没有需要询问的服务对象" in browser.get(URL).text
    assert "待询问的服务对象" not in browser.get("/desk").text


def test_each_sees_the_own_branch_and_nobody_whom_the_employer_serves(village: Village, sign_in: SignIn) -> None:
    township = sign_in(village.township).get(URL).text
    assert "陈伯" in township
    assert "李婶" not in township
    for account in (village.employed, village.elsewhere):
        assert "陈伯" not in sign_in(account).get(URL).text


@pytest.mark.parametrize(
    ("who", "case", "status", "said"),
    [
        ("township", "other_case", 403, "属于其他地区"),
        ("elsewhere", "case", 403, "属于其他地区"),
        ("employed", "case", 403, "您所在单位是这项服务的承接主体"),
        ("county", "nameless_case", 404, "没有这名服务对象"),
    ],
)
def test_a_case_out_of_reach_does_not_open(
    village: Village, sign_in: SignIn, *, who: str, case: str, status: int, said: str
) -> None:
    page = sign_in(getattr(village, who)).get(f"{URL}{getattr(village, case)}/assisted")
    assert page.status_code == status
    assert said in page.text


def test_a_case_out_of_reach_takes_no_answer(village: Village, sign_in: SignIn, database: Database) -> None:
    address = f"{URL}{village.case}/assisted"
    sent = filled(sign_in(village.county), address)
    for account in (village.employed, village.elsewhere):
        assert sign_in(account).post(address, data=sent).status_code == 403
    colleague = sign_in(village.township).post(address, data=sent)  # the form was handed to somebody else
    assert colleague.status_code == 422
    assert stored(database) == NOTHING


def test_other_roles_do_not_interview(village: Village, sign_in: SignIn, write: Write) -> None:
    assert sign_in(write(make_account)).get(URL).status_code == 403
    assert sign_in(village.county).get("/accounts/").status_code == 403


@pytest.mark.parametrize(("mode", "said"), [("telephone", "您身边有服务机构的人吗"), ("assisted", "自己的话")])
def test_an_answer_is_counted_with_its_mode_and_no_trace_of_who_helped(
    village: Village, sign_in: SignIn, *, database: Database, client: CheckedClient, mode: str, said: str
) -> None:
    browser, address = sign_in(village.county), f"{URL}{village.case}/{mode}"
    page = browser.get(address)
    assert said in page.text
    assert "不记录是谁协助的" in page.text
    sent = filled(browser, address)
    answer = browser.post(address, data=sent)
    assert answer.status_code == 303
    receipt = answer.location.rsplit("/", 1)[1]
    assert "下一位" in browser.get(answer.location).text
    assert client.get(f"/s/thanks/{receipt}").status_code == 200
    assert stored(database) == ONE
    with database.reading() as session:
        assert session.scalars(select(Response.mode)).one() == mode
    again = browser.post(address, data=sent)
    assert again.location == answer.location
    assert stored(database) == ONE
    assert client.get(f"/s/{village.code}").status_code == 410
    gone = browser.get(address)
    assert gone.status_code == 410
    assert "已经作答" in gone.text


@pytest.mark.parametrize("kind", ["interviewer", "worker", "volunteer", "other"])
def test_the_kind_of_helper_is_kept(village: Village, sign_in: SignIn, database: Database, kind: str) -> None:
    browser, address = sign_in(village.county), f"{URL}{village.case}/assisted"
    faulty = browser.post(address, data={"helped-by": kind, "form-token": "x"}).text
    assert f'<option value="{kind}" selected>' in faulty
    browser.post(address, data=filled(browser, address) | {"helped-by": kind})
    with database.reading() as session:
        assert session.scalars(select(Response.helper)).all() == [kind]


@pytest.mark.parametrize("kind", ["relative", "robot", ""])
def test_nobody_signs_in_as_another_kind_of_helper(
    village: Village, sign_in: SignIn, database: Database, kind: str
) -> None:
    browser, address = sign_in(village.county), f"{URL}{village.case}/assisted"
    answer = browser.post(address, data=filled(browser, address) | {"helped-by": kind})
    assert answer.status_code == 422
    assert "没有这种协助人身份" in answer.text
    assert stored(database) == NOTHING


def test_nothing_is_logged_of_an_answer(village: Village, sign_in: SignIn, caplog: pytest.LogCaptureFixture) -> None:
    browser, address = sign_in(village.county), f"{URL}{village.case}/telephone"
    sent = filled(browser, address)
    with caplog.at_level(logging.INFO):
        browser.post(address, data=sent)
    assert caplog.records == []


def test_a_faulty_form_comes_back_with_its_answers(village: Village, sign_in: SignIn, database: Database) -> None:
    browser, address = sign_in(village.county), f"{URL}{village.case}/assisted"
    sent = filled(browser, address)
    del sent["life"]
    page = browser.post(address, data=sent)
    assert page.status_code == 422
    assert 'href="#q-life"' in page.text
    assert 'name="help" value="4" checked' in page.text
    assert token_of(page.text) == sent["form-token"]
    other_way = browser.post(f"{URL}{village.case}/telephone", data=sent | {"life": "3"})
    assert other_way.status_code == 422
    assert "表单" in other_way.text
    assert stored(database) == NOTHING
    assert browser.post(address, data=sent | {"life": "3"}).status_code == 303


def test_who_answered_alone_meanwhile_is_not_counted_twice(
    village: Village, sign_in: SignIn, client: CheckedClient, database: Database
) -> None:
    browser, address = sign_in(village.county), f"{URL}{village.case}/assisted"
    sent = filled(browser, address)
    client.post(f"/s/{village.code}", data=form(client, village.code))
    assert "没有重复计入" in browser.post(address, data=sent, follow_redirects=True).text
    assert stored(database) == ONE


def test_after_closing_nothing_opens_and_nothing_is_taken(
    village: Village, sign_in: SignIn, write: Write, database: Database
) -> None:
    browser, address = sign_in(village.county), f"{URL}{village.case}/assisted"
    sent = filled(browser, address)
    write(lambda session: session.execute(update(Cycle).values(state=CycleState.PRELIMINARY.value)))
    assert "没有保存" in browser.post(address, data=sent, follow_redirects=True).text
    assert browser.get(address).status_code == 410
    assert stored(database) == NOTHING


def test_a_code_that_was_withdrawn_meanwhile_is_nobody(village: Village, sign_in: SignIn, write: Write) -> None:
    browser, address = sign_in(village.county), f"{URL}{village.case}/assisted"
    sent = filled(browser, address)
    write(lambda session: session.delete(session.get_one(Invitation, village.case)))
    assert browser.get(address).status_code == 404
    assert browser.post(address, data=sent).status_code == 404


def test_the_recipients_code_opens_the_questions_without_a_name(
    village: Village, sign_in: SignIn, database: Database
) -> None:
    browser = sign_in(village.county)
    assert browser.get(f"{URL}code").status_code == 200
    assert browser.post(f"{URL}code").status_code == 422
    typed = {"code": village.nameless_code.lower(), "mode": "telephone"}
    page = browser.post(f"{URL}code", data=typed)
    assert page.status_code == 200
    address = f"{URL}{village.nameless_case}/telephone"
    assert f'action="{address}"' in page.text
    assert village.nameless_code not in page.text
    sent = COMPLETE | {"form-token": token_of(page.text)}
    assert browser.post(address, data=sent).status_code == 303
    assert stored(database) == ONE
    used = browser.post(f"{URL}code", data=typed)
    assert used.status_code == 410
    assert "已经作答" in used.text
    assert sign_in(village.employed).post(f"{URL}code", data=typed).status_code == 403


def test_whoever_guesses_codes_is_slowed(village: Village, sign_in: SignIn) -> None:
    with time_machine.travel(NOW, tick=False):
        browser = sign_in(village.county)
        for typed in (new_code(), "ABC", *("x" for _ in range(WRONG_CODES - 2))):
            wrong = browser.post(f"{URL}code", data={"code": typed, "mode": "assisted"})
            assert wrong.status_code == 404
        assert "没有这个问卷码" in wrong.text
        slowed = browser.post(f"{URL}code", data={"code": "ABC", "mode": "assisted"})
        assert slowed.status_code == 429
        right = {"code": village.code, "mode": "assisted"}
        assert browser.post(f"{URL}code", data=right).status_code == 200


def test_why_there_is_no_answer_is_recorded_without_saying_of_whom(
    village: Village, sign_in: SignIn, database: Database, client: CheckedClient
) -> None:
    browser, address = sign_in(village.county), f"{URL}{village.case}/outcome"
    assert "联系不上" in browser.get(f"{URL}{village.case}/telephone").text
    assert browser.post(address, data={"outcome": "bored"}).status_code == 422
    assert "联系不上" in browser.post(address, data={"outcome": "unreachable"}, follow_redirects=True).text
    assert browser.post(f"{URL}{village.nameless_case}/outcome", data={"outcome": "died"}).status_code == 404
    assert sign_in(village.employed).post(address, data={"outcome": "died"}).status_code == 403
    with database.reading() as session:
        assert session.get_one(Invitation, village.case).outcome == "unreachable"
        entry = session.scalars(select(AuditEntry)).one()
        assert entry.detail == {"unreachable": 1}
        assert entry.subject.startswith("cycle:")
    listed = f"{URL}{village.case}/telephone"
    assert listed not in browser.post(address, data={"outcome": "refused"}, follow_redirects=True).text
    assert listed in browser.get(f"{URL}?all=1").text
    client.post(f"/s/{village.code}", data=form(client, village.code))
    assert browser.post(address, data={"outcome": "refused"}).status_code == 410


def test_an_unknown_receipt_is_told_so(village: Village, sign_in: SignIn) -> None:
    assert sign_in(village.county).get(f"{URL}thanks/ABC").status_code == 404


def test_while_the_database_is_away_the_answers_are_kept(
    village: Village, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    browser, address = sign_in(village.county), f"{URL}{village.case}/assisted"
    sent = filled(browser, address)

    def away(*_args: Any, **_named: Any) -> None:
        raise DatabaseAway

    with monkeypatch.context() as broken:
        broken.setattr(SurveyDesk, "answer_with_help", away)
        page = browser.post(address, data=sent)
    assert page.status_code == 503
    assert page.headers["Retry-After"] == "10"
    assert f'name="form-token" value="{sent["form-token"]}"' in page.text
    with monkeypatch.context() as broken:
        broken.setattr(SurveyDesk, "open_hashed", away)
        assert "form-token" not in browser.get(address).text
    assert browser.post(address, data=sent).status_code == 303
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Response)) == 1


def test_a_code_withdrawn_while_the_page_is_made_is_said(
    village: Village, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SurveyDesk, "open_hashed", lambda *_args: None)
    page = sign_in(village.county).get(f"{URL}{village.case}/assisted")
    assert page.status_code == 404
    assert "收回" in page.text
