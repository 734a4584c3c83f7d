"""Runs of the scoring core and the scores they gave, with everything a recomputation needs; flags on ratings."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evalsys.base.db import Base, one_of
from evalsys.collection.models import Assessment, Response
from evalsys.registry.models import Cycle, Entry, RulesVersion


class Run(Base):
    """One scoring of a cycle. `inputs_hash`: SHA-256 of the arrays that step 0 handed over."""

    __tablename__ = "run"
    __table_args__ = (CheckConstraint("length(inputs_hash) = 64", name="inputs_hash_length"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), index=True)
    rules_id: Mapped[int] = mapped_column(ForeignKey("rules_version.id"))
    seed: Mapped[int] = mapped_column(BigInteger)
    code_version: Mapped[str] = mapped_column(String(40))
    inputs_hash: Mapped[str] = mapped_column(String(64))
    pooled: Mapped[dict[str, Any]]  # terms fitted once for the cycle; a correction reuses them
    analyses: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # of the whole cycle, by step
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(String(120))

    cycle: Mapped[Cycle] = relationship()
    rules: Mapped[RulesVersion] = relationship()
    scores: Mapped[list[Score]] = relationship(back_populates="run", cascade="all, delete-orphan", order_by="Score.id")


class Score(Base):
    """What a run says of one entry. `breakdown` holds cells, contributions, cuts, chances of grades and reasons."""

    __tablename__ = "score"
    __table_args__ = (
        UniqueConstraint("run_id", "entry_id"),
        CheckConstraint("score IS NULL OR (score >= 0 AND score <= 100)", name="score_in_range"),
        CheckConstraint("status IN ('rated', 'provisional', 'withheld')", name="status_known"),
        CheckConstraint("(status = 'withheld') = (score IS NULL)", name="withheld_has_no_score"),
        CheckConstraint("(score IS NULL) = (rank IS NULL)", name="rank_with_score"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"), index=True)
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

    run: Mapped[Run] = relationship(back_populates="scores")
    entry: Mapped[Entry] = relationship()


class FlagState(StrEnum):
    """What a person has decided about a flag."""

    OPEN = "open"
    HELD = "held"
    RELEASED = "released"


class IntegrityFlag(Base):
    """Signs that a rating was not given with care, and what a person decided about it.

    With neither key nor id it is about an entry's ratings as a whole. `codes`: the signs' codes with blanks around;
    `weight`: how many they are.
    """

    __tablename__ = "integrity_flag"
    __table_args__ = (
        UniqueConstraint("response_key"),
        UniqueConstraint("assessment_id"),
        CheckConstraint(one_of("state", FlagState), name="state_known"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided_when"),
        CheckConstraint("(state = 'open') = (decided_by IS NULL)", name="decided_by_whom"),
        CheckConstraint("state = 'open' OR length(reason) > 0", name="reason_given"),
        CheckConstraint("response_key IS NULL OR assessment_id IS NULL", name="one_rating_at_most"),
        CheckConstraint(
            "state <> 'held' OR response_key IS NOT NULL OR assessment_id IS NOT NULL", name="only_a_rating_is_held"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"), index=True)
    response_key: Mapped[bytes | None] = mapped_column(LargeBinary(16), ForeignKey("response.key", ondelete="CASCADE"))
    assessment_id: Mapped[int | None] = mapped_column(ForeignKey("assessment.id", ondelete="CASCADE"))
    signs: Mapped[list[Any]]
    codes: Mapped[str] = mapped_column(String(200))
    weight: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default=FlagState.OPEN.value)
    reason: Mapped[str] = mapped_column(String(500), default="")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(120))

    entry: Mapped[Entry] = relationship()
    response: Mapped[Response | None] = relationship()
    assessment: Mapped[Assessment | None] = relationship()


class KeptSums(Base):
    """What step 0 found of an entry, to be read instead of its ratings while `made_from` still holds; derived."""

    __tablename__ = "kept_sums"

    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), primary_key=True)
    made_from: Mapped[str] = mapped_column(String(64))
    levels: Mapped[bytes]
    moments: Mapped[bytes]
    judged: Mapped[bytes]


class EarlyCheck(Base):
    """What signs an entry's answers showed while they came in: how many answers there were, and of them by sign."""

    __tablename__ = "early_check"
    __table_args__ = (CheckConstraint("answers >= 5", name="enough_answers"),)

    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id", ondelete="CASCADE"), primary_key=True)
    answers: Mapped[int]
    signs: Mapped[dict[str, Any]]
