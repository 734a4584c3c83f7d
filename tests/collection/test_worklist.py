"""A rater's list: its filters and counts, what was sent back, and what to do first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.clock import now
from evalsys.base.listing import Wanted
from evalsys.collection.interest_models import InterestDeclaration
from evalsys.collection.models import Assessment, AssessmentVersion, Assignment
from evalsys.collection.queries import Choices, Narrowing, choices, worklist
from evalsys.registry.models import Region, Vendor
from tests.collection.world import World, make_world
from tests.factories import NOW, make_contract, make_entry, make_region, make_vendor
from tests.pages import CheckedClient


@pytest.fixture
def world(session: Session, app: Flask) -> World:
    return make_world(session)


def assign_another(session: Session, world: World, *, region: Region, vendor: Vendor, **columns: Any) -> int:
    contract = make_contract(session, region=region, vendor=vendor, **columns)
    entry = make_entry(session, cycle=world.cycle, contract=contract)
    session.add(Assignment(entry_id=entry.id, account_id=world.evaluator.id))
    session.flush()
    return entry.id


def assess(session: Session, world: World, entry_id: int, *, reasons: tuple[str, ...] = ()) -> None:
    """A draft; with reasons, one that was sent back for each."""
    draft = Assessment(entry_id=entry_id, party="third_party", account_id=world.evaluator.id, saved_at=NOW)
    session.add(draft)
    session.flush()
    for number, reason in enumerate(reasons, 1):
        version = {"content": {}, "submitted_at": NOW, "returned_at": NOW, "returned_by": "管理员"}
        session.add(AssessmentVersion(assessment_id=draft.id, number=number, reason=reason, **version))
    session.flush()


def references(session: Session, world: World, **only: str) -> set[str]:
    page = worklist(session, Wanted(), actor=world.evaluator.as_actor(), now=NOW, only=Narrowing(**only))
    return {row.reference for row in page.rows}


def offered(session: Session, world: World, **only: str) -> Choices:
    return choices(session, Narrowing(**only), actor=world.evaluator.as_actor())


def test_a_list_is_narrowed_by_region_vendor_and_state_and_counts_what_is_left(session: Session, world: World) -> None:
    town, vendor = make_region(session, name="东岭镇", parent=world.county), make_vendor(session, name="甲中心")
    drafted = assign_another(session, world, region=town, vendor=vendor, reference="A-1")
    returned = assign_another(session, world, region=town, vendor=world.contract.vendor, reference="A-2")
    assess(session, world, drafted)
    assess(session, world, returned, reasons=("缺少台账", "仍缺 3 月台账"))
    assert references(session, world, region=town.code) == {"A-1", "A-2"}
    assert references(session, world, region=town.code, vendor=vendor.credit_code) == {"A-1"}
    assert references(session, world, state="returned") == {"A-2"}
    assert references(session, world, state="draft") == {"A-1"}
    assert references(session, world, cycle="other") == set()
    seen = offered(session, world)
    assert seen.regions == [(world.county.code, "测试县"), (town.code, "东岭镇")]
    assert {code for code, _name in seen.vendors} == {vendor.credit_code, world.contract.vendor.credit_code}
    assert [cycle.id for cycle in seen.cycles] == [world.cycle.id]
    assert seen.states == {"not_begun": 1, "draft": 1, "returned": 1, "awaiting": 0, "submitted": 0}
    narrowed = offered(session, world, region=town.code)
    assert narrowed.states["not_begun"] == 0
    assert narrowed.regions == seen.regions, "another can be chosen at once"
    page = worklist(session, Wanted(sort="region"), actor=world.evaluator.as_actor(), now=NOW)
    assert [row.region for row in page.rows].count("东岭镇") == 2
    assert {row.reference: row.reason for row in page.rows}["A-2"] == "仍缺 3 月台账"
    assert {row.reference: row.reason for row in page.rows}["A-1"] == ""


def test_the_page_tells_the_days_the_reason_and_what_comes_first(
    write: Callable[..., Any], sign_in: Callable[[Account], CheckedClient], app: Flask
) -> None:
    def late(session: Session) -> World:
        day = now().date()
        world = make_world(session, opens_on=date(2026, 1, 1), closes_on=day + timedelta(days=30))
        session.query(Assignment).update({"due_on": day - timedelta(days=5)})
        assess(session, world, world.entry.id, reasons=("请补充<照片>",))
        town = make_region(session, name="东岭镇", parent=world.county)
        assign_another(session, world, region=town, vendor=make_vendor(session, name="甲中心"))
        session.query(InterestDeclaration).delete()
        return world

    world = write(late)
    page = sign_in(world.evaluator).get("/collection/worklist").text
    for said in (
        "请先签署",
        "退回修改（1）",
        "需更正：请补充&lt;照片&gt;",
        "已逾期",
        "东岭镇</option>",
        "甲中心</option>",
    ):
        assert said in page, said
    assert f"/collection/cycles/{world.cycle.code}/interests/own" in page
    assert "请先签署" not in sign_in(world.purchaser).get("/collection/worklist").text
