"""Whose a contract is: what a vendor may read and answer, by its account or by a sealed letter."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from evalsys.base.access import Actor
from evalsys.base.errors import NotFound
from evalsys.registry.models import Contract, Cycle, Entry


def is_own(actor: Actor) -> ColumnElement[bool]:
    """Of entries joined to their contracts, those of the actor's vendor; by a letter, those of its cycle."""
    own = Contract.vendor_id == actor.vendor_id
    return own if actor.cycle_id is None else own & (Entry.cycle_id == actor.cycle_id)


def owns(actor: Actor, entry: Entry) -> bool:
    """The same of an entry that is at hand."""
    return entry.contract.vendor_id == actor.vendor_id and actor.cycle_id in (None, entry.cycle_id)


def own_entry(session: Session, entry_id: int, *, actor: Actor) -> Entry:
    """A contract of the actor's own in a cycle.

    Raises:
        NotFound: there is none of this number, or it is somebody else's, which is not told.
    """
    found = session.scalar(
        select(Entry)
        .join(Entry.contract)
        .where(Entry.id == entry_id, is_own(actor))
        .options(contains_eager(Entry.contract), joinedload(Entry.cycle).joinedload(Cycle.region))
    )
    if found is None:
        raise NotFound(_("You have no such contract."), remedy=_("Start from the list of your contracts."))
    return found
