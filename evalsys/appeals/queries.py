"""Reads of the office: objections of a branch, and where each cycle's notice stands."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from evalsys.appeals.models import (
    OPEN,
    NoticeReading,
    Objection,
    ObjectionState,
    PreliminaryNotice,
)
from evalsys.appeals.notices import deadline_of, notice_of, untold
from evalsys.appeals.own import is_own
from evalsys.base.access import Actor
from evalsys.base.listing import Page, Wanted, paginate
from evalsys.base.working_days import Deadline
from evalsys.evaluation.models import Run
from evalsys.evaluation.queries import latest_run
from evalsys.registry.models import Contract, Cycle, Entry, Region, Vendor

SORTS = {
    "filed": Objection.filed_at,
    "number": Objection.number,
    "contract": Contract.title,
    "vendor": Vendor.name,
    "state": Objection.state,
}


def objections_page(session: Session, wanted: Wanted, state: str, *, actor: Actor) -> Page[Objection]:
    """The branch's objections, or the vendor's own; `state`: one of `ObjectionState`, "open", or empty for all."""
    statement = (
        select(Objection)
        .join(Objection.entry)
        .join(Entry.contract)
        .join(Contract.vendor)
        .join(Entry.cycle)
        .join(Cycle.region)
        .options(
            contains_eager(Objection.entry).options(
                contains_eager(Entry.contract).contains_eager(Contract.vendor),
                contains_eager(Entry.cycle).contains_eager(Cycle.region),
            )
        )
        .where(_may_see(actor))
    )
    if state == "open":
        statement = statement.where(Objection.state.in_(OPEN))
    elif state in set(ObjectionState):
        statement = statement.where(Objection.state == state)
    return paginate(
        session,
        statement,
        wanted,
        sorts=SORTS,
        default_sort="-filed",
        search=(Objection.number, Contract.title, Contract.reference, Vendor.name),
        tie=Objection.id,
    )


def _may_see(actor: Actor) -> ColumnElement[bool]:
    if actor.vendor_id is not None:
        return is_own(actor)
    return Region.path.startswith(actor.region_path, autoescape=True)


@dataclass(frozen=True)
class NoticeState:
    """A cycle and its notice.

    Attributes:
        run: the newest.
        notice: the newest; None before the first.
        changed: contracts whose result is another than their vendor was told.
        read: vendors that read the notice, with when and as whom.
        unread: vendors that did not.
    """

    cycle: Cycle
    run: Run | None
    notice: PreliminaryNotice | None
    changed: list[str]
    read: list[tuple[Vendor, NoticeReading]]
    unread: list[Vendor]

    @property
    def deadline(self) -> Deadline | None:
        return deadline_of(self.notice) if self.notice else None

    @property
    def may_issue(self) -> bool:
        """Whether there is a preliminary result that has not been told."""
        told = self.notice is not None and self.run is not None and self.notice.run_id == self.run.id
        return self.cycle.state == "preliminary" and self.run is not None and not told


def notice_state(session: Session, cycle: Cycle, *, actor: Actor) -> NoticeState:
    """Where a cycle's notice stands.

    Raises:
        NotAllowed: it belongs to another region.
    """
    actor.require_region(cycle.region.path)
    notice, run = notice_of(session, cycle), latest_run(session, cycle)
    vendors = session.scalars(
        select(Vendor)
        .where(Vendor.id.in_(select(Contract.vendor_id).join(Entry).where(Entry.cycle_id == cycle.id)))
        .order_by(Vendor.name)
    ).all()
    readings = {}
    if notice is not None:
        found = session.scalars(select(NoticeReading).where(NoticeReading.notice_id == notice.id))
        readings = {reading.vendor_id: reading for reading in found}
    return NoticeState(
        cycle=cycle,
        run=run,
        notice=notice,
        changed=untold(session, notice, run) if notice and run else [],
        read=[(vendor, readings[vendor.id]) for vendor in vendors if vendor.id in readings],
        unread=[vendor for vendor in vendors if vendor.id not in readings],
    )


def open_count(session: Session, *, actor: Actor) -> int:
    """Open objections that the office of the actor's region has to decide.

    First ones of its own cycles and second ones of those below. First ones of a region below are that region's matter.
    """
    own = Region.path == actor.region_path
    statement = (
        select(func.count())
        .select_from(Objection)
        .join(Entry, Entry.id == Objection.entry_id)
        .join(Cycle, Cycle.id == Entry.cycle_id)
        .join(Region, Region.id == Cycle.region_id)
        .where(
            Objection.state.in_(OPEN),
            Region.path.startswith(actor.region_path, autoescape=True),
            or_(own & (Objection.level == 1), ~own & (Objection.level == 2)),
        )
    )
    return session.scalar(statement) or 0
