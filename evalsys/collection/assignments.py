"""Which third-party evaluator is to assess which entries of a cycle, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import exists, select
from sqlalchemy.orm import Session, joinedload

from evalsys.accounts.models import Account
from evalsys.base import audit
from evalsys.base.access import Actor, Role
from evalsys.base.errors import Conflict, Invalid, NotAllowed, NotFound
from evalsys.base.language import CHINA, day
from evalsys.collection.interests import ties_of
from evalsys.collection.models import Assessment, AssessmentState, Assignment
from evalsys.registry.models import Contract, Cycle, CycleState, Entry

OPEN_STATES = frozenset({CycleState.DRAFT.value, CycleState.COLLECTING.value})


@dataclass(frozen=True)
class Assign:
    """Give these entries of one cycle to one evaluator. `due_on` None: until the cycle closes."""

    cycle_id: int
    entry_ids: Sequence[int]
    account_id: int
    due_on: date | None = None


@dataclass(frozen=True)
class Assigned:
    """What an assignment changed."""

    added: int
    changed: int  # had it already, and got another due date


def assign(session: Session, request: Assign, *, actor: Actor, now: datetime) -> Assigned:
    """Assign entries to an evaluator, or change the due date of those assigned already.

    Raises:
        NotFound: no such cycle or evaluator.
        NotAllowed: not an administrator, or an entry of another region.
        Conflict: the cycle collects no more.
        Invalid: nothing chosen, a due date outside the cycle, an evaluator whose branch or independence does not
            allow it; every such entry is listed, and nothing is assigned.
    """
    cycle = session.get(Cycle, request.cycle_id)
    evaluator = session.get(Account, request.account_id, options=[joinedload(Account.evaluator_body)])
    if cycle is None or evaluator is None or evaluator.role != Role.EVALUATOR or not evaluator.active:
        raise NotFound(_("There is no such cycle or evaluator."), remedy=_("Choose them from the lists."))
    require_open(cycle)
    entries = _entries(session, request)
    for entry in entries:
        _require_administrator(actor, entry)
    require_due_date(request.due_on, cycle, now)
    lock_assignments(session, cycle.id)
    _require_fit(session, cycle, evaluator, entries)
    done = _store(session, request, entries)
    audit.record(
        session,
        actor=actor,
        act="collection.assign",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail={
            "evaluator": evaluator.username,
            "due_on": request.due_on.isoformat() if request.due_on else None,
            "contracts": [entry.contract.reference for entry in entries],
        },
    )
    return done


def _require_administrator(actor: Actor, entry: Entry) -> None:
    if actor.role != Role.ADMINISTRATOR:
        raise NotAllowed(_("Only an administrator assigns evaluators."), remedy=_("Ask the administrator to do it."))
    actor.require_region(entry.contract.region.path)


def require_open(cycle: Cycle) -> None:
    """Raises Conflict once collecting is over."""
    if cycle.state not in OPEN_STATES:
        raise Conflict(
            _("Collecting for “%(title)s” is over.", title=cycle.title),
            remedy=_("Evaluators are assigned before or during collecting."),
        )


def _entries(session: Session, request: Assign) -> list[Entry]:
    wanted = set(request.entry_ids)
    if not wanted:
        raise Invalid(_("No contract is chosen."), remedy=_("Tick at least one contract in the list."))
    entries = session.scalars(
        select(Entry)
        .where(Entry.id.in_(wanted), Entry.cycle_id == request.cycle_id)
        .options(
            joinedload(Entry.contract).joinedload(Contract.vendor),
            joinedload(Entry.contract).joinedload(Contract.region),
        )
        .order_by(Entry.id)
    ).all()
    if len(entries) != len(wanted):
        raise NotFound(_("A chosen contract is not in this cycle."), remedy=_("Reload the list and choose again."))
    return list(entries)


def require_due_date(due_on: date | None, cycle: Cycle, now: datetime) -> None:
    """Raises Invalid for a due date that is over, or after the cycle's last day."""
    if due_on is not None and not now.astimezone(CHINA).date() <= due_on <= cycle.closes_on:
        raise Invalid(
            _("The due date lies outside the time that is left."),
            remedy=_("Choose a day from today to %(last)s.", last=day(cycle.closes_on)),
        )


def _require_fit(session: Session, cycle: Cycle, evaluator: Account, entries: Sequence[Entry]) -> None:
    """An evaluator acts inside their branch, and never on a contract that a tie bars."""
    ties = ties_of(session, cycle, [evaluator])[evaluator.id]
    faults = []
    for entry in entries:
        contract = entry.contract
        why = ties.why(contract)
        if not why and not contract.region.path.startswith(evaluator.region.path):
            why = _("lies outside the evaluator's branch, %(region)s", region=evaluator.region.name)
        if why:
            faults.append(_("%(reference)s: %(why)s.", reference=contract.reference, why=why))
    if faults:
        raise Invalid(
            _("%(name)s may not assess some of the chosen contracts; none was assigned.", name=evaluator.name),
            remedy=_("Leave them out, or choose another evaluator for them."),
            details=faults,
        )


def lock_assignments(session: Session, cycle_id: int) -> None:
    """Until the transaction's end nobody else assigns in the cycle, or signs what bars an evaluator from it."""
    session.execute(select(Cycle.id).where(Cycle.id == cycle_id).with_for_update(key_share=True))


def _store(session: Session, request: Assign, entries: Sequence[Entry]) -> Assigned:
    ids = [entry.id for entry in entries]
    kept = {
        row.entry_id: row
        for row in session.scalars(
            select(Assignment).where(Assignment.account_id == request.account_id, Assignment.entry_id.in_(ids))
        )
    }
    changed = [row for row in kept.values() if row.due_on != request.due_on]
    for row in changed:
        row.due_on = request.due_on
    fresh = [entry_id for entry_id in ids if entry_id not in kept]
    session.add_all(
        Assignment(entry_id=entry_id, account_id=request.account_id, due_on=request.due_on) for entry_id in fresh
    )
    session.flush()
    return Assigned(added=len(fresh), changed=len(changed))


def withdraw(session: Session, assignment_id: int, *, actor: Actor, now: datetime) -> Cycle:
    """Take an assignment back; a draft stays and is found again when it is given back.

    Returns:
        The cycle it belonged to.

    Raises:
        NotFound: there is no such assignment.
        NotAllowed: not an administrator of its region.
        Conflict: the evaluator has submitted.
    """
    assignment = session.get(
        Assignment, assignment_id, options=[joinedload(Assignment.entry), joinedload(Assignment.account)]
    )
    if assignment is None:
        raise NotFound(_("There is no such assignment."), remedy=_("It may have been taken back already."))
    entry = assignment.entry
    _require_administrator(actor, entry)
    submitted = exists().where(
        Assessment.entry_id == entry.id,
        Assessment.account_id == assignment.account_id,
        Assessment.state == AssessmentState.SUBMITTED,
    )
    if session.scalar(select(submitted)):
        raise Conflict(
            _("The evaluator has submitted this assessment already."),
            remedy=_("A submitted assessment stays; it can be held back from scoring in the review."),
        )
    session.delete(assignment)
    session.flush()
    audit.record(
        session,
        actor=actor,
        act="collection.withdraw_assignment",
        subject=f"cycle:{entry.cycle.code}",
        now=now,
        detail={"evaluator": assignment.account.username, "contract": entry.contract.reference},
    )
    return entry.cycle
