"""Why invitations stayed without an answer, so that the response rate is true.

A case is known by the code on its slip, which came back or is read out; no name is needed, and neither the code nor
the invitation is written into the audit trail. The outcomes are AAPOR's (Standard Definitions): refused (2.1) and
unreachable (2.2, 3) stay in the rate's denominator; who had moved away or died before being asked was no recipient any
more (4), and leaves it. Who got a form on paper instead is asked like everybody else, but the code opens nothing any
more.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Invalid
from evalsys.base.tables import Column, Sheet, read_table
from evalsys.collection.codes import code_hash, read_code
from evalsys.collection.counting import entries_of_branch
from evalsys.collection.invitations import BATCH
from evalsys.collection.models import Invitation, Outcome
from evalsys.registry.models import Cycle, CycleState

TAKEN_IN = frozenset({CycleState.DRAFT, CycleState.COLLECTING, CycleState.REVIEW})
"""In review slips still come back; what a result says was collected is fixed by its run."""

NAMES: dict[Outcome, LazyString] = {
    Outcome.REFUSED: _l("Refused"),
    Outcome.UNREACHABLE: _l("Not reached"),
    Outcome.MOVED: _l("Moved away before being asked"),
    Outcome.DIED: _l("Died before being asked"),
    Outcome.PAPER: _l("Got a form on paper instead"),
}
WRITTEN: dict[str, Outcome] = {
    "拒绝": Outcome.REFUSED,
    "拒访": Outcome.REFUSED,
    "联系不上": Outcome.UNREACHABLE,
    "未联系上": Outcome.UNREACHABLE,
    "迁出": Outcome.MOVED,
    "搬走": Outcome.MOVED,
    "去世": Outcome.DIED,
    "死亡": Outcome.DIED,
    "纸质": Outcome.PAPER,
} | {outcome.value: outcome for outcome in Outcome}
NO_CASE = (
    _l("No recipient whom you invited in this cycle has this code."),
    _l("Compare it with the slip, character by character."),
)
ANSWERED = (_l("This code was answered with."), _l("Leave it out; an answer counts whatever happened before."))
COLUMNS = (
    Column("code", "问卷码", "code", example="A2C4E-F7H9J"),
    Column("outcome", "结果", "outcome", example="拒绝", explanation=_l("One of: 拒绝, 联系不上, 迁出, 去世, 纸质.")),
)


def record_outcome(
    session: Session, cycle: Cycle, typed: str, outcome: Outcome | None, *, key: bytes, actor: Actor, now: datetime
) -> None:
    """Say why the case of a code stays without an answer; None takes back what was said.

    Raises:
        NotAllowed: the cycle has nothing in common with the actor's branch.
        Invalid: no case of the branch has the code.
        Conflict: it was answered with, or the cycle is past its review.
    """
    _require_open(cycle, actor)
    code = read_code(typed)
    found = _cases(session, cycle, [code], key, actor) if code else {}
    if not code or code not in found:
        raise Invalid(str(NO_CASE[0]), remedy=str(NO_CASE[1]))
    if found[code].used:
        raise Conflict(str(ANSWERED[0]), remedy=str(ANSWERED[1]))
    _mark(found[code], outcome)
    _tell(session, cycle, [outcome], actor=actor, now=now)


def record_outcome_of(session: Session, case_id: int, outcome: Outcome, *, actor: Actor, now: datetime) -> None:
    """`record_outcome` for a case that an interviewer has opened, who may ask there but does not know the code."""
    case = session.get_one(Invitation, case_id)
    _mark(case, outcome)
    _tell(session, case.entry.cycle, [outcome], actor=actor, now=now)


def take_in_outcomes(
    session: Session, cycle: Cycle, data: bytes, *, key: bytes, actor: Actor, now: datetime
) -> Counter[Outcome]:
    """Take a file of codes and outcomes, all of it or nothing.

    Returns:
        How many of each outcome it says.

    Raises:
        NotAllowed, Conflict: as `record_outcome`.
        TableFaulty: with every cell at fault.
    """
    _require_open(cycle, actor)
    table = read_table(data, COLUMNS)
    rows, said = list(table), dict[str, Outcome]()
    codes = [read_code(str(row.raw("code") or "")) for row in rows]
    cases = _cases(session, cycle, [code for code in codes if code], key, actor)
    for row, code in zip(rows, codes, strict=True):
        written = row.text("outcome", most=20)
        outcome = WRITTEN.get(written.casefold()) if written else None
        if written and not outcome:
            row.wrong("outcome", _("This is none of the outcomes."), _("Write 拒绝, 联系不上, 迁出, 去世 or 纸质."))
        if row.text("code", most=40) is None:
            continue
        if not code or code not in cases:
            row.wrong("code", *map(str, NO_CASE))
        elif cases[code].used:
            row.wrong("code", *map(str, ANSWERED))
        elif code in said:
            row.wrong("code", _("The code stands in the file twice."), _("Keep one of the rows."))
        elif outcome:
            said[code] = outcome
    table.finish()
    for code, outcome in said.items():
        _mark(cases[code], outcome)
    _tell(session, cycle, said.values(), actor=actor, now=now)
    return Counter(said.values())


def _mark(case: Invitation, outcome: Outcome | None) -> None:
    case.outcome = outcome.value if outcome else None
    if outcome is Outcome.PAPER:
        case.code_hmac = secrets.token_bytes(32)  # with the code the recipient could answer a second time


def template() -> Sheet:
    """An empty list to fill in."""
    return Sheet(_("Outcomes"), [column.heading for column in COLUMNS], [[column.example for column in COLUMNS]])


def _cases(session: Session, cycle: Cycle, codes: list[str], key: bytes, actor: Actor) -> dict[str, Invitation]:
    hashes = {code_hash(code, key): code for code in codes}
    digests = list(hashes)
    found: dict[str, Invitation] = {}
    for at in range(0, len(digests), BATCH):
        for case in session.scalars(
            select(Invitation)
            .where(Invitation.code_hmac.in_(digests[at : at + BATCH]))
            .where(Invitation.entry_id.in_(entries_of_branch(cycle, actor)))
        ):
            found[hashes[case.code_hmac]] = case
    return found


def _require_open(cycle: Cycle, actor: Actor) -> None:
    if not actor.region_path.startswith(cycle.region.path):
        actor.require_region(cycle.region.path)
    if cycle.state not in TAKEN_IN:
        raise Conflict(
            _("The cycle %(code)s has a result; what was collected is fixed.", code=cycle.code),
            remedy=_("Outcomes are recorded until the review is over."),
        )


def _tell(session: Session, cycle: Cycle, said: Iterable[Outcome | None], *, actor: Actor, now: datetime) -> None:
    counted = Counter(outcome.value if outcome else "none" for outcome in said)
    session.flush()
    audit.record(
        session,
        actor=actor,
        act="collection.record_outcomes",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail=dict(counted),
    )
