"""An objection's life: filed by the vendor, taken up, prolonged, decided by somebody else, taken to the region above.

filed → accepted → decided (the result stands, or is corrected); filed or accepted → decided (rejected) or withdrawn.
A decided first objection may be followed by one of the second level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from evalsys.appeals.deadlines import second_level_until, window_of
from evalsys.appeals.files import Sent, looked_at
from evalsys.appeals.independence import require_independent
from evalsys.appeals.models import OPEN, Ground, Objection, ObjectionState, Outcome
from evalsys.appeals.own import own_entry, owns
from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Gone, Invalid, NotFound
from evalsys.evaluation.models import Run, Score
from evalsys.evaluation.queries import latest_run
from evalsys.publication.changes import RESULT
from evalsys.registry.models import Contract, Cycle, Entry

SHORTEST = 10
LONGEST = 3000


@dataclass(frozen=True)
class Filing:
    """What a vendor says."""

    ground: str
    statement: str
    files: Sequence[Sent] = field(default_factory=tuple)


def file(session: Session, entry_id: int, filing: Filing, *, actor: Actor, now: datetime) -> Objection:
    """Object to the result of an own contract.

    Raises:
        NotFound: it is not the vendor's.
        Invalid: no known ground, too short or long a statement, a file that is not taken.
        Gone: the time for it is over, or has not begun.
        Conflict: one is open, or this result was examined already.
    """
    entry = own_entry(session, entry_id, actor=actor)
    session.refresh(entry.cycle, attribute_names=["state"], with_for_update=True)  # numbers follow each other
    window = window_of(session, entry)
    if window is None:
        raise Gone(
            _("There is no result to object to yet."), remedy=_("You can object as soon as the result is told to you.")
        )
    if window.deadline.is_over(now):
        raise Gone(
            _("The time for objections ended on %(day)s.", day=window.deadline.day.isoformat()),
            remedy=_("You may still write a reply; it stands beside the score."),
        )
    for other in of_entry(session, entry):
        if other.is_open:
            raise Conflict(_("An objection to this result is open already."), remedy=_("Wait for its decision."))
        if other.run_id == window.run.id and other.outcome in (Outcome.UPHELD, Outcome.CORRECTED):
            raise Conflict(
                _("This result was examined already."), remedy=_("Take the decision to the region above instead.")
            )
    return _filed(session, entry, window.run, filing, first=None, actor=actor, now=now)


def escalate(session: Session, objection: Objection, filing: Filing, *, actor: Actor, now: datetime) -> Objection:
    """Take a decision to the region above, once.

    Raises:
        NotFound, Invalid: as with the first.
        Conflict: it is not a first decision, or was taken there already; or there is no region above.
        Gone: the time for it is over.
    """
    entry = own_entry(session, objection.entry_id, actor=actor)
    session.refresh(entry.cycle, attribute_names=["state"], with_for_update=True)
    until = second_level_until(objection)
    if until is None or any(other.first_id == objection.id or other.is_open for other in of_entry(session, entry)):
        raise Conflict(
            _("This cannot be taken to the region above."), remedy=_("Only a first decision can, and only once.")
        )
    if entry.cycle.region.parent_id is None:
        raise Conflict(
            _("There is no region above this one in the system."),
            remedy=_("Ask for a review on paper, as the law has it."),
        )
    if until.is_over(now):
        raise Gone(
            _("The time to turn to the region above ended on %(day)s.", day=until.day.isoformat()),
            remedy=_("The decision stands."),
        )
    return _filed(session, entry, objection.new_run or objection.run, filing, first=objection, actor=actor, now=now)


def _filed(
    session: Session, entry: Entry, run: Run, filing: Filing, *, first: Objection | None, actor: Actor, now: datetime
) -> Objection:
    objection = Objection(
        number=_number(session, entry.cycle),
        entry=entry,
        run=run,
        level=2 if first else 1,
        first=first,
        ground=_known_ground(filing.ground),
        statement=_checked_statement(filing.statement),
        state=ObjectionState.FILED.value,
        filed_at=now,
        filed_by=actor.name,
        files=looked_at(filing.files, now=now),
    )
    session.add(objection)
    session.flush()
    _record(session, objection, "file_objection", actor=actor, now=now, detail={"level": objection.level})
    return objection


def _number(session: Session, cycle: Cycle) -> str:
    before = session.scalar(select(func.count()).select_from(Objection).join(Entry).where(Entry.cycle_id == cycle.id))
    return f"{cycle.code}-F{(before or 0) + 1:03d}"


def _known_ground(ground: str) -> str:
    if ground not in set(Ground):
        raise Invalid(_("Choose what the objection rests on."), remedy=_("Choose one from the list."))
    return ground


def _checked_statement(statement: str) -> str:
    told = statement.strip()
    if not SHORTEST <= len(told) <= LONGEST:
        raise Invalid(
            _("The statement has %(n)s characters.", n=len(told)),
            remedy=_("Write between %(least)s and %(most)s.", least=SHORTEST, most=LONGEST),
        )
    return told


def withdraw(session: Session, objection: Objection, *, actor: Actor, now: datetime) -> None:
    """The vendor takes its objection back; the result is as if it had never been filed."""
    own_entry(session, objection.entry_id, actor=actor)
    _require_state(session, objection, *OPEN)
    objection.state = ObjectionState.WITHDRAWN.value
    _record(session, objection, "withdraw_objection", actor=actor, now=now)


def accept(session: Session, objection: Objection, *, actor: Actor, now: datetime) -> None:
    """Take an objection up; from now on the days for its decision run."""
    require_independent(session, objection, actor)
    _require_state(session, objection, ObjectionState.FILED)
    objection.state = ObjectionState.ACCEPTED.value
    objection.accepted_at, objection.accepted_by = now, actor.name
    _record(session, objection, "accept_objection", actor=actor, now=now)


def extend(session: Session, objection: Objection, reason: str, *, actor: Actor, now: datetime) -> None:
    """Prolong the time for the decision, once, with a reason.

    Raises:
        Conflict: it is not being examined, or was prolonged already.
        Invalid: no reason.
    """
    require_independent(session, objection, actor)
    _require_state(session, objection, ObjectionState.ACCEPTED)
    if objection.extended_at is not None:
        raise Conflict(_("The time was prolonged already."), remedy=_("Decide within it."))
    objection.extended_at, objection.extension_reason = now, _reasons(reason)
    _record(session, objection, "extend_objection", actor=actor, now=now, detail={"reason": objection.extension_reason})


def decide(
    session: Session, objection: Objection, outcome: str, reasons: str, *, no_tie: bool, actor: Actor, now: datetime
) -> None:
    """Decide an objection.

    Args:
        outcome: `rejected` also before it was taken up; `corrected` takes the newest run as the correction.
        reasons: published with the decision.
        no_tie: the person's word that they had no tie with the vendor within two years.

    Raises:
        NotAllowed: the person may not decide it.
        Invalid: no such outcome, no reasons, or no word on ties.
        Conflict: it is not in the state for it; or nothing was corrected yet.
    """
    require_independent(session, objection, actor)
    if outcome not in set(Outcome):
        raise Invalid(_("Choose an outcome."), remedy=_("Choose one from the list."))
    if not no_tie:
        raise Invalid(
            _("Whoever decides must have had no tie with the vendor for two years."),
            remedy=_("Tick the box if that is so; otherwise stand aside."),
        )
    _require_state(session, objection, *(OPEN if outcome == Outcome.REJECTED else (ObjectionState.ACCEPTED,)))
    if outcome == Outcome.CORRECTED:
        objection.new_run, objection.change = _correction(session, objection)
    objection.state, objection.outcome, objection.reasons = ObjectionState.DECIDED.value, outcome, _reasons(reasons)
    objection.decided_at, objection.decided_by, objection.decided_account_id = now, actor.name, actor.account_id
    _record(session, objection, "decide_objection", actor=actor, now=now, detail={"outcome": outcome})


def _correction(session: Session, objection: Objection) -> tuple[Run, dict[str, Any]]:
    """The run that put the result right, and what differs."""
    run = latest_run(session, objection.entry.cycle)
    before = _result(session, objection.run_id, objection.entry_id)
    after = _result(session, run.id, objection.entry_id) if run else None
    if run is None or run.id == objection.run_id or before == after:
        raise Conflict(
            _("Nothing about this contract's result was corrected yet."),
            remedy=_("Put right what was wrong and score the cycle again; then decide."),
        )
    return run, {"before": before, "after": after}


def _result(session: Session, run_id: int, entry_id: int) -> dict[str, Any] | None:
    score = session.scalar(select(Score).where(Score.run_id == run_id, Score.entry_id == entry_id))
    return {name: getattr(score, name) for name in RESULT} if score else None


def _reasons(reasons: str) -> str:
    told = reasons.strip()
    if not SHORTEST <= len(told) <= LONGEST:
        raise Invalid(
            _("A reason is missing, or has too many characters."),
            remedy=_("Write between %(least)s and %(most)s.", least=SHORTEST, most=LONGEST),
        )
    return told


def _require_state(session: Session, objection: Objection, *states: ObjectionState) -> None:
    session.refresh(objection, attribute_names=["state"], with_for_update=True)  # of two who decide, one comes second
    if objection.state not in states:
        raise Conflict(
            _("The objection %(number)s is no longer in the state for this.", number=objection.number),
            remedy=_("Look at it once more; somebody may have acted meanwhile."),
        )


def of_entry(session: Session, entry: Entry) -> list[Objection]:
    """All objections to an entry's results, the first first."""
    return list(session.scalars(select(Objection).where(Objection.entry_id == entry.id).order_by(Objection.id)))


def objection_by_id(session: Session, number: int, *, actor: Actor) -> Objection:
    """An objection for its vendor, or for those who oversee the branch or the region above.

    Raises:
        NotFound: there is none, or it is another vendor's.
        NotAllowed: it belongs to another region.
    """
    objection = session.get(
        Objection,
        number,
        options=[
            joinedload(Objection.entry).options(
                joinedload(Entry.cycle).joinedload(Cycle.region),
                joinedload(Entry.contract).options(joinedload(Contract.vendor), joinedload(Contract.purchaser)),
            )
        ],
    )
    if objection is None or (actor.vendor_id is not None and not owns(actor, objection.entry)):
        raise NotFound(_("There is no such objection."), remedy=_("Start from the list."))
    if actor.vendor_id is None:
        actor.require_region(objection.entry.cycle.region.path)
    return objection


def _record(
    session: Session,
    objection: Objection,
    verb: str,
    *,
    actor: Actor,
    now: datetime,
    detail: dict[str, Any] | None = None,
) -> None:
    session.flush()
    audit.record(
        session, actor=actor, act=f"appeals.{verb}", subject=f"objection:{objection.number}", now=now, detail=detail
    )
