"""What of collecting waits for a person, for the desk."""

from __future__ import annotations

from collections.abc import Iterator

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.accounts.todo import Todo
from evalsys.base.access import Actor, Role
from evalsys.collection.assessments import PARTY_OF
from evalsys.collection.interview_cases import count_open
from evalsys.collection.queries import open_work


def open_assessments(session: Session, actor: Actor) -> Iterator[Todo]:
    """A rater's contracts that are not yet submitted."""
    if actor.role in PARTY_OF:
        left = open_work(session, actor=actor)
        yield Todo(_("Contracts to rate"), url_for("collection.worklist"), count=left.open, due=left.next_due)


def recipients_to_ask(session: Session, actor: Actor) -> Iterator[Todo]:
    """Those an interviewer may ask by name."""
    if actor.role == Role.INTERVIEWER:
        yield Todo(_("Recipients to ask"), url_for("interviews.cases"), count=count_open(session, actor=actor))
