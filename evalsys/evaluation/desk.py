"""What scoring puts on a person's desk."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.accounts.todo import Todo
from evalsys.base.access import Actor, Role
from evalsys.registry.models import Cycle, CycleState, Region


def todos(session: Session, actor: Actor) -> Iterable[Todo]:
    """Cycles whose collecting is over and that nobody has scored yet."""
    if actor.role in (Role.OFFICER, Role.ADMINISTRATOR):
        waiting = session.scalar(
            select(func.count())
            .select_from(Cycle)
            .join(Region, Region.id == Cycle.region_id)
            .where(Cycle.state == CycleState.REVIEW.value, Region.path.startswith(actor.region_path, autoescape=True))
        )
        yield Todo(_("Cycles to score: collecting is over"), url_for("evaluation.cycles"), count=waiting or 0)
