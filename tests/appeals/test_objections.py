"""An objection's way: who files it, when, who decides, what it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.appeals import objections
from evalsys.appeals.deadlines import answer_due, is_overdue, second_level_until, was_in_time, window_of
from evalsys.appeals.files import Sent
from evalsys.appeals.independence import recuse, why_not
from evalsys.appeals.models import Ground, Objection, ObjectionState, Outcome
from evalsys.appeals.notices import deadline_of
from evalsys.appeals.objections import Filing
from evalsys.base.access import COMMAND_LINE, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from evalsys.evaluation.queries import latest_run
from evalsys.publication.usecases import publish
from evalsys.registry.models import Entry
from tests.appeals.makers import WHY, Told, person, scored_again, told_cycle
from tests.factories import NOW, actor, make_cycle, make_region

REASONS = "经调阅底稿和入户记录，评分有据。"
LAST = datetime(2026, 11, 9, 15, 59, 59, tzinfo=UTC)  # the last second of the fifth working day in China
DAY = timedelta(days=1)


def decide(session: Session, told: Told, objection: Objection, outcome: str = "upheld", **more: object) -> None:
    chosen = {"reasons": REASONS, "no_tie": True, "actor": told.office, "now": NOW + DAY} | more
    objections.decide(session, objection, outcome, chosen.pop("reasons"), **chosen)  # type: ignore[arg-type]  # a test names what it changes


def accepted(session: Session, told: Told) -> Objection:
    objection = told.file(session)
    objections.accept(session, objection, actor=told.office, now=NOW)
    return objection


def test_a_filed_objection_has_a_number_and_a_trace_without_its_text(session: Session) -> None:
    told = told_cycle(session)
    objection = told.file(session)
    assert (objection.number, objection.state, objection.level) == (f"{told.cycle.code}-F001", "filed", 1)
    assert objection.run_id == told.notice.run_id
    entry = session.scalars(select(AuditEntry).where(AuditEntry.act == "appeals.file_objection")).one()
    assert entry.subject == f"objection:{objection.number}"
    assert WHY not in str(entry.detail)


def test_the_last_second_of_the_last_working_day_is_in_time(session: Session) -> None:
    told = told_cycle(session)
    assert deadline_of(told.notice).day == date(2026, 11, 9)
    with pytest.raises(Gone, match="2026-11-09") as late:
        told.file(session, now=LAST + timedelta(seconds=1))
    assert late.value.status == 410
    assert told.file(session, now=LAST).is_open


def test_another_vendors_contract_is_not_there(session: Session) -> None:
    told = told_cycle(session)
    other = session.scalars(select(Entry).where(Entry.cycle_id == told.cycle.id, Entry.id != told.entry.id)).first()
    for entry_id in (other.id, 2**31 - 1):
        with pytest.raises(NotFound):
            objections.file(session, entry_id, Filing("record", WHY), actor=told.vendor, now=NOW)
    objection = told.file(session)
    stranger = person(session, Role.VENDOR)
    with pytest.raises(NotFound):
        objections.objection_by_id(session, objection.id, actor=stranger)
    with pytest.raises(NotFound):
        objections.withdraw(session, objection, actor=stranger, now=NOW)
    assert objections.objection_by_id(session, objection.id, actor=told.vendor) is objection
    with pytest.raises(NotAllowed):
        objections.objection_by_id(session, objection.id, actor=actor(Role.OFFICER, region=make_region(session)))


@pytest.mark.parametrize(
    ("filing", "said"),
    [
        (Filing("weather", WHY), "rest"),
        (Filing("record", "  短  "), "1"),
        (Filing("record", "长" * 3001), "3001"),
        (Filing("record", WHY, [Sent("a.pdf", b"no pdf")]), "PDF"),
        (Filing("record", WHY, [Sent("a.pdf", b"%PDF-1.7 %%EOF")] * 2), "twice"),
        (Filing("record", WHY, [Sent(f"{n}.pdf", b"%%PDF-1.7 %d %%%%EOF" % n) for n in range(6)]), "5"),
    ],
)
def test_what_cannot_be_filed_is_refused_in_words(session: Session, filing: Filing, said: str) -> None:
    told = told_cycle(session)
    with pytest.raises(Invalid) as refused:
        objections.file(session, told.entry.id, filing, actor=told.vendor, now=NOW)
    assert said in f"{refused.value.message} {refused.value.remedy}"
    assert refused.value.remedy


def test_evidence_stays_with_its_objection(session: Session) -> None:
    told = told_cycle(session)
    filing = Filing(Ground.RECORD.value, WHY, [Sent("记录.pdf", b"%PDF-1.7\n%%EOF")])
    objection = objections.file(session, told.entry.id, filing, actor=told.vendor, now=NOW)
    assert [(file.name, file.media_type, file.content) for file in objection.files] == [
        ("记录.pdf", "application/pdf", b"%PDF-1.7\n%%EOF")
    ]


def test_one_at_a_time_and_each_result_once(session: Session) -> None:
    told = told_cycle(session)
    first = told.file(session)
    with pytest.raises(Conflict, match="open already"):
        told.file(session)
    objections.withdraw(session, first, actor=told.vendor, now=NOW)
    second = told.file(session)
    assert second.number.endswith("F002")
    objections.accept(session, second, actor=told.office, now=NOW)
    decide(session, told, second)
    with pytest.raises(Conflict, match="examined already"):
        told.file(session)


def test_before_the_notice_there_is_nothing_to_object_to(session: Session) -> None:
    told = told_cycle(session)
    session.delete(told.notice)
    session.flush()
    with pytest.raises(Gone):
        told.file(session)


def test_a_decision_stands_with_its_reasons(session: Session) -> None:
    told = told_cycle(session)
    objection = accepted(session, told)
    assert answer_due(objection).day == date(2026, 11, 17)
    decide(session, told, objection)
    assert (objection.state, objection.outcome, objection.reasons) == ("decided", "upheld", REASONS)
    assert (objection.new_run, objection.change, answer_due(objection)) == (None, None, None)
    assert was_in_time(objection)
    with pytest.raises(Conflict, match="no longer"):
        decide(session, told, objection)
    with pytest.raises(Conflict, match="no longer"):
        objections.withdraw(session, objection, actor=told.vendor, now=NOW)


def test_only_a_rejection_comes_before_it_is_taken_up(session: Session) -> None:
    told = told_cycle(session)
    objection = told.file(session)
    assert answer_due(objection).day == date(2026, 11, 5)  # three working days
    with pytest.raises(Conflict):
        decide(session, told, objection, Outcome.UPHELD)
    decide(session, told, objection, Outcome.REJECTED)
    assert was_in_time(objection)
    assert told.file(session).is_open  # a better one may follow


@pytest.mark.parametrize(
    ("change", "said"),
    [({"outcome": "perhaps"}, "outcome"), ({"no_tie": False}, "tie"), ({"reasons": "短"}, "reason")],
)
def test_a_decision_needs_outcome_reasons_and_no_tie(session: Session, change: dict[str, Any], said: str) -> None:
    told = told_cycle(session)
    objection = accepted(session, told)
    with pytest.raises(Invalid, match=said):
        decide(session, told, objection, **change)
    assert objection.state == ObjectionState.ACCEPTED


def test_a_correction_needs_another_result_and_keeps_what_changed(session: Session) -> None:
    told = told_cycle(session)
    objection = accepted(session, told)
    with pytest.raises(Conflict, match="Nothing"):
        decide(session, told, objection, Outcome.CORRECTED)
    scored_again(session, told)
    decide(session, told, objection, Outcome.CORRECTED)
    assert objection.new_run == latest_run(session, told.cycle)
    assert objection.change["after"]["score"] < objection.change["before"]["score"]
    assert set(objection.change["after"]) == {"status", "score", "low", "high", "grade", "rank"}


def test_the_time_is_prolonged_once_with_a_reason(session: Session) -> None:
    told = told_cycle(session)
    objection = told.file(session)
    with pytest.raises(Conflict):
        objections.extend(session, objection, REASONS, actor=told.office, now=NOW)
    objections.accept(session, objection, actor=told.office, now=NOW)
    with pytest.raises(Invalid):
        objections.extend(session, objection, " ", actor=told.office, now=NOW)
    objections.extend(session, objection, REASONS, actor=told.office, now=NOW)
    assert answer_due(objection).day == date(2026, 12, 2)  # 15 days and 15 more
    assert not is_overdue(objection, datetime(2026, 12, 2, 15, tzinfo=UTC))
    assert is_overdue(objection, datetime(2026, 12, 2, 16, tzinfo=UTC))
    with pytest.raises(Conflict, match="already"):
        objections.extend(session, objection, REASONS, actor=told.office, now=NOW)
    decide(session, told, objection, now=NOW + 31 * DAY)
    assert not was_in_time(objection)


def test_who_may_not_decide_is_told_why(session: Session) -> None:
    told = told_cycle(session)
    objection = accepted(session, told)
    scorer_id = session.scalars(select(AuditEntry.account_id).where(AuditEntry.act == "evaluation.run_cycle")).one()
    scorer = replace(told.office, account_id=scorer_id)
    foreign = person(session, Role.OFFICER)
    for who, reason in (
        (COMMAND_LINE, "by a person"),
        (told.vendor, "by a person"),
        (foreign, "another region"),
        (scorer, "scored"),
    ):
        assert reason in why_not(session, objection, who)
        with pytest.raises(NotAllowed, match=reason):
            decide(session, told, objection, actor=who)
    assert why_not(session, objection, told.office) == why_not(session, objection, told.above) == ""


def test_who_published_does_not_decide_about_it(session: Session) -> None:
    told = told_cycle(session)
    objection = accepted(session, told)
    publish(session, told.cycle, marked=True, actor=told.office, now=LAST + DAY)
    assert "published" in why_not(session, objection, told.office)


def test_who_stands_aside_never_comes_back(session: Session) -> None:
    told = told_cycle(session)
    objection = accepted(session, told)
    with pytest.raises(Invalid):
        recuse(session, objection, " ", actor=told.office, now=NOW)
    recuse(session, objection, "2025 年曾在该机构任职", actor=told.office, now=NOW)
    with pytest.raises(NotAllowed, match="aside"):
        decide(session, told, objection)
    decide(session, told, objection, actor=told.above)
    with pytest.raises(Conflict):
        recuse(session, objection, "太晚了", actor=person(session, Role.OFFICER, region=told.cycle.region), now=NOW)


def test_the_region_above_decides_the_second_time_and_the_last(session: Session) -> None:
    told = told_cycle(session)
    first = accepted(session, told)
    again = Filing("procedure", WHY)
    with pytest.raises(Conflict):
        objections.escalate(session, first, again, actor=told.vendor, now=NOW)
    decide(session, told, first)
    assert second_level_until(first).day == date(2026, 11, 18)
    with pytest.raises(Gone):
        objections.escalate(session, first, again, actor=told.vendor, now=NOW + 17 * DAY)
    second = objections.escalate(session, first, again, actor=told.vendor, now=NOW + 15 * DAY)
    assert (second.level, second.first, second.number) == (2, first, f"{told.cycle.code}-F002")
    assert "region above" in why_not(session, second, told.office)
    objections.accept(session, second, actor=told.above, now=NOW)
    decide(session, told, second, actor=told.above)
    assert second_level_until(second) is None
    with pytest.raises(Conflict):
        objections.escalate(session, second, again, actor=told.vendor, now=NOW)
    with pytest.raises(Conflict):
        objections.escalate(session, first, again, actor=told.vendor, now=NOW)


def test_who_decided_first_does_not_decide_from_above(session: Session) -> None:
    told = told_cycle(session)
    first = accepted(session, told)
    decide(session, told, first, actor=told.above)
    second = objections.escalate(session, first, Filing("record", WHY), actor=told.vendor, now=NOW + DAY)
    assert "first" in why_not(session, second, told.above)


def test_above_a_city_there_is_nobody(session: Session) -> None:
    city = make_region(session)
    told = told_cycle(session, region=city)
    objection = told.file(session)
    officer = person(session, Role.OFFICER, region=city)
    objections.accept(session, objection, actor=officer, now=NOW)
    decide(session, told, objection, actor=officer)
    with pytest.raises(Conflict, match="no region above"):
        objections.escalate(session, objection, Filing("record", WHY), actor=told.vendor, now=NOW)


def test_a_correction_opens_a_window_for_those_it_changes(session: Session) -> None:
    told = told_cycle(session)
    published = NOW + 10 * DAY
    publish(session, told.cycle, actor=actor(Role.OFFICER), now=published)
    assert window_of(session, told.entry).deadline == deadline_of(told.notice)
    scored_again(session, told)
    edition = publish(session, told.cycle, reason="补入漏登的纸质问卷。", actor=actor(Role.OFFICER), now=published)
    window = window_of(session, told.entry)
    assert (window.run, window.deadline.day) == (edition.run, date(2026, 11, 19))
    assert told.file(session, now=published).run == edition.run


def test_without_a_notice_there_is_no_window(session: Session) -> None:
    cycle = make_cycle(session, state="published")
    entry = Entry(cycle=cycle, contract=told_cycle(session).entry.contract)
    session.add(entry)
    session.flush()
    assert window_of(session, entry) is None
