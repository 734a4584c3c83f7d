"""What vendors' answers put on a person's desk."""

from __future__ import annotations

from collections.abc import Iterator

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.todo import Todo
from evalsys.appeals.models import NoticeReading, PreliminaryNotice
from evalsys.appeals.notices import deadline_of, notice_of
from evalsys.appeals.queries import open_count
from evalsys.base.access import Actor, Role
from evalsys.evaluation.queries import latest_run
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Region


def todos(session: Session, actor: Actor) -> Iterator[Todo]:
    """The office's results to tell and objections to decide; the vendor's notices."""
    if actor.role in (Role.OFFICER, Role.ADMINISTRATOR):
        yield from _to_tell(session, actor)
        waiting = open_count(session, actor=actor)
        yield Todo(_("Objections to decide"), url_for("appeals.objection_list", state="open"), count=waiting)
    if actor.role == Role.VENDOR:
        yield from _told(session, actor)


def _to_tell(session: Session, actor: Actor) -> Iterator[Todo]:
    cycles = session.scalars(
        select(Cycle)
        .join(Cycle.region)
        .where(Cycle.state == CycleState.PRELIMINARY.value, Region.path.startswith(actor.region_path, autoescape=True))
        .order_by(Cycle.code)
    )
    for cycle in cycles:
        notice, run = notice_of(session, cycle), latest_run(session, cycle)
        if run is not None and (notice is None or notice.run_id != run.id):
            yield Todo(
                _("Tell the vendors the preliminary result of %(title)s", title=cycle.title),
                url_for("appeals.notice", code=cycle.code),
            )


def _told(session: Session, actor: Actor) -> Iterator[Todo]:
    notices = session.scalars(
        select(PreliminaryNotice)
        .join(PreliminaryNotice.cycle)
        .where(
            Cycle.state == CycleState.PRELIMINARY.value,
            Cycle.id.in_(select(Entry.cycle_id).join(Contract).where(Contract.vendor_id == actor.vendor_id)),
        )
        .order_by(PreliminaryNotice.id.desc())
        .limit(1)
    )
    for notice in notices:
        read = session.get(NoticeReading, (notice.id, actor.vendor_id)) is not None
        yield Todo(
            _("Your preliminary results: read, and object until the day given if something is wrong"),
            url_for("appeals.results"),
            due=deadline_of(notice).day,
            detail="" if read else str(_("You have not read them yet.")),
        )
