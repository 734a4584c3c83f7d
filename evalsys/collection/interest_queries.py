"""Reads of declarations of interests: who has signed, what binds whom, what is still to be done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import exists, func, literal, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from evalsys.accounts.models import Account
from evalsys.accounts.todo import Todo
from evalsys.base.access import Actor, Role
from evalsys.base.errors import NotFound
from evalsys.base.language import number
from evalsys.collection.assignments import OPEN_STATES
from evalsys.collection.declarations import tie_words
from evalsys.collection.interest_models import InterestDeclaration, InterestTie
from evalsys.collection.interests import Ties, counted_from, evaluators_of, in_force, ties_of
from evalsys.collection.models import Assessment, AssessmentState, Assignment
from evalsys.registry.cycle_notes import Note
from evalsys.registry.models import Contract, Cycle, Entry, EvaluatorBody, Purchaser, Region, Vendor


def evaluator(session: Session, actor: Actor) -> Account:
    """The evaluator's own account."""
    return session.get_one(Account, actor.account_id)


def versions(
    session: Session, cycle: Cycle, *, account_id: int | None = None, body_id: int | None = None
) -> Sequence[InterestDeclaration]:
    """All that an evaluator, or an organisation, has signed for a cycle, the newest first."""
    return session.scalars(
        select(InterestDeclaration)
        .where(
            InterestDeclaration.cycle_id == cycle.id,
            InterestDeclaration.account_id.is_not_distinct_from(account_id),
            InterestDeclaration.body_id.is_not_distinct_from(body_id),
        )
        .options(selectinload(InterestDeclaration.ties).joinedload(InterestTie.vendor))
        .options(selectinload(InterestDeclaration.ties).joinedload(InterestTie.purchaser))
        .order_by(InterestDeclaration.number.desc())
    ).all()


def body_by_code(session: Session, cycle: Cycle, credit_code: str) -> EvaluatorBody:
    """An organisation that has evaluators in a cycle; raises NotFound."""
    for person in evaluators_of(session, cycle):
        if person.evaluator_body is not None and person.evaluator_body.credit_code == credit_code:
            return person.evaluator_body
    raise NotFound(
        _("No evaluators of such an organisation take part in this cycle."), remedy=_("Choose one from the list.")
    )


def bodies_to_choose(session: Session, cycle: Cycle) -> list[str]:
    """Names of the vendors and purchasers that have contracts in the cycle's branch."""
    found: set[str] = set()
    for body in (Vendor, Purchaser):
        names = select(body.name).join(Contract, body.id == Contract.__table__.c[f"{body.__tablename__}_id"])
        inside = names.join(Contract.region).where(Region.path.startswith(cycle.region.path, autoescape=True))
        found.update(session.scalars(inside.distinct()))
    return sorted(found)


def cycles_to_declare(session: Session, actor: Actor) -> Sequence[Cycle]:
    """The open cycles of an evaluator's branch for which nothing is signed yet."""
    signed = exists().where(
        InterestDeclaration.cycle_id == Cycle.id, InterestDeclaration.account_id == actor.account_id
    )
    related = or_(
        Region.path.startswith(actor.region_path, autoescape=True), literal(actor.region_path).startswith(Region.path)
    )
    open_ones = select(Cycle).join(Cycle.region).where(Cycle.state.in_(OPEN_STATES), related, ~signed)
    return session.scalars(open_ones.order_by(Cycle.year, Cycle.code)).all()


def to_declare(session: Session, actor: Actor) -> Iterator[Todo]:
    """For an evaluator's desk: the declarations to sign."""
    if actor.role == Role.EVALUATOR:
        for cycle in cycles_to_declare(session, actor):
            text = _("Sign your declaration of interests for “%(title)s”", title=cycle.title)
            yield Todo(text, url_for("interests.own", code=cycle.code))


def before_assessing(session: Session, cycle: Cycle, actor: Actor) -> Iterator[Note]:
    """For the coordinator: who has not signed, and contracts of the branch that nobody is to assess."""
    if cycle.state not in OPEN_STATES:
        return
    signed = {one.account_id for one in in_force(session, cycle)}
    unsigned = sum(person.id not in signed for person in evaluators_of(session, cycle))
    if unsigned and actor.role in {Role.ADMINISTRATOR, Role.AUDITOR}:
        label = _("Evaluators who have not signed their declaration of interests")
        yield Note(label, number(unsigned), url_for("interests.overview", code=cycle.code))
    assigned = exists().where(Assignment.entry_id == Entry.id)
    inside = Region.path.startswith(actor.region_path, autoescape=True)
    entries = select(func.count()).select_from(Entry).join(Entry.contract).join(Contract.region)
    alone = session.scalar(entries.where(Entry.cycle_id == cycle.id, inside, ~assigned))
    if alone:
        yield Note(_("Contracts without an evaluator"), number(alone), url_for("plans.plan", code=cycle.code))


@dataclass(frozen=True)
class Declarer:
    """An evaluator in the administrator's list, with what bars them from how many of the cycle's contracts."""

    account: Account
    declaration: InterestDeclaration | None
    ties: Ties
    barred: int


@dataclass(frozen=True)
class Tied:
    """A tie in force, as the administrator sees it."""

    who: str
    words: str
    bars: bool


@dataclass(frozen=True)
class Overview:
    """Who has declared what for a cycle.

    Attributes:
        bodies: the organisations with their declarations, where there are any.
        submitted: assessments that were submitted although a tie bars their evaluator now, with the reason.
    """

    declarers: Sequence[Declarer]
    bodies: Sequence[tuple[EvaluatorBody, InterestDeclaration | None]]
    ties: Sequence[Tied]
    submitted: Sequence[tuple[Assessment, str]]

    @property
    def missing(self) -> int:
        return sum(one.declaration is None for one in self.declarers)


def overview(session: Session, cycle: Cycle) -> Overview:
    """Everything about a cycle's declarations."""
    people = evaluators_of(session, cycle)
    ties = ties_of(session, cycle, people)
    signed = in_force(session, cycle)
    own = {one.account_id: one for one in signed if one.account_id is not None}
    of_bodies = {one.body_id: one for one in signed if one.body_id is not None}
    contracts = session.scalars(select(Contract).join(Entry).where(Entry.cycle_id == cycle.id)).all()
    bodies = {person.evaluator_body for person in people if person.evaluator_body is not None}
    return Overview(
        declarers=[
            Declarer(
                person, own.get(person.id), ties[person.id], sum(bool(ties[person.id].why(one)) for one in contracts)
            )
            for person in people
        ],
        bodies=[(body, of_bodies.get(body.id)) for body in sorted(bodies, key=lambda body: body.name)],
        ties=[
            Tied(_signer(one), tie_words(tie), tie.ended_on is None or tie.ended_on >= counted_from(cycle))
            for one in signed
            for tie in one.ties
        ],
        submitted=submitted_despite(session, cycle),
    )


def _signer(declaration: InterestDeclaration) -> str:
    whose = declaration.account or declaration.body
    return whose.name if whose else ""


def submitted_despite(session: Session, cycle: Cycle) -> list[tuple[Assessment, str]]:
    """Assessments in the count whose evaluator is barred from the contract by now, each with the reason."""
    submitted = session.scalars(
        select(Assessment)
        .join(Assessment.entry)
        .join(Assessment.account)
        .where(
            Entry.cycle_id == cycle.id,
            Account.role == Role.EVALUATOR,
            Assessment.state == AssessmentState.SUBMITTED,
            ~Assessment.held,
        )
        .options(joinedload(Assessment.entry).joinedload(Entry.contract), joinedload(Assessment.account))
        .order_by(Assessment.id)
    ).all()
    people = {one.account.id: one.account for one in submitted if one.account is not None}
    ties = ties_of(session, cycle, list(people.values()))
    return [(one, why) for one in submitted if (why := ties[one.account_id or 0].why(one.entry.contract))]
