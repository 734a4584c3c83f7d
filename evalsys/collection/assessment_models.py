"""What stands beside the ratings of an assessment: site visits, a second signature, and what the record says."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evalsys.accounts.models import Account
from evalsys.base.db import Base, one_of
from evalsys.collection.models import Assessment


class CosigningState(StrEnum):
    ASKED = "asked"
    SIGNED = "signed"
    REFUSED = "refused"


class SiteVisit(Base):
    """A rater's own notes of a visit: when, where, who was met by their function, and what was seen."""

    __tablename__ = "site_visit"
    __table_args__ = (CheckConstraint("number > 0", name="number_positive"),)

    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessment.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    visited_on: Mapped[date | None]
    place: Mapped[str] = mapped_column(String(120), default="")
    met: Mapped[str] = mapped_column(String(120), default="")
    notes: Mapped[str] = mapped_column(Text, default="")

    assessment: Mapped[Assessment] = relationship(back_populates="visits")


class Cosigning(Base):
    """The second signature that an assessment needs by the rules: asked for, given, or refused with a reason.

    While it is asked for, the assessment is a draft that nobody changes.
    """

    __tablename__ = "cosigning"
    __table_args__ = (
        CheckConstraint(one_of("state", CosigningState), name="state_known"),
        CheckConstraint("(state = 'asked') = (account_id IS NULL)", name="answered_by"),
        CheckConstraint("(state = 'asked') = (answered_at IS NULL)", name="answered_when"),
        CheckConstraint("(state = 'refused') = (reason IS NOT NULL)", name="refused_why"),
        CheckConstraint("(state = 'signed') = (declaration IS NOT NULL)", name="signed_what"),
    )

    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessment.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(String(10), default=CosigningState.ASKED.value)
    asked_at: Mapped[datetime]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    answered_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(Text)
    declaration: Mapped[str | None] = mapped_column(Text)

    assessment: Mapped[Assessment] = relationship(back_populates="cosigning")
    account: Mapped[Account | None] = relationship()


class MeasuredValue(Base):
    """What the record says of a measured criterion of an entry, and which document says so. Raters do not change it."""

    __tablename__ = "measured_value"
    __table_args__ = (CheckConstraint("length(source) > 0", name="source_given"),)

    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"), primary_key=True)
    criterion: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[float]
    source: Mapped[str] = mapped_column(String(200))
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str] = mapped_column(String(120))
