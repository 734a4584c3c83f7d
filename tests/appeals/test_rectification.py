"""Rectifications: who needs one, what each step takes, what is kept of it, and who sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.appeals.demands import draft
from evalsys.appeals.files import Sent
from evalsys.appeals.models import AppealFile, Rectification
from evalsys.appeals.rectifications import (
    Chosen,
    count_needed,
    default_due_on,
    is_overdue,
    lifting_edition,
    names_of,
    needed,
    next_due,
    rectification_seen,
    rectifications,
)
from evalsys.appeals.rectifying import Demand, find_done, lift, open_items, report, send_back
from evalsys.base.access import Actor, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from evalsys.base.errors import Conflict, Fault, Invalid, NotFound
from evalsys.base.listing import Wanted
from evalsys.base.working_days import local_day
from evalsys.evaluation.explanation import explain
from evalsys.publication.queries import newest_edition
from evalsys.registry.models import Cycle
from tests.appeals.rectified import DEMAND, DUE, NOTE, REPORT, World, corrected, make_world, opened, reported, waiting
from tests.factories import NOW, actor, make_county, make_cycle

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
Write = Callable[..., Any]


def acts(session: Session) -> list[tuple[str, dict[str, Any]]]:
    entries = session.scalars(select(AuditEntry).where(AuditEntry.act.like("appeals.%")).order_by(AuditEntry.id))
    return [(entry.act.removeprefix("appeals."), entry.detail) for entry in entries]


def test_grades_that_ask_for_it_are_listed_the_worst_first_until_an_item_is_open(session: Session) -> None:
    world = make_world(session)
    assert waiting(session, world) == ["QX-1", "QX-2"]
    assert count_needed(session, actor=world.acting) == {"2026": 2}
    item = opened(session, world)
    assert (item.state, item.grade, item.demand, item.due_on) == ("open", "poor", DEMAND, DUE)
    assert waiting(session, world) == ["QX-2"]
    open_items(session, world.cycle(session), [Demand(world.weak, DEMAND)], due_on=DUE, actor=world.acting, now=NOW)
    assert count_needed(session, actor=world.acting) == {}
    assert acts(session)[0] == ("open_rectification", {"rectification": item.id, "due_on": "2026-12-31"})


def test_another_region_needs_nothing_and_sees_nothing(session: Session) -> None:
    world = make_world(session)
    item = opened(session, world)
    elsewhere = actor(Role.OFFICER, region=make_county(session))
    assert count_needed(session, actor=elsewhere) == {}
    with pytest.raises(NotFound):
        rectification_seen(session, item.id, actor=elsewhere)
    with pytest.raises(Conflict):
        open_items(session, world.cycle(session), [Demand(world.weak, DEMAND)], due_on=DUE, actor=elsewhere, now=NOW)


def test_a_cycle_without_an_edition_needs_nothing(session: Session) -> None:
    assert needed(session, make_cycle(session), actor=actor(Role.OFFICER), most=5) == []


@pytest.mark.parametrize("number", ["worst", "fine"])
def test_what_needs_none_is_not_opened(session: Session, number: str) -> None:
    world = make_world(session)
    opened(session, world)
    entry_id = world.worst if number == "worst" else world.weak + 1
    with pytest.raises(Conflict, match="needs no rectification"):
        open_items(session, world.cycle(session), [Demand(entry_id, DEMAND)], due_on=DUE, actor=world.acting, now=NOW)


def open_with(session: Session, world: World, *demands: Demand, due_on: date = DUE) -> list[Rectification]:
    return open_items(session, world.cycle(session), demands, due_on=due_on, actor=world.acting, now=NOW)


def test_a_demand_needs_words_and_a_day_to_come(session: Session) -> None:
    world = make_world(session)
    today = local_day(NOW)
    with pytest.raises(Invalid, match="No contract"):
        open_with(session, world)
    for text in ("  改进。  ", "改" * 3001):
        with pytest.raises(Invalid, match="10"):
            open_with(session, world, Demand(world.worst, text))
    for day in (today - timedelta(days=1), today + timedelta(days=367)):
        with pytest.raises(Invalid, match="within a year"):
            open_with(session, world, Demand(world.worst, DEMAND), due_on=day)
    assert open_with(session, world, Demand(world.worst, DEMAND), due_on=today)[0].due_on == today


def test_the_draft_names_what_is_weakest_of_what_is_published(app: Flask, session: Session) -> None:
    world = make_world(session)
    one = needed(session, world.cycle(session), actor=world.acting, most=1)[0]
    names = names_of(one.edition)
    told = draft(one.line, names).split("\n")
    explained = explain(one.line, names.rules)
    assert explained is not None
    assert told[0].startswith("公布的等级为“差”（28.38 分）")
    weakest = sorted(explained.dimensions, key=lambda row: row.score or 0)[:2]
    for line, row in zip(told[1:], weakest, strict=True):
        assert names.dimension(row.dimension) in line
        assert f"{row.score:.2f} 分" in line
    assert "总的来说，您对这项服务满意吗？" in told[1]
    assert "%" not in told[2]  # nobody but raters of one each answers there
    one.line.score = None
    assert len(draft(one.line, names).split("\n")) == 1


def test_the_day_follows_from_publication_or_from_today_where_that_is_over(session: Session) -> None:
    world = make_world(session)
    edition = newest_edition(session, world.cycle(session))
    assert edition is not None
    assert default_due_on(edition, NOW) == date(2027, 1, 1)
    assert default_due_on(edition, NOW + timedelta(days=61)) == date(2027, 3, 3)


def test_a_report_with_evidence_is_checked_and_found_done(session: Session) -> None:
    world = make_world(session)
    item = opened(session, world)
    later = NOW + timedelta(days=3)
    report(session, item.id, f" {REPORT}\r\n", [Sent("台账.pdf", PDF)], actor=world.vendor.as_actor(), now=later)
    assert (item.state, item.report, item.reported_at) == ("reported", REPORT, later)
    assert [file.name for file in item.files] == ["台账.pdf"]
    find_done(session, item.id, NOTE, actor=world.purchaser.as_actor(), now=later)
    assert (item.state, item.note, item.done_at, item.done_by) == ("done", NOTE, later, world.purchaser.name)
    assert [step["step"] for step in item.history] == ["open", "report", "finish"]
    assert [act for act, _detail in acts(session)] == [
        "open_rectification",
        "report_rectification",
        "finish_rectification",
    ]
    assert REPORT not in str(acts(session))


def test_what_goes_back_is_open_until_a_new_day_and_nothing_is_lost(session: Session) -> None:
    world = make_world(session)
    item = reported(session, world)
    new_day = DUE + timedelta(days=30)
    send_back(session, item.id, "缺 11 月份的上门记录。", due_on=new_day, actor=world.acting, now=NOW)
    assert (item.state, item.due_on) == ("open", new_day)
    report(session, item.id, "11 月份的上门记录已补。", [], actor=world.vendor.as_actor(), now=NOW)
    texts = [step["text"] for step in item.history]
    assert texts == [DEMAND, REPORT, "缺 11 月份的上门记录。", "11 月份的上门记录已补。"]


def test_each_step_has_its_time(session: Session) -> None:
    world = make_world(session)
    item = opened(session, world)
    vendor, officer = world.vendor.as_actor(), world.acting
    with pytest.raises(Conflict):
        find_done(session, item.id, NOTE, actor=officer, now=NOW)
    report(session, item.id, REPORT, [], actor=vendor, now=NOW)
    with pytest.raises(Conflict):
        report(session, item.id, REPORT, [], actor=vendor, now=NOW)
    with pytest.raises(Invalid):
        find_done(session, item.id, "好", actor=officer, now=NOW)
    with pytest.raises(Invalid):
        send_back(session, item.id, NOTE, due_on=date(2026, 1, 1), actor=officer, now=NOW)
    find_done(session, item.id, NOTE, actor=officer, now=NOW)
    with pytest.raises(Conflict):
        send_back(session, item.id, NOTE, due_on=DUE, actor=officer, now=NOW)


def test_a_bad_file_leaves_the_report_unsaid(session: Session) -> None:
    world = make_world(session)
    item = opened(session, world)
    with pytest.raises(Invalid):
        report(session, item.id, REPORT, [Sent("a.exe", b"MZ\x00")], actor=world.vendor.as_actor(), now=NOW)
    assert item.state == "open"


def test_a_vendor_and_a_purchaser_see_their_own(session: Session) -> None:
    world = make_world(session)
    item = opened(session, world)
    own_body = Actor(None, "经办人", Role.PURCHASER, "", purchaser_id=world.purchaser.purchaser_id)
    for reader in (world.vendor.as_actor(), own_body, world.auditor.as_actor()):
        assert rectification_seen(session, item.id, actor=reader).id == item.id
    by_letter = replace(world.vendor.as_actor(), cycle_id=world.cycle_id)
    assert rectification_seen(session, item.id, actor=by_letter).id == item.id
    with pytest.raises(NotFound):
        rectification_seen(session, item.id, actor=replace(by_letter, cycle_id=world.cycle_id + 1))
    foreign = Actor(None, "别家", Role.PURCHASER, "", purchaser_id=0)
    for reader in (world.stranger.as_actor(), foreign):
        with pytest.raises(NotFound):
            report(session, item.id, REPORT, [], actor=reader, now=NOW)


def test_a_later_edition_that_lifts_the_grade_closes_the_item_with_that_ground(session: Session) -> None:
    world = make_world(session)
    item = opened(session, world)
    assert lifting_edition(session, item) is None
    with pytest.raises(Conflict, match="later edition"):
        lift(session, item.id, actor=world.acting, now=NOW)
    corrected(session, world, world.worst, "fair")
    assert lifting_edition(session, item) is None  # 中 asks for it as well
    second = corrected(session, world, world.worst, "good")
    lift(session, item.id, actor=world.acting, now=NOW)
    assert (item.state, item.lifted_by, item.done_by) == ("done", second, world.officer.name)
    assert item.history[-1]["edition"] == second.number
    assert waiting(session, world) == ["QX-2"]
    with pytest.raises(Conflict):
        lift(session, item.id, actor=world.acting, now=NOW)
    third = corrected(session, world, world.worst, "poor")
    assert waiting(session, world) == ["QX-1", "QX-2"]
    again = opened(session, world)
    assert (again.id, again.state, again.edition_id, again.lifted_by) == (item.id, "open", third.id, None)
    assert [step["step"] for step in again.history] == ["open", "lift", "open"]


def test_the_list_narrows_sorts_and_knows_what_is_overdue(session: Session) -> None:
    world = make_world(session)
    first = reported(session, world)
    open_with(session, world, Demand(world.weak, DEMAND), due_on=DUE - timedelta(days=1))

    def listed(late: timedelta = timedelta(), **args: str) -> list[str]:
        wanted, chosen = Wanted.from_args(args), Chosen.from_args(args)
        page = rectifications(session, wanted, chosen, actor=world.acting, now=NOW + late)
        return [item.entry.contract.reference for item in page.rows]

    assert listed() == ["QX-2", "QX-1"]
    assert listed(sort="contract") == ["QX-2", "QX-1"]
    assert listed(state="reported") == ["QX-1"]
    assert listed(state="overdue") == []
    assert listed(late=timedelta(days=90), state="overdue") == ["QX-2"]
    assert listed(cycle="2026", q="送医") == ["QX-1"]
    assert listed(cycle="2025") == []
    assert next_due(session, actor=world.acting) == DUE - timedelta(days=1)
    assert not is_overdue(first, NOW + timedelta(days=90))
    find_done(session, first.id, NOTE, actor=world.acting, now=NOW)
    first.due_on = DUE - timedelta(days=2)
    session.flush()
    assert listed() == ["QX-2", "QX-1"]  # what is done waits for nobody


def test_two_who_report_at_once_report_once(database: Database, write: Write, app: Flask) -> None:
    world: World = write(make_world)
    number = write(lambda session: opened(session, world).id)
    results: list[str] = []

    def go() -> None:
        try:
            with app.app_context(), database.transaction() as session:
                report(session, number, REPORT, [Sent("a.pdf", PDF)], actor=world.vendor.as_actor(), now=NOW)
            results.append("reported")
        except Fault as fault:
            results.append(type(fault).__name__)

    threads = [threading.Thread(target=go) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["Conflict", "reported"]
    with database.reading() as session:
        assert len(session.scalars(select(AppealFile)).all()) == 1
        assert len(session.scalars(select(Cycle)).all()) == 1
