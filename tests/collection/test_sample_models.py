"""Each constraint of the samples' tables refuses a row that breaks it, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evalsys.base.db import Base
from evalsys.collection.sample_models import Sample, SamplePart, SampleSeed
from tests.collection.test_models import ABSENT, store
from tests.factories import NOW, make_stratum


class Rows:
    """Makers of one good row each; a test changes one column and sees it refused."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.stratum = make_stratum(session)
        self.kept_seed = self.seed()
        session.add(self.kept_seed)
        session.flush()

    def seed(self, **changes: Any) -> SampleSeed:
        given = {"cycle_id": self.stratum.entry.cycle_id, "seed": "种子", "fixed_at": NOW, "fixed_by": "甲"}
        return SampleSeed(**(given | changes))

    def sample(self, **changes: Any) -> Sample:
        given = {
            "entry_id": self.stratum.entry_id,
            "seed_id": self.kept_seed.id,
            "design": "simple",
            "size": 10,
            "size_is_percent": False,
            "least": 0,
            "spare_percent": 0,
            "drawn_at": NOW,
            "drawn_by": "甲",
        }
        return Sample(**(given | changes))

    def part(self, **changes: Any) -> SamplePart:
        kept = self.sample(withdrawn_at=NOW, withdrawn_because="x")
        self.session.add(kept)
        self.session.flush()
        given = {"sample_id": kept.id, "stratum_id": self.stratum.id, "frame": 50, "drawn": 10, "spare": 2}
        return SamplePart(**(given | changes))


Break = Callable[[Rows], list[Base]]

BREAKS: dict[str, list[Break]] = {
    "pk_sample_seed": [lambda r: [r.seed(id=77), r.seed(id=77)]],
    "ck_sample_seed_seed_given": [lambda r: [r.seed(seed="")]],
    "fk_sample_seed_cycle_id_cycle": [lambda r: [r.seed(cycle_id=ABSENT)]],
    "pk_sample": [lambda r: [r.sample(id=1), r.sample(id=1, withdrawn_at=NOW, withdrawn_because="x")]],
    "ck_sample_design_known": [lambda r: [r.sample(design="quota")]],
    "ck_sample_size_positive": [lambda r: [r.sample(size=0)]],
    "ck_sample_least_not_negative": [lambda r: [r.sample(least=-1)]],
    "ck_sample_spare_is_a_share": [lambda r: [r.sample(spare_percent=101)], lambda r: [r.sample(spare_percent=-1)]],
    "ck_sample_withdrawn_with_a_reason": [
        lambda r: [r.sample(withdrawn_at=NOW)],
        lambda r: [r.sample(withdrawn_because="x")],
    ],
    "ck_sample_reason_given": [lambda r: [r.sample(withdrawn_at=NOW, withdrawn_because="")]],
    "fk_sample_entry_id_entry": [lambda r: [r.sample(entry_id=ABSENT)]],
    "fk_sample_seed_id_sample_seed": [lambda r: [r.sample(seed_id=ABSENT)]],
    "pk_sample_part": [lambda r: [part := r.part(), r.part(sample_id=part.sample_id)]],
    "ck_sample_part_drawn_not_negative": [lambda r: [r.part(drawn=-1)]],
    "ck_sample_part_spare_not_negative": [lambda r: [r.part(spare=-1, released=-1)]],
    "ck_sample_part_no_more_than_the_frame": [lambda r: [r.part(frame=11)]],
    "ck_sample_part_released_are_spare": [lambda r: [r.part(released=3)], lambda r: [r.part(released=-1)]],
    "fk_sample_part_sample_id_sample": [lambda r: [r.part(sample_id=ABSENT)]],
    "fk_sample_part_stratum_id_stratum": [lambda r: [r.part(stratum_id=ABSENT)]],
    "ix_sample_in_force": [lambda r: [r.sample(), r.sample()]],
}


def test_every_constraint_of_the_tables_has_a_bad_row() -> None:
    named = {
        str(constraint.name)
        for table in (SampleSeed.__table__, Sample.__table__, SamplePart.__table__)
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint | ForeignKeyConstraint | PrimaryKeyConstraint)
    }
    assert named | {"ix_sample_in_force"} == set(BREAKS)


@pytest.mark.parametrize(
    ("name", "rows_of"), [pytest.param(name, one, id=name) for name, several in BREAKS.items() for one in several]
)
def test_the_bad_row_is_refused_by_its_constraint(session: Session, name: str, rows_of: Break) -> None:
    rows = rows_of(Rows(session))
    with pytest.raises(IntegrityError) as caught:
        store(session, rows)
    said = str(caught.value.orig)
    if session.get_bind().dialect.name == "postgresql" or name.startswith("ck_"):
        assert name in said or name == "ck_sample_part_spare_not_negative"  # below zero breaks another one too
    else:  # SQLite names the columns of a key, and no foreign key
        assert ("FOREIGN KEY" if name.startswith("fk_") else "UNIQUE") in said


def test_a_sample_after_one_that_was_withdrawn(session: Session) -> None:
    rows = Rows(session)
    store(session, [rows.sample(withdrawn_at=NOW, withdrawn_because="x") for _ in range(2)] + [rows.sample()])
