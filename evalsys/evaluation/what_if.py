"""What holding or releasing ratings does to scores: single contracts scored with the newest run's frozen terms."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from evalsys.base.access import Actor
from evalsys.collection.models import Response
from evalsys.evaluation import pooled_terms
from evalsys.evaluation.arrays import inputs_of
from evalsys.evaluation.holds import decide
from evalsys.evaluation.models import FlagState, Run
from evalsys.evaluation.queries import latest_run
from evalsys.registry.models import Cycle, Entry
from evalsys.registry.pins import rules_of_version
from evalsys.scoring import engine


@dataclass(frozen=True)
class Seen:
    """A contract's score on some ratings, and how many recipients' answers these leave out."""

    score: float | None
    low: float | None
    high: float | None
    grade: str | None
    received: int
    held: int

    @property
    def counted(self) -> int:
        return self.received - self.held


@dataclass(frozen=True)
class Effect:
    """A contract before and after; `moved` is None where one of the two has no score."""

    entry: Entry
    before: Seen
    after: Seen

    @property
    def moved(self) -> float | None:
        if self.before.score is None or self.after.score is None:
            return None
        return self.after.score - self.before.score


def effects(
    session: Session,
    cycle: Cycle,
    flags: Collection[int],
    decision: FlagState,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
) -> list[Effect]:
    """What a decision would do to the contracts it touches; it is carried out, looked at, and taken back.

    Empty before the first run, for there are no terms to score with.

    Raises:
        NotAllowed, NotFound, Invalid, Conflict: as `holds.decide`.
    """
    run = latest_run(session, cycle)
    nested = session.begin_nested()
    try:
        touched = {
            flag.entry_id for flag in decide(session, cycle, flags, decision, reason=reason, actor=actor, now=now)
        }
        after = scored(session, cycle, run, touched) if run else {}
    finally:
        nested.rollback()
    before = scored(session, cycle, run, touched) if run else {}
    return [Effect(entry, before[entry.id], after[entry.id]) for entry in _entries(session, before)]


def with_and_without(session: Session, cycle: Cycle, entry: Entry) -> Effect | None:
    """A contract with the ratings that are held back, and without them; None before the first run."""
    run = latest_run(session, cycle)
    if run is None:
        return None
    whole, counted = (scored(session, cycle, run, {entry.id}, with_held=held)[entry.id] for held in (True, False))
    return Effect(entry, whole, counted)


def scored(
    session: Session, cycle: Cycle, run: Run, entries: Collection[int], *, with_held: bool = False
) -> dict[int, Seen]:
    """Scores of single contracts on the ratings there are now, with the rules and frozen terms of a run."""
    rules = rules_of_version(run.rules)
    inputs = inputs_of(session, cycle, rules, entries=entries, with_held=with_held)
    result = engine.score(inputs, rules, seed=run.seed, frozen=pooled_terms.from_json(run.pooled))
    rows = session.execute(
        select(Response.entry_id, func.count(), func.count().filter(Response.held))
        .where(Response.entry_id.in_(entries))
        .group_by(Response.entry_id)
    ).all()
    answers = {entry: (received, 0 if with_held else held) for entry, received, held in rows}
    ids = {entry.contract.reference: entry.id for entry in _entries(session, entries)}
    seen = {}
    for c, reference in enumerate(inputs.contracts):
        grade = int(result.grade[c])
        received, held = answers.get(ids[reference], (0, 0))
        seen[ids[reference]] = Seen(
            score=_known(result.score[c]),
            low=_known(result.low[c]),
            high=_known(result.high[c]),
            grade=rules.grades[grade].code if grade >= 0 else None,
            received=received,
            held=held,
        )
    return seen


def _entries(session: Session, ids: Collection[int]) -> list[Entry]:
    found = session.scalars(select(Entry).where(Entry.id.in_(ids)).options(joinedload(Entry.contract)))
    return sorted(found, key=lambda entry: entry.contract.reference)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
