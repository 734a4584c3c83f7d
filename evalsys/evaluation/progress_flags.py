"""What the coordinator's desk shows of flags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.language import number
from evalsys.evaluation.models import FlagState, IntegrityFlag
from evalsys.registry.cycle_notes import Note
from evalsys.registry.models import Cycle, CycleState, Entry
from evalsys.registry.pins import rules_of


def open_flags(session: Session, cycle: Cycle) -> Mapping[int, int]:
    """How many flags of each entry nobody has looked at."""
    rows = session.execute(
        select(IntegrityFlag.entry_id, func.count())
        .join(Entry, Entry.id == IntegrityFlag.entry_id)
        .where(Entry.cycle_id == cycle.id, IntegrityFlag.state == FlagState.OPEN.value)
        .group_by(IntegrityFlag.entry_id)
    )
    return dict(rows.all())


def flags_to_look_at(session: Session, cycle: Cycle, actor: Actor) -> Iterator[Note]:
    """A line where flags wait; only who oversees the whole cycle can open them."""
    if not actor.acts_in(cycle.region.path):
        return
    if cycle.state == CycleState.COLLECTING and rules_of(cycle).integrity is not None:
        yield Note(_("Look at the quality of the answers so far"), "", url_for("early.show", code=cycle.code))
    waiting = sum(open_flags(session, cycle).values())
    if waiting:
        yield Note(_("Flagged ratings to look at"), number(waiting), url_for("integrity.flags", code=cycle.code))
