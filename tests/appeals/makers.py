"""A county whose result was told to its vendors, and people who may decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.appeals.models import Objection, PreliminaryNotice
from evalsys.appeals.notices import issue
from evalsys.appeals.objections import Filing, file
from evalsys.base.access import Actor, Role
from evalsys.evaluation.usecases import run_cycle
from evalsys.registry.models import Cycle, Entry
from tests.evaluation.rated import all_at, rated_cycle, respond
from tests.factories import NOW, actor, make_account, make_rules

WHY = "二季度入户记录齐全，第三方未核对，附原始记录。"
TICK = timedelta(seconds=1)


@dataclass(frozen=True)
class Told:
    """A cycle with a notice; `entry` is the first contract, `vendor` its vendor's account, `office` may decide."""

    cycle: Cycle
    notice: PreliminaryNotice
    entry: Entry
    vendor: Actor
    office: Actor
    above: Actor

    def file(self, session: Session, *, now: datetime = NOW, ground: str = "record", statement: str = WHY) -> Objection:
        return file(session, self.entry.id, Filing(ground, statement), actor=self.vendor, now=now)


def person(session: Session, role: Role, **bodies: Any) -> Actor:
    """An account that may act."""
    return make_account(session, role, **bodies).as_actor()


def told_cycle(session: Session, **columns: Any) -> Told:
    """Scored by one person and told by another; a third may decide."""
    rules = make_rules(session, config.SHIPPED_RULES.read_bytes())
    cycle = rated_cycle(session, rules=rules, **columns)
    scorer = person(session, Role.ADMINISTRATOR, region=cycle.region)
    run_cycle(session, cycle, actor=scorer, now=NOW)
    notice = issue(session, cycle, actor=actor(Role.OFFICER), now=NOW)
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id).order_by(Entry.id)).first()
    assert entry is not None
    return Told(
        cycle=cycle,
        notice=notice,
        entry=entry,
        vendor=person(session, Role.VENDOR, vendor_id=entry.contract.vendor_id, region=cycle.region),
        office=person(session, Role.OFFICER, region=cycle.region),
        above=person(session, Role.OFFICER, region=cycle.region.parent),
    )


def scored_again(session: Session, told: Told, *, entry: Entry | None = None) -> None:
    """One contract gets worse answers, and somebody scores the cycle again."""
    for _ in range(12):
        respond(session, entry or told.entry, all_at(told.cycle, "recipient", "care", 1))
    run_cycle(session, told.cycle, actor=person(session, Role.ADMINISTRATOR, region=told.cycle.region), now=NOW)
