"""The pages of selection, from a new plan to the decision."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.base.db import Database
from evalsys.registry.models import Purchaser, Vendor
from evalsys.selection.models import Decision, Plan
from tests.factories import make_account, make_purchaser, make_vendor
from tests.pages import CheckedClient, parse
from tests.selection.makers import make_candidate, make_plan, publish

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]
GROUND = "服务力量充足,以往评价结果稳定"


@pytest.fixture
def purchaser(write: Write) -> Purchaser:
    def make(session: Session) -> Purchaser:
        made = make_purchaser(session, name="清城区民政局")
        assert made.region.path  # read while the session is there
        return made

    made: Purchaser = write(make)
    return made


@pytest.fixture
def officer(sign_in: SignIn, write: Write, purchaser: Purchaser) -> CheckedClient:
    account = write(make_account, Role.OFFICER, region=purchaser.region, name="周主任")
    return sign_in(account)


@pytest.fixture
def vendors(write: Write) -> list[Vendor]:
    """Two with a record, the second of the lowest grade, and one without."""

    def make(session: Session) -> list[Vendor]:
        good, poor, fresh = (make_vendor(session, name=name) for name in ("甲中心", "乙中心", "丙中心"))
        publish(session, good, 92.0, year=2026, grade="excellent")
        publish(session, poor, 52.0, year=2026, grade="poor")
        return [good, poor, fresh]

    made: list[Vendor] = write(make)
    return made


@pytest.fixture
def plan(write: Write, purchaser: Purchaser, vendors: list[Vendor]) -> Plan:
    """Undecided, all candidates' points entered but one."""

    def make(session: Session) -> Plan:
        made = make_plan(session, purchaser=session.merge(purchaser), title="2027年度照料护理")
        for vendor, offer in zip(vendors, (7_000_000, 6_000_000, None), strict=True):
            make_candidate(session, made, vendor, technical=80.0, offer_fen=offer)
        return made

    made: Plan = write(make)
    return made


def rows(html: str) -> list[list[str]]:
    """The cells of the page's first table."""
    table = parse(html).find(".//tbody")
    assert table is not None
    return [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in table]


def candidate_ids(database: Database, plan: Plan) -> list[int]:
    with database.reading() as session:
        return [c.id for c in session.get_one(Plan, plan.id).candidates]


def planned(officer: CheckedClient, purchaser: Purchaser, vendors: list[Vendor]) -> str:
    """A tender made on the web, with its candidates; its address."""
    data = {
        "title": "2027年度照料护理",
        "year": "2027",
        "purchaser_id": purchaser.id,
        "service_type": "care",
        "use": "open_tender",
        "technical": "70",
        "price": "30",
        "past": "0",
    }
    address = officer.post("/selection/new", data=data).location
    assert "还没有候选单位" in officer.get(address).text
    for vendor in vendors:
        answer = officer.post(f"{address}/candidates?q=甲", data={"credit_code": vendor.credit_code})
        assert answer.location == f"{address}/candidates?q=%E7%94%B2"
    return address


def test_a_plan_gets_candidates_and_points_until_it_can_be_decided(
    officer: CheckedClient, purchaser: Purchaser, vendors: list[Vendor], database: Database
) -> None:
    assert "还没有方案" in officer.get("/selection/").text
    assert officer.get("/selection/new").status_code == 200
    address = planned(officer, purchaser, vendors)
    assert "甲中心" in officer.get(f"{address}/candidates?q=甲").text
    page = officer.get(address).text
    assert "尚未录入" in page
    assert f"{address}/decision" not in page
    assert officer.get(f"{address}/decision").status_code == 422
    with database.reading() as session:
        ids = [candidate.id for candidate in session.scalars(select(Plan)).one().candidates]
    entered = {f"technical_{key}": "80" for key in ids} | {f"offer_{key}": "60,500" for key in ids}
    assert officer.get(f"{address}/points").status_code == 200
    assert officer.post(f"{address}/points", data=entered).location == address
    sheet = officer.get(address).text
    assert [row[0] for row in rows(sheet)] == ["1", "1", "1"]
    assert f"{address}/decision" in sheet
    for said in ("并列参考，权重 0", "无记录（按同类平均计，不加分不减分）", "按常用规则不具备资格"):
        assert said in sheet


def test_a_person_chooses_reads_once_more_and_confirms(
    officer: CheckedClient, plan: Plan, vendors: list[Vendor], database: Database
) -> None:
    address = f"/selection/{plan.id}"
    third = candidate_ids(database, plan)[2]
    officer.post(f"{address}/points", data={f"offer_{third}": "8.4万元"})
    form = officer.get(f"{address}/decision").text
    assert "checked" not in form
    seen = parse(form).find(".//input[@name='seen']")
    assert seen is not None
    choice = {"credit_code": vendors[1].credit_code, "ground": GROUND, "seen": seen.attrib["value"]}
    confirm = officer.post(f"{address}/decision", data=choice)
    assert confirm.status_code == 200
    assert "确认后，方案、得分和决定均不能再修改" in confirm.text
    assert "按常用规则不具备资格" in confirm.text
    with database.reading() as session:
        assert session.scalars(select(Decision)).all() == []
    assert officer.post(f"{address}/decision", data=choice | {"confirmed": "1"}).location == address
    decided = officer.get(address).text
    for said in (GROUND, "周主任", "乙中心", "选定"):
        assert said in decided
    assert "修改方案" not in decided
    assert "已于" in officer.get("/selection/").text
    assert officer.post(f"{address}/decision", data=choice | {"confirmed": "1"}).status_code == 409


def test_a_plan_that_breaks_a_rule_says_which(officer: CheckedClient, purchaser: Purchaser) -> None:
    data = {
        "title": "某项目",
        "year": "2027",
        "purchaser_id": purchaser.id,
        "service_type": "care",
        "use": "open_tender",
        "technical": "50",
        "price": "40",
        "past": "20",
    }
    answer = officer.post("/selection/new", data=data)
    assert answer.status_code == 422
    for said in ("合计 110%", "权重为 0", "价格分应占 10% 至 30%", "政府采购法实施条例第二十条", 'value="40"'):
        assert said in answer.text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("title", "", "请填写名称"),
        ("year", "1999", "2000 至 2100"),
        ("technical", "七十", "请填写数字"),
        ("technical", "NaN", "比重应在"),
        ("past", "-1", "比重应在"),
        ("price", "", "请填写百分比"),
        ("use", "", "请选择方式"),
        ("use", "lottery", "选择方式"),
        ("purchaser_id", "4711", "购买主体"),
    ],
)
def test_a_faulty_plan_is_not_saved(
    officer: CheckedClient, purchaser: Purchaser, database: Database, *, field: str, value: str, said: str
) -> None:
    data = {
        "title": "某项目",
        "year": "2027",
        "purchaser_id": str(purchaser.id),
        "service_type": "care",
        "use": "renewal",
        "technical": "50",
        "price": "30",
        "past": "20",
    }
    answer = officer.post("/selection/new", data=data | {field: value})
    assert answer.status_code == 422
    assert said in answer.text
    with database.reading() as session:
        assert session.scalars(select(Plan)).all() == []


def test_a_plan_is_changed_on_the_form_it_was_made_with(officer: CheckedClient, plan: Plan) -> None:
    page = officer.get(f"/selection/{plan.id}/edit").text
    assert 'value="2027年度照料护理"' in page
    assert 'value="50"' in page
    data = {
        "title": "改名",
        "year": "2027",
        "purchaser_id": plan.purchaser_id,
        "service_type": "care",
        "use": "renewal",
        "technical": "40",
        "price": "30",
        "past": "30",
    }
    assert officer.post(f"/selection/{plan.id}/edit", data=data).status_code == 303
    assert "改名" in officer.get(f"/selection/{plan.id}").text


def test_points_come_back_with_what_was_typed(officer: CheckedClient, plan: Plan, database: Database) -> None:
    first, second, third = candidate_ids(database, plan)
    entered = {f"technical_{first}": "101", f"offer_{first}": "八十", f"technical_{second}": "77.5"}
    answer = officer.post(f"/selection/{plan.id}/points", data=entered)
    assert answer.status_code == 422
    for said in ("得分应在 0 至 100 之间", "金额", 'value="101"', 'value="八十"', 'value="77.5"'):
        assert said in answer.text
    empty = {f"{kind}_{key}": "" for key in (first, second, third) for kind in ("technical", "offer")}
    assert officer.post(f"/selection/{plan.id}/points", data=empty).status_code == 303
    assert officer.get(f"/selection/{plan.id}").text.count("尚未录入") == 6


def test_points_for_a_vanished_candidate_are_said(
    officer: CheckedClient, plan: Plan, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the page and the act somebody takes the candidate off."""
    from evalsys.selection import usecases

    first, *_rest = candidate_ids(database, plan)
    acted = usecases.enter_points

    def late(session: Session, plan_id: int, points: Any, **given: Any) -> int:
        session.delete(session.get_one(Plan, plan_id).candidates[0])
        session.flush()
        session.expire_all()
        return acted(session, plan_id, points, **given)

    monkeypatch.setattr(usecases, "enter_points", late)
    answer = officer.post(f"/selection/{plan.id}/points", data={f"technical_{first}": "1"})
    assert answer.status_code == 409
    assert "期间有人将候选单位移出了方案" in answer.text


def test_candidates_are_added_once_and_taken_off(officer: CheckedClient, plan: Plan, vendors: list[Vendor]) -> None:
    address = f"/selection/{plan.id}/candidates"
    code = vendors[0].credit_code
    assert "已列入方案" in officer.get(address).text
    assert officer.post(address, data={"credit_code": code}).status_code == 409
    assert officer.post(address, data={"credit_code": "nobody"}).status_code == 404
    assert officer.post(f"{address}/{code}/remove").location == address
    assert officer.post(f"{address}/{code}/remove").status_code == 404
    assert "没有该承接主体" in officer.get(f"{address}?q=nobody").text


def test_a_decision_without_choice_or_ground_is_asked_again(
    officer: CheckedClient, plan: Plan, vendors: list[Vendor], database: Database
) -> None:
    waiting = officer.get(f"/selection/{plan.id}/decision")
    assert waiting.status_code == 422
    assert "丙中心" in waiting.text
    officer.post(f"/selection/{plan.id}/candidates/{vendors[2].credit_code}/remove")
    address = f"/selection/{plan.id}/decision"
    empty = officer.post(address, data={}).text
    assert "请选择一家候选单位" in empty
    assert "请填写决定理由" in empty
    seen = parse(empty).find(".//input[@name='seen']")
    assert seen is not None
    choice = {"credit_code": vendors[0].credit_code, "ground": "好", "seen": seen.attrib["value"]}
    short = officer.post(address, data=choice)
    assert short.status_code == 422
    assert "不少于 10 个字" in short.text
    officer.post(f"/selection/{plan.id}/points", data={f"technical_{candidate_ids(database, plan)[0]}": "1"})
    stale = officer.post(address, data=choice | {"ground": GROUND, "confirmed": "1"})
    assert stale.status_code in {409, 422}
    with database.reading() as session:
        assert session.scalars(select(Decision)).all() == []


def test_a_sheet_that_changed_is_shown_again(
    officer: CheckedClient, plan: Plan, vendors: list[Vendor], database: Database
) -> None:
    officer.post(f"/selection/{plan.id}/candidates/{vendors[2].credit_code}/remove")
    choice = {"credit_code": vendors[0].credit_code, "ground": GROUND, "seen": "0" * 64, "confirmed": "1"}
    answer = officer.post(f"/selection/{plan.id}/decision", data=choice)
    assert answer.status_code == 409
    assert "选择表已有变动" in answer.text
    assert GROUND in answer.text
    assert parse(answer.text).find(".//input[@name='confirmed']") is None


def test_others_read_and_do_not_act(sign_in: SignIn, write: Write, plan: Plan, purchaser: Purchaser) -> None:
    auditor = sign_in(write(make_account, Role.AUDITOR, region=purchaser.region))
    page = auditor.get(f"/selection/{plan.id}").text
    assert "录入得分" not in page
    assert "新建方案" not in auditor.get("/selection/").text
    for part in ("edit", "candidates", "points", "decision"):
        assert auditor.get(f"/selection/{plan.id}/{part}").status_code == 403
    vendor = sign_in(write(make_account, Role.VENDOR, region=purchaser.region))
    assert vendor.get(f"/selection/{plan.id}").status_code == 403


def test_empty_lists_say_who_fills_them(sign_in: SignIn, write: Write, purchaser: Purchaser) -> None:
    auditor = sign_in(write(make_account, Role.AUDITOR, region=purchaser.region))
    assert "方案由采购负责人建立" in auditor.get("/selection/").text
    assert "没有符合条件的方案" in auditor.get("/selection/?q=x").text
    empty = write(lambda session: make_plan(session, purchaser=session.merge(purchaser)))
    assert "还没有候选单位" in auditor.get(f"/selection/{empty.id}").text


def test_another_branch_is_closed(sign_in: SignIn, write: Write, plan: Plan) -> None:
    stranger = sign_in(write(make_account, Role.OFFICER))
    assert "2027年度照料护理" not in stranger.get("/selection/").text
    for part in ("", "/edit", "/candidates", "/points", "/decision", "/sheet.xlsx"):
        assert stranger.get(f"/selection/{plan.id}{part}").status_code == 403
    assert stranger.post(f"/selection/{plan.id}/candidates", data={"credit_code": "x"}).status_code == 403
    assert stranger.get("/selection/4711").status_code == 404


def test_the_sheet_is_saved_as_a_workbook(officer: CheckedClient, plan: Plan) -> None:
    answer = officer.get(f"/selection/{plan.id}/sheet.xlsx")
    book = CalamineWorkbook.from_filelike(BytesIO(answer.data))
    sheet, records = (book.get_sheet_by_index(n).to_python() for n in (0, 1))
    assert sheet[0][:3] == ["名次", "统一社会信用代码", "承接主体"]
    assert [line[2] for line in sheet[1:]] == ["甲中心", "乙中心", "丙中心"]
    assert sheet[1][8] == pytest.approx(0.5 * 80 + 0.3 * 60 + 0.2 * 92)
    assert sheet[3][7] == "无记录（按同类平均计）"
    assert {line[0] for line in records[1:]} == {"甲中心", "乙中心"}
    assert officer.get(f"/selection/{plan.id}/sheet.csv").status_code == 200


def test_an_undecided_plan_waits_on_the_officers_desk(
    officer: CheckedClient, plan: Plan, sign_in: SignIn, write: Write, purchaser: Purchaser
) -> None:
    assert "待决定的选择方案" in officer.get("/desk").text
    auditor = sign_in(write(make_account, Role.AUDITOR, region=purchaser.region))
    assert "待决定的选择方案" not in auditor.get("/desk").text


def test_of_two_decisions_at_once_one_stands(
    sign_in: SignIn,
    write: Write,
    *,
    plan: Plan,
    purchaser: Purchaser,
    vendors: list[Vendor],
    database: Database,
) -> None:
    """Two officers confirm at the same moment: the plan's row, or the write lock, lets one in after the other."""
    browsers = [sign_in(write(make_account, Role.OFFICER, region=purchaser.region)) for _ in range(2)]
    browsers[0].post(f"/selection/{plan.id}/candidates/{vendors[2].credit_code}/remove")
    address = f"/selection/{plan.id}/decision"
    seen = parse(browsers[0].get(address).text).find(".//input[@name='seen']")
    assert seen is not None
    choice = {"ground": GROUND, "seen": seen.attrib["value"], "confirmed": "1"}
    together = threading.Barrier(2, timeout=60)

    def confirm(browser: CheckedClient, vendor: Vendor) -> int:
        together.wait()
        return browser.post(address, data=choice | {"credit_code": vendor.credit_code}).status_code

    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(confirm, browsers, vendors[:2]))
    assert sorted(statuses) == [303, 409]
    with database.reading() as session:
        assert len(session.scalars(select(Decision)).all()) == 1
