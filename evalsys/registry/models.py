"""Regions, the bodies that act in them, contracts, cycles and recipient frames."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evalsys.base.db import Base, one_of


class RegionLevel(StrEnum):
    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"


class ProcurementMethod(StrEnum):
    """三(二)3 of the source: how a service is bought."""

    OPEN_TENDER = "open_tender"
    INVITED_TENDER = "invited_tender"
    COMPETITIVE_NEGOTIATION = "competitive_negotiation"
    COMPETITIVE_CONSULTATION = "competitive_consultation"
    SINGLE_SOURCE = "single_source"
    OTHER = "other"


class CycleState(StrEnum):
    """`cycles.TRANSITIONS` says which follows which."""

    DRAFT = "draft"
    COLLECTING = "collecting"
    REVIEW = "review"
    PRELIMINARY = "preliminary"
    PUBLISHED = "published"
    CLOSED = "closed"


class Region(Base):
    """A node of the tree city, county, township.

    `path` is the codes from the root down, each followed by a slash ("4418/441802/"), so that a branch is a prefix.
    """

    __tablename__ = "region"
    __table_args__ = (
        CheckConstraint(one_of("level", RegionLevel), name="level_known"),
        CheckConstraint("(parent_id IS NULL) = (level = 'city')", name="only_a_city_is_a_root"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(12), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    level: Mapped[str] = mapped_column(String(10))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("region.id"), index=True)
    path: Mapped[str] = mapped_column(String(60), unique=True)

    parent: Mapped[Region | None] = relationship(remote_side=[id])


class Purchaser(Base):
    """A department that buys and accepts services."""

    __tablename__ = "purchaser"
    __table_args__ = (UniqueConstraint("region_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)

    region: Mapped[Region] = relationship()


class Vendor(Base):
    """An organisation that provides services, known by its 统一社会信用代码 (GB 32100)."""

    __tablename__ = "vendor"
    __table_args__ = (CheckConstraint("length(credit_code) = 18", name="credit_code_length"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    credit_code: Mapped[str] = mapped_column(String(18), unique=True)
    name: Mapped[str] = mapped_column(String(120), index=True)
    address: Mapped[str] = mapped_column(String(200), default="")
    contact: Mapped[str] = mapped_column(String(60), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")


class EvaluatorBody(Base):
    """An independent organisation whose people assess contracts."""

    __tablename__ = "evaluator_body"
    __table_args__ = (CheckConstraint("length(credit_code) = 18", name="credit_code_length"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    credit_code: Mapped[str] = mapped_column(String(18), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)

    region: Mapped[Region] = relationship()


class Contract(Base):
    """What one vendor does for one purchaser. Money in fen, so that sums are exact."""

    __tablename__ = "contract"
    __table_args__ = (
        CheckConstraint("ends_on > starts_on", name="ends_after_start"),
        CheckConstraint("amount_fen >= 0", name="amount_not_negative"),
        CheckConstraint("recipients_served >= 0", name="served_not_negative"),
        CheckConstraint(one_of("procurement_method", ProcurementMethod), name="procurement_method_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    vendor_id: Mapped[int] = mapped_column(ForeignKey("vendor.id"), index=True)
    purchaser_id: Mapped[int] = mapped_column(ForeignKey("purchaser.id"), index=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    service_type: Mapped[str] = mapped_column(String(40), index=True)
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    procurement_method: Mapped[str] = mapped_column(String(30))
    recipients_served: Mapped[int]

    vendor: Mapped[Vendor] = relationship()
    purchaser: Mapped[Purchaser] = relationship()
    region: Mapped[Region] = relationship()


class RulesVersion(Base):
    """A rules file as it was read, known by its content hash; never changed."""

    __tablename__ = "rules_version"
    __table_args__ = (CheckConstraint("length(hash) = 64", name="hash_length"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    text: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime]


class Cycle(Base):
    """One year of evaluation in one region's branch.

    Attributes:
        rules_id: the version in force; `RulesPin` is its history.
        collected_until: when collecting ended; None while it has not, and where nobody noted it.
    """

    __tablename__ = "cycle"
    __table_args__ = (
        CheckConstraint(one_of("state", CycleState), name="state_known"),
        CheckConstraint("closes_on >= opens_on", name="closes_after_opening"),
        CheckConstraint("state = 'draft' OR rules_id IS NOT NULL", name="rules_pinned_when_open"),
        CheckConstraint("collected_until IS NULL OR state NOT IN ('draft', 'collecting')", name="collected_when_over"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    title: Mapped[str] = mapped_column(String(120))
    year: Mapped[int]
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    state: Mapped[str] = mapped_column(String(12), default=CycleState.DRAFT.value)
    opens_on: Mapped[date]
    closes_on: Mapped[date]
    rules_id: Mapped[int | None] = mapped_column(ForeignKey("rules_version.id"))
    simulated: Mapped[bool] = mapped_column(default=False)
    collected_until: Mapped[datetime | None]

    region: Mapped[Region] = relationship()
    rules: Mapped[RulesVersion | None] = relationship()


class RulesPin(Base):
    """That a cycle took a rules version, when, by whom and why."""

    __tablename__ = "rules_pin"
    __table_args__ = (CheckConstraint("length(reason) > 0", name="reason_given"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), index=True)
    rules_id: Mapped[int] = mapped_column(ForeignKey("rules_version.id"))
    reason: Mapped[str] = mapped_column(String(500))
    pinned_at: Mapped[datetime]
    pinned_by: Mapped[str] = mapped_column(String(120))

    rules: Mapped[RulesVersion] = relationship()


class Entry(Base):
    """A contract entered into a cycle: the thing that is rated and scored."""

    __tablename__ = "entry"
    __table_args__ = (UniqueConstraint("cycle_id", "contract_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"))
    contract_id: Mapped[int] = mapped_column(ForeignKey("contract.id"), index=True)

    cycle: Mapped[Cycle] = relationship()
    contract: Mapped[Contract] = relationship()


class Stratum(Base):
    """A part of an entry's recipient frame (township and service item) and how many recipients are in it."""

    __tablename__ = "stratum"
    __table_args__ = (
        UniqueConstraint("entry_id", "township", "item"),
        CheckConstraint("size >= 0", name="size_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    township: Mapped[str] = mapped_column(String(60), default="")
    item: Mapped[str] = mapped_column(String(60), default="")
    size: Mapped[int]

    entry: Mapped[Entry] = relationship()


class RosterMember(Base):
    """A recipient by name, where a roster is used; deleted when the cycle is done."""

    __tablename__ = "roster_member"
    __table_args__ = (UniqueConstraint("stratum_id", "name", "contact"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    stratum_id: Mapped[int] = mapped_column(ForeignKey("stratum.id"))
    name: Mapped[str] = mapped_column(String(60))
    contact: Mapped[str] = mapped_column(String(120), default="")

    stratum: Mapped[Stratum] = relationship()
