"""The audit trail: one entry for every act of a signed-in person, written in the act's own transaction.

The table refuses update and delete by trigger. A recipient's submission leaves no entry here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, Session, mapped_column

from evalsys.base.access import Actor
from evalsys.base.db import Base


class AuditEntry(Base):
    """Who did what to which thing, when."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    account_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(20))
    act: Mapped[str] = mapped_column(String(60), index=True)
    subject: Mapped[str] = mapped_column(String(200), index=True)
    detail: Mapped[dict[str, Any]]


def record(
    session: Session, *, actor: Actor, act: str, subject: str, now: datetime, detail: dict[str, Any] | None = None
) -> None:
    """Write an entry.

    Args:
        act: `room.verb`, for example "registry.register_vendor".
        subject: kind and key, for example "vendor:91441802MA4XXXXXXX".
        detail: what changed, JSON; never a recipient's identity or answers.
    """
    session.add(
        AuditEntry(
            at=now,
            account_id=actor.account_id,
            actor_name=actor.name,
            role=actor.role.value,
            act=act,
            subject=subject,
            detail=detail or {},
        )
    )
