"""One bad row for every constraint of the registry's tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evalsys.registry.models import (
    Contract,
    Cycle,
    Entry,
    EvaluatorBody,
    Purchaser,
    Region,
    RosterMember,
    RulesPin,
    RulesVersion,
    Stratum,
    Vendor,
)  # fmt: skip
from tests import factories as f

Change = Callable[[Session], object]


def twin(row: Any, **changes: Any) -> Any:
    """The same row once more, without its key."""
    columns = [column.name for column in row.__table__.columns if column.name != "id"]
    return type(row)(**({name: getattr(row, name) for name in columns} | changes))


def change(make: Callable[[Session], Any], **columns: Any) -> Change:
    """Make a good row, then spoil these columns."""

    def spoil(session: Session) -> None:
        row = make(session)
        for name, value in columns.items():
            setattr(row, name, value)

    return spoil


def again(make: Callable[[Session], Any], **columns: Any) -> Change:
    """Make a good row, then a second one that differs only in these columns."""
    return lambda session: session.add(twin(make(session), **columns))


def pin(session: Session) -> RulesPin:
    row = RulesPin(
        cycle_id=f.make_cycle(session).id, rules_id=f.make_rules(session).id, reason="订正", pinned_at=f.NOW,
        pinned_by="测试员",
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def member(session: Session) -> RosterMember:
    row = RosterMember(stratum_id=f.make_stratum(session).id, name="张三", contact="")
    session.add(row)
    session.flush()
    return row


FRESH = f.credit_code(8_500_001)

BAD: dict[str, tuple[type[Any], Change]] = {
    "ck_region_level_known": (Region, change(f.make_county, level="village")),
    "ck_region_only_a_city_is_a_root": (Region, change(f.make_county, parent_id=None)),
    "uq_region_code": (Region, again(f.make_county, path="other/")),
    "uq_region_path": (Region, again(f.make_county, code="999999")),
    "uq_purchaser_region_id_name": (Purchaser, again(f.make_purchaser)),
    "ck_vendor_credit_code_length": (Vendor, change(f.make_vendor, credit_code="123")),
    "uq_vendor_credit_code": (Vendor, again(f.make_vendor)),
    "ck_evaluator_body_credit_code_length": (EvaluatorBody, change(f.make_evaluator_body, credit_code="123")),
    "uq_evaluator_body_credit_code": (EvaluatorBody, again(f.make_evaluator_body)),
    "ck_contract_ends_after_start": (Contract, change(f.make_contract, ends_on=date(2026, 1, 1))),
    "ck_contract_amount_not_negative": (Contract, change(f.make_contract, amount_fen=-1)),
    "ck_contract_served_not_negative": (Contract, change(f.make_contract, recipients_served=-1)),
    "ck_contract_procurement_method_known": (Contract, change(f.make_contract, procurement_method="lottery")),
    "uq_contract_reference": (Contract, again(f.make_contract)),
    "ck_rules_version_hash_length": (RulesVersion, again(f.make_rules, hash="abc")),
    "uq_rules_version_hash": (RulesVersion, again(f.make_rules)),
    "ck_cycle_state_known": (Cycle, change(f.make_cycle, state="asleep")),
    "ck_cycle_closes_after_opening": (Cycle, change(f.make_cycle, closes_on=date(2026, 9, 30))),
    "ck_cycle_rules_pinned_when_open": (Cycle, change(f.make_cycle, rules_id=None)),
    "ck_cycle_collected_when_over": (Cycle, change(f.make_cycle, collected_until=f.NOW)),
    "uq_cycle_code": (Cycle, again(f.make_cycle)),
    "ck_rules_pin_reason_given": (RulesPin, again(pin, reason="")),
    "uq_entry_cycle_id_contract_id": (Entry, again(f.make_entry)),
    "ck_stratum_size_not_negative": (Stratum, change(f.make_stratum, size=-1)),
    "uq_stratum_entry_id_township_item": (Stratum, again(f.make_stratum)),
    "uq_roster_member_stratum_id_name_contact": (RosterMember, again(member)),
}


@pytest.mark.parametrize("constraint", list(BAD))
def test_the_database_refuses(session: Session, constraint: str) -> None:
    """SQLite names the columns of a unique constraint, PostgreSQL the constraint itself."""
    model, spoil = BAD[constraint]
    spoil(session)
    with pytest.raises(IntegrityError) as refused:
        session.flush()
    (columns,) = (kept.columns for kept in model.__table__.constraints if kept.name == constraint)
    by_columns = "UNIQUE constraint failed: " + ", ".join(f"{model.__tablename__}.{column.name}" for column in columns)
    said = str(refused.value.orig)
    assert constraint in said or (constraint.startswith("uq_") and said == by_columns)


def test_every_constraint_has_its_bad_row() -> None:
    named = {
        str(constraint.name)
        for model in {model for model, _spoil in BAD.values()}
        for constraint in model.__table__.constraints
        if str(constraint.name).startswith(("ck_", "uq_"))
    }
    assert named == set(BAD)
