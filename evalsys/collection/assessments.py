"""The named raters' part: a purchaser and a third-party evaluator draft, check and submit their assessments.

Submitting is final. Drafts carry the moment they were saved, so that of two windows the later does not silently undo
the earlier. Saving locks the rater's own account row and the cycle's: a rater's windows come one after the other, and
nothing is saved after the cycle has left collecting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import exists, select
from sqlalchemy.orm import Session, joinedload

from evalsys.accounts.models import Account
from evalsys.base import audit
from evalsys.base.access import Actor, Role
from evalsys.base.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from evalsys.base.language import day
from evalsys.collection.interests import require_independent
from evalsys.collection.models import Assessment, AssessmentRating, AssessmentState, Assignment
from evalsys.collection.questionnaire import Question, Questionnaire, questionnaire_of
from evalsys.registry.models import Contract, Cycle, CycleState, Entry

PARTY_OF = {Role.PURCHASER: "purchaser", Role.EVALUATOR: "third_party"}
OVERSEERS = frozenset({Role.ADMINISTRATOR, Role.OFFICER, Role.AUDITOR})


class NewerDraft(Conflict):
    """Another window saved after this one was opened."""


class Incomplete(Invalid):
    """Required questions have no answer yet."""


@dataclass(frozen=True)
class Answer:
    """What a rater says to one criterion; with neither value nor "not applicable" it is still open."""

    value: float | None = None
    not_applicable: bool = False
    comment: str = ""

    @property
    def given(self) -> bool:
        return self.value is not None or self.not_applicable

    def fits(self, question: Question) -> bool:
        """Whether the question takes it; an open answer always fits."""
        if self.value is not None:
            return question.takes(self.value)
        return question.criterion.not_applicable or not self.not_applicable


@dataclass(frozen=True)
class Task:
    """An entry as one rater finds it: what is asked, and what that rater has answered."""

    entry: Entry
    party: str
    questionnaire: Questionnaire
    assessment: Assessment | None

    @property
    def answers(self) -> dict[str, Answer]:
        """An answer to every question; what was kept but no longer fits the rules counts as open."""
        kept = {r.criterion: r for r in self.assessment.ratings} if self.assessment else {}
        return {q.code: _answer(q, kept.get(q.code)) for q in self.questionnaire}

    @property
    def missing(self) -> list[Question]:
        """The required questions that are still open."""
        answers = self.answers
        return [q for q in self.questionnaire if q.criterion.required and not answers[q.code].given]

    @property
    def uncommented(self) -> list[Question]:
        """The questions at whose lowest or highest level no comment says why."""
        answers = self.answers
        return [q for q in self.questionnaire if q.is_extreme(answers[q.code].value) and not answers[q.code].comment]

    @property
    def declaration(self) -> str:
        """What the rater signs at submission, in the reader's language."""
        if self.party == PARTY_OF[Role.EVALUATOR]:
            said: str = _(
                "I declare: I have looked into this contract myself; within the last 2 years neither I nor my "
                "organisation had ties to its vendor that could touch my judgement; the ratings are independent, and "
                "the evidence is true."
            )
        else:
            said = _(
                "I declare: I know this contract and its acceptance inspection; the ratings are those of my "
                "department, given by the facts; the evidence is true."
            )
        return said

    @property
    def version(self) -> str:
        """Changes with every save; empty before the first."""
        return self.assessment.saved_at.isoformat() if self.assessment else ""

    @property
    def submitted(self) -> bool:
        return self.assessment is not None and self.assessment.state == AssessmentState.SUBMITTED


def _answer(question: Question, kept: AssessmentRating | None) -> Answer:
    if kept is None:
        return Answer()
    answer = Answer(kept.value, kept.not_applicable, kept.comment)
    return answer if answer.fits(question) else Answer(comment=kept.comment)


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
    return Task(entry, party, asked, kept)


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
    """A submitted assessment, for its rater and for those who oversee the branch.

    Raises:
        NotFound: there is no such assessment, or it is still a draft.
        NotAllowed: it is somebody else's, and the actor oversees nothing or another branch.
    """
    task = readable_of(session, assessment_id, actor=actor)
    if not task.submitted:
        raise _not_submitted()
    return task


def readable_of(session: Session, assessment_id: int, *, actor: Actor) -> Task:
    """The same, and for its rater a draft too."""
    kept = session.get(Assessment, assessment_id, options=[joinedload(Assessment.account)])
    if kept is None:
        raise _not_submitted()
    entry = entry_of(session, kept.entry_id)
    if kept.account_id is None or kept.account_id != actor.account_id:
        if kept.state != AssessmentState.SUBMITTED:
            raise _not_submitted()
        if actor.role not in OVERSEERS:
            raise NotAllowed(
                _("This assessment is another person's."), remedy=_("Only its rater and the overseers may read it.")
            )
        actor.require_region(entry.contract.region.path)
    return Task(entry, kept.party, questionnaire_of(entry, kept.party), kept)


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
        Conflict, Gone: it is submitted, or the cycle does not collect.
    """
    session.execute(select(Account.id).where(Account.id == actor.account_id).with_for_update(key_share=True))
    session.execute(
        select(Cycle.id).join(Entry).where(Entry.id == entry_id).with_for_update(read=True, of=Cycle.__table__)
    )
    task = task_of(session, entry_id, actor=actor)
    require_collecting(task.entry.cycle)
    if task.submitted:
        raise Conflict(
            _("This assessment is submitted and can no longer be changed."),
            remedy=_("Ask the administrator if something in it is wrong."),
        )
    return task


def _task_as_seen(session: Session, entry_id: int, version: str, actor: Actor) -> Task:
    """The same, where it is still as the rater saw it."""
    task = task_to_change(session, entry_id, actor)
    if task.version != version:
        raise NewerDraft(
            _("This assessment was saved from another window after you opened it."),
            remedy=_("Compare both below and choose which to keep."),
        )
    return task


def save_draft(
    session: Session, entry_id: int, answers: Mapping[str, Answer], *, version: str, actor: Actor, now: datetime
) -> Task:
    """Keep everything given so far, complete or not.

    Args:
        answers: by criterion; a question that is not named becomes open.
        version: `Task.version` of what the rater saw.

    Raises:
        Invalid: a value is outside its scale; all such are listed.
        NewerDraft: another window saved in between.
        Conflict, Gone: it is submitted, or the cycle does not collect.
    """
    task = _task_as_seen(session, entry_id, version, actor)
    _require_values(task.questionnaire, answers)
    kept = with_draft(session, task, actor, now)
    kept.saved_at = now
    task = replace(task, assessment=kept)
    _replace_ratings(kept, task.questionnaire, answers)
    session.flush()
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


def _require_values(asked: Questionnaire, answers: Mapping[str, Answer]) -> None:
    faults = [f"{q.code}: {q.what_to_write()}" for q in asked if not answers.get(q.code, Answer()).fits(q)]
    if faults:
        raise Invalid(_("Some answers are outside their scale; nothing was saved."), details=faults)


def _replace_ratings(kept: Assessment, asked: Questionnaire, answers: Mapping[str, Answer]) -> None:
    given = {q.code: a for q in asked if (a := answers.get(q.code)) and (a.given or a.comment)}
    rows = {row.criterion: row for row in kept.ratings}
    for code in rows.keys() - given.keys():
        kept.ratings.remove(rows[code])
    for code, answer in given.items():
        row = rows.get(code)
        if row is None:
            row = AssessmentRating(criterion=code)
            kept.ratings.append(row)
        row.value, row.not_applicable, row.comment = answer.value, answer.not_applicable, answer.comment


def submit(session: Session, entry_id: int, *, version: str, signed: bool, actor: Actor, now: datetime) -> Task:
    """Make the saved draft final.

    Args:
        version: `Task.version` of what the rater checked.
        signed: whether the rater ticked the task's declaration; its words are kept.

    Raises:
        Incomplete: required questions are open, an extreme level has no comment, or it is not signed; all are listed.
        NewerDraft: it was saved again after the rater checked it.
        Conflict, Gone: it is submitted already, or the cycle does not collect.
    """
    task = _task_as_seen(session, entry_id, version, actor)
    if task.assessment is None or task.missing or task.uncommented:
        raise Incomplete(
            _("Some required questions have no answer yet, or no comment at their lowest or highest level."),
            remedy=_("Complete them, then submit again."),
            details=[question.code for question in (*task.missing, *task.uncommented)],
        )
    if not signed:
        raise Incomplete(
            _("The declaration is not ticked; nothing was submitted."),
            remedy=_("Read it, tick it and submit again. If it does not hold, tell the administrator."),
        )
    task.assessment.declaration = task.declaration
    task.assessment.state = AssessmentState.SUBMITTED.value
    task.assessment.submitted_at = task.assessment.saved_at = now
    session.flush()
    _record(session, task, "collection.submit_assessment", actor, now)
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
