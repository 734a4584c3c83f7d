"""Declarations of interests: what is signed, what it bars, what it takes back, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.clock import now
from evalsys.base.errors import Conflict, Invalid, NotAllowed
from evalsys.collection.assessments import task_of
from evalsys.collection.assignments import Assign, assign
from evalsys.collection.closing import missing
from evalsys.collection.declarations import Declare, Stated, declare
from evalsys.collection.interest_models import InterestDeclaration, TieKind
from evalsys.collection.interest_queries import before_assessing
from evalsys.collection.interests import COMMISSION, Undeclared, counted_from, ties_of
from evalsys.collection.models import Assessment, Assignment
from evalsys.registry.models import Cycle, EvaluatorBody
from tests.collection.world import World, make_world, sign_nothing
from tests.factories import (
    NOW,
    make_account,
    make_contract,
    make_cycle,
    make_purchaser,
    make_region,
    make_vendor,
)
from tests.pages import CheckedClient

SignIn = Callable[[Account], CheckedClient]


@pytest.fixture
def world(session: Session, app: Flask) -> World:
    return make_world(session)


def own(world: World, *ties: Stated, account: Account | None = None) -> Declare:
    person = account or world.evaluator
    return Declare(world.cycle.id, person.evaluator_body_id or 0, person.id, ties)


def of_body(world: World, *ties: Stated) -> Declare:
    return Declare(world.cycle.id, world.evaluator.evaluator_body_id or 0, None, ties, signed_by="院长")


def tie(body: str, **changes: Any) -> Stated:
    return replace(Stated(body, TieKind.KINSHIP, of_body=False, started_on=date(2025, 1, 1)), **changes)


def why(session: Session, world: World, account: Account | None = None) -> str:
    person = account or world.evaluator
    return ties_of(session, world.cycle, [person])[person.id].why(world.contract)


def colleague_of(session: Session, world: World) -> Account:
    return make_account(
        session, Role.EVALUATOR, region=world.county, evaluator_body_id=world.evaluator.evaluator_body_id
    )


def submit_assessment(session: Session, world: World) -> Assessment:
    made = Assessment(
        entry_id=world.entry.id,
        party="third_party",
        account_id=world.evaluator.id,
        state="submitted",
        saved_at=NOW,
        submitted_at=NOW,
    )
    session.add(made)
    session.flush()
    return made


# ── What is signed ──


def test_without_ties_the_words_say_so_and_assessing_goes_on(session: Session, world: World) -> None:
    effect = declare(session, own(world), actor=world.evaluator.as_actor(), now=NOW)
    assert (effect.taken_back, effect.submitted) == ([], [])
    first, second = session.scalars(select(InterestDeclaration).order_by(InterestDeclaration.number))
    assert (first.number, second.number, second.ties, second.signed_by) == (1, 2, [], "评价员甲")
    assert second.words.startswith("本人评价员甲（测试评估中心")
    assert "2024年10月1日" in second.words
    assert task_of(session, world.entry.id, actor=world.evaluator.as_actor()).entry is world.entry
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.act, entry.detail["of"], entry.detail["version"], entry.detail["ties"]) == (
        "collection.declare_interests",
        world.evaluator.username,
        2,
        0,
    )


def test_nothing_opens_before_the_declaration_is_signed(session: Session, world: World) -> None:
    other = make_account(session, Role.EVALUATOR, region=world.county)
    session.add(Assignment(entry_id=world.entry.id, account_id=other.id))
    session.flush()
    with pytest.raises(Undeclared) as caught:
        task_of(session, world.entry.id, actor=other.as_actor())
    assert caught.value.cycle_code == world.cycle.code


def test_a_tie_takes_open_work_back_and_bars_it(session: Session, world: World) -> None:
    session.add(Assessment(entry_id=world.entry.id, party="third_party", account_id=world.evaluator.id, saved_at=NOW))
    stated = tie(world.contract.vendor.name, note="配偶任职")
    effect = declare(session, own(world, stated), actor=world.evaluator.as_actor(), now=NOW)
    assert [row.entry for row in effect.taken_back] == [world.entry]
    assert session.scalars(select(Assignment)).all() == []
    assert session.scalars(select(Assessment)).one().state == "draft"
    signed = session.scalars(select(InterestDeclaration).where(InterestDeclaration.number == 2)).one()
    assert f"1. {world.contract.vendor.name}：亲属关系（本人），2025年1月1日至今 · 配偶任职" in signed.words
    assert signed.ties[0].body_name == world.contract.vendor.name
    trail = session.scalars(select(AuditEntry)).one()
    assert trail.detail["taken_back"] == [f"{world.contract.reference} {world.evaluator.username}"]
    request = Assign(world.cycle.id, [world.entry.id], world.evaluator.id)
    with pytest.raises(Invalid) as caught:
        assign(session, request, actor=world.administrator.as_actor(), now=NOW)
    assert "声明" in caught.value.details[0]


def test_what_is_submitted_stays_and_is_told(session: Session, world: World) -> None:
    submit_assessment(session, world)
    stated = tie(world.contract.vendor.name)
    effect = declare(session, own(world, stated), actor=world.evaluator.as_actor(), now=NOW)
    assert (effect.taken_back, [row.entry for row in effect.submitted]) == ([], [world.entry])
    with current_app.test_request_context():
        labels = [note.label for note in missing(session, world.cycle, world.administrator.as_actor())]
    assert any("关系" in label for label in labels)


def test_an_assignment_given_in_spite_of_a_later_tie_does_not_open(session: Session, world: World) -> None:
    declare(session, own(world, tie(world.contract.vendor.name)), actor=world.evaluator.as_actor(), now=NOW)
    session.add(Assignment(entry_id=world.entry.id, account_id=world.evaluator.id))
    session.flush()
    with pytest.raises(NotAllowed, match="声明"):
        task_of(session, world.entry.id, actor=world.evaluator.as_actor())


def test_a_new_version_replaces_the_one_before(session: Session, world: World) -> None:
    actor = world.evaluator.as_actor()
    declare(session, own(world, tie(world.contract.vendor.name)), actor=actor, now=NOW)
    assert why(session, world)
    declare(session, own(world), actor=actor, now=NOW)
    assert not why(session, world)
    assert len(session.scalars(select(InterestDeclaration)).all()) == 3


# ── What bars ──


@pytest.mark.parametrize(
    ("ended_on", "bars"), [(None, True), (date(2024, 10, 1), True), (date(2024, 9, 30), False), (NOW.date(), True)]
)
def test_a_tie_bars_for_two_years_before_the_cycle_opens(
    session: Session, world: World, ended_on: date | None, bars: bool
) -> None:
    stated = tie(world.contract.vendor.credit_code.lower(), started_on=date(2020, 1, 1), ended_on=ended_on)
    declare(session, own(world, stated), actor=world.evaluator.as_actor(), now=NOW)
    assert bool(why(session, world)) is bars


def test_two_years_before_the_last_of_february() -> None:
    assert counted_from(Cycle(opens_on=date(2028, 2, 29))) == date(2026, 2, 28)
    assert counted_from(Cycle(opens_on=date(2027, 3, 1))) == date(2025, 3, 1)


def test_a_tie_to_a_purchaser_bars_what_it_buys(session: Session, world: World) -> None:
    stated = tie(world.contract.purchaser.name, kind=TieKind.EMPLOYMENT)
    declare(session, own(world, stated), actor=world.evaluator.as_actor(), now=NOW)
    assert "购买主体" in why(session, world)


def test_a_tie_of_the_organisation_binds_colleagues_and_an_own_one_does_not(session: Session, world: World) -> None:
    colleague = colleague_of(session, world)
    session.add(Assignment(entry_id=world.entry.id, account_id=colleague.id))
    session.flush()
    vendor = world.contract.vendor.name
    declare(session, own(world, tie(vendor)), actor=world.evaluator.as_actor(), now=NOW)
    assert (bool(why(session, world)), bool(why(session, world, colleague))) == (True, False)
    effect = declare(session, own(world, tie(vendor, of_body=True)), actor=world.evaluator.as_actor(), now=NOW)
    assert [row.account_id for row in effect.taken_back] == [colleague.id]
    assert why(session, world, colleague)
    assert not why(session, world, make_account(session, Role.EVALUATOR, region=world.county))


def test_an_administrator_enters_what_an_organisation_signed(session: Session, world: World) -> None:
    colleague = colleague_of(session, world)
    request = of_body(world, tie(world.contract.vendor.name, kind=TieKind.SHARES))
    effect = declare(session, request, actor=world.administrator.as_actor(), now=NOW)
    assert [row.account_id for row in effect.taken_back] == [world.evaluator.id]
    assert why(session, world, colleague)
    signed = session.scalars(select(InterestDeclaration).where(InterestDeclaration.account_id.is_(None))).one()
    assert (signed.number, signed.signed_by, signed.ties[0].of_body) == (1, "院长", True)
    assert "本机构" in signed.words
    declare(session, of_body(world), actor=world.administrator.as_actor(), now=NOW)
    assert not why(session, world, colleague)


def test_an_organisation_that_is_a_vendor_is_tied_to_itself_and_to_its_customers(
    session: Session, world: World
) -> None:
    body = session.get_one(EvaluatorBody, world.evaluator.evaluator_body_id)
    vendor = make_vendor(session, code=body.credit_code)
    same = {"vendor": vendor, "purchaser": world.contract.purchaser, "region": world.county}
    commission = make_contract(session, service_type=COMMISSION, **same)
    assert not why(session, world), "being commissioned is no tie to the purchaser"
    assert ties_of(session, world.cycle, [world.evaluator])[world.evaluator.id].why(commission)
    past = make_contract(session, starts_on=date(2023, 1, 1), ends_on=date(2024, 9, 30), **same)
    assert not why(session, world)
    past.ends_on = date(2024, 10, 1)
    session.flush()
    assert "另有合同" in why(session, world)


# ── What cannot be signed ──


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"body": "没有的单位"}, "没有名为"),
        ({"started_on": date(2026, 11, 3)}, "尚未到来"),
        ({"ended_on": date(2024, 12, 31)}, "早于"),
        ({"kind": TieKind.OTHER}, "备注"),
    ],
)
def test_a_tie_that_cannot_be(session: Session, world: World, changes: dict[str, Any], said: str) -> None:
    stated = [tie(world.contract.vendor.name), replace(tie(world.contract.vendor.name), **changes)]
    with pytest.raises(Invalid) as caught:
        declare(session, own(world, *stated), actor=world.evaluator.as_actor(), now=NOW)
    assert len(caught.value.details) == 1
    assert caught.value.details[0].startswith("第 2 项")
    assert said in caught.value.details[0]


def test_two_of_one_name_are_told_apart_by_region_or_code(session: Session, world: World) -> None:
    town = make_region(session, name="东岭镇", parent=world.county)
    for region in (world.county, town):
        make_purchaser(session, region=region, name="民政办")
    make_purchaser(session, name="外地民政办")
    actor = world.evaluator.as_actor()
    with pytest.raises(Invalid, match="不能照此声明") as caught:
        declare(session, own(world, tie("民政办"), tie("外地民政办")), actor=actor, now=NOW)
    assert "不止一个" in caught.value.details[0]
    assert "没有名为" in caught.value.details[1], "another branch's purchaser is nobody here"
    declare(session, own(world, tie("东岭镇民政办")), actor=actor, now=NOW)
    assert "东岭镇" not in session.scalars(select(InterestDeclaration.words)).all()[-1]


@pytest.mark.parametrize("who", ["colleague", "auditor", "stranger"])
def test_who_may_sign_for_whom(session: Session, world: World, who: str) -> None:
    actors = {
        "colleague": (own(world), colleague_of(session, world)),
        "auditor": (of_body(world), world.auditor),
        "stranger": (of_body(world), make_account(session, Role.ADMINISTRATOR)),
    }
    request, account = actors[who]
    with pytest.raises(NotAllowed):
        declare(session, request, actor=account.as_actor(), now=NOW)


def test_an_evaluator_of_another_branch_does_not_sign_here(session: Session, world: World) -> None:
    stranger = make_account(session, Role.EVALUATOR)
    with pytest.raises(NotAllowed):
        declare(session, own(world, account=stranger), actor=stranger.as_actor(), now=NOW)


def test_nobody_signs_after_collecting(session: Session, world: World) -> None:
    world.cycle.state = "review"
    with pytest.raises(Conflict):
        declare(session, own(world), actor=world.evaluator.as_actor(), now=NOW)


def test_the_coordinator_is_told_who_has_not_signed_and_what_nobody_assesses(session: Session, world: World) -> None:
    def told(account: Account) -> list[tuple[str, str]]:
        with current_app.test_request_context():
            return [(note.value, note.url) for note in before_assessing(session, world.cycle, account.as_actor())]

    assert told(world.administrator) == []
    session.query(InterestDeclaration).delete()
    session.query(Assignment).delete()
    (unsigned, declare_on), (alone, plan_on) = told(world.administrator)
    assert (unsigned, alone) == ("1", "1")
    assert (declare_on.rsplit("/", 1)[1], plan_on.rsplit("/", 1)[1]) == ("interests", "plan")
    assert told(make_account(session, Role.OFFICER, region=world.county)) == [(alone, plan_on)]
    world.cycle.state = "review"
    assert told(world.administrator) == []


# ── The pages ──


def address(world: World) -> str:
    return f"/collection/cycles/{world.cycle.code}/interests"


def make_undeclared(session: Session) -> World:
    world = make_world(session, closes_on=now().date() + timedelta(days=30), opens_on=date(2026, 1, 1))
    session.query(InterestDeclaration).delete()
    assert world.contract.vendor.name  # loads what is asked for after the session's end
    return world


def filled(world: World, **changes: str) -> dict[str, str]:
    tied = {"body": world.contract.vendor.name, "whose": "own", "kind": "shares", "started_on": "2025-01-01"}
    fields = {f"tie1-{name}": value for name, value in {**tied, "ended_on": "", "note": "", **changes}.items()}
    return {"stated": "some", "rows": "2", **fields}


def test_an_evaluator_is_led_to_the_declaration_and_signs_it(
    write: Callable[..., Any], sign_in: SignIn, app: Flask
) -> None:
    world = write(make_undeclared)
    browser = sign_in(world.evaluator)
    led = browser.get(f"/collection/entries/{world.entry.id}/rate")
    assert (led.status_code, led.location) == (303, f"{address(world)}/own")
    assert "先签署" in browser.get(led.location).text
    assert "签署“" in browser.get("/desk").text
    assert browser.post(led.location, data={"then": "check"}).status_code == 422
    more = browser.post(led.location, data={**filled(world), "then": "more"}).text
    assert "第 3 项" in more
    assert world.contract.vendor.name in more
    checked = browser.post(led.location, data={**filled(world), "then": "check"}).text
    assert "持股" in checked
    assert world.contract.reference in checked, "what would go back is named"
    unsigned = browser.post(led.location, data={**filled(world), "then": "sign"})
    assert (unsigned.status_code, "尚未勾选" in unsigned.text) == (422, True)
    signed = browser.post(led.location, data={**filled(world), "then": "sign", "signed": "y"})
    assert (signed.status_code, signed.location) == (303, led.location)
    page = browser.get(led.location).text
    assert "退回管理员" in page
    assert "持股" in page
    again = browser.get(f"{led.location}?change=1").text
    assert 'value="2025-01-01"' in again
    browser.post(led.location, data={"stated": "none", "then": "sign", "signed": "y"})
    page = browser.get(led.location).text
    assert "历次版本" in page
    assert "签署“" not in browser.get("/desk").text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stated": "none"}, "请清空"),
        ({"tie1-body": "", "tie1-kind": "", "tie1-started_on": ""}, "至少列出一项"),
        ({"tie1-kind": ""}, "选择关系类别"),
        ({"tie1-body": ""}, "写明承接主体或者购买主体"),
        ({"tie1-started_on": ""}, "何时开始"),
        ({"tie1-ended_on": "去年"}, "日期"),
        ({"tie1-body": "没有的单位"}, "没有名为"),
        ({"rows": "x" * 9, "tie1-kind": ""}, "选择关系类别"),
    ],
)
def test_a_form_that_is_not_right_says_where(
    write: Callable[..., Any], sign_in: SignIn, app: Flask, changes: dict[str, str], said: str
) -> None:
    world = write(make_undeclared)
    answer = sign_in(world.evaluator).post(f"{address(world)}/own", data={**filled(world), "then": "check", **changes})
    assert answer.status_code == 422
    assert said in answer.text


def test_the_administrator_sees_who_has_signed_and_what_binds(
    write: Callable[..., Any], sign_in: SignIn, app: Flask
) -> None:
    world = write(make_undeclared)
    write(lambda session: submit_assessment(session, world))
    browser = sign_in(world.administrator)
    assert "有 1 名评价员尚未签署" in browser.get(address(world)).text
    body = write(lambda session: session.get_one(EvaluatorBody, world.evaluator.evaluator_body_id))
    entering = f"{address(world)}/bodies/{body.credit_code}"
    assert entering in browser.get(address(world)).text
    assert "本人的" not in browser.get(entering).text, "whose tie it is goes without saying"
    old = filled(world, ended_on="2023-12-31", started_on="2020-01-01") | {"signed_by": "院长"}
    checked = browser.post(entering, data={**old, "then": "check"})
    assert checked.status_code == 200
    browser.post(entering, data={**old, "then": "sign", "signed": "y"})
    assert "已满 2 年" in browser.get(address(world)).text
    assert 'value="院长"' in browser.get(entering).text
    checked = browser.post(entering, data={**filled(world), "signed_by": "院长", "then": "check"})
    assert "已经提交" in checked.text
    browser.post(entering, data={**filled(world), "signed_by": "院长", "then": "sign", "signed": "y"})
    page = browser.get(address(world)).text
    assert "仍然提交" in page
    assert "构成回避" in page
    write(lambda session: sign_nothing(session, world.evaluator, world.cycle))
    assert "评价员均已签署" in sign_in(world.auditor).get(address(world)).text
    assert sign_in(world.auditor).get(entering).status_code == 403
    assert browser.get(f"{address(world)}/bodies/91441800MA0000000X").status_code == 404


def test_after_collecting_one_reads_what_one_signed(write: Callable[..., Any], sign_in: SignIn, app: Flask) -> None:
    world = write(lambda session: make_world(session, state="review"))
    page = sign_in(world.evaluator).get(f"{address(world)}/own").text
    assert "重新声明" not in page
    stranger = write(lambda session: make_account(session, Role.EVALUATOR, region=world.county))
    assert "未签署声明" in sign_in(stranger).get(f"{address(world)}/own").text
    assert sign_in(world.purchaser).get(f"{address(world)}/own").status_code == 403


def test_a_cycle_without_evaluators_says_so(write: Callable[..., Any], sign_in: SignIn, app: Flask) -> None:
    cycle = write(make_cycle)
    administrator = write(lambda session: make_account(session, region=session.get_one(Cycle, cycle.id).region))
    assert "还没有评价员" in sign_in(administrator).get(f"/collection/cycles/{cycle.code}/interests").text
