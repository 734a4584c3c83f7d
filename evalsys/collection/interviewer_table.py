"""The table of interviewers, as a page and as files, and what of it waits for the coordinator."""

from __future__ import annotations

from collections.abc import Iterator

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Actor
from evalsys.base.language import number
from evalsys.base.tables import Sheet
from evalsys.collection.desk_tables import Column, Table
from evalsys.collection.interview_marks import interviewers, worked
from evalsys.collection.interview_models import Recheck
from evalsys.collection.models import Outcome
from evalsys.collection.outcomes import NAMES
from evalsys.collection.rechecks import waiting
from evalsys.registry.cycle_notes import Note
from evalsys.registry.models import Cycle


def interviewer_table(session: Session, cycle: Cycle, *, key: bytes, actor: Actor) -> Table:
    """A line for each interviewer of the branch's cases."""
    columns = [
        Column("worked", _("Cases"), lambda one: one.worked),
        Column("answered", _("Answered"), lambda one: one.answered),
        Column("refused", _("Refused"), lambda one: one.refused),
        Column("unreachable", _("Not reached"), lambda one: one.unreachable),
        Column("gone", _("Moved or died"), lambda one: one.gone),
        Column("paper", str(NAMES[Outcome.PAPER]), lambda one: one.paper),
        Column("named", _("Can be checked"), lambda one: one.named),
        Column("drawn", _("Drawn"), lambda one: one.drawn),
        Column("share", _("Share drawn"), lambda one: one.share, percent=True),
        Column("checked", _("Asked again"), lambda one: one.checked),
        Column("confirmed", _("Confirmed"), lambda one: one.confirmed),
        Column("not_confirmed", _("Not confirmed"), lambda one: one.not_confirmed),
        Column("suggested", _("Answers suggested"), lambda one: one.suggested),
    ]
    return Table(_("Interviewers"), _("Interviewer"), columns, interviewers(session, cycle, key=key, actor=actor))


def drawn_sheet(session: Session, cycle: Cycle, *, key: bytes, actor: Actor) -> Sheet:
    """Every case that can be drawn by its number, its interviewer and the draw that took it; nobody's name."""
    drawn = dict(session.execute(select(Recheck.mark, Recheck.draw_id)).all())
    names = dict(session.execute(select(Account.id, Account.name)).all())
    cases = [case for case in worked(session, cycle, key=key, actor=actor) if case.used and case.named]
    rows = [
        [case.case_id, names[case.account_id], drawn.get(case.mark)]
        for case in sorted(cases, key=lambda case: case.case_id)
    ]
    return Sheet(_("Rechecks"), [_("Case"), _("Interviewer"), _("Draw")], rows)


def rechecks_waiting(session: Session, cycle: Cycle, _actor: Actor) -> Iterator[Note]:
    """A line where drawn interviews wait to be checked."""
    count = waiting(session, cycle)
    if count:
        yield Note(_("Interviews to check again"), number(count), url_for("rechecks.interviewers", code=cycle.code))
