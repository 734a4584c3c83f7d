"""Forms on paper: which were printed, and the staging in which they are keyed until their answers are released.

A form's serial has nothing to do with any invitation. What was keyed, by whom and in which order stands here only
until the release, which erases it; a batch then keeps its counts.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evalsys.accounts.models import Account
from evalsys.base.db import Base, one_of
from evalsys.registry.models import Cycle, Region, Stratum


class BatchState(StrEnum):
    """`keying`: forms come in; `checking`: some are keyed a second time; `released`: only counts are left."""

    KEYING = "keying"
    CHECKING = "checking"
    RELEASED = "released"


class PaperForm(Base):
    """A printed form, known by the keyed hash of its serial. `released`: its answers count, and it never can again."""

    __tablename__ = "paper_form"
    __table_args__ = (CheckConstraint("length(serial_hmac) = 32", name="serial_length"), {"sqlite_with_rowid": False})

    serial_hmac: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    stratum_id: Mapped[int] = mapped_column(ForeignKey("stratum.id"), index=True)
    released: Mapped[bool] = mapped_column(default=False)

    stratum: Mapped[Stratum] = relationship()


class PaperBatch(Base):
    """Forms that are keyed and released together.

    Attributes:
        share: of the forms, how many are keyed twice.
        forms, twice, compared, differing: counts, 0 until the release: forms; those keyed twice; their answers, and how
            many of these two people keyed differently.
    """

    __tablename__ = "paper_batch"
    __table_args__ = (
        CheckConstraint(one_of("state", BatchState), name="state_known"),
        CheckConstraint("share >= 0.1 AND share <= 1", name="share_of_some"),
        CheckConstraint("(state = 'released') = (released_at IS NOT NULL)", name="released_when"),
        CheckConstraint("(released_at IS NULL) = (released_by IS NULL)", name="released_by_whom"),
        CheckConstraint("twice <= forms AND differing <= compared", name="parts_of_wholes"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), index=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    state: Mapped[str] = mapped_column(String(10), default=BatchState.KEYING.value)
    share: Mapped[float]
    opened_at: Mapped[datetime]
    opened_by: Mapped[str] = mapped_column(String(120))
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None] = mapped_column(String(120))
    forms: Mapped[int] = mapped_column(default=0)
    twice: Mapped[int] = mapped_column(default=0)
    compared: Mapped[int] = mapped_column(default=0)
    differing: Mapped[int] = mapped_column(default=0)

    cycle: Mapped[Cycle] = relationship()
    region: Mapped[Region] = relationship()


class PaperSheet(Base):
    """A form in a batch that is not released. `number`: its place in the pile; `twice`: whether it is keyed twice."""

    __tablename__ = "paper_sheet"
    __table_args__ = (
        UniqueConstraint("batch_id", "number"),
        CheckConstraint("number > 0", name="number_positive"),
        {"sqlite_with_rowid": False, "info": {"mixed": "twice TYPE boolean USING twice IS TRUE"}},
    )

    serial_hmac: Mapped[bytes] = mapped_column(LargeBinary(32), ForeignKey("paper_form.serial_hmac"), primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("paper_batch.id", ondelete="CASCADE"))
    number: Mapped[int]
    twice: Mapped[bool] = mapped_column(default=False)

    form: Mapped[PaperForm] = relationship()
    batch: Mapped[PaperBatch] = relationship()
    keyings: Mapped[list[PaperKeying]] = relationship(
        back_populates="sheet", cascade="all, delete-orphan", order_by="PaperKeying.turn"
    )


class PaperKeying(Base):
    """What somebody read off a form: 1 the first time, 2 the second, 3 what the paper really says where they differ.

    `answers`: level by criterion, null for "not applicable"; what is empty on the paper is absent.
    """

    __tablename__ = "paper_keying"
    __table_args__ = (
        CheckConstraint("turn IN (1, 2, 3)", name="turn_known"),
        {"sqlite_with_rowid": False, "info": {"mixed": "turn TYPE integer USING turn + 0"}},
    )

    serial_hmac: Mapped[bytes] = mapped_column(
        LargeBinary(32), ForeignKey("paper_sheet.serial_hmac", ondelete="CASCADE"), primary_key=True
    )
    turn: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    answers: Mapped[dict[str, Any]]

    sheet: Mapped[PaperSheet] = relationship(back_populates="keyings")
    account: Mapped[Account] = relationship()
