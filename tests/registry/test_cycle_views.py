"""Pages of cycles, from the draft to closed collecting."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.base.access import Role
from evalsys.base.db import Database
from evalsys.registry import cycle_notes
from evalsys.registry.models import (
    Contract,
    Cycle,
    Entry,
    Region,
    RosterMember,
    Stratum,
)  # fmt: skip
from tests import factories as f
from tests.pages import CheckedClient
from tests.registry.conftest import County, SignIn, Write, only

CYCLE = {"code": "2027", "title": "2027 年度评价", "year": "2027", "opens_on": "2027-10-01", "closes_on": "2027-11-30"}


@pytest.fixture
def draft(admin: CheckedClient, county: County) -> dict[str, str]:
    """The cycle 2027, as its form was sent."""
    given = CYCLE | {"region_id": str(county.county.id)}
    assert admin.post("/registry/cycles/new", data=given).location == "/registry/cycles/2027"
    return given


def test_a_cycle_is_added_once_and_edited(admin: CheckedClient, county: County, draft: dict[str, str]) -> None:
    assert admin.post("/registry/cycles/new", data=draft | {"closes_on": "2027-09-01"}).status_code == 422
    assert admin.post("/registry/cycles/new", data=draft).status_code == 409
    assert "尚未确定" in admin.get("/registry/cycles/2027").text
    assert admin.get("/registry/cycles/2027/edit").status_code == 200
    assert admin.post("/registry/cycles/2027/edit", data=draft | {"title": "改名"}).status_code == 303
    assert "改名" in admin.get("/registry/cycles?q=2027").text


def test_rules_are_pinned_from_the_system_or_a_file(admin: CheckedClient, draft: dict[str, str]) -> None:
    early = admin.post("/registry/cycles/2027/move?to=collecting")
    assert (early.status_code, "评价规则" in early.text) == (409, True)
    page = "/registry/cycles/2027/rules"
    assert admin.get(page).status_code == 200
    assert admin.post(page, data={"source": "file"}).status_code == 422
    assert admin.post(page, data={"source": "elsewhere"}).status_code == 422
    answer = admin.post(page, data={"source": "file", "file": (io.BytesIO(b"format = 2\n"), "ours.toml")})
    assert (answer.status_code, "ours.toml:1" in answer.text) == (422, True)
    assert admin.post(page, data={"source": "shipped"}).status_code == 303
    same = {"source": "file", "file": (io.BytesIO(config.SHIPPED_RULES.read_bytes()), "ours.toml")}
    assert admin.post(page, data=same).status_code == 303
    assert admin.get(page).text.count("2026.3") == 1


@pytest.fixture
def entered(admin: CheckedClient, county: County, draft: dict[str, str], write: Write) -> str:
    """Address of the contract's entry in 2027, which has rules and is still a draft."""
    admin.post("/registry/cycles/2027/rules", data={"source": "shipped"})
    assert "都已纳入" in admin.get("/registry/cycles/2027/enter").text
    write(lambda s: setattr(s.get(Contract, county.contract.id), "ends_on", f.NOW.date().replace(year=2027)))
    assert "照料项目" in admin.get("/registry/cycles/2027/enter").text
    chosen = {"contract": [str(county.contract.id), "x"]}
    assert admin.post("/registry/cycles/2027/enter", data=chosen).status_code == 303
    number: int = write(lambda s: s.scalars(select(Entry.id)).one())
    return f"/registry/cycles/2027/entries/{number}"


def test_the_frame_of_an_entry_is_set(admin: CheckedClient, entered: str, database: Database) -> None:
    assert admin.post(entered, data={"township": "太平镇", "item": "上门", "size": "60"}).status_code == 303
    assert admin.post(entered, data={"township": "山塘镇", "item": "", "size": "5"}).status_code == 303
    assert admin.post(entered, data={"township": "太平镇", "item": "上门", "size": "-1"}).status_code == 422
    stratum = only(database, Stratum, Stratum.township == "山塘镇")
    assert admin.post(f"/registry/cycles/2027/strata/{stratum.id}/remove").status_code == 303
    assert admin.post(f"/registry/cycles/2027/strata/{stratum.id}/remove").status_code == 404
    shown = admin.get(entered).text
    assert ("太平镇" in shown, "山塘镇" in shown, "与合同不一致" in shown) == (True, False, True)
    assert "照料项目" in admin.get("/registry/cycles/2027?q=HT-1").text
    assert "没有符合条件" in admin.get("/registry/cycles/2027?q=HT-9").text


def test_what_stays_once_collecting_opens_and_closes(
    admin: CheckedClient, entered: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = {"township": "太平镇", "item": "上门"}
    admin.post(entered, data=part | {"size": "60"})
    assert admin.get("/registry/cycles/2027/move?to=collecting").status_code == 200
    assert admin.post("/registry/cycles/2027/move?to=collecting").status_code == 303
    assert admin.post("/registry/cycles/2027/move?to=collecting").status_code == 409
    assert admin.post(f"{entered}/withdraw").status_code == 409
    stratum = only(database, Stratum)
    assert admin.post(f"/registry/cycles/2027/strata/{stratum.id}/remove").status_code == 409
    assert admin.post(entered, data=part | {"size": "61"}).status_code == 303
    assert admin.get("/registry/cycles/2027/move?to=review").status_code == 200
    mixed: list[Database] = []
    monkeypatch.setattr("evalsys.registry.cycle_views.mix", mixed.append)
    assert admin.post("/registry/cycles/2027/move?to=review").status_code == 303
    assert len(mixed) == 1
    assert admin.post(entered, data=part | {"size": "62"}).status_code == 409
    assert only(database, Stratum).size == 61
    assert admin.get("/registry/cycles/2027/move?to=preliminary").status_code == 404
    assert admin.get("/registry/cycles/2027/move?to=closed").status_code == 200


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
    assert (page.status_code, "结束收集" in page.text) == (200, False)
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
