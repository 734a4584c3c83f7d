"""Putting right: a demand is opened, the vendor reports, somebody checks, and it is done or goes back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.appeals.files import Sent, looked_at
from evalsys.appeals.models import Rectification, RectificationState
from evalsys.appeals.rectifications import Needed, lifting_edition, needed, rectification_seen
from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Invalid
from evalsys.base.working_days import local_day
from evalsys.registry.models import Cycle

AT_ONCE = 25
"""Items that one page opens."""

LONGEST_PERIOD = timedelta(days=366)
SHORTEST, LONGEST = 10, 3000
"""Characters of a demand or a report."""
LONGEST_NOTE = 1000


@dataclass(frozen=True)
class Demand:
    """What one contract's vendor has to put right."""

    entry_id: int
    text: str


def open_items(
    session: Session, cycle: Cycle, demands: Iterable[Demand], *, due_on: date, actor: Actor, now: datetime
) -> list[Rectification]:
    """Open an item for contracts whose published grade asks for one.

    Raises:
        Invalid: none is named, a demand is too short or too long, or the day is not in the coming year.
        Conflict: a contract needs none, or none any more.
    """
    told = {one.entry_id: _words(one.text) for one in demands}
    if not told:
        raise Invalid(_("No contract is chosen."), remedy=_("Tick at least one."))
    _require_coming(due_on, now)
    session.refresh(cycle, attribute_names=["state"], with_for_update=True)  # of two at once the second waits
    waiting = {one.entry.id: one for one in needed(session, cycle, actor=actor, most=AT_ONCE)}
    if not told.keys() <= waiting.keys():
        raise Conflict(
            _("One of these contracts needs no rectification any more."),
            remedy=_("Reload the page; somebody may have opened it, or another edition is out."),
        )
    return [_opened(session, waiting[entry_id], text, due_on, actor=actor, now=now) for entry_id, text in told.items()]


def _opened(session: Session, one: Needed, demand: str, due_on: date, *, actor: Actor, now: datetime) -> Rectification:
    item = one.item or Rectification(entry=one.entry, history=[])
    item.edition_id, item.grade = one.edition.id, one.line.grade or ""
    item.demand, item.due_on = demand, due_on
    item.state, item.lifted_by, item.done_at, item.done_by = RectificationState.OPEN.value, None, None, ""
    item.opened_at, item.opened_by = now, actor.name
    session.add(item)
    session.flush()
    _keep(session, item, demand, act="appeals.open_rectification", actor=actor, now=now, due_on=due_on.isoformat())
    return item


def report(
    session: Session, number: int, text: str, sent: Iterable[Sent], *, actor: Actor, now: datetime
) -> Rectification:
    """The vendor says what it did, with evidence.

    Raises:
        NotFound: it has no such item.
        Conflict: it is reported already, or done.
        Invalid: too few or too many words, or a file that is not taken.
    """
    item = rectification_seen(session, number, actor=actor, to_change=True)
    _require(item, RectificationState.OPEN)
    files = looked_at(sent, now=now)
    item.report, item.reported_at, item.state = _words(text), now, RectificationState.REPORTED.value
    item.files += files
    session.flush()
    kept = [file.id for file in files]
    _keep(session, item, item.report, act="appeals.report_rectification", actor=actor, now=now, files=kept)
    return item


def find_done(session: Session, number: int, note: str, *, actor: Actor, now: datetime) -> Rectification:
    """What was demanded was checked and found to be put right.

    Raises:
        NotFound: the actor sees no such item.
        Conflict: there is no report to check.
        Invalid: the note does not say what was found.
    """
    item = rectification_seen(session, number, actor=actor, to_change=True)
    _require(item, RectificationState.REPORTED)
    item.note = _words(note, longest=LONGEST_NOTE)
    _finish(item, actor, now)
    _keep(session, item, item.note, act="appeals.finish_rectification", actor=actor, now=now)
    return item


def send_back(session: Session, number: int, note: str, *, due_on: date, actor: Actor, now: datetime) -> Rectification:
    """What was reported is not enough; the vendor goes on until a new day.

    Raises:
        NotFound, Conflict: as `find_done`.
        Invalid: the note does not say what is missing, or the day is not in the coming year.
    """
    item = rectification_seen(session, number, actor=actor, to_change=True)
    _require(item, RectificationState.REPORTED)
    _require_coming(due_on, now)
    item.note, item.due_on = _words(note, longest=LONGEST_NOTE), due_on
    item.state = RectificationState.OPEN.value
    _keep(session, item, item.note, act="appeals.return_rectification", actor=actor, now=now, due_on=due_on.isoformat())
    return item


def lift(session: Session, number: int, *, actor: Actor, now: datetime) -> Rectification:
    """Close an item because a later edition's grade asks for nothing any more.

    Raises:
        NotFound: the actor sees no such item.
        Conflict: it is done, or the grade still asks for it.
    """
    item = rectification_seen(session, number, actor=actor, to_change=True)
    edition = lifting_edition(session, item)
    if item.state == RectificationState.DONE or edition is None:
        raise Conflict(
            _("No later edition lifts this rectification."), remedy=_("Check what the vendor reports instead.")
        )
    item.lifted_by = edition
    _finish(item, actor, now)
    _keep(session, item, "", act="appeals.lift_rectification", actor=actor, now=now, edition=edition.number)
    return item


def _finish(item: Rectification, actor: Actor, now: datetime) -> None:
    item.state, item.done_at, item.done_by = RectificationState.DONE.value, now, actor.name


def _require(item: Rectification, state: RectificationState) -> None:
    if item.state != state:
        raise Conflict(
            _("This rectification is not at that step any more."), remedy=_("Reload the page to see how far it is.")
        )


def _require_coming(day: date, now: datetime) -> None:
    today = local_day(now)
    if not today <= day <= today + LONGEST_PERIOD:
        raise Invalid(
            _("The due date must be today or within a year."), remedy=_("Choose a day on which it can be done.")
        )


def _words(text: str, *, longest: int = LONGEST) -> str:
    told = text.replace("\r\n", "\n").strip()
    if not SHORTEST <= len(told) <= longest:
        raise Invalid(
            _("Write between %(least)s and %(most)s characters.", least=SHORTEST, most=longest),
            remedy=_("These are %(count)s.", count=len(told)),
        )
    return told


def _keep(
    session: Session, item: Rectification, text: str, *, act: str, actor: Actor, now: datetime, **more: object
) -> None:
    """In the item's own history with the words, in the audit trail without: they may name a person.

    The trail can forget nothing; the history goes with the item.
    """
    step = act.removeprefix("appeals.").partition("_")[0]
    item.history = [*item.history, {"step": step, "at": now.isoformat(), "by": actor.name, "text": text, **more}]
    session.flush()
    audit.record(
        session,
        actor=actor,
        act=act,
        subject=f"entry:{item.entry.cycle.code}/{item.entry.contract.reference}",
        now=now,
        detail={"rectification": item.id, **more},
    )
