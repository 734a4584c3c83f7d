"""Each constraint of the tables on interviewers' work refuses a row that breaks it, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evalsys.base.access import Role
from evalsys.base.db import Base
from evalsys.collection.interview_models import Interview, Recheck, RecheckDraw
from tests.collection.test_models import ABSENT, store
from tests.factories import make_account, make_cycle

TOOK_PLACE = {
    "result": "confirmed",
    "how": "in_person",
    "with_whom": "recipient",
    "lasted": "unknown",
    "suggested": "no",
}


class Rows:
    """Makers of one good row each; a test changes one column and sees it refused."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.cycle_id = make_cycle(session).id
        self.interviewer, self.checker = (make_account(session, Role.INTERVIEWER).id for _ in range(2))
        self.kept_draw = self.draw()
        session.add(self.kept_draw)
        session.flush()

    def interview(self, **changes: Any) -> Interview:
        given = {"mark": b"m" * 32, "cycle_id": self.cycle_id, "account_id": self.interviewer}
        return Interview(**(given | changes))

    def draw(self, **changes: Any) -> RecheckDraw:
        given = {"cycle_id": self.cycle_id, "seed": "种子", "share": 0.3, "cases": 1, "drawn_by": "甲"}
        return RecheckDraw(**(given | changes))

    def recheck(self, **changes: Any) -> Recheck:
        given = {"mark": b"m" * 32, "draw_id": self.kept_draw.id, "account_id": self.interviewer}
        return Recheck(**(given | changes))

    def checked(self, **changes: Any) -> Recheck:
        return self.recheck(**({"checked_by_id": self.checker} | TOOK_PLACE | changes))


Break = Callable[[Rows], list[Base]]

BREAKS: dict[str, list[Break]] = {
    "pk_interview": [lambda r: [r.interview(), r.interview()]],
    "ck_interview_mark_length": [lambda r: [r.interview(mark=b"m")]],
    "fk_interview_cycle_id_cycle": [lambda r: [r.interview(cycle_id=ABSENT)]],
    "fk_interview_account_id_account": [lambda r: [r.interview(account_id=ABSENT)]],
    "pk_recheck_draw": [lambda r: [r.draw(id=77), r.draw(id=77)]],
    "ck_recheck_draw_share_large_enough": [lambda r: [r.draw(share=0.29)], lambda r: [r.draw(share=1.01)]],
    "ck_recheck_draw_seed_given": [lambda r: [r.draw(seed="")]],
    "ck_recheck_draw_cases_positive": [lambda r: [r.draw(cases=0)]],
    "fk_recheck_draw_cycle_id_cycle": [lambda r: [r.draw(cycle_id=ABSENT)]],
    "pk_recheck": [lambda r: [r.recheck(), r.recheck()]],
    "ck_recheck_mark_length": [lambda r: [r.recheck(mark=b"m")]],
    "ck_recheck_result_known": [lambda r: [r.recheck(result="perhaps", checked_by_id=r.checker)]],
    "ck_recheck_how_known": [lambda r: [r.checked(how="letter")]],
    "ck_recheck_with_whom_known": [lambda r: [r.checked(with_whom="dog")]],
    "ck_recheck_lasted_known": [lambda r: [r.checked(lasted="a day")]],
    "ck_recheck_suggested_known": [lambda r: [r.checked(suggested="perhaps")]],
    "ck_recheck_checked_by_another": [lambda r: [r.checked(checked_by_id=r.interviewer)]],
    "ck_recheck_checked_by_whom": [
        lambda r: [r.recheck(result="unreachable")],
        lambda r: [r.recheck(checked_by_id=r.checker)],
    ],
    "ck_recheck_how_when_confirmed": [lambda r: [r.checked(result="unreachable")]],
    "ck_recheck_with_whom_when_confirmed": [lambda r: [r.checked(with_whom=None)]],
    "ck_recheck_lasted_when_confirmed": [lambda r: [r.checked(lasted=None)]],
    "ck_recheck_suggested_when_confirmed": [lambda r: [r.checked(suggested=None)]],
    "fk_recheck_draw_id_recheck_draw": [lambda r: [r.recheck(draw_id=ABSENT)]],
    "fk_recheck_account_id_account": [lambda r: [r.recheck(account_id=ABSENT)]],
    "fk_recheck_checked_by_id_account": [lambda r: [r.checked(checked_by_id=ABSENT)]],
}


def test_every_constraint_of_the_tables_has_a_bad_row() -> None:
    named = {
        str(constraint.name)
        for table in (Interview.__table__, RecheckDraw.__table__, Recheck.__table__)
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint | ForeignKeyConstraint | PrimaryKeyConstraint)
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
    store(session, [rows.interview(), rows.checked(), rows.recheck(mark=b"n" * 32)])
