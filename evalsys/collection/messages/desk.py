"""What of the messages waits for the coordinator."""

from __future__ import annotations

from collections.abc import Iterator

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.language import number
from evalsys.base.outbox import MessageState
from evalsys.collection.messages.mailings import mailings
from evalsys.registry.cycle_notes import Note
from evalsys.registry.models import Cycle, CycleState


def undecided(session: Session, cycle: Cycle, actor: Actor) -> Iterator[Note]:
    """Messages that failed, or of which it is unknown whether they went out, while something can be done."""
    if cycle.state != CycleState.COLLECTING:
        return
    batches = mailings(session, cycle, actor=actor)
    address = url_for("messages.batches", code=cycle.code)
    for state, label in (
        (MessageState.UNKNOWN, _("Messages of which it is unknown whether they were sent")),
        (MessageState.FAILED, _("Messages that failed")),
    ):
        if count := sum(batch.count(state) for batch in batches):
            yield Note(label, number(count), address)
