"""How objections went, for everybody: by cycle, without contracts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from evalsys.appeals.deadlines import was_in_time
from evalsys.appeals.models import Objection, ObjectionState, Outcome
from evalsys.publication.models import Edition
from evalsys.registry.models import Cycle, CycleState, Entry


@dataclass(frozen=True)
class Counts:
    """Objections of one cycle.

    Attributes:
        contracts: how many were scored and so could be objected to.
        outcomes: decided ones by `Outcome`.
        days: median from filing to decision, in days; None before the first decision.
        in_time: decided within their days.
        corrected_share: of those decided on their merits.
    """

    cycle: Cycle
    contracts: int
    filed: int
    open: int
    withdrawn: int
    outcomes: dict[str, int]
    days: float | None
    in_time: int
    extended: int
    second_level: int

    @property
    def decided(self) -> int:
        return sum(self.outcomes.values())

    @property
    def corrected_share(self) -> float | None:
        examined = self.decided - self.outcomes[Outcome.REJECTED.value]
        return self.outcomes[Outcome.CORRECTED.value] / examined if examined else None


def statistics(session: Session) -> list[Counts]:
    """Every cycle with a published result, the latest year first."""
    cycles = session.scalars(
        select(Cycle)
        .where(
            Cycle.state.in_((CycleState.PUBLISHED.value, CycleState.CLOSED.value)),
            Cycle.id.in_(select(Edition.cycle_id)),
        )
        .options(joinedload(Cycle.region))
        .order_by(Cycle.year.desc(), Cycle.code)
    ).all()
    found: defaultdict[int, list[Objection]] = defaultdict(list)
    for objection in session.scalars(
        select(Objection)
        .join(Objection.entry)
        .options(contains_eager(Objection.entry).joinedload(Entry.cycle))
        .where(Entry.cycle_id.in_([cycle.id for cycle in cycles]))
    ):
        found[objection.entry.cycle_id].append(objection)
    entries = dict(session.execute(select(Entry.cycle_id, func.count()).group_by(Entry.cycle_id)).all())
    return [_counted(cycle, entries.get(cycle.id, 0), found[cycle.id]) for cycle in cycles]


def _counted(cycle: Cycle, contracts: int, objections: Iterable[Objection]) -> Counts:
    all_of_them = list(objections)
    decided = [one for one in all_of_them if one.decided_at is not None]
    took = [(one.decided_at - one.filed_at) / timedelta(days=1) for one in decided if one.decided_at is not None]
    return Counts(
        cycle=cycle,
        contracts=contracts,
        filed=len(all_of_them),
        open=sum(one.is_open for one in all_of_them),
        withdrawn=sum(one.state == ObjectionState.WITHDRAWN for one in all_of_them),
        outcomes={outcome.value: sum(one.outcome == outcome for one in decided) for outcome in Outcome},
        days=median(took) if took else None,
        in_time=sum(map(was_in_time, decided)),
        extended=sum(one.extended_at is not None for one in all_of_them),
        second_level=sum(one.level == 2 for one in all_of_them),
    )
