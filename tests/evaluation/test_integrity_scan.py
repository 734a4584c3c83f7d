"""Scans, decisions on flags, and what these do to scores; on both engines."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evalsys.base.access import Actor, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, Fault, Invalid, NotAllowed, NotFound
from evalsys.collection.models import Assessment, Response, ResponseDay, TimeBand
from evalsys.evaluation import what_if
from evalsys.evaluation.holds import decide
from evalsys.evaluation.integrity_scan import Scan, scan_cycle
from evalsys.evaluation.models import FlagState, IntegrityFlag, Run
from evalsys.evaluation.queries import collected
from evalsys.evaluation.usecases import run_cycle
from evalsys.registry.models import Cycle, Entry
from tests.evaluation.rated import all_at, rated_entry, respond
from tests.evaluation.trust import all_worst, assess_by, judged_cycle, trust_rules
from tests.factories import NOW, actor, make_account, make_county, make_cycle

ADMINISTRATOR = actor()
WHY = "电话回访核实，答卷为同一人代填。"


def scan(session: Session, cycle: Cycle) -> Scan:
    return scan_cycle(session, cycle, actor=ADMINISTRATOR, now=NOW)


def run(session: Session, cycle: Cycle) -> Run:
    return run_cycle(session, cycle, actor=ADMINISTRATOR, now=NOW)


def flags(session: Session, code: str = "") -> list[IntegrityFlag]:
    found = session.scalars(select(IntegrityFlag).order_by(IntegrityFlag.id).execution_options(populate_existing=True))
    return [flag for flag in found if code in flag.codes]


def hold(session: Session, cycle: Cycle, *which: IntegrityFlag, who: Actor = ADMINISTRATOR) -> list[IntegrityFlag]:
    return decide(session, cycle, [f.id for f in which], FlagState.HELD, reason=WHY, actor=who, now=NOW)


def suspicious(session: Session, **columns: Any) -> tuple[Cycle, Entry, list[Response]]:
    """A cycle in which one contract has three forms at the worst level throughout, filled in under 20 seconds."""
    cycle = judged_cycle(session, contracts=4, **columns)
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id).order_by(Entry.id)).first()
    assert entry is not None
    made = [respond(session, entry, all_worst(cycle, entry)) for _ in range(3)]
    for response in made:
        response.time_band = TimeBand.UNDER_20.value
    session.flush()
    return cycle, entry, made


def test_a_scan_flags_what_it_sees_and_holds_nothing(session: Session) -> None:
    cycle, entry, made = suspicious(session)
    told = scan(session, cycle)
    found = flags(session, " too_fast ")
    assert {flag.response_key for flag in found} == {response.key for response in made}
    assert {(flag.entry_id, flag.codes, flag.weight, flag.state) for flag in found} == {
        (entry.id, " long_string too_fast ", 2, "open")
    }
    assert told.added == told.open == len(flags(session))
    assert not session.scalars(select(Response.key).where(Response.held)).all()
    entry_of_audit = session.scalars(select(AuditEntry).where(AuditEntry.act == "evaluation.scan_cycle")).one()
    assert entry_of_audit.detail == {"added": told.added, "open": told.open, "gone": 0}


def test_a_second_scan_adds_nothing_and_overturns_no_decision(session: Session) -> None:
    cycle, entry, _made = suspicious(session)
    first = scan(session, cycle)
    held = flags(session, " too_fast ")[0]
    hold(session, cycle, held)
    again = scan(session, cycle)
    assert (again.added, again.open, again.gone) == (0, first.open - 1, 0)
    assert held.state == "held"
    late = respond(session, entry, all_worst(cycle, entry))
    assert scan(session, cycle).added == 1
    late_flag = next(flag for flag in flags(session) if flag.response_key == late.key)
    assert late_flag.codes == " long_string "


def test_an_open_flag_goes_when_its_signs_are_gone(session: Session) -> None:
    cycle, _entry, made = suspicious(session, rules=trust_rules(session, steps=b"[integrity]\n"))
    scan(session, cycle)
    kept = len(flags(session))
    cycle.rules_id = trust_rules(session, steps=b"[integrity]\nleast_questions = 30\n").id
    session.flush()
    session.expire(cycle)
    assert scan(session, cycle).gone >= len(made)
    assert len(flags(session)) < kept


def test_the_first_run_looks_too_and_a_correction_does_not(session: Session) -> None:
    cycle, entry, _made = suspicious(session)
    run(session, cycle)
    count = len(flags(session))
    assert count >= 3
    respond(session, entry, all_worst(cycle, entry))
    run(session, cycle)
    assert len(flags(session)) == count


def test_days_and_parties_are_flagged_for_the_contract_as_a_whole(session: Session) -> None:
    cycle = make_cycle(session, state="review", rules=trust_rules(session))
    odd, plain = (rated_entry(session, cycle, purchaser=level) for level in (1, 4))
    for n in range(10):
        session.add(ResponseDay(entry_id=plain.id, day=cycle.opens_on + timedelta(days=n), count=2))
    session.add(ResponseDay(entry_id=odd.id, day=date(2027, 1, 5), count=40))
    session.flush()
    run(session, cycle)
    whole = next(flag for flag in flags(session, " party_gap "))
    assert (whole.entry_id, whole.response_key, whole.assessment_id) == (odd.id, None, None)
    assert whole.codes == " busy_day party_gap "
    assert {(sign["sign"], sign.get("day", sign.get("party"))) for sign in whole.signs} >= {
        ("busy_day", "2027-01-05"),
        ("party_gap", "purchaser"),
    }
    with pytest.raises(Invalid):
        hold(session, cycle, whole)
    decide(session, cycle, [whole.id], FlagState.RELEASED, reason="集中座谈时收集。", actor=ADMINISTRATOR, now=NOW)
    assert scan(session, cycle).open == len([flag for flag in flags(session) if flag.state == "open"])
    assert len(flags(session, " party_gap ")) == 1
    session.add(ResponseDay(entry_id=odd.id, day=date(2027, 1, 9), count=39))
    session.flush()
    assert scan(session, cycle).added == 1
    new = [flag for flag in flags(session, " busy_day ") if flag.state == "open" and flag.entry_id == odd.id]
    assert [[sign["day"] for sign in flag.signs][-1] for flag in new] == ["2027-01-09"]
    session.execute(ResponseDay.__table__.delete())
    assert scan(session, cycle).gone == 1


def test_a_withheld_party_is_compared_with_nobody(session: Session) -> None:
    cycle = make_cycle(session, state="review", rules=trust_rules(session))
    rated_entry(session, cycle, recipients=(1, 1, 1), purchaser=5)
    run(session, cycle)
    assert flags(session, " party_gap ") == []


def test_assessments_are_looked_at_too(session: Session) -> None:
    cycle = make_cycle(session, state="review", rules=trust_rules(session))
    entry = rated_entry(session, cycle, third_party=None)
    for level in (5, 1):
        rater = make_account(session, Role.EVALUATOR)
        assess_by(session, entry, rater, all_at(cycle, "third_party", "care", level))
    scan(session, cycle)
    found = [flag for flag in flags(session) if flag.assessment and flag.assessment.party == "third_party"]
    assert {flag.codes for flag in found} == {" long_string shift "}
    hold(session, cycle, found[0])
    assert session.get_one(Assessment, found[0].assessment_id).held
    assert scan(session, cycle).gone == 0
    assert found[1].codes == " long_string "


# Decisions


def test_holding_takes_a_rating_out_of_the_score_and_releasing_brings_it_back(session: Session) -> None:
    cycle, entry, made = suspicious(session)
    before = run(session, cycle)
    chosen = flags(session, " too_fast ")
    hold(session, cycle, *chosen)
    after = run(session, cycle)
    score = {kept.entry_id: kept.score for kept in before.scores}, {kept.entry_id: kept.score for kept in after.scores}
    assert score[1][entry.id] > score[0][entry.id]
    assert all(score[1][other] == score[0][other] for other in score[0] if other != entry.id)
    counted = collected(session, cycle)[entry.id]
    assert (counted.received, counted.held) == (11, 3)
    assert {(flag.reason, flag.decided_by, flag.decided_at) for flag in chosen} == {(WHY, ADMINISTRATOR.name, NOW)}
    decide(session, cycle, [f.id for f in chosen], FlagState.RELEASED, reason="再次核实无误。", actor=actor(), now=NOW)
    assert {session.get_one(Response, response.key).held for response in made} == {False}
    assert {kept.entry_id: kept.score for kept in run(session, cycle).scores} == score[0]
    acts = session.scalars(
        select(AuditEntry).where(AuditEntry.act.like("evaluation.%_ratings")).order_by(AuditEntry.id)
    )
    assert [(one.act, one.detail["reason"]) for one in acts] == [
        ("evaluation.hold_ratings", WHY),
        ("evaluation.release_ratings", "再次核实无误。"),
    ]


def test_an_audit_entry_names_contracts_and_flags_but_no_response(session: Session) -> None:
    cycle, entry, made = suspicious(session)
    scan(session, cycle)
    chosen = flags(session, " too_fast ")
    hold(session, cycle, *chosen)
    kept = session.scalars(select(AuditEntry).where(AuditEntry.act == "evaluation.hold_ratings")).one()
    assert kept.detail == {
        "reason": WHY,
        "flags": sorted(flag.id for flag in chosen),
        "contracts": {entry.contract.reference: 3},
    }
    assert not any(response.key.hex() in str(kept.detail) for response in made)


def test_nobody_decides_about_a_rating_of_their_own(session: Session) -> None:
    cycle = make_cycle(session, state="review", rules=trust_rules(session))
    rated_entry(session, cycle, purchaser=3)
    scan(session, cycle)
    mine = next(flag for flag in flags(session) if flag.assessment)
    me = Actor(mine.assessment.account_id, "甲", Role.ADMINISTRATOR)
    with pytest.raises(NotAllowed):
        hold(session, cycle, mine, who=me)


@pytest.mark.parametrize(
    ("reason", "count", "fault"),
    [(" ", 1, Invalid), ("核" * 501, 1, Invalid), (WHY, 0, Invalid)],
    ids=["no-reason", "long-reason", "no-flag"],
)
def test_a_decision_needs_flags_and_a_reason(session: Session, reason: str, count: int, fault: type[Fault]) -> None:
    cycle, _entry, _made = suspicious(session)
    scan(session, cycle)
    chosen = [flag.id for flag in flags(session)[:count]]
    with pytest.raises(fault) as caught:
        decide(session, cycle, chosen, FlagState.HELD, reason=reason, actor=ADMINISTRATOR, now=NOW)
    assert caught.value.remedy


def test_a_flag_of_another_cycle_is_not_found(session: Session) -> None:
    cycle, _entry, _made = suspicious(session)
    scan(session, cycle)
    with pytest.raises(NotFound):
        hold(session, make_cycle(session, state="review"), flags(session)[0])


@pytest.mark.parametrize("state", ["draft", "collecting", "closed"])
def test_in_other_states_nothing_is_scanned_or_decided(session: Session, state: str) -> None:
    cycle = make_cycle(session, state=state)
    for act in (lambda: scan(session, cycle), lambda: hold(session, cycle)):
        with pytest.raises(Conflict) as caught:
            act()
        assert caught.value.remedy


def test_rules_without_the_step_are_not_scanned(session: Session) -> None:
    cycle = make_cycle(session, state="review", rules=trust_rules(session, steps=b""))
    rated_entry(session, cycle)
    with pytest.raises(Conflict) as caught:
        scan(session, cycle)
    assert "[integrity]" in caught.value.remedy
    run(session, cycle)
    assert flags(session) == []


def test_another_region_may_neither_scan_nor_decide(session: Session) -> None:
    cycle = judged_cycle(session, contracts=1)
    stranger = actor(region=make_county(session))
    with pytest.raises(NotAllowed):
        scan_cycle(session, cycle, actor=stranger, now=NOW)
    with pytest.raises(NotAllowed):
        hold(session, cycle, who=stranger)


# With and without


def effects(session: Session, cycle: Cycle, chosen: list[IntegrityFlag]) -> list[what_if.Effect]:
    wanted = [flag.id for flag in chosen]
    return what_if.effects(session, cycle, wanted, FlagState.HELD, reason=WHY, actor=ADMINISTRATOR, now=NOW)


def test_the_effect_is_what_deciding_and_scoring_again_gives(session: Session) -> None:
    cycle, entry, _made = suspicious(session)
    run(session, cycle)
    chosen = flags(session, " too_fast ")
    (effect,) = effects(session, cycle, chosen)
    assert {flag.state for flag in flags(session)} == {"open"}
    assert not session.scalars(select(Response.key).where(Response.held)).all()
    assert not session.scalars(select(AuditEntry.id).where(AuditEntry.act == "evaluation.hold_ratings")).all()
    hold(session, cycle, *flags(session, " too_fast "))
    scores = {kept.entry_id: kept.score for kept in run(session, cycle).scores}
    assert effect.entry.id == entry.id
    assert effect.after.score == pytest.approx(scores[entry.id], abs=1e-9)
    assert effect.moved > 0
    assert (effect.before.received, effect.before.held, effect.after.counted) == (11, 0, 8)
    seen = what_if.with_and_without(session, cycle, entry)
    assert (seen.before.score, seen.after.score) == pytest.approx((effect.before.score, effect.after.score), abs=1e-9)
    assert (seen.before.counted, seen.after.counted) == (11, 8)


def test_before_the_first_run_there_is_no_effect_to_show(session: Session) -> None:
    cycle, entry, _made = suspicious(session)
    scan(session, cycle)
    assert effects(session, cycle, flags(session)[:1]) == []
    assert what_if.with_and_without(session, cycle, entry) is None


def test_holding_too_many_leaves_no_score(session: Session) -> None:
    cycle = make_cycle(session, state="review", rules=trust_rules(session))
    rated_entry(session, cycle, recipients=(3,) * 6)
    run(session, cycle)
    (effect,) = effects(session, cycle, [flag for flag in flags(session) if flag.response_key])
    assert (effect.after.score, effect.after.grade, effect.moved, effect.after.counted) == (None, None, None, 0)


def test_a_refused_decision_has_no_effect_either(session: Session) -> None:
    cycle, _entry, _made = suspicious(session)
    run(session, cycle)
    with pytest.raises(Invalid):
        what_if.effects(session, cycle, [], FlagState.HELD, reason=WHY, actor=ADMINISTRATOR, now=NOW)


# Constraints

GOOD: dict[str, Any] = {"signs": [], "codes": " ", "weight": 0}
DECIDED: dict[str, Any] = {"decided_at": NOW, "decided_by": "甲", "reason": WHY}
BAD = {
    "ck_integrity_flag_state_known": [{"state": "lost"} | DECIDED],
    "ck_integrity_flag_decided_when": [{"decided_at": NOW}, {"state": "released"} | DECIDED | {"decided_at": None}],
    "ck_integrity_flag_decided_by_whom": [{"decided_by": "甲"}, {"state": "released"} | DECIDED | {"decided_by": None}],
    "ck_integrity_flag_reason_given": [{"state": "released"} | DECIDED | {"reason": ""}],
    "ck_integrity_flag_one_rating_at_most": [{"response_key": True, "assessment_id": True}],
    "ck_integrity_flag_only_a_rating_is_held": [{"state": "held"} | DECIDED],
    "uq_integrity_flag_response_key": [{"response_key": True}],
    "uq_integrity_flag_assessment_id": [{"assessment_id": True}],
    "fk_integrity_flag_response_key_response": [{"response_key": b"x" * 16}],
    "fk_integrity_flag_assessment_id_assessment": [{"assessment_id": 999_999}],
    "fk_integrity_flag_entry_id_entry": [{"entry_id": 999_999}],
}


@pytest.mark.parametrize(
    ("name", "changes"), [pytest.param(name, one, id=name) for name, several in BAD.items() for one in several]
)
def test_a_bad_flag_is_refused_by_its_constraint(session: Session, name: str, changes: dict[str, Any]) -> None:
    entry = rated_entry(session, make_cycle(session, state="review"), recipients=(3,))
    ids = {
        "response_key": session.scalars(select(Response.key)).one(),
        "assessment_id": session.scalars(select(Assessment.id)).first(),
    }
    row = {"entry_id": entry.id} | GOOD | {k: ids[k] if v is True else v for k, v in changes.items()}
    if name.startswith("uq_"):
        session.add(IntegrityFlag(**row))
        session.flush()
    session.add(IntegrityFlag(**row))
    with pytest.raises(IntegrityError) as caught:
        session.flush()
    said = str(caught.value.orig)
    if session.get_bind().dialect.name == "postgresql" or name.startswith("ck_"):
        assert name in said
    else:
        assert ("FOREIGN KEY" if name.startswith("fk_") else "UNIQUE") in said


def test_a_flag_goes_with_the_rating_that_an_import_replaces(session: Session) -> None:
    cycle, _entry, made = suspicious(session)
    scan(session, cycle)
    session.expunge_all()
    session.execute(Response.__table__.delete().where(Response.key == made[0].key))
    assert made[0].key not in {flag.response_key for flag in flags(session)}
