"""What stands beside the ratings: buying again, site visits, the record's values, acceptance evidence, autosaving."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.accounts.models import Account
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Invalid
from evalsys.collection import evidence, returns
from evalsys.collection.assessment_models import MeasuredValue, SiteVisit
from evalsys.collection.assessments import Incomplete, NewerDraft, save_draft, submit, task_of
from evalsys.collection.evidence_store import FolderStore
from evalsys.collection.models import Assessment, AssessmentRating, EvidenceKind
from evalsys.collection.tasks import MOST_VISITS, Answer, Beside, Task, Visit
from tests.collection.files import pdf
from tests.collection.world import WOULD_BUY_AGAIN, World, full_answers, make_world
from tests.factories import NOW, make_rules

LATER = NOW + timedelta(hours=1)
STAFF = "purchaser_staff_share"
VISIT = Visit(date(2026, 10, 20), "清江镇服务站", "站点负责人", "抽查 12 户，均有签到。")


@pytest.fixture
def world(session: Session, app: Flask) -> World:
    return make_world(session)


def open_task(session: Session, world: World, account: Account) -> Task:
    return task_of(session, world.entry.id, actor=account.as_actor())


def save(
    session: Session, world: World, account: Account, answers: dict[str, Answer] | None = None, **given: Any
) -> Task:
    task = open_task(session, world, account)
    given = {"version": task.version, "now": NOW} | given
    full = full_answers(task.questionnaire) if answers is None else answers
    return save_draft(session, world.entry.id, full, actor=account.as_actor(), **given)


def hand_in(session: Session, world: World, account: Account, version: str) -> Task:
    return submit(session, world.entry.id, version=version, signed=True, actor=account.as_actor(), now=LATER)


def record(session: Session, world: World, value: float = 0.9, **columns: Any) -> MeasuredValue:
    given = {"criterion": STAFF, "source": "人员台账 2026-10", "recorded_at": NOW, "recorded_by": "管理员"} | columns
    row = MeasuredValue(entry_id=world.entry.id, value=value, **given)
    session.add(row)
    session.flush()
    return row


def test_a_purchaser_says_whether_they_would_buy_again_and_an_evaluator_is_not_asked(
    session: Session, world: World
) -> None:
    draft = save(session, world, world.purchaser)
    with pytest.raises(Incomplete) as caught:
        hand_in(session, world, world.purchaser, draft.version)
    assert caught.value.details == ("是否愿意再次购买",)
    draft = save(session, world, world.purchaser, beside=Beside(buy_again=False))
    assert hand_in(session, world, world.purchaser, draft.version).beside == Beside(buy_again=False)
    other = save(session, world, world.evaluator, beside=WOULD_BUY_AGAIN)
    assert other.beside == Beside()
    assert hand_in(session, world, world.evaluator, other.version).submitted


def test_visits_are_kept_in_order_changed_and_removed(session: Session, world: World) -> None:
    again = Visit(date(2026, 10, 27), "清江镇服务站", "", "复查。")
    assert save(session, world, world.evaluator, beside=Beside(visits=(VISIT, again))).beside.visits == (VISIT, again)
    kept = save(session, world, world.evaluator)  # says nothing of them
    assert kept.beside.visits == (VISIT, again)
    assert save(session, world, world.evaluator, beside=Beside(visits=(again,))).beside.visits == (again,)
    assert session.scalars(select(SiteVisit.number)).all() == [1]
    with pytest.raises(Invalid, match="最多记录 10 次"):
        save(session, world, world.evaluator, beside=Beside(visits=(VISIT,) * (MOST_VISITS + 1)))


@pytest.mark.parametrize("lacking", ["visited_on", "place", "notes"])
def test_a_visit_without_day_place_or_notes_is_not_submitted(session: Session, world: World, lacking: str) -> None:
    half = Visit(**{**vars(VISIT), lacking: None if lacking == "visited_on" else ""})
    draft = save(session, world, world.evaluator, beside=Beside(visits=(VISIT, half)))
    with pytest.raises(Incomplete) as caught:
        hand_in(session, world, world.evaluator, draft.version)
    assert caught.value.details == ("第 2 次走访的日期、地点和所见情况",)


def test_a_version_that_is_sent_back_keeps_what_stood_beside_it(session: Session, world: World) -> None:
    draft = save(session, world, world.purchaser, beside=Beside(True, (VISIT,)))
    done = hand_in(session, world, world.purchaser, draft.version).assessment
    assert done is not None
    administrator = world.administrator.as_actor()
    returns.send_back(session, done.id, "请补充", actor=administrator, now=LATER)
    save(session, world, world.purchaser, beside=Beside(False))
    _entry, _kept, (former,) = returns.former_of(session, done.id, actor=administrator)
    assert former.beside == Beside(True, (VISIT,))
    former.row.content = {"ratings": {}, "declaration": "", "evidence": []}  # as versions were kept before
    assert former.beside == Beside()


def test_the_record_fills_its_question_and_the_rater_cannot_change_it(session: Session, world: World) -> None:
    row = record(session, world)
    task = open_task(session, world, world.purchaser)
    assert task.answers[STAFF] == Answer(0.9)
    assert [(one.question.code, one.row) for one in task.record] == [(STAFF, row)]
    assert open_task(session, world, world.evaluator).record == task.record  # a fact beside another party's questions
    answers = full_answers(task.questionnaire) | {STAFF: Answer(1.0, comment="人员后来配齐")}
    draft = save(session, world, world.purchaser, answers, beside=WOULD_BUY_AGAIN)
    assert draft.answers[STAFF] == Answer(0.9, comment="人员后来配齐")
    hand_in(session, world, world.purchaser, draft.version)
    kept = select(AssessmentRating.value).where(AssessmentRating.criterion == STAFF)
    assert session.scalars(kept).all() == [0.9]
    row.value = 0.5  # a record that changes later does not change what was signed
    session.flush()
    assert open_task(session, world, world.purchaser).answers[STAFF].value == 0.9


def test_a_record_that_changes_after_the_check_is_shown_before_it_is_signed(session: Session, world: World) -> None:
    row = record(session, world)
    draft = save(session, world, world.purchaser, beside=WOULD_BUY_AGAIN)
    seen = draft.version
    row.value, row.recorded_at = 0.7, LATER
    session.flush()
    with pytest.raises(NewerDraft, match="台账有新数据"):
        hand_in(session, world, world.purchaser, seen)
    newest = open_task(session, world, world.purchaser)
    assert hand_in(session, world, world.purchaser, newest.version).answers[STAFF].value == 0.7
    assert session.scalars(select(AssessmentRating.value).where(AssessmentRating.criterion == STAFF)).all() == [0.7]


def test_a_record_of_what_the_rules_do_not_ask_is_not_shown(session: Session, world: World) -> None:
    record(session, world, criterion="forgotten")
    assert open_task(session, world, world.purchaser).record == []
    assert "forgotten" not in open_task(session, world, world.purchaser).answers


def test_acceptance_evidence_is_needed_where_the_rules_ask(session: Session, world: World, tmp_path: Path) -> None:
    text = config.SHIPPED_RULES.read_text("utf-8").replace("# acceptance = true", "acceptance = true")
    world.cycle.rules = make_rules(session, text.encode())
    session.flush()
    actor, store = world.purchaser.as_actor(), FolderStore(tmp_path / "evidence")
    sent = evidence.Sent("照片.pdf", pdf())
    evidence.add(session, world.entry.id, store, sent, actor=actor, now=NOW)
    draft = save(session, world, world.purchaser, beside=WOULD_BUY_AGAIN)
    with pytest.raises(Incomplete) as caught:
        hand_in(session, world, world.purchaser, draft.version)
    assert caught.value.details == ("检查验收材料",)
    sent = evidence.Sent("验收报告.pdf", pdf(b"2"), kind=EvidenceKind.ACCEPTANCE)
    assert evidence.add(session, world.entry.id, store, sent, actor=actor, now=NOW).kind == "acceptance"
    assert hand_in(session, world, world.purchaser, draft.version).submitted


def test_what_the_page_saves_by_itself_enters_the_trail_once(session: Session, world: World) -> None:
    for value in (1, 2, 3):
        save(session, world, world.evaluator, {"third_goals": Answer(value)}, by_itself=True)
    save(session, world, world.evaluator, {"third_goals": Answer(4)})
    acts = session.scalars(select(AuditEntry.act)).all()
    assert acts == ["collection.save_draft", "collection.save_draft"]
    assert session.scalars(select(Assessment.state)).all() == ["draft"]
