"""A rater's sheet: out with every open question, back as drafts, every fault with its cell."""

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
from evalsys.base.clock import now
from evalsys.base.errors import Conflict
from evalsys.base.tables import Sheet, TableFaulty, write_csv, write_xlsx
from evalsys.collection import worksheet
from evalsys.collection.assessment_models import MeasuredValue
from evalsys.collection.assessments import save_draft, submit, task_of
from evalsys.collection.interest_models import InterestDeclaration
from evalsys.collection.models import Assessment, AssessmentRating, Assignment
from evalsys.collection.tasks import Answer
from tests.collection.world import World, full_answers, make_world
from tests.factories import NOW, make_account, make_contract, make_entry
from tests.pages import CheckedClient

NAMES = [column.name for column in worksheet.COLUMNS]
Rows = list[dict[str, str]]


@pytest.fixture
def world(session: Session, app: Flask) -> World:
    return make_world(session)


def rows_of(session: Session, account: Account) -> Rows:
    sheet = worksheet.sheet_of(session, actor=account.as_actor())
    return [dict(zip(NAMES, map(str, row), strict=True)) for row in sheet.rows]


def filled(rows: Rows, answers: dict[str, tuple[str, str]]) -> bytes:
    """The sheet with ratings and comments written in by criterion."""
    said = [row | dict(zip(("value", "comment"), answers.get(row["criterion"], ("", "")), strict=True)) for row in rows]
    table = [[row[name] for name in NAMES] for row in said]
    return write_xlsx([Sheet("评价", [column.zh for column in worksheet.COLUMNS], table)])


def take_in(session: Session, account: Account, data: bytes) -> worksheet.Filled:
    plan = worksheet.read_sheet(session, data, actor=account.as_actor()).plan
    return worksheet.take_in(session, data, fingerprint=plan.fingerprint, actor=account.as_actor(), now=NOW)


def faults(session: Session, account: Account, data: bytes) -> list[str]:
    with pytest.raises(TableFaulty) as caught:
        worksheet.read_sheet(session, data, actor=account.as_actor())
    return [f"{fault.row} {fault.column}: {fault.wrong}" for fault in caught.value.faults]


def test_the_sheet_has_every_open_question_with_its_levels(session: Session, world: World) -> None:
    actor = world.evaluator.as_actor()
    asked = task_of(session, world.entry.id, actor=actor).questionnaire
    sheet = worksheet.sheet_of(session, actor=actor)
    rows = rows_of(session, world.evaluator)
    assert [row["criterion"] for row in rows] == [question.code for question in asked]
    assert {row["contract"] for row in rows} == {world.contract.reference}
    goals = next(n for n, row in enumerate(rows) if row["criterion"] == "third_goals")
    assert sheet.choices[goals, NAMES.index("value")][0] == "1 没有做到"
    assert rows[goals]["meaning"].startswith("没有做到: 实现不足三成\n")
    assert sheet.editable == {NAMES.index("value"), NAMES.index("comment")}
    assert len(list(worksheet.explanations().rows)) > 3


def test_what_is_submitted_locked_or_barred_is_not_in_the_sheet(session: Session, world: World) -> None:
    row = {"criterion": "purchaser_staff_share", "value": 0.8, "source": "台账", "recorded_at": NOW}
    before = {row["criterion"] for row in rows_of(session, world.purchaser)}
    session.add(MeasuredValue(entry_id=world.entry.id, recorded_by="甲", **row))
    session.flush()
    assert before - {r["criterion"] for r in rows_of(session, world.purchaser)} == {"purchaser_staff_share"}
    own = make_contract(session, region=world.county)
    own.vendor.credit_code = world.evaluator.evaluator_body.credit_code if world.evaluator.evaluator_body else ""
    tied = make_entry(session, cycle=world.cycle, contract=own)
    session.add(Assignment(entry_id=tied.id, account_id=world.evaluator.id))
    session.flush()
    assert {r["contract"] for r in rows_of(session, world.evaluator)} == {world.contract.reference}
    actor = world.evaluator.as_actor()
    answers = full_answers(task_of(session, world.entry.id, actor=actor).questionnaire)
    draft = save_draft(session, world.entry.id, answers, version="", actor=actor, now=NOW)
    submit(session, world.entry.id, version=draft.version, signed=True, actor=actor, now=NOW)
    assert rows_of(session, world.evaluator) == []


def test_without_a_declaration_the_sheet_is_empty(session: Session, world: World) -> None:
    session.delete(session.scalars(select(InterestDeclaration)).one())
    session.flush()
    assert rows_of(session, world.evaluator) == []


def test_filled_in_it_comes_back_as_a_draft(session: Session, world: World) -> None:
    actor = world.evaluator.as_actor()
    rows = rows_of(session, world.evaluator)
    given = {
        "third_goals": ("4 大部分做到", ""),
        "third_team": ("3", "持证不全\n已约谈"),
        "third_privacy": ("是", ""),
        "third_records": ("", "待核对"),
    }
    done = take_in(session, world.evaluator, filled(rows, given))
    assert (len(done.plan.new), len(done.plan.changed), done.plan.unchanged) == (4, 0, len(rows) - 4)
    task = task_of(session, world.entry.id, actor=actor)
    assert {code: answer for code, answer in task.answers.items() if answer != Answer()} == {
        "third_goals": Answer(4),
        "third_team": Answer(3, comment="持证不全\n已约谈"),
        "third_privacy": Answer(2),
        "third_records": Answer(comment="待核对"),
    }
    assert session.scalars(select(Assessment.state)).all() == ["draft"]
    again = rows_of(session, world.evaluator)
    assert {row["criterion"]: row["value"] for row in again if row["value"]} == {
        "third_goals": "4 大部分做到",
        "third_team": "3 一般",
        "third_privacy": "2 是",
    }
    taken_back = take_in(
        session, world.evaluator, filled(again, given | {"third_goals": ("", ""), "third_team": ("", "")})
    )
    assert [sample.changes for sample in taken_back.plan.samples] == [
        ("评分: 4 大部分做到 → —",),
        ("评分: 3 一般 → —", "说明: 持证不全\n已约谈 → —"),
    ]
    only = [row for row in rows_of(session, world.evaluator) if row["criterion"] == "third_goals"]
    take_in(session, world.evaluator, filled(only, {"third_goals": ("5", "每户都有记录")}))
    kept = session.execute(select(AssessmentRating.criterion, AssessmentRating.value)).all()
    assert set(kept) == {("third_goals", 5), ("third_privacy", 2), ("third_records", None)}  # a missing row stays


def test_a_purchasers_sheet_takes_numbers_and_not_applicable(session: Session, world: World) -> None:
    rows = rows_of(session, world.purchaser)
    given = {"purchaser_staff_share": ("0.85", ""), "purchaser_correction": ("不适用", "")}
    take_in(session, world.purchaser, filled(rows, given))
    written = {row["criterion"]: row["value"] for row in rows_of(session, world.purchaser) if row["value"]}
    assert written == {"purchaser_staff_share": "0.85", "purchaser_correction": "不适用"}
    assert filled(rows_of(session, world.purchaser), given)
    session.rollback()


def test_every_fault_is_told_with_its_cell_and_nothing_is_saved(session: Session, world: World) -> None:
    rows = rows_of(session, world.evaluator)
    twice = [*rows[:6], rows[0] | {"value": "2"}]
    twice[1] |= {"contract": "HT-00000"}
    twice[2] |= {"criterion": "purchaser_quality"}
    twice[3] |= {"value": "9"}
    twice[4] |= {"comment": "长" * 2001}
    twice[5] |= {"cycle": ""}
    table = [[row[name] for name in NAMES] for row in twice]
    data = write_csv(Sheet("", [column.zh for column in worksheet.COLUMNS], table))
    told = faults(session, world.evaluator, data)
    assert [line.split(":")[0] for line in told] == [
        "3 B 合同编号",
        "4 D 指标代码",
        "5 G 评分",
        "6 H 说明",
        "7 A 评价年度",
        "8 D 指标代码",
    ]
    assert "不在您尚未提交的项目中" in told[0]
    assert session.scalars(select(Assessment)).all() == []


def test_a_file_from_before_the_last_save_is_refused(session: Session, world: World) -> None:
    rows = rows_of(session, world.evaluator)
    actor = world.evaluator.as_actor()
    data = filled(rows, {"third_goals": ("4", "")})
    plan = worksheet.read_sheet(session, data, actor=actor).plan
    with pytest.raises(Conflict, match="有变动"):
        worksheet.take_in(session, data, fingerprint="another", actor=actor, now=NOW)
    save_draft(session, world.entry.id, {"third_goals": Answer(2)}, version="", actor=actor, now=NOW)
    assert "下载后" in faults(session, world.evaluator, data)[0]
    with pytest.raises(TableFaulty):
        worksheet.take_in(session, data, fingerprint=plan.fingerprint, actor=actor, now=NOW)
    assert session.scalars(select(AssessmentRating.value)).all() == [2]


def test_down_and_up_on_the_web(
    write: Callable[..., Any], app: Flask, sign_in: Callable[[Account], CheckedClient]
) -> None:
    world = write(make_world, closes_on=now().date() + timedelta(days=30))
    browser = sign_in(world.evaluator)
    page = "/collection/worklist/file"
    assert page in browser.get("/collection/worklist").text
    assert "下载" in browser.get(page).text
    down = browser.get("/collection/worklist.xlsx")
    assert down.data.startswith(b"PK")
    same = browser.post(page, data={"file": (BytesIO(down.data), "评价.xlsx")})
    assert "无须保存" in browser.get(same.location).text or "没有需要保存" in browser.get(same.location).text
    rows = write(lambda session: rows_of(session, world.evaluator))
    for data, said in ((b"nothing", "422"), (filled(rows, {"third_goals": ("九", "")}), "third_goals")):
        refused = browser.post(page, data={"file": (BytesIO(data), "评价.xlsx")})
        assert refused.status_code == 422
        assert said in refused.text or said == "422"
    assert browser.post(page, data={}).status_code == 422
    data = filled(rows, {"third_goals": ("4 大部分做到", "现场核对")})
    seen = browser.post(page, data={"file": (BytesIO(data), "评价.xlsx")}).location
    preview = browser.get(seen).text
    assert "大部分做到" not in preview  # a new answer is named by its question
    assert "项目目标的实现程度" in preview
    fingerprint = preview.split('name="fingerprint" value="')[1].split('"')[0]
    stranger = write(make_account, world.evaluator.role and type(world.evaluator.as_actor().role).EVALUATOR)
    assert sign_in(stranger).get(seen).status_code == 410
    done = browser.post(seen, data={"fingerprint": fingerprint})
    assert done.location == "/collection/worklist"
    assert "没有提交" in browser.get(done.location).text
    assert write(lambda session: session.scalars(select(AssessmentRating.value)).all()) == [4]
