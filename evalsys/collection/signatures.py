"""Who signs an assessment: its rater, and where the rules ask a second person of the same body."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Actor, Role
from evalsys.base.errors import Conflict
from evalsys.collection.assessment_models import Cosigning, CosigningState
from evalsys.collection.models import Assessment
from evalsys.collection.tasks import PARTY_OF, Task


def is_own(kept: Assessment, actor: Actor) -> bool:
    """Whether the actor is its rater."""
    return kept.account_id is not None and kept.account_id == actor.account_id


def is_second_person(kept: Assessment, actor: Actor) -> bool:
    """Whether the actor is of the rater's body, and asked to co-sign or has answered."""
    asked, rater = kept.cosigning, kept.account
    if asked is None or rater is None or is_own(kept, actor) or PARTY_OF.get(actor.role) != kept.party:
        return False
    if asked.state != CosigningState.ASKED:
        return asked.account_id == actor.account_id
    return (rater.purchaser_id, rater.evaluator_body_id) == (actor.purchaser_id, actor.evaluator_body_id)


def of_body(actor: Actor) -> ColumnElement[bool]:
    """The accounts of the body that the actor rates for."""
    if actor.role == Role.PURCHASER:
        return Account.purchaser_id == actor.purchaser_id
    return Account.evaluator_body_id == actor.evaluator_body_id


def ask_second_person(session: Session, task: Task, actor: Actor, now: datetime) -> None:
    """A body has one signed assessment of an entry, and somebody else of it to sign it as well."""
    assert task.assessment is not None  # noqa: S101 - `submit` has looked
    ours = of_body(actor)
    others = select(Account.id).where(ours, Account.role == actor.role, Account.active, Account.id != actor.account_id)
    if session.scalar(others.limit(1)) is None:
        raise Conflict(
            _("The rules ask for a second signature, and nobody else of your body has an account."),
            remedy=_("Ask the administrator to add one for whoever is to co-sign."),
        )
    signed = select(Cosigning.assessment_id).join(Cosigning.assessment).join(Assessment.account)
    theirs = (Assessment.entry_id == task.entry.id, Assessment.party == task.party, Assessment.id != task.assessment.id)
    if session.scalar(signed.where(*theirs, ours, Cosigning.state != CosigningState.REFUSED).limit(1)) is not None:
        raise Conflict(
            _("A colleague has signed an assessment of this contract for your body already."),
            remedy=_("Co-sign that one, or send it back to them."),
        )
    task.assessment.cosigning = task.assessment.cosigning or Cosigning()
    asked = task.assessment.cosigning
    asked.state, asked.asked_at, asked.account = CosigningState.ASKED.value, now, None
    asked.answered_at = asked.reason = asked.declaration = None
