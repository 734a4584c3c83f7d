"""Which named raters have work in a cycle whose day is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Actor, Role
from evalsys.collection.counting import entries_of_branch
from evalsys.collection.models import Assignment
from evalsys.collection.queries import overdue
from evalsys.registry.models import Contract, Cycle, Entry


def overdue_of(session: Session, cycle: Cycle, account: Account, *, now: datetime) -> int:
    """How many contracts of a cycle somebody has still to submit though their day is over."""
    return overdue(session, cycle, actor=account.as_actor(), now=now)


def late_raters(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> Iterator[Account]:
    """Purchasers and evaluators of the branch with such work."""
    mine = entries_of_branch(cycle, actor)
    assigned = select(Assignment.account_id).where(Assignment.entry_id.in_(mine))
    buying = select(Contract.purchaser_id).join(Entry, Entry.contract_id == Contract.id).where(Entry.id.in_(mine))
    raters = select(Account).where(
        Account.active,
        or_(
            and_(Account.role == Role.EVALUATOR, Account.id.in_(assigned)),
            and_(Account.role == Role.PURCHASER, Account.purchaser_id.in_(buying)),
        ),
    )
    for account in session.scalars(raters.order_by(Account.id)):
        if overdue_of(session, cycle, account, now=now):
            yield account
