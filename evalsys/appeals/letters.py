"""Sealed letters: how a vendor without an account reads its result and answers it.

A letter holds a code; whoever types it acts for the vendor, in this one cycle and on the vendor's pages of this room
only. The database holds the code's keyed hash. A letter made anew makes the one before it worthless.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from evalsys.accounts.models import Account
from evalsys.appeals.models import NoticeLetter, NoticeReading, Objection
from evalsys.appeals.notices import deadline_of, notice_of
from evalsys.base import audit
from evalsys.base.access import LETTER, Actor, Role
from evalsys.base.errors import Conflict, Gone, Invalid, NotFound
from evalsys.base.tokens import derive_key
from evalsys.base.working_days import Deadline, after_days
from evalsys.collection.codes import code_hash, new_code, read_code
from evalsys.publication.queries import newest_edition
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Vendor
from evalsys.registry.pins import rules_of


def letter_key(secret: str) -> bytes:
    """The key that these codes are hashed with; a survey's code opens no letter."""
    return derive_key(secret, "notice letter")


@dataclass(frozen=True)
class Addressee:
    """A vendor of a cycle.

    Attributes:
        contracts: that are evaluated in the cycle, by reference.
        has_account: it can sign in, and needs no letter.
        letter: the last that was made for it.
        reading: when it first read the newest notice, by a letter or signed in.
    """

    vendor: Vendor
    contracts: tuple[Contract, ...]
    has_account: bool
    letter: NoticeLetter | None
    reading: NoticeReading | None


def addressees(session: Session, cycle: Cycle, *, actor: Actor) -> list[Addressee]:
    """The vendors of a cycle, by name.

    Raises:
        NotAllowed: the cycle belongs to another region.
    """
    actor.require_region(cycle.region.path)
    notice = notice_of(session, cycle)
    sent = session.scalars(select(NoticeLetter).where(NoticeLetter.cycle_id == cycle.id))
    letters = {letter.vendor_id: letter for letter in sent}
    read = session.scalars(select(NoticeReading).where(NoticeReading.notice_id == (notice.id if notice else None)))
    readings = {reading.vendor_id: reading for reading in read}
    with_account = set(session.scalars(select(Account.vendor_id).where(Account.role == Role.VENDOR, Account.active)))
    contracts: dict[Vendor, list[Contract]] = {}
    for contract in session.scalars(
        select(Contract)
        .join(Contract.vendor)
        .join(Entry, Entry.contract_id == Contract.id)
        .where(Entry.cycle_id == cycle.id)
        .options(contains_eager(Contract.vendor))
        .order_by(Vendor.name, Vendor.id, Contract.reference)
    ):
        contracts.setdefault(contract.vendor, []).append(contract)
    return [
        Addressee(vendor, tuple(theirs), vendor.id in with_account, letters.get(vendor.id), readings.get(vendor.id))
        for vendor, theirs in contracts.items()
    ]


@dataclass(frozen=True)
class Letter:
    """A letter to print; its code can be told only now."""

    to: Addressee
    code: str


@dataclass(frozen=True)
class Heap:
    """Letters made together, and until when they ask for an objection."""

    letters: list[Letter]
    deadline: Deadline


def make(
    session: Session, cycle: Cycle, vendor_ids: Collection[int], *, key: bytes, actor: Actor, now: datetime
) -> Heap:
    """Make letters to vendors of a cycle; the codes of those they had become worthless.

    Raises:
        Conflict: the vendors have not been told their results, or the cycle is over.
        Invalid: no vendor of the cycle is among those named.
        NotAllowed: the cycle belongs to another region.
    """
    chosen = [one for one in addressees(session, cycle, actor=actor) if one.vendor.id in vendor_ids]
    session.refresh(cycle, attribute_names=["state"], with_for_update=True)
    notice = notice_of(session, cycle)
    if cycle.state not in (CycleState.PRELIMINARY, CycleState.PUBLISHED) or notice is None:
        raise Conflict(
            _("There is nothing to write to the vendors of this cycle."),
            remedy=_("Letters are made from when vendors are told the preliminary result until the cycle is closed."),
        )
    if not chosen:
        raise Invalid(_("No vendor is chosen."), remedy=_("Choose at least one of the list."))
    session.execute(
        delete(NoticeLetter).where(NoticeLetter.cycle_id == cycle.id, NoticeLetter.vendor_id.in_(vendor_ids))
    )
    made = [Letter(one, new_code()) for one in chosen]
    session.add_all(
        NoticeLetter(
            cycle_id=cycle.id,
            vendor_id=letter.to.vendor.id,
            code_hash=code_hash(letter.code, key),
            made_at=now,
            made_by=actor.name,
        )
        for letter in made
    )
    session.flush()
    audit.record(
        session,
        actor=actor,
        act="appeals.make_letters",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail={"vendors": [letter.to.vendor.credit_code for letter in made]},
    )
    return Heap(made, deadline_of(notice))


def letter_of_code(session: Session, typed: str, *, key: bytes, now: datetime) -> NoticeLetter:
    """The letter that a code stands in.

    Raises:
        NotFound: there is none, or no longer.
        Gone: the time in which it opened anything is over.
    """
    code = read_code(typed)
    found = _letters(session, NoticeLetter.code_hash == code_hash(code, key)) if code else None
    if found is None:
        raise NotFound(
            _("There is no such code."),
            remedy=_("Compare it with the letter. If you were sent another letter since, the code of that one counts."),
        )
    if is_over(session, found, now=now):
        raise Gone(
            _("This letter opens nothing any more: the time to answer is over."),
            remedy=_("The published result and what became of it are open to everybody under Rankings."),
        )
    return found


def letter_by_id(session: Session, number: int) -> NoticeLetter | None:
    """A letter with its vendor and cycle; None where there is none."""
    return _letters(session, NoticeLetter.id == number)


def _letters(session: Session, condition: ColumnElement[bool]) -> NoticeLetter | None:
    return session.scalar(
        select(NoticeLetter)
        .where(condition)
        .options(joinedload(NoticeLetter.vendor), joinedload(NoticeLetter.cycle).joinedload(Cycle.region))
    )


def is_over(session: Session, letter: NoticeLetter, *, now: datetime) -> bool:
    """Whether a letter's time is over: once nothing can be answered by it any more.

    That is when the days of the second level have passed since the result was published or corrected, and since the
    last decision on an objection of this vendor's; never while one is open, and at the latest when the cycle is closed.
    """
    cycle = letter.cycle
    if cycle.state == CycleState.PRELIMINARY:
        return False
    if cycle.state != CycleState.PUBLISHED:
        return True
    own = session.scalars(
        select(Objection)
        .join(Objection.entry)
        .join(Entry.contract)
        .where(Entry.cycle_id == cycle.id, Contract.vendor_id == letter.vendor_id)
    ).all()
    if any(objection.is_open for objection in own):
        return False
    edition = newest_edition(session, cycle)  # none where it was withdrawn
    last = [edition.published_at] if edition else [letter.made_at]
    last += [objection.decided_at for objection in own if objection.decided_at]
    return after_days(max(last), rules_of(cycle).appeals.second_level_days).is_over(now)


def holder_of(letter: NoticeLetter) -> Actor:
    """Who acts by a letter: the vendor, in the letter's cycle alone."""
    return Actor(
        account_id=None,
        name=f"{LETTER} {letter.vendor.credit_code}",
        role=Role.VENDOR,
        region_path=letter.cycle.region.path,
        vendor_id=letter.vendor_id,
        cycle_id=letter.cycle_id,
    )
