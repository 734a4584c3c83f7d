"""What the yearly cycles put on an administrator's desk, and the trail on an auditor's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.todo import Todo
from evalsys.base.access import Actor, Role
from evalsys.base.clock import now
from evalsys.base.language import CHINA
from evalsys.registry.models import Cycle, CycleState, Region


def todos(session: Session, actor: Actor) -> Iterable[Todo]:
    if actor.role == Role.ADMINISTRATOR:
        yield from _cycles(session, actor, at=now())
    if actor.role == Role.AUDITOR:
        yield Todo(_("Look through the audit trail"), url_for("accounts.audit_trail"))


def _cycles(session: Session, actor: Actor, *, at: datetime) -> Iterable[Todo]:
    """The step that each open cycle of the branch waits for."""
    cycles = session.scalars(
        select(Cycle)
        .join(Cycle.region)
        .where(Region.path.startswith(actor.region_path, autoescape=True))
        .order_by(Cycle.closes_on, Cycle.code)
    ).all()
    if not cycles:
        yield Todo(_("Make the first yearly cycle"), url_for("registry.cycle_list"))
    today = at.astimezone(CHINA).date()
    for cycle in cycles:
        address = url_for("registry.cycle", code=cycle.code)
        if cycle.state == CycleState.DRAFT:
            yield Todo(_("Prepare %(title)s and open it", title=cycle.title), address, due=cycle.opens_on)
        elif cycle.state == CycleState.COLLECTING and cycle.closes_on < today:
            yield Todo(_("Close %(title)s: its last day is over", title=cycle.title), address)
        elif cycle.state == CycleState.COLLECTING:
            yield Todo(_("%(title)s is collecting ratings", title=cycle.title), address, due=cycle.closes_on)
        elif cycle.state == CycleState.REVIEW:
            yield Todo(_("Score %(title)s", title=cycle.title), address)
