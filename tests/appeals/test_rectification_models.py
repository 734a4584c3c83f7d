"""Each constraint of the tables of rectifications refuses a row that breaks it, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evalsys.appeals.models import FollowUpCode, FollowUpCount, Rectification
from evalsys.base.db import Base
from evalsys.evaluation.models import Run
from evalsys.publication.models import Edition
from tests.collection.test_models import ABSENT, store
from tests.factories import NOW, make_entry


class Rows:
    """Makers of one good row each; a test changes one column and sees it refused."""

    def __init__(self, session: Session) -> None:
        entry = make_entry(session)
        run = Run(
            cycle_id=entry.cycle_id,
            rules_id=entry.cycle.rules_id,
            seed=1,
            code_version="0",
            inputs_hash="0" * 64,
            pooled={},
            analyses={},
            made_at=NOW,
            made_by="甲",
        )
        session.add(run)
        session.flush()
        edition = Edition(
            cycle_id=entry.cycle_id, run_id=run.id, number=1, published_at=NOW, published_by="甲", changes=[]
        )
        session.add(edition)
        session.flush()
        self.entry_id, self.edition_id, self.other = entry.id, edition.id, make_entry(session, cycle=entry.cycle).id
        self.kept = self.item(entry_id=self.other)
        session.add(self.kept)
        session.flush()

    def item(self, **changes: Any) -> Rectification:
        given = {
            "entry_id": self.entry_id,
            "edition_id": self.edition_id,
            "grade": "poor",
            "demand": "请按约定的次数上门。",
            "due_on": date(2026, 12, 31),
            "state": "open",
            "opened_at": NOW,
            "opened_by": "甲",
            "history": [],
        }
        return Rectification(**(given | changes))

    def done(self, **changes: Any) -> Rectification:
        return self.item(**({"state": "done", "report": "已整改。", "done_at": NOW} | changes))

    def code(self, **changes: Any) -> FollowUpCode:
        return FollowUpCode(**({"code_hash": b"h" * 32, "rectification_id": self.kept.id} | changes))

    def count(self, **changes: Any) -> FollowUpCount:
        return FollowUpCount(**({"rectification_id": self.kept.id, "answer": "better"} | changes))


Break = Callable[[Rows], list[Base]]

BREAKS: dict[str, list[Break]] = {
    "pk_rectification": [lambda r: [r.item(id=77), r.item(id=77, entry_id=r.entry_id)]],
    "uq_rectification_entry_id": [lambda r: [r.item(), r.item()]],
    "fk_rectification_entry_id_entry": [lambda r: [r.item(entry_id=ABSENT)]],
    "fk_rectification_edition_id_edition": [lambda r: [r.item(edition_id=ABSENT)]],
    "fk_rectification_lifted_by_id_edition": [lambda r: [r.done(lifted_by_id=ABSENT)]],
    "ck_rectification_state_known": [lambda r: [r.item(state="lost", report="已整改。")]],
    "ck_rectification_demand_given": [lambda r: [r.item(demand="请改进。")]],
    "ck_rectification_reported_in_words": [lambda r: [r.item(state="reported")], lambda r: [r.done(report="")]],
    "ck_rectification_done_at_known": [lambda r: [r.done(done_at=None)], lambda r: [r.item(done_at=NOW)]],
    "ck_rectification_lifted_is_done": [lambda r: [r.item(lifted_by_id=r.edition_id)]],
    "ck_rectification_ended_after_asking": [lambda r: [r.item(asking_ended_at=NOW)]],
    "pk_follow_up_code": [lambda r: [r.code(), r.code()]],
    "fk_follow_up_code_rectification_id_rectification": [lambda r: [r.code(rectification_id=ABSENT)]],
    "pk_follow_up_count": [lambda r: [r.count(), r.count()]],
    "ck_follow_up_count_answer_known": [lambda r: [r.count(answer="splendid")]],
    "ck_follow_up_count_count_not_negative": [lambda r: [r.count(count=-1)]],
    "fk_follow_up_count_rectification_id_rectification": [lambda r: [r.count(rectification_id=ABSENT)]],
}


def test_every_constraint_of_the_tables_has_a_bad_row() -> None:
    named = {
        str(constraint.name)
        for table in (Rectification.__table__, FollowUpCode.__table__, FollowUpCount.__table__)
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint | ForeignKeyConstraint | PrimaryKeyConstraint | UniqueConstraint)
    }
    assert named == set(BREAKS)


@pytest.mark.parametrize(
    ("name", "rows_of"), [pytest.param(name, one, id=name) for name, several in BREAKS.items() for one in several]
)
def test_the_bad_row_is_refused_by_its_constraint(session: Session, name: str, rows_of: Break) -> None:
    rows = rows_of(Rows(session))
    with pytest.raises(IntegrityError) as caught:
        store(session, rows)
    said = str(caught.value.orig)
    if session.get_bind().dialect.name == "postgresql" or name.startswith("ck_"):
        assert name in said
    else:  # SQLite names the columns of a key, and no foreign key
        assert ("FOREIGN KEY" if name.startswith("fk_") else "UNIQUE") in said


def test_good_rows_are_taken(session: Session) -> None:
    rows = Rows(session)
    lifted = rows.done(report="", lifted_by_id=rows.edition_id, asked_at=NOW, asking_ended_at=NOW)
    store(session, [lifted, rows.code(), rows.count()])
