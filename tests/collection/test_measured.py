"""Values of the record from a file: previewed, all or none, locked for raters, signed ones left alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.audit import AuditEntry
from evalsys.base.clock import now
from evalsys.base.errors import Conflict, Gone, NotAllowed
from evalsys.base.tables import TableFaulty
from evalsys.collection import measured
from evalsys.collection.assessment_models import MeasuredValue
from evalsys.collection.assessments import save_draft, submit, task_of
from evalsys.registry.imports import Scope, make_plan
from tests.collection.world import WOULD_BUY_AGAIN, World, full_answers, make_world
from tests.factories import NOW, make_contract, make_county, make_entry, make_rules
from tests.pages import CheckedClient
from tests.rules.conftest import SMALL

STAFF = "purchaser_staff_share"


@pytest.fixture
def world(session: Session, app: Flask) -> World:
    return make_world(session)


def file_of(*rows: tuple[object, ...]) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in (("合同编号", "评价指标", "数值", "来源"), *rows)).encode()


def plan_of(session: Session, world: World, data: bytes) -> Any:
    return make_plan(data, measured.KIND, Scope(session, world.administrator.as_actor(), world.cycle))


def take_in(session: Session, world: World, data: bytes, fingerprint: str = "") -> Any:
    return measured.take_in(
        session,
        data,
        world.cycle,
        fingerprint=fingerprint or plan_of(session, world, data).fingerprint,
        actor=world.administrator.as_actor(),
        now=NOW,
    )


def test_values_are_new_changed_and_unchanged(session: Session, world: World) -> None:
    reference = world.contract.reference
    done = take_in(session, world, file_of((reference, STAFF, 0.9, "人员台账")))
    assert (len(done.new), len(done.changed)) == (1, 0)
    again = plan_of(session, world, file_of((reference, "在岗人数占应配人数的比例", "０.9", "人员台账")))
    assert (len(again.new), len(again.changed), again.unchanged) == (0, 0, 1)
    changed = take_in(session, world, file_of((reference, STAFF, 0.8, "人员台账")))
    assert [sample.changes for sample in changed.samples] == [("数值: 0.9 → 0.8",)]
    (row, number) = measured.values_of(session, world.cycle, actor=world.administrator.as_actor())[0]
    assert (row.value, row.recorded_by, number) == (0.8, world.administrator.name, reference)
    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.act, entry.detail["changed"]) == ("collection.record_measured", 1)


def test_every_fault_is_told_and_nothing_is_kept(session: Session, world: World) -> None:
    elsewhere = make_entry(session, cycle=world.cycle, contract=make_contract(session, region=make_county(session)))
    reference = world.contract.reference
    data = file_of(
        ("HT-0", STAFF, 1, "x"),
        (elsewhere.contract.reference, STAFF, 1, "x"),
        (reference, "purchaser_quality", 1, "x"),
        (reference, STAFF, "九成", "x"),
        (reference, STAFF, 1e15, "x"),
        (reference, STAFF, 1, ""),
        ("", "", 1, "x"),
    )
    with pytest.raises(TableFaulty) as caught:
        take_in(session, world, data)
    places = [(fault.row, fault.column.split()[0]) for fault in caught.value.faults]
    assert places == [
        (2, "A"), (3, "A"), (4, "B"), (5, "C"), (6, "B"), (6, "C"), (7, "B"), (7, "D"), (8, "A"), (8, "B"),
    ]  # fmt: skip
    assert session.scalars(select(MeasuredValue)).all() == []


def test_a_criterion_of_other_services_is_refused(session: Session, world: World) -> None:
    small = SMALL.replace('source = "measured"', 'source = "measured"\nservice_types = ["training"]').replace(
        '[[criteria]]\ncode = "help_care"',
        '[[criteria]]\ncode = "buyer_care"\nparty = "buyer"\ndimension = "management"\nscale = "yes"\n'
        'service_types = ["care"]\ntext = { zh = "照料", en = "Care?" }\n\n[[criteria]]\ncode = "help_care"',
    )
    world.cycle.rules = make_rules(session, small.encode())
    session.flush()
    with pytest.raises(TableFaulty) as caught:
        take_in(session, world, file_of((world.contract.reference, "buyer_staff", 1, "x")))
    assert "服务类别" in caught.value.faults[0].wrong


def test_what_is_signed_keeps_its_value_and_the_preview_says_so(session: Session, world: World) -> None:
    actor = world.purchaser.as_actor()
    answers = full_answers(task_of(session, world.entry.id, actor=actor).questionnaire)
    draft = save_draft(session, world.entry.id, answers, version="", actor=actor, now=NOW, beside=WOULD_BUY_AGAIN)
    data = file_of((world.contract.reference, STAFF, 0.9, "人员台账"))
    assert plan_of(session, world, data).warnings == []
    submit(session, world.entry.id, version=draft.version, signed=True, actor=actor, now=NOW)
    plan = take_in(session, world, data)
    assert "已签署" in plan.warnings[0]
    assert not task_of(session, world.entry.id, actor=actor).answers[STAFF].given


def test_who_may_and_when(session: Session, world: World) -> None:
    for role in (world.purchaser, world.auditor):
        with pytest.raises(NotAllowed):
            measured.require_recording(world.cycle, role.as_actor())
    data = file_of((world.contract.reference, STAFF, 0.9, "人员台账"))
    with pytest.raises(Conflict, match="有变动"):
        take_in(session, world, data, "another")
    world.cycle.state = "review"
    session.flush()
    with pytest.raises(Gone):
        take_in(session, world, data, "x")


def test_from_the_template_to_the_locked_field(
    write: Callable[..., Any], app: Flask, sign_in: Callable[[Account], CheckedClient]
) -> None:
    world = write(make_world, closes_on=now().date() + timedelta(days=30))
    browser = sign_in(world.administrator)
    page = f"/collection/cycles/{world.cycle.code}/measured"
    assert page in browser.get("/collection/").text
    assert "尚无" in browser.get(page).text
    assert browser.get("/collection/measured-template.xlsx").data.startswith(b"PK")
    for data in (b"nothing", file_of((world.contract.reference, STAFF, "九成", "x"))):
        assert browser.post(page, data={"file": (BytesIO(data), "台账.csv")}).status_code == 422
    assert browser.post(page, data={}).status_code == 422
    data = file_of((world.contract.reference, STAFF, 0.9, "人员台账 <10 月>"))
    preview = browser.post(page, data={"file": (BytesIO(data), "台账.csv")}).location
    text = browser.get(preview).text
    fingerprint = text.split('name="fingerprint" value="')[1].split('"')[0]
    assert browser.post(preview, data={"fingerprint": fingerprint}).location == page
    assert "人员台账 &lt;10 月&gt;" in browser.get(page).text
    assert "由台账填入" in sign_in(world.purchaser).get(f"/collection/entries/{world.entry.id}/rate").text
