"""Whom to call: recipients by name who have not answered, for the coordinator."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.listing import Page, Wanted
from evalsys.base.tables import Sheet
from evalsys.collection.interview_cases import open_cases
from evalsys.collection.models import Outcome
from evalsys.collection.outcomes import NAMES
from evalsys.registry.models import Cycle

MOST = 100_000


def call_list(session: Session, cycle: Cycle, wanted: Wanted, *, actor: Actor) -> Page[Any]:
    """Those of a cycle whom an interviewer is to ask, with what was said of them last."""
    return open_cases(session, wanted, actor=actor, cycle=cycle)


def save_call_list(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> Sheet:
    """The whole list as a file. It names people on assistance, so that it was saved stands in the audit trail."""
    page = call_list(session, cycle, Wanted(size=MOST), actor=actor)
    audit.record(
        session,
        actor=actor,
        act="collection.save_call_list",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail={"people": len(page.rows)},
    )
    headings = [_("Township"), _("Recipient"), _("Contact"), _("Service contract"), _("Vendor"), _("Last outcome")]
    rows = [[row.township, row.name, row.contact, row.title, row.vendor, _outcome(row.outcome)] for row in page.rows]
    return Sheet(_("Call list"), headings, rows, widths=(14, 14, 18, 36, 30, 24))


def _outcome(value: str | None) -> str:
    return str(NAMES[Outcome(value)]) if value else ""
