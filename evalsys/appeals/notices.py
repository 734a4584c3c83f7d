"""The preliminary result: telling the vendors, and until when they may object to it.

A notice is of one run. Scoring once more after it needs another notice, unless all that changed was put right by a
decision on an objection: `untold` names the contracts for which that is not so.
"""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.appeals.models import NoticeReading, Objection, Outcome, PreliminaryNotice
from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict
from evalsys.base.working_days import Deadline, after_working_days
from evalsys.evaluation.models import Run, Score
from evalsys.evaluation.queries import latest_run
from evalsys.registry.models import Contract, Cycle, CycleState, Entry
from evalsys.registry.pins import rules_of

NOTICED = 0.05
"""Points by which a score may move unnoticed: what is shown has one decimal."""


def issue(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> PreliminaryNotice:
    """Tell the vendors the newest run's result; from now on they may object.

    Raises:
        Conflict: there is no preliminary result, or this one was told already.
        NotAllowed: the cycle belongs to another region.
    """
    actor.require_region(cycle.region.path)
    session.refresh(cycle, attribute_names=["state"], with_for_update=True)
    run = latest_run(session, cycle)
    if cycle.state != CycleState.PRELIMINARY or run is None:
        raise Conflict(
            _("The cycle %(code)s has no preliminary result to tell.", code=cycle.code),
            remedy=_("Score it first; a published result is told by its edition."),
        )
    if session.scalar(select(PreliminaryNotice.id).where(PreliminaryNotice.run_id == run.id)):
        raise Conflict(
            _("The vendors have been told this result already."), remedy=_("Wait for the end of the notice period.")
        )
    notice = PreliminaryNotice(
        cycle=cycle,
        run=run,
        working_days=rules_of(cycle).appeals.notice_working_days,
        issued_at=now,
        issued_by=actor.name,
    )
    session.add(notice)
    session.flush()
    audit.record(
        session,
        actor=actor,
        act="appeals.issue_notice",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail={"run": run.id, "working_days": notice.working_days},
    )
    return notice


def notice_of(session: Session, cycle: Cycle) -> PreliminaryNotice | None:
    """The newest notice of a cycle; None before the first."""
    return session.scalar(
        select(PreliminaryNotice)
        .where(PreliminaryNotice.cycle_id == cycle.id)
        .order_by(PreliminaryNotice.id.desc())
        .limit(1)
    )


def deadline_of(notice: PreliminaryNotice) -> Deadline:
    """The last day of the notice period, from the calendar as it is known today."""
    return after_working_days(notice.issued_at, notice.working_days)


def note_reading(session: Session, notice: PreliminaryNotice, *, actor: Actor, now: datetime) -> None:
    """Keep when a vendor read a notice for the first time; later readings leave it as it is."""
    if actor.vendor_id is None or session.get(NoticeReading, (notice.id, actor.vendor_id)) is not None:
        return
    session.add(NoticeReading(notice_id=notice.id, vendor_id=actor.vendor_id, read_at=now, read_by=actor.name))
    audit.record(
        session,
        actor=actor,
        act="appeals.read_notice",
        subject=f"cycle:{notice.cycle.code}",
        now=now,
        detail={"notice": notice.id},
    )


def untold(session: Session, notice: PreliminaryNotice, run: Run) -> list[str]:
    """Contracts whose result in a run is not what their vendor was told, nor put right by a decided objection."""
    if run.id == notice.run_id:
        return []
    told, found = (_results(session, number) for number in (notice.run_id, run.id))
    corrected = set(
        session.scalars(
            select(Objection.entry_id).where(
                Objection.outcome == Outcome.CORRECTED.value, Objection.new_run_id > notice.run_id
            )
        )
    )
    return [
        reference
        for entry_id, (reference, score, grade) in sorted(found.items(), key=lambda item: item[1][0])
        if entry_id not in corrected and _differ(told.get(entry_id), (reference, score, grade))
    ]


Result = tuple[str, float | None, str | None]


def _results(session: Session, run_id: int) -> dict[int, Result]:
    rows = session.execute(
        select(Score.entry_id, Contract.reference, Score.score, Score.grade)
        .join(Entry, Entry.id == Score.entry_id)
        .join(Contract, Contract.id == Entry.contract_id)
        .where(Score.run_id == run_id)
    )
    return {entry_id: (reference, score, grade) for entry_id, reference, score, grade in rows}


def _differ(told: Result | None, found: Result) -> bool:
    if told is None or told[2] != found[2] or (told[1] is None) != (found[1] is None):
        return True
    return told[1] is not None and found[1] is not None and abs(told[1] - found[1]) > NOTICED
