"""Reads of rectifications: which contracts need one, who sees which, and what waits for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, String, case, cast, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from evalsys.appeals.models import AppealFile, Rectification, RectificationState
from evalsys.appeals.own import is_own
from evalsys.base.access import Actor, Role
from evalsys.base.errors import NotFound
from evalsys.base.listing import Page, Sortable, Wanted, paginate
from evalsys.base.working_days import after_days, local_day
from evalsys.evaluation.naming import Names
from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.queries import editions_in_force, line_in, newest_edition, rules_of_edition
from evalsys.registry.models import Contract, Cycle, Entry, Region, Vendor

READERS = (Role.OFFICER, Role.PURCHASER, Role.VENDOR, Role.AUDITOR, Role.ADMINISTRATOR)
CHECKERS = (Role.OFFICER, Role.PURCHASER)
OVERDUE = "overdue"
"""The filter's word for open items past their day."""


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Entries whose rectification a person may see: the body's own, by a letter of its cycle, else the branch's."""
    if actor.role == Role.VENDOR:
        return is_own(actor)
    if actor.role == Role.PURCHASER:
        return Contract.purchaser_id == actor.purchaser_id
    return Region.path.startswith(actor.region_path, autoescape=True)


def _items() -> Select[Rectification]:
    return (
        select(Rectification)
        .join(Entry, Entry.id == Rectification.entry_id)
        .join(Contract, Contract.id == Entry.contract_id)
        .join(Region, Region.id == Contract.region_id)
        .join(Vendor, Vendor.id == Contract.vendor_id)
        .join(Cycle, Cycle.id == Entry.cycle_id)
    )


def rectification_seen(session: Session, number: int, *, actor: Actor, to_change: bool = False) -> Rectification:
    """An item, for those who may see it.

    Args:
        session: reads, or writes where it is to be changed.
        number: the item's.
        actor: who asks.
        to_change: lock the row, so that of two acts at once the second sees what the first did.

    Raises:
        NotFound: there is none, or it belongs to others; that it exists is not told.
    """
    statement = _items().where(Rectification.id == number, visible_to(actor))
    if to_change:
        statement = statement.with_for_update(of=Rectification).execution_options(populate_existing=True)
    found = session.scalar(statement)
    if found is None:
        raise NotFound(_("There is no such rectification."), remedy=_("Choose one from the list of rectifications."))
    return found


@dataclass(frozen=True)
class Chosen:
    """Which items a reader wants to see; empty = all."""

    cycle: str = ""
    state: str = ""

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> Chosen:
        return cls(args.get("cycle", "")[:40], args.get("state", "")[:10])

    def narrowed(self, statement: Select[Rectification], now: datetime) -> Select[Rectification]:
        """The statement with the filter's conditions."""
        if self.cycle:
            statement = statement.where(Cycle.code == self.cycle)
        if self.state == OVERDUE:
            return statement.where(overdue_on(local_day(now)))
        return statement.where(Rectification.state == self.state) if self.state else statement


def in_state(state: RectificationState) -> ColumnElement[bool]:
    return Rectification.state == state.value


def overdue_on(today: date) -> ColumnElement[bool]:
    return in_state(RectificationState.OPEN) & (Rectification.due_on < today)


def is_overdue(item: Rectification, now: datetime) -> bool:
    """Whether the vendor should have reported by now."""
    return item.state == RectificationState.OPEN and item.due_on < local_day(now)


_AFTER_EVERY_DAY = "9999-99-99"
SORTS: dict[str, Sortable] = {
    "due": case(
        (Rectification.state == RectificationState.DONE.value, _AFTER_EVERY_DAY),
        else_=cast(Rectification.due_on, String),
    ),
    "vendor": Vendor.name,
    "contract": Contract.title,
    "cycle": Cycle.code,
    "state": Rectification.state,
}
SEARCHED = (Contract.title, Contract.reference, Vendor.name, Vendor.credit_code)


def rectifications(
    session: Session, wanted: Wanted, chosen: Chosen, *, actor: Actor, now: datetime
) -> Page[Rectification]:
    """A page of the items that a person may see, the earliest day first, what is done last."""
    statement = chosen.narrowed(_items().where(visible_to(actor)), now).options(
        contains_eager(Rectification.entry).options(
            contains_eager(Entry.contract).options(contains_eager(Contract.vendor), contains_eager(Contract.region)),
            contains_eager(Entry.cycle),
        ),
        joinedload(Rectification.edition).joinedload(Edition.run),
    )
    return paginate(session, statement, wanted, sorts=SORTS, default_sort="due", search=SEARCHED, tie=Rectification.id)


def cycles_with_items(session: Session, *, actor: Actor) -> list[str]:
    """Codes of the cycles that the list can be narrowed to."""
    with_items = _items().where(visible_to(actor)).with_only_columns(Cycle.code).distinct()
    return sorted(session.scalars(with_items), reverse=True)


def count_items(session: Session, *conditions: ColumnElement[bool], actor: Actor) -> int:
    """How many of a person's items meet conditions."""
    counted = _items().where(visible_to(actor), *conditions).with_only_columns(func.count())
    return session.scalar(counted) or 0


def next_due(session: Session, *, actor: Actor) -> date | None:
    """The earliest day of a person's open items."""
    earliest = (
        _items()
        .where(visible_to(actor), in_state(RectificationState.OPEN))
        .with_only_columns(func.min(Rectification.due_on))
    )
    return session.scalar(earliest)


@dataclass(frozen=True)
class Step:
    """One thing that was done, with its words and files as they were then."""

    step: str
    at: datetime
    by: str
    text: str
    due_on: date | None
    files: list[AppealFile]


def steps_of(item: Rectification) -> list[Step]:
    """Everything that became of an item, the earliest first."""
    files = {file.id: file for file in item.files}
    return [
        Step(
            step=kept["step"],
            at=datetime.fromisoformat(kept["at"]),
            by=kept["by"],
            text=kept["text"],
            due_on=date.fromisoformat(kept["due_on"]) if "due_on" in kept else None,
            files=[files[number] for number in kept.get("files", ())],
        )
        for kept in item.history
    ]


@dataclass(frozen=True)
class Needed:
    """A contract whose published grade asks for a rectification that nobody has opened."""

    entry: Entry
    line: EditionScore
    edition: Edition
    item: Rectification | None  # one that was lifted by an earlier edition


def names_of(edition: Edition) -> Names:
    return Names(rules_of_edition(edition))


def asking_grades(edition: Edition) -> set[str]:
    """Grades that ask for a rectification, by the rules of an edition."""
    return {grade.code for grade in rules_of_edition(edition).grades if grade.rectify}


def _needed(edition: Edition, *, actor: Actor) -> Select[Entry, EditionScore, Rectification]:
    return (
        select(Entry, EditionScore, Rectification)
        .join(Contract, Contract.id == Entry.contract_id)
        .join(Region, Region.id == Contract.region_id)
        .join(EditionScore, EditionScore.contract_reference == Contract.reference)
        .outerjoin(Rectification, Rectification.entry_id == Entry.id)
        .where(
            Entry.cycle_id == edition.cycle_id,
            EditionScore.edition_id == edition.id,
            EditionScore.grade.in_(asking_grades(edition)),
            or_(Rectification.id.is_(None), Rectification.lifted_by_id < edition.id),
            visible_to(actor),
        )
    )


def needed(session: Session, cycle: Cycle, *, actor: Actor, most: int) -> list[Needed]:
    """Contracts of the branch that need an item after the newest edition, the worst first, at most so many."""
    edition = newest_edition(session, cycle)
    if edition is None:
        return []
    rows = session.execute(
        _needed(edition, actor=actor)
        .options(joinedload(Entry.contract).joinedload(Contract.vendor))
        .order_by(EditionScore.score, Entry.id)
        .limit(most)
    )
    return [Needed(entry, line, edition, item) for entry, line, item in rows]


def count_needed(session: Session, *, actor: Actor) -> dict[str, int]:
    """How many contracts of the branch need an item, by cycle code, the latest year first; no cycle without any."""
    counted = {
        edition.cycle.code: session.scalar(_needed(edition, actor=actor).with_only_columns(func.count())) or 0
        for edition in editions_in_force(session)
    }
    return {code: count for code, count in counted.items() if count}


def default_due_on(edition: Edition, now: datetime) -> date:
    """The rules' days after publication; after today where that is over."""
    days = rules_of_edition(edition).appeals.rectification_days
    first = after_days(edition.published_at, days)
    return first.day if not first.is_over(now) else after_days(now, days).day


def lifting_edition(session: Session, item: Rectification) -> Edition | None:
    """A later edition of the cycle by which the contract's grade asks for nothing any more."""
    newest = newest_edition(session, item.entry.cycle)
    if newest is None or newest.id <= item.edition_id:
        return None
    line = line_in(session, newest, item.entry.contract.reference)
    return newest if line is None or line.grade not in asking_grades(newest) else None
