"""Pages of regions, purchasers and evaluators, and who may open which page."""

from __future__ import annotations

import pytest

from evalsys.base.access import Role
from evalsys.base.db import Database
from evalsys.registry.models import (
    EvaluatorBody,
    Purchaser,
    Region,
)  # fmt: skip
from tests import factories as f
from tests.pages import CheckedClient
from tests.registry.conftest import CODE, County, SignIn, Write, only

LISTS = ["regions", "purchasers", "vendors", "evaluator-bodies", "contracts", "cycles"]


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.VENDOR, Role.INTERVIEWER}])
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


def test_every_list_says_what_to_do_when_empty(sign_in: SignIn, write: Write) -> None:
    lonely = sign_in(write(f.make_account, Role.ADMINISTRATOR))
    for page in ("contracts", "purchasers", "vendors", "evaluator-bodies", "cycles"):
        assert "新增第一条" in lonely.get(f"/registry/{page}").text
    reader = sign_in(write(f.make_account, Role.AUDITOR))
    assert "由管理员登记" in reader.get("/registry/contracts").text
