"""The frame of an entry: how many recipients it serves, by township and service item.

Of which entries a sample is drawn is known on a higher floor: it fills the slot `app.extensions["sampled_entries"]`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import cast

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, NotFound
from evalsys.registry.models import Cycle, CycleState, Entry, RosterMember, Stratum

OPEN = (CycleState.DRAFT.value, CycleState.COLLECTING.value)


def entry_for(session: Session, cycle: Cycle, number: int) -> Entry:
    """An entry of the cycle; raises NotFound."""
    entry = session.get(Entry, number)
    if entry is None or entry.cycle_id != cycle.id:
        raise NotFound(
            _("The contract is not entered into this cycle."), remedy=_("Choose one from the list of its contracts.")
        )
    return entry


def strata_of(session: Session, entry: Entry) -> Sequence[Stratum]:
    """The parts of an entry's frame, in order."""
    return session.scalars(
        select(Stratum).where(Stratum.entry_id == entry.id).order_by(Stratum.township, Stratum.item)
    ).all()


def require_open(cycle: Cycle) -> None:
    """Raises Conflict once collecting is over: the frame is what the scores rest on."""
    if cycle.state not in OPEN:
        raise Conflict(
            _("Collecting for the cycle %(code)s is over; its frames stay.", code=cycle.code),
            remedy=_("Give the right numbers in the next cycle."),
        )


def sampled_entries(session: Session, cycle: Cycle) -> set[int]:
    """The entries whose frame stays as it is, for a sample is drawn from it."""
    ask = cast("Callable[[Session, int], set[int]]", current_app.extensions["sampled_entries"])
    return ask(session, cycle.id)


def drawn_from() -> tuple[str, str]:
    """Why the frame of a sampled entry stays, and what to do."""
    return (
        _("A sample is drawn from this frame, so it stays as it is."),
        _("Take the draw back first, as long as nobody has answered."),
    )


def require_not_drawn_from(session: Session, entry: Entry) -> None:
    """Raises Conflict where a sample of the entry is in force."""
    if entry.id in sampled_entries(session, entry.cycle):
        message, remedy = drawn_from()
        raise Conflict(message, remedy=remedy)


def set_stratum(
    session: Session, entry: Entry, *, township: str, item: str, size: int, actor: Actor, now: datetime
) -> Stratum:
    """Say how many recipients a part of the frame has; a part not known yet is added."""
    _require(session, entry, actor)
    key = (Stratum.entry_id == entry.id, Stratum.township == township, Stratum.item == item)
    stratum = session.scalar(select(Stratum).where(*key))
    before = stratum.size if stratum else None
    if stratum is None:
        stratum = Stratum(entry_id=entry.id, township=township, item=item, size=size)
        session.add(stratum)
    stratum.size = size
    session.flush()
    _tell(session, entry, stratum, [before, size], actor=actor, now=now)
    return stratum


def remove_stratum(session: Session, stratum: Stratum, *, actor: Actor, now: datetime) -> None:
    """Take a part out of a frame before collecting opens."""
    entry = stratum.entry
    _require(session, entry, actor)
    if entry.cycle.state != CycleState.DRAFT:
        raise Conflict(
            _("Collecting has opened; recipients of this part may have been asked."),
            remedy=_("Set its size to 0 if nobody is left in it."),
        )
    if session.scalar(select(exists().where(RosterMember.stratum_id == stratum.id))):
        raise Conflict(
            _("This part of the frame has a roster of names."), remedy=_("Set its size instead of removing it.")
        )
    session.delete(stratum)
    _tell(session, entry, stratum, [stratum.size, None], actor=actor, now=now)
    session.flush()


def _require(session: Session, entry: Entry, actor: Actor) -> None:
    actor.require_region(entry.cycle.region.path)
    session.refresh(
        entry.cycle, attribute_names=["state"], with_for_update=True
    )  # who draws a sample takes turns with us
    require_open(entry.cycle)
    require_not_drawn_from(session, entry)


def _tell(
    session: Session, entry: Entry, stratum: Stratum, size: list[int | None], *, actor: Actor, now: datetime
) -> None:
    audit.record(
        session,
        actor=actor,
        act="registry.set_frame",
        subject=f"cycle:{entry.cycle.code}",
        now=now,
        detail={
            "contract": entry.contract.reference,
            "township": stratum.township,
            "item": stratum.item,
            "size": size,
        },
    )
