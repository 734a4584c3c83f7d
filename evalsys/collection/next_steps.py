"""What the coordinator of a cycle does next; other rooms add what they know of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from flask import Flask, current_app, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.language import number, percent
from evalsys.collection import closing
from evalsys.collection.standing import by_contract, by_township
from evalsys.registry.cycle_notes import Note
from evalsys.registry.models import Cycle, CycleState

Provider = Callable[[Session, Cycle, Actor], Iterable[Note]]


def offer(app: Flask, provider: Provider) -> None:
    """Add a room's lines, after those that are offered already."""
    app.extensions.setdefault("next_steps", []).append(provider)


def steps(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> list[Note]:
    """What waits, each with the page where it is done."""
    providers: list[Provider] = current_app.extensions.get("next_steps", [])
    others = (note for provider in providers for note in provider(session, cycle, actor))
    return [*_own(session, cycle, actor=actor, now=now), *closing.missing(session, cycle, actor), *others]


def _own(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> Iterator[Note]:
    if cycle.state not in (CycleState.DRAFT, CycleState.COLLECTING):
        return
    lines = by_contract(session, cycle, actor=actor, now=now)
    invited = sum(line.figures.invited for line in lines)
    without = sum(1 for line in lines if not line.figures.invited)
    if without:
        label = _("Contracts without any invitation")
        yield Note(label, number(without), url_for("invitations.invitations", code=cycle.code))
    overdue = sum(line.rated.overdue.total() for line in lines)
    if overdue:
        yield Note(_("Assessments overdue"), number(overdue), url_for("late.show", code=cycle.code))
    if invited:
        rated = [line for line in by_township(session, cycle, actor=actor) if line.figures.rate is not None]
        if len(rated) > 1:
            lowest = min(rated, key=lambda line: line.figures.rate or 0)
            label = _("Lowest response rate: %(township)s", township=lowest.name)
            address = url_for("desk.show", code=cycle.code, kind="township", sort="rate")
            yield Note(label, percent(lowest.figures.rate, 1), address)
