"""Batches of messages, and the codes that are kept, locked, for as long as a reminder may need them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evalsys.base.db import Base, one_of
from evalsys.registry.models import Cycle


class MailingKind(StrEnum):
    """What a batch is for, and the kind of its messages; the outbox's `about` is an invitation or an account."""

    INVITATION = "invitation"
    REMINDER = "reminder"
    OVERDUE = "overdue"  # to named raters


class Mailing(Base):
    """A batch of messages that somebody started. `branch`: the path of the region whose people it is for."""

    __tablename__ = "mailing"
    __table_args__ = (CheckConstraint(one_of("kind", MailingKind), name="kind_known"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    branch: Mapped[str] = mapped_column(String(60))
    started_at: Mapped[datetime]
    started_by: Mapped[str] = mapped_column(String(120))

    cycle: Mapped[Cycle] = relationship()


class KeptCode(Base):
    """The code of an invitation that is sent by message, locked with a key outside the database.

    `quiet`: the recipient wants no reminders; then the code is not kept.
    """

    __tablename__ = "kept_code"
    __table_args__ = (CheckConstraint("quiet = (locked IS NULL)", name="quiet_keeps_no_code"),)

    invitation_id: Mapped[int] = mapped_column(ForeignKey("invitation.id", ondelete="CASCADE"), primary_key=True)
    locked: Mapped[bytes | None] = mapped_column(LargeBinary)
    quiet: Mapped[bool] = mapped_column(default=False)
