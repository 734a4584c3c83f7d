"""What was sent to whom before, and why somebody gets no message: asked for a plan and again before each is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from evalsys.base.outbox import MAY_HAVE_ARRIVED, OPEN, Message
from evalsys.collection.messages.contacts import Contact, read_contact
from evalsys.collection.messages.models import KeptCode, MailingKind
from evalsys.collection.messages.policy import POLICY
from evalsys.collection.models import Invitation
from evalsys.registry.models import RosterMember

TO_RECIPIENTS = (MailingKind.INVITATION, MailingKind.REMINDER)
People = Select[int] | Collection[int]


class Why(StrEnum):
    """Why a message is not sent, or not any more."""

    ANSWERED = "answered"
    OUTCOME = "outcome"
    QUIET = "quiet"
    NO_CONTACT = "no_contact"
    NO_CODE = "no_code"
    WITHDRAWN = "withdrawn"
    OVER = "over"
    WAITS = "waits"
    BEFORE = "before"
    NOT_INVITED = "not_invited"  # by message, and nobody else is reminded
    ENOUGH = "enough"
    TOO_SOON = "too_soon"


@dataclass
class History:
    """What one person was sent.

    Attributes:
        waits: whether something is still to be sent.
        sent: kinds of what may have arrived, with when.
    """

    waits: bool = False
    sent: list[tuple[str, datetime]] = field(default_factory=list)

    def against(self, kind: MailingKind, *, now: datetime) -> Why | None:
        """What speaks against a message of a kind; None where nothing does."""
        if self.waits:
            return Why.WAITS
        if kind is MailingKind.INVITATION and self.sent:
            return Why.BEFORE
        if kind is MailingKind.REMINDER and not self.sent:
            return Why.NOT_INVITED
        if kind is MailingKind.REMINDER and sum(each == kind for each, _at in self.sent) >= POLICY.most_reminders:
            return Why.ENOUGH
        return Why.TOO_SOON if any(at > now - POLICY.apart for _kind, at in self.sent) else None


def histories(
    session: Session, kinds: Collection[MailingKind], people: People, *, but: int = 0
) -> defaultdict[int, History]:
    """What each of some people was sent, by what the messages are about; one message may be left out."""
    columns = (Message.about, Message.kind, Message.state, Message.changed_at)
    rows = session.execute(
        select(*columns).where(Message.kind.in_(kinds), Message.about.in_(people), Message.id != but)
    )
    found = defaultdict[int, History](History)
    for about, kind, state, at in rows:
        if state in MAY_HAVE_ARRIVED:
            found[about].sent.append((kind, at))
        found[about].waits |= state in OPEN
    return found


class Recipient(NamedTuple):
    """Somebody whom a roster names and who has a code. `quiet`: None where the code is not kept."""

    id: int
    used: bool
    outcome: str | None
    contact: str
    quiet: bool | None

    def reached(self, history: History, kind: MailingKind, *, now: datetime) -> Contact | Why:
        """Where a message of a kind goes, or why none does."""
        contact = read_contact(self.contact)
        if self.used or self.outcome is not None:
            return Why.ANSWERED if self.used else Why.OUTCOME
        if contact is None:
            return Why.NO_CONTACT
        if self.quiet is not False:
            return Why.QUIET if self.quiet else Why.NO_CODE
        return history.against(kind, now=now) or contact


def recipients(session: Session, which: ColumnElement[bool]) -> Iterator[Recipient]:
    """Those whom a roster names and who have a code."""
    columns: Any = (Invitation.id, Invitation.used, Invitation.outcome, RosterMember.contact, KeptCode.quiet)
    rows = session.execute(
        select(*columns)
        .join(RosterMember, Invitation.roster_member_id == RosterMember.id)
        .outerjoin(KeptCode, KeptCode.invitation_id == Invitation.id)
        .where(which)
        .order_by(Invitation.id)
    )
    return (Recipient(*row) for row in rows)
