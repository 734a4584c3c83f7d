"""The coordinator's desk: how far collecting is, told of groups alone, and what to do next."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.collection.desk_tables import KINDS
from evalsys.collection.models import Assessment, Assignment, Invitation, Response
from evalsys.evaluation.models import IntegrityFlag
from evalsys.registry.models import Cycle, Stratum
from tests.collection.world import World, make_world
from tests.factories import NOW, make_account, make_contract, make_county, make_entry, make_region, make_stratum
from tests.pages import CheckedClient

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]


def people(session: Session, stratum: Stratum, *, invited: int, answered: int, mode: str = "self") -> None:
    """Recipients of a stratum, of whom the first have answered."""
    for number in range(invited):
        session.add(
            Invitation(
                code_hmac=f"{stratum.id:016}{number:016}".encode(),
                entry_id=stratum.entry_id,
                stratum_id=stratum.id,
                used=number < answered,
            )
        )
    for number in range(answered):
        told = stratum.id if invited >= 5 else None
        key = f"{stratum.id:08}{number:08}".encode()
        session.add(Response(key=key, entry_id=stratum.entry_id, stratum_id=told, mode=mode, time_band="unknown"))
    session.flush()


@dataclass
class Desk:
    world: World
    part: Account
    elsewhere: Account


def make_desk(session: Session) -> Desk:
    """Two contracts; 8 of 10 answered in one township, 1 of 10 in the next, and one of two in a third."""
    world = make_world(session, code="2026")
    for name, invited, answered in (("东镇", 10, 8), ("西镇", 10, 1), ("小镇", 2, 1)):
        stratum = make_stratum(session, entry=world.entry, township=name, size=20)
        people(session, stratum, invited=invited, answered=answered)
    session.scalars(select(Response)).first().held = True  # type: ignore[union-attr]  # there are ten
    township = make_region(session, name="南乡", parent=world.county)
    contract = make_contract(session, region=township, vendor=world.contract.vendor, title="康复训练项目")
    make_entry(session, cycle=world.cycle, contract=contract)
    flagged = session.scalars(select(Response.key).order_by(Response.key)).first()
    session.add(IntegrityFlag(entry_id=world.entry.id, response_key=flagged, signs=[], codes=" x ", weight=1))
    session.flush()
    part = make_account(session, Role.ADMINISTRATOR, region=township)
    elsewhere = make_account(session, Role.AUDITOR, region=make_county(session))
    for account in (part, elsewhere):
        assert account.as_actor().region_path  # loads what is asked for after the session's end
    return Desk(world, part, elsewhere)


@pytest.fixture
def desk(write: Write) -> Desk:
    made: Desk = write(make_desk)
    return made


def lines(browser: CheckedClient, kind: str, **args: str) -> list[dict[str, str]]:
    """A table as its CSV file."""
    answer = browser.get(f"/collection/cycles/2026/desk/by-{kind}", query_string={"format": "csv", "lang": "en"} | args)
    assert answer.mimetype == "text/csv"
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_each_contract_shows_how_far_it_is(desk: Desk, sign_in: SignIn) -> None:
    first, second = lines(sign_in(desk.world.administrator), "contract")
    assert first == {
        "Service contract": "居家照料项目",
        "More": first["More"],
        "In the frame": "60",
        "Invited": "22",
        "Answered": "10",
        "Response rate (%)": "45.5",
        "Alone (%)": "100.0",
        "With help (%)": "0.0",
        "By telephone (%)": "0.0",
        "On paper (%)": "0.0",
        "Counted": "9",
        "Held back": "1",
        "Open flags": "1",
        "Assessments submitted": "0",
        "Assessments due": "2",
        "Overdue": "0",
    }
    assert second["Service contract"] == "康复训练项目"
    assert (second["Invited"], second["Response rate (%)"], second["Alone (%)"]) == ("0", "", "")


def test_a_township_too_small_to_be_told_stands_among_the_others(desk: Desk, sign_in: SignIn) -> None:
    found = lines(sign_in(desk.world.auditor), "township", sort="name")
    told = [(line["Township"], line["Contracts"], line["Invited"], line["Answered"]) for line in found]
    assert told == [("Others and not known", "1", "2", "1"), ("东镇", "1", "10", "8"), ("西镇", "1", "10", "1")]
    assert [line["Alone (%)"] for line in found] == ["", "100.0", ""]  # one answer's way is not told
    assert "Held back" not in found[0]
    assert "Open flags" not in found[0]


def test_a_vendor_adds_up_its_contracts(desk: Desk, sign_in: SignIn) -> None:
    (line,) = lines(sign_in(desk.world.administrator), "vendor")
    assert line["More"] == desk.world.contract.vendor.credit_code
    assert (line["Contracts"], line["Invited"], line["Assessments due"], line["Open flags"]) == ("2", "22", "3", "1")


def test_parties_show_what_is_due_and_overdue(desk: Desk, sign_in: SignIn, write: Write) -> None:
    def later(session: Session) -> None:
        world = desk.world
        session.get_one(Cycle, world.cycle.id).closes_on = date(2026, 10, 2)
        session.add(
            Assessment(
                entry_id=world.entry.id,
                party="purchaser",
                account_id=world.purchaser.id,
                state="submitted",
                saved_at=NOW,
                submitted_at=NOW,
            )
        )
        other = make_account(session, Role.EVALUATOR, region=world.county)
        session.add(Assignment(entry_id=world.entry.id, account_id=other.id, due_on=date(2999, 1, 1)))

    write(later)
    found = lines(sign_in(desk.world.administrator), "party", sort="due")
    told = {
        line["Party"]: (line["Asked"], line["Received"], line["Overdue"], line["Counted"], line["With enough ratings"])
        for line in found
    }
    assert told == {
        "Purchaser": ("2", "1", "1", "1", "1"),
        "Third-party evaluator": ("2", "0", "1", "0", "0"),
        "Recipients": ("22", "10", "0", "9", "1"),
    }


def test_ways_of_answering_are_told_of_groups(desk: Desk, sign_in: SignIn, write: Write) -> None:
    def helped(session: Session) -> None:
        for number in range(9):
            key = f"helped{number:010}".encode()
            kind = "worker" if number < 5 else "relative"
            row = {"entry_id": desk.world.entry.id, "mode": "assisted", "time_band": "unknown"}
            session.add(Response(key=key, helper=kind, **row))

    write(helped)
    found = lines(sign_in(desk.world.administrator), "way", sort="-answers")
    told = [(line["Way of answering"], line["More"], line["Counted"], line["Share (%)"]) for line in found]
    assert told[:3] == [
        ("Alone", "", "9", "50.0"),
        ("With help", "", "9", "50.0"),
        ("Village, community or township worker", "who helped", "5", "27.8"),
    ]
    assert {line[2:] for line in told[3:]} == {("", "")}  # four with a relative's help are too few


def test_the_page_says_what_to_do_next(desk: Desk, sign_in: SignIn, write: Write) -> None:
    page = sign_in(desk.world.administrator).get("/collection/cycles/2026/desk/").text
    for said in ("尚未邀请服务对象的项目", "应答率最低：西镇", "待核查的异常评分", "10.0%"):
        assert said in page
    assert "逾期未交的评价" not in page

    def over(session: Session) -> None:
        session.get_one(Cycle, desk.world.cycle.id).closes_on = date(2026, 10, 2)

    write(over)
    assert "逾期未交的评价" in sign_in(desk.world.administrator).get("/collection/cycles/2026/desk/").text

    def done(session: Session) -> None:
        session.get_one(Cycle, desk.world.cycle.id).state = "review"
        session.execute(IntegrityFlag.__table__.delete())

    write(done)
    assert "暂无待办事项" in sign_in(desk.world.administrator).get("/collection/cycles/2026/desk/").text


def test_tables_are_searched_sorted_and_saved_as_shown(desk: Desk, sign_in: SignIn) -> None:
    browser = sign_in(desk.world.administrator)
    address = "/collection/cycles/2026/desk/by-township"
    assert "东镇" not in browser.get(f"{address}?q=西").text
    assert "没有与“无此镇”相符的内容" in browser.get(f"{address}?q=无此镇").text
    book = CalamineWorkbook.from_filelike(io.BytesIO(browser.get(f"{address}?q=镇&sort=-rate&format=xlsx").data))
    assert [row[0] for row in book.get_sheet_by_index(0).to_python()[1:]] == ["东镇", "西镇"]


@pytest.mark.parametrize("kind", KINDS)
def test_empty_tables_say_what_to_do(sign_in: SignIn, write: Write, kind: str) -> None:
    def empty(session: Session) -> Account:
        account = make_account(session, Role.ADMINISTRATOR, region=make_county(session))
        session.add(
            Cycle(
                code="2026",
                title="x",
                year=2026,
                region_id=account.region_id,
                state="draft",
                opens_on=date(2026, 1, 1),
                closes_on=date(2026, 1, 2),
            )
        )
        assert account.region.path
        return account

    page = sign_in(write(empty)).get(f"/collection/cycles/2026/desk/by-{kind}").text
    assert {"party": "尚未确定评分规则", "way": "尚未收到答卷"}.get(kind, "还没有服务项目") in page


def test_another_branch_sees_nothing(desk: Desk, sign_in: SignIn) -> None:
    assert sign_in(desk.elsewhere).get("/collection/cycles/2026/desk/").status_code == 403
    assert sign_in(desk.world.evaluator).get("/collection/cycles/2026/desk/").status_code == 403


def test_a_township_sees_its_own_part_and_no_flags_of_the_whole(desk: Desk, sign_in: SignIn) -> None:
    browser = sign_in(desk.part)
    assert [line["Service contract"] for line in lines(browser, "contract")] == ["康复训练项目"]
    assert [line["Township"] for line in lines(browser, "township")] == []
    assert "待核查的异常评分" not in browser.get("/collection/cycles/2026/desk/").text
