"""Who may not assess what, because of a tie: declared by evaluators or for an organisation, or known from contracts.

A tie bars for as long as it lasts and for two years after its end, counted back from the day the cycle opens. An
organisation's tie binds all of its evaluators. Two ties are known without anybody's word: that the organisation is
itself the vendor, and that it works for the purchaser under another contract. A contract for 绩效评价 is not such a
tie: it is how an evaluator is commissioned (see docs/decisions/0035-ties-that-bar.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import exists, literal, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from evalsys.accounts.models import Account
from evalsys.base.access import Actor, Role
from evalsys.base.errors import Conflict, NotAllowed
from evalsys.collection.interest_models import InterestDeclaration, InterestTie
from evalsys.registry.models import Contract, Cycle, Entry, EvaluatorBody, Region, Vendor

YEARS = 2
COMMISSION = "performance_evaluation"


class Undeclared(Conflict):
    """The evaluator has signed no declaration of interests for the cycle yet."""

    def __init__(self, cycle: Cycle) -> None:
        super().__init__(
            _("Sign your declaration of interests for “%(title)s” first.", title=cycle.title),
            remedy=_("Without it no contract opens for assessment."),
        )
        self.cycle_code = cycle.code


@dataclass
class Ties:
    """Everything that bars one evaluator in a cycle, as ids of vendors and purchasers.

    Attributes:
        own: vendors that are the evaluator's organisation.
        customers: purchasers that the organisation works for.
        vendors, purchasers: of declared ties.
    """

    own: set[int] = field(default_factory=set)
    customers: set[int] = field(default_factory=set)
    vendors: set[int] = field(default_factory=set)
    purchasers: set[int] = field(default_factory=set)

    @property
    def bodies(self) -> tuple[set[int], set[int]]:
        """All vendors, and all purchasers, whose contracts are barred."""
        return self.own | self.vendors, self.customers | self.purchasers

    def why(self, contract: Contract) -> str:
        """Why the evaluator may not assess the contract; empty where nothing bars it."""
        said = ""
        if contract.vendor_id in self.own:
            said = _("the evaluator's organisation provides this service itself")
        elif contract.vendor_id in self.vendors:
            said = _("a tie to the vendor is declared")
        elif contract.purchaser_id in self.purchasers:
            said = _("a tie to the purchaser is declared")
        elif contract.purchaser_id in self.customers:
            said = _("the evaluator's organisation works for the purchaser under another contract")
        return said


def counted_from(cycle: Cycle) -> date:
    """The day on or after which a tie that has ended still bars."""
    opens = cycle.opens_on
    leap = (opens.month, opens.day) == (2, 29)
    return opens.replace(year=opens.year - YEARS, day=28 if leap else opens.day)


def in_force(session: Session, cycle: Cycle) -> list[InterestDeclaration]:
    """The newest declaration of each evaluator and of each organisation that signed for a cycle, with its ties."""
    signed = session.scalars(
        select(InterestDeclaration)
        .where(InterestDeclaration.cycle_id == cycle.id)
        .options(selectinload(InterestDeclaration.ties), joinedload(InterestDeclaration.account))
        .order_by(InterestDeclaration.number)
    )
    return list({(one.account_id, one.body_id): one for one in signed}.values())


def ties_of(
    session: Session, cycle: Cycle, people: Sequence[Account], *, stated: InterestDeclaration | None = None
) -> Mapping[int, Ties]:
    """What bars each of these evaluators in a cycle, by account id.

    Args:
        stated: a declaration not stored yet, read in place of the one that is in force.
    """
    found = {person.id: Ties() for person in people}
    colleagues: dict[int, list[Ties]] = defaultdict(list)
    for person in people:
        if person.evaluator_body_id is not None:
            colleagues[person.evaluator_body_id].append(found[person.id])
    for declaration in _read(in_force(session, cycle), stated):
        for tie in declaration.ties:
            if tie.ended_on is None or tie.ended_on >= counted_from(cycle):
                bound = (
                    colleagues.get(declaration.organisation_id or 0, [])
                    if tie.of_body
                    else [found.get(declaration.account_id or 0)]
                )
                _bind(filter(None, bound), tie)
    _bind_by_contracts(session, cycle, colleagues)
    return found


def _read(signed: list[InterestDeclaration], stated: InterestDeclaration | None) -> list[InterestDeclaration]:
    if stated is None:
        return signed
    whose = (stated.account_id, stated.body_id)
    return [*(one for one in signed if (one.account_id, one.body_id) != whose), stated]


def _bind(bound: Iterable[Ties], tie: InterestTie) -> None:
    for ties in bound:
        if tie.vendor_id is not None:
            ties.vendors.add(tie.vendor_id)
        if tie.purchaser_id is not None:
            ties.purchasers.add(tie.purchaser_id)


def _bind_by_contracts(session: Session, cycle: Cycle, colleagues: Mapping[int, Iterable[Ties]]) -> None:
    """The ties of organisations that are vendors themselves."""
    itself = select(EvaluatorBody.id, Vendor.id).join(Vendor, Vendor.credit_code == EvaluatorBody.credit_code)
    for body_id, vendor_id in session.execute(itself.where(EvaluatorBody.id.in_(colleagues))):
        customers = session.scalars(
            select(Contract.purchaser_id).where(
                Contract.vendor_id == vendor_id,
                Contract.service_type != COMMISSION,
                Contract.ends_on >= counted_from(cycle),
            )
        ).all()
        for ties in colleagues[body_id]:
            ties.own.add(vendor_id)
            ties.customers.update(customers)


def has_declared(session: Session, cycle: Cycle, account_id: int | None) -> bool:
    """Whether an evaluator has signed a declaration for a cycle."""
    signed = exists().where(InterestDeclaration.cycle_id == cycle.id, InterestDeclaration.account_id == account_id)
    return session.scalar(select(signed)) or False


def require_independent(session: Session, entry: Entry, *, actor: Actor) -> None:
    """Let an evaluator go on with an entry.

    Raises:
        Undeclared: no declaration of interests is signed for the cycle.
        NotAllowed: a tie bars the evaluator from the contract.
    """
    if not has_declared(session, entry.cycle, actor.account_id):
        raise Undeclared(entry.cycle)
    person = session.get_one(Account, actor.account_id)
    why = ties_of(session, entry.cycle, [person])[person.id].why(entry.contract)
    if why:
        raise NotAllowed(
            _("You may not assess this contract: %(why)s.", why=why),
            remedy=_("The administrator gives it to somebody else; you need do nothing."),
        )


def evaluators_of(session: Session, cycle: Cycle) -> Sequence[Account]:
    """The evaluators whose branch holds contracts that the cycle may have, by body and name."""
    path = cycle.region.path
    people = session.scalars(
        select(Account)
        .join(Account.evaluator_body)
        .join(Account.region)
        .where(Account.role == Role.EVALUATOR, Account.active)
        .where(or_(Region.path.startswith(path, autoescape=True), literal(path).startswith(Region.path)))
        .options(joinedload(Account.evaluator_body), joinedload(Account.region))
        .order_by(Account.evaluator_body_id, Account.name, Account.id)
    )
    return people.all()
