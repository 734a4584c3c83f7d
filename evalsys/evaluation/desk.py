"""What scoring puts on a person's desk."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.accounts.todo import Todo
from evalsys.base.access import Actor, Role
from evalsys.evaluation.models import FlagState, IntegrityFlag
from evalsys.evaluation.queries import SCORABLE
from evalsys.registry.models import Cycle, CycleState, Entry, Region


def todos(session: Session, actor: Actor) -> Iterable[Todo]:
    """Cycles whose collecting is over and that nobody has scored yet; flagged ratings that nobody has looked at."""
    if actor.role in (Role.OFFICER, Role.ADMINISTRATOR):
        waiting = session.scalar(
            select(func.count())
            .select_from(Cycle)
            .join(Region, Region.id == Cycle.region_id)
            .where(Cycle.state == CycleState.REVIEW.value, Region.path.startswith(actor.region_path, autoescape=True))
        )
        yield Todo(_("Cycles to score: collecting is over"), url_for("evaluation.cycles"), count=waiting or 0)
    if actor.role is Role.ADMINISTRATOR:
        undecided = session.scalar(
            select(func.count())
            .select_from(IntegrityFlag)
            .join(Entry, Entry.id == IntegrityFlag.entry_id)
            .join(Cycle, Cycle.id == Entry.cycle_id)
            .join(Region, Region.id == Cycle.region_id)
            .where(
                IntegrityFlag.state == FlagState.OPEN.value,
                Cycle.state.in_([state.value for state in SCORABLE if state is not CycleState.PUBLISHED]),
                Region.path.startswith(actor.region_path, autoescape=True),
            )
        )
        yield Todo(_("Flagged ratings to look at"), url_for("evaluation.cycles"), count=undecided or 0)
