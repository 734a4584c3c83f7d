"""Plans, candidates, points and decisions: what is done, refused, and told to the trail."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.access import Actor, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, Invalid, NotAllowed, NotFound
from evalsys.selection.law import Weights
from evalsys.selection.models import Plan
from evalsys.selection.sheet import sheet_of
from evalsys.selection.usecases import (
    Choice,
    PlanFacts,
    Points,
    add_candidate,
    create_plan,
    decide,
    edit_plan,
    enter_points,
    remove_candidate,
)
from tests.factories import NOW, actor, make_county, make_cycle, make_purchaser, make_region, make_rules, make_vendor
from tests.selection.makers import make_candidate, make_plan, publish

pytestmark = pytest.mark.usefixtures("app")

GROUND = "服务力量充足,以往评价结果稳定"


def officer(plan: Plan | None = None) -> Actor:
    return replace(actor(Role.OFFICER, region=plan.region if plan else None), name="周主任")


def facts(purchaser_id: int, **given: Any) -> PlanFacts:
    usual: dict[str, Any] = {
        "title": " 2027年度照料护理 ",
        "year": 2027,
        "purchaser_id": purchaser_id,
        "service_type": "care",
        "use": "open_tender",
        "weights": Weights(Decimal(70), Decimal(30), Decimal(0)),
    }
    return PlanFacts(**usual | given)


def trail(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)))


def test_a_plan_goes_by_the_rules_in_force(session: Session) -> None:
    purchaser = make_purchaser(session)
    other = make_rules(session, b"# elsewhere\n" + _shipped())
    newest = make_rules(session, b"# newest here\n" + _shipped())
    make_cycle(session, year=2026, rules=other)
    make_cycle(session, region=purchaser.region, year=2025, rules=make_rules(session))
    make_cycle(session, region=purchaser.region.parent, year=2026, rules=newest)
    plan = create_plan(session, facts(purchaser.id), actor=officer(), now=NOW)
    assert plan.rules_id == newest.id
    assert (plan.title, plan.region_id, plan.created_by) == ("2027年度照料护理", purchaser.region_id, "周主任")
    assert (plan.weight_technical, plan.weight_price, plan.weight_past) == (0.7, 0.3, 0.0)
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.act, entry.subject) == ("selection.create_plan", f"selection_plan:{plan.id}")
    assert entry.detail["weights"] == ["70", "30", "0"]


def _shipped() -> bytes:
    from evalsys import config

    return config.SHIPPED_RULES.read_bytes()


def test_without_a_cycle_the_shipped_rules_hold(session: Session) -> None:
    plan = create_plan(session, facts(make_purchaser(session).id), actor=officer(), now=NOW)
    assert plan.rules.text.encode() == _shipped()


def test_a_cycle_below_serves_a_city_without_its_own(session: Session) -> None:
    city = make_region(session)
    county = make_region(session, parent=city)
    version = make_rules(session, b"# below\n" + _shipped())
    make_cycle(session, region=county, rules=version)
    plan = create_plan(session, facts(make_purchaser(session, region=city).id), actor=officer(), now=NOW)
    assert plan.rules_id == version.id


def test_a_plan_that_breaks_a_rule_is_not_made(session: Session) -> None:
    purchaser = make_purchaser(session)
    unlawful = facts(purchaser.id, weights=Weights(Decimal(60), Decimal(20), Decimal(20)))
    with pytest.raises(Invalid) as caught:
        create_plan(session, unlawful, actor=officer(), now=NOW)
    assert len(caught.value.details) == 1
    with pytest.raises(Invalid):
        create_plan(session, facts(purchaser.id, use="lottery"), actor=officer(), now=NOW)
    with pytest.raises(NotFound):
        create_plan(session, facts(4711), actor=officer(), now=NOW)
    assert session.scalars(select(Plan)).all() == []


def test_nobody_plans_for_another_branch(session: Session) -> None:
    here, there = make_purchaser(session), make_purchaser(session)
    me = actor(Role.OFFICER, region=here.region)
    with pytest.raises(NotAllowed):
        create_plan(session, facts(there.id), actor=me, now=NOW)
    plan = make_plan(session, purchaser=here)
    with pytest.raises(NotAllowed):
        edit_plan(session, plan.id, facts(there.id), actor=me, now=NOW)


def test_a_plan_is_changed(session: Session) -> None:
    plan = make_plan(session)
    weights = Weights(Decimal("33.3"), Decimal("33.3"), Decimal("33.4"))
    changed = facts(plan.purchaser_id, use="renewal", weights=weights, reference_fen=5_000_000)
    edit_plan(session, plan.id, changed, actor=officer(plan), now=NOW)
    session.flush()
    session.refresh(plan)
    assert (plan.use, plan.weight_past, plan.reference_fen) == ("renewal", 0.334, 5_000_000)
    assert trail(session) == ["selection.edit_plan"]


def test_a_reference_price_is_fixed_before_any_offer(session: Session) -> None:
    plan = make_plan(session)
    kept = {"use": "renewal", "weights": Weights(Decimal(50), Decimal(30), Decimal(20))}
    without = facts(plan.purchaser_id, **kept)
    with pytest.raises(Invalid) as caught:
        edit_plan(session, plan.id, without, actor=officer(plan), now=NOW)
    assert len(caught.value.details) == 1
    candidate = make_candidate(session, plan, make_vendor(session), technical=80.0)
    edit_plan(session, plan.id, replace(without, reference_fen=4_000_000), actor=officer(plan), now=NOW)
    candidate.offer_fen = 4_500_000
    edit_plan(session, plan.id, replace(without, reference_fen=4_000_000, year=2028), actor=officer(plan), now=NOW)
    with pytest.raises(Conflict):
        edit_plan(session, plan.id, replace(without, reference_fen=4_500_000), actor=officer(plan), now=NOW)
    assert (plan.year, plan.reference_fen) == (2028, 4_000_000)
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert last is not None
    assert last.detail["reference_fen"] == 4_000_000


def test_candidates_come_and_go(session: Session) -> None:
    plan, vendor = make_plan(session), make_vendor(session)
    me = officer(plan)
    add_candidate(session, plan.id, f" {vendor.credit_code.lower()}", actor=me, now=NOW)
    with pytest.raises(Conflict):
        add_candidate(session, plan.id, vendor.credit_code, actor=me, now=NOW)
    with pytest.raises(NotFound):
        add_candidate(session, plan.id, "91441802MA00000000", actor=me, now=NOW)
    remove_candidate(session, plan.id, vendor.credit_code, actor=me, now=NOW)
    assert plan.candidates == []
    with pytest.raises(NotFound):
        remove_candidate(session, plan.id, vendor.credit_code, actor=me, now=NOW)
    assert trail(session) == ["selection.add_candidate", "selection.remove_candidate"]


def test_points_are_entered_and_the_trail_says_what_they_were(session: Session) -> None:
    plan = make_plan(session)
    first = make_candidate(session, plan, make_vendor(session), technical=70.0)
    second = make_candidate(session, plan, make_vendor(session), technical=60.0, offer_fen=5_000_000)
    entered = {first.id: Points(70.0, 8_850_000), second.id: Points(60.0, 5_000_000)}
    assert enter_points(session, plan.id, entered, actor=officer(plan), now=NOW) == 1
    assert first.offer_fen == 8_850_000
    entry = session.scalars(select(AuditEntry)).one()
    assert entry.detail == {first.vendor.credit_code: {"before": [70.0, None], "after": [70.0, 8_850_000]}}
    assert enter_points(session, plan.id, entered, actor=officer(plan), now=NOW) == 0
    assert len(trail(session)) == 1


@pytest.mark.parametrize(
    "points", [Points(-0.5, None), Points(100.5, None), Points(None, 0), Points(float("nan"), None)]
)
def test_points_out_of_range_are_refused(session: Session, points: Points) -> None:
    plan = make_plan(session)
    candidate = make_candidate(session, plan, make_vendor(session))
    with pytest.raises(Invalid) as caught:
        enter_points(session, plan.id, {candidate.id: points}, actor=officer(plan), now=NOW)
    assert candidate.vendor.name in caught.value.message


def test_points_for_somebody_taken_off_meanwhile_are_refused(session: Session) -> None:
    plan = make_plan(session)
    with pytest.raises(Conflict):
        enter_points(session, plan.id, {4711: Points(1.0, 100)}, actor=officer(plan), now=NOW)


def ready_plan(session: Session) -> Plan:
    """Two candidates with all their points."""
    plan = make_plan(session)
    for technical in (80.0, 90.0):
        vendor = make_vendor(session)
        publish(session, vendor, technical)
        make_candidate(session, plan, vendor, technical=technical, offer_fen=5_000_000)
    return plan


def test_a_person_decides_and_everything_is_kept(session: Session) -> None:
    """The second on the sheet may be chosen: the ground says why."""
    plan = ready_plan(session)
    sheet = sheet_of(session, plan)
    chosen = sheet.lines[1]
    choice = Choice(chosen.credit_code, f"  {GROUND} ", sheet.fingerprint)
    decision = decide(session, plan.id, choice, actor=officer(plan), now=NOW)
    assert decision.vendor.credit_code == chosen.credit_code
    assert (decision.ground, decision.decided_by, decision.decided_at) == (GROUND, "周主任", NOW)
    entry = session.scalars(select(AuditEntry)).one()
    assert entry.detail == {"vendor": chosen.credit_code, "place": 2, "best": chosen.best, "ground": GROUND}
    assert chosen.best == 0, "ten points behind, with hardly any doubt"
    session.expire_all()
    assert sheet_of(session, session.get_one(Plan, plan.id)) == sheet


def test_after_the_decision_nothing_changes(session: Session) -> None:
    plan = ready_plan(session)
    sheet = sheet_of(session, plan)
    line = sheet.lines[0]
    choice = Choice(line.credit_code, GROUND, sheet.fingerprint)
    me = officer(plan)
    decide(session, plan.id, choice, actor=me, now=NOW)
    for act in (
        lambda: decide(session, plan.id, choice, actor=me, now=NOW),
        lambda: edit_plan(session, plan.id, facts(plan.purchaser_id), actor=me, now=NOW),
        lambda: add_candidate(session, plan.id, line.credit_code, actor=me, now=NOW),
        lambda: remove_candidate(session, plan.id, line.credit_code, actor=me, now=NOW),
        lambda: enter_points(session, plan.id, {}, actor=me, now=NOW),
    ):
        with pytest.raises(Conflict):
            act()
    assert trail(session) == ["selection.decide"]


def test_a_decision_needs_a_ground_a_candidate_and_the_sheet_that_was_seen(session: Session) -> None:
    plan = ready_plan(session)
    sheet = sheet_of(session, plan)
    code, seen, me = sheet.lines[0].credit_code, sheet.fingerprint, officer(plan)
    with pytest.raises(Invalid):
        decide(session, plan.id, Choice(code, "好 " + " " * 30, seen), actor=me, now=NOW)
    with pytest.raises(Invalid):
        decide(session, plan.id, Choice(make_vendor(session).credit_code, GROUND, seen), actor=me, now=NOW)
    plan.candidates[0].offer_fen = 5_100_000
    with pytest.raises(Conflict):
        decide(session, plan.id, Choice(code, GROUND, seen), actor=me, now=NOW)
    assert trail(session) == []


def test_a_decision_waits_for_the_points_of_all(session: Session) -> None:
    plan = ready_plan(session)
    late = make_vendor(session, name="迟到的中心")
    make_candidate(session, plan, late)
    sheet = sheet_of(session, plan)
    choice = Choice(sheet.lines[0].credit_code, GROUND, sheet.fingerprint)
    with pytest.raises(Invalid) as caught:
        decide(session, plan.id, choice, actor=officer(plan), now=NOW)
    assert caught.value.details == ("迟到的中心",)
    with pytest.raises(Invalid):
        decide(session, make_plan(session).id, choice, actor=officer(), now=NOW)


def test_another_branch_is_left_alone(session: Session) -> None:
    plan = ready_plan(session)
    stranger = actor(Role.OFFICER, region=make_county(session))
    for act in (
        lambda: decide(session, plan.id, Choice("x", GROUND, ""), actor=stranger, now=NOW),
        lambda: edit_plan(session, plan.id, facts(plan.purchaser_id), actor=stranger, now=NOW),
        lambda: add_candidate(session, plan.id, "x", actor=stranger, now=NOW),
        lambda: remove_candidate(session, plan.id, "x", actor=stranger, now=NOW),
        lambda: enter_points(session, plan.id, {}, actor=stranger, now=NOW),
    ):
        with pytest.raises(NotAllowed):
            act()
    with pytest.raises(NotFound):
        enter_points(session, 4711, {}, actor=stranger, now=NOW)
