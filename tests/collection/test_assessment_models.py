"""Each constraint of what stands beside an assessment's ratings refuses a row that breaks it, on both engines."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evalsys.base.db import Base
from evalsys.collection.assessment_models import Cosigning, MeasuredValue, SiteVisit
from evalsys.collection.models import Assessment
from tests.collection.world import World, make_world
from tests.factories import NOW

ABSENT = 999_999
TABLES: dict[str, type[Base]] = {model.__tablename__: model for model in (SiteVisit, Cosigning, MeasuredValue)}
BREAKS: dict[str, dict[str, Any]] = {
    "pk_site_visit": {},
    "fk_site_visit_assessment_id_assessment": {"assessment_id": ABSENT},
    "ck_site_visit_number_positive": {"number": 0},
    "pk_cosigning": {},
    "fk_cosigning_assessment_id_assessment": {"assessment_id": ABSENT},
    "fk_cosigning_account_id_account": {"account_id": ABSENT, "state": "refused", "answered_at": NOW, "reason": "x"},
    "ck_cosigning_state_known": {"state": "lost", "account_id": 1, "answered_at": NOW},
    "ck_cosigning_answered_by": {"state": "refused", "answered_at": NOW, "reason": "x"},
    "ck_cosigning_answered_when": {"answered_at": NOW},
    "ck_cosigning_refused_why": {"reason": "x"},
    "ck_cosigning_signed_what": {"declaration": "x"},
    "pk_measured_value": {},
    "fk_measured_value_entry_id_entry": {"entry_id": ABSENT},
    "ck_measured_value_source_given": {"source": ""},
}


def good_row(session: Session, world: World, table: str) -> dict[str, Any]:
    if table == "measured_value":
        return {
            "entry_id": world.entry.id,
            "criterion": "x",
            "value": 1.0,
            "source": "台账",
            "recorded_at": NOW,
            "recorded_by": "甲",
        }
    rater = world.evaluator.id
    kept = Assessment(entry_id=world.entry.id, party="third_party", account_id=rater, state="draft", saved_at=NOW)
    session.add(kept)
    session.flush()
    return {"assessment_id": kept.id} | ({"number": 1} if table == "site_visit" else {"asked_at": NOW})


def store_twice(session: Session, model: type[Base], row: dict[str, Any]) -> None:
    """The second must meet the first in the database, not in the session."""
    for _again in range(2):
        made = model(**row)
        session.add(made)
        session.flush()
        session.expunge(made)


def test_every_constraint_has_a_bad_row() -> None:
    kinds = (CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint)
    named = {
        str(one.name) for model in TABLES.values() for one in model.__table__.constraints if isinstance(one, kinds)
    }
    assert named == set(BREAKS)


@pytest.mark.parametrize("name", BREAKS)
def test_the_bad_row_is_refused_by_its_constraint(session: Session, name: str) -> None:
    table = next(table for table in TABLES if f"_{table}_" in f"{name}_")
    row = good_row(session, make_world(session), table) | BREAKS[name]
    with pytest.raises(IntegrityError) as caught:
        store_twice(session, TABLES[table], row)
    said = str(caught.value.orig)
    if session.get_bind().dialect.name == "postgresql" or name.startswith("ck_"):
        assert name in said
    else:
        assert ("FOREIGN KEY" if name.startswith("fk_") else "UNIQUE") in said
