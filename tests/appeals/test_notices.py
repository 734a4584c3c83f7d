"""Telling vendors, and what publishing waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.appeals import objections, slots
from evalsys.appeals.conditions import conditions
from evalsys.appeals.models import NoticeReading
from evalsys.appeals.notices import issue, note_reading, notice_of, untold
from evalsys.base.access import Role
from evalsys.base.errors import Conflict, NotAllowed
from evalsys.evaluation.queries import latest_run
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.remarks import remarks_of, tags_of
from evalsys.publication.usecases import publish
from evalsys.registry.models import Entry
from tests.appeals.makers import Told, scored_again, told_cycle
from tests.evaluation.rated import rated_cycle
from tests.factories import NOW, actor, make_region

OVER = datetime(2026, 11, 9, 16, tzinfo=UTC)
OFFICER = actor(Role.OFFICER)


def failing(session: Session, told: Told, now: datetime = OVER) -> list[str]:
    run = latest_run(session, told.cycle)
    return [check.remedy for check in conditions(session, told.cycle, run, now) if not check.holds]


def test_a_result_is_told_once_and_only_while_it_is_preliminary(session: Session) -> None:
    cycle = rated_cycle(session)
    with pytest.raises(Conflict, match="no preliminary result"):
        issue(session, cycle, actor=OFFICER, now=NOW)
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    with pytest.raises(NotAllowed):
        issue(session, cycle, actor=actor(Role.OFFICER, region=make_region(session)), now=NOW)
    notice = issue(session, cycle, actor=OFFICER, now=NOW)
    assert (notice.run, notice.working_days) == (latest_run(session, cycle), 0)  # these rules ask for no period
    with pytest.raises(Conflict, match="already"):
        issue(session, cycle, actor=OFFICER, now=NOW)


def test_the_first_reading_is_kept(session: Session) -> None:
    told = told_cycle(session)
    note_reading(session, told.notice, actor=OFFICER, now=NOW)
    for hours in (1, 2):
        note_reading(session, told.notice, actor=told.vendor, now=NOW + timedelta(hours=hours))
    kept = session.scalars(select(NoticeReading)).one()
    assert (kept.vendor_id, kept.read_at, kept.read_by) == (
        told.vendor.vendor_id,
        NOW + timedelta(hours=1),
        told.vendor.name,
    )


def test_publishing_waits_for_the_end_of_the_notice_period(session: Session) -> None:
    slots.fill()
    told = told_cycle(session)
    assert failing(session, told, OVER - timedelta(seconds=1)) == ["They may object until 2026年11月9日."]
    assert failing(session, told) == []
    with pytest.raises(Conflict) as refused:
        publish(session, told.cycle, actor=OFFICER, now=OVER - timedelta(seconds=1))
    assert "They may object until 2026年11月9日." in str(refused.value.details)
    assert publish(session, told.cycle, actor=OFFICER, now=OVER).number == 1


def test_publishing_waits_for_a_notice(session: Session) -> None:
    told = told_cycle(session)
    session.delete(told.notice)
    session.flush()
    assert notice_of(session, told.cycle) is None
    assert failing(session, told) == ["Tell the vendors the preliminary result first."]


def test_a_result_that_changed_since_is_told_anew(session: Session) -> None:
    told = told_cycle(session)
    assert untold(session, told.notice, latest_run(session, told.cycle)) == []
    scored_again(session, told)
    reference = told.entry.contract.reference
    assert reference in untold(session, told.notice, latest_run(session, told.cycle))
    assert reference in failing(session, told)[0]
    again = issue(session, told.cycle, actor=OFFICER, now=NOW)
    assert notice_of(session, told.cycle) is again
    assert failing(session, told) == []


def test_what_an_objection_put_right_needs_no_new_notice(session: Session) -> None:
    told = told_cycle(session)
    objection = told.file(session)
    objections.accept(session, objection, actor=told.office, now=NOW)
    scored_again(session, told)
    before = untold(session, told.notice, latest_run(session, told.cycle))
    objections.decide(
        session, objection, "corrected", "原始记录属实，补入后重算。", no_tie=True, actor=told.office, now=NOW
    )
    after = untold(session, told.notice, latest_run(session, told.cycle))
    assert set(before) - set(after) == {told.entry.contract.reference}


def test_an_open_objection_holds_publication_up_or_marks_the_line(session: Session) -> None:
    slots.fill()
    told = told_cycle(session)
    told.file(session)
    reference = told.entry.contract.reference
    assert failing(session, told) == [f"Open are those to {reference}."]
    with pytest.raises(Conflict):
        publish(session, told.cycle, actor=OFFICER, now=OVER)
    publish(session, told.cycle, marked=True, actor=OFFICER, now=OVER)
    assert {key: [remark.code for remark in found] for key, found in tags_of(session, told.cycle.id).items()} == {
        reference: ["under_review"]
    }
    assert [remark.template for remark in remarks_of(session, told.cycle.id, reference)] == ["appeals/remark.html"]
    assert remarks_of(session, told.cycle.id, "nothing") == []


def test_marks_do_not_shorten_the_notice_period(session: Session) -> None:
    slots.fill()
    told = told_cycle(session)
    with pytest.raises(Conflict):
        publish(session, told.cycle, marked=True, actor=OFFICER, now=NOW)


def test_a_decided_objection_leaves_no_mark_and_a_withdrawn_one_nothing(session: Session) -> None:
    slots.fill()
    told = told_cycle(session)
    objection = told.file(session)
    objections.withdraw(session, objection, actor=told.vendor, now=NOW)
    assert remarks_of(session, told.cycle.id) == []
    objections.decide(
        session, told.file(session), "rejected", "未写明理由，不予受理。", no_tie=True, actor=told.office, now=NOW
    )
    assert [remark.tag for remark in remarks_of(session, told.cycle.id)] == [""]
    assert tags_of(session, told.cycle.id) == {}


def test_many_open_objections_are_counted(session: Session) -> None:
    told = told_cycle(session, contracts=7)
    entries = session.scalars(select(Entry).where(Entry.cycle_id == told.cycle.id)).all()
    for entry in entries:
        vendor = actor(Role.VENDOR, vendor_id=entry.contract.vendor_id)
        objections.file(
            session, entry.id, objections.Filing("record", "记录与事实不符，请核对。"), actor=vendor, now=NOW
        )
    assert "and 2 more" in failing(session, told)[0]
