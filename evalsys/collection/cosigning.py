"""The second signature, where the rules ask for one: a colleague of the rater's body gives it, or sends it back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from evalsys.accounts.models import Account
from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Invalid, NotFound
from evalsys.collection.assessment_models import Cosigning, CosigningState
from evalsys.collection.assessments import Incomplete, NewerDraft, lock, readable_of, require_collecting, task_of
from evalsys.collection.models import Assessment, AssessmentState
from evalsys.collection.signatures import is_second_person, of_body
from evalsys.collection.tasks import PARTY_OF, Task
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Region

LONGEST_REASON = 1000


def _waiting(actor: Actor) -> Select[Assessment]:
    return (
        select(Assessment)
        .join(Assessment.cosigning)
        .join(Assessment.account)
        .join(Assessment.entry)
        .join(Entry.cycle)
        .join(Entry.contract)
        .join(Contract.region)
        .where(
            Cosigning.state == CosigningState.ASKED,
            Cycle.state == CycleState.COLLECTING,
            Assessment.party == PARTY_OF[actor.role],
            of_body(actor),
            Account.id != actor.account_id,
            Region.path.startswith(actor.region_path, autoescape=True),
        )
    )


def waiting_for(session: Session, *, actor: Actor) -> Sequence[Assessment]:
    """What colleagues of the actor's body have signed and the actor may co-sign, the oldest first."""
    own = _waiting(actor).order_by(Cosigning.asked_at, Assessment.id)
    shown = (
        contains_eager(Assessment.cosigning),
        contains_eager(Assessment.account),
        contains_eager(Assessment.entry).contains_eager(Entry.cycle),
        contains_eager(Assessment.entry).contains_eager(Entry.contract).joinedload(Contract.vendor),
    )
    return session.scalars(own.options(*shown)).all()


def count_waiting(session: Session, *, actor: Actor) -> int:
    """How many there are."""
    return session.scalar(_waiting(actor).with_only_columns(func.count())) or 0


def declaration(task: Task) -> str:
    """What the second person signs, in the reader's language."""
    assert task.assessment is not None  # noqa: S101 - what is co-signed was signed
    assert task.assessment.account is not None  # noqa: S101 - and by somebody
    said: str = _(
        "I declare: I have checked these ratings and their evidence, and answer for them together with %(name)s.",
        name=task.assessment.account.name,
    )
    return said


def task_to_cosign(session: Session, assessment_id: int, *, actor: Actor) -> Task:
    """A colleague's signed assessment.

    Raises:
        NotFound: there is none that waits for the actor.
    """
    kept = session.get(Assessment, assessment_id, options=[joinedload(Assessment.account)])
    if kept is None or not is_second_person(kept, actor):
        raise NotFound(
            _("No assessment waits here for your signature."), remedy=_("See the list of what waits for it.")
        )
    task = readable_of(session, assessment_id, actor=actor)
    actor.require_region(task.entry.contract.region.path)
    return task


def _task_as_seen(session: Session, assessment_id: int, version: str | None, actor: Actor) -> Task:
    """The same, locked and as the actor saw it."""
    task = task_to_cosign(session, assessment_id, actor=actor)
    assert task.assessment is not None  # noqa: S101 - what is co-signed was signed
    lock(session, task.assessment.account_id, task.entry.id)
    session.refresh(task.assessment)
    require_collecting(task.entry.cycle)
    if not task.awaiting:
        raise Conflict(
            _("This assessment no longer waits for a co-signature."), remedy=_("See the list of what waits for it.")
        )
    if version is not None and task.version != version:
        raise NewerDraft(_("The assessment changed after you opened it."), remedy=_("Read it again below."))
    return task


def cosign(session: Session, assessment_id: int, *, version: str, signed: bool, actor: Actor, now: datetime) -> Task:
    """Give the second signature; then the assessment is submitted.

    Args:
        version: `Task.version` of what the actor read.
        signed: whether the declaration is ticked; its words are kept.

    Raises:
        NotFound, NotAllowed: it does not wait for the actor.
        Incomplete: the declaration is not ticked.
        Conflict, Gone: it changed, waits no more, or is not collected now.
    """
    task = _task_as_seen(session, assessment_id, version, actor)
    if not signed:
        raise Incomplete(
            _("The declaration is not ticked; nothing was submitted."),
            remedy=_("Read it, tick it and sign; if it does not hold, send the assessment back."),
        )
    kept = task.assessment
    _answer(task, CosigningState.SIGNED, actor, now, declaration=declaration(task))
    assert kept is not None  # noqa: S101 - what is co-signed was signed
    kept.state, kept.submitted_at = AssessmentState.SUBMITTED.value, now
    session.flush()
    _record(session, task, "collection.cosign_assessment", actor, now)
    return task


def refuse(session: Session, assessment_id: int, reason: str, *, actor: Actor, now: datetime) -> Task:
    """Send it back to the colleague, who changes it and signs again.

    Raises:
        NotFound, NotAllowed: it does not wait for the actor.
        Invalid: there is no reason, or a very long one.
        Conflict, Gone: it waits no more, or is not collected now.
    """
    task = _task_as_seen(session, assessment_id, None, actor)
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise Invalid(
            _("Say what is to be corrected, in at most %(n)s characters.", n=LONGEST_REASON),
            remedy=_("The rater reads it above the questions."),
        )
    _answer(task, CosigningState.REFUSED, actor, now, reason=reason)
    _reopen(task, now)
    session.flush()
    _record(session, task, "collection.refuse_cosignature", actor, now, reason=reason)
    return task


def take_back(session: Session, entry_id: int, *, actor: Actor, now: datetime) -> Task:
    """The rater takes the own signature back before anybody has co-signed.

    Raises:
        Conflict, Gone: it does not wait for a co-signature, or is not collected now.
    """
    lock(session, actor.account_id, entry_id)
    task = task_of(session, entry_id, actor=actor)
    require_collecting(task.entry.cycle)
    if not task.awaiting or task.assessment is None:
        raise Conflict(
            _("This assessment no longer waits for a co-signature."), remedy=_("Start from your list of contracts.")
        )
    task.assessment.cosigning = None
    _reopen(task, now)
    session.flush()
    _record(session, task, "collection.take_signature_back", actor, now)
    return task


def _answer(task: Task, state: CosigningState, actor: Actor, now: datetime, **said: str) -> None:
    asked = task.assessment.cosigning if task.assessment else None
    assert asked is not None  # noqa: S101 - the caller has looked
    asked.state, asked.account_id, asked.answered_at = state.value, actor.account_id, now
    asked.reason, asked.declaration = said.get("reason"), said.get("declaration")


def _reopen(task: Task, now: datetime) -> None:
    assert task.assessment is not None  # noqa: S101 - the caller has looked
    task.assessment.declaration, task.assessment.saved_at = None, now


def _record(session: Session, task: Task, act: str, actor: Actor, now: datetime, **more: str) -> None:
    audit.record(
        session,
        actor=actor,
        act=act,
        subject=f"entry:{task.entry.cycle.code}/{task.entry.contract.reference}",
        now=now,
        detail={"party": task.party, **more},
    )
