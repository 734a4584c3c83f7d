"""Contracts: what one vendor does for one purchaser."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor, Role
from evalsys.base.errors import Conflict, Invalid, NotFound
from evalsys.registry import changes
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Purchaser, Region

UNDER_WAY = (CycleState.COLLECTING.value, CycleState.REVIEW.value, CycleState.PRELIMINARY.value)


@dataclass(frozen=True)
class ContractFacts:
    """What is said of a contract; the names are the table's columns."""

    reference: str
    title: str
    vendor_id: int
    purchaser_id: int
    region_id: int
    service_type: str
    amount_fen: int
    starts_on: date
    ends_on: date
    procurement_method: str
    recipients_served: int


def contract_for(session: Session, number: int, *, actor: Actor) -> Contract:
    """A contract that the actor may read: a vendor its own, everybody else those of the branch."""
    contract = session.get(Contract, number)
    own = contract is not None and actor.role is Role.VENDOR and contract.vendor_id == actor.vendor_id
    readable = contract is not None and actor.role is not Role.VENDOR and actor.acts_in(contract.region.path)
    if contract is None or not (own or readable):
        raise NotFound(
            _("There is no such contract, or it belongs to another region."),
            remedy=_("Look for it in the list of contracts."),
        )
    return contract


def add_contract(session: Session, facts: ContractFacts, *, actor: Actor, now: datetime) -> Contract:
    """Register a contract; refuse a reference already used."""
    _check(session, facts, actor=actor)
    _refuse_used(session, facts.reference)
    contract = Contract(**vars(facts))
    session.add(contract)
    session.flush()
    audit.record(session, actor=actor, act="registry.add_contract", subject=f"contract:{facts.reference}", now=now)
    return contract


def edit_contract(session: Session, contract: Contract, facts: ContractFacts, *, actor: Actor, now: datetime) -> None:
    """Change what is said of a contract; what its evaluation rests on stays while a cycle is under way."""
    actor.require_region(contract.region.path)
    _check(session, facts, actor=actor)
    if facts.reference != contract.reference:
        _refuse_used(session, facts.reference)
    cycle = cycle_under_way(session, contract)
    fixed = (contract.reference, contract.vendor_id, contract.region_id, contract.service_type)
    if cycle is not None and fixed != (facts.reference, facts.vendor_id, facts.region_id, facts.service_type):
        raise Conflict(
            fixed_while_rated(cycle.code), remedy=_("Change them when the result of that cycle is published.")
        )
    subject = f"contract:{contract.reference}"
    changed = changes.apply(contract, vars(facts))
    audit.record(session, actor=actor, act="registry.edit_contract", subject=subject, now=now, detail=changed)


def fixed_while_rated(code: str) -> str:
    """Why an edit is refused."""
    text: str = _(
        "The contract is being evaluated in %(code)s; its reference, vendor, region and service type stay.", code=code
    )
    return text


def cycle_under_way(session: Session, contract: Contract) -> Cycle | None:
    """The cycle that evaluates the contract now, if one does."""
    return session.scalar(
        select(Cycle)
        .join(Entry, Entry.cycle_id == Cycle.id)
        .where(Entry.contract_id == contract.id, Cycle.state.in_(UNDER_WAY))
        .order_by(Cycle.id)
        .limit(1)
    )


def _check(session: Session, facts: ContractFacts, *, actor: Actor) -> None:
    actor.require_region(session.get_one(Region, facts.region_id).path)
    actor.require_region(session.get_one(Purchaser, facts.purchaser_id).region.path)
    if facts.ends_on <= facts.starts_on:
        raise Invalid(ends_too_early(), remedy=_("Check both days of the period."))


def ends_too_early() -> str:
    """Why a period is refused."""
    return str(_("The contract ends before it starts."))


def _refuse_used(session: Session, reference: str) -> None:
    used = session.scalar(select(Contract.title).where(Contract.reference == reference))
    if used is not None:
        raise Conflict(
            _("The reference %(reference)s is used by “%(title)s”.", reference=reference, title=used),
            remedy=_("Edit that contract, or check the reference."),
        )


def period_warning(starts_on: date, ends_on: date) -> str:
    """What 102号令 Art. 24 says of a long period; empty for one of at most a year. Never refused: the law has cases."""
    text = ""
    if ends_on >= _years_later(starts_on, 3):
        text = _("The period is longer than three years, the most that 102号令 Art. 24 allows.")
    elif ends_on >= _years_later(starts_on, 1):
        text = _(
            "The period is longer than a year: 102号令 Art. 24 allows up to three years where content, money and price "
            "are stable."
        )
    return text


def _years_later(day: date, years: int) -> date:
    """The same day some years on; from a leap day, the first of March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
