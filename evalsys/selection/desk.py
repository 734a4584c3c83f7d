"""What selection puts on a person's desk."""

from __future__ import annotations

from collections.abc import Iterable

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.accounts.todo import Todo
from evalsys.base.access import Actor, Role
from evalsys.registry.models import Region
from evalsys.selection.models import Decision, Plan


def todos(session: Session, actor: Actor) -> Iterable[Todo]:
    """An officer's plans that are not decided."""
    if actor.role != Role.OFFICER:
        return
    undecided = session.scalar(
        select(func.count())
        .select_from(Plan)
        .join(Plan.region)
        .outerjoin(Decision, Decision.plan_id == Plan.id)
        .where(Region.path.startswith(actor.region_path, autoescape=True), Decision.id.is_(None))
    )
    yield Todo(_("Selection plans to decide"), url_for("selection.plans"), count=undecided or 0)
