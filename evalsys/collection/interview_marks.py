"""Which interviewer worked at which case: the table of interviewers, and what rechecks are drawn from."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Actor
from evalsys.base.tokens import derive_key, keyed_hash
from evalsys.collection.counting import entries_of_branch
from evalsys.collection.interview_models import Interview, Recheck, Result, Suggested
from evalsys.collection.models import Invitation, Outcome
from evalsys.registry.models import Cycle


def interview_key(secret: str) -> bytes:
    """The key that cases are hashed with; who loses it loses the marks."""
    return derive_key(secret, "interview")


def mark_of(case_id: int, key: bytes) -> bytes:
    """What stands for a case beside its interviewer."""
    return keyed_hash(key, str(case_id).encode())


def note(session: Session, case_id: int, *, key: bytes, actor: Actor) -> None:
    """Keep who worked at a case last; without a time, and without an entry in the audit trail."""
    mark = mark_of(case_id, key)
    kept = session.get(Interview, mark)
    if kept is None:
        cycle_id = session.get_one(Invitation, case_id).entry.cycle_id
        kept = Interview(mark=mark, cycle_id=cycle_id)
        session.add(kept)
    kept.account_id = actor.account_id or 0


@dataclass(frozen=True)
class Worked:
    """A case that an interviewer worked at.

    Attributes:
        used: whether it was answered with; else `outcome` says why not.
        named: whether a roster says whose it is, so that somebody can ask again.
    """

    case_id: int
    mark: bytes
    account_id: int
    used: bool
    outcome: str | None
    named: bool


def worked(session: Session, cycle: Cycle, *, key: bytes, actor: Actor) -> list[Worked]:
    """The cases of the branch at which interviewers worked."""
    marks = dict(
        session.execute(select(Interview.mark, Interview.account_id).where(Interview.cycle_id == cycle.id)).all()
    )
    if not marks:
        return []
    cases = session.execute(
        select(Invitation.id, Invitation.used, Invitation.outcome, Invitation.roster_member_id.is_not(None)).where(
            Invitation.entry_id.in_(entries_of_branch(cycle, actor))
        )
    )
    return [
        Worked(case_id, mark, marks[mark], used and outcome != Outcome.PAPER, outcome, named)
        for case_id, used, outcome, named in cases
        for mark in [mark_of(case_id, key)]
        if mark in marks
    ]


@dataclass
class Interviewer:
    """What an interviewer did, and what came of asking again.

    Attributes:
        worked: cases they were the last to work at.
        answered: of these, with an answer; refused, unreachable, gone, paper: without one, for such a reason.
        named: answered ones whom a roster names; of the others nobody can ask again.
        drawn, checked: of the named ones, those that are to be asked again, and that were.
        suggested: confirmed interviews of which the recipient says that answers were suggested.
    """

    name: str
    worked: int = 0
    answered: int = 0
    refused: int = 0
    unreachable: int = 0
    gone: int = 0
    paper: int = 0
    named: int = 0
    drawn: int = 0
    confirmed: int = 0
    not_confirmed: int = 0
    not_reached: int = 0
    suggested: int = 0

    @property
    def under(self) -> str:
        """What to look at."""
        return _("Not confirmed: look at it") if self.not_confirmed or self.suggested else ""

    @property
    def checked(self) -> int:
        return self.confirmed + self.not_confirmed + self.not_reached

    @property
    def share(self) -> float | None:
        """Drawn of those who can be asked again."""
        return self.drawn / self.named if self.named else None


_AFTER = {
    Outcome.REFUSED: "refused",
    Outcome.UNREACHABLE: "unreachable",
    Outcome.MOVED: "gone",
    Outcome.DIED: "gone",
    Outcome.PAPER: "paper",
}
_CAME_OF = {
    Result.CONFIRMED: "confirmed",
    Result.NOT_CONFIRMED: "not_confirmed",
    Result.UNREACHABLE: "not_reached",
}


def interviewers(session: Session, cycle: Cycle, *, key: bytes, actor: Actor) -> list[Interviewer]:
    """A line for each interviewer of the branch's cases, by name."""
    cases = worked(session, cycle, key=key, actor=actor)
    names = dict(session.execute(select(Account.id, Account.name)).all()) if cases else {}
    rechecks = {
        recheck.mark: recheck
        for recheck in session.scalars(select(Recheck).join(Recheck.draw).filter_by(cycle_id=cycle.id))
    }
    found: dict[int, Interviewer] = {}
    for case in cases:
        line = found.setdefault(case.account_id, Interviewer(names[case.account_id]))
        line.worked += 1
        line.answered += case.used
        line.named += case.used and case.named
        if not case.used and case.outcome in _AFTER:
            name = _AFTER[Outcome(case.outcome)]
            setattr(line, name, getattr(line, name) + 1)
        recheck = rechecks.get(case.mark)
        if recheck is not None:
            line.drawn += 1
            line.suggested += recheck.suggested == Suggested.YES
            if recheck.result:
                name = _CAME_OF[Result(recheck.result)]
                setattr(line, name, getattr(line, name) + 1)
    return sorted(found.values(), key=lambda line: line.name)
