"""What evaluators, and their organisations, declare of their ties to those they may have to assess."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evalsys.accounts.models import Account
from evalsys.base.db import Base, one_of
from evalsys.registry.models import Cycle, EvaluatorBody, Purchaser, Vendor


class TieKind(StrEnum):
    """What the tie is."""

    EMPLOYMENT = "employment"
    SHARES = "shares"
    SERVICE_CONTRACT = "service_contract"
    KINSHIP = "kinship"
    OTHER = "other"


class InterestDeclaration(Base):
    """What one evaluator, or an administrator for an organisation, signed for a cycle.

    A change is a new row with the next number; the one with the highest number is in force. `words`: the whole text as
    it was signed, in the language it was signed in.
    """

    __tablename__ = "interest_declaration"
    __table_args__ = (
        UniqueConstraint("cycle_id", "account_id", "number"),
        UniqueConstraint("cycle_id", "body_id", "number"),
        CheckConstraint("(account_id IS NULL) = (body_id IS NOT NULL)", name="person_or_body"),
        CheckConstraint("number > 0", name="number_positive"),
        CheckConstraint("length(words) > 0", name="words_given"),
        CheckConstraint("length(signed_by) > 0", name="signer_named"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    body_id: Mapped[int | None] = mapped_column(ForeignKey("evaluator_body.id"), index=True)
    number: Mapped[int]
    words: Mapped[str] = mapped_column(Text)
    signed_by: Mapped[str] = mapped_column(String(60))
    signed_at: Mapped[datetime]

    cycle: Mapped[Cycle] = relationship()
    account: Mapped[Account | None] = relationship()
    body: Mapped[EvaluatorBody | None] = relationship()
    ties: Mapped[list[InterestTie]] = relationship(
        back_populates="declaration", cascade="all, delete-orphan", order_by="InterestTie.id"
    )

    @property
    def organisation_id(self) -> int | None:
        """The evaluators' body that signed, or that the evaluator is of."""
        return self.account.evaluator_body_id if self.account else self.body_id


class InterestTie(Base):
    """A tie to a vendor or to a purchaser; `of_body`: of the whole organisation, so that it binds every colleague."""

    __tablename__ = "interest_tie"
    __table_args__ = (
        CheckConstraint("(vendor_id IS NULL) = (purchaser_id IS NOT NULL)", name="vendor_or_purchaser"),
        CheckConstraint("ended_on IS NULL OR ended_on >= started_on", name="ends_after_start"),
        CheckConstraint(one_of("kind", TieKind), name="kind_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    declaration_id: Mapped[int] = mapped_column(ForeignKey("interest_declaration.id", ondelete="CASCADE"), index=True)
    vendor_id: Mapped[int | None] = mapped_column(ForeignKey("vendor.id"), index=True)
    purchaser_id: Mapped[int | None] = mapped_column(ForeignKey("purchaser.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    of_body: Mapped[bool]
    started_on: Mapped[date]
    ended_on: Mapped[date | None]
    note: Mapped[str] = mapped_column(String(200), default="")

    declaration: Mapped[InterestDeclaration] = relationship(back_populates="ties")
    vendor: Mapped[Vendor | None] = relationship()
    purchaser: Mapped[Purchaser | None] = relationship()

    @property
    def body_name(self) -> str:
        """The name of the vendor or purchaser."""
        body = self.vendor or self.purchaser
        return body.name if body else ""
