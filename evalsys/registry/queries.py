"""Reads of the registry that more than one page needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from evalsys.base.access import Actor
from evalsys.base.errors import NotFound
from evalsys.base.listing import Page, Wanted, paginate
from evalsys.registry.cycles import cycle_by_code
from evalsys.registry.models import (
    Contract,
    Cycle,
    CycleState,
    Entry,
    EvaluatorBody,
    Purchaser,
    Region,
    RosterMember,
    RulesPin,
    Stratum,
    Vendor,
)

CHOICES_SHOWN = 300


def readable_cycle(session: Session, code: str, *, actor: Actor) -> Cycle:
    """A cycle of the actor's branch, or of a region above it, which evaluates the branch too."""
    cycle = cycle_by_code(session, code)
    if not actor.region_path.startswith(cycle.region.path):
        actor.require_region(cycle.region.path)
    return cycle


def cycles_under_way(
    session: Session, wanted: Wanted, *, actor: Actor, of: Any, made: InstrumentedAttribute[datetime]
) -> Page[Any]:
    """The cycles of the actor's branch that have left preparation, each beside the newest thing made of it, or None.

    Args:
        of: a model of such things, with `id` and `cycle_id`.
        made: its column of when they were made.
    """
    newest = select(func.max(of.id)).where(of.cycle_id == Cycle.id).correlate(Cycle).scalar_subquery()
    statement = (
        select(Cycle, of)
        .join(Region, Region.id == Cycle.region_id)
        .outerjoin(of, of.id == newest)
        .where(Region.path.startswith(actor.region_path, autoescape=True), Cycle.state != CycleState.DRAFT.value)
        .options(joinedload(Cycle.region))
    )
    return paginate(
        session,
        statement,
        wanted,
        sorts={"year": Cycle.year, "code": Cycle.code, "title": Cycle.title, "state": Cycle.state, "made": made},
        default_sort="-year",
        search=(Cycle.code, Cycle.title),
        tie=Cycle.id,
    )


def purchaser_for(session: Session, number: int, *, actor: Actor) -> Purchaser:
    """A purchaser of the actor's branch."""
    purchaser = session.get(Purchaser, number)
    if purchaser is None:
        raise NotFound(_("There is no such purchaser."), remedy=_("Look for it in the list of purchasers."))
    actor.require_region(purchaser.region.path)
    return purchaser


def evaluator_body_by_code(session: Session, code: str) -> EvaluatorBody:
    """Raises NotFound for a code nobody holds."""
    body = session.scalar(select(EvaluatorBody).where(EvaluatorBody.credit_code == code))
    if body is None:
        raise NotFound(_("There is no such body of evaluators."), remedy=_("Look for it in the list of evaluators."))
    return body


def purchasers_in(session: Session, actor: Actor) -> Sequence[Purchaser]:
    """The purchasers of a branch, for a choice."""
    inside = Region.path.startswith(actor.region_path, autoescape=True)
    return session.scalars(
        select(Purchaser).join(Purchaser.region).where(inside).order_by(Region.path, Purchaser.name)
    ).all()


def vendor_written(session: Session, text: str) -> Vendor | None:
    """The vendor that a person means by a credit code, or by a name that only one has."""
    text = text.strip()
    found = session.scalars(
        select(Vendor).where((Vendor.credit_code == text.upper()) | (Vendor.name == text)).limit(2)
    ).all()
    return found[0] if len(found) == 1 else None


def vendors_suggested(session: Session) -> Sequence[Vendor]:
    """Some vendors to suggest while a person types; the newest first."""
    return session.scalars(select(Vendor).order_by(Vendor.id.desc()).limit(CHOICES_SHOWN)).all()


def frame_sizes(session: Session, cycle: Cycle) -> dict[int, int]:
    """Recipients in the frame of each entry that has one."""
    query = (
        select(Stratum.entry_id, func.sum(Stratum.size))
        .join(Entry)
        .where(Entry.cycle_id == cycle.id)
        .group_by(Stratum.entry_id)
    )
    return {entry: int(size) for entry, size in session.execute(query)}


def roster_sizes(session: Session, entry: Entry) -> dict[int, int]:
    """How many names each part of an entry's frame holds; the names themselves stand on no page."""
    query = (
        select(RosterMember.stratum_id, func.count())
        .join(Stratum)
        .where(Stratum.entry_id == entry.id)
        .group_by(RosterMember.stratum_id)
    )
    return dict(session.execute(query).all())


def pins_of(session: Session, cycle: Cycle) -> Sequence[RulesPin]:
    """The rules a cycle went by, the newest first."""
    return session.scalars(select(RulesPin).where(RulesPin.cycle_id == cycle.id).order_by(RulesPin.id.desc())).all()


def contracts_to_enter(session: Session, cycle: Cycle) -> Sequence[Contract]:
    """Contracts of the cycle's branch whose period touches its year and that are not entered yet."""
    entered = select(Entry.contract_id).where(Entry.cycle_id == cycle.id)
    year_starts, year_ends = (
        cycle.opens_on.replace(year=cycle.year, month=1, day=1),
        cycle.closes_on.replace(year=cycle.year, month=12, day=31),
    )
    return session.scalars(
        select(Contract)
        .join(Region, Region.id == Contract.region_id)
        .where(
            Region.path.startswith(cycle.region.path, autoescape=True),
            Contract.starts_on <= year_ends,
            Contract.ends_on >= year_starts,
            Contract.id.not_in(entered),
        )
        .order_by(Contract.reference)
    ).all()


def entries_of_contract(session: Session, contract: Contract) -> Sequence[Entry]:
    """The cycles a contract is entered into, the newest first."""
    return session.scalars(
        select(Entry).join(Cycle).where(Entry.contract_id == contract.id).order_by(Cycle.year.desc(), Cycle.id.desc())
    ).all()


def counts(session: Session, actor: Actor) -> dict[str, int]:
    """How many rows of each sort the actor's branch holds."""
    inside = Region.path.startswith(actor.region_path, autoescape=True)
    return {
        "regions": session.scalar(select(func.count()).select_from(Region).where(inside)) or 0,
        "purchasers": session.scalar(select(func.count()).select_from(Purchaser).join(Region).where(inside)) or 0,
        "vendors": session.scalar(select(func.count()).select_from(Vendor)) or 0,
        "contracts": session.scalar(
            select(func.count()).select_from(Contract).join(Region, Region.id == Contract.region_id).where(inside)
        )
        or 0,
        "cycles": session.scalar(select(func.count()).select_from(Cycle).join(Region).where(inside)) or 0,
        "evaluator_bodies": session.scalar(select(func.count()).select_from(EvaluatorBody).join(Region).where(inside))
        or 0,
    }
