"""A cycle's collecting as the administrator, the officer and the auditor see it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.orm import Session, joinedload

from evalsys.accounts.models import Account
from evalsys.base.access import Actor, Role
from evalsys.base.listing import Page, Wanted, paginate
from evalsys.collection.models import Assessment, AssessmentState, AssessmentVersion, Assignment, RatingsImport
from evalsys.collection.queries import state_or_not_begun
from evalsys.collection.tasks import PARTY_OF
from evalsys.registry.cycles import cycle_by_code
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Region, Vendor


@dataclass(frozen=True)
class Progress:
    """How far collecting is: submitted of expected, by named raters."""

    cycle: Cycle
    entries: int
    purchaser_submitted: int  # entries with at least one submitted assessment
    third_party_submitted: int
    unassigned: int  # entries without an evaluator
    would_buy_again: int  # of the purchasers' submitted assessments
    asked_again: int  # ... that say whether


def progress(session: Session, *, actor: Actor) -> list[Progress]:
    """Every cycle that has entries in the actor's branch, the newest first."""

    def with_submitted(party: str) -> ColumnElement[int]:
        submitted = (
            select(Assessment.id)
            .where(
                Assessment.entry_id == Entry.id,
                Assessment.party == party,
                Assessment.state == AssessmentState.SUBMITTED,
            )
            .exists()
        )
        return func.count().filter(submitted)

    assigned = select(Assignment.id).where(Assignment.entry_id == Entry.id).exists()
    rows = session.execute(
        select(
            Cycle,
            func.count(),
            with_submitted(PARTY_OF[Role.PURCHASER]),
            with_submitted(PARTY_OF[Role.EVALUATOR]),
            func.count().filter(~assigned),
        )
        .join(Entry, Entry.cycle_id == Cycle.id)
        .join(Contract, Entry.contract_id == Contract.id)
        .join(Region, Contract.region_id == Region.id)
        .where(Region.path.startswith(actor.region_path, autoescape=True))
        .group_by(Cycle.id)
        .order_by(Cycle.year.desc(), Cycle.code)
    )
    again = _buying_again(session, actor)
    return [Progress(*row, *again.get(row[0].id, (0, 0))) for row in rows]


def _buying_again(session: Session, actor: Actor) -> Mapping[int, tuple[int, int]]:
    """By cycle: how many purchasers would buy again, of how many who said; held assessments do not count."""
    rows = session.execute(
        select(Entry.cycle_id, func.count().filter(Assessment.buy_again.is_(True)), func.count())
        .join(Assessment.entry)
        .join(Contract, Entry.contract_id == Contract.id)
        .join(Region, Contract.region_id == Region.id)
        .where(
            Assessment.state == AssessmentState.SUBMITTED,
            ~Assessment.held,
            Assessment.buy_again.is_not(None),
            Region.path.startswith(actor.region_path, autoescape=True),
        )
        .group_by(Entry.cycle_id)
    )
    return {cycle_id: (yes, said) for cycle_id, yes, said in rows}


def cycle_of(session: Session, code: str, *, actor: Actor) -> Cycle:
    """A cycle by its code, for somebody who has a part in it.

    Raises:
        NotFound: there is none.
        NotAllowed: its region has nothing in common with the actor's branch.
    """
    cycle = cycle_by_code(session, code)
    if not actor.region_path.startswith(cycle.region.path):  # a county acts in its own part of the city's cycle
        actor.require_region(cycle.region.path)
    return cycle


def collecting_cycles(session: Session, *, actor: Actor) -> Sequence[Cycle]:
    """The cycles that collect and have something in common with the actor's branch, the newest first."""
    path = actor.region_path
    mine = or_(literal(path).startswith(Region.path), Region.path.startswith(path, autoescape=True))
    cycles = select(Cycle).join(Cycle.region).where(Cycle.state == CycleState.COLLECTING, mine)
    return session.scalars(cycles.order_by(Cycle.year.desc(), Cycle.code)).all()


@dataclass(frozen=True)
class AssignedEvaluator:
    """An evaluator of an entry and how far they are."""

    assignment_id: int
    name: str
    body: str
    due_on: date | None
    state: str


@dataclass(frozen=True)
class AssignmentRow:
    """An entry with its evaluators."""

    entry_id: int
    reference: str
    title: str
    vendor: str
    service_type: str
    evaluators: Sequence[AssignedEvaluator]


def assignment_rows(
    session: Session, cycle: Cycle, wanted: Wanted, *, actor: Actor, unassigned: bool = False, evaluator_id: int = 0
) -> Page[AssignmentRow]:
    """A cycle's entries in the actor's branch with their evaluators, one page of them.

    Args:
        unassigned: only entries without an evaluator.
        evaluator_id: only entries of this evaluator; 0 for all.
    """
    own = select(Assignment.id).where(Assignment.entry_id == Entry.id)
    how_many = select(func.count()).select_from(Assignment).where(Assignment.entry_id == Entry.id).scalar_subquery()
    statement = (
        select(Entry.id, Contract.reference, Contract.title, Vendor.name.label("vendor"), Contract.service_type)
        .join(Contract, Entry.contract_id == Contract.id)
        .join(Vendor, Contract.vendor_id == Vendor.id)
        .join(Region, Contract.region_id == Region.id)
        .where(Entry.cycle_id == cycle.id, Region.path.startswith(actor.region_path, autoescape=True))
    )
    if unassigned:
        statement = statement.where(~own.exists())
    if evaluator_id:
        statement = statement.where(own.where(Assignment.account_id == evaluator_id).exists())
    page = paginate(
        session,
        statement,
        wanted,
        sorts={
            "reference": Contract.reference,
            "title": Contract.title,
            "vendor": Vendor.name,
            "type": Contract.service_type,
            "evaluators": how_many,
        },
        default_sort="reference",
        search=(Contract.reference, Contract.title, Vendor.name),
        tie=Entry.id,
    )
    assigned = _evaluators_of(session, [row.id for row in page.rows])
    rows = [
        AssignmentRow(row.id, row.reference, row.title, row.vendor, row.service_type, assigned[row.id])
        for row in page.rows
    ]
    return replace(page, rows=rows)


def _evaluators_of(session: Session, entry_ids: Sequence[int]) -> Mapping[int, list[AssignedEvaluator]]:
    found: dict[int, list[AssignedEvaluator]] = defaultdict(list)
    rows = session.execute(
        select(Assignment, state_or_not_begun())
        .outerjoin(
            Assessment,
            and_(Assessment.entry_id == Assignment.entry_id, Assessment.account_id == Assignment.account_id),
        )
        .where(Assignment.entry_id.in_(entry_ids))
        .options(joinedload(Assignment.account).joinedload(Account.evaluator_body))
        .order_by(Assignment.id)
    )
    for assignment, state in rows:
        account = assignment.account
        body = account.evaluator_body.name if account.evaluator_body else ""
        found[assignment.entry_id].append(
            AssignedEvaluator(assignment.id, account.name, body, assignment.due_on, state)
        )
    return found


@dataclass(frozen=True)
class SubmittedRow:
    """A submitted assessment of a named rater or of a file."""

    assessment_id: int
    reference: str
    title: str
    party: str
    rater: str
    imported: bool
    submitted_at: datetime
    returned: bool  # sent back and not yet submitted again


def submitted_rows(
    session: Session, cycle: Cycle, wanted: Wanted, *, actor: Actor, party: str = ""
) -> Page[SubmittedRow]:
    """What named raters have submitted in the actor's branch, one page of it; `party` empty for all."""
    last = select(func.max(AssessmentVersion.submitted_at)).where(AssessmentVersion.assessment_id == Assessment.id)
    at = func.coalesce(Assessment.submitted_at, last.scalar_subquery())
    rater = func.coalesce(Account.name, Assessment.rater_label)
    statement = (
        select(
            Assessment.id,
            Contract.reference,
            Contract.title,
            Assessment.party,
            rater.label("rater"),
            Assessment.import_id,
            at.label("submitted_at"),
            (Assessment.state == AssessmentState.DRAFT).label("returned"),
        )
        .join(Entry, Assessment.entry_id == Entry.id)
        .join(Contract, Entry.contract_id == Contract.id)
        .join(Region, Contract.region_id == Region.id)
        .outerjoin(Account, Assessment.account_id == Account.id)
        .where(
            Entry.cycle_id == cycle.id,
            at.is_not(None),
            Region.path.startswith(actor.region_path, autoescape=True),
        )
    )
    if party:
        statement = statement.where(Assessment.party == party)
    page = paginate(
        session,
        statement,
        wanted,
        sorts={
            "reference": Contract.reference,
            "party": Assessment.party,
            "rater": rater,
            "at": at,
        },
        default_sort="-at",
        search=(Contract.reference, Contract.title, Account.name, Assessment.rater_label),
        tie=Assessment.id,
    )
    return replace(page, rows=[_submitted_row(row) for row in page.rows])


def _submitted_row(row: Any) -> SubmittedRow:
    return SubmittedRow(
        row.id,
        row.reference,
        row.title,
        row.party,
        row.rater,
        row.import_id is not None,
        row.submitted_at,
        row.returned,
    )


def imports_of(session: Session, cycle: Cycle) -> Sequence[RatingsImport]:
    """The files of ratings that are in, the newest first."""
    return session.scalars(
        select(RatingsImport).where(RatingsImport.cycle_id == cycle.id).order_by(RatingsImport.id.desc())
    ).all()
