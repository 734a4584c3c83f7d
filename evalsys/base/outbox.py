"""Messages to people: queued in the transaction of the act that wants them, sent at most once.

Nothing is sent inside a transaction. A message is first marked as being sent, and that is committed; then somebody
talks to the outside; then the end is noted. Whoever is stopped in between leaves the mark, and nobody sends such a
message again by themselves: it is unknown whether it went out, and a person decides.

Neither text nor address stands here: the room that queues a message composes it when it is due (see base/jobs.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from evalsys.base.db import Base, one_of

WAITS = tuple(timedelta(minutes=4**n) for n in range(5))
"""How long after each failed try the next one comes: 1, 4, 16, 64, 256 minutes. So there are six tries at most."""

SENDING_AT_MOST = timedelta(minutes=10)
"""No attempt takes longer: whatever is marked as being sent for longer was stopped in between."""


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"


class MessageState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"  # it may have been sent
    DROPPED = "dropped"  # nobody needs it any more


OPEN = (MessageState.WAITING, MessageState.SENDING)
MAY_HAVE_ARRIVED = (MessageState.SENDING, MessageState.SENT, MessageState.UNKNOWN)


class Message(Base):
    """One message of a batch to one person.

    Attributes:
        kind: which room's composer knows what `about` is.
        about: the row it is about and to, for example an invitation's.
        due_at: when it is tried next.
        changed_at: when it was last tried, or put into its present state.
        why: what went wrong or made it needless, as a code that pages have words for.
        said: what the other side said, without address or code.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("batch", "about"),
        CheckConstraint(one_of("channel", Channel), name="channel_known"),
        CheckConstraint(one_of("state", MessageState), name="state_known"),
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        Index("ix_message_state_due_at", "state", "due_at"),
        Index("ix_message_kind_about", "kind", "about"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    about: Mapped[int]
    batch: Mapped[int]
    channel: Mapped[str] = mapped_column(String(5))
    state: Mapped[str] = mapped_column(String(8))
    attempts: Mapped[int]
    due_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    why: Mapped[str] = mapped_column(String(20), default="")
    said: Mapped[str] = mapped_column(String(200), default="")


def queue(
    session: Session, wanted: Iterable[tuple[int, Channel]], *, kind: str, batch: int, due_at: datetime, now: datetime
) -> int:
    """Put messages into the queue, each as (about, channel); the second to the same in a batch is refused.

    Returns:
        How many there are.
    """
    rows = [
        {
            "kind": kind,
            "about": about,
            "batch": batch,
            "channel": channel.value,
            "state": MessageState.WAITING.value,
            "attempts": 0,
            "due_at": due_at,
            "changed_at": now,
            "why": "",
            "said": "",
        }
        for about, channel in wanted
    ]
    if rows:
        session.execute(insert(Message), rows)
    return len(rows)


def next_due(session: Session, *, now: datetime) -> Message | None:
    """The message that is due longest, for this transaction alone; another worker gets the one after it."""
    return session.scalars(
        select(Message)
        .where(Message.state == MessageState.WAITING, Message.due_at <= now)
        .order_by(Message.due_at, Message.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()


def begin(message: Message, *, now: datetime) -> None:
    """Mark a message as being sent; commit this before anything is sent."""
    message.state, message.attempts, message.changed_at = MessageState.SENDING.value, message.attempts + 1, now


def end(message: Message, state: MessageState, *, now: datetime, why: str = "", said: str = "") -> None:
    """Note how it came out."""
    message.state, message.changed_at, message.why, message.said = state.value, now, why, said[:200]


def put_off(message: Message, *, now: datetime, why: str, said: str) -> None:
    """Try again later, or give up after the last try."""
    if message.attempts > len(WAITS):
        end(message, MessageState.FAILED, now=now, why=why, said=said)
        return
    end(message, MessageState.WAITING, now=now, why=why, said=said)
    message.due_at = now + WAITS[message.attempts - 1]


def give_up_interrupted(session: Session, *, now: datetime) -> None:
    """Of messages whose sender was stopped it is unknown whether they went out."""
    session.execute(
        update(Message)
        .where(Message.state == MessageState.SENDING, Message.changed_at < now - SENDING_AT_MOST)
        .values(state=MessageState.UNKNOWN.value, why="stopped")
    )


def distrust(session: Session, *, now: datetime) -> int:
    """After a restore: what waits here may have been sent after the backup was made, so it is unknown.

    Returns:
        How many messages there were.
    """
    found = session.scalars(select(Message).where(Message.state.in_(OPEN))).all()
    for message in found:
        end(message, MessageState.UNKNOWN, now=now, why="restored")
    return len(found)


def send_again(session: Session, batch: int, states: Collection[MessageState], *, due_at: datetime) -> int:
    """Put messages of a batch that are in one of the states back into the queue, as if they were new.

    Returns:
        How many there were.
    """
    found = session.scalars(
        select(Message).where(Message.batch == batch, Message.state.in_(list(states))).with_for_update()
    ).all()
    for message in found:
        message.state, message.attempts, message.due_at = MessageState.WAITING.value, 0, due_at
    return len(found)


def take_for_sent(session: Session, batch: int) -> int:
    """Decide that what is unknown of a batch went out.

    Returns:
        How many messages there were.
    """
    found = session.scalars(
        select(Message).where(Message.batch == batch, Message.state == MessageState.UNKNOWN).with_for_update()
    ).all()
    for message in found:
        message.state = MessageState.SENT.value
    return len(found)
