"""Editions: what was published, word for word, and sealed; a trigger refuses to change or delete any of it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evalsys.base.db import Base, one_of
from evalsys.evaluation.models import Run
from evalsys.publication.bundle.signature import Signature
from evalsys.registry.models import Cycle


class Edition(Base):
    """A published result of a cycle. A correction is a new edition with the next number; the old one stays."""

    __tablename__ = "edition"
    __table_args__ = (
        UniqueConstraint("cycle_id", "number"),
        CheckConstraint("number >= 1", name="number_from_one"),
        CheckConstraint("number = 1 OR length(reason) > 0", name="correction_has_reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"))
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), unique=True)
    number: Mapped[int]
    published_at: Mapped[datetime]
    published_by: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(Text, default="")  # why a correction was made
    changes: Mapped[list[Any]]  # what differs from the edition before, one item a contract

    cycle: Mapped[Cycle] = relationship()
    run: Mapped[Run] = relationship()
    withdrawal: Mapped[Withdrawal | None] = relationship(
        primaryjoin="and_(Withdrawal.edition_id == Edition.id, Withdrawal.state == 'confirmed')",
        viewonly=True,
    )


class EditionScore(Base):
    """One line of an edition, with the names as they stood on the day of publication."""

    __tablename__ = "edition_score"
    __table_args__ = (
        UniqueConstraint("edition_id", "contract_reference"),
        # what readers choose and sort by, so that no choice has to read the long breakdowns
        Index(
            "ix_edition_score_choices",
            *("edition_id", "peer_group", "service_type", "region_path", "grade", "recipients_served", "rank", "score"),
        ),
        Index("ix_edition_score_vendors", "edition_id", "vendor_credit_code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"))
    contract_reference: Mapped[str] = mapped_column(String(40), index=True)
    contract_title: Mapped[str] = mapped_column(String(200))
    vendor_credit_code: Mapped[str] = mapped_column(String(18), index=True)
    vendor_name: Mapped[str] = mapped_column(String(120))
    purchaser_name: Mapped[str] = mapped_column(String(120))
    region_path: Mapped[str] = mapped_column(String(60))
    region_name: Mapped[str] = mapped_column(String(60))
    service_type: Mapped[str] = mapped_column(String(40))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    recipients_served: Mapped[int]
    peer_group: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(12))
    score: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    grade: Mapped[str | None] = mapped_column(String(40))
    rank: Mapped[int | None]
    rank_low: Mapped[int | None]  # the set of ranks it may have, and its band; None without a score or the step
    rank_high: Mapped[int | None]
    band: Mapped[int | None]
    shrunk: Mapped[float | None]  # drawn towards its peers; what past performance reads
    shrunk_sd: Mapped[float | None]
    breakdown: Mapped[dict[str, Any]]

    edition: Mapped[Edition] = relationship()


class EditionRecord(Base):
    """The seal of an edition: its statement, edition.json, with its signatures, and the bundle that they hold.

    `signatures`: as in signatures.json. `hash`: SHA-256 of the statement; the next edition of the cycle names it.
    `root`, `leaves`: of the tree of received answers. `bundle`: the zip file; it alone may be taken away, and only
    where the edition was withdrawn.
    """

    __tablename__ = "edition_record"
    __table_args__ = (
        CheckConstraint("length(hash) = 64", name="hash_length"),
        CheckConstraint("length(root) = 64", name="root_length"),
        CheckConstraint("leaves >= 0", name="leaves_not_negative"),
    )

    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"), primary_key=True)
    statement: Mapped[bytes] = mapped_column(LargeBinary)
    signatures: Mapped[list[Any]]
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    root: Mapped[str] = mapped_column(String(64))
    leaves: Mapped[int]
    bundle: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)

    edition: Mapped[Edition] = relationship()

    @property
    def fingerprints(self) -> list[str]:
        """Of the keys it was signed with."""
        return [Signature(**row).fingerprint for row in self.signatures]


class PublicKey(Base):
    """A key that editions are signed with; its private half lies in the instance folder. Several may be in use."""

    __tablename__ = "public_key"
    __table_args__ = (CheckConstraint("length(key) = 44", name="key_length"),)

    fingerprint: Mapped[str] = mapped_column(String(19), primary_key=True)
    key: Mapped[str] = mapped_column(String(44), unique=True)
    made_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class OrderedBy(StrEnum):
    """Who may order that an edition is withdrawn."""

    COURT = "court"
    SUPERIOR = "superior"


class WithdrawalState(StrEnum):
    """How far a withdrawal is."""

    ENTERED = "entered"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class Withdrawal(Base):
    """An order to take an edition back, entered by one person and confirmed or refused by another.

    Once confirmed the edition's numbers are shown nowhere; its lines stay for the court. `leaves`: the lines of
    leaves.txt, for the next edition's tree goes on from them and receipts are proven by them. A trigger refuses to
    change the order, and anything once it is decided.
    """

    __tablename__ = "withdrawal"
    __table_args__ = (
        CheckConstraint(one_of("ordered_by", OrderedBy), name="ordered_by_known"),
        CheckConstraint(one_of("state", WithdrawalState), name="state_known"),
        CheckConstraint("length(ground) > 0", name="ground_given"),
        CheckConstraint("(state = 'entered') = (decided_by_id IS NULL)", name="decided_by_somebody"),
        CheckConstraint("(decided_by_id IS NULL) = (decided_at IS NULL)", name="decided_at_some_time"),
        CheckConstraint("decided_by_id <> entered_by_id", name="decided_by_another"),
        CheckConstraint("state <> 'refused' OR length(why_refused) > 0", name="refusal_has_reason"),
        Index(
            "uq_withdrawal_edition_id",
            "edition_id",
            unique=True,
            sqlite_where=text("state <> 'refused'"),
            postgresql_where=text("state <> 'refused'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"))
    ordered_by: Mapped[str] = mapped_column(String(10))
    authority: Mapped[str] = mapped_column(String(120))
    document: Mapped[str] = mapped_column(String(80))
    ordered_on: Mapped[date]
    ground: Mapped[str] = mapped_column(Text)
    entered_at: Mapped[datetime]
    entered_by: Mapped[str] = mapped_column(String(120))
    entered_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    state: Mapped[str] = mapped_column(String(10), default=WithdrawalState.ENTERED)
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(String(120), default="")
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    why_refused: Mapped[str] = mapped_column(Text, default="")
    leaves: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)

    edition: Mapped[Edition] = relationship()
