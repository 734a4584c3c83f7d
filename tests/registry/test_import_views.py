"""Files on the web: template, upload, preview, confirmation."""

from __future__ import annotations

import io
from typing import Any

import pytest

from evalsys.base.db import Database
from evalsys.base.tables import Sheet, read_table, write_csv, write_xlsx
from evalsys.registry.imports import KINDS
from evalsys.registry.models import (
    Contract,
    Cycle,
    Region,
    Stratum,
    Vendor,
)  # fmt: skip
from tests import factories as f
from tests.pages import CheckedClient
from tests.registry.conftest import CODE, County, SignIn, Write, only

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
