"""Invitations by e-mail to those whom the demo's rosters name. None ever left the machine."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base import outbox
from evalsys.base.outbox import Channel, Message, MessageState
from evalsys.collection.codes import code_hash, code_key, new_code
from evalsys.collection.messages.keeping import code_box, keep_codes
from evalsys.collection.messages.models import Mailing, MailingKind
from evalsys.collection.models import Invitation
from evalsys.registry.models import Cycle, Entry

FAILED_EVERY, UNKNOWN_EVERY = 17, 41


def write_to_recipients(session: Session, cycle: Cycle, *, secret: str) -> None:
    """A batch of which most arrived; whoever has not answered can be reminded."""
    of_cycle = Invitation.entry_id.in_(select(Entry.id).where(Entry.cycle_id == cycle.id))
    named = session.scalars(
        select(Invitation).where(of_cycle, Invitation.roster_member_id.is_not(None)).order_by(Invitation.id)
    ).all()
    codes = {}
    for invitation in named:
        if not invitation.used and invitation.outcome is None:
            code = new_code()
            invitation.code_hmac = code_hash(code, code_key(secret))
            codes[invitation.code_hmac] = code
    session.flush()
    keep_codes(session, codes, code_box(secret))
    at, kind = datetime(cycle.year, 10, 8, 2, tzinfo=UTC), MailingKind.INVITATION.value
    batch = Mailing(cycle_id=cycle.id, kind=kind, branch=cycle.region.path, started_at=at, started_by="模拟数据")
    session.add(batch)
    session.flush()
    to = [(invitation.id, Channel.EMAIL) for invitation in named]
    outbox.queue(session, to, kind=kind, batch=batch.id, due_at=at, now=at)
    for number, message in enumerate(session.scalars(select(Message).where(Message.batch == batch.id)), start=1):
        outbox.begin(message, now=at)
        if number % FAILED_EVERY == 0:
            outbox.end(message, MessageState.FAILED, now=at, why="refused", said="550 5.1.1 user unknown")
        elif number % UNKNOWN_EVERY == 0:
            outbox.end(message, MessageState.UNKNOWN, now=at, why="no_answer", said="timed out")
        else:
            outbox.end(message, MessageState.SENT, now=at)
