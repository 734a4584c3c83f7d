"""What publishing waits for: vendors who were told, had their days, and whose objections are decided."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.appeals.models import OPEN, Objection
from evalsys.appeals.notices import deadline_of, notice_of, untold
from evalsys.base.language import day
from evalsys.evaluation.models import Run
from evalsys.publication.checks import Check
from evalsys.publication.queries import newest_edition
from evalsys.registry.models import Contract, Cycle, Entry
from evalsys.registry.pins import rules_of

NAMED = 5
"""Contracts named in a remedy; more are counted."""


def conditions(session: Session, cycle: Cycle, run: Run, now: datetime) -> Iterator[Check]:
    """For `publication.checks`. A correction needs no notice: whoever it changes may object to it afterwards."""
    if rules_of(cycle).appeals.notice_working_days and newest_edition(session, cycle) is None:
        yield _noticed(session, cycle, run, now)
    yield _objections_decided(session, cycle)


def _noticed(session: Session, cycle: Cycle, run: Run, now: datetime) -> Check:
    text = _("The vendors were told this result, and their time to object is over.")
    notice = notice_of(session, cycle)
    if notice is None:
        return Check(text, holds=False, remedy=_("Tell the vendors the preliminary result first."))
    changed = untold(session, notice, run)
    if changed:
        remedy = _("Their result changed since; tell the vendors anew: %(contracts)s.", contracts=_named(changed))
        return Check(text, holds=False, remedy=remedy)
    deadline = deadline_of(notice)
    if not deadline.is_over(now):
        return Check(text, holds=False, remedy=_("They may object until %(day)s.", day=day(deadline.day)))
    return Check(text, holds=True)


def _objections_decided(session: Session, cycle: Cycle) -> Check:
    statement = (
        select(Contract.reference)
        .join(Entry, Entry.contract_id == Contract.id)
        .join(Objection, Objection.entry_id == Entry.id)
        .where(Entry.cycle_id == cycle.id, Objection.state.in_(OPEN))
        .order_by(Contract.reference)
    )
    found = list(session.scalars(statement))
    return Check(
        _("Every objection is decided."),
        not found,
        _("Open are those to %(contracts)s.", contracts=_named(found)),
        may_be_marked=True,
    )


def _named(references: list[str]) -> str:
    named = "、".join(references[:NAMED])
    if len(references) <= NAMED:
        return named
    return str(_("%(named)s and %(n)s more", named=named, n=len(references) - NAMED))
