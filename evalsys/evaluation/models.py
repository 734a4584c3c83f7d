"""Runs of the scoring core and the scores they gave, with everything a recomputation needs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evalsys.base.db import Base
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
