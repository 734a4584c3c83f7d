from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, Invalid, NotAllowed, NotFound
from evalsys.registry import cycles
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Region, RosterMember, Stratum
from tests import factories as f


@pytest.fixture(autouse=True)
def texts(app: Flask) -> None:
    """Refusals are worded, which takes an application."""


def facts(session: Session, **changes: Any) -> cycles.CycleFacts:
    values: dict[str, Any] = {
        "code": "2027",
        "title": "2027 年度评价",
        "year": 2027,
        "opens_on": date(2027, 10, 1),
        "closes_on": date(2027, 11, 30),
    }
    if "region_id" not in changes:
        values["region_id"] = f.make_county(session).id
    return cycles.CycleFacts(**(values | changes))


def region_of(session: Session, cycle: Cycle) -> Region:
    return session.get_one(Region, cycle.region_id)


def test_a_cycle_begins_as_a_draft(session: Session) -> None:
    cycle = cycles.add_cycle(session, facts(session), actor=f.actor(), now=f.NOW)
    assert (cycle.state, cycle.rules_id) == ("draft", None)
    assert cycles.cycle_by_code(session, "2027") is cycle


def test_a_code_is_used_once(session: Session) -> None:
    cycles.add_cycle(session, facts(session), actor=f.actor(), now=f.NOW)
    with pytest.raises(Conflict, match="已有"):
        cycles.add_cycle(session, facts(session), actor=f.actor(), now=f.NOW)


def test_an_unknown_code_names_the_known_ones(session: Session) -> None:
    with pytest.raises(NotFound) as none:
        cycles.cycle_by_code(session, "2030")
    assert "先新增" in none.value.remedy
    f.make_cycle(session, code="2026")
    with pytest.raises(NotFound) as some:
        cycles.cycle_by_code(session, "2030")
    assert "2026" in some.value.remedy


def test_closing_before_opening_is_refused(session: Session) -> None:
    with pytest.raises(Invalid):
        cycles.add_cycle(session, facts(session, closes_on=date(2027, 9, 30)), actor=f.actor(), now=f.NOW)


def test_another_region_is_refused(session: Session) -> None:
    elsewhere = f.make_county(session)
    with pytest.raises(NotAllowed):
        cycles.add_cycle(session, facts(session), actor=f.actor(region=elsewhere), now=f.NOW)


def test_a_draft_can_be_edited_and_the_trail_says_what_changed(session: Session) -> None:
    given = facts(session)
    cycle = cycles.add_cycle(session, given, actor=f.actor(), now=f.NOW)
    changed = facts(session, region_id=given.region_id, title="改名", year=2028)
    cycles.edit_cycle(session, cycle, changed, actor=f.actor(), now=f.NOW)
    session.flush()
    assert (cycle.title, cycle.year) == ("改名", 2028)
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()[-1]
    assert entry.detail == {"title": ["2027 年度评价", "改名"], "year": ["2027", "2028"]}


def test_year_and_region_stand_fixed_once_open(session: Session) -> None:
    cycle = f.make_cycle(session, code="2027", year=2027)
    wanted = facts(session, region_id=cycle.region_id, title="改名")
    cycles.edit_cycle(session, cycle, wanted, actor=f.actor(), now=f.NOW)
    assert cycle.title == "改名"
    for changes in ({"year": 2028, "region_id": cycle.region_id}, {"region_id": f.make_county(session).id}):
        with pytest.raises(Conflict):
            cycles.edit_cycle(session, cycle, facts(session, **changes), actor=f.actor(), now=f.NOW)


def test_a_code_never_changes(session: Session) -> None:
    cycle = f.make_cycle(session, code="2026", year=2027, state="draft")
    with pytest.raises(Conflict):
        cycles.edit_cycle(session, cycle, facts(session, region_id=cycle.region_id), actor=f.actor(), now=f.NOW)


def test_every_state_has_a_name() -> None:
    assert [cycles.state_name(state.value) for state in CycleState] == [
        "筹备中", "评价收集中", "审核中", "初步结果", "已公告", "已归档",
    ]  # fmt: skip


def test_a_cycle_goes_through_its_states_in_order_only(session: Session) -> None:
    cycle = f.make_cycle(session, state="draft", rules=f.make_rules(session))
    f.make_entry(session, cycle=cycle)
    for state, following in cycles.TRANSITIONS.items():
        for to in CycleState:
            if to is not following:
                with pytest.raises(Conflict) as refused:
                    cycles.move(session, cycle, to, actor=f.actor(), now=f.NOW)
                assert cycles.state_name(state.value) in refused.value.message
                assert refused.value.remedy
        if following is not None:
            cycles.move(session, cycle, following, actor=f.actor(), now=f.NOW)
    assert cycle.state == "closed"
    assert cycle.collected_until == f.NOW
    assert cycles.forms_taken_until(cycle) == f.NOW + cycles.GRACE
    acts = session.scalars(select(AuditEntry).where(AuditEntry.act == "registry.move_cycle")).all()
    assert [entry.detail["to"] for entry in acts] == ["collecting", "review", "preliminary", "published", "closed"]


def test_opening_needs_rules_and_contracts(session: Session) -> None:
    cycle = f.make_cycle(session, state="draft")
    with pytest.raises(Conflict) as refused:
        cycles.move(session, cycle, CycleState.COLLECTING, actor=f.actor(), now=f.NOW)
    assert "评价规则" in refused.value.remedy
    assert "服务项目" in refused.value.remedy


def test_moving_anothers_cycle_is_refused(session: Session) -> None:
    cycle = f.make_cycle(session)
    with pytest.raises(NotAllowed):
        cycles.move(session, cycle, CycleState.REVIEW, actor=f.actor(region=f.make_county(session)), now=f.NOW)


def test_closing_deletes_the_names_of_recipients_of_this_cycle_only(session: Session) -> None:
    kept, gone = f.make_stratum(session), f.make_stratum(session)
    session.add_all(RosterMember(stratum_id=s.id, name="张三", contact="") for s in (kept, gone))
    cycle = gone.entry.cycle
    cycle.state = "published"
    session.flush()
    cycles.move(session, cycle, CycleState.CLOSED, actor=f.actor(), now=f.NOW)
    assert session.scalars(select(RosterMember.stratum_id)).all() == [kept.id]


def test_entering_twice_enters_once(session: Session) -> None:
    cycle = f.make_cycle(session)
    contracts = [f.make_contract(session, region=region_of(session, cycle)) for _ in range(3)]
    assert cycles.enter(session, cycle, contracts[:2], actor=f.actor(), now=f.NOW) == 2
    assert cycles.enter(session, cycle, contracts, actor=f.actor(), now=f.NOW) == 1
    assert cycles.enter(session, cycle, contracts, actor=f.actor(), now=f.NOW) == 0
    assert cycles.entry_count(session, cycle) == 3
    entries = session.scalars(select(AuditEntry.detail).where(AuditEntry.act == "registry.enter")).all()
    assert [len(detail["contracts"]) for detail in entries] == [2, 1]


def test_a_contract_of_another_region_is_not_entered(session: Session) -> None:
    cycle = f.make_cycle(session)
    with pytest.raises(Invalid, match="HT-elsewhere"):
        cycles.enter(session, cycle, [f.make_contract(session, reference="HT-elsewhere")], actor=f.actor(), now=f.NOW)


def test_nothing_is_entered_after_collecting(session: Session) -> None:
    cycle = f.make_cycle(session, state="review")
    contract = f.make_contract(session, region=region_of(session, cycle))
    with pytest.raises(Conflict):
        cycles.enter(session, cycle, [contract], actor=f.actor(), now=f.NOW)


def test_withdrawing_takes_the_frame_along_and_leaves_the_contract(session: Session) -> None:
    entry = f.make_entry(session, cycle=f.make_cycle(session, state="draft"))
    other = f.make_entry(session, cycle=entry.cycle)
    stratum = f.make_stratum(session, entry=entry)
    kept = f.make_stratum(session, entry=other)
    session.add(RosterMember(stratum_id=stratum.id, name="张三", contact=""))
    session.flush()
    cycles.withdraw(session, entry, actor=f.actor(), now=f.NOW)
    assert session.scalars(select(Stratum.id)).all() == [kept.id]
    assert session.scalars(select(Entry.id)).all() == [other.id]
    assert session.scalars(select(RosterMember.id)).all() == []
    assert len(session.scalars(select(Contract)).all()) == 2


def test_nothing_is_withdrawn_once_open(session: Session) -> None:
    with pytest.raises(Conflict):
        cycles.withdraw(session, f.make_entry(session), actor=f.actor(), now=f.NOW)
