"""The named raters' part: a purchaser and a third-party evaluator draft, check and submit their assessments.

Submitting is final. Drafts carry the moment they were saved, so that of two windows the later does not silently undo
the earlier. Saving locks the rater's own account row and the cycle's: a rater's windows come one after the other, and
nothing is saved after the cycle has left collecting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import exists, select
from sqlalchemy.orm import Session, joinedload

from evalsys.accounts.models import Account
from evalsys.base import audit
from evalsys.base.access import Actor, Role
from evalsys.base.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from evalsys.base.language import day
from evalsys.collection.assessment_models import MeasuredValue, SiteVisit
from evalsys.collection.completeness import open_points
from evalsys.collection.interests import require_independent
from evalsys.collection.models import Assessment, AssessmentRating, AssessmentState, Assignment
from evalsys.collection.questionnaire import questionnaire_of
from evalsys.collection.signatures import ask_second_person, is_own, is_second_person
from evalsys.collection.tasks import MOST_VISITS, PARTY_OF, Answer, Beside, Task
from evalsys.registry.models import Contract, Cycle, CycleState, Entry

OVERSEERS = frozenset({Role.ADMINISTRATOR, Role.OFFICER, Role.AUDITOR})


class NewerDraft(Conflict):
    """Another window saved after this one was opened."""


class Incomplete(Invalid):
    """Required questions have no answer yet."""


def party_of(actor: Actor) -> str:
    """The party that a person rates for.

    Raises:
        NotAllowed: the role rates nothing; a vendor never does.
    """
    if actor.role not in PARTY_OF or actor.account_id is None:
        raise NotAllowed(
            _("Only purchasers and third-party evaluators rate contracts."),
            remedy=_("Sign in with the account of a purchaser or of an evaluator."),
        )
    return PARTY_OF[actor.role]


def task_of(session: Session, entry_id: int, *, actor: Actor) -> Task:
    """Open an entry for the person who rates it.

    Raises:
        NotFound: there is no such entry.
        NotAllowed: it is of another region, of another purchaser, not assigned, or a tie bars the evaluator.
        Undeclared: the evaluator has signed no declaration of interests for the cycle.
        Conflict: the cycle has no rules yet, or its rules ask this party nothing about it.
    """
    party = party_of(actor)
    entry = entry_of(session, entry_id)
    actor.require_region(entry.contract.region.path)
    _require_own(session, entry, actor)
    asked = questionnaire_of(entry, party)
    if not len(asked):
        raise Conflict(
            _("The rules of this cycle ask you nothing about this contract."), remedy=_("There is nothing to do here.")
        )
    kept = session.scalar(
        select(Assessment).where(
            Assessment.entry_id == entry.id, Assessment.party == party, Assessment.account_id == actor.account_id
        )
    )
    return Task(entry, party, asked, kept, measured_of(session, entry.id))


def measured_of(session: Session, entry_id: int) -> dict[str, MeasuredValue]:
    """What the record says of an entry, by criterion."""
    rows = session.scalars(
        select(MeasuredValue).where(MeasuredValue.entry_id == entry_id).order_by(MeasuredValue.criterion)
    )
    return {row.criterion: row for row in rows}


def entry_of(session: Session, entry_id: int) -> Entry:
    """An entry with its cycle, its rules and its contract's bodies; raises NotFound."""
    entry = session.scalar(
        select(Entry)
        .where(Entry.id == entry_id)
        .options(
            joinedload(Entry.cycle).joinedload(Cycle.rules),
            joinedload(Entry.contract).joinedload(Contract.vendor),
            joinedload(Entry.contract).joinedload(Contract.purchaser),
            joinedload(Entry.contract).joinedload(Contract.region),
        )
    )
    if entry is None:
        raise NotFound(_("There is no such contract in this cycle."), remedy=_("Start from your list of contracts."))
    return entry


def _require_own(session: Session, entry: Entry, actor: Actor) -> None:
    if actor.role == Role.PURCHASER:
        if entry.contract.purchaser_id != actor.purchaser_id:
            raise NotAllowed(
                _("This contract was bought by another purchaser."), remedy=_("Only its own purchaser rates it.")
            )
        return
    assigned = exists().where(Assignment.entry_id == entry.id, Assignment.account_id == actor.account_id)
    if not session.scalar(select(assigned)):
        raise NotAllowed(
            _("This contract is not assigned to you."), remedy=_("Ask the administrator to assign it to you.")
        )
    require_independent(session, entry, actor=actor)


def submitted_of(session: Session, assessment_id: int, *, actor: Actor) -> Task:
    """A submitted assessment, for its rater and for those who oversee the branch; signed, for its rater.

    Raises:
        NotFound: there is no such assessment, or it is still a draft.
        NotAllowed: it is somebody else's, and the actor oversees nothing or another branch.
    """
    task = readable_of(session, assessment_id, actor=actor)
    if not task.signed:
        raise _not_submitted()
    return task


def readable_of(session: Session, assessment_id: int, *, actor: Actor) -> Task:
    """The same, and for its rater, and whoever is asked to co-sign it, a draft too."""
    kept = session.get(Assessment, assessment_id, options=[joinedload(Assessment.account)])
    if kept is None:
        raise _not_submitted()
    entry = entry_of(session, kept.entry_id)
    if not (is_own(kept, actor) or is_second_person(kept, actor)):
        if kept.state != AssessmentState.SUBMITTED:
            raise _not_submitted()
        if actor.role not in OVERSEERS:
            raise NotAllowed(
                _("This assessment is another person's."), remedy=_("Only its rater and the overseers may read it.")
            )
        actor.require_region(entry.contract.region.path)
    return Task(entry, kept.party, questionnaire_of(entry, kept.party), kept, measured_of(session, entry.id))


def _not_submitted() -> NotFound:
    return NotFound(_("There is no such submitted assessment."), remedy=_("Start from your list of contracts."))


def require_collecting(cycle: Cycle) -> None:
    """Raises Conflict before the cycle's collecting, Gone after it."""
    if cycle.state == CycleState.DRAFT:
        raise Conflict(
            _("Collecting for “%(title)s” has not begun.", title=cycle.title),
            remedy=_("It opens on %(day)s; come back then.", day=day(cycle.opens_on)),
        )
    if cycle.state != CycleState.COLLECTING:
        raise Gone(
            _("Collecting for “%(title)s” is over; nothing was saved.", title=cycle.title),
            remedy=_("Ask the administrator if an assessment is still missing."),
        )


def task_to_change(session: Session, entry_id: int, actor: Actor) -> Task:
    """The task, locked until the transaction's end.

    Raises:
        Conflict, Gone: it is signed or submitted, or the cycle does not collect.
    """
    lock(session, actor.account_id, entry_id)
    task = task_of(session, entry_id, actor=actor)
    require_collecting(task.entry.cycle)
    if task.submitted:
        raise Conflict(
            _("This assessment is submitted and can no longer be changed."),
            remedy=_("Ask the administrator if something in it is wrong."),
        )
    if task.awaiting:
        raise Conflict(
            _("This assessment is signed and waits for the second signature."),
            remedy=_("Take your signature back first, then change it and sign again."),
        )
    return task


def lock(session: Session, account_id: int | None, entry_id: int) -> None:
    """Hold a rater's account and the entry's cycle, so that nothing of them changes before the transaction's end."""
    session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))
    session.execute(
        select(Cycle.id).join(Entry).where(Entry.id == entry_id).with_for_update(read=True, of=Cycle.__table__)
    )


def _task_as_seen(session: Session, entry_id: int, version: str, actor: Actor) -> Task:
    """The same, where it is still as the rater saw it."""
    task = task_to_change(session, entry_id, actor)
    if task.version != version:
        raise NewerDraft(
            _("This assessment changed after you opened it: another window saved it, or the record has new values."),
            remedy=_("Compare both below and choose which to keep."),
        )
    return task


def save_draft(
    session: Session,
    entry_id: int,
    answers: Mapping[str, Answer],
    *,
    version: str,
    actor: Actor,
    now: datetime,
    beside: Beside | None = None,
    by_itself: bool = False,
) -> Task:
    """Keep everything given so far, complete or not.

    Args:
        answers: by criterion; a question that is not named becomes open, one that the record answers keeps its value.
        version: `Task.version` of what the rater saw.
        beside: None leaves it as it is.
        by_itself: the page saved while the rater wrote. Only the first such save is an entry of the audit trail, else
            the trail would drown in them.

    Raises:
        Invalid: a value is outside its scale, or there are too many visits; all such are listed.
        NewerDraft: another window saved in between.
        Conflict, Gone: it is submitted, or the cycle does not collect.
    """
    task = _task_as_seen(session, entry_id, version, actor)
    begun = task.assessment is None
    answers = task.with_record(answers)
    _require_values(task, answers, beside)
    kept = with_draft(session, task, actor, now)
    kept.saved_at = now
    task = replace(task, assessment=kept)
    _replace_ratings(task, answers)
    if beside is not None:
        _replace_beside(kept, beside, asked=task.asks_buy_again)
    session.flush()
    if begun or not by_itself:
        _record(session, task, "collection.save_draft", actor, now)
    return task


def with_draft(session: Session, task: Task, actor: Actor, now: datetime) -> Assessment:
    """The task's draft, begun where there is none."""
    if task.assessment is not None:
        return task.assessment
    begun = Assessment(entry_id=task.entry.id, party=task.party, account_id=actor.account_id, saved_at=now)
    session.add(begun)
    session.flush()
    return begun


def _require_values(task: Task, answers: Mapping[str, Answer], beside: Beside | None) -> None:
    faults = [f"{q.code}: {q.what_to_write()}" for q in task.questionnaire if not answers.get(q.code, Answer()).fits(q)]
    if faults:
        raise Invalid(_("Some answers are outside their scale; nothing was saved."), details=faults)
    if beside is not None and len(beside.visits) > MOST_VISITS:
        raise Invalid(
            _("An assessment has at most %(n)s site visits.", n=MOST_VISITS), remedy=_("Note several in one.")
        )


def _replace_ratings(task: Task, answers: Mapping[str, Answer]) -> None:
    assert task.assessment is not None  # noqa: S101 - the caller has begun it
    kept = task.assessment
    given = {q.code: a for q in task.questionnaire if (a := answers.get(q.code)) and (a.given or a.comment)}
    rows = {row.criterion: row for row in kept.ratings}
    for code in rows.keys() - given.keys():
        kept.ratings.remove(rows[code])
    for code, answer in given.items():
        row = rows.get(code)
        if row is None:
            row = AssessmentRating(criterion=code)
            kept.ratings.append(row)
        row.value, row.not_applicable, row.comment = answer.value, answer.not_applicable, answer.comment


def _replace_beside(kept: Assessment, beside: Beside, *, asked: bool) -> None:
    kept.buy_again = beside.buy_again if asked else None
    rows = {row.number: row for row in kept.visits}
    for number in rows.keys() - set(range(1, len(beside.visits) + 1)):
        kept.visits.remove(rows[number])
    for number, visit in enumerate(beside.visits, 1):
        row = rows.get(number)
        if row is None:
            row = SiteVisit(number=number)
            kept.visits.append(row)
        row.visited_on, row.place, row.met, row.notes = visit.visited_on, visit.place, visit.met, visit.notes


def submit(session: Session, entry_id: int, *, version: str, signed: bool, actor: Actor, now: datetime) -> Task:
    """Sign the saved draft, which makes it final; where the rules ask, only once a second person has signed too.

    Args:
        version: `Task.version` of what the rater checked.
        signed: whether the rater ticked the task's declaration; its words are kept.

    Raises:
        Incomplete: required questions are open, an extreme level has no comment, something beside them is missing, or
            it is not signed; all are listed.
        NewerDraft: it was saved again after the rater checked it.
        Conflict, Gone: it is submitted already, nobody else of the body could co-sign it, or the cycle does not
            collect.
    """
    task = _task_as_seen(session, entry_id, version, actor)
    points = open_points(session, task)
    if task.assessment is None or task.missing or task.uncommented or points:
        raise Incomplete(
            _("Some required questions have no answer yet, or no comment at their lowest or highest level."),
            remedy=_("Complete them, then submit again."),
            details=[*(q.code for q in (*task.missing, *task.uncommented)), *(point.words for point in points)],
        )
    if not signed:
        raise Incomplete(
            _("The declaration is not ticked; nothing was submitted."),
            remedy=_("Read it, tick it and submit again. If it does not hold, tell the administrator."),
        )
    _replace_ratings(task, task.answers)
    task.assessment.declaration, task.assessment.saved_at = task.declaration, now
    if task.rules_party.cosign:
        ask_second_person(session, task, actor, now)
    else:
        task.assessment.state, task.assessment.submitted_at = AssessmentState.SUBMITTED.value, now
    session.flush()
    _record(session, task, f"collection.{'sign' if task.awaiting else 'submit'}_assessment", actor, now)
    return task


def _record(session: Session, task: Task, act: str, actor: Actor, now: datetime) -> None:
    """Who worked on what and how far; never the values."""
    answered = sum(answer.given for answer in task.answers.values())
    audit.record(
        session,
        actor=actor,
        act=act,
        subject=f"entry:{task.entry.cycle.code}/{task.entry.contract.reference}",
        now=now,
        detail={"party": task.party, "answered": answered, "asked": len(task.questionnaire)},
    )
