"""Which interviewer worked at which case, and what the recipients say about it when they are asked again.

A case stands here under a keyed hash of its number, whose key is outside the database: a copy of the database does not
tell whom anybody visited. There is no time, no mode and no answer.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evalsys.accounts.models import Account
from evalsys.base.db import Base, one_of
from evalsys.registry.models import Cycle

LEAST_SHARE = 0.3
"""Of each interviewer's interviews that are checked again at least; field practice."""


class Result(StrEnum):
    """What asking again came to."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    UNREACHABLE = "unreachable"


class How(StrEnum):
    """How the recipient says the interview took place."""

    IN_PERSON = "in_person"
    TELEPHONE = "telephone"


class WithWhom(StrEnum):
    """Who answered, as the recipient says."""

    RECIPIENT = "recipient"
    RELATIVE = "relative"
    OTHER = "other"


class Lasted(StrEnum):
    """How long it took, as the recipient says."""

    UNDER_5 = "under_5"
    FROM_5_TO_15 = "from_5_to_15"
    OVER_15 = "over_15"
    UNKNOWN = "unknown"


class Suggested(StrEnum):
    """Whether the interviewer suggested what to answer."""

    NO = "no"
    YES = "yes"
    UNKNOWN = "unknown"


class Interview(Base):
    """That an interviewer worked at a case last: took its answer down, or said why there is none."""

    __tablename__ = "interview"
    __table_args__ = (
        CheckConstraint("length(mark) = 32", name="mark_length"),
        {"sqlite_with_rowid": False, "info": {"mixed": "mark TYPE bytea USING mark || ''::bytea"}},
    )

    mark: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)


class RecheckDraw(Base):
    """A draw of interviews to ask about again. `cases`: how many it added."""

    __tablename__ = "recheck_draw"
    __table_args__ = (
        CheckConstraint(f"share >= {LEAST_SHARE} AND share <= 1", name="share_large_enough"),
        CheckConstraint("length(seed) > 0", name="seed_given"),
        CheckConstraint("cases > 0", name="cases_positive"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), index=True)
    seed: Mapped[str] = mapped_column(String(80))
    share: Mapped[float]
    cases: Mapped[int]
    drawn_by: Mapped[str] = mapped_column(String(120))

    cycle: Mapped[Cycle] = relationship()


class Recheck(Base):
    """A case that is asked about again by somebody else than its interviewer, and what came of it."""

    __tablename__ = "recheck"
    __table_args__ = (
        CheckConstraint("length(mark) = 32", name="mark_length"),
        CheckConstraint(one_of("result", Result), name="result_known"),
        CheckConstraint(one_of("how", How), name="how_known"),
        CheckConstraint(one_of("with_whom", WithWhom), name="with_whom_known"),
        CheckConstraint(one_of("lasted", Lasted), name="lasted_known"),
        CheckConstraint(one_of("suggested", Suggested), name="suggested_known"),
        CheckConstraint("checked_by_id <> account_id", name="checked_by_another"),
        CheckConstraint("(result IS NULL) = (checked_by_id IS NULL)", name="checked_by_whom"),
        CheckConstraint("(coalesce(result, '') = 'confirmed') = (how IS NOT NULL)", name="how_when_confirmed"),
        CheckConstraint("(how IS NULL) = (with_whom IS NULL)", name="with_whom_when_confirmed"),
        CheckConstraint("(how IS NULL) = (lasted IS NULL)", name="lasted_when_confirmed"),
        CheckConstraint("(how IS NULL) = (suggested IS NULL)", name="suggested_when_confirmed"),
        {"sqlite_with_rowid": False},
    )

    mark: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    draw_id: Mapped[int] = mapped_column(ForeignKey("recheck_draw.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    result: Mapped[str | None] = mapped_column(String(15))
    how: Mapped[str | None] = mapped_column(String(10))
    with_whom: Mapped[str | None] = mapped_column(String(10))
    lasted: Mapped[str | None] = mapped_column(String(15))
    suggested: Mapped[str | None] = mapped_column(String(10))
    checked_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)

    draw: Mapped[RecheckDraw] = relationship()
    account: Mapped[Account] = relationship(foreign_keys=[account_id])
