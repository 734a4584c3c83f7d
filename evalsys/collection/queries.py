"""What a named rater has to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Exists, ScalarSelect, Select, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from evalsys.base.access import Actor, Role
from evalsys.base.language import CHINA
from evalsys.base.listing import Page, Sortable, Wanted, paginate
from evalsys.collection.assessment_models import Cosigning, CosigningState
from evalsys.collection.assessments import party_of
from evalsys.collection.models import Assessment, AssessmentRating, AssessmentState, AssessmentVersion, Assignment
from evalsys.collection.questionnaire import questionnaire
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Region, Vendor
from evalsys.registry.pins import rules_of

NOT_BEGUN = "not_begun"
RETURNED = "returned"  # a draft that was submitted before, and sent back with a reason
AWAITING = "awaiting"
STATES = (NOT_BEGUN, AssessmentState.DRAFT.value, RETURNED, AWAITING, AssessmentState.SUBMITTED.value)


@dataclass(frozen=True)
class Narrowing:
    """Which contracts of a rater's list are wanted; what is empty leaves nothing out.

    Attributes:
        state: one of STATES.
        cycle: a cycle's code; empty for all that collect now.
        region: a region's code.
        vendor: a vendor's credit code.
    """

    state: str = ""
    cycle: str = ""
    region: str = ""
    vendor: str = ""

    def __bool__(self) -> bool:
        return any((self.state, self.cycle, self.region, self.vendor))


@dataclass(frozen=True)
class WorkItem:
    """A contract on a rater's list.

    Attributes:
        state: one of STATES.
        answered, asked: questions that have an answer, of all that there are (0: the rules ask this party nothing).
        days_left: to the due date; negative when it is over.
        reason: why it was sent back; empty where it was not.
        open: whether the cycle still collects.
    """

    entry_id: int
    assessment_id: int | None
    cycle: str
    reference: str
    title: str
    vendor: str
    service_type: str
    due_on: date
    days_left: int
    state: str
    answered: int
    asked: int
    open: bool
    region: str = ""
    reason: str = ""


def today(now: datetime) -> date:
    """The day in China at a moment."""
    return now.astimezone(CHINA).date()


def state_or_not_begun() -> ColumnElement[str]:
    """The state of an outer-joined assessment, one of STATES."""
    asked = exists().where(Cosigning.assessment_id == Assessment.id, Cosigning.state == CosigningState.ASKED)
    back = and_(
        Assessment.state == AssessmentState.DRAFT, exists().where(AssessmentVersion.assessment_id == Assessment.id)
    )
    return case(
        (asked, literal(AWAITING)), (back, literal(RETURNED)), else_=func.coalesce(Assessment.state, literal(NOT_BEGUN))
    )


def _own_work(actor: Actor) -> Select[int]:
    """Ids of the entries that a rater has to rate, with everything a list of them sorts and filters by joined."""
    party = party_of(actor)
    work = (
        select(Entry.id)
        .join(Cycle, Entry.cycle_id == Cycle.id)
        .join(Contract, Entry.contract_id == Contract.id)
        .join(Vendor, Contract.vendor_id == Vendor.id)
        .join(Region, Contract.region_id == Region.id)
        .outerjoin(
            Assessment,
            and_(
                Assessment.entry_id == Entry.id,
                Assessment.party == party,
                Assessment.account_id == actor.account_id,
            ),
        )
        .where(Cycle.state != CycleState.DRAFT, Region.path.startswith(actor.region_path, autoescape=True))
    )
    if actor.role == Role.PURCHASER:
        return work.where(
            Contract.purchaser_id == actor.purchaser_id, or_(Assessment.id.is_not(None), ~_signed_by_colleague(actor))
        )
    return work.join(Assignment, and_(Assignment.entry_id == Entry.id, Assignment.account_id == actor.account_id))


def _signed_by_colleague(actor: Actor) -> Exists:
    """Whether somebody else of the department has signed for it, where two signatures are asked for: that is enough."""
    theirs = aliased(Assessment)
    return (
        select(theirs.id)
        .join(theirs.cosigning)
        .where(
            theirs.entry_id == Entry.id,
            theirs.party == party_of(actor),
            theirs.account_id != actor.account_id,
            Cosigning.state != CosigningState.REFUSED,
        )
        .exists()
    )


def _due(actor: Actor) -> Sortable:
    return Cycle.closes_on if actor.role == Role.PURCHASER else func.coalesce(Assignment.due_on, Cycle.closes_on)


def _narrowed(actor: Actor, only: Narrowing) -> Select[int]:
    """A rater's entries that are wanted, of whatever state."""
    work = _own_work(actor).where(Cycle.code == only.cycle if only.cycle else Cycle.state == CycleState.COLLECTING)
    if only.region:
        work = work.where(Region.code == only.region)
    if only.vendor:
        work = work.where(Vendor.credit_code == only.vendor)
    return work


EVERYTHING = Narrowing()


def worklist(
    session: Session, wanted: Wanted, *, actor: Actor, now: datetime, only: Narrowing = EVERYTHING
) -> Page[WorkItem]:
    """A rater's contracts, one page of them."""
    due = _due(actor)
    statement = _narrowed(actor, only).add_columns(
        Assessment.id.label("assessment_id"),
        Cycle.id.label("cycle_id"),
        Contract.reference,
        Contract.title,
        Vendor.name.label("vendor"),
        Contract.service_type,
        Region.name.label("region"),
        due.label("due_on"),
        state_or_not_begun().label("state"),
        _answered().label("answered"),
        _last_reason().label("reason"),
    )
    if only.state in STATES:
        statement = statement.where(state_or_not_begun() == only.state)
    page = paginate(
        session,
        statement,
        wanted,
        sorts={
            "reference": Contract.reference,
            "title": Contract.title,
            "vendor": Vendor.name,
            "region": Region.name,
            "due": due,
            "state": state_or_not_begun(),
        },
        default_sort="due",
        search=(Contract.reference, Contract.title, Vendor.name),
        tie=Entry.id,
    )
    return replace(page, rows=_items(session, page.rows, party_of(actor), today(now)))


def _answered() -> ScalarSelect[int]:
    return (
        select(func.count())
        .select_from(AssessmentRating)
        .where(
            AssessmentRating.assessment_id == Assessment.id,
            or_(AssessmentRating.value.is_not(None), AssessmentRating.not_applicable),
        )
        .correlate(Assessment)
        .scalar_subquery()
    )


def _last_reason() -> ScalarSelect[str]:
    """Why the assessment was sent back the last time."""
    return (
        select(AssessmentVersion.reason)
        .where(AssessmentVersion.assessment_id == Assessment.id)
        .order_by(AssessmentVersion.number.desc())
        .limit(1)
        .correlate(Assessment)
        .scalar_subquery()
    )


@dataclass(frozen=True)
class Choices:
    """What a rater's list can be narrowed to, as pairs of code and name, and how many contracts each state has."""

    cycles: Sequence[Cycle]
    regions: Sequence[tuple[str, str]]
    vendors: Sequence[tuple[str, str]]
    states: Mapping[str, int]


def choices(session: Session, only: Narrowing, *, actor: Actor) -> Choices:
    """The filters of a rater's list; states are counted among what the other filters leave."""
    work = _narrowed(actor, replace(only, region="", vendor=""))
    regions = work.with_only_columns(Region.code, Region.name, Region.path).distinct().order_by(Region.path)
    vendors = work.with_only_columns(Vendor.credit_code, Vendor.name).distinct().order_by(Vendor.name)
    states = _narrowed(actor, only).with_only_columns(state_or_not_begun().label("state")).subquery()
    counted = session.execute(select(states.c.state, func.count().label("contracts")).group_by(states.c.state))
    found = {row.state: row.contracts for row in counted}
    return Choices(
        cycles=cycles_of_rater(session, actor=actor),
        regions=[(code, name) for code, name, _path in session.execute(regions)],
        vendors=[(code, name) for code, name in session.execute(vendors)],
        states={name: found.get(name, 0) for name in STATES},
    )


def _items(session: Session, rows: Sequence[Any], party: str, day: date) -> list[WorkItem]:
    ids = {row.cycle_id for row in rows}
    found = session.scalars(select(Cycle).where(Cycle.id.in_(ids)).options(joinedload(Cycle.rules)))
    cycles = {cycle.id: cycle for cycle in found}
    return [
        WorkItem(
            entry_id=row.id,
            assessment_id=row.assessment_id,
            cycle=cycles[row.cycle_id].title,
            reference=row.reference,
            title=row.title,
            vendor=row.vendor,
            service_type=row.service_type,
            due_on=row.due_on,
            days_left=(row.due_on - day).days,
            state=row.state,
            answered=row.answered,
            asked=len(questionnaire(rules_of(cycles[row.cycle_id]), party, row.service_type)),
            open=cycles[row.cycle_id].state == CycleState.COLLECTING,
            region=row.region,
            reason=row.reason if row.state == RETURNED else "",
        )
        for row in rows
    ]


def cycles_of_rater(session: Session, *, actor: Actor) -> Sequence[Cycle]:
    """The cycles in which a rater has or had something to rate, the newest first."""
    own = _own_work(actor).with_only_columns(Entry.cycle_id)
    return session.scalars(select(Cycle).where(Cycle.id.in_(own)).order_by(Cycle.year.desc(), Cycle.code)).all()


@dataclass(frozen=True)
class OpenWork:
    """What is left for a rater in the cycles that collect now."""

    open: int
    next_due: date | None


def open_entries(session: Session, *, actor: Actor) -> Sequence[int]:
    """The entries that a rater may still work on, those due first before the others."""
    return session.scalars(
        _own_work(actor)
        .where(Cycle.state == CycleState.COLLECTING, state_or_not_begun().in_((NOT_BEGUN, AssessmentState.DRAFT.value)))
        .order_by(_due(actor), Contract.reference, Entry.id)
    ).all()


def open_work(session: Session, *, actor: Actor) -> OpenWork:
    """How many contracts a rater has still to submit, and the first due date among them."""
    left = (
        _own_work(actor)
        .where(Cycle.state == CycleState.COLLECTING, state_or_not_begun() != AssessmentState.SUBMITTED)
        .with_only_columns(func.count(), func.min(_due(actor)))
    )
    count, due = session.execute(left).one()
    return OpenWork(count, due)


def overdue(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> int:
    """How many contracts of a cycle a rater has not submitted though their day is over."""
    left = _own_work(actor).where(
        Entry.cycle_id == cycle.id,
        state_or_not_begun() != AssessmentState.SUBMITTED,
        _due(actor) < today(now),
    )
    return session.scalar(left.with_only_columns(func.count())) or 0
