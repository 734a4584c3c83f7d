"""The registry's pages, as people of each role use them."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from evalsys.base.tables import Column, Sheet, read_table, write_csv, write_xlsx
from evalsys.registry import cycle_notes
from evalsys.registry.imports import KINDS
from evalsys.registry.models import (
    Contract,
    Cycle,
    Entry,
    EvaluatorBody,
    Purchaser,
    Region,
    RosterMember,
    Stratum,
    Vendor,
)  # fmt: skip
from tests import factories as f
from tests.pages import CheckedClient

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]
CODE = f.credit_code(8_000_001)


class County:
    """A county with a township, a purchaser, a vendor, a contract, and somebody of each role."""

    def __init__(self, session: Session) -> None:
        self.county = f.make_county(session, name="清新区")
        self.township = f.make_region(session, name="太平镇", parent=self.county)
        self.purchaser = f.make_purchaser(session, region=self.county, name="清新区民政局")
        self.vendor = f.make_vendor(session, code=CODE, name="晨光社工中心")
        self.contract = f.make_contract(
            session,
            vendor=self.vendor,
            purchaser=self.purchaser,
            region=self.county,
            reference="HT-1",
            title="照料项目",
        )
        bodies = {Role.VENDOR: {"vendor_id": self.vendor.id}, Role.PURCHASER: {"purchaser_id": self.purchaser.id}}
        self.people = {role: f.make_account(session, role, region=self.county, **bodies.get(role, {})) for role in Role}


@pytest.fixture
def county(write: Write) -> County:
    made: County = write(County)
    return made


@pytest.fixture
def admin(county: County, sign_in: SignIn) -> CheckedClient:
    return sign_in(county.people[Role.ADMINISTRATOR])


def only(database: Database, model: Any, *where: Any) -> Any:
    with database.reading() as session:
        return session.scalars(select(model).where(*where)).one()


LISTS = ["regions", "purchasers", "vendors", "evaluator-bodies", "contracts", "cycles"]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.VENDOR])
def test_everybody_of_the_branch_reads_and_only_administrators_edit(
    county: County, sign_in: SignIn, role: Role
) -> None:
    browser = sign_in(county.people[role])
    for page in ["", *LISTS, f"purchasers/{county.purchaser.id}", f"vendors/{CODE}", f"contracts/{county.contract.id}"]:
        assert browser.get(f"/registry/{page}").status_code == 200, page
    expected = 200 if role is Role.ADMINISTRATOR else 403
    for page in (
        f"regions/{county.county.code}/new", f"regions/{county.county.code}/edit", "purchasers/new",
        f"purchasers/{county.purchaser.id}/edit", "vendors/new", f"vendors/{CODE}/edit", "evaluator-bodies/new",
        "contracts/new", f"contracts/{county.contract.id}/edit", "cycles/new", "imports", "imports/vendors",
    ):  # fmt: skip
        assert browser.get(f"/registry/{page}").status_code == expected, page


def test_a_vendor_sees_its_own_contracts_only(county: County, sign_in: SignIn, write: Write) -> None:
    stranger = write(f.make_vendor)
    other = write(
        lambda s: f.make_contract(s, region=s.get(Region, county.county.id), vendor=stranger, title="别家的项目")
    )
    browser = sign_in(county.people[Role.VENDOR])
    listed = browser.get("/registry/contracts").text
    assert "照料项目" in listed
    assert "别家的项目" not in listed
    assert browser.get(f"/registry/contracts/{county.contract.id}").status_code == 200
    assert browser.get(f"/registry/contracts/{other.id}").status_code == 404
    assert browser.get(f"/registry/vendors/{CODE}").status_code == 200
    assert browser.get(f"/registry/vendors/{stranger.credit_code}").status_code == 404
    assert browser.get("/registry/vendors").status_code == 403


def test_nothing_of_another_region_is_shown_or_edited(county: County, sign_in: SignIn, write: Write) -> None:
    elsewhere = write(f.make_account, Role.ADMINISTRATOR)
    browser = sign_in(elsewhere)
    assert "照料项目" not in browser.get("/registry/contracts").text
    assert "清新区民政局" not in browser.get("/registry/purchasers").text
    cycle = write(f.make_cycle, region=county.county)
    body = write(f.make_evaluator_body, region=county.county)
    for page, status in (
        (f"contracts/{county.contract.id}", 404), (f"contracts/{county.contract.id}/edit", 404),
        (f"purchasers/{county.purchaser.id}", 403), (f"regions/{county.county.code}/edit", 403),
        (f"evaluator-bodies/{body.credit_code}/edit", 403), (f"cycles/{cycle.code}", 403),
    ):  # fmt: skip
        assert browser.get(f"/registry/{page}").status_code == status, page


@pytest.mark.parametrize(
    "page",
    [
        "contracts/99999",
        "purchasers/99999",
        "vendors/X",
        "evaluator-bodies/X",
        "cycles/X",
        "regions/0/edit",
        "imports/x",
    ],
)
def test_what_is_not_there_is_said(admin: CheckedClient, page: str) -> None:
    assert admin.get(f"/registry/{page}").status_code == 404


def test_a_region_is_added_and_renamed(admin: CheckedClient, county: County, database: Database) -> None:
    answer = admin.post(f"/registry/regions/{county.county.code}/new", data={"code": "441803101", "name": "山塘镇"})
    assert answer.status_code == 303
    assert only(database, Region, Region.code == "441803101").level == "township"
    again = admin.post(f"/registry/regions/{county.county.code}/new", data={"code": "441803101", "name": "山塘镇"})
    assert (again.status_code, "已有" in again.text) == (409, True)
    below = admin.post("/registry/regions/441803101/new", data={"code": "441803102", "name": "村"})
    assert below.status_code == 422
    bad = admin.post(f"/registry/regions/{county.county.code}/new", data={"code": "甲", "name": ""})
    assert (bad.status_code, "只能是数字" in bad.text, "请填写名称" in bad.text) == (422, True, True)
    assert admin.post("/registry/regions/441803101/edit", data={"name": "新镇"}).status_code == 303
    assert "新镇" in admin.get("/registry/regions").text


def test_purchasers_are_added_and_edited(admin: CheckedClient, county: County, database: Database) -> None:
    given = {"name": "太平镇政府", "region_id": str(county.township.id)}
    assert admin.post("/registry/purchasers/new", data=given).status_code == 303
    assert admin.post("/registry/purchasers/new", data=given).status_code == 409
    kept = only(database, Purchaser, Purchaser.name == "太平镇政府")
    assert admin.post(f"/registry/purchasers/{kept.id}/edit", data=given).status_code == 303
    clash = {"name": "清新区民政局", "region_id": str(county.county.id)}
    assert admin.post(f"/registry/purchasers/{kept.id}/edit", data=clash).status_code == 409
    assert admin.post(f"/registry/purchasers/{kept.id}/edit", data=clash | {"name": "新名"}).status_code == 303
    assert only(database, Purchaser, Purchaser.id == kept.id).region_id == county.county.id
    foreign = admin.post("/registry/purchasers/new", data=given | {"region_id": "99999"})
    assert foreign.status_code == 422


def test_evaluator_bodies_are_added_and_edited(admin: CheckedClient, county: County, database: Database) -> None:
    code, other = f.credit_code(8_000_002), f.credit_code(8_000_003)
    given = {"code": code.lower(), "name": "公正评估中心", "region_id": str(county.county.id)}
    assert admin.post("/registry/evaluator-bodies/new", data=given).status_code == 303
    again = admin.post("/registry/evaluator-bodies/new", data=given)
    assert (again.status_code, "公正评估中心" in again.text) == (409, True)
    assert admin.get(f"/registry/evaluator-bodies/{code}/edit").status_code == 200
    changed = given | {"code": other, "name": "公正评价中心"}
    assert admin.post(f"/registry/evaluator-bodies/{code}/edit", data=changed).status_code == 303
    assert only(database, EvaluatorBody, EvaluatorBody.credit_code == other).name == "公正评价中心"
    assert "公正评价中心" in admin.get(f"/registry/evaluator-bodies/{other}").text
    assert "公正评价中心" in admin.get("/registry/evaluator-bodies").text


def test_a_vendor_is_registered_once(admin: CheckedClient, database: Database) -> None:
    code = f.credit_code(8_000_004)
    wrong = code[:-1] + ("1" if code[-1] != "1" else "2")
    refused = admin.post("/registry/vendors/new", data={"credit_code": wrong, "name": "新中心"})
    assert (refused.status_code, "校验码" in refused.text, wrong in refused.text) == (422, True, True)
    answer = admin.post("/registry/vendors/new", data={"credit_code": f" {code.lower()}", "name": " 新  中心 "})
    assert answer.location == f"/registry/vendors/{code}"
    assert only(database, Vendor, Vendor.credit_code == code).name == "新 中心"
    again = admin.post("/registry/vendors/new", data={"credit_code": code, "name": "别名"})
    assert (again.status_code, "新 中心" in again.text) == (409, True)
    with database.reading() as session:
        acts = session.scalars(select(AuditEntry.act)).all()
    assert acts.count("registry.register_vendor") == 1


def test_a_vendor_is_edited_unless_it_works_elsewhere(
    admin: CheckedClient, county: County, write: Write, database: Database
) -> None:
    fresh = f.credit_code(8_000_005)
    edit = f"/registry/vendors/{CODE}/edit"
    assert admin.post(edit, data={"credit_code": fresh, "name": "改名", "phone": "123"}).status_code == 303
    assert only(database, Vendor, Vendor.credit_code == fresh).phone == "123"
    taken = write(f.make_vendor)
    edit = f"/registry/vendors/{fresh}/edit"
    assert admin.post(edit, data={"credit_code": taken.credit_code, "name": "改名"}).status_code == 409
    write(lambda session: f.make_contract(session, vendor=session.get(Vendor, county.vendor.id)))
    assert admin.post(edit, data={"credit_code": fresh, "name": "又改"}).status_code == 403


def contract_form(county: County, **changes: str) -> dict[str, str]:
    return {
        "reference": "HT-2", "title": "康复项目", "vendor": CODE, "purchaser_id": str(county.purchaser.id),
        "region_id": str(county.township.id), "service_type": "rehabilitation", "amount": "12万",
        "starts_on": "2026-01-01", "ends_on": "2026-12-31", "procurement_method": "open_tender",
        "recipients_served": "80",
    } | changes  # fmt: skip


def test_a_contract_is_registered_and_edited(admin: CheckedClient, county: County, database: Database) -> None:
    assert "晨光社工中心" in admin.get("/registry/contracts/new").text
    answer = admin.post("/registry/contracts/new", data=contract_form(county))
    kept = only(database, Contract, Contract.reference == "HT-2")
    assert answer.location == f"/registry/contracts/{kept.id}"
    assert (kept.amount_fen, kept.recipients_served) == (12_000_000, 80)
    form = admin.get(f"/registry/contracts/{kept.id}/edit").text
    assert 'value="120000"' in form
    changed = contract_form(county, vendor="晨光社工中心", amount="130,000.50", ends_on="2029-06-30")
    assert admin.post(f"/registry/contracts/{kept.id}/edit", data=changed).status_code == 303
    page = admin.get(f"/registry/contracts/{kept.id}").text
    assert "¥130,000.50" in page
    assert "最长三年" in page


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"reference": "HT-1"}, (409, "照料项目")),
        ({"vendor": "无此中心"}, (422, "无此中心")),
        ({"ends_on": "2026-01-01"}, (422, "结束日期早于")),
        ({"amount": "很多"}, (422, "这不是金额")),
        ({"starts_on": "明天"}, (422, "开始日期")),
        ({"recipients_served": "-1"}, (422, "服务对象人数")),
        ({"region_id": "99999"}, (422, "地区")),
        ({"title": ""}, (422, "请填写名称")),
    ],
)
def test_a_wrong_contract_is_refused_with_everything_kept(
    admin: CheckedClient, county: County, database: Database, changes: dict[str, str], refusal: tuple[int, str]
) -> None:
    answer = admin.post("/registry/contracts/new", data=contract_form(county, **changes))
    assert answer.status_code == refusal[0]
    assert refusal[1] in answer.text
    assert 'value="12万"' in answer.text or "amount" in changes
    assert only(database, Contract).reference == "HT-1"


def test_what_is_being_evaluated_keeps_its_ground(admin: CheckedClient, county: County, write: Write) -> None:
    cycle = write(f.make_cycle, region=county.county)
    write(lambda s: f.make_entry(s, cycle=s.get(Cycle, cycle.id), contract=s.get(Contract, county.contract.id)))
    edit = f"/registry/contracts/{county.contract.id}/edit"
    kept = contract_form(county, reference="HT-1", region_id=str(county.county.id), service_type="care")
    assert admin.post(edit, data=kept).status_code == 303
    refused = admin.post(edit, data=kept | {"service_type": "rehabilitation"})
    assert (refused.status_code, cycle.code in refused.text) == (409, True)
    taken = write(f.make_contract, region=county.county)
    assert admin.post(edit, data=kept | {"reference": taken.reference}).status_code == 409


def test_long_lists_are_searched_filtered_sorted_and_paged(admin: CheckedClient, county: County, write: Write) -> None:
    def many(session: Session) -> None:
        for n in range(30):
            f.make_contract(
                session,
                region=session.get(Region, county.township.id if n % 2 else county.county.id),
                purchaser=session.get(Purchaser, county.purchaser.id),
                title=f"批量{n:02d}",
                amount_fen=n * 100,
                service_type="training" if n < 3 else "care",
            )

    write(many)
    first = admin.get("/registry/contracts").text
    assert ("第 1–25 条" in first, "共 31 条" in first) == (True, True)
    assert "批量07" in admin.get("/registry/contracts?q=批量07").text
    assert "没有符合条件" in admin.get("/registry/contracts?q=无此").text
    assert "共 3 条" in admin.get("/registry/contracts?service_type=training").text
    assert "共 15 条" in admin.get(f"/registry/contracts?region={county.township.code}").text
    rows = admin.get("/registry/contracts?sort=-amount").text
    assert rows.index("照料项目") < rows.index("批量29") < rows.index("批量28")
    for sort in ("title", "vendor", "purchaser", "region", "type", "starts", "ends", "served", "nonsense"):
        assert admin.get(f"/registry/contracts?sort={sort}").status_code == 200
    headings = [
        "合同编号",
        "名称",
        "承接主体",
        "购买主体",
        "地区",
        "服务类别",
        "合同金额（元）",
        "开始日期",
        "结束日期",
    ]
    headings += ["服务对象数"]
    file = admin.get("/registry/contracts?q=批量&sort=-amount&format=xlsx").data
    assert len(read_table(file, [Column(heading, heading, heading) for heading in headings])) == 30
    assert "批量29" in admin.get("/registry/contracts?format=csv&sort=-amount").get_data(as_text=True)


def test_every_list_says_what_to_do_when_empty(sign_in: SignIn, write: Write) -> None:
    lonely = sign_in(write(f.make_account, Role.ADMINISTRATOR))
    for page in ("contracts", "purchasers", "vendors", "evaluator-bodies", "cycles"):
        assert "新增第一条" in lonely.get(f"/registry/{page}").text
    reader = sign_in(write(f.make_account, Role.AUDITOR))
    assert "由管理员登记" in reader.get("/registry/contracts").text


CYCLE = {"code": "2027", "title": "2027 年度评价", "year": "2027", "opens_on": "2027-10-01", "closes_on": "2027-11-30"}


def test_a_cycle_from_draft_to_closed_collecting(
    admin: CheckedClient, county: County, database: Database, write: Write
) -> None:
    given = CYCLE | {"region_id": str(county.county.id)}
    assert admin.post("/registry/cycles/new", data=given | {"closes_on": "2027-09-01"}).status_code == 422
    assert admin.post("/registry/cycles/new", data=given).location == "/registry/cycles/2027"
    assert admin.post("/registry/cycles/new", data=given).status_code == 409
    assert "尚未确定" in admin.get("/registry/cycles/2027").text
    assert admin.get("/registry/cycles/2027/move?to=collecting").status_code == 200
    early = admin.post("/registry/cycles/2027/move?to=collecting")
    assert (early.status_code, "评价规则" in early.text) == (409, True)

    assert admin.get("/registry/cycles/2027/rules").status_code == 200
    assert admin.post("/registry/cycles/2027/rules", data={"source": "file"}).status_code == 422
    faulty = {"source": "file", "file": (io.BytesIO(b"format = 2\n"), "ours.toml")}
    answer = admin.post("/registry/cycles/2027/rules", data=faulty)
    assert (answer.status_code, "ours.toml:1" in answer.text) == (422, True)
    assert admin.post("/registry/cycles/2027/rules", data={"source": "shipped"}).status_code == 303
    own = {"source": "file", "file": (io.BytesIO(config.SHIPPED_RULES.read_bytes()), "ours.toml")}
    assert admin.post("/registry/cycles/2027/rules", data=own).status_code == 303
    assert admin.get("/registry/cycles/2027/rules").text.count("2026.1") == 1

    assert "都已纳入" in admin.get("/registry/cycles/2027/enter").text
    write(
        lambda session: setattr(session.get(Contract, county.contract.id), "ends_on", f.NOW.date().replace(year=2027))
    )
    assert "照料项目" in admin.get("/registry/cycles/2027/enter").text
    chosen = {"contract": [str(county.contract.id), "x"]}
    assert admin.post("/registry/cycles/2027/enter", data=chosen).status_code == 303
    entry = only(database, Entry)
    page = f"/registry/cycles/2027/entries/{entry.id}"
    assert admin.post(page, data={"township": "太平镇", "item": "上门", "size": "60"}).status_code == 303
    assert admin.post(page, data={"township": "山塘镇", "item": "", "size": "5"}).status_code == 303
    assert admin.post(page, data={"township": "太平镇", "item": "上门", "size": "-1"}).status_code == 422
    stratum = only(database, Stratum, Stratum.township == "山塘镇")
    assert admin.post(f"/registry/cycles/2027/strata/{stratum.id}/remove").status_code == 303
    assert admin.post(f"/registry/cycles/2027/strata/{stratum.id}/remove").status_code == 404
    shown = admin.get(page).text
    assert ("太平镇" in shown, "山塘镇" in shown, "与合同不一致" in shown) == (True, False, True)
    assert "照料项目" in admin.get("/registry/cycles/2027?q=HT-1").text
    assert "没有符合条件" in admin.get("/registry/cycles/2027?q=HT-9").text

    assert admin.post("/registry/cycles/2027/move?to=collecting").status_code == 303
    assert admin.post("/registry/cycles/2027/move?to=collecting").status_code == 409
    assert admin.post(f"{page}/withdraw").status_code == 409
    left = only(database, Stratum)
    assert admin.post(f"/registry/cycles/2027/strata/{left.id}/remove").status_code == 409
    assert admin.post(page, data={"township": "太平镇", "item": "上门", "size": "61"}).status_code == 303
    assert admin.get("/registry/cycles/2027/move?to=review").status_code == 200
    assert admin.post("/registry/cycles/2027/move?to=review").status_code == 303
    assert admin.post(page, data={"township": "太平镇", "item": "上门", "size": "62"}).status_code == 409
    assert only(database, Stratum).size == 61
    assert admin.get("/registry/cycles/2027/move?to=preliminary").status_code == 404
    assert admin.get("/registry/cycles/2027/move?to=closed").status_code == 200
    edited = admin.post("/registry/cycles/2027/edit", data=given | {"title": "改名"})
    assert edited.status_code == 303
    assert "改名" in admin.get("/registry/cycles?q=2027").text


def test_a_contract_is_taken_out_of_a_draft(admin: CheckedClient, county: County, write: Write) -> None:
    cycle = write(f.make_cycle, region=county.county, state="draft", code="2028")
    entry = write(lambda s: f.make_entry(s, cycle=s.get(Cycle, cycle.id), contract=s.get(Contract, county.contract.id)))
    assert admin.post(f"/registry/cycles/2028/entries/{entry.id}/withdraw").status_code == 303
    assert admin.get(f"/registry/cycles/2028/entries/{entry.id}").status_code == 404


def test_a_part_of_a_frame_with_names_is_not_removed(admin: CheckedClient, county: County, write: Write) -> None:
    def rostered(session: Session) -> Stratum:
        cycle = f.make_cycle(session, region=session.get(Region, county.county.id), state="draft", code="2028")
        stratum = f.make_stratum(session, entry=f.make_entry(session, cycle=cycle))
        session.add(RosterMember(stratum_id=stratum.id, name="张三", contact=""))
        return stratum

    stratum = write(rostered)
    assert admin.post(f"/registry/cycles/2028/strata/{stratum.id}/remove").status_code == 409
    page = admin.get(f"/registry/cycles/2028/entries/{stratum.entry_id}").text
    assert "张三" not in page


def test_readers_see_the_citys_cycle_and_cannot_change_it(county: County, sign_in: SignIn, write: Write) -> None:
    write(lambda session: f.make_cycle(session, region=session.get(Region, county.county.parent_id), code="city"))
    browser = sign_in(county.people[Role.ADMINISTRATOR])
    page = browser.get("/registry/cycles/city")
    assert (page.status_code, "结束采集" in page.text) == (200, False)
    assert browser.post("/registry/cycles/city/move?to=review").status_code == 403
    assert browser.post("/registry/cycles/city/rules", data={"source": "shipped"}).status_code == 403
    evaluator = sign_in(county.people[Role.EVALUATOR])
    assert evaluator.get("/registry/cycles/city/rules").status_code == 200
    assert evaluator.post("/registry/cycles/city/rules", data={"source": "shipped"}).status_code == 403


def test_upper_rooms_add_their_lines_to_a_cycle(app: Flask, admin: CheckedClient, county: County, write: Write) -> None:
    write(f.make_cycle, region=county.county, code="2026")
    cycle_notes.offer(
        app,
        lambda _session, cycle, _actor: [
            cycle_notes.Note("已收评价", f"{cycle.year} 份"),
            cycle_notes.Note("复核", "", "/x"),
        ],
    )
    page = admin.get("/registry/cycles/2026").text
    assert "2026 份" in page
    assert 'href="/x"' in page


VENDORS = ["统一社会信用代码", "名称"]


def upload(browser: CheckedClient, kind: str, data: bytes, name: str = "表.xlsx", **fields: str) -> Any:
    return browser.post(f"/registry/imports/{kind}", data={"file": (io.BytesIO(data), name), **fields})


def test_a_file_is_previewed_then_saved(admin: CheckedClient, database: Database) -> None:
    code = f.credit_code(8_000_010)
    data = write_xlsx([Sheet("x", VENDORS, [[code, "导入中心"], [CODE, "晨光社会工作中心"]])])
    preview = upload(admin, "vendors", data)
    assert preview.status_code == 303
    page = admin.get(preview.location).text
    assert "导入中心" in page
    assert "承接主体名称: 晨光社工中心 → 晨光社会工作中心" in page
    fingerprint = page.split('name="fingerprint" value="')[1].split('"')[0]
    stale = admin.post(preview.location, data={"fingerprint": "other"})
    assert stale.status_code == 409
    saved = admin.post(preview.location, data={"fingerprint": fingerprint})
    assert saved.location == "/registry/vendors"
    assert "新增 1 条，修改 1 条，不变 0 条" in admin.get(saved.location).text
    assert admin.get(preview.location).status_code == 410
    assert only(database, Vendor, Vendor.credit_code == code).name == "导入中心"
    again = upload(admin, "vendors", data)
    assert "无须保存" in admin.get(again.location).text


def test_every_faulty_cell_is_on_the_page(admin: CheckedClient, database: Database) -> None:
    answer = upload(admin, "vendors", write_xlsx([Sheet("名单", VENDORS, [["123", ""]] * 300)]))
    assert answer.status_code == 422
    assert "B 名称" in answer.text
    assert "显示前 200 处" in answer.text
    csv = upload(admin, "vendors", write_csv(Sheet("", VENDORS, [["123", "甲"]])), "x.csv")
    assert (csv.status_code, "18 位" in csv.text) == (422, True)
    assert only(database, Vendor).name == "晨光社工中心"


@pytest.mark.parametrize(
    ("data", "says"), [(b"PK\x03\x04broken", "已损坏"), (b"", "空的"), (b"a,b\n1,2\n", "没有这张表")]
)
def test_a_file_that_is_no_table_is_refused(admin: CheckedClient, data: bytes, says: str) -> None:
    answer = upload(admin, "vendors", data)
    assert (answer.status_code, says in answer.text) == (422, True)


def test_no_file_was_chosen(admin: CheckedClient) -> None:
    answer = admin.post("/registry/imports/vendors", data={})
    assert (answer.status_code, "请选择文件" in answer.text) == (422, True)


def test_frames_are_imported_into_a_chosen_cycle(
    admin: CheckedClient, county: County, write: Write, database: Database
) -> None:
    cycle = write(f.make_cycle, region=county.county, code="2026")
    write(lambda s: f.make_entry(s, cycle=s.get(Cycle, cycle.id), contract=s.get(Contract, county.contract.id)))
    data = write_csv(Sheet("", ["合同编号", "乡镇", "人数"], [["HT-1", "太平镇", 40]]))
    assert upload(admin, "frames", data).status_code == 422
    preview = upload(admin, "frames", data, cycle="2026")
    page = admin.get(preview.location).text
    fingerprint = page.split('name="fingerprint" value="')[1].split('"')[0]
    saved = admin.post(preview.location, data={"fingerprint": fingerprint})
    assert saved.location == "/registry/cycles/2026"
    assert only(database, Stratum).size == 40


def test_an_upload_is_its_senders(admin: CheckedClient, county: County, sign_in: SignIn, write: Write) -> None:
    data = write_csv(Sheet("", VENDORS, [[f.credit_code(8_000_011), "甲"]]))
    first = upload(admin, "vendors", data).location
    colleague = sign_in(write(lambda s: f.make_account(s, region=s.get(Region, county.county.id))))
    assert admin.get(first).status_code == 200
    assert colleague.get(first).status_code == 410
    assert admin.get("/registry/imports/preview/" + "0" * 32).status_code == 410
    assert admin.get("/registry/imports/preview/..").status_code in {404, 410}


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("extension", ["xlsx", "csv"])
def test_templates_are_downloaded(admin: CheckedClient, kind: str, extension: str) -> None:
    data = admin.get(f"/registry/imports/{kind}/template.{extension}").data
    assert len(read_table(data, KINDS[kind].columns)) == 1
    assert admin.get(f"/registry/imports/{kind}").status_code == 200


def test_there_is_no_template_of_another_format(admin: CheckedClient) -> None:
    assert admin.get("/registry/imports/vendors/template.pdf").status_code == 404


def test_the_registry_speaks_english(admin: CheckedClient, county: County) -> None:
    page = admin.get("/registry/contracts?lang=en").text
    assert "Daily care and nursing" in page
    assert "Procurement method" in admin.get(f"/registry/contracts/{county.contract.id}").text
