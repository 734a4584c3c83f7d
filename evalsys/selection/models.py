"""Plans for next year's lots, their candidates, and the decision a person made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evalsys.base.db import Base
from evalsys.registry.models import Purchaser, Region, RulesVersion, Vendor


class Plan(Base):
    """How one lot is to be chosen. `use` is a code of the rules' `selection.uses`; weights are shares summing to 1.

    `reference_fen` is the price that earns all points, fixed before any offer is entered; None where the law prescribes
    the lowest offer instead, or where the price weighs nothing.
    """

    __tablename__ = "selection_plan"
    __table_args__ = (
        CheckConstraint(
            "weight_technical >= 0 AND weight_price >= 0 AND weight_past >= 0", name="weights_not_negative"
        ),
        CheckConstraint("abs(weight_technical + weight_price + weight_past - 1) < 0.000001", name="weights_sum_to_one"),
        CheckConstraint("reference_fen > 0", name="reference_above_zero"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    year: Mapped[int]
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    purchaser_id: Mapped[int] = mapped_column(ForeignKey("purchaser.id"))
    service_type: Mapped[str] = mapped_column(String(40))
    use: Mapped[str] = mapped_column(String(40))
    rules_id: Mapped[int] = mapped_column(ForeignKey("rules_version.id"))
    weight_technical: Mapped[float]
    weight_price: Mapped[float]
    weight_past: Mapped[float]
    reference_fen: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(120))

    region: Mapped[Region] = relationship()
    purchaser: Mapped[Purchaser] = relationship()
    rules: Mapped[RulesVersion] = relationship()
    candidates: Mapped[list[Candidate]] = relationship(back_populates="plan", cascade="all, delete-orphan")
    decision: Mapped[Decision | None] = relationship(back_populates="plan")


class Candidate(Base):
    """A vendor considered in a plan, with its technical points (0 to 100) and its offer; None: not entered yet."""

    __tablename__ = "selection_candidate"
    __table_args__ = (
        UniqueConstraint("plan_id", "vendor_id"),
        CheckConstraint("technical IS NULL OR (technical >= 0 AND technical <= 100)", name="technical_in_range"),
        CheckConstraint("offer_fen > 0", name="offer_above_zero"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("selection_plan.id"))
    vendor_id: Mapped[int] = mapped_column(ForeignKey("vendor.id"), index=True)
    technical: Mapped[float | None]
    offer_fen: Mapped[int | None] = mapped_column(BigInteger)

    plan: Mapped[Plan] = relationship(back_populates="candidates")
    vendor: Mapped[Vendor] = relationship()


class Decision(Base):
    """Who was chosen, by whom, on which ground, and the sheet as it stood. Refuses update and delete by trigger."""

    __tablename__ = "selection_decision"
    __table_args__ = (CheckConstraint("length(ground) >= 10", name="ground_given"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("selection_plan.id"), unique=True)
    vendor_id: Mapped[int] = mapped_column(ForeignKey("vendor.id"))
    ground: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime]
    decided_by: Mapped[str] = mapped_column(String(120))
    sheet: Mapped[dict[str, Any]]

    plan: Mapped[Plan] = relationship(back_populates="decision")
    vendor: Mapped[Vendor] = relationship()
