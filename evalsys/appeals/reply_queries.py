"""Reads of replies: what waits to be checked, a vendor's own, and what stands beside a published line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from evalsys.accounts.todo import Todo
from evalsys.appeals.files import file_by_id, no_such_file
from evalsys.appeals.models import AppealFile, PreliminaryNotice, PublishedReply, Reply, ReplyState
from evalsys.appeals.own import is_own
from evalsys.base.access import Actor, Role
from evalsys.base.listing import Page, Sortable, Wanted, paginate
from evalsys.publication.queries import newest_edition
from evalsys.publication.remarks import Remark
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Region, Vendor

SORTS: dict[str, Sortable] = {
    "submitted": Reply.submitted_at,
    "state": Reply.state,
    "contract": Contract.title,
    "vendor": Vendor.name,
    "cycle": Cycle.code,
}


@dataclass(frozen=True)
class Filter:
    """Which replies of the list an officer wants to see; empty = all."""

    state: str = ""
    cycle: str = ""

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> Filter:
        state = args.get("state", "")
        return cls(state if state in set(ReplyState) else "", args.get("cycle", "")[:20])


def replies(session: Session, wanted: Wanted, chosen: Filter, *, actor: Actor) -> Page[Reply]:
    """The replies of the actor's branch, those handed in first before the others."""
    statement = (
        select(Reply)
        .join(Reply.entry)
        .join(Entry.contract)
        .join(Contract.vendor)
        .join(Entry.cycle)
        .join(Cycle.region)
        .where(Region.path.startswith(actor.region_path, autoescape=True))
        .options(
            contains_eager(Reply.entry).options(
                contains_eager(Entry.contract).contains_eager(Contract.vendor), contains_eager(Entry.cycle)
            ),
        )
    )
    if chosen.state:
        statement = statement.where(Reply.state == chosen.state)
    if chosen.cycle:
        statement = statement.where(Cycle.code == chosen.cycle)
    searched = (Contract.reference, Contract.title, Vendor.name)
    return paginate(session, statement, wanted, sorts=SORTS, default_sort="submitted", search=searched, tie=Reply.id)


def cycles_with_replies(session: Session, *, actor: Actor) -> list[Cycle]:
    """What the list can be narrowed to."""
    found = session.scalars(
        select(Cycle)
        .join(Cycle.region)
        .where(
            Region.path.startswith(actor.region_path, autoescape=True),
            exists().where(Reply.entry_id == Entry.id, Entry.cycle_id == Cycle.id),
        )
        .order_by(Cycle.year.desc(), Cycle.code)
    )
    return list(found)


def own_contracts(session: Session, wanted: Wanted, *, actor: Actor) -> Page[tuple[Entry, Reply | None]]:
    """A vendor's contracts whose result it was told, each with its reply; the latest year first."""
    told = or_(
        Cycle.state.in_((CycleState.PUBLISHED.value, CycleState.CLOSED.value)),
        (Cycle.state == CycleState.PRELIMINARY.value) & exists().where(PreliminaryNotice.cycle_id == Cycle.id),
    )
    statement = (
        select(Entry, Reply)
        .join(Entry.contract)
        .join(Entry.cycle)
        .outerjoin(Reply, Reply.entry_id == Entry.id)
        .where(is_own(actor), told)
        .options(contains_eager(Entry.contract), contains_eager(Entry.cycle))
    )
    return paginate(
        session,
        statement,
        wanted,
        sorts={"year": Cycle.year, "contract": Contract.title, "state": Reply.state},
        default_sort="-year",
        search=(Contract.reference, Contract.title),
        tie=Entry.id,
    )


def todos(session: Session, actor: Actor) -> Iterable[Todo]:
    """Replies that wait for an officer's check; those that went back to the vendor."""
    if actor.role == Role.OFFICER:
        waiting = session.scalar(
            select(func.count())
            .select_from(Reply)
            .join(Reply.entry)
            .join(Entry.cycle)
            .join(Cycle.region)
            .where(
                Reply.state == ReplyState.SUBMITTED.value,
                Region.path.startswith(actor.region_path, autoescape=True),
            )
        )
        yield Todo(
            _("Vendors' replies to check and publish"), url_for("replies.overview", state="submitted"), waiting or 0
        )
    if actor.role == Role.VENDOR:
        returned = session.scalar(
            select(func.count())
            .select_from(Reply)
            .join(Reply.entry)
            .join(Entry.contract)
            .join(Entry.cycle)
            .where(Reply.state == ReplyState.RETURNED.value, is_own(actor), Cycle.state != CycleState.CLOSED.value)
        )
        yield Todo(_("Your replies that were returned: change them"), url_for("replies.own"), returned or 0)


def file_for(session: Session, file_id: int, *, actor: Actor) -> AppealFile:
    """A reply's file, for its vendor and for those who check.

    Raises:
        NotFound: there is none, or it is not for the actor; which of both is not told.
    """
    file = file_by_id(session, file_id)
    entry = file.reply.entry if file.reply else None
    if entry is None:
        raise no_such_file()
    if actor.role == Role.VENDOR:
        allowed = session.scalar(
            select(exists().where(Entry.id == entry.id, Entry.contract_id == Contract.id, is_own(actor)))
        )
    else:
        allowed = actor.acts_in(entry.cycle.region.path)
    if not allowed:
        raise no_such_file()
    return file


def public_file(session: Session, file_id: int) -> AppealFile:
    """A file of a reply that stands beside a published line.

    Raises:
        NotFound: there is none, or it is not public.
    """
    file = file_by_id(session, file_id)
    if file.reply is None or file.reply.published is None or newest_edition(session, file.reply.entry.cycle) is None:
        raise no_such_file()
    return file


def beside_lines(session: Session, cycle_id: int, reference: str | None) -> Iterable[Remark]:
    """Published replies, in every edition of the cycle."""
    statement = (
        select(PublishedReply, Contract.reference)
        .join(PublishedReply.reply)
        .join(Reply.entry)
        .join(Entry.contract)
        .where(Entry.cycle_id == cycle_id)
        .options(contains_eager(PublishedReply.reply).selectinload(Reply.files))
        .order_by(Contract.reference)
    )
    if reference is not None:
        statement = statement.where(Contract.reference == reference)
    for published, contract in session.execute(statement):
        yield Remark(contract, template="appeals/reply.html", about=published, code="reply", says=published.text)
