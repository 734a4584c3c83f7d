"""Interviews in the simulated county: who asked whom, and what asking some of them again came to."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Actor, Role
from evalsys.collection.interview_marks import interview_key, note
from evalsys.collection.interview_models import LEAST_SHARE, How, Lasted, Result, Suggested, WithWhom
from evalsys.collection.models import Invitation, Outcome
from evalsys.collection.rechecks import Said, draw, record_recheck, to_check
from evalsys.demo import county
from evalsys.registry.models import Cycle, Entry

NOW = datetime(county.YEARS[-1], 11, 12, 2, tzinfo=UTC)
ANSWERED, IN_VAIN = 0.6, 0.8  # shares of those who answered, and of those who said why not, that somebody had asked
USUAL = Said(Result.CONFIRMED, How.IN_PERSON, WithWhom.RECIPIENT, Lasted.FROM_5_TO_15, Suggested.NO)
CAME_OF = (
    (USUAL, 0.6),
    (Said(Result.CONFIRMED, How.TELEPHONE, WithWhom.RELATIVE, Lasted.UNDER_5, Suggested.NO), 0.2),
    (Said(Result.UNREACHABLE), 0.2),
)
DOUBTED = Said(Result.NOT_CONFIRMED)  # once, of the interviewer who was added last


def interview(session: Session, generator: np.random.Generator, *, secret: str) -> None:
    """Say of recipients by name who asked them, draw some of these, and ask most of the drawn again."""
    cycle = session.scalars(select(Cycle).where(Cycle.code == str(county.YEARS[-1]))).one()
    key = interview_key(secret)
    people = session.scalars(select(Account).where(Account.role == Role.INTERVIEWER).order_by(Account.id))
    interviewers = [account.as_actor() for account in people]
    of_cycle = Invitation.entry_id.in_(select(Entry.id).where(Entry.cycle_id == cycle.id))
    named = select(Invitation).where(of_cycle, Invitation.roster_member_id.is_not(None)).order_by(Invitation.id)
    for case in session.scalars(named):
        asked = ANSWERED if case.used else IN_VAIN if case.outcome in (Outcome.REFUSED, Outcome.UNREACHABLE) else 0
        if generator.random() < asked:
            note(session, case.id, key=key, actor=interviewers[int(generator.integers(len(interviewers)))])
    session.flush()
    coordinator = session.scalars(select(Account).where(Account.username == "admin")).one().as_actor()
    draw(session, cycle, seed="模拟种子", share=LEAST_SHARE, key=key, actor=coordinator, now=NOW)
    _ask_again(session, coordinator, interviewers[-1], generator, key=key)


def _ask_again(
    session: Session, coordinator: Actor, doubted: Actor, generator: np.random.Generator, *, key: bytes
) -> None:
    """Ask about all drawn interviews but the first of each interviewer."""
    seen = Counter[int]()
    for again in to_check(session, key=key, actor=coordinator):
        whose = again.recheck.account_id
        seen[whose] += 1
        if seen[whose] == 1:
            continue
        said = CAME_OF[int(generator.choice(len(CAME_OF), p=[share for _said, share in CAME_OF]))][0]
        if whose == doubted.account_id and seen[whose] == 2:
            said = DOUBTED
        record_recheck(session, again.case_id, said, key=key, actor=coordinator, now=NOW)
