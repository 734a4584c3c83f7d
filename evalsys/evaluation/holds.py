"""A person's decision on flagged ratings: held back and counted nowhere, or released and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Invalid, NotAllowed, NotFound
from evalsys.evaluation.integrity_scan import require_open
from evalsys.evaluation.models import FlagState, IntegrityFlag
from evalsys.registry.models import Cycle, Entry

LONGEST_REASON = 500


def decide(
    session: Session,
    cycle: Cycle,
    flags: Collection[int],
    decision: FlagState,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
) -> list[IntegrityFlag]:
    """Hold or release what flags are about; deciding anew is allowed, and the audit trail keeps every decision.

    Nothing is deleted. Scores change with the next run; what is published changes only with a new edition.

    Args:
        session: writes; the cycle's row is locked.
        cycle: under review, preliminary or published.
        flags: ids; all are decided, or none.
        decision: held or released.
        reason: why, in the person's words.
        actor: who decides; never about a rating of their own.
        now: when.

    Raises:
        NotAllowed: another region's cycle, or a rating that the actor gave.
        NotFound: a flag is not one of this cycle.
        Invalid: no flag, no reason, or a whole contract is to be held.
        Conflict: the cycle is still collecting, or closed.
    """
    actor.require_region(cycle.region.path)
    session.refresh(cycle, attribute_names=["state"], with_for_update=True)
    require_open(cycle)
    reason = reason.strip()
    _require_reason(flags, reason)
    chosen = _chosen(session, cycle, flags)
    for flag in chosen:
        _require_allowed(flag, decision, actor)
        flag.state, flag.reason = decision.value, reason
        flag.decided_at, flag.decided_by = now, actor.name
        rating = flag.response or flag.assessment
        if rating is not None:
            rating.held = decision is FlagState.HELD
    session.flush()
    contracts = Counter(flag.entry.contract.reference for flag in chosen)
    audit.record(
        session,
        actor=actor,
        act="evaluation.hold_ratings" if decision is FlagState.HELD else "evaluation.release_ratings",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail={
            "reason": reason,
            "flags": sorted(flag.id for flag in chosen),
            "contracts": dict(sorted(contracts.items())),
        },
    )
    return chosen


def _require_reason(flags: Collection[int], reason: str) -> None:
    if not flags:
        raise Invalid(_("No flag is chosen."), remedy=_("Tick at least one."))
    if not reason:
        raise Invalid(
            _("A decision needs its reason."), remedy=_("Write what you checked, and why this follows from it.")
        )
    if len(reason) > LONGEST_REASON:
        raise Invalid(_("The reason is longer than %(most)s characters.", most=LONGEST_REASON), remedy=_("Shorten it."))


def _chosen(session: Session, cycle: Cycle, flags: Collection[int]) -> list[IntegrityFlag]:
    wanted = set(flags)
    chosen = session.scalars(
        select(IntegrityFlag)
        .join(Entry)
        .where(Entry.cycle_id == cycle.id, IntegrityFlag.id.in_(wanted))
        .options(
            joinedload(IntegrityFlag.entry).joinedload(Entry.contract),
            joinedload(IntegrityFlag.response),
            joinedload(IntegrityFlag.assessment),
        )
        .order_by(IntegrityFlag.id)
    ).all()
    if len(chosen) < len(wanted):
        raise NotFound(
            _("A flag is no longer there; its signs may have gone with a new scan."), remedy=_("Load the page again.")
        )
    return list(chosen)


def _require_allowed(flag: IntegrityFlag, decision: FlagState, actor: Actor) -> None:
    if flag.assessment is not None and actor.account_id is not None and flag.assessment.account_id == actor.account_id:
        raise NotAllowed(_("Nobody decides about a rating of their own."), remedy=_("Ask a colleague to decide."))
    if decision is FlagState.HELD and flag.response_key is None and flag.assessment_id is None:
        raise Invalid(
            _("A sign that a contract shows as a whole holds nothing back."),
            remedy=_("Release it with what you found, and hold the single ratings that are at fault."),
        )
