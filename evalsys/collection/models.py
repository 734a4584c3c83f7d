"""Invitations, anonymous responses, receipts, and the assessments of named raters.

A recipient's identity and answers never stand in one row: an invitation knows its code's keyed hash and whether it is
used; a response knows neither invitation nor date; a receipt's leaf stands in a table of its own; days are counters.
`WITHOUT ROWID` keeps SQLite from remembering the order in which responses and leaves came; base/mixing.py takes away
what is left of it.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evalsys.accounts.models import Account
from evalsys.base.db import Base, one_of
from evalsys.registry.models import Cycle, Entry, Stratum

if TYPE_CHECKING:
    from evalsys.collection.assessment_models import Cosigning, SiteVisit


class Mode(StrEnum):
    """How a recipient's answer came."""

    SELF = "self"
    ASSISTED = "assisted"
    TELEPHONE = "telephone"
    PAPER = "paper"


class Helper(StrEnum):
    """Who helped where an answer came with help; a kind of person, never a person."""

    RELATIVE = "relative"
    WORKER = "worker"  # of the village, the community or the township
    INTERVIEWER = "interviewer"
    VOLUNTEER = "volunteer"
    OTHER = "other"


class TimeBand(StrEnum):
    """How long answering took, from the form's signed issue time; the time itself is not kept."""

    UNDER_20 = "under_20"
    FROM_20_TO_60 = "from_20_to_60"
    OVER_60 = "over_60"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """Why an invitation stayed without an answer; `PAPER`: the recipient got a form on paper instead of the code."""

    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    MOVED = "moved"
    DIED = "died"
    PAPER = "paper"


class AssessmentState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"


class EvidenceKind(StrEnum):
    """What a file shows."""

    GENERAL = "general"
    ACCEPTANCE = "acceptance"  # the acceptance inspection, 检查验收


class RatingsImport(Base):
    """A file of ratings that was taken in. `hash`: SHA-256 of its sorted rows."""

    __tablename__ = "ratings_import"
    __table_args__ = (UniqueConstraint("cycle_id", "hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycle.id"))
    hash: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int]
    imported_at: Mapped[datetime]
    imported_by: Mapped[str] = mapped_column(String(120))

    cycle: Mapped[Cycle] = relationship()


class Invitation(Base):
    """A code that lets one recipient answer once. Only the code's HMAC-SHA-256 is kept; its key is outside.

    `number`: the recipient's place in the list of the stratum, where a sample or a roster says it; see drawing.py.
    `outcome`: why no answer came, where somebody said so. It bars nobody from answering; with an answer it is void.
    """

    __tablename__ = "invitation"
    __table_args__ = (
        UniqueConstraint("stratum_id", "number"),
        CheckConstraint(one_of("outcome", Outcome), name="outcome_known"),
        CheckConstraint("number IS NULL OR (number > 0 AND stratum_id IS NOT NULL)", name="number_in_a_stratum"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code_hmac: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"), index=True)
    stratum_id: Mapped[int | None] = mapped_column(ForeignKey("stratum.id"), index=True)
    roster_member_id: Mapped[int | None] = mapped_column(
        ForeignKey("roster_member.id", ondelete="SET NULL"), unique=True
    )
    number: Mapped[int | None]
    used: Mapped[bool] = mapped_column(default=False)
    outcome: Mapped[str | None] = mapped_column(String(12))

    entry: Mapped[Entry] = relationship()
    stratum: Mapped[Stratum | None] = relationship()


class Response(Base):
    """One recipient's answers to one entry, under a random key. A held response is counted nowhere."""

    __tablename__ = "response"
    __table_args__ = (
        CheckConstraint("length(key) = 16", name="key_length"),
        CheckConstraint(one_of("mode", Mode), name="mode_known"),
        CheckConstraint(one_of("time_band", TimeBand), name="time_band_known"),
        CheckConstraint(one_of("helper", Helper), name="helper_known"),
        CheckConstraint("helper IS NULL OR mode <> 'self'", name="helped_is_not_alone"),
        Index("ix_response_entry_id_stratum_id_mode", "entry_id", "stratum_id", "mode"),
        {"sqlite_with_rowid": False, "info": {"mixed": "held TYPE boolean USING held IS TRUE"}},
    )

    key: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    stratum_id: Mapped[int | None] = mapped_column(ForeignKey("stratum.id"))
    mode: Mapped[str] = mapped_column(String(10))
    helper: Mapped[str | None] = mapped_column(String(12))
    time_band: Mapped[str] = mapped_column(String(15))
    held: Mapped[bool] = mapped_column(default=False)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("ratings_import.id"), index=True)


class ResponseRating(Base):
    """One answer of a response: a level from 1 up, or NULL for "not applicable". Not answered: no row."""

    __tablename__ = "response_rating"
    __table_args__ = ({"sqlite_with_rowid": False, "info": {"mixed": "value TYPE double precision USING value + 0"}},)

    response_key: Mapped[bytes] = mapped_column(
        LargeBinary(16), ForeignKey("response.key", ondelete="CASCADE"), primary_key=True
    )
    criterion: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[float | None]


class ReceiptLeaf(Base):
    """SHA-256(0x00 ‖ contract ‖ receipt) of a received answer, apart from invitations and answers."""

    __tablename__ = "receipt_leaf"
    __table_args__ = (
        CheckConstraint("length(leaf) = 32", name="leaf_length"),
        {"sqlite_with_rowid": False, "info": {"mixed": "leaf TYPE bytea USING leaf || ''::bytea"}},
    )

    leaf: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"), index=True)


class ResponseDay(Base):
    """How many answers an entry received on a day; the only trace of when."""

    __tablename__ = "response_day"
    __table_args__ = (CheckConstraint("count > 0", name="count_positive"),)

    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    count: Mapped[int]


class Assignment(Base):
    """That a third-party evaluator is to assess an entry."""

    __tablename__ = "assignment"
    __table_args__ = (UniqueConstraint("entry_id", "account_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    due_on: Mapped[date | None]

    entry: Mapped[Entry] = relationship()
    account: Mapped[Account] = relationship()


class Assessment(Base):
    """A purchaser's or a third-party evaluator's ratings of one entry: by an account, or under a file's label.

    `declaration`: the words that the rater signed at submission. `buy_again`: whether a purchaser would; not scored.
    """

    __tablename__ = "assessment"
    __table_args__ = (
        UniqueConstraint("entry_id", "party", "account_id"),
        UniqueConstraint("entry_id", "party", "import_id", "rater_label"),
        CheckConstraint(one_of("state", AssessmentState), name="state_known"),
        CheckConstraint("(state = 'submitted') = (submitted_at IS NOT NULL)", name="submitted_when"),
        CheckConstraint("(account_id IS NULL) = (import_id IS NOT NULL)", name="account_or_import"),
        CheckConstraint("(import_id IS NULL) = (rater_label IS NULL)", name="label_with_import"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("entry.id"), index=True)
    party: Mapped[str] = mapped_column(String(40))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("ratings_import.id"), index=True)
    rater_label: Mapped[str | None] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(10), default=AssessmentState.DRAFT.value)
    saved_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    declaration: Mapped[str | None] = mapped_column(Text)
    buy_again: Mapped[bool | None]
    held: Mapped[bool] = mapped_column(default=False)

    entry: Mapped[Entry] = relationship()
    account: Mapped[Account | None] = relationship()
    cosigning: Mapped[Cosigning | None] = relationship(back_populates="assessment", cascade="all, delete-orphan")
    visits: Mapped[list[SiteVisit]] = relationship(
        back_populates="assessment", cascade="all, delete-orphan", order_by="SiteVisit.number"
    )
    ratings: Mapped[list[AssessmentRating]] = relationship(
        back_populates="assessment", cascade="all, delete-orphan", order_by="AssessmentRating.criterion"
    )


class AssessmentRating(Base):
    """One criterion of an assessment: its value (a level or a measured number), "not applicable", or neither yet."""

    __tablename__ = "assessment_rating"
    __table_args__ = (CheckConstraint("NOT (not_applicable AND value IS NOT NULL)", name="value_or_not_applicable"),)

    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessment.id", ondelete="CASCADE"), primary_key=True)
    criterion: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[float | None]
    not_applicable: Mapped[bool] = mapped_column(default=False)
    comment: Mapped[str] = mapped_column(Text, default="")

    assessment: Mapped[Assessment] = relationship(back_populates="ratings")


class Evidence(Base):
    """A file that supports an assessment, or one rating of it; its bytes lie in the store under their SHA-256.

    `name` is the sender's, for people to read; `media_type` is what the bytes say.
    """

    __tablename__ = "evidence"
    __table_args__ = (
        UniqueConstraint("assessment_id", "hash"),
        CheckConstraint("size > 0", name="size_positive"),
        CheckConstraint("length(hash) = 64", name="hash_length"),
        CheckConstraint(one_of("kind", EvidenceKind), name="kind_known"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessment.id", ondelete="CASCADE"))
    criterion: Mapped[str | None] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(12), default=EvidenceKind.GENERAL.value)
    name: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(80))
    size: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    added_at: Mapped[datetime]

    assessment: Mapped[Assessment] = relationship()
    account: Mapped[Account] = relationship()


class AssessmentVersion(Base):
    """What an assessment said when it was sent back for correction, and why.

    `content`: its ratings by criterion, what was said beside them (visits, buying again), the declaration, who signed,
    and number, name and hash of its evidence.
    """

    __tablename__ = "assessment_version"
    __table_args__ = (
        CheckConstraint("number > 0", name="number_positive"),
        CheckConstraint("length(reason) > 0", name="reason_given"),
    )

    assessment_id: Mapped[int] = mapped_column(ForeignKey("assessment.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]]
    submitted_at: Mapped[datetime]
    returned_at: Mapped[datetime]
    returned_by: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(Text)


class EntryChange(Base):
    """How often ratings of an entry changed or went, and its assessments came; the database's triggers count.

    With the number of its responses it tells whether anything is another than before: see evaluation/kept_sums.py.
    """

    __tablename__ = "entry_change"

    entry_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(BigInteger)


import evalsys.collection.assessment_models  # noqa: E402, F401 - Assessment names its tables; each imports the other
