"""Pages of vendors and contracts."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from evalsys.base.tables import Column, read_table
from evalsys.registry.models import (
    Contract,
    Cycle,
    Purchaser,
    Region,
    Vendor,
)  # fmt: skip
from tests import factories as f
from tests.pages import CheckedClient
from tests.registry.conftest import CODE, County, Write, only


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
    headings += ["服务对象人数"]
    file = admin.get("/registry/contracts?q=批量&sort=-amount&format=xlsx").data
    assert len(read_table(file, [Column(heading, heading, heading) for heading in headings])) == 30
    assert "批量29" in admin.get("/registry/contracts?format=csv&sort=-amount").get_data(as_text=True)


def test_the_registry_speaks_english(admin: CheckedClient, county: County) -> None:
    page = admin.get("/registry/contracts?lang=en").text
    assert "Daily care and nursing" in page
    assert "Procurement method" in admin.get(f"/registry/contracts/{county.contract.id}").text
