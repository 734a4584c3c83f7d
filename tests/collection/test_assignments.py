"""Who is to assess what: assigning, its refusals, taking back, and the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.clock import now
from evalsys.base.errors import Conflict, Fault, Invalid, NotAllowed, NotFound
from evalsys.collection.assignments import Assign, Assigned, assign, withdraw
from evalsys.collection.models import Assessment, Assignment
from evalsys.registry.models import EvaluatorBody
from tests.collection.world import World, make_world
from tests.factories import NOW, make_account, make_contract, make_county, make_entry, make_vendor


@pytest.fixture
def world(session: Session, app: Flask) -> World:
    return make_world(session)


def wanted(world: World, **changes: Any) -> Assign:
    return replace(Assign(world.cycle.id, [world.entry.id], world.evaluator.id), **changes)


def test_assigning_adds_changes_due_dates_and_leaves_the_same_alone(session: Session, world: World) -> None:
    second = make_entry(session, cycle=world.cycle)
    second.contract.region_id = world.county.id
    session.flush()
    session.refresh(second.contract)
    actor = world.administrator.as_actor()
    both = wanted(world, entry_ids=[world.entry.id, second.id], due_on=date(2026, 11, 20))
    assert assign(session, both, actor=actor, now=NOW) == Assigned(added=1, changed=1)
    assert assign(session, both, actor=actor, now=NOW) == Assigned(added=0, changed=0)
    assert {row.due_on for row in session.scalars(select(Assignment))} == {date(2026, 11, 20)}
    entry = session.scalars(select(AuditEntry)).first()
    assert entry is not None
    assert (entry.act, entry.detail["evaluator"]) == ("collection.assign", world.evaluator.username)
    assert entry.detail["contracts"] == [world.contract.reference, second.contract.reference]


def test_a_body_does_not_assess_its_own_service(session: Session, world: World) -> None:
    body = session.get_one(EvaluatorBody, world.evaluator.evaluator_body_id)
    own = make_contract(session, region=world.county, vendor=make_vendor(session, code=body.credit_code))
    entry = make_entry(session, cycle=world.cycle, contract=own)
    with pytest.raises(Invalid) as caught:
        assign(
            session,
            wanted(world, entry_ids=[world.entry.id, entry.id]),
            actor=world.administrator.as_actor(),
            now=NOW,
        )
    assert caught.value.details == (f"{own.reference}：评价员所在机构本身就是该服务的承接主体。",)


def test_an_evaluator_is_assigned_inside_their_branch_only(session: Session, world: World) -> None:
    stranger = make_account(session, Role.EVALUATOR, region=make_county(session))
    with pytest.raises(Invalid) as caught:
        assign(session, wanted(world, account_id=stranger.id), actor=world.administrator.as_actor(), now=NOW)
    assert stranger.region.name in caught.value.details[0]


@pytest.mark.parametrize(
    ("changes", "fault", "said"),
    [
        ({"entry_ids": []}, Invalid, "没有选择服务项目"),
        ({"entry_ids": [999_999]}, NotFound, "不在本评价年度"),
        ({"account_id": 999_999}, NotFound, "没有该评价年度或评价员"),
        ({"cycle_id": 999_999}, NotFound, "没有该评价年度或评价员"),
        ({"due_on": date(2026, 11, 1)}, Invalid, "截止日期"),
        ({"due_on": date(2026, 12, 1)}, Invalid, "截止日期"),
    ],
)
def test_what_cannot_be_assigned(
    session: Session, world: World, changes: dict[str, Any], fault: type[Fault], said: str
) -> None:
    with pytest.raises(fault) as caught:
        assign(session, wanted(world, **changes), actor=world.administrator.as_actor(), now=NOW)
    assert said in caught.value.message
    assert caught.value.remedy


def test_somebody_who_is_no_active_evaluator_is_not_found(session: Session, world: World) -> None:
    world.evaluator.active = False
    for account in (world.evaluator, world.purchaser):
        with pytest.raises(NotFound):
            assign(session, wanted(world, account_id=account.id), actor=world.administrator.as_actor(), now=NOW)


def test_only_an_administrator_of_the_region_assigns(session: Session, world: World) -> None:
    elsewhere = make_account(session, Role.ADMINISTRATOR, region=make_county(session))
    for account in (elsewhere, world.auditor):
        with pytest.raises(NotAllowed):
            assign(session, wanted(world), actor=account.as_actor(), now=NOW)


def test_nobody_is_assigned_after_collecting(session: Session, world: World) -> None:
    world.cycle.state = "review"
    with pytest.raises(Conflict):
        assign(session, wanted(world), actor=world.administrator.as_actor(), now=NOW)


def test_an_assignment_is_taken_back_and_its_draft_stays(session: Session, world: World) -> None:
    kept = session.scalars(select(Assignment)).one()
    session.add(Assessment(entry_id=world.entry.id, party="third_party", account_id=world.evaluator.id, saved_at=NOW))
    assert withdraw(session, kept.id, actor=world.administrator.as_actor(), now=NOW) is world.cycle
    assert session.scalars(select(Assignment)).all() == []
    assert session.scalars(select(Assessment)).one().state == "draft"
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.act, entry.detail["contract"]) == ("collection.withdraw_assignment", world.contract.reference)


def test_an_assignment_with_a_submitted_assessment_stays(session: Session, world: World) -> None:
    kept = session.scalars(select(Assignment)).one()
    session.add(
        Assessment(
            entry_id=world.entry.id,
            party="third_party",
            account_id=world.evaluator.id,
            saved_at=NOW,
            state="submitted",
            submitted_at=NOW,
        )
    )
    with pytest.raises(Conflict):
        withdraw(session, kept.id, actor=world.administrator.as_actor(), now=NOW)


def test_taking_back_what_is_not_there_or_of_another_region(session: Session, world: World) -> None:
    kept = session.scalars(select(Assignment)).one()
    with pytest.raises(NotFound):
        withdraw(session, kept.id + 1, actor=world.administrator.as_actor(), now=NOW)
    elsewhere = make_account(session, Role.ADMINISTRATOR, region=make_county(session))
    with pytest.raises(NotAllowed):
        withdraw(session, kept.id, actor=elsewhere.as_actor(), now=NOW)


# ── The page ──


def address(world: World) -> str:
    return f"/collection/cycles/{world.cycle.code}/assignments"


def make_unassigned(session: Session) -> World:
    world = make_world(session, closes_on=now().date() + timedelta(days=30), opens_on=date(2026, 1, 1))
    session.query(Assignment).delete()
    return world


def test_the_page_assigns_and_takes_back(write: Callable[..., Any], sign_in: Callable[..., Any], app: Flask) -> None:
    world = write(make_unassigned)
    browser = sign_in(world.administrator)
    assert "尚未分派" in browser.get(address(world) + "?unassigned=1").text
    form = {"entry_ids": world.entry.id, "account_id": world.evaluator.id, "due_on": ""}
    answer = browser.post(address(world) + "?unassigned=1&q=照料", data=form)
    assert answer.status_code == 303
    assert "unassigned=1" in answer.location
    page = browser.get(address(world)).text
    assert "已分派 1 个服务项目" in page
    assert "评价员甲" in page
    browser.post(address(world), data={**form, "due_on": now().date().isoformat()})
    page = browser.get(address(world) + f"?evaluator={world.evaluator.id}").text
    assert "已更改 1 个截止日期" in page
    taken = browser.post(f"/collection/assignments/{assignment_id(write)}/withdraw")
    assert taken.status_code == 303
    assert "没有符合条件" in browser.get(address(world) + f"?evaluator={world.evaluator.id}").text


def assignment_id(write: Callable[..., Any]) -> int:
    found: int = write(lambda session: session.scalars(select(Assignment.id)).one())
    return found


def test_the_page_says_what_is_wrong_and_keeps_the_choice(
    write: Callable[..., Any], sign_in: Callable[..., Any], app: Flask
) -> None:
    world = write(make_unassigned)
    browser = sign_in(world.administrator)
    missing = browser.post(address(world), data={"entry_ids": world.entry.id})
    assert (missing.status_code, "请选择评价员" in missing.text) == (422, True)
    late = {"entry_ids": world.entry.id, "account_id": world.evaluator.id, "due_on": "2030-01-01"}
    refused = browser.post(address(world), data=late)
    assert refused.status_code == 422
    assert "截止日期" in refused.text
    assert f'value="{world.entry.id}" aria-label="选择 {world.contract.reference}" checked' in refused.text


def test_an_auditor_reads_and_cannot_assign(write: Callable[..., Any], sign_in: Callable[..., Any], app: Flask) -> None:
    world = write(make_world)
    browser = sign_in(world.auditor)
    page = browser.get(address(world))
    assert page.status_code == 200
    assert "分派所选" not in page.text
    assert browser.post(address(world), data={}).status_code == 403


def test_a_cycle_without_evaluators_or_contracts_says_what_to_do(
    write: Callable[..., Any], sign_in: Callable[..., Any], app: Flask
) -> None:
    def nobody(session: Session) -> World:
        world = make_unassigned(session)
        world.evaluator.active = False
        return world

    world = write(nobody)
    assert "还没有评价员" in sign_in(world.administrator).get(address(world)).text

    def empty(session: Session) -> None:
        session.delete(session.merge(world.entry))

    write(empty)
    assert "还没有列入" in sign_in(world.administrator).get(address(world)).text


def test_another_region_and_an_unknown_cycle(
    write: Callable[..., Any], sign_in: Callable[..., Any], app: Flask
) -> None:
    world = write(make_world)
    stranger = write(make_account, Role.ADMINISTRATOR)
    assert sign_in(stranger).get(address(world)).status_code == 403
    assert sign_in(stranger).get("/collection/cycles/nothing/assignments").status_code == 404
