"""Forms on paper: who gets one, and the serials that stand on them.

A serial is drawn at random and has nothing to do with any invitation. What ties a form to a person is a number only: of
a part of the frame there are never more forms than recipients who were given one instead of a code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from secrets import token_bytes
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, ScalarSelect, Select, delete, exists, func, insert, select
from sqlalchemy.orm import Session, joinedload

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, NotFound
from evalsys.base.listing import Page, Wanted, paginate
from evalsys.base.tokens import derive_key, keyed_hash
from evalsys.collection.codes import receipt_of
from evalsys.collection.counting import entries_of_branch
from evalsys.collection.invitations import BATCH, open_places, unheard_of
from evalsys.collection.models import Invitation, Outcome, ReceiptLeaf
from evalsys.collection.paper_models import PaperForm, PaperSheet
from evalsys.collection.sample_cases import unsampled_of_part
from evalsys.collection.submission import leaf_of
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Region, Stratum, Vendor

ON_PAPER = Invitation.outcome == Outcome.PAPER
IN_A_BATCH = select(PaperSheet.serial_hmac).where(PaperSheet.serial_hmac == PaperForm.serial_hmac).exists()


@dataclass(frozen=True)
class PaperKeys:
    """The keys that serials are hashed with and that the receipts on forms follow from."""

    serial: bytes
    receipt: bytes

    @classmethod
    def of(cls, secret: str) -> PaperKeys:
        return cls(derive_key(secret, "paper serial"), derive_key(secret, "paper receipt"))

    def hashed(self, serial: str) -> bytes:
        """What the database keeps of a serial."""
        return keyed_hash(self.serial, serial.encode())

    def receipt_of(self, hashed: bytes) -> str:
        """The receipt on the stub of a form, which its recipient tears off and keeps."""
        return receipt_of(hashed.hex(), self.receipt)


@dataclass(frozen=True)
class Printed:
    """What stands on one form and on no other."""

    serial: str
    receipt: str


def parts(session: Session, cycle: Cycle, wanted: Wanted, *, actor: Actor) -> Page[Any]:
    """The parts of the frames in the actor's branch: rows of id, what they are, and how many of each thing.

    `without`: recipients without a code or a form; `given`: those who got a form instead of a code; `printed`,
    `keyed`, `released`: forms.
    """
    statement = _parts().where(Stratum.entry_id.in_(entries_of_branch(cycle, actor)))
    columns = statement.selected_columns
    names = ("reference", "title", "vendor", "township", "item", "size", "without", "given", "printed", "released")
    return paginate(
        session,
        statement,
        wanted,
        sorts={name: columns[name] for name in names},
        default_sort="reference",
        search=(Contract.reference, Contract.title, Vendor.name, Stratum.township),
        tie=Stratum.id,
    )


def part_of(session: Session, stratum_id: int, *, actor: Actor) -> Any:
    """One row of `parts`.

    Raises:
        NotFound: there is none.
        NotAllowed: its contract lies outside the actor's branch.
    """
    row = session.execute(_parts().where(Stratum.id == stratum_id)).one_or_none()
    if row is None:
        raise NotFound(
            _("There is no such part of a frame."), remedy=_("Choose one from the list of the cycle's contracts.")
        )
    actor.require_region(row.path)
    return row


def stratum_called(session: Session, cycle: Cycle, reference: str, township: str, item: str) -> int:
    """The part of a contract's frame that a township and a service item name; empty names fit any.

    Raises:
        NotFound: none fits, or more than one.
    """
    known = select(Stratum).join(Stratum.entry).join(Entry.contract)
    known = known.where(Entry.cycle_id == cycle.id, Contract.reference == reference).order_by(Stratum.id)
    strata = session.scalars(known).all()
    fitting = [s for s in strata if s.township == (township or s.township) and s.item == (item or s.item)]
    if len(fitting) == 1:
        return fitting[0].id
    there = "、".join(" · ".join(filter(None, (s.township, s.item))) or "–" for s in strata)
    raise NotFound(
        _("The names fit %(count)s parts of the frame of %(contract)s.", count=len(fitting), contract=reference),
        remedy=_("Name one of: %(parts)s.", parts=there) if there else _("Import the contract's frame first."),
    )


def give(
    session: Session, stratum_id: int, copies: int, *, keys: PaperKeys, actor: Actor, now: datetime
) -> list[Printed]:
    """Forms for recipients of one part of a frame: those who gave their code back, then those who never had one.

    Returns:
        What to print on them; nobody can tell it again.

    Raises:
        NotFound, NotAllowed: as `part_of`.
        Conflict: the cycle does not collect, or there are not so many recipients to give a form to.
    """
    part = part_of(session, stratum_id, actor=actor)
    _require_collecting(session, session.get_one(Cycle, part.cycle_id))
    part = part_of(session, stratum_id, actor=actor)  # as it is now that nobody else can change it
    waiting = part.given - part.printed
    places = list(_open_places_of(session, stratum_id))
    if copies > waiting + len(places):
        raise Conflict(
            _("Only %(count)s recipients there can be given a form.", count=waiting + len(places)),
            remedy=_(
                "All others have a code. Who wants paper gives the slip back: record the code as exchanged for a form."
            ),
        )
    taken = places[: max(0, copies - waiting)]
    if taken:
        session.execute(insert(Invitation), taken)
    made = unheard_of(session, copies, keys.hashed, PaperForm.serial_hmac)
    session.execute(
        insert(PaperForm),
        [{"serial_hmac": hashed, "stratum_id": stratum_id, "released": False} for hashed in sorted(made.values())],
    )
    detail = {"contract": part.reference, "township": part.township, "forms": copies}
    _record(session, part.code, "print_paper", detail, actor=actor, now=now)
    return [Printed(serial, keys.receipt_of(hashed)) for serial, hashed in made.items()]


def withdraw(session: Session, stratum_id: int, *, actor: Actor, now: datetime) -> int:
    """Make the forms of a part worthless that nobody has keyed, for example because the print went wrong.

    Returns:
        How many there were; as many can be printed anew.

    Raises:
        NotFound, NotAllowed: as `part_of`.
        Conflict: the cycle does not collect.
    """
    part = part_of(session, stratum_id, actor=actor)
    _require_collecting(session, session.get_one(Cycle, part.cycle_id))
    gone = (PaperForm.stratum_id == stratum_id, ~PaperForm.released, ~IN_A_BATCH)
    count = session.scalar(select(func.count()).select_from(PaperForm).where(*gone)) or 0
    if count:
        session.execute(delete(PaperForm).where(*gone).execution_options(synchronize_session=False))
        detail = {"contract": part.reference, "township": part.township, "forms": count}
        _record(session, part.code, "withdraw_paper", detail, actor=actor, now=now)
    return count


def has_arrived(session: Session, cycle: Cycle, receipt: str) -> bool:
    """Whether an answer of the cycle was released that has this receipt."""
    references = select(Contract.reference).join(Entry, Entry.contract_id == Contract.id)
    leaves = [leaf_of(name, receipt) for name in session.scalars(references.where(Entry.cycle_id == cycle.id))]
    some = (leaves[at : at + BATCH] for at in range(0, len(leaves), BATCH))
    return any(session.scalar(select(exists().where(ReceiptLeaf.leaf.in_(part)))) for part in some)


def _parts() -> Select[*tuple[Any, ...]]:
    def count(of: Any, *which: ColumnElement[bool]) -> ScalarSelect[int]:
        rows = select(func.count()).select_from(of).where(of.stratum_id == Stratum.id, *which)
        return rows.correlate(Stratum).scalar_subquery()

    invited = count(Invitation)
    return (
        select(
            Stratum.id,
            Stratum.township,
            Stratum.item,
            Stratum.size,
            Contract.reference,
            Contract.title,
            Vendor.name.label("vendor"),
            Region.path,
            Cycle.id.label("cycle_id"),
            Cycle.code,
            Cycle.state,
            (Stratum.size - func.coalesce(unsampled_of_part(), 0) - invited).label("without"),
            count(Invitation, ON_PAPER).label("given"),
            count(PaperForm).label("printed"),
            count(PaperForm, IN_A_BATCH).label("keyed"),
            count(PaperForm, PaperForm.released.is_(True)).label("released"),
        )
        .join(Entry, Stratum.entry_id == Entry.id)
        .join(Cycle, Entry.cycle_id == Cycle.id)
        .join(Contract, Entry.contract_id == Contract.id)
        .join(Vendor, Contract.vendor_id == Vendor.id)
        .join(Region, Contract.region_id == Region.id)
    )


def _open_places_of(session: Session, stratum_id: int) -> Iterator[dict[str, Any]]:
    """Invitations for recipients of a part who have none yet, under codes that nobody knows."""
    stratum = session.get_one(Stratum, stratum_id)
    both = session.execute(
        select(Stratum, Contract)
        .join(Stratum.entry)
        .join(Entry.contract)
        .where(Stratum.id == stratum_id)
        .options(joinedload(Contract.vendor))
    ).all()
    for place in open_places(session, select(Entry.id).where(Entry.id == stratum.entry_id), both):
        yield {
            "code_hmac": token_bytes(32),
            "entry_id": stratum.entry_id,
            "stratum_id": stratum_id,
            "roster_member_id": place.roster_member_id,
            "number": place.number,
            "used": False,
            "outcome": Outcome.PAPER.value,
        }


def _require_collecting(session: Session, cycle: Cycle) -> None:
    session.refresh(cycle, with_for_update=True)  # two who print at once take turns
    if cycle.state != CycleState.COLLECTING:
        raise Conflict(
            _("The cycle %(code)s does not collect answers.", code=cycle.code),
            remedy=_("Forms are printed and keyed while a cycle collects."),
        )


def _record(session: Session, code: str, act: str, detail: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    audit.record(session, actor=actor, act=f"collection.{act}", subject=f"cycle:{code}", now=now, detail=detail)
