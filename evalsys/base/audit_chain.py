"""The hash chain over the audit trail: an entry that is changed, taken out or slipped in later breaks it.

Entries are written unchained in the transactions of their acts, so that no writer waits for another; linking takes in,
one after the other, whatever was committed since. A head that was published (an edition names one) holds everything
before it, whoever owns the database.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256

from sqlalchemy import CheckConstraint, ForeignKey, Select, String, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from evalsys.base.audit import AuditEntry
from evalsys.base.db import Base

START = "0" * 64
"""What the first link goes on from."""

AT_ONCE = 1000


class AuditLink(Base):
    """A link of the chain. `hash`: SHA-256 of the hash before and of the entry; see `link_hash`."""

    __tablename__ = "audit_link"
    __table_args__ = (
        CheckConstraint("length(hash) = 64", name="hash_length"),
        CheckConstraint("number > 0", name="number_from_one"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(ForeignKey("audit_entry.id"), unique=True)
    hash: Mapped[str] = mapped_column(String(64))


@dataclass(frozen=True)
class Chain:
    """What was found of the chain.

    Attributes:
        links: how many were looked at.
        head: hash of the last good one; `START` where there is none.
        broken: number of the first link that does not hold; None where all do.
        unlinked: entries that the chain does not hold yet.
    """

    links: int
    head: str
    broken: int | None
    unlinked: int


VERIFIED = "operations.verify_trail"
"""The act of having computed every link anew; its entry says what was found."""


@dataclass(frozen=True)
class ChainState:
    """How far the chain reaches, without computing it anew.

    Attributes:
        links: entries in it.
        head: hash of the last; `START` where there is none.
        unlinked: entries that it does not hold yet.
        verified: the entry of the last verification; None before the first.
    """

    links: int
    head: str
    unlinked: int
    verified: AuditEntry | None


def chain_state(session: Session) -> ChainState:
    """What a page tells of the chain."""
    last = session.scalar(select(AuditLink).order_by(AuditLink.number.desc()).limit(1))
    verified = select(AuditEntry).where(AuditEntry.act == VERIFIED).order_by(AuditEntry.id.desc()).limit(1)
    links, head = (last.number, last.hash) if last else (0, START)
    return ChainState(links, head, _count_unlinked(session), session.scalar(verified))


def link_hash(before: str, entry: AuditEntry) -> str:
    """SHA-256 of the hash before, a line feed, and the entry as JSON: names sorted, no blanks, UTC to the µs."""
    told = {
        "id": entry.id,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "account": entry.account_id,
        "actor": entry.actor_name,
        "role": entry.role,
        "act": entry.act,
        "subject": entry.subject,
        "detail": entry.detail,
    }
    written = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(f"{before}\n{written}".encode()).hexdigest()


def link_up(session: Session) -> str:
    """Take all entries that are not linked yet into the chain.

    Args:
        session: writes; links are made by one at a time.

    Returns:
        the head.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE audit_link IN EXCLUSIVE MODE"))  # SQLite has one writer anyway
    last = session.scalar(select(AuditLink).order_by(AuditLink.number.desc()).limit(1))
    number, head = (last.number, last.hash) if last else (0, START)
    session.flush()
    for entry in session.scalars(_unlinked().order_by(AuditEntry.id)).all():
        number, head = number + 1, link_hash(head, entry)
        session.add(AuditLink(number=number, entry_id=entry.id, hash=head))
    session.flush()
    return head


def look_at_chain(session: Session) -> Chain:
    """Compute every link anew, up to the first that does not hold."""
    links, head = 0, START
    total = session.scalar(select(func.count()).select_from(AuditLink)) or 0
    with session.execute(_linked()) as rows:
        for link, entry in rows:
            if link.number != links + 1 or link_hash(head, entry) != link.hash:
                break
            links, head = link.number, link.hash
    return Chain(links, head, None if total == links else links + 1, _count_unlinked(session))


def _linked() -> Select[AuditLink, AuditEntry]:
    statement = select(AuditLink, AuditEntry).join(AuditEntry, AuditEntry.id == AuditLink.entry_id)
    return statement.order_by(AuditLink.number).execution_options(yield_per=AT_ONCE)


def _unlinked() -> Select[AuditEntry]:
    return (
        select(AuditEntry).outerjoin(AuditLink, AuditLink.entry_id == AuditEntry.id).where(AuditLink.number.is_(None))
    )


def _count_unlinked(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(_unlinked().subquery())) or 0
