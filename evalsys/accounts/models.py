"""Accounts: who may sign in, in which role, for which body, in which branch."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evalsys.base.access import Actor, Role
from evalsys.base.db import Base, one_of
from evalsys.registry.models import EvaluatorBody, Purchaser, Region, Vendor


class Account(Base):
    """A person who signs in. The body's column is filled for the roles that act for a body.

    An interviewer acts for none; `vendor_id` then says which vendor employs the person, if any does.

    `password` is an Argon2id hash; `password_is_temporary` until its owner has chosen an own one.
    `email`: where reminders of overdue work go; empty for nowhere.
    """

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint(one_of("role", Role), name="role_known"),
        CheckConstraint("(role = 'purchaser') = (purchaser_id IS NOT NULL)", name="purchaser_named"),
        CheckConstraint("role = 'interviewer' OR (role = 'vendor') = (vendor_id IS NOT NULL)", name="vendor_named"),
        CheckConstraint("(role = 'evaluator') = (evaluator_body_id IS NOT NULL)", name="evaluator_body_named"),
        CheckConstraint("username = lower(username)", name="username_in_lower_case"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    password: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    password_is_temporary: Mapped[bool] = mapped_column(default=False)
    role: Mapped[str] = mapped_column(String(20))
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"), index=True)
    purchaser_id: Mapped[int | None] = mapped_column(ForeignKey("purchaser.id"))
    vendor_id: Mapped[int | None] = mapped_column(ForeignKey("vendor.id"))
    evaluator_body_id: Mapped[int | None] = mapped_column(ForeignKey("evaluator_body.id"))
    created_at: Mapped[datetime]
    email: Mapped[str] = mapped_column(String(120), default="", server_default="")

    region: Mapped[Region] = relationship()
    purchaser: Mapped[Purchaser | None] = relationship()
    vendor: Mapped[Vendor | None] = relationship()
    evaluator_body: Mapped[EvaluatorBody | None] = relationship()

    @property
    def subject(self) -> str:
        """How the audit trail names the account."""
        return f"account:{self.username}"

    @property
    def body_name(self) -> str:
        """The body the account acts for; empty for the roles that act for none."""
        body = self.purchaser or self.vendor or self.evaluator_body
        return body.name if body else ""

    def as_actor(self) -> Actor:
        """The account as use cases see it."""
        return Actor(
            account_id=self.id,
            name=self.name,
            role=Role(self.role),
            region_path=self.region.path,
            purchaser_id=self.purchaser_id,
            vendor_id=self.vendor_id,
            evaluator_body_id=self.evaluator_body_id,
        )


class SignIn(Base):
    """A browser in which somebody is signed in. It holds the token; here stands its SHA-256."""

    __tablename__ = "sign_in"
    __table_args__ = (CheckConstraint("length(token_hash) = 64", name="token_hash_length"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)

    account: Mapped[Account] = relationship()


class Scope(StrEnum):
    """What a program may read with a token, if its owner may."""

    CYCLES = "read:cycles"
    PROGRESS = "read:progress"
    SCORES = "read:scores"
    CONTRACTS = "read:contracts"


class AccessToken(Base):
    """What a program shows to read in somebody's name. The program holds the token; here stands its SHA-256.

    `region_id`: the branch it reads in, inside its owner's. `scopes`: values of `Scope`, parted by blanks.
    """

    __tablename__ = "access_token"
    __table_args__ = (
        CheckConstraint("length(token_hash) = 64", name="token_hash_length"),
        CheckConstraint("length(name) > 0", name="name_given"),
        CheckConstraint("length(scopes) > 0", name="scope_given"),
        CheckConstraint("expires_at > created_at", name="expires_after_creation"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    region_id: Mapped[int] = mapped_column(ForeignKey("region.id"))
    name: Mapped[str] = mapped_column(String(60))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    last_used_on: Mapped[date | None]

    account: Mapped[Account] = relationship()
    region: Mapped[Region] = relationship()
