"""Who helped with an answer, in a file of ratings."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.access import COMMAND_LINE
from evalsys.base.tables import TableFaulty
from evalsys.collection.models import Response
from evalsys.collection.ratings_files import stage_ratings
from evalsys.collection.ratings_import import take_in
from tests.collection.world import World, make_world
from tests.factories import NOW


def file(world: World, *rows: str) -> io.BytesIO:
    head = "contract,party,rater,criterion,value,mode,helper"
    return io.BytesIO("\n".join([head, *(f"{world.contract.reference},{row}" for row in rows)]).encode())


def test_the_kind_of_helper_is_taken_in(session: Session) -> None:
    world = make_world(session)
    rows = (
        "recipient,1,recipient_satisfied,5,paper,家人",
        "recipient,2,recipient_satisfied,5,assisted,Worker",
        "recipient,3,recipient_satisfied,5,self,",
        "third_party,4,third_goals,5,,",
    )
    staging = stage_ratings(session, file(world, *rows), world.cycle, actor=COMMAND_LINE)
    take_in(session, staging, replace=False, actor=COMMAND_LINE, now=NOW)
    kept = session.execute(select(Response.mode, Response.helper).order_by(Response.mode)).all()
    assert kept == [("assisted", "worker"), ("paper", "relative"), ("self", None)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("recipient,1,recipient_satisfied,5,self,worker", "answered alone"),
        ("recipient,1,recipient_satisfied,5,,worker", "answered alone"),
        ("recipient,1,recipient_satisfied,5,paper,机器人", "no such kind"),
        ("third_party,1,third_goals,5,,worker", "Only recipients"),
        (
            "recipient,1,recipient_satisfied,5,paper,worker\n{}recipient,1,recipient_on_time,5,paper,other",
            "other",
        ),
    ],
)
def test_what_makes_no_sense_is_told(session: Session, row: str, said: str) -> None:
    world = make_world(session)
    with pytest.raises(TableFaulty) as caught:
        stage_ratings(session, file(world, row.format(f"{world.contract.reference},")), world.cycle, actor=COMMAND_LINE)
    (fault,) = caught.value.faults
    assert "helper" in fault.column.casefold()
    assert said in fault.wrong
