"""Asking some recipients again: whether, how and with whom the interview took place, never what was answered.

Of each interviewer's interviews at least three in ten are drawn, in the order of SHA-256(seed ‖ 0x00 ‖ number of the
case): whoever has the list of numbers and the seed can draw them again. Somebody else than the interviewer asks.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Invalid, NotAllowed, NotFound
from evalsys.base.language import percent
from evalsys.collection.interview_cases import answered_cases
from evalsys.collection.interview_marks import Worked, mark_of, worked
from evalsys.collection.interview_models import (
    LEAST_SHARE,
    How,
    Lasted,
    Recheck,
    RecheckDraw,
    Result,
    Suggested,
    WithWhom,
)
from evalsys.registry.models import Cycle, CycleState

OPEN_STATES = frozenset({CycleState.COLLECTING, CycleState.REVIEW})
LONGEST_SEED = 80


def drawn_order(seed: str, cases: Iterable[int]) -> list[int]:
    """Numbers of cases in the order in which a seed draws them."""
    return sorted(cases, key=lambda case: hashlib.sha256(f"{seed}\0{case}".encode()).digest())


def draw(
    session: Session, cycle: Cycle, *, seed: str, share: float, key: bytes, actor: Actor, now: datetime
) -> RecheckDraw:
    """Draw, of each interviewer's interviews that can be checked, as many as are missing to the share.

    Raises:
        NotAllowed: the cycle has nothing in common with the actor's branch.
        Invalid: the share is below three in ten or above all, or there is no seed.
        Conflict: the cycle does not collect and is not in review, or nothing is left to draw.
    """
    if not actor.region_path.startswith(cycle.region.path):
        actor.require_region(cycle.region.path)
    seed = seed.strip()
    if not LEAST_SHARE <= share <= 1:
        raise Invalid(
            _("The share has to be from %(least)s to 100%%.", least=percent(LEAST_SHARE)),
            remedy=_("Write how many of a hundred interviews are to be checked again."),
        )
    if not seed or len(seed) > LONGEST_SEED:
        raise Invalid(
            _("A draw needs a seed of at most %(most)s characters.", most=LONGEST_SEED),
            remedy=_("Write for example a date and the numbers of that day's lottery."),
        )
    session.refresh(cycle, attribute_names=["state"], with_for_update=True)  # two who draw at once take turns
    _require_open(cycle)
    chosen = _missing(session, worked(session, cycle, key=key, actor=actor), seed=seed, share=share)
    if not chosen:
        raise Conflict(
            _("No interview is left to draw at this share."),
            remedy=_("Draw when more interviews have come in, or raise the share."),
        )
    made = RecheckDraw(cycle_id=cycle.id, seed=seed, share=share, cases=len(chosen), drawn_by=actor.name)
    session.add(made)
    session.flush()
    session.add_all(Recheck(mark=case.mark, draw_id=made.id, account_id=case.account_id) for case in chosen)
    _tell(session, cycle, "draw_rechecks", {"seed": seed, "share": share, "cases": len(chosen)}, actor=actor, now=now)
    return made


def _missing(session: Session, cases: Iterable[Worked], *, seed: str, share: float) -> list[Worked]:
    drawn = set(session.scalars(select(Recheck.mark)))
    own: dict[int, dict[int, Worked]] = defaultdict(dict)
    for case in cases:
        if case.used and case.named:
            own[case.account_id][case.case_id] = case
    chosen = []
    for interviews in own.values():
        left = [number for number, case in interviews.items() if case.mark not in drawn]
        wanted = math.ceil(round(share * len(interviews), 9)) - (len(interviews) - len(left))
        chosen += [interviews[number] for number in drawn_order(seed, left)[: max(0, wanted)]]
    return chosen


def draws_of(session: Session, cycle: Cycle) -> list[RecheckDraw]:
    """The draws of a cycle, the newest first."""
    return list(
        session.scalars(select(RecheckDraw).where(RecheckDraw.cycle_id == cycle.id).order_by(RecheckDraw.id.desc()))
    )


@dataclass(frozen=True)
class Again:
    """A recipient to ask again, with what is known so far."""

    case_id: int
    cycle: str
    name: str
    contact: str
    township: str
    title: str
    vendor: str
    interviewer: str
    recheck: Recheck


def to_check(session: Session, *, key: bytes, actor: Actor) -> list[Again]:
    """Whom the actor may ask again, those who were not asked yet first; nobody checks interviews of their own."""
    rechecks = {
        recheck.mark: recheck
        for recheck in session.scalars(
            select(Recheck).join(Recheck.draw).join(RecheckDraw.cycle).where(Cycle.state.in_(OPEN_STATES))
        )
        if recheck.account_id != actor.account_id
    }
    if not rechecks:
        return []
    rows = [(row, rechecks.get(mark_of(row.id, key))) for row in session.execute(answered_cases(actor))]
    found = [_again(row, recheck) for row, recheck in rows if recheck is not None]
    return sorted(found, key=lambda one: (one.recheck.result is not None, one.township, one.name, one.case_id))


def _again(row: Any, recheck: Recheck) -> Again:
    return Again(
        row.id,
        row.cycle,
        row.name,
        row.contact,
        row.township or "",
        row.title,
        row.vendor,
        recheck.account.name,
        recheck,
    )


def count_to_check(session: Session, *, key: bytes, actor: Actor) -> int:
    """How many wait to be asked again by somebody like the actor."""
    return sum(one.recheck.result is None for one in to_check(session, key=key, actor=actor))


def case_to_check(session: Session, case_id: int, *, key: bytes, actor: Actor) -> Again:
    """One of `to_check`.

    Raises:
        NotAllowed: the actor is the interviewer.
        NotFound: there is no such case for the actor.
    """
    recheck = session.get(Recheck, mark_of(case_id, key))
    if recheck is not None and recheck.account_id == actor.account_id:
        raise NotAllowed(
            _("Nobody checks an interview of their own."), remedy=_("Another interviewer or the administrator does it.")
        )
    row = session.execute(answered_cases(actor, case_id)).one_or_none()
    if recheck is None or row is None:
        raise NotFound(_("This case is not drawn, or not yours to ask."), remedy=_("Choose one from the list."))
    return _again(row, recheck)


@dataclass(frozen=True)
class Said:
    """What came of asking again; all but the result only where the interview took place."""

    result: Result
    how: How | None = None
    with_whom: WithWhom | None = None
    lasted: Lasted | None = None
    suggested: Suggested | None = None


def record_recheck(session: Session, case_id: int, said: Said, *, key: bytes, actor: Actor, now: datetime) -> None:
    """Keep what a recipient says of the interview; asking once more replaces it.

    Raises:
        NotAllowed, NotFound: as `case_to_check`.
    """
    again = case_to_check(session, case_id, key=key, actor=actor)
    kept = again.recheck
    kept.result, kept.checked_by_id = said.result.value, actor.account_id
    kept.how, kept.with_whom, kept.lasted, kept.suggested = said.how, said.with_whom, said.lasted, said.suggested
    session.flush()
    _tell(session, kept.draw.cycle, "record_recheck", {"result": said.result.value}, actor=actor, now=now)


def waiting(session: Session, cycle: Cycle) -> int:
    """How many drawn interviews of a cycle nobody has asked about yet."""
    undone = select(func.count()).select_from(Recheck).join(Recheck.draw)
    return session.scalar(undone.where(RecheckDraw.cycle_id == cycle.id, Recheck.result.is_(None))) or 0


def _require_open(cycle: Cycle) -> None:
    if cycle.state not in OPEN_STATES:
        raise Conflict(
            _("The cycle %(code)s neither collects nor is it in review.", code=cycle.code),
            remedy=_("Interviews are checked while it collects, and until the review is over."),
        )


def _tell(session: Session, cycle: Cycle, act: str, detail: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    subject = f"cycle:{cycle.code}"
    audit.record(session, actor=actor, act=f"collection.{act}", subject=subject, now=now, detail=detail)
