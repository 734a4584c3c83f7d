"""What of collecting waits for a person, for the desk."""

from __future__ import annotations

from collections.abc import Iterator

from flask import current_app, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.accounts.todo import Todo
from evalsys.base.access import Actor, Role
from evalsys.collection.cosigning import count_waiting
from evalsys.collection.interview_cases import count_open
from evalsys.collection.interview_marks import interview_key
from evalsys.collection.paper_batches import count_to_key
from evalsys.collection.queries import open_work
from evalsys.collection.rechecks import count_to_check
from evalsys.collection.tasks import PARTY_OF


def open_assessments(session: Session, actor: Actor) -> Iterator[Todo]:
    """A rater's contracts that are not yet submitted."""
    if actor.role in PARTY_OF:
        left = open_work(session, actor=actor)
        yield Todo(_("Contracts to rate"), url_for("collection.worklist"), count=left.open, due=left.next_due)


def to_cosign(session: Session, actor: Actor) -> Iterator[Todo]:
    """What colleagues have signed and wait for the actor to co-sign; no line where nothing waits."""
    if actor.role in PARTY_OF and (count := count_waiting(session, actor=actor)):
        yield Todo(_("Awaiting your co-signature"), url_for("cosigning.waiting"), count=count)


def paper_to_key(session: Session, actor: Actor) -> Iterator[Todo]:
    """Batches of paper forms that are not released."""
    if actor.role in {Role.ADMINISTRATOR, Role.INTERVIEWER}:
        yield Todo(
            _("Batches of paper forms under way"), url_for("paper.batches"), count=count_to_key(session, actor=actor)
        )


def recipients_to_ask(session: Session, actor: Actor) -> Iterator[Todo]:
    """Those an interviewer may ask by name."""
    if actor.role == Role.INTERVIEWER:
        yield Todo(_("Recipients to ask"), url_for("interviews.cases"), count=count_open(session, actor=actor))


def interviews_to_check(session: Session, actor: Actor) -> Iterator[Todo]:
    """Interviews of others that are drawn to be checked."""
    if actor.role in (Role.INTERVIEWER, Role.ADMINISTRATOR):
        key = interview_key(current_app.config["SECRET_KEY"])
        count = count_to_check(session, key=key, actor=actor)
        yield Todo(_("Interviews to check again"), url_for("rechecks.cases"), count=count)
