"""What publishing puts on a person's desk."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.accounts.todo import Todo
from evalsys.base.access import Actor, Role
from evalsys.publication.queries import in_force
from evalsys.publication.withdrawals import to_confirm
from evalsys.registry.models import Cycle, CycleState, Region, Vendor


def todos(session: Session, actor: Actor) -> Iterable[Todo]:
    """The officer's results that wait for publication; orders to confirm; the vendor's own results."""
    if actor.role == Role.OFFICER:
        yield from _to_publish(session, actor)
    if actor.role in (Role.ADMINISTRATOR, Role.AUDITOR):
        yield from _to_confirm(session, actor)
    if actor.role == Role.VENDOR:
        yield from _own_results(session, actor)


def _to_publish(session: Session, actor: Actor) -> Iterable[Todo]:
    waiting = session.scalar(
        select(func.count())
        .select_from(Cycle)
        .join(Region, Region.id == Cycle.region_id)
        .where(
            Cycle.state == CycleState.PRELIMINARY.value,
            Region.path.startswith(actor.region_path, autoescape=True),
        )
    )
    yield Todo(_("Preliminary results to look at and publish"), url_for("publishing.cycles"), count=waiting or 0)


def _to_confirm(session: Session, actor: Actor) -> Iterable[Todo]:
    waiting = to_confirm(session, actor)
    if waiting:
        address = url_for("withdrawing.show", key=waiting[0].id)
        yield Todo(_("Orders to withdraw an edition, to confirm or refuse"), address, count=len(waiting))


def _own_results(session: Session, actor: Actor) -> Iterable[Todo]:
    vendor = session.get_one(Vendor, actor.vendor_id)
    if in_force(session, vendor=vendor.credit_code):
        yield Todo(
            _("Your published results, and how they came about"),
            url_for("publication.vendor", credit_code=vendor.credit_code),
        )
