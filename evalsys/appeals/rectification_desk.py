"""What of rectifications waits for a person, for the desk, and the list as a file."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.accounts.todo import Todo
from evalsys.appeals.models import Rectification, RectificationState
from evalsys.appeals.rectifications import (
    CHECKERS,
    OVERDUE,
    Chosen,
    count_items,
    count_needed,
    in_state,
    is_overdue,
    names_of,
    next_due,
    overdue_on,
    rectifications,
)
from evalsys.appeals.words import rectification_state_name
from evalsys.base.access import Actor, Role
from evalsys.base.clock import now
from evalsys.base.language import day
from evalsys.base.listing import Wanted
from evalsys.base.tables import Sheet
from evalsys.base.working_days import local_day

WHOLE = 1000
"""Lines read at a time for a file."""


def rectifications_waiting(session: Session, actor: Actor) -> Iterator[Todo]:
    """What to open and remind of, to check, to report; each role its own."""
    if actor.role == Role.OFFICER:
        for code, count in count_needed(session, actor=actor).items():
            text = _("Contracts of %(cycle)s whose grade asks for a rectification", cycle=code)
            yield Todo(text, url_for("rectification.open_several", code=code), count=count)
    if actor.role in CHECKERS:
        reported = count_items(session, in_state(RectificationState.REPORTED), actor=actor)
        url = url_for("rectification.items", state=RectificationState.REPORTED.value)
        yield Todo(_("Rectifications to check"), url, count=reported)
        late = count_items(session, overdue_on(local_day(now())), actor=actor)
        yield Todo(_("Rectifications that are overdue"), url_for("rectification.items", state=OVERDUE), count=late)
    if actor.role == Role.VENDOR:
        waiting = count_items(session, in_state(RectificationState.OPEN), actor=actor)
        url = url_for("rectification.items", state=RectificationState.OPEN.value)
        yield Todo(_("Rectifications to report on"), url, count=waiting, due=next_due(session, actor=actor))


def rectifications_sheet(session: Session, wanted: Wanted, chosen: Chosen, *, actor: Actor, now: datetime) -> Sheet:
    """All lines that the list would show on its pages, in the same order."""
    headings = [
        _("Cycle"),
        _("Contract no."),
        _("Contract"),
        _("Vendor"),
        _("Credit code"),
        _("Region"),
        _("Grade"),
        _("Due date"),
        _("State"),
        _("Overdue"),
        _("Demanded"),
        _("Reported"),
        _("Found done"),
    ]
    items = _all(session, wanted, chosen, actor=actor, now=now)
    return Sheet(_("Rectifications"), headings, [_row(item, now) for item in items])


def _all(session: Session, wanted: Wanted, chosen: Chosen, *, actor: Actor, now: datetime) -> Iterator[Rectification]:
    for number in itertools.count(1):
        page = rectifications(session, replace(wanted, page=number, size=WHOLE), chosen, actor=actor, now=now)
        yield from page.rows
        if number >= page.pages:
            return


def _row(item: Rectification, now: datetime) -> list[str]:
    contract = item.entry.contract
    return [
        item.entry.cycle.code,
        contract.reference,
        contract.title,
        contract.vendor.name,
        contract.vendor.credit_code,
        contract.region.name,
        names_of(item.edition).grade(item.grade),
        day(item.due_on),
        rectification_state_name(item.state),
        _("Yes") if is_overdue(item, now) else "",
        day(item.opened_at),
        day(item.reported_at) if item.reported_at else "",
        day(item.done_at) if item.done_at else "",
    ]
