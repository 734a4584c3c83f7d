"""Codes for recipients: one for each place of the frame, told once and then only known by its keyed hash."""

from __future__ import annotations

import csv
import io
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, Select, delete, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict
from evalsys.base.tokens import Box
from evalsys.collection.codes import code_hash, new_code
from evalsys.collection.counting import entries_of_branch
from evalsys.collection.messages.keeping import keep_codes
from evalsys.collection.models import Invitation
from evalsys.collection.sample_cases import asked_numbers, roster_numbers
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Stratum

OPEN_STATES = frozenset({CycleState.DRAFT, CycleState.COLLECTING})  # in which codes are given
BATCH = 5000


@dataclass(frozen=True)
class Invited:
    """A new code and the contract that it asks about, with what a slip says of it.

    `number`: whose it is, by the place in the list of the township and service item; None where it is anybody's there.
    """

    reference: str
    code: str
    title: str = ""
    vendor: str = ""
    township: str = ""
    item: str = ""
    number: int | None = None


def invite(
    session: Session, cycle: Cycle, *, key: bytes, actor: Actor, now: datetime, box: Box | None = None
) -> list[Invited]:
    """Give codes to all who are to be asked and have none: of a sample those drawn, else everybody in the frame.

    Args:
        key: see `codes.code_key`.
        box: keeps, locked, the codes of those to whom messages can be sent.

    Returns:
        The new codes; nobody can tell them again.

    Raises:
        NotAllowed: the cycle has nothing in common with the actor's branch.
        Conflict: the cycle does not collect any more, or has no frame.
    """
    require_open(session, cycle, actor)
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
    places = list(open_places(session, entries_of_branch(cycle, actor), strata))
    made = unheard_of(session, len(places), lambda code: code_hash(code, key), Invitation.code_hmac)
    rows = [
        {
            "code_hmac": digest,
            "entry_id": place.stratum.entry_id,
            "stratum_id": place.stratum.id,
            "roster_member_id": place.roster_member_id,
            "number": place.number,
            "used": False,
        }
        for place, digest in zip(places, made.values(), strict=True)
    ]
    if rows:
        session.execute(insert(Invitation), rows)
        _record(session, cycle, "invite", len(rows), actor=actor, now=now)
    if box:
        keep_codes(session, {digest: code for code, digest in made.items()}, box)
    return [place.told(code) for place, code in zip(places, made, strict=True)]


def withdraw_unused(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> int:
    """Make the codes worthless that nobody has answered with, for example because the list of them was lost.

    A case of which somebody said why it has no answer is not asked again: it stays, under a code that nobody knows.

    Returns:
        How many there were.

    Raises:
        NotAllowed, Conflict: as `invite`.
    """
    require_open(session, cycle, actor)
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
    """The list to print or to send from: contract, code, url; and whose it is, by the number in the township's list."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("contract", "code", "url", "township", "item", "number"))
    writer.writerows(
        (one.reference, one.code, f"{base_url}/s/{one.code}", one.township, one.item, one.number) for one in invited
    )
    return out.getvalue()


@dataclass(frozen=True)
class Place:
    """A recipient who has no code yet: known by number and perhaps by name, else only as one of so many."""

    contract: Contract
    stratum: Stratum
    roster_member_id: int | None = None
    number: int | None = None

    def told(self, code: str) -> Invited:
        of, stratum = self.contract, self.stratum
        return Invited(of.reference, code, of.title, of.vendor.name, stratum.township, stratum.item, self.number)


def open_places(session: Session, entries: Select[int], strata: Sequence[Row[Stratum, Contract]]) -> Iterator[Place]:
    """The places without a code: of a sample those drawn, else as many as the size says, or the roster where longer."""
    mine = select(Stratum.id).where(Stratum.entry_id.in_(entries))
    drawn = asked_numbers(session, entries)
    members = defaultdict[int, dict[int, int]](dict)
    for stratum_id, member_id, number in session.execute(roster_numbers(mine)):
        members[stratum_id][number] = member_id
    invited = defaultdict[int | None, list[Any]](list)
    for row in session.execute(
        select(Invitation.stratum_id, Invitation.number, Invitation.roster_member_id).where(
            Invitation.stratum_id.in_(mine)
        )
    ):
        invited[row.stratum_id].append(row)
    for stratum, contract in strata:
        taken, named = invited[stratum.id], members[stratum.id]
        if stratum.id in drawn:
            numbers = {row.number for row in taken}
            waiting = [number for number in drawn[stratum.id] if number not in numbers]
            nameless = 0
        else:
            free = max(0, max(stratum.size, len(named)) - len(taken))
            known = {row.roster_member_id for row in taken}
            waiting = [number for number, member in named.items() if member not in known][:free]
            nameless = free - len(waiting)
        yield from (Place(contract, stratum, named.get(number), number) for number in waiting)
        yield from (Place(contract, stratum) for _nobody in range(nameless))


def unheard_of(
    session: Session, count: int, hashed: Callable[[str], bytes], column: InstrumentedAttribute[bytes]
) -> dict[str, bytes]:
    """New codes with their hashes, none of which the column has."""
    made: dict[str, bytes] = {}
    while len(made) < count:
        drawn = {hashed(code): code for code in (new_code() for _ in range(min(BATCH, count - len(made))))}
        known = set(session.scalars(select(column).where(column.in_(list(drawn)))))
        made |= {code: digest for digest, code in drawn.items() if digest not in known}
    return made


def require_open(session: Session, cycle: Cycle, actor: Actor) -> None:
    """Let one after the other change who is asked; raises Conflict once collecting is over, NotAllowed to strangers."""
    if not actor.region_path.startswith(cycle.region.path):
        actor.require_region(cycle.region.path)
    session.refresh(cycle, with_for_update=True)
    if cycle.state not in OPEN_STATES:
        raise Conflict(
            _("The cycle %(code)s does not collect answers any more.", code=cycle.code),
            remedy=_("Codes are given out before and while a cycle collects."),
        )


def _record(session: Session, cycle: Cycle, act: str, count: int, *, actor: Actor, now: datetime) -> None:
    subject, detail = f"cycle:{cycle.code}", {"codes": count}
    audit.record(session, actor=actor, act=f"collection.{act}", subject=subject, now=now, detail=detail)
