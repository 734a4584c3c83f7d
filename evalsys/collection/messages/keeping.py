"""Codes that are kept for messages: locked, and for no longer than a reminder may need them.

The lock's key follows from EVALSYS_SECRET_KEY, so that a copy of the database opens no survey. A code is forgotten when
its recipient has answered (before the next message, not at the moment of answering, which would tell when that was),
when somebody said why there is no answer, when the recipient wants no reminder, and when collecting is over.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, delete, insert, or_, select
from sqlalchemy.orm import Session

from evalsys.base.tokens import Box, derive_key
from evalsys.collection.messages.contacts import read_contact
from evalsys.collection.messages.models import KeptCode
from evalsys.collection.models import Invitation
from evalsys.registry.models import Cycle, CycleState, Entry, RosterMember

AT_ONCE = 500


def code_box(secret: str) -> Box:
    """What codes are locked with."""
    return Box(derive_key(secret, "kept codes"))


def keep_codes(session: Session, codes: Mapping[bytes, str], box: Box) -> int:
    """Keep those of new codes whose recipient a roster names with a mobile number or an e-mail address.

    Args:
        codes: by what the database keeps of them.

    Returns:
        How many there are.
    """
    hashes, rows = list(codes), []
    for at in range(0, len(hashes), AT_ONCE):
        found = session.execute(
            select(Invitation.id, Invitation.code_hmac, RosterMember.contact)
            .join(RosterMember, Invitation.roster_member_id == RosterMember.id)
            .where(Invitation.code_hmac.in_(hashes[at : at + AT_ONCE]))
        )
        rows += [
            {"invitation_id": id_, "locked": box.closed(codes[hashed], _thing(id_)), "quiet": False}
            for id_, hashed, contact in found
            if read_contact(contact)
        ]
    if rows:
        session.execute(insert(KeptCode), rows)
    return len(rows)


def unlocked(box: Box, kept: KeptCode) -> str | None:
    """The code; None where it is not kept, or was locked under another secret key."""
    return box.opened(kept.locked, _thing(kept.invitation_id)) if kept.locked else None


def is_kept(session: Session, hashed: bytes) -> bool:
    """Whether the recipient of a code may still be reminded."""
    return _kept(session, hashed) is not None


def be_quiet(session: Session, hashed: bytes) -> None:
    """No more reminders to the recipient of a code. Nobody learns it but by the missing reminder; there is no trail."""
    kept = _kept(session, hashed)
    if kept is not None:
        kept.quiet, kept.locked = True, None


def forget_codes(session: Session, cycle: Cycle) -> None:
    """Of a cycle, those of recipients who have answered or will not."""
    _forget(session, Entry.cycle_id == cycle.id, or_(Invitation.used, Invitation.outcome.is_not(None)))


def tidy(session: Session) -> None:
    """Forget what nobody needs any more, in all cycles; who has answered stays until the next reminders."""
    over = Cycle.state.not_in([CycleState.DRAFT.value, CycleState.COLLECTING.value])
    _forget(session, or_(over, Invitation.outcome.is_not(None)))


def _forget(session: Session, *which: ColumnElement[bool]) -> None:
    needless = select(Invitation.id).join(Entry, Invitation.entry_id == Entry.id).join(Cycle).where(*which)
    session.execute(delete(KeptCode).where(KeptCode.invitation_id.in_(needless)))


def _kept(session: Session, hashed: bytes) -> KeptCode | None:
    return session.scalar(
        select(KeptCode)
        .join(Invitation, KeptCode.invitation_id == Invitation.id)
        .where(Invitation.code_hmac == hashed, ~KeptCode.quiet)
    )


def _thing(invitation_id: int) -> str:
    return f"invitation {invitation_id}"
