"""Samples of recipients: the seed that was fixed, what was drawn by it, and how much of each part of the frame.

Who was drawn stands nowhere: it follows from the seed and the numbers here, see drawing.py.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evalsys.base.db import Base, one_of
from evalsys.collection.drawing import Design, Size
from evalsys.registry.models import Cycle, Entry, Stratum


class SampleSeed(Base):
    """A seed that was fixed for a cycle, for good; the newest is drawn by.

    `source`: where a typed one comes from; empty for one that the system made. `reason`: why there is another after it.
    """

    __tablename__ = "sample_seed"
    __table_args__ = (CheckConstraint("length(seed) > 0", name="seed_given"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), index=True)
    seed: Mapped[str] = mapped_column(String(100))
    source: Mapped[str] = mapped_column(String(200), default="")
    reason: Mapped[str] = mapped_column(String(500), default="")
    fixed_at: Mapped[datetime]
    fixed_by: Mapped[str] = mapped_column(String(120))

    cycle: Mapped[Cycle] = relationship()


class Sample(Base):
    """That the recipients of an entry are asked by sample. One that was withdrawn stays, with the reason."""

    __tablename__ = "sample"
    __table_args__ = (
        CheckConstraint(one_of("design", Design), name="design_known"),
        CheckConstraint("size > 0", name="size_positive"),
        CheckConstraint("least >= 0", name="least_not_negative"),
        CheckConstraint("spare_percent BETWEEN 0 AND 100", name="spare_is_a_share"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawn_because IS NULL)", name="withdrawn_with_a_reason"),
        CheckConstraint("length(withdrawn_because) > 0", name="reason_given"),
        Index(
            "ix_sample_in_force",
            "entry_id",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), index=True)
    seed_id: Mapped[int] = mapped_column(ForeignKey("sample_seed.id"))
    design: Mapped[str] = mapped_column(String(12))
    size: Mapped[int]
    size_is_percent: Mapped[bool]
    least: Mapped[int]
    spare_percent: Mapped[int]
    drawn_at: Mapped[datetime]
    drawn_by: Mapped[str] = mapped_column(String(120))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_because: Mapped[str | None] = mapped_column(String(500))

    entry: Mapped[Entry] = relationship()
    seed: Mapped[SampleSeed] = relationship()
    parts: Mapped[list[SamplePart]] = relationship(back_populates="sample", cascade="all, delete-orphan")

    @property
    def wanted(self) -> Size:
        """How many were to be drawn."""
        return Size(self.size, self.size_is_percent)


class SamplePart(Base):
    """A part of the frame in a sample: its recipients then, how many are drawn, in reserve, and released of these."""

    __tablename__ = "sample_part"
    __table_args__ = (
        CheckConstraint("drawn >= 0", name="drawn_not_negative"),
        CheckConstraint("spare >= 0", name="spare_not_negative"),
        CheckConstraint("drawn + spare <= frame", name="no_more_than_the_frame"),
        CheckConstraint("released BETWEEN 0 AND spare", name="released_are_spare"),
    )

    sample_id: Mapped[int] = mapped_column(ForeignKey("sample.id", ondelete="CASCADE"), primary_key=True)
    stratum_id: Mapped[int] = mapped_column(ForeignKey("stratum.id", ondelete="CASCADE"), primary_key=True, index=True)
    frame: Mapped[int]
    drawn: Mapped[int]
    spare: Mapped[int]
    released: Mapped[int] = mapped_column(default=0)

    sample: Mapped[Sample] = relationship(back_populates="parts")
    stratum: Mapped[Stratum] = relationship()
