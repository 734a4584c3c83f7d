"""Plans of a cycle: what they stand on, what they say, storing them, the page and the command."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.clock import now
from evalsys.base.db import Database
from evalsys.base.errors import Conflict, Fault, Invalid, NotAllowed
from evalsys.cli import evalsys
from evalsys.collection.interest_models import InterestDeclaration, InterestTie
from evalsys.collection.models import Assessment, Assignment
from evalsys.collection.overlap import MOST_NUMBERED, overlap_of
from evalsys.collection.plans import Proposal, Wish, propose, store
from evalsys.config import Settings
from tests.collection.world import World, make_world, sign_nothing
from tests.factories import NOW, make_account, make_contract, make_county, make_cycle, make_entry, make_vendor
from tests.pages import CheckedClient

SignIn = Callable[[Account], CheckedClient]
WISH = Wish(seed=7)


@pytest.fixture
def world(session: Session, app: Flask) -> World:
    return make_world(session)


def add_contracts(session: Session, world: World, count: int, **columns: Any) -> list[int]:
    return [
        make_entry(session, cycle=world.cycle, contract=make_contract(session, region=world.county, **columns)).id
        for _n in range(count)
    ]


def add_evaluator(session: Session, world: World, *, signed: bool = True, **columns: Any) -> Account:
    made = make_account(session, Role.EVALUATOR, region=world.county, **columns)
    if signed:
        sign_nothing(session, made, world.cycle)
    return made


def tie_to(session: Session, world: World, account: Account, vendor_id: int) -> None:
    signed = session.scalars(select(InterestDeclaration).where(InterestDeclaration.account_id == account.id)).one()
    signed.ties = [InterestTie(vendor_id=vendor_id, kind="shares", of_body=False, started_on=date(2025, 1, 1))]
    session.flush()


def proposed(session: Session, world: World, wish: Wish = WISH) -> Proposal:
    return propose(session, world.cycle, wish, actor=world.administrator.as_actor(), now=NOW)


def test_a_plan_adds_to_what_is_assigned_and_is_stored_as_shown(session: Session, world: World) -> None:
    add_contracts(session, world, 9)
    others = [add_evaluator(session, world) for _n in range(2)]
    shown = proposed(session, world, Wish(seed=7, due_on=date(2026, 11, 20)))
    assert (shown.plan.doubly, shown.overlap.parts, shown.remarks) == (3, 1, [])
    assert shown.share == 0.3
    actor = world.administrator.as_actor()
    done = store(session, world.cycle, shown.wish, shown.fingerprint, actor=actor, now=NOW)
    assert done.pairs == shown.pairs
    rows = session.scalars(select(Assignment)).all()
    assert {(row.entry_id, row.account_id) for row in rows} == {*shown.pairs, (world.entry.id, world.evaluator.id)}
    assert {row.due_on for row in rows} == {None, date(2026, 11, 20)}
    loads = [sum(row.account_id == one.id for row in rows) for one in (world.evaluator, *others)]
    assert sorted(loads) == [4, 4, 5]
    trail = session.scalars(select(AuditEntry)).one()
    assert (trail.act, trail.detail["seed"], trail.detail["assigned"]) == ("collection.assign_by_plan", 7, 12)
    with pytest.raises(Conflict, match="已有变化"):
        store(session, world.cycle, shown.wish, shown.fingerprint, actor=actor, now=NOW)
    again = proposed(session, world)
    assert again.pairs == []
    with pytest.raises(Conflict, match="没有新的分派"):
        store(session, world.cycle, WISH, again.fingerprint, actor=actor, now=NOW)


def test_nobody_gets_what_a_tie_bars_or_before_signing(session: Session, world: World) -> None:
    add_contracts(session, world, 5)
    unsigned = add_evaluator(session, world, signed=False, name="未签员")
    tied = add_evaluator(session, world)
    tie_to(session, world, tied, world.contract.vendor_id)
    shown = proposed(session, world, Wish(seed=7, share=1))
    assert unsigned.id not in {account for _entry, account in shown.pairs}
    assert (world.entry.id, tied.id) not in shown.pairs
    assert shown.plan.doubly == 5
    assert "未签员" in shown.remarks[0]
    assert "6" in shown.remarks[1]
    assert "已满" not in shown.remarks[1]


def test_a_blocked_assignment_and_one_of_somebody_who_left_are_planned_anew(session: Session, world: World) -> None:
    """What is submitted stays in the picture, whoever left."""
    tie_to(session, world, world.evaluator, world.contract.vendor_id)
    second = add_evaluator(session, world)
    gone, left = (add_evaluator(session, world, active=False) for _n in range(2))
    (entry_id,) = add_contracts(session, world, 1)
    session.add_all(Assignment(entry_id=entry_id, account_id=one.id) for one in (gone, left))
    submitted = {"state": "submitted", "saved_at": NOW, "submitted_at": NOW, "party": "third_party"}
    session.add(Assessment(entry_id=entry_id, account_id=gone.id, **submitted))
    session.flush()
    shown = proposed(session, world, Wish(seed=1, share=0))
    assert [one.id for one in shown.ground.people] == [world.evaluator.id, second.id, gone.id]
    assert (world.entry.id, second.id) in shown.pairs
    assert shown.overlap.parts == 1
    assert shown.plan.seen.sum() == 3, "the second joins the contract of the one who left, and nobody else has work"


def test_the_plan_says_what_it_could_not_do_and_why(session: Session, world: World) -> None:
    vendor = make_vendor(session)
    add_contracts(session, world, 12, vendor=vendor)
    second = add_evaluator(session, world, name="评价员乙")
    tie_to(session, world, world.evaluator, vendor.id)
    tie_to(session, world, second, world.contract.vendor_id)
    shown = proposed(session, world)
    apart = [remark for remark in shown.remarks if "不可比" in remark]
    assert len(apart) == 1
    assert "彼此" in apart[0]
    assert any("只有 0 个" in remark and "利害关系" in remark for remark in shown.remarks)
    full = proposed(session, world, Wish(seed=7, share=0, most=1))
    (nobody,) = [remark for remark in full.remarks if "无人" in remark]
    assert "等 11 个" not in nobody
    assert "另有 1" in nobody
    assert "已达" in nobody


def test_why_parts_stay_apart_capacity_or_a_missing_signature(session: Session, world: World) -> None:
    add_contracts(session, world, 1)
    add_evaluator(session, world)
    full = proposed(session, world, Wish(seed=7, share=0, most=1))
    assert [remark for remark in full.remarks if "不可比" in remark and "上限" in remark]
    session.query(InterestDeclaration).filter_by(account_id=world.evaluator.id).delete()
    third = add_evaluator(session, world, signed=False)
    session.add(Assignment(entry_id=world.entry.id, account_id=third.id))
    tie_to(session, world, session.scalars(select(Account).join(InterestDeclaration)).one(), world.contract.vendor_id)
    waiting = proposed(session, world, Wish(seed=7, share=0))
    assert [remark for remark in waiting.remarks if "不可比" in remark and "尚未签署" in remark]


def test_more_than_the_share_is_said(session: Session, world: World) -> None:
    add_contracts(session, world, 5)
    for _n in range(2):
        add_evaluator(session, world)
    shown = proposed(session, world, Wish(seed=7, share=0))
    assert (shown.plan.doubly, shown.overlap.parts) == (2, 1)
    assert "超过" in shown.remarks[0]


@pytest.mark.parametrize(
    ("wish", "fault"),
    [
        (Wish(seed=1, share=1.5), Invalid),
        (Wish(seed=1, most=0), Invalid),
        (Wish(seed=-1), Invalid),
        (Wish(seed=1, due_on=date(2027, 1, 1)), Invalid),
    ],
)
def test_a_wish_that_cannot_be(session: Session, world: World, wish: Wish, fault: type[Fault]) -> None:
    with pytest.raises(fault):
        proposed(session, world, wish)


def test_who_may_plan_and_when(session: Session, world: World) -> None:
    stranger = make_account(session, Role.ADMINISTRATOR, region=make_county(session))
    for account in (world.auditor, stranger):
        with pytest.raises(NotAllowed):
            propose(session, world.cycle, WISH, actor=account.as_actor(), now=NOW)
    session.query(InterestDeclaration).delete()
    with pytest.raises(Conflict, match="签署"):
        proposed(session, world)
    empty = make_cycle(session, region=world.county)
    with pytest.raises(Conflict, match="没有本辖区"):
        propose(session, empty, WISH, actor=world.administrator.as_actor(), now=NOW)
    world.cycle.state = "review"
    with pytest.raises(Conflict, match="结束"):
        proposed(session, world)


def test_the_picture_numbers_its_dots_and_widens_its_lines() -> None:
    seen = np.zeros((5, 4), bool)
    seen[:3, :2] = seen[3, 1] = seen[3, 2] = True
    drawn = overlap_of(seen, ["甲", "乙", "丙", "丁"])
    assert [(one.load, one.shared, list(one.partners), one.part) for one in drawn.raters] == [
        (3, 3, [2], 0),
        (4, 4, [1, 3], 0),
        (1, 1, [2], 0),
        (0, 0, [], -1),
    ]
    assert [line.width for line in drawn.lines] == [4.8, 2.13]
    assert (drawn.parts, drawn.contracts, drawn.doubly, drawn.numbered) == (1, 4, 4, True)
    assert all(0 < dot.x < 400 and 0 < dot.y < 400 for dot in drawn.dots)
    many = overlap_of(np.zeros((1, MOST_NUMBERED + 1), bool), ["甲"] * (MOST_NUMBERED + 1))
    assert (many.numbered, many.parts, many.lines) == (False, 0, [])


# ── The page and the command ──


def make_waiting(session: Session) -> World:
    world = make_world(session, closes_on=now().date() + timedelta(days=30), opens_on=date(2026, 1, 1))
    add_contracts(session, world, 4)
    add_evaluator(session, world, name="评价员乙")
    return world


def address(world: World) -> str:
    return f"/collection/cycles/{world.cycle.code}/plan"


def test_the_page_shows_the_present_and_a_plan_and_stores_it(
    write: Callable[..., Any], sign_in: SignIn, app: Flask
) -> None:
    world = write(make_waiting)
    browser = sign_in(world.administrator)
    present = browser.get(address(world)).text
    assert "<circle" in present
    assert "现状" in present
    wished = f"{address(world)}?share=40&seed=3&most=&due_on="
    page = browser.get(wished).text
    assert "按此方案分派" in page
    fingerprint = re.search(r'name="fingerprint" value="(\w+)"', page)
    assert fingerprint is not None
    stale = browser.post(wished, data={"fingerprint": "x"})
    assert (stale.status_code, "seed=3" in stale.location) == (303, True)
    assert "已有变化" in browser.get(stale.location).text
    done = browser.post(wished, data={"fingerprint": fingerprint[1]})
    assert (done.status_code, done.location) == (303, address(world))
    assert "已分派 6 个服务项目" in browser.get(address(world)).text
    assert "没有新的分派" in browser.get(wished).text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_page_says_what_is_wrong(write: Callable[..., Any], sign_in: SignIn, app: Flask) -> None:
    world = write(make_waiting)
    browser = sign_in(world.administrator)
    for wished in ("share=200&seed=1", "share=30&seed=", "share=30&seed=1&most=0", "share=30&seed=1&due_on=2030-01-01"):
        answer = browser.get(f"{address(world)}?{wished}")
        assert answer.status_code == 422
        assert "未能制定方案" in answer.text
    assert browser.post(f"{address(world)}?share=200&seed=1").status_code == 422


def test_parts_and_ties_are_shown_to_those_who_may_know(write: Callable[..., Any], sign_in: SignIn, app: Flask) -> None:
    def apart(session: Session) -> World:
        world = make_waiting(session)
        entry_id = add_contracts(session, world, 1)[0]
        other = session.scalars(select(Account).where(Account.name == "评价员乙")).one()
        session.add(Assignment(entry_id=entry_id, account_id=other.id))
        tie_to(session, world, other, world.contract.vendor_id)
        return world

    world = write(apart)
    page = sign_in(world.auditor).get(f"{address(world)}?seed=1&share=30").text
    assert "第 2 部分" in page
    assert "因利害关系回避" in page
    assert "制定方案" not in page
    officer = write(lambda session: make_account(session, Role.OFFICER, region=world.county))
    assert "因利害关系回避" not in sign_in(officer).get(address(world)).text
    assert sign_in(world.evaluator).get(address(world)).status_code == 403


def test_a_cycle_without_evaluators_or_contracts_says_so(
    write: Callable[..., Any], sign_in: SignIn, app: Flask
) -> None:
    cycle = write(make_cycle)
    administrator = write(lambda session: make_account(session, region=session.merge(cycle).region))
    empty = sign_in(administrator).get(f"/collection/cycles/{cycle.code}/plan").text
    assert "还没有评价员" in empty
    write(lambda session: make_account(session, Role.EVALUATOR, region=session.merge(cycle).region))
    assert "还没有列入" in sign_in(administrator).get(f"/collection/cycles/{cycle.code}/plan").text


def test_the_command_shows_a_plan_and_stores_it_when_told(
    database: Database, write: Callable[..., Any], settings: Settings, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = write(make_waiting)
    write(lambda session: add_evaluator(session, world, signed=False, name="未签员"))
    monkeypatch.setenv("EVALSYS_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("EVALSYS_INSTANCE", str(settings.instance))
    order = ["assign", world.cycle.code, "--share", "0.4", "--seed", "3", "--due", now().date().isoformat()]

    def count() -> int | None:
        with database.reading() as session:
            return session.scalar(select(func.count()).select_from(Assignment))

    shown = CliRunner().invoke(evalsys, order)
    assert shown.exit_code == 0, shown.output
    assert "评价员乙：0 → " in shown.output
    assert "未签员" in shown.output
    assert "--yes" in shown.output
    assert count() == 1
    stored = CliRunner().invoke(evalsys, [*order, "--yes"])
    assert "已分派 6 个服务项目" in stored.output
    assert count() == 7
