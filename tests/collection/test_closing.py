"""What the page says that asks before collecting ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from evalsys.base.access import COMMAND_LINE
from evalsys.collection.closing import missing
from evalsys.collection.models import Assignment, Invitation, Response
from evalsys.collection.paper_batches import open_batch
from evalsys.registry.models import Cycle, Entry
from tests.collection.surveys import make_invitations
from tests.collection.world import make_world
from tests.evaluation.rated import all_at, assess, rated_entry, respond
from tests.factories import NOW, make_cycle
from tests.pages import CheckedClient


def told(session: Session, cycle: Cycle) -> list[tuple[str, str]]:
    """What is missing, by what its link leads to."""
    return [(note.url.rstrip("/").rsplit("/", 1)[1], note.value) for note in missing(session, cycle, COMMAND_LINE)]


@pytest.fixture(autouse=True)
def addresses(app: Flask) -> Any:
    with app.test_request_context():
        yield


def test_every_gap_is_counted_and_closes(session: Session) -> None:
    world = make_world(session)
    codes = make_invitations(session, 5, entry=world.entry)
    make_invitations(session, 4, entry=world.entry)  # too few to be told of
    assert len(codes) == 5
    assert told(session, world.cycle) == [
        ("assessments", "1"),
        ("invitations", "1"),
        ("assessments", "1"),
        ("assignments", "1"),
        ("invitations", "1"),
    ]
    session.execute(update(Invitation).values(used=True))
    session.execute(delete(Assignment))
    for party in ("purchaser", "third_party"):
        assess(session, world.entry, party, all_at(world.cycle, party, "care", 4))
    for _ in range(60):
        respond(session, world.entry, all_at(world.cycle, "recipient", "care", 4))
    assert told(session, world.cycle) == []


def test_batches_of_paper_forms_that_are_not_released_are_told(session: Session) -> None:
    cycle = make_cycle(session)
    rated_entry(session, cycle)
    batch = open_batch(session, cycle, 0.1, actor=COMMAND_LINE, now=NOW)
    assert told(session, cycle) == [("paper", "1")]
    batch.state, batch.released_at, batch.released_by = "released", NOW, "甲"
    session.flush()
    assert told(session, cycle) == []


def test_held_ratings_do_not_count(session: Session) -> None:
    cycle = make_cycle(session)
    entry: Entry = rated_entry(session, cycle)
    assert told(session, cycle) == []
    session.execute(update(Response).where(Response.entry_id == entry.id).values(held=True))
    assert told(session, cycle) == [("invitations", "1")]


def test_a_cycle_that_does_not_collect_lacks_nothing(session: Session) -> None:
    assert told(session, make_cycle(session, state="draft")) == []


def test_the_page_that_asks_lists_it(write: Callable[..., Any], sign_in: Callable[..., CheckedClient]) -> None:
    world = write(make_world)
    page = sign_in(world.administrator).get(f"/registry/cycles/{world.cycle.code}/move?to=review").text
    assert "还缺少" in page
    assert f"/collection/cycles/{world.cycle.code}/assignments" in page
    world = write(_complete)
    page = sign_in(world.administrator).get(f"/registry/cycles/{world.cycle.code}/move?to=review").text
    assert "什么都不缺" in page


def _complete(session: Session) -> Any:
    world = make_world(session)
    session.execute(delete(Assignment))
    session.execute(delete(Entry).where(Entry.id == world.entry.id))
    rated_entry(session, world.cycle)
    return world
