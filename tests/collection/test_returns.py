"""Sent back for correction: the former version stays, the rater corrects and submits again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import COMMAND_LINE, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.clock import now
from evalsys.base.errors import Conflict, Fault, Gone, Invalid, NotAllowed, NotFound
from evalsys.collection import evidence, returns
from evalsys.collection.assessments import save_draft, submit, task_of
from evalsys.collection.evidence_store import FolderStore
from evalsys.collection.models import Assessment, AssessmentVersion
from evalsys.collection.tasks import Answer
from evalsys.evaluation.arrays import fingerprint, inputs_of
from evalsys.registry.pins import rules_of
from tests.collection.files import pdf
from tests.collection.world import World, full_answers, make_world
from tests.factories import NOW, make_account, make_county
from tests.pages import CheckedClient

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def world(session: Session, app: Flask) -> World:
    return make_world(session)


def finish(session: Session, world: World, value: float = 2) -> Assessment:
    actor = world.evaluator.as_actor()
    task = task_of(session, world.entry.id, actor=actor)
    answers = full_answers(task.questionnaire) | {"third_goals": Answer(value, comment="第一版")}
    draft = save_draft(session, world.entry.id, answers, version=task.version, actor=actor, now=NOW)
    done = submit(session, world.entry.id, version=draft.version, signed=True, actor=actor, now=NOW).assessment
    assert done is not None
    return done


def send_back(session: Session, world: World, kept: Assessment, reason: str = "请核对") -> Assessment:
    return returns.send_back(session, kept.id, reason, actor=world.administrator.as_actor(), now=LATER)


def test_both_versions_are_kept(session: Session, world: World) -> None:
    kept = send_back(session, world, finish(session, world), "  请核对上门次数 ")
    assert (kept.state, kept.submitted_at, kept.declaration) == ("draft", None, None)
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.act, entry.detail["reason"]) == ("collection.return_assessment", "请核对上门次数")
    send_back(session, world, finish(session, world, 3), "再核对")
    _entry, _kept, former = returns.former_of(session, kept.id, actor=world.auditor.as_actor())
    assert [one.row.number for one in former] == [2, 1]
    assert [one.answers["third_goals"] for one in former] == [Answer(3, comment="第一版"), Answer(2, comment="第一版")]
    assert former[1].row.content["declaration"].startswith("本人声明")
    assert (former[1].row.submitted_at, former[1].row.returned_at) == (NOW, LATER)


def test_the_next_run_reads_it_again(session: Session, world: World) -> None:
    """The sums that were kept with it must not be taken for those without."""

    def found() -> str:
        session.flush()
        return fingerprint(inputs_of(session, world.cycle, rules_of(world.cycle), keep=True))

    without = found()
    kept = finish(session, world)
    with_it = found()
    send_back(session, world, kept)
    assert found() == without != with_it
    finish(session, world)
    assert found() == with_it


def test_evidence_of_a_former_version_stays(session: Session, world: World, tmp_path: Path) -> None:
    store, actor = FolderStore(tmp_path / "evidence"), world.evaluator.as_actor()
    old = evidence.add(session, world.entry.id, store, evidence.Sent("a.pdf", pdf()), actor=actor, now=NOW)
    kept = send_back(session, world, finish(session, world))
    with pytest.raises(Conflict, match="须予保留"):
        evidence.remove(session, old.id, actor=actor, now=LATER)
    new = evidence.add(session, world.entry.id, store, evidence.Sent("b.pdf", pdf(b"2")), actor=actor, now=LATER)
    evidence.remove(session, new.id, actor=actor, now=LATER)
    assert returns.versions_of(session, kept)[0].content["evidence"][0]["sha256"] == old.hash


@pytest.mark.parametrize(("reason", "fault"), [("  ", Invalid), ("字" * 1001, Invalid)])
def test_a_reason_is_needed(session: Session, world: World, reason: str, fault: type[Fault]) -> None:
    with pytest.raises(fault):
        send_back(session, world, finish(session, world), reason)
    assert session.scalars(select(AssessmentVersion)).all() == []


def test_what_cannot_be_sent_back(session: Session, world: World) -> None:
    kept = finish(session, world)
    with pytest.raises(NotFound):
        returns.send_back(session, kept.id + 1, "x", actor=COMMAND_LINE, now=LATER)
    elsewhere = make_account(session, Role.ADMINISTRATOR, region=make_county(session))
    for account in (world.evaluator, world.auditor, elsewhere):
        with pytest.raises(NotAllowed):
            returns.send_back(session, kept.id, "x", actor=account.as_actor(), now=LATER)
    with pytest.raises(NotFound):
        returns.former_of(session, kept.id, actor=world.auditor.as_actor())
    world.cycle.state = "review"
    session.flush()
    with pytest.raises(Gone):
        send_back(session, world, kept)
    world.cycle.state = "collecting"
    session.flush()
    send_back(session, world, kept)
    with pytest.raises(Conflict):
        send_back(session, world, kept)


def test_from_the_submitted_assessment_to_the_corrected_one(
    write: Callable[..., Any], app: Flask, sign_in: Callable[[Account], CheckedClient]
) -> None:
    world = write(make_world, closes_on=now().date() + timedelta(days=30))
    kept = write(lambda session: finish(session, world))
    administrator, rater = sign_in(world.administrator), sign_in(world.evaluator)
    page = f"/collection/assessments/{kept.id}"
    listed = f"/collection/cycles/{world.cycle.code}/assessments"
    assert "退回修改" in administrator.get(page).text
    assert "退回修改" not in sign_in(world.auditor).get(page).text
    assert administrator.post(f"{page}/return", data={}).status_code == 422
    back = administrator.post(f"{page}/return", data={"reason": "请核对 <次数>"})
    assert back.location == f"{page}/versions"
    assert "请核对 &lt;次数&gt;" in administrator.get(back.location).text
    assert "尚未重新提交" in sign_in(world.auditor).get(back.location).text
    assert rater.get(back.location).status_code == 403
    assert back.location in administrator.get(listed).text
    officer = write(make_account, Role.OFFICER, region=world.county)
    assert "已退回" in sign_in(officer).get(listed).text
    assert "请核对 &lt;次数&gt;" in rater.get(f"/collection/entries/{world.entry.id}/rate").text
    write(lambda session: finish(session, world))
    assert back.location in administrator.get(page).text
    assert "现行版本" in administrator.get(back.location).text
