"""Notices of preliminary results, objections, replies, rectifications, and the files that belong to them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
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
from evalsys.publication.models import Edition
from evalsys.registry.models import Cycle, Entry, Vendor


class Ground(StrEnum):
    """What an objection may rest on."""

    CALCULATION = "calculation"  # the numbers do not follow from the rules
    RECORD = "record"  # a fact that was rated or measured is wrong
    RATING = "rating"  # ratings that were not given freely or by those entitled to
    TIE = "tie"  # somebody rated who should have stood aside
    PROCEDURE = "procedure"  # a step of the procedure was left out
    OTHER = "other"


class ObjectionState(StrEnum):
    FILED = "filed"
    ACCEPTED = "accepted"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"  # by the vendor


OPEN = (ObjectionState.FILED, ObjectionState.ACCEPTED)


class Outcome(StrEnum):
    UPHELD = "upheld"  # examined, and the result stands
    CORRECTED = "corrected"  # the result was scored anew
    REJECTED = "rejected"  # not examined: late, or nothing that could be examined


class ReplyState(StrEnum):
    SUBMITTED = "submitted"
    RETURNED = "returned"  # to the vendor, with a reason
    PUBLISHED = "published"


class RectificationState(StrEnum):
    OPEN = "open"
    REPORTED = "reported"  # the vendor says it is done
    DONE = "done"  # checked and found so


class Better(StrEnum):
    """What a recipient says of a service after its rectification."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    UNKNOWN = "unknown"


class PreliminaryNotice(Base):
    """That vendors were told a run's result and may object to it from then on.

    The days are kept, not their end: it follows from the calendar of working days, which may still be announced.
    """

    __tablename__ = "preliminary_notice"
    __table_args__ = (CheckConstraint("working_days >= 0", name="working_days_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"), index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), unique=True)
    working_days: Mapped[int]
    issued_at: Mapped[datetime]
    issued_by: Mapped[str] = mapped_column(String(120))

    cycle: Mapped[Cycle] = relationship()
    run: Mapped[Run] = relationship()


class NoticeReading(Base):
    """When a vendor first read a notice: what shows that it was told."""

    __tablename__ = "notice_reading"

    notice_id: Mapped[int] = mapped_column(ForeignKey("preliminary_notice.id"), primary_key=True)
    vendor_id: Mapped[int] = mapped_column(ForeignKey("vendor.id"), primary_key=True)
    read_at: Mapped[datetime]
    read_by: Mapped[str] = mapped_column(String(120))


class NoticeLetter(Base):
    """A sealed letter by which a vendor without an account reads its result and answers it.

    `code_hash`: keyed hash of the code in the letter. A new letter makes the code of the one before it worthless.
    """

    __tablename__ = "notice_letter"
    __table_args__ = (UniqueConstraint("cycle_id", "vendor_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"))
    vendor_id: Mapped[int] = mapped_column(ForeignKey("vendor.id"), index=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    made_at: Mapped[datetime]
    made_by: Mapped[str] = mapped_column(String(120))

    cycle: Mapped[Cycle] = relationship()
    vendor: Mapped[Vendor] = relationship()


class Objection(Base):
    """A vendor's request to examine one contract's result once more.

    Attributes:
        number: as the receipt names it.
        level: 1 within the cycle's own branch, 2 with the region above, after `first` was decided.
        run_id: whose result it objects to.
        new_run_id, change: with a correction, the run that put it right and what differs, as JSON.
    """

    __tablename__ = "objection"
    __table_args__ = (
        CheckConstraint(one_of("ground", Ground), name="ground_known"),
        CheckConstraint(one_of("state", ObjectionState), name="state_known"),
        CheckConstraint("level IN (1, 2)", name="level_known"),
        CheckConstraint("(level = 2) = (first_id IS NOT NULL)", name="second_level_follows_a_first"),
        CheckConstraint("length(statement) BETWEEN 10 AND 3000", name="statement_length"),
        CheckConstraint("state <> 'accepted' OR accepted_at IS NOT NULL", name="accepted_at_known"),
        CheckConstraint("(extended_at IS NULL) = (length(extension_reason) = 0)", name="extension_has_reason"),
        CheckConstraint(
            "(state = 'decided') = (outcome IS NOT NULL AND decided_at IS NOT NULL AND length(reasons) >= 10)",
            name="decided_with_reasons",
        ),
        CheckConstraint(
            "outcome IS NULL OR outcome IN ('upheld', 'corrected', 'rejected')",
            name="outcome_known",
        ),
        CheckConstraint(
            "(outcome IS NOT NULL AND outcome = 'corrected') = (new_run_id IS NOT NULL)", name="corrected_by_a_run"
        ),
        Index(
            "uq_objection_one_open_an_entry",
            "entry_id",
            unique=True,
            sqlite_where=text("state IN ('filed', 'accepted')"),
            postgresql_where=text("state IN ('filed', 'accepted')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(30), unique=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"), index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"))
    level: Mapped[int] = mapped_column(default=1)
    first_id: Mapped[int | None] = mapped_column(ForeignKey("objection.id"), unique=True)
    ground: Mapped[str] = mapped_column(String(20))
    statement: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    filed_at: Mapped[datetime]
    filed_by: Mapped[str] = mapped_column(String(120))
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[str] = mapped_column(String(120), default="")
    extended_at: Mapped[datetime | None]
    extension_reason: Mapped[str] = mapped_column(Text, default="")
    outcome: Mapped[str | None] = mapped_column(String(10))
    reasons: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(String(120), default="")
    decided_account_id: Mapped[int | None]
    new_run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    change: Mapped[dict[str, Any] | None]

    entry: Mapped[Entry] = relationship()
    run: Mapped[Run] = relationship(foreign_keys=[run_id])
    new_run: Mapped[Run | None] = relationship(foreign_keys=[new_run_id])
    first: Mapped[Objection | None] = relationship(remote_side=[id])
    files: Mapped[list[AppealFile]] = relationship(back_populates="objection", order_by="AppealFile.id")

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class Recusal(Base):
    """That a person stands aside from an objection, and why."""

    __tablename__ = "recusal"
    __table_args__ = (CheckConstraint("length(reason) > 0", name="reason_given"),)

    objection_id: Mapped[int] = mapped_column(ForeignKey("objection.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime]


class Reply(Base):
    """What a vendor wants to stand beside a contract's score, as it came in; `PublishedReply` is what stands there."""

    __tablename__ = "reply"
    __table_args__ = (
        CheckConstraint(one_of("state", ReplyState), name="state_known"),
        CheckConstraint("length(text) BETWEEN 1 AND 1000", name="text_length"),
        CheckConstraint("(state = 'returned') = (length(return_reason) > 0)", name="returned_with_reason"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"), unique=True)
    text: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    submitted_at: Mapped[datetime]
    submitted_by: Mapped[str] = mapped_column(String(120))
    return_reason: Mapped[str] = mapped_column(String(500), default="")

    entry: Mapped[Entry] = relationship()
    published: Mapped[PublishedReply | None] = relationship(back_populates="reply")
    files: Mapped[list[AppealFile]] = relationship(back_populates="reply", order_by="AppealFile.id")


class PublishedReply(Base):
    """A reply as everybody reads it, without personal data. Refuses update and delete by trigger."""

    __tablename__ = "published_reply"

    reply_id: Mapped[int] = mapped_column(ForeignKey("reply.id"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime]
    published_by: Mapped[str] = mapped_column(String(120))

    reply: Mapped[Reply] = relationship(back_populates="published")


class Rectification(Base):
    """What a vendor has to put right after a published grade that asks for it.

    Attributes:
        demand: what has to get better.
        report: what the vendor says it did; evidence are its files.
        note: of the last check: why it was not enough, or what was found.
        history: every step with its day, words and files, the earliest first; nothing is overwritten there.
        lifted_by_id: the later edition whose grade asks for nothing any more, where the item was closed for it.
        asked_at: when slips by which recipients say whether it got better were last made.
        asking_ended_at: when the officer ended it.
    """

    __tablename__ = "rectification"
    __table_args__ = (
        CheckConstraint(one_of("state", RectificationState), name="state_known"),
        CheckConstraint("length(demand) >= 10", name="demand_given"),
        CheckConstraint("state = 'open' OR length(report) > 0 OR lifted_by_id IS NOT NULL", name="reported_in_words"),
        CheckConstraint("(state = 'done') = (done_at IS NOT NULL)", name="done_at_known"),
        CheckConstraint("lifted_by_id IS NULL OR state = 'done'", name="lifted_is_done"),
        CheckConstraint("asking_ended_at IS NULL OR asked_at IS NOT NULL", name="ended_after_asking"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"), unique=True)
    edition_id: Mapped[int] = mapped_column(ForeignKey("edition.id"))
    grade: Mapped[str] = mapped_column(String(40))
    demand: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date]
    state: Mapped[str] = mapped_column(String(10))
    opened_at: Mapped[datetime]
    opened_by: Mapped[str] = mapped_column(String(120))
    report: Mapped[str] = mapped_column(Text, default="")
    reported_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text, default="")
    done_at: Mapped[datetime | None]
    done_by: Mapped[str] = mapped_column(String(120), default="")
    lifted_by_id: Mapped[int | None] = mapped_column(ForeignKey("edition.id"))
    history: Mapped[list[Any]]
    asked_at: Mapped[datetime | None]
    asking_ended_at: Mapped[datetime | None]

    entry: Mapped[Entry] = relationship()
    edition: Mapped[Edition] = relationship(foreign_keys=[edition_id])
    lifted_by: Mapped[Edition | None] = relationship(foreign_keys=[lifted_by_id])
    files: Mapped[list[AppealFile]] = relationship(back_populates="rectification", order_by="AppealFile.id")


class FollowUpCode(Base):
    """A slip by which one recipient says once whether a service got better; nothing ties it to a person or answer."""

    __tablename__ = "follow_up_code"

    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    rectification_id: Mapped[int] = mapped_column(ForeignKey("rectification.id"), index=True)
    used: Mapped[bool] = mapped_column(default=False)


class FollowUpCount(Base):
    """How many recipients gave an answer. No answer has a row of its own."""

    __tablename__ = "follow_up_count"
    __table_args__ = (
        CheckConstraint(one_of("answer", Better), name="answer_known"),
        CheckConstraint("count >= 0", name="count_not_negative"),
    )

    rectification_id: Mapped[int] = mapped_column(ForeignKey("rectification.id"), primary_key=True)
    answer: Mapped[str] = mapped_column(String(10), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class AppealFile(Base):
    """A file that belongs to an objection, a reply or a rectification; kept with it, so that no backup parts them."""

    __tablename__ = "appeal_file"
    __table_args__ = (
        CheckConstraint(
            "(CASE WHEN objection_id IS NULL THEN 0 ELSE 1 END) + (CASE WHEN reply_id IS NULL THEN 0 ELSE 1 END)"
            " + (CASE WHEN rectification_id IS NULL THEN 0 ELSE 1 END) = 1",
            name="belongs_to_one",
        ),
        CheckConstraint("length(hash) = 64", name="hash_length"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    objection_id: Mapped[int | None] = mapped_column(ForeignKey("objection.id"), index=True)
    reply_id: Mapped[int | None] = mapped_column(ForeignKey("reply.id"), index=True)
    rectification_id: Mapped[int | None] = mapped_column(ForeignKey("rectification.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    added_at: Mapped[datetime]

    objection: Mapped[Objection | None] = relationship(back_populates="files")
    reply: Mapped[Reply | None] = relationship(back_populates="files")
    rectification: Mapped[Rectification | None] = relationship(back_populates="files")
