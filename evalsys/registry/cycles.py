"""The life of a cycle: which state follows which, what it takes, and what is entered into it.

Which place of a list an invitation was for is known on a higher floor: it fills the slot
`app.extensions["forget_numbers"]`, which closing asks to forget it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import delete, exists, func, insert, select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Invalid, NotFound
from evalsys.registry import changes
from evalsys.registry.frames import require_not_drawn_from
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Region, RosterMember, Stratum

TRANSITIONS: dict[CycleState, CycleState | None] = {
    CycleState.DRAFT: CycleState.COLLECTING,
    CycleState.COLLECTING: CycleState.REVIEW,
    CycleState.REVIEW: CycleState.PRELIMINARY,
    CycleState.PRELIMINARY: CycleState.PUBLISHED,
    CycleState.PUBLISHED: CycleState.CLOSED,
    CycleState.CLOSED: None,
}

GRACE = timedelta(minutes=30)
"""How long after the end of collecting a form is taken that a recipient had opened before it."""


def state_name(state: str) -> str:
    """A state in the reader's language."""
    names: dict[str, str] = {
        CycleState.DRAFT.value: _("In preparation"),
        CycleState.COLLECTING.value: _("Collecting ratings"),
        CycleState.REVIEW.value: _("Under review"),
        CycleState.PRELIMINARY.value: _("Preliminary result"),
        CycleState.PUBLISHED.value: _("Published"),
        CycleState.CLOSED.value: _("Closed"),
    }
    return names[state]


def cycle_by_code(session: Session, code: str) -> Cycle:
    """Raises NotFound for an unknown code, with those there are."""
    cycle = session.scalar(select(Cycle).where(Cycle.code == code))
    if cycle is None:
        known = "、".join(session.scalars(select(Cycle.code).order_by(Cycle.year.desc(), Cycle.code).limit(10)))
        raise NotFound(
            _("There is no cycle %(code)s.", code=code),
            remedy=_("Use one of: %(codes)s.", codes=known) if known else _("Add a cycle first."),
        )
    return cycle


@dataclass(frozen=True)
class CycleFacts:
    """What a person says of a cycle."""

    code: str
    title: str
    year: int
    region_id: int
    opens_on: date
    closes_on: date


def add_cycle(session: Session, facts: CycleFacts, *, actor: Actor, now: datetime, simulated: bool = False) -> Cycle:
    """Prepare a cycle: a draft without contracts or rules."""
    _check_facts(session, facts, actor=actor)
    if session.scalar(select(exists().where(Cycle.code == facts.code))):
        raise Conflict(
            _("There is a cycle %(code)s already.", code=facts.code),
            remedy=_("Choose another code, or edit the cycle that has it."),
        )
    cycle = Cycle(**vars(facts), state=CycleState.DRAFT.value, simulated=simulated)
    session.add(cycle)
    session.flush()
    audit.record(session, actor=actor, act="registry.add_cycle", subject=f"cycle:{cycle.code}", now=now)
    return cycle


def edit_cycle(session: Session, cycle: Cycle, facts: CycleFacts, *, actor: Actor, now: datetime) -> None:
    """Change what is said of a cycle; its code never changes, its region and year only in draft."""
    actor.require_region(cycle.region.path)
    _check_facts(session, facts, actor=actor)
    fixed = (cycle.code, cycle.year, cycle.region_id)
    if cycle.state != CycleState.DRAFT and fixed != (facts.code, facts.year, facts.region_id):
        raise Conflict(
            _("Year and region stand fixed once collecting has opened."), remedy=_("Change only title and dates.")
        )
    if facts.code != cycle.code:
        raise Conflict(_("The code of a cycle stays as it is."), remedy=_("Add another cycle."))
    changed = changes.apply(cycle, vars(facts))
    audit.record(
        session, actor=actor, act="registry.edit_cycle", subject=f"cycle:{cycle.code}", now=now, detail=changed
    )


def _check_facts(session: Session, facts: CycleFacts, *, actor: Actor) -> None:
    actor.require_region(session.get_one(Region, facts.region_id).path)
    if facts.closes_on < facts.opens_on:
        raise Invalid(
            _("Collecting would close before it opens."), remedy=_("Give a last day on or after the first day.")
        )


def move(session: Session, cycle: Cycle, to: CycleState, *, actor: Actor, now: datetime) -> None:
    """Take a cycle to its next state.

    Closing deletes the rosters and whose place in them an invitation was for: both are kept no longer than needed.

    Raises:
        Conflict: the state does not follow on the present one, or something is missing for it.
    """
    actor.require_region(cycle.region.path)
    session.refresh(cycle, attribute_names=["state"], with_for_update=True)  # of two who move at once, one comes second
    state = CycleState(cycle.state)
    if TRANSITIONS[state] != to:
        raise _wrong_step(cycle, to)
    if to is CycleState.COLLECTING:
        _require_ready(session, cycle)
    cycle.state = to.value
    if to is CycleState.REVIEW:
        cycle.collected_until = now
    if to is CycleState.CLOSED:
        _delete_rosters(session, cycle)
        cast("Callable[[Session, int], None]", current_app.extensions["forget_numbers"])(session, cycle.id)
    session.flush()
    audit.record(
        session,
        actor=actor,
        act="registry.move_cycle",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail={"from": state.value, "to": to.value},
    )


def forms_taken_until(cycle: Cycle) -> datetime | None:
    """Until when forms that were opened in time are taken; None while it collects, and where the end was not noted."""
    return cycle.collected_until + GRACE if cycle.collected_until else None


def _wrong_step(cycle: Cycle, to: CycleState) -> Conflict:
    following = TRANSITIONS[CycleState(cycle.state)]
    return Conflict(
        _(
            "The cycle %(code)s is “%(state)s” and cannot become “%(to)s”.",
            code=cycle.code,
            state=state_name(cycle.state),
            to=state_name(to),
        ),
        remedy=_("The next step is “%(state)s”.", state=state_name(following))
        if following
        else _("Add a new cycle for further evaluations."),
    )


def _require_ready(session: Session, cycle: Cycle) -> None:
    missing = []
    if cycle.rules_id is None:
        missing.append(_("Pin the rules that it goes by."))
    if not session.scalar(select(exists().where(Entry.cycle_id == cycle.id))):
        missing.append(_("Enter at least one contract."))
    if missing:
        raise Conflict(
            _("The cycle %(code)s is not ready to collect ratings.", code=cycle.code), remedy=" ".join(missing)
        )


def _delete_rosters(session: Session, cycle: Cycle) -> None:
    strata = select(Stratum.id).join(Entry).where(Entry.cycle_id == cycle.id)
    session.execute(
        delete(RosterMember).where(RosterMember.stratum_id.in_(strata)).execution_options(synchronize_session=False)
    )


def enter(session: Session, cycle: Cycle, contracts: Iterable[Contract], *, actor: Actor, now: datetime) -> int:
    """Enter contracts into a cycle that has not closed collecting; those entered already stay as they are.

    Returns:
        How many were not entered before.

    Raises:
        Invalid: a contract lies outside the cycle's region.
    """
    actor.require_region(cycle.region.path)
    if cycle.state not in (CycleState.DRAFT, CycleState.COLLECTING):
        raise Conflict(
            _("Collecting for the cycle %(code)s is over; nothing more can be entered.", code=cycle.code),
            remedy=_("Enter the contract into the next cycle."),
        )
    wanted = {contract.id: contract for contract in contracts}
    outside = [c.reference for c in wanted.values() if not c.region.path.startswith(cycle.region.path)]
    if outside:
        raise Invalid(
            _(
                "These contracts belong to other regions than the cycle: %(contracts)s",
                contracts="、".join(outside[:10]),
            ),
            remedy=_("Enter them into a cycle of their own region."),
        )
    entered = set(session.scalars(select(Entry.contract_id).where(Entry.cycle_id == cycle.id)))
    fresh = [{"cycle_id": cycle.id, "contract_id": number} for number in sorted(wanted.keys() - entered)]
    if fresh:
        session.execute(insert(Entry), fresh)
        audit.record(
            session,
            actor=actor,
            act="registry.enter",
            subject=f"cycle:{cycle.code}",
            now=now,
            detail={"contracts": [wanted[row["contract_id"]].reference for row in fresh]},
        )
    return len(fresh)


def withdraw(session: Session, entry: Entry, *, actor: Actor, now: datetime) -> None:
    """Take a contract out of a cycle that has not opened yet, with its frame."""
    cycle = entry.cycle
    actor.require_region(cycle.region.path)
    if cycle.state != CycleState.DRAFT:
        raise Conflict(
            _("Collecting has opened; a contract can no longer be taken out."),
            remedy=_("A contract that nobody rates is published as not rated, with the reason."),
        )
    require_not_drawn_from(session, entry)
    strata = select(Stratum.id).where(Stratum.entry_id == entry.id)
    for statement in (
        delete(RosterMember).where(RosterMember.stratum_id.in_(strata)),
        delete(Stratum).where(Stratum.entry_id == entry.id),
    ):
        session.execute(statement.execution_options(synchronize_session=False))
    audit.record(
        session,
        actor=actor,
        act="registry.withdraw",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail={"contract": entry.contract.reference},
    )
    session.delete(entry)
    session.flush()


def entry_count(session: Session, cycle: Cycle) -> int:
    """How many contracts are entered."""
    return session.scalar(select(func.count()).select_from(Entry).where(Entry.cycle_id == cycle.id)) or 0
