"""Until when something may be done about a result or an objection; always from the calendar as it is known today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from evalsys.appeals.models import Objection
from evalsys.appeals.notices import deadline_of, notice_of
from evalsys.base.working_days import Deadline, after_days, after_working_days
from evalsys.evaluation.models import Run
from evalsys.publication.queries import newest_edition
from evalsys.registry.models import Entry
from evalsys.registry.pins import rules_of


@dataclass(frozen=True)
class Window:
    """A time in which a vendor may object to a run's result."""

    run: Run
    deadline: Deadline


def window_of(session: Session, entry: Entry) -> Window | None:
    """The last window for an entry, open or over: the notice period, or as long after a correction that changed it."""
    cycle = entry.cycle
    edition = newest_edition(session, cycle)
    if edition is not None and any(item["contract"] == entry.contract.reference for item in edition.changes):
        days = rules_of(cycle).appeals.notice_working_days
        return Window(edition.run, after_working_days(edition.published_at, days))
    notice = notice_of(session, cycle)
    return Window(notice.run, deadline_of(notice)) if notice else None


def answer_due(objection: Objection) -> Deadline | None:
    """Until when an open objection has to be taken up or decided; None where it is closed."""
    return _due(objection) if objection.is_open else None


def _due(objection: Objection) -> Deadline:
    """Until when it has, or had, to be decided, once it was taken up; before that, to be taken up."""
    days = rules_of(objection.entry.cycle).appeals
    if objection.accepted_at is None:
        return after_working_days(objection.filed_at, days.acceptance_working_days)
    more = days.extension_days if objection.extended_at else 0
    return after_days(objection.accepted_at, days.decision_days + more)


def second_level_until(objection: Objection) -> Deadline | None:
    """Until when a vendor may turn to the region above; None for what is not a first decision."""
    if objection.level != 1 or objection.decided_at is None:
        return None
    return after_days(objection.decided_at, rules_of(objection.entry.cycle).appeals.second_level_days)


def was_in_time(objection: Objection) -> bool:
    """Whether it was decided within its days, counted from when it was taken up."""
    return objection.decided_at is not None and not _due(objection).is_over(objection.decided_at)


def is_overdue(objection: Objection, now: datetime) -> bool:
    due = answer_due(objection)
    return due is not None and due.is_over(now)
