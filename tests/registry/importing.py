"""Taking files in, for tests."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.tables import Sheet, TableFaulty, write_csv
from evalsys.registry.imports import Plan, Scope, carry_out, kind_named, make_plan
from evalsys.registry.models import Cycle
from tests import factories as f


def table(head: list[str], *rows: list[Any]) -> bytes:
    return write_csv(Sheet("x", head, rows))


def plan_of(
    session: Session, kind: str, data: bytes, *, actor: Actor | None = None, cycle: Cycle | None = None
) -> Plan:
    return make_plan(data, kind_named(kind), Scope(session, actor or f.actor(), cycle))


def take_in(session: Session, kind: str, data: bytes, **who: Any) -> Plan:
    plan = plan_of(session, kind, data, **who)
    actor = who.get("actor") or f.actor()
    carry_out(session, plan, kind_named(kind), cycle=who.get("cycle"), actor=actor, now=f.NOW)
    session.expire_all()
    return plan


def counted(plan: Plan) -> tuple[int, int, int]:
    return len(plan.new), len(plan.changed), plan.unchanged


def faults(session: Session, kind: str, data: bytes, **who: Any) -> dict[tuple[int, str], str]:
    """What is said of each faulty cell, by row and column letter."""
    with pytest.raises(TableFaulty) as caught:
        plan_of(session, kind, data, **who)
    assert all(fault.remedy for fault in caught.value.faults)
    return {(fault.row, fault.column.split()[0]): fault.wrong for fault in caught.value.faults}
