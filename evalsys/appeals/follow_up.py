"""Asking recipients once more: did the service get better after its rectification?

A slip's code counts once and leads to nobody: no row joins an answer to a code, a person or a time, and an answer is
one more in a counter. What was answered is told to nobody, not even to the officer, while slips may still be used: two
looks at a counter would tell what was answered between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum, auto

from flask_babel import gettext as _
from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session, joinedload

from evalsys.appeals.models import Better, FollowUpCode, FollowUpCount, Rectification, RectificationState
from evalsys.appeals.rectifications import rectification_seen
from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Invalid
from evalsys.base.tokens import derive_key
from evalsys.base.working_days import Deadline, after_days
from evalsys.collection.codes import code_hash, new_code
from evalsys.evaluation.breakdown import SMALLEST_GROUP
from evalsys.registry.models import Contract, Entry

MOST_CODES = 200
"""Of one rectification."""

OPEN_DAYS = 180
"""For which slips may be used, from the last that were made."""


def follow_up_key(secret: str) -> bytes:
    """The key that these codes are hashed with; a survey's code opens nothing here, nor the other way round."""
    return derive_key(secret, "follow-up code")


def last_day(item: Rectification) -> Deadline | None:
    """Until when slips may be used; None where none were made."""
    return after_days(item.asked_at, OPEN_DAYS) if item.asked_at else None


def is_over(item: Rectification, now: datetime) -> bool:
    """Whether no slip may be used any more; it stays so, for what was answered is told from then on."""
    until = last_day(item)
    return item.asking_ended_at is not None or (until is not None and until.is_over(now))


def is_asking(item: Rectification, now: datetime) -> bool:
    """Whether slips may be used now. They may while the vendor goes on after a report was sent back."""
    return item.asked_at is not None and item.lifted_by_id is None and not is_over(item, now)


def may_be_asked(item: Rectification, now: datetime) -> bool:
    """Whether slips may be made: something was reported, and asking is not over."""
    return item.state != RectificationState.OPEN and item.lifted_by_id is None and not is_over(item, now)


@dataclass(frozen=True)
class Made:
    """New codes, told this once, and the last day on which they may be used."""

    item: Rectification
    codes: list[str]
    until: date


def make_codes(session: Session, number: int, count: int, *, key: bytes, actor: Actor, now: datetime) -> Made:
    """Codes for some more recipients.

    Raises:
        NotFound: the actor sees no such item.
        Conflict: nothing is reported yet, or asking was ended.
        Invalid: none, or more than are left of MOST_CODES.
    """
    item = rectification_seen(session, number, actor=actor, to_change=True)
    if not may_be_asked(item, now):
        raise Conflict(
            _("Recipients cannot be asked about this rectification now."),
            remedy=_("Ask them once the vendor has reported, and before asking is ended."),
        )
    made = slips_of(session, item).made
    if not 1 <= count <= MOST_CODES - made:
        raise Invalid(
            _("At most %(most)s slips are made for one rectification.", most=MOST_CODES),
            remedy=_("%(left)s can still be made.", left=MOST_CODES - made),
        )
    if not made:
        session.add_all(FollowUpCount(rectification_id=item.id, answer=answer.value, count=0) for answer in Better)
    codes = [new_code() for _n in range(count)]
    hashes = sorted(code_hash(code, key) for code in codes)
    session.execute(insert(FollowUpCode), [{"code_hash": one, "rectification_id": item.id} for one in hashes])
    item.asked_at = now
    _record(session, item, act="appeals.make_follow_up_codes", actor=actor, now=now, count=count)
    return Made(item, codes, after_days(now, OPEN_DAYS).day)


def end_asking(session: Session, number: int, *, actor: Actor, now: datetime) -> Rectification:
    """Take no more answers; what was answered is told from then on.

    Raises:
        NotFound: the actor sees no such item.
        Conflict: nobody is being asked.
    """
    item = rectification_seen(session, number, actor=actor, to_change=True)
    if not is_asking(item, now):
        raise Conflict(_("Nobody is being asked now."), remedy=_("Reload the page to see how far it is."))
    item.asking_ended_at = now
    _record(session, item, act="appeals.end_follow_up", actor=actor, now=now)
    return item


def _record(session: Session, item: Rectification, *, act: str, actor: Actor, now: datetime, **detail: int) -> None:
    session.flush()
    audit.record(
        session,
        actor=actor,
        act=act,
        subject=f"entry:{item.entry.cycle.code}/{item.entry.contract.reference}",
        now=now,
        detail={"rectification": item.id, **detail},
    )


@dataclass(frozen=True)
class Slip:
    """What a code opens."""

    title: str
    vendor: str
    region: str
    simulated: bool
    used: bool
    open: bool


def slip_of(session: Session, hashed: bytes, *, now: datetime) -> Slip | None:
    """What the hash of a code opens; None where it is no code."""
    row = session.execute(
        select(FollowUpCode.used, Rectification)
        .join(Rectification, Rectification.id == FollowUpCode.rectification_id)
        .where(FollowUpCode.code_hash == hashed)
        .options(
            joinedload(Rectification.entry).options(
                joinedload(Entry.cycle),
                joinedload(Entry.contract).options(joinedload(Contract.vendor), joinedload(Contract.region)),
            )
        )
    ).first()
    if row is None:
        return None
    used, item = row
    contract = item.entry.contract
    return Slip(
        title=contract.title,
        vendor=contract.vendor.name,
        region=contract.region.name,
        simulated=item.entry.cycle.simulated,
        used=used,
        open=is_asking(item, now),
    )


class Counted(Enum):
    """What became of an answer."""

    COUNTED = auto()
    USED = auto()
    CLOSED = auto()
    UNKNOWN = auto()


def count_answer(session: Session, hashed: bytes, answer: Better, *, now: datetime) -> Counted:
    """Use a code and add to the counter: both or nothing, and of many at once one."""
    number = session.scalar(select(FollowUpCode.rectification_id).where(FollowUpCode.code_hash == hashed))
    if number is None:
        return Counted.UNKNOWN
    item = session.get_one(Rectification, number, with_for_update={"read": True})  # no answer comes after the end
    if not is_asking(item, now):
        return Counted.CLOSED
    unused = (FollowUpCode.code_hash == hashed) & FollowUpCode.used.is_(False)
    if (
        session.execute(
            update(FollowUpCode)
            .where(FollowUpCode.code_hash == hashed, unused)
            .values(used=True)
            .returning(FollowUpCode.used)
        ).first()
        is None
    ):
        return Counted.USED
    session.execute(
        update(FollowUpCount)
        .where(FollowUpCount.rectification_id == number, FollowUpCount.answer == answer.value)
        .values(count=FollowUpCount.count + 1)
    )
    return Counted.COUNTED


@dataclass(frozen=True)
class Slips:
    """How many slips were made, and how many were used."""

    made: int
    used: int


def slips_of(session: Session, item: Rectification) -> Slips:
    made, used = session.execute(
        select(func.count(), func.count().filter(FollowUpCode.used)).where(FollowUpCode.rectification_id == item.id)
    ).one()
    return Slips(made, used)


@dataclass(frozen=True)
class Told:
    """What recipients answered; no counts where fewer than SMALLEST_GROUP did."""

    counts: dict[Better, int] | None


def told_of(session: Session, item: Rectification, *, now: datetime) -> Told | None:
    """What recipients said, once no more of them can; None before, and where nobody was asked."""
    if not is_over(item, now):
        return None
    rows = session.execute(
        select(FollowUpCount.answer, FollowUpCount.count).where(FollowUpCount.rectification_id == item.id)
    )
    counts = dict(rows.all())
    if sum(counts.values()) < SMALLEST_GROUP:
        return Told(None)
    return Told({answer: counts[answer.value] for answer in Better})
