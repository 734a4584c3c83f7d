"""The coordinator's list of missing ratings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.clock import now
from evalsys.base.listing import Wanted
from evalsys.collection.late import late_list
from evalsys.collection.models import Assessment, Assignment
from tests.collection.world import World, make_world
from tests.factories import NOW, make_contract, make_county, make_entry, make_rules
from tests.pages import CheckedClient

OVER = {"opens_on": date(2026, 9, 1), "closes_on": date(2026, 10, 30)}  # three days before NOW
ONE_PARTY = Path(__file__).parents[2] / "examples" / "one-party.toml"


def rows(session: Session, world: World, **more: Any) -> list[tuple[str, str, int]]:
    actor = more.pop("actor", world.administrator.as_actor())
    listing = late_list(session, world.cycle, actor=actor, now=NOW, **more)
    days, party = listing.columns[0], listing.columns[2]
    found = listing.page(session, Wanted(sort="party")).rows
    return [(str(party.value(row)), str(row.rater or row.body), int(str(days.value(row)))) for row in found]


def assessed(session: Session, world: World, account: Account, *, submitted: bool) -> None:
    party = "purchaser" if account.purchaser_id else "third_party"
    state = {"state": "submitted", "submitted_at": NOW} if submitted else {"state": "draft"}
    session.add(Assessment(entry_id=world.entry.id, party=party, account_id=account.id, saved_at=NOW, **state))
    session.flush()


def test_whose_day_is_over_and_who_has_not_submitted(session: Session, app: Flask) -> None:
    world = make_world(session, **OVER)
    session.scalars(select(Assignment)).one().due_on = date(2026, 10, 20)
    session.flush()
    buyer = world.contract.purchaser.name
    assert rows(session, world) == [("购买主体", buyer, 3), ("第三方评价机构", "评价员甲", 13)]
    assert rows(session, world, party="purchaser") == [("购买主体", buyer, 3)]
    assert rows(session, world, party="nobody") == rows(session, world)
    assessed(session, world, world.evaluator, submitted=False)
    listing = late_list(session, world.cycle, actor=world.administrator.as_actor(), now=NOW)
    states = [str(listing.columns[5].value(row)) for row in listing.page(session, Wanted(sort="-party")).rows]
    assert states == ["草稿", "未开始"]
    assessed(session, world, world.purchaser, submitted=True)
    assert rows(session, world) == [("第三方评价机构", "评价员甲", 13)]
    session.query(Assessment).filter_by(party="third_party").update({"state": "submitted", "submitted_at": NOW})
    assert rows(session, world) == []


def test_what_is_not_due_yet_comes_when_asked_for(session: Session, app: Flask) -> None:
    world = make_world(session)
    assert rows(session, world) == []
    assert [days for _party, _rater, days in rows(session, world, all_open=True)] == [0, 0]


def test_another_branch_is_not_seen(session: Session, app: Flask) -> None:
    world = make_world(session, **OVER)
    elsewhere = make_contract(session, region=make_county(session))
    make_entry(session, cycle=world.cycle, contract=elsewhere)
    assert len(rows(session, world)) == 2


def test_whom_the_rules_do_not_ask_is_not_late(session: Session, app: Flask) -> None:
    world = make_world(session, **OVER)
    world.cycle.rules = make_rules(session, ONE_PARTY.read_bytes())
    session.flush()
    assert rows(session, world, all_open=True) == []


def test_the_page_and_its_files(
    write: Callable[..., Any], sign_in: Callable[[Account], CheckedClient], app: Flask
) -> None:
    day = now().date()
    world = write(lambda session: make_world(session, opens_on=date(2026, 1, 1), closes_on=day + timedelta(days=9)))
    browser = sign_in(world.administrator)
    address = f"/collection/cycles/{world.cycle.code}/late"
    assert address in browser.get("/collection/").text
    assert "没有逾期未交" in browser.get(address).text
    page = browser.get(f"{address}?all=1&q=评价员").text
    assert "评价员甲" in page
    assert f"/registry/cycles/{world.cycle.code}/entries/{world.entry.id}" in page
    assert "没有符合" in browser.get(f"{address}?q=没有这个").text
    csv = browser.get(f"{address}?all=1&party=third_party&format=csv").data.decode("utf-8-sig").splitlines()
    assert csv[0].startswith("逾期天数,")
    assert len(csv) == 2
    assert browser.get(f"{address}?all=1&format=xlsx").mimetype.endswith("sheet")
    draft = write(lambda session: make_world(session, state="draft"))
    nothing = sign_in(draft.administrator).get(f"/collection/cycles/{draft.cycle.code}/late?all=1")
    assert "没有未交的评价" in nothing.text, "without rules nobody is asked"
    assert sign_in(world.evaluator).get(address).status_code == 403
