"""Recipients who answer with help: an interviewer reads the questions out, on the telephone or in person.

The answer goes the way of every other: through the same writer, under a random key, without a trace of the invitation.
Its mode tells that somebody helped; who it was stands nowhere beside it, and no audit entry is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.errors import Gone, NotAllowed, NotFound
from evalsys.base.listing import Page, Wanted, paginate
from evalsys.collection.codes import code_hash
from evalsys.collection.models import Invitation, Mode, Outcome
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Region, RosterMember, Stratum, Vendor

NOT_ON_PAPER = func.coalesce(Invitation.outcome, "") != Outcome.PAPER
"""Of those who got a form on paper nobody knows who has sent it back: they are neither asked nor asked about."""

LET_BE = func.coalesce(Invitation.outcome, "").in_((Outcome.REFUSED, Outcome.MOVED, Outcome.DIED))
"""Nobody is asked twice who refused, and nobody who is no recipient any more; whoever wants to can still answer."""


@dataclass(frozen=True)
class Case:
    """A recipient who has not answered yet.

    Attributes:
        hashed: the code of the invitation, as the database keeps it.
        name, contact: of the recipient, where a roster says them; else empty.
    """

    id: int
    hashed: bytes = field(repr=False)
    title: str
    reference: str
    vendor: str
    township: str
    name: str
    contact: str


def open_cases(
    session: Session, wanted: Wanted, *, actor: Actor, cycle: Cycle | None = None, all_open: bool = False
) -> Page[Any]:
    """The recipients by name whom the actor may ask and who have not answered: of one cycle, or of all.

    Args:
        all_open: also those who are let be, for what was said of them may be wrong.
    """
    statement = _cases(actor).where(RosterMember.id.is_not(None))
    if not all_open:
        statement = statement.where(~LET_BE)
    if cycle is not None:
        statement = statement.where(Cycle.id == cycle.id)
    return paginate(
        session,
        statement,
        wanted,
        sorts={
            "name": RosterMember.name,
            "township": Stratum.township,
            "title": Contract.title,
            "vendor": Vendor.name,
        },
        default_sort="township",
        search=(RosterMember.name, RosterMember.contact, Stratum.township, Contract.title, Vendor.name),
        tie=Invitation.id,
    )


def count_open(session: Session, *, actor: Actor) -> int:
    """How many `open_cases` there are."""
    cases = _cases(actor).where(RosterMember.id.is_not(None), ~LET_BE).subquery()
    return session.scalar(select(func.count()).select_from(cases)) or 0


def named_case(session: Session, case_id: int, *, actor: Actor) -> Case:
    """The case of a recipient whom a roster names.

    Raises:
        NotFound: there is none, or the recipient has no name here: then only the recipient's own code says whose
            invitation it is.
        NotAllowed, Gone: as `case_of_code`.
    """
    case = _case(session, Invitation.id == case_id, actor=actor)
    if case is None or not case.name:
        raise _nobody()
    return case


def case_of_code(session: Session, code: str, *, key: bytes, actor: Actor) -> Case | None:
    """The case that a recipient's own code opens; None when nobody was given it.

    Raises:
        NotAllowed: the recipient lives elsewhere, or the actor's employer is the vendor that is rated.
        Gone: the code has been used, a form on paper was given instead, or the cycle does not collect.
    """
    return _case(session, Invitation.code_hmac == code_hash(code, key), actor=actor)


def case_being_answered(session: Session, case_id: int, *, actor: Actor) -> Case:
    """The case that a filled-in form belongs to, answered or not: the form's token shows that it was opened.

    Raises:
        NotFound: the code was withdrawn meanwhile.
        NotAllowed: as `case_of_code`.
        Gone: the recipient got a form on paper meanwhile.
    """
    found = _allowed(session, Invitation.id == case_id, actor=actor)
    if found is None:
        raise _nobody()
    _refuse_paper(found)
    return _read(found)


def bound_to(case: Case, mode: Mode, actor: Actor) -> str:
    """What an interviewer's form is sealed for: nobody else can send it, nor for another way of asking."""
    return f"{mode} case {case.id} account {actor.account_id}"


def _nobody() -> NotFound:
    return NotFound(_("There is no such recipient."), remedy=_("Choose one from the list, or enter a code."))


def _case(session: Session, which: ColumnElement[bool], *, actor: Actor) -> Case | None:
    found = _allowed(session, which, actor=actor)
    if found is None:
        return None
    _refuse_paper(found)
    if found.used:
        raise Gone(
            _("This recipient has answered already."), remedy=_("Each counts once. Go on with the next recipient.")
        )
    if found.state != CycleState.COLLECTING:
        raise Gone(_("The survey is not open."), remedy=_("Answers are taken while the cycle collects."))
    return _read(found)


def _refuse_paper(found: Row[Any]) -> None:
    """Of those with a form nobody knows who has sent it back."""
    if found.outcome == Outcome.PAPER:
        raise Gone(
            _("This recipient got a form on paper."), remedy=_("It is keyed when it comes back. Go on with the next.")
        )


def _allowed(session: Session, which: ColumnElement[bool], *, actor: Actor) -> Row[Any] | None:
    columns = (
        Invitation.code_hmac,
        Invitation.used,
        Cycle.state,
        Contract.vendor_id,
        in_reach(actor.region_path).label("near"),
    )
    found = session.execute(_known().add_columns(*columns).where(which)).one_or_none()
    if found is None:
        return None
    if not found.near:
        raise NotAllowed(
            _("This recipient belongs to another region."), remedy=_("Ask an interviewer of that region to do it.")
        )
    if found.vendor_id == actor.vendor_id:
        raise NotAllowed(
            _("Your employer provides this service, so you may not ask about it."),
            remedy=_("Another interviewer, or the recipient alone, has to do it."),
        )
    return found


def _read(found: Row[Any]) -> Case:
    return Case(
        id=found.id,
        hashed=found.code_hmac,
        title=found.title,
        reference=found.reference,
        vendor=found.vendor,
        township=found.township or "",
        name=found.name or "",
        contact=found.contact or "",
    )


def _known() -> Select[*tuple[Any, ...]]:
    """Invitations with what they ask about and, where a roster tells, whom."""
    return (
        select(
            Invitation.id,
            Contract.title,
            Contract.reference,
            Vendor.name.label("vendor"),
            Stratum.township,
            RosterMember.name,
            RosterMember.contact,
            Invitation.outcome,
        )
        .join(Entry, Invitation.entry_id == Entry.id)
        .join(Cycle, Entry.cycle_id == Cycle.id)
        .join(Contract, Entry.contract_id == Contract.id)
        .join(Vendor, Contract.vendor_id == Vendor.id)
        .join(Region, Contract.region_id == Region.id)
        .outerjoin(Stratum, Invitation.stratum_id == Stratum.id)
        .outerjoin(RosterMember, Invitation.roster_member_id == RosterMember.id)
    )


def _cases(actor: Actor) -> Select[*tuple[Any, ...]]:
    """All that the actor may take up now."""
    waits = (Cycle.state == CycleState.COLLECTING, ~Invitation.used, NOT_ON_PAPER)
    return _known().where(*waits, _no_employer(actor), in_reach(actor.region_path))


def answered_cases(actor: Actor, case_id: int | None = None) -> Select[*tuple[Any, ...]]:
    """Recipients by name who have answered, in cycles whose interviews may be checked; of them all, or one case."""
    cases = (
        _known()
        .add_columns(Cycle.title.label("cycle"))
        .where(
            Cycle.state.in_((CycleState.COLLECTING, CycleState.REVIEW)),
            Invitation.used,
            NOT_ON_PAPER,
            RosterMember.id.is_not(None),
            _no_employer(actor),
            in_reach(actor.region_path),
        )
    )
    return cases if case_id is None else cases.where(Invitation.id == case_id)


def _no_employer(actor: Actor) -> ColumnElement[bool]:
    return Contract.vendor_id != actor.vendor_id if actor.vendor_id is not None else true()


def in_reach(branch: str) -> ColumnElement[bool]:
    """Contracts of a branch, a region's path; of a wider contract only the recipients in the township it is."""
    steps = [step for step in branch.split("/") if step]
    wider = ["".join(f"{step}/" for step in steps[:count]) for count in range(1, len(steps))]
    own_name = select(_OWN.c.name).where(_OWN.c.path == branch, _OWN.c.level == "township")
    return or_(
        Region.path.startswith(branch, autoescape=True),
        and_(Region.path.in_(wider), Stratum.township == own_name.scalar_subquery()),
    )


_OWN = Region.__table__.alias("own")
