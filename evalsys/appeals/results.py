"""What a vendor sees of its own contracts before everybody else does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from evalsys.appeals.deadlines import window_of
from evalsys.appeals.models import Objection, PreliminaryNotice
from evalsys.appeals.notices import deadline_of, note_reading, notice_of
from evalsys.appeals.objections import of_entry
from evalsys.appeals.own import is_own, own_entry
from evalsys.base.access import Actor
from evalsys.base.errors import Gone
from evalsys.base.working_days import Deadline, working_days_left
from evalsys.evaluation.models import IntegrityFlag, Score
from evalsys.evaluation.naming import Names
from evalsys.evaluation.scorecard import Scorecard, scorecard
from evalsys.evaluation.sign_words import sign_names
from evalsys.publication.models import EditionScore
from evalsys.publication.queries import newest_edition
from evalsys.publication.usecases import line_of
from evalsys.registry.models import Contract, Cycle, Entry
from evalsys.registry.pins import rules_of_version


@dataclass(frozen=True)
class Told:
    """One line of a vendor's list.

    `deadline`: until when it may object; None where it may not any more and never could.
    """

    entry: Entry
    notice: PreliminaryNotice
    score: Score | None
    names: Names
    deadline: Deadline
    objections: list[Objection]


def told_to(session: Session, *, actor: Actor) -> list[Told]:
    """The vendor's contracts in cycles whose result was told, the latest notice first."""
    entries = session.scalars(
        select(Entry)
        .join(Entry.contract)
        .join(Entry.cycle)
        .where(is_own(actor), Cycle.id.in_(select(PreliminaryNotice.cycle_id)))
        .options(joinedload(Entry.contract).joinedload(Contract.purchaser), joinedload(Entry.cycle))
        .order_by(Cycle.year.desc(), Cycle.code, Contract.reference)
    ).all()
    return [_told(session, entry) for entry in entries]


def _told(session: Session, entry: Entry) -> Told:
    notice = _notice(session, entry)
    window = window_of(session, entry)
    run = window.run if window else notice.run
    return Told(
        entry=entry,
        notice=notice,
        score=session.scalar(select(Score).where(Score.run_id == run.id, Score.entry_id == entry.id)),
        names=Names(rules_of_version(run.rules)),
        deadline=window.deadline if window else deadline_of(notice),
        objections=of_entry(session, entry),
    )


def _notice(session: Session, entry: Entry) -> PreliminaryNotice:
    notice = notice_of(session, entry.cycle)
    if notice is None:
        raise Gone(_("The result of this contract is not told yet."), remedy=_("Wait for the notice."))
    return notice


@dataclass(frozen=True)
class Result:
    """One contract's result, for its vendor.

    Attributes:
        line: what the next edition would say; None where the run left the contract out.
        flags: how many ratings showed each sign, and how many of all flagged are held; nothing says whose they are.
        left: working days until the deadline, today included.
        can_object: whether it may object now.
        is_published: the public page says the same by now.
    """

    told: Told
    line: EditionScore | None
    card: Scorecard | None
    flags: list[tuple[str, int]]
    held: int
    left: int
    can_object: bool
    is_published: bool


def result_of(session: Session, entry_id: int, *, actor: Actor, now: datetime) -> Result:
    """Read an own contract's result, and keep that it was read.

    Raises:
        NotFound: it is not the vendor's.
        Gone: it is not told yet.
    """
    entry = own_entry(session, entry_id, actor=actor)
    told = _told(session, entry)
    note_reading(session, told.notice, actor=actor, now=now)
    line = line_of(told.score, entry.contract) if told.score else None
    signs, held = _flags(session, entry)
    return Result(
        told=told,
        line=line,
        card=_card(line, told.names) if line else None,
        flags=signs,
        held=held,
        left=working_days_left(now, told.deadline),
        can_object=not told.deadline.is_over(now) and not any(one.is_open for one in told.objections),
        is_published=newest_edition(session, entry.cycle) is not None,
    )


def _card(line: EditionScore, names: Names) -> Scorecard:
    """As everybody will see it, without what compares it with other vendors' contracts."""
    card = scorecard(line, names)
    return replace(card, parts=replace(card.parts, comparisons=[])) if card.parts else card


def _flags(session: Session, entry: Entry) -> tuple[list[tuple[str, int]], int]:
    found: Iterable[IntegrityFlag] = session.scalars(select(IntegrityFlag).where(IntegrityFlag.entry_id == entry.id))
    signs: Counter[str] = Counter()
    held = 0
    for flag in found:
        signs.update(flag.codes.split())
        held += flag.state == "held"
    return [(name, signs[code]) for code, name in sign_names().items() if signs[code]], held
