"""What a named rater has to do."""

from __future__ import annotations

from collections.abc import Sequence
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
from evalsys.collection.models import Assessment, AssessmentRating, AssessmentState, Assignment
from evalsys.collection.questionnaire import questionnaire
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Region, Vendor
from evalsys.registry.pins import rules_of

NOT_BEGUN = "not_begun"
AWAITING = "awaiting"
STATES = (NOT_BEGUN, AssessmentState.DRAFT.value, AWAITING, AssessmentState.SUBMITTED.value)


@dataclass(frozen=True)
class WorkItem:
    """A contract on a rater's list.

    Attributes:
        state: one of STATES.
        answered, asked: questions that have an answer, of all that there are (0: the rules ask this party nothing).
        days_left: to the due date; negative when it is over.
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


def today(now: datetime) -> date:
    """The day in China at a moment."""
    return now.astimezone(CHINA).date()


def state_or_not_begun() -> ColumnElement[str]:
    """The state of an outer-joined assessment, one of STATES."""
    asked = exists().where(Cosigning.assessment_id == Assessment.id, Cosigning.state == CosigningState.ASKED)
    return case((asked, literal(AWAITING)), else_=func.coalesce(Assessment.state, literal(NOT_BEGUN)))


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


def worklist(
    session: Session, wanted: Wanted, *, actor: Actor, now: datetime, state: str = "", cycle: str = ""
) -> Page[WorkItem]:
    """A rater's contracts, one page of them.

    Args:
        state: one of STATES; empty for all.
        cycle: a cycle's code; empty for all that collect now.
    """
    due = _due(actor)
    statement = _own_work(actor).add_columns(
        Assessment.id.label("assessment_id"),
        Cycle.id.label("cycle_id"),
        Contract.reference,
        Contract.title,
        Vendor.name.label("vendor"),
        Contract.service_type,
        due.label("due_on"),
        state_or_not_begun().label("state"),
        _answered().label("answered"),
    )
    statement = statement.where(Cycle.code == cycle if cycle else Cycle.state == CycleState.COLLECTING)
    if state in STATES:
        statement = statement.where(state_or_not_begun() == state)
    page = paginate(
        session,
        statement,
        wanted,
        sorts={
            "reference": Contract.reference,
            "title": Contract.title,
            "vendor": Vendor.name,
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
