"""Drafting and submitting an assessment: the use cases and their refusals."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.accounts.models import Account
from evalsys.base.access import COMMAND_LINE, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from evalsys.base.errors import Conflict, Fault, Gone, Invalid, NotAllowed, NotFound
from evalsys.collection.assessments import (
    Incomplete,
    NewerDraft,
    party_of,
    save_draft,
    submit,
    submitted_of,
    task_of,
)
from evalsys.collection.models import Assessment, AssessmentRating, Assignment
from evalsys.collection.tasks import Answer, Task
from evalsys.rules.model import YesNoScale
from tests.collection.world import WOULD_BUY_AGAIN, World, full_answers, make_world
from tests.factories import NOW, make_account, make_county, make_rules

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def world(session: Session, app: Flask) -> World:
    return make_world(session)


def save(session: Session, world: World, answers: dict[str, Answer], version: str = "", **changes: Any) -> Task:
    actor = changes.pop("actor", world.evaluator.as_actor())
    at = changes.pop("now", NOW)
    return save_draft(session, world.entry.id, answers, version=version, actor=actor, now=at, **changes)


def test_both_parties_find_their_own_questions(session: Session, world: World) -> None:
    third = task_of(session, world.entry.id, actor=world.evaluator.as_actor())
    purchaser = task_of(session, world.entry.id, actor=world.purchaser.as_actor())
    assert {q.criterion.party for q in third.questionnaire} == {"third_party"}
    assert {q.criterion.party for q in purchaser.questionnaire} == {"purchaser"}
    assert (third.party, third.version, third.submitted) == ("third_party", "", False)


def test_a_draft_keeps_what_is_given_and_forgets_what_is_taken_back(session: Session, world: World) -> None:
    given = {
        "purchaser_quality": Answer(4, comment="验收合格"),
        "purchaser_correction": Answer(not_applicable=True),
        "purchaser_staff_share": Answer(0.85),
        "purchaser_records": Answer(comment="还要再看"),
        "purchaser_timely": Answer(),
    }
    first = save(session, world, given, actor=world.purchaser.as_actor())
    assert {code for code, answer in first.answers.items() if answer.given} == {
        "purchaser_quality",
        "purchaser_correction",
        "purchaser_staff_share",
    }
    assert first.answers["purchaser_records"] == Answer(comment="还要再看")
    second = save(
        session,
        world,
        {"purchaser_quality": Answer(5)},
        version=first.version,
        actor=world.purchaser.as_actor(),
        now=LATER,
    )
    session.expire_all()
    rows = session.scalars(select(AssessmentRating)).all()
    assert [(row.criterion, row.value, row.comment) for row in rows] == [("purchaser_quality", 5, "")]
    assert second.version == LATER.isoformat()


def test_saving_and_submitting_leave_entries_without_values(session: Session, world: World) -> None:
    asked = task_of(session, world.entry.id, actor=world.evaluator.as_actor()).questionnaire
    draft = save(session, world, full_answers(asked))
    done = submit(
        session, world.entry.id, version=draft.version, signed=True, actor=world.evaluator.as_actor(), now=LATER
    )
    assert done.submitted
    assert done.assessment is not None
    assert done.assessment.submitted_at == LATER
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.act for entry in entries] == ["collection.save_draft", "collection.submit_assessment"]
    assert entries[1].subject == f"entry:{world.cycle.code}/{world.contract.reference}"
    assert entries[1].detail == {"party": "third_party", "answered": len(asked), "asked": len(asked)}


def test_optional_questions_may_stay_open(session: Session, world: World) -> None:
    actor = world.purchaser.as_actor()
    asked = task_of(session, world.entry.id, actor=actor).questionnaire
    draft = save(session, world, full_answers(asked), actor=actor, beside=WOULD_BUY_AGAIN)
    assert not draft.answers["purchaser_staff_share"].given
    assert submit(session, world.entry.id, version=draft.version, signed=True, actor=actor, now=LATER).submitted


def test_submitting_lists_every_required_question_that_is_open(session: Session, world: World) -> None:
    with pytest.raises(Incomplete) as nothing:
        submit(session, world.entry.id, version="", signed=True, actor=world.evaluator.as_actor(), now=NOW)
    draft = save(session, world, {"third_goals": Answer(3)})
    with pytest.raises(Incomplete) as caught:
        submit(session, world.entry.id, version=draft.version, signed=True, actor=world.evaluator.as_actor(), now=NOW)
    assert set(nothing.value.details) - set(caught.value.details) == {"third_goals"}
    assert draft.assessment is not None
    assert draft.assessment.state == "draft"


@pytest.mark.parametrize(
    "answer", [Answer(6), Answer(0), Answer(2.5), Answer(not_applicable=True)], ids=["high", "low", "between", "na"]
)
def test_a_value_outside_its_scale_is_refused(session: Session, world: World, answer: Answer) -> None:
    with pytest.raises(Invalid) as caught:
        save(session, world, {"third_goals": answer, "third_team": Answer(3)})
    assert caught.value.details == ("third_goals: 请填写 1 至 5 的整数等级。",)
    assert session.scalars(select(Assessment)).all() == []


def test_the_lowest_and_the_highest_level_need_a_comment(session: Session, world: World) -> None:
    actor = world.evaluator.as_actor()
    asked = task_of(session, world.entry.id, actor=actor).questionnaire
    given = full_answers(asked) | {"third_goals": Answer(1), "third_team": Answer(5)}
    draft = save(session, world, given)
    with pytest.raises(Incomplete) as caught:
        submit(session, world.entry.id, version=draft.version, signed=True, actor=actor, now=LATER)
    assert set(caught.value.details) == {"third_goals", "third_team"}
    given |= {"third_goals": Answer(1, comment="从未上门"), "third_team": Answer(5, comment="全部持证")}
    draft = save(session, world, given, draft.version, now=LATER)
    assert submit(session, world.entry.id, version=draft.version, signed=True, actor=actor, now=LATER).submitted


def test_yes_and_no_are_not_extremes(session: Session, world: World) -> None:
    question = next(iter(task_of(session, world.entry.id, actor=world.purchaser.as_actor()).questionnaire))
    assert [question.is_extreme(level) for level in (1, 3, 5, None)] == [True, False, True, False]
    yes_or_no = replace(question, scale=YesNoScale(code="yes_no", kind="yes_no"))
    assert not any(yes_or_no.is_extreme(level) for level in (1, 2))


def test_what_was_signed_is_kept_and_unsigned_is_refused(session: Session, world: World) -> None:
    said = set()
    for account in (world.evaluator, world.purchaser):
        actor = account.as_actor()
        asked = task_of(session, world.entry.id, actor=actor).questionnaire
        draft = save(session, world, full_answers(asked), actor=actor, beside=WOULD_BUY_AGAIN)
        with pytest.raises(Incomplete, match="声明未勾选"):
            submit(session, world.entry.id, version=draft.version, signed=False, actor=actor, now=LATER)
        done = submit(session, world.entry.id, version=draft.version, signed=True, actor=actor, now=LATER)
        assert done.assessment is not None
        said.add(done.assessment.declaration)
    assert len(said) == 2
    assert all(words and words.startswith("本人声明") for words in said)


def test_a_window_that_is_behind_does_not_undo_the_newer_draft(session: Session, world: World) -> None:
    first = save(session, world, {"third_goals": Answer(3)})
    before = first.version
    save(session, world, {"third_goals": Answer(5)}, version=before, now=LATER)
    for version in ("", before):
        with pytest.raises(NewerDraft):
            save(session, world, {"third_goals": Answer(1)}, version=version)
        with pytest.raises(NewerDraft):
            submit(session, world.entry.id, version=version, signed=True, actor=world.evaluator.as_actor(), now=LATER)
    assert session.scalars(select(AssessmentRating.value)).all() == [5]


def test_a_submitted_assessment_is_never_changed(session: Session, world: World) -> None:
    asked = task_of(session, world.entry.id, actor=world.evaluator.as_actor()).questionnaire
    draft = save(session, world, full_answers(asked))
    done = submit(
        session, world.entry.id, version=draft.version, signed=True, actor=world.evaluator.as_actor(), now=LATER
    )
    with pytest.raises(Conflict) as caught:
        save(session, world, {}, version=done.version)
    assert "已经提交" in caught.value.message
    with pytest.raises(Conflict):
        submit(session, world.entry.id, version=done.version, signed=True, actor=world.evaluator.as_actor(), now=LATER)


@pytest.mark.parametrize(("state", "fault"), [("draft", Conflict), ("review", Gone), ("published", Gone)])
def test_nothing_is_saved_outside_collecting(session: Session, world: World, state: str, fault: type[Fault]) -> None:
    world.cycle.state = state
    session.flush()
    with pytest.raises(fault):
        save(session, world, {"third_goals": Answer(3)})
    assert session.scalars(select(Assessment)).all() == []


def test_only_the_assigned_and_the_own_purchaser_open_an_entry(session: Session, world: World) -> None:
    other_purchaser = make_account(session, Role.PURCHASER, region=world.county)
    session.execute(delete(Assignment))
    for account in (other_purchaser, world.evaluator):
        with pytest.raises(NotAllowed):
            task_of(session, world.entry.id, actor=account.as_actor())
    elsewhere = replace(world.purchaser.as_actor(), region_path=make_county(session).path)
    with pytest.raises(NotAllowed):
        task_of(session, world.entry.id, actor=elsewhere)
    with pytest.raises(NotFound):
        task_of(session, world.entry.id + 1, actor=world.purchaser.as_actor())


def test_a_vendor_and_the_command_line_rate_nothing(session: Session, world: World) -> None:
    for actor in (make_account(session, Role.VENDOR).as_actor(), world.administrator.as_actor(), COMMAND_LINE):
        with pytest.raises(NotAllowed):
            party_of(actor)


def test_rules_without_the_party_ask_nothing(session: Session, world: World) -> None:
    only_recipients = make_rules(session, (config.ROOT / "examples" / "one-party.toml").read_bytes())
    world.cycle.rules_id = only_recipients.id
    session.flush()
    session.expire(world.cycle)
    with pytest.raises(Conflict):
        task_of(session, world.entry.id, actor=world.evaluator.as_actor())


def test_what_the_rules_no_longer_take_counts_as_open(session: Session, world: World) -> None:
    draft = save(session, world, {"third_goals": Answer(5, comment="好"), "third_team": Answer(3)})
    assert draft.assessment is not None
    narrower = config.SHIPPED_RULES.read_text("utf-8").replace('  { zh = "全部做到", en = "Fully done" },\n', "")
    narrower = re.sub(r"anchors = \[.*?\n\]\n", "", narrower, flags=re.DOTALL)
    world.cycle.rules_id = make_rules(session, narrower.encode()).id
    session.flush()
    session.expire_all()
    now_asked = task_of(session, world.entry.id, actor=world.evaluator.as_actor())
    assert now_asked.answers["third_goals"] == Answer(comment="好")
    assert now_asked.answers["third_team"] == Answer(3)


def test_who_reads_a_submitted_assessment(session: Session, world: World) -> None:
    asked = task_of(session, world.entry.id, actor=world.evaluator.as_actor()).questionnaire
    draft = save(session, world, full_answers(asked))
    assert draft.assessment is not None
    identity = draft.assessment.id
    with pytest.raises(NotFound):
        submitted_of(session, identity, actor=world.evaluator.as_actor())
    submit(session, world.entry.id, version=draft.version, signed=True, actor=world.evaluator.as_actor(), now=LATER)
    for account in (world.evaluator, world.auditor, world.administrator):
        assert submitted_of(session, identity, actor=account.as_actor()).submitted
    elsewhere = make_account(session, Role.AUDITOR, region=make_county(session))
    for account in (world.purchaser, elsewhere):
        with pytest.raises(NotAllowed):
            submitted_of(session, identity, actor=account.as_actor())


def test_two_windows_saving_at_once_leave_one_draft(database: Database, app: Flask, write: Callable[..., Any]) -> None:
    """The second finds what the first committed and is told so, instead of failing on the unique constraint."""
    world = write(make_world)

    def in_window(value: float) -> str:
        with app.app_context():
            try:
                with database.transaction() as session:
                    account = session.get_one(Account, world.evaluator.id)
                    save_draft(
                        session,
                        world.entry.id,
                        {"third_goals": Answer(value)},
                        version="",
                        actor=account.as_actor(),
                        now=NOW + timedelta(seconds=value),
                    )
            except NewerDraft:
                return "newer"
            return "saved"

    with ThreadPoolExecutor(4) as windows:
        outcomes = sorted(windows.map(in_window, [1, 2, 3, 4]))
    assert outcomes == ["newer", "newer", "newer", "saved"]
