"""Contracts of the year that collects whose recipients are known by name and drawn by lot. All names are invented."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from evalsys.base.access import COMMAND_LINE
from evalsys.collection.drawing import Design, Size
from evalsys.collection.models import Outcome
from evalsys.collection.sample_cases import asked_numbers, roster_numbers
from evalsys.collection.sample_plans import Wish
from evalsys.collection.sampling import draw_sample, fix_seed
from evalsys.demo.years import Case, Rows, collect_answer
from evalsys.registry.models import Cycle, Entry, RosterMember, Stratum
from evalsys.rules.model import Rules

SAMPLED = (1, 13, 21)  # contracts, by their place in the year
UNASKED = 33  # a contract of which nobody was asked yet, so that a sample can be drawn
SIZE, SPARE = 40, 20
NAME = "模拟对象"
SIMULATION = replace(COMMAND_LINE, name="模拟数据")
OUTCOMES = (("answered", 0.4), ("", 0.46), ("refused", 0.05), ("unreachable", 0.06), ("moved", 0.03))


@dataclass(frozen=True)
class Asked:
    """A recipient in a sample, see `Rows.invite`."""

    stratum: Stratum
    whose: tuple[int, int]


def draw(session: Session, cycle: Cycle, cases: Sequence[Case]) -> Mapping[int, list[Asked]]:
    """Rosters and samples of a few contracts; who is asked, by entry."""
    chosen = [cases[n] for n in SAMPLED]
    for case in chosen:
        for stratum in case.strata:
            session.execute(insert(RosterMember), [_member(stratum, number) for number in range(1, stratum.size + 1)])
    at = datetime(cycle.year, 9, 25, 2, tzinfo=UTC)
    fix_seed(session, cycle, seed=f"模拟种子 {cycle.year}", source="模拟数据", actor=SIMULATION, now=at)
    references = tuple(case.contract.reference for case in chosen)
    wish = Wish(Design.PROPORTIONAL, Size(SIZE), spare=SPARE, contracts=references)
    draw_sample(session, cycle, wish, actor=SIMULATION, now=at)
    entries = select(Entry.id).where(Entry.id.in_([case.entry.id for case in chosen]))
    numbers = asked_numbers(session, entries)
    strata = {stratum.id: stratum for case in chosen for stratum in case.strata}
    asked = defaultdict[int, list[Asked]](list)
    for stratum_id, member_id, number in session.execute(
        roster_numbers(select(Stratum.id).where(Stratum.id.in_(strata)))
    ):
        if number in numbers[stratum_id]:
            stratum = strata[stratum_id]
            asked[stratum.entry_id].append(Asked(stratum, (number, member_id)))
    return asked


def _member(stratum: Stratum, number: int) -> dict[str, object]:
    """Addresses under .invalid reach nobody."""
    return {
        "stratum_id": stratum.id,
        "name": f"{NAME}{stratum.id:03d}-{number:03d}",
        "contact": f"s{stratum.id}-{number}@example.invalid",
    }


def ask(rows: Rows, rules: Rules, case: Case, asked: Sequence[Asked], generator: np.random.Generator) -> None:
    """How far asking them has come: some answered, some said why not."""
    days: Counter[date] = Counter()
    said = generator.choice(
        [outcome for outcome, _share in OUTCOMES], len(asked), p=[share for _outcome, share in OUTCOMES]
    )
    for one, outcome in zip(asked, map(str, said), strict=True):
        if outcome == "answered":
            days[collect_answer(rows, rules, case, one.stratum, generator, whose=one.whose)] += 1
        else:
            known = Outcome(outcome).value if outcome else None
            rows.invite(one.stratum, generator, used=False, whose=one.whose, outcome=known)
    rows.count_days(case.entry, days)
