"""Two signatures where the rules ask for them: signed, co-signed, sent back, taken back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.accounts.models import Account
from evalsys.accounts.todo import todos
from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.clock import now
from evalsys.base.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from evalsys.base.listing import Wanted
from evalsys.collection import cosigning, evidence, queries, returns
from evalsys.collection.assessments import Incomplete, NewerDraft, save_draft, submit, submitted_of, task_of
from evalsys.collection.evidence_store import FolderStore
from evalsys.collection.models import Assessment
from evalsys.collection.tasks import Task
from tests.collection.files import pdf
from tests.collection.world import WOULD_BUY_AGAIN, World, full_answers, make_world, sent
from tests.factories import NOW, make_account, make_rules
from tests.pages import CheckedClient

LATER = NOW + timedelta(hours=1)


def with_two_signatures(session: Session, **columns: Any) -> tuple[World, Account]:
    """The small county under rules that ask purchasers for two signatures, and the purchaser's colleague."""
    text = config.SHIPPED_RULES.read_text("utf-8").replace("# cosign = true", "cosign = true")
    world = make_world(session, rules=make_rules(session, text.encode()), **columns)
    colleague = make_account(
        session, Role.PURCHASER, region=world.county, purchaser_id=world.purchaser.purchaser_id, name="会签员"
    )
    assert colleague.as_actor().region_path
    return world, colleague


@pytest.fixture
def pair(session: Session, app: Flask) -> tuple[World, Account]:
    return with_two_signatures(session)


def sign(session: Session, world: World, account: Account) -> Task:
    actor = account.as_actor()
    task = task_of(session, world.entry.id, actor=actor)
    answers = full_answers(task.questionnaire)
    draft = save_draft(
        session, world.entry.id, answers, version=task.version, actor=actor, now=NOW, beside=WOULD_BUY_AGAIN
    )
    return submit(session, world.entry.id, version=draft.version, signed=True, actor=actor, now=NOW)


def cosign(session: Session, task: Task, account: Account, **given: Any) -> Task:
    assert task.assessment is not None
    given = {"version": task.version, "signed": True} | given
    return cosigning.cosign(session, task.assessment.id, actor=account.as_actor(), now=LATER, **given)


def test_it_counts_once_a_colleague_has_signed_too(session: Session, pair: tuple[World, Account]) -> None:
    world, colleague = pair
    task = sign(session, world, world.purchaser)
    kept = task.assessment
    assert kept is not None
    assert (task.awaiting, task.submitted, kept.submitted_at) == (True, False, None)
    with pytest.raises(NotFound):
        submitted_of(session, kept.id, actor=world.auditor.as_actor())
    assert submitted_of(session, kept.id, actor=world.purchaser.as_actor()).awaiting
    assert cosigning.waiting_for(session, actor=colleague.as_actor()) == [kept]
    for nobody in (world.purchaser, world.evaluator, make_account(session, Role.PURCHASER, region=world.county)):
        assert cosigning.count_waiting(session, actor=nobody.as_actor()) == 0
    done = cosign(session, task, colleague)
    assert (done.submitted, kept.submitted_at, kept.declaration is None) == (True, LATER, False)
    assert kept.cosigning is not None
    assert kept.cosigning.account == colleague
    assert f"与{world.purchaser.name}共同" in (kept.cosigning.declaration or "")
    acts = session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)).all()
    assert acts[-2:] == ["collection.sign_assessment", "collection.cosign_assessment"]
    assert cosigning.task_to_cosign(session, kept.id, actor=colleague.as_actor()).submitted  # still to be read
    with pytest.raises(Conflict):
        cosign(session, done, colleague)


def test_nobody_but_a_colleague_of_the_rater_co_signs(session: Session, pair: tuple[World, Account]) -> None:
    world, colleague = pair
    task = sign(session, world, world.purchaser)
    others = (world.purchaser, world.evaluator, world.administrator, make_account(session, Role.PURCHASER))
    for account in others:
        with pytest.raises(NotFound):
            cosign(session, task, account)
    colleague.region = make_account(session).region
    with pytest.raises(NotAllowed):
        cosign(session, task, colleague)
    with pytest.raises(NotFound):
        cosigning.task_to_cosign(session, 999_999, actor=colleague.as_actor())


def test_a_colleague_signs_what_they_have_read_and_with_the_declaration(
    session: Session, pair: tuple[World, Account]
) -> None:
    world, colleague = pair
    task = sign(session, world, world.purchaser)
    with pytest.raises(NewerDraft):
        cosign(session, task, colleague, version="another")
    with pytest.raises(Incomplete):
        cosign(session, task, colleague, signed=False)
    world.cycle.state = "review"
    session.flush()
    with pytest.raises(Gone):
        cosign(session, task, colleague)


def test_sent_back_with_a_reason_it_is_a_draft_again(session: Session, pair: tuple[World, Account]) -> None:
    world, colleague = pair
    task = sign(session, world, world.purchaser)
    assert task.assessment is not None
    identity, actor = task.assessment.id, colleague.as_actor()
    for reason in ("  ", "字" * 1001):
        with pytest.raises(Invalid):
            cosigning.refuse(session, identity, reason, actor=actor, now=LATER)
    back = cosigning.refuse(session, identity, " 次数不符 ", actor=actor, now=LATER)
    assert (back.awaiting, task.assessment.declaration) == (False, None)
    assert task.assessment.cosigning is not None
    assert task.assessment.cosigning.reason == "次数不符"
    with pytest.raises(Conflict):
        cosigning.refuse(session, identity, "再看", actor=actor, now=LATER)
    again = sign(session, world, world.purchaser)
    assert again.awaiting
    assert task.assessment.cosigning.reason is None
    assert cosign(session, again, colleague).submitted


def test_the_rater_takes_the_signature_back(session: Session, pair: tuple[World, Account]) -> None:
    world, _colleague = pair
    actor = world.purchaser.as_actor()
    with pytest.raises(Conflict):
        cosigning.take_back(session, world.entry.id, actor=actor, now=LATER)
    task = sign(session, world, world.purchaser)
    with pytest.raises(Conflict, match="等待会签"):
        save_draft(session, world.entry.id, {}, version=task.version, actor=actor, now=LATER)
    back = cosigning.take_back(session, world.entry.id, actor=actor, now=LATER)
    assert not back.awaiting
    assert save_draft(session, world.entry.id, {}, version=back.version, actor=actor, now=LATER).version


def test_without_a_colleague_nothing_is_signed(session: Session, pair: tuple[World, Account]) -> None:
    world, colleague = pair
    colleague.active = False
    session.flush()
    with pytest.raises(Conflict, match="没有其他账号"):
        sign(session, world, world.purchaser)


def test_a_department_has_one_signed_assessment(session: Session, pair: tuple[World, Account]) -> None:
    world, colleague = pair

    def listed() -> int:
        return queries.worklist(session, Wanted(), actor=colleague.as_actor(), now=NOW).total

    assert listed() == 1
    task = sign(session, world, world.purchaser)
    assert listed() == 0  # the colleague has it to co-sign, not to rate as well
    with pytest.raises(Conflict, match="已有同事签署"):
        sign(session, world, colleague)
    assert listed() == 1  # with a draft of their own
    (own,) = queries.worklist(
        session, Wanted(), actor=world.purchaser.as_actor(), now=NOW, only=queries.Narrowing(state="awaiting")
    ).rows
    assert own.assessment_id == task.assessment.id if task.assessment else 0


def test_an_evaluators_colleague_is_of_the_same_body(session: Session, app: Flask) -> None:
    text = config.SHIPPED_RULES.read_text("utf-8").replace(
        'name.en = "Third-party evaluator"', 'name.en = "Third-party evaluator"\ncosign = true'
    )
    world = make_world(session, rules=make_rules(session, text.encode()))
    body = world.evaluator.evaluator_body_id
    colleague = make_account(session, Role.EVALUATOR, region=world.county, evaluator_body_id=body)
    task = sign(session, world, world.evaluator)
    stranger = make_account(session, Role.EVALUATOR, region=world.county)
    with pytest.raises(NotFound):
        cosign(session, task, stranger)
    assert cosign(session, task, colleague).submitted


def test_sent_back_by_the_administrator_it_is_signed_twice_anew(session: Session, pair: tuple[World, Account]) -> None:
    world, colleague = pair
    done = cosign(session, sign(session, world, world.purchaser), colleague).assessment
    assert done is not None
    returns.send_back(session, done.id, "请核对", actor=world.administrator.as_actor(), now=LATER)
    (version,) = returns.versions_of(session, done)
    assert version.content["cosigned_by"] == colleague.name
    assert done.cosigning is None
    assert sign(session, world, world.purchaser).awaiting


def test_the_colleague_reads_the_evidence(session: Session, pair: tuple[World, Account], tmp_path: Path) -> None:
    world, colleague = pair
    store, actor = FolderStore(tmp_path / "evidence"), world.purchaser.as_actor()
    file = evidence.add(session, world.entry.id, store, evidence.Sent("a.pdf", pdf()), actor=actor, now=NOW)
    with pytest.raises(NotFound):
        evidence.read(session, file.id, store, actor=colleague.as_actor())
    sign(session, world, world.purchaser)
    assert evidence.read(session, file.id, store, actor=colleague.as_actor())[1] == pdf()


def test_the_pages_from_signing_to_co_signing(
    write: Callable[..., Any], app: Flask, sign_in: Callable[[Account], CheckedClient]
) -> None:
    world, colleague = write(with_two_signatures, closes_on=now().date() + timedelta(days=30))
    rater, second = sign_in(world.purchaser), sign_in(colleague)
    base = f"/collection/entries/{world.entry.id}"
    asked = write(lambda session: task_of(session, world.entry.id, actor=world.purchaser.as_actor())).questionnaire

    def sign_again() -> str:
        version = rater.get(f"{base}/rate").text.split('name="version" value="')[1].split('"')[0]
        rater.post(f"{base}/rate", data=sent(full_answers(asked), version, buy_again="no"))
        page = rater.get(f"{base}/check").text
        assert "签署并提请会签" in page
        version = page.split('name="version" value="')[1].split('"')[0]
        return rater.post(f"{base}/check", data={"version": version, "signed": "y"}).location

    assert "没有待您会签" in second.get("/collection/cosigning").text
    final = sign_again()
    assert "撤回签署" in rater.get(final).text
    assert rater.get(f"{base}/rate").location == rater.get(f"{base}/check").location == final
    assert "待会签" in rater.get("/collection/worklist").text
    assert rater.post(f"{base}/take-back").location == f"{base}/rate"
    assert sign_again() == final
    assert "1 份评价待您会签" in second.get("/collection/worklist").text
    page = f"/collection/cosigning/{final.rsplit('/', 1)[1]}"
    assert page in second.get("/collection/cosigning").text
    with app.test_request_context(), app.extensions["database"].reading() as session:
        assert page.rsplit("/", 1)[0] in {todo.url for todo in todos(session, colleague.as_actor())}
    assert second.post(f"{page}/refuse", data={"reason": "数量 <不符>"}).location == "/collection/cosigning"
    assert "数量 &lt;不符&gt;" in rater.get(f"{base}/rate").text
    assert second.get(page).location == "/collection/cosigning"
    sign_again()
    text = second.get(page).text
    version = text.split('name="version" value="')[1].split('"')[0]
    assert second.post(page, data={"version": version}).status_code == 422
    assert second.post(page, data={"version": version, "signed": "y"}).location == "/collection/cosigning"
    assert write(lambda session: session.scalars(select(Assessment.state)).all()) == ["submitted"]
    assert f"会签人：{colleague.name}" in sign_in(world.auditor).get(final).text
