"""Each constraint of selection's tables, by a row that breaks it; and decisions that stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import Session

from evalsys.base.db import Database
from evalsys.selection.models import Decision
from tests.factories import NOW, make_vendor
from tests.selection.makers import make_candidate, make_plan


def make_decision(session: Session, **columns: Any) -> Decision:
    plan_id = columns.pop("plan_id", None) or make_plan(session).id
    decision = Decision(
        plan_id=plan_id,
        vendor_id=make_vendor(session).id,
        ground=columns.pop("ground", "服务能力和以往评价均好"),
        decided_at=NOW,
        decided_by="测试员",
        sheet={},
    )
    session.add(decision)
    session.flush()
    return decision


@pytest.mark.parametrize(
    ("weights", "constraint"),
    [((0.5, 0.3, 0.1), "weights_sum_to_one"), ((1.2, -0.2, 0.0), "weights_not_negative")],
)
def test_weights_are_shares(session: Session, weights: tuple[float, float, float], constraint: str) -> None:
    technical, price, past = weights
    with pytest.raises(IntegrityError, match=constraint):
        make_plan(session, weight_technical=technical, weight_price=price, weight_past=past)


@pytest.mark.parametrize(
    ("points", "constraint"),
    [
        ((-0.1, None), "technical_in_range"),
        ((100.1, None), "technical_in_range"),
        ((None, 0), "offer_above_zero"),
    ],
)
def test_points_lie_between_0_and_100_and_an_offer_above_0(
    session: Session, points: tuple[float | None, int | None], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        make_candidate(session, make_plan(session), make_vendor(session), *points)


def test_a_reference_price_is_above_0(session: Session) -> None:
    with pytest.raises(IntegrityError, match="reference_above_zero"):
        make_plan(session, reference_fen=0)


def test_a_vendor_stands_once_on_a_plan(session: Session) -> None:
    plan, vendor = make_plan(session), make_vendor(session)
    make_candidate(session, plan, vendor)
    with pytest.raises(IntegrityError, match="vendor_id"):
        make_candidate(session, plan, vendor)


def test_a_decision_has_a_ground(session: Session) -> None:
    with pytest.raises(IntegrityError, match="ground_given"):
        make_decision(session, ground="好")


def test_a_second_decision_is_refused(session: Session) -> None:
    decision = make_decision(session)
    with pytest.raises(IntegrityError, match="plan_id"):
        make_decision(session, plan_id=decision.plan_id)


@pytest.mark.parametrize(
    "statement", ["UPDATE selection_decision SET ground = '换一个理由,足够长的'", "DELETE FROM selection_decision"]
)
def test_a_decision_stays_as_it_was(database: Database, write: Callable[..., Any], statement: str) -> None:
    write(make_decision)
    with pytest.raises(DatabaseError, match="permanent"), database.transaction() as session:
        session.execute(text(statement))
