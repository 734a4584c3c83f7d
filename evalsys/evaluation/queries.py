"""Reads of runs, scores, and what was collected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import Session, aliased, contains_eager, joinedload

from evalsys.base.access import Actor
from evalsys.base.listing import Page, Wanted, paginate
from evalsys.collection.counting import by_entry
from evalsys.collection.models import Invitation
from evalsys.evaluation.models import Run, Score
from evalsys.registry.cycles import forms_taken_until
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Vendor
from evalsys.registry.queries import cycles_under_way

SCORABLE = (CycleState.REVIEW, CycleState.PRELIMINARY, CycleState.PUBLISHED)
"""States in which a cycle may be scored."""


def latest_run(session: Session, cycle: Cycle) -> Run | None:
    """The newest run of a cycle."""
    return session.scalar(select(Run).where(Run.cycle_id == cycle.id).order_by(Run.id.desc()).limit(1))


def runs_of(session: Session, cycle: Cycle) -> list[Run]:
    """Every run of a cycle, the newest first."""
    return list(session.scalars(select(Run).where(Run.cycle_id == cycle.id).order_by(Run.id.desc())))


def cycles_to_score(session: Session, actor: Actor, wanted: Wanted) -> Page[tuple[Cycle, Run | None]]:
    """The cycles of the actor's branch that have left preparation, with their newest runs."""
    return cycles_under_way(session, wanted, actor=actor, of=Run, made=Run.made_at)


def forms_come_until(session: Session, cycle: Cycle, *, now: datetime) -> datetime | None:
    """Until when recipients may still send forms that they had open; None where none can come any more."""
    until = forms_taken_until(cycle)
    if cycle.state != CycleState.REVIEW or until is None or now > until:
        return None
    unused = exists().where(Invitation.entry_id == Entry.id, Entry.cycle_id == cycle.id, ~Invitation.used)
    return until if session.scalar(select(unused)) else None


@dataclass(frozen=True)
class Compared:
    """A score with what the run before said of the same contract."""

    score: Score
    before: Score | None

    @property
    def moved(self) -> float | None:
        """Points up or down since the run before; None where one of the two has no score."""
        if self.before is None or self.score.score is None or self.before.score is None:
            return None
        return self.score.score - self.before.score


def compared_scores(
    session: Session, run: Run, before: Run | None, wanted: Wanted, *, status: str = ""
) -> Page[Compared]:
    """A run's scores beside those of an earlier run; `status` keeps only one status."""
    earlier = aliased(Score)
    statement = (
        select(Score, earlier)
        .join(Score.entry)
        .join(Entry.contract)
        .join(Contract.vendor)
        .outerjoin(earlier, and_(earlier.entry_id == Score.entry_id, earlier.run_id == (before.id if before else -1)))
        .where(Score.run_id == run.id)
        .options(contains_eager(Score.entry).contains_eager(Entry.contract).contains_eager(Contract.vendor))
    )
    if status:
        statement = statement.where(Score.status == status)
    page = paginate(
        session,
        statement,
        wanted,
        sorts={
            "rank": Score.rank,
            "score": Score.score,
            "contract": Contract.reference,
            "vendor": Vendor.name,
            "status": Score.status,
            "moved": Score.score - earlier.score,
        },
        default_sort="rank",
        search=(Contract.reference, Contract.title, Vendor.name),
        tie=Score.id,
    )
    return page.of([Compared(score, kept) for score, kept in page.rows])


def score_of(session: Session, run: Run, reference: str) -> Score | None:
    """What a run says of one contract."""
    return session.scalar(
        select(Score)
        .join(Score.entry)
        .join(Entry.contract)
        .where(Score.run_id == run.id, Contract.reference == reference)
        .options(
            contains_eager(Score.entry)
            .contains_eager(Entry.contract)
            .options(joinedload(Contract.vendor), joinedload(Contract.purchaser), joinedload(Contract.region))
        )
    )


def titles_of(session: Session) -> Callable[[str], str]:
    """What a contract is called, by its reference; the reference itself where there is none."""
    return lambda reference: session.scalar(select(Contract.title).where(Contract.reference == reference)) or reference


def statuses_of(session: Session, run: Run) -> dict[str, int]:
    """How many contracts of a run have each status."""
    rows = session.execute(select(Score.status, func.count()).where(Score.run_id == run.id).group_by(Score.status))
    return dict(rows.all())


@dataclass(frozen=True)
class Collected:
    """What recipients were asked and sent in for one entry: invitations, answers received, and those held back.

    `answered`: invitations with an answer; answers from files have none. The rest: why others have none, where known.
    `ways`: how the answers that count came.
    """

    invited: int = 0
    received: int = 0
    held: int = 0
    answered: int = 0
    refused: int = 0
    unreachable: int = 0
    moved: int = 0
    died: int = 0
    ways: dict[str, int] = field(default_factory=dict)


def collected(session: Session, cycle: Cycle) -> dict[int, Collected]:
    """What was collected, by entry."""
    entries = select(Entry.id).where(Entry.cycle_id == cycle.id)
    return {
        entry: Collected(
            invited=found.invited,
            received=found.counted + found.held + found.filed + found.filed_held,
            held=found.held + found.filed_held,
            answered=found.used,
            refused=found.refused,
            unreachable=found.unreachable,
            moved=found.moved,
            died=found.died,
            ways=dict(sorted(found.modes.items())),
        )
        for entry, found in by_entry(session, entries).items()
    }
