"""Who may decide an objection: who neither scored nor published, has no tie, and for the second time is from above."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.appeals.models import Objection, Recusal
from evalsys.base import audit
from evalsys.base.access import Actor, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, Invalid, NotAllowed
from evalsys.registry.models import Cycle

DECIDERS = (Role.OFFICER, Role.ADMINISTRATOR)
ACTS_BEFORE = ("evaluation.run_cycle", "publication.publish")
"""What nobody may have done in the cycle who decides whether it was right."""


def why_not(session: Session, objection: Objection, actor: Actor) -> str:
    """Why a person may not decide an objection; empty where they may."""
    if actor.role not in DECIDERS or actor.account_id is None:
        return str(_("Objections are decided by a person: an officer or an administrator."))
    cycle = objection.entry.cycle
    if not actor.acts_in(cycle.region.path):
        return str(_("This belongs to another region."))
    if objection.first is not None:
        if actor.region_path == cycle.region.path:
            return str(_("The second time, the region above decides."))
        if objection.first.decided_account_id == actor.account_id:
            return str(_("You decided the first objection."))
    if session.get(Recusal, (objection.id, actor.account_id)) is not None:
        return str(_("You stand aside from this objection."))
    return _took_part(session, cycle, actor)


def _took_part(session: Session, cycle: Cycle, actor: Actor) -> str:
    acted = session.scalar(
        select(AuditEntry.act)
        .where(
            AuditEntry.subject == f"cycle:{cycle.code}",
            AuditEntry.act.in_(ACTS_BEFORE),
            AuditEntry.account_id == actor.account_id,
        )
        .limit(1)
    )
    if acted is None:
        return ""
    return str(_("You published this cycle's result.") if acted == ACTS_BEFORE[1] else _("You scored this cycle."))


def require_independent(session: Session, objection: Objection, actor: Actor) -> None:
    """Raises NotAllowed, with the reason, for whoever may not decide."""
    reason = why_not(session, objection, actor)
    if reason:
        raise NotAllowed(reason, remedy=_("Let another officer or administrator of the branch, or of the city, do it."))


def recuse(session: Session, objection: Objection, reason: str, *, actor: Actor, now: datetime) -> None:
    """Stand aside for good, for example because of a tie with the vendor within two years.

    Raises:
        NotAllowed: the person could not decide it anyway.
        Invalid: no reason.
        Conflict: it is decided.
    """
    require_independent(session, objection, actor)
    if not objection.is_open:
        raise Conflict(_("This objection is no longer open."), remedy=_("There is nothing left to decide."))
    told = reason.strip()[:500]
    if not told:
        raise Invalid(_("Say why you stand aside."), remedy=_("For example: employed by the vendor until 2025."))
    session.add(Recusal(objection_id=objection.id, account_id=actor.account_id, reason=told, at=now))
    audit.record(
        session,
        actor=actor,
        act="appeals.recuse",
        subject=f"objection:{objection.number}",
        now=now,
        detail={"reason": told},
    )
    session.flush()
