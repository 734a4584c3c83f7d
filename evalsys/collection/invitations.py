"""Codes for recipients: one for each place of the frame, told once and then only known by its keyed hash."""

from __future__ import annotations

import csv
import io
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, Select, delete, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict
from evalsys.collection.codes import code_hash, new_code
from evalsys.collection.counting import entries_of_branch
from evalsys.collection.models import Invitation
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, RosterMember, Stratum

OPEN_STATES = frozenset({CycleState.DRAFT, CycleState.COLLECTING})  # in which codes are given
BATCH = 5000


@dataclass(frozen=True)
class Invited:
    """A new code and the contract that it asks about, with what a slip says of it."""

    reference: str
    code: str
    title: str = ""
    vendor: str = ""
    township: str = ""


def invite(session: Session, cycle: Cycle, *, key: bytes, actor: Actor, now: datetime) -> list[Invited]:
    """Give codes to all recipients of the frame who have none: those of the roster first, then places by number.

    Args:
        key: see `codes.code_key`.

    Returns:
        The new codes; nobody can tell them again.

    Raises:
        NotAllowed: the cycle has nothing in common with the actor's branch.
        Conflict: the cycle does not collect any more, or has no frame.
    """
    _require_open(session, cycle, actor)
    strata = session.execute(
        select(Stratum, Contract)
        .join(Entry, Stratum.entry_id == Entry.id)
        .join(Contract, Entry.contract_id == Contract.id)
        .options(joinedload(Contract.vendor))
        .where(Entry.id.in_(entries_of_branch(cycle, actor)))
        .order_by(Contract.reference, Stratum.id)
    ).all()
    if not strata:
        raise Conflict(
            _("No contract of the cycle %(code)s has a frame of recipients.", code=cycle.code),
            remedy=_("Import the frames first: contract, township, service item, number of recipients."),
        )
    places = list(_places(session, entries_of_branch(cycle, actor), strata))
    made = _unheard_of_codes(session, len(places), key)
    rows = [
        {
            "code_hmac": digest,
            "entry_id": place.stratum.entry_id,
            "stratum_id": place.stratum.id,
            "roster_member_id": place.roster_member_id,
            "used": False,
        }
        for place, digest in zip(places, made.values(), strict=True)
    ]
    if rows:
        session.execute(insert(Invitation), rows)
        _record(session, cycle, "invite", len(rows), actor=actor, now=now)
    return [place.told(code) for place, code in zip(places, made, strict=True)]


def withdraw_unused(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> int:
    """Make the codes worthless that nobody has answered with, for example because the list of them was lost.

    A case of which somebody said why it has no answer is not asked again: it stays, under a code that nobody knows.

    Returns:
        How many there were.

    Raises:
        NotAllowed, Conflict: as `invite`.
    """
    _require_open(session, cycle, actor)
    mine = entries_of_branch(cycle, actor)
    unused = session.scalar(select(func.count()).where(Invitation.entry_id.in_(mine), ~Invitation.used)) or 0
    session.execute(
        delete(Invitation).where(Invitation.entry_id.in_(mine), ~Invitation.used, Invitation.outcome.is_(None))
    )
    for case in session.scalars(select(Invitation).where(Invitation.entry_id.in_(mine), ~Invitation.used)):
        case.code_hmac = secrets.token_bytes(32)
    session.flush()
    if unused:
        _record(session, cycle, "withdraw_codes", unused, actor=actor, now=now)
    return unused


def links_csv(invited: Iterable[Invited], base_url: str) -> str:
    """The list to print or to send from: contract, code, url."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("contract", "code", "url"))
    writer.writerows((one.reference, one.code, f"{base_url}/s/{one.code}") for one in invited)
    return out.getvalue()


@dataclass(frozen=True)
class _Place:
    """A recipient who has no code yet: by name where a roster says it, else only as one of so many."""

    contract: Contract
    stratum: Stratum
    roster_member_id: int | None

    def told(self, code: str) -> Invited:
        of = self.contract
        return Invited(of.reference, code, of.title, of.vendor.name, self.stratum.township)


def _places(session: Session, entries: Select[int], strata: Sequence[Row[Stratum, Contract]]) -> Iterator[_Place]:
    """The places without a code: a stratum has as many as its size says, or its roster where that is longer."""
    mine = select(Stratum.id).where(Stratum.entry_id.in_(entries))
    invited = _counts(session, Invitation.stratum_id, mine)
    enrolled = _counts(session, RosterMember.stratum_id, mine)
    waiting = defaultdict[int, list[int]](list)
    for stratum_id, member_id in session.execute(
        select(RosterMember.stratum_id, RosterMember.id)
        .outerjoin(Invitation, Invitation.roster_member_id == RosterMember.id)
        .where(RosterMember.stratum_id.in_(mine), Invitation.id.is_(None))
        .order_by(RosterMember.id)
    ):
        waiting[stratum_id].append(member_id)
    for stratum, contract in strata:
        open_places = max(stratum.size, enrolled.get(stratum.id, 0)) - invited.get(stratum.id, 0)
        members = waiting[stratum.id][: max(0, open_places)]
        for member in [*members, *[None] * (open_places - len(members))]:
            yield _Place(contract, stratum, member)


def _counts(session: Session, stratum_id: InstrumentedAttribute[Any], mine: Select[int]) -> dict[int, int]:
    rows = session.execute(select(stratum_id, func.count()).where(stratum_id.in_(mine)).group_by(stratum_id))
    return {stratum: int(number) for stratum, number in rows}


def _unheard_of_codes(session: Session, count: int, key: bytes) -> dict[str, bytes]:
    """New codes with their hashes, none of which the database knows."""
    made: dict[str, bytes] = {}
    while len(made) < count:
        drawn = {code_hash(code, key): code for code in (new_code() for _ in range(min(BATCH, count - len(made))))}
        known = set(session.scalars(select(Invitation.code_hmac).where(Invitation.code_hmac.in_(list(drawn)))))
        made |= {code: digest for digest, code in drawn.items() if digest not in known}
    return made


def _require_open(session: Session, cycle: Cycle, actor: Actor) -> None:
    if not actor.region_path.startswith(cycle.region.path):
        actor.require_region(cycle.region.path)
    session.refresh(cycle, with_for_update=True)  # two who give codes at once take turns
    if cycle.state not in OPEN_STATES:
        raise Conflict(
            _("The cycle %(code)s does not collect answers any more.", code=cycle.code),
            remedy=_("Codes are given out before and while a cycle collects."),
        )


def _record(session: Session, cycle: Cycle, act: str, count: int, *, actor: Actor, now: datetime) -> None:
    subject, detail = f"cycle:{cycle.code}", {"codes": count}
    audit.record(session, actor=actor, act=f"collection.{act}", subject=subject, now=now, detail=detail)
