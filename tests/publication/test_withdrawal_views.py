"""A withdrawal through a browser: two people, and the tombstone in the place of every page and file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.base.clock import now
from evalsys.base.language import CHINA
from evalsys.config import Settings
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.keys import key_folder
from evalsys.publication.models import EditionScore, OrderedBy
from evalsys.publication.sealing import seal
from evalsys.publication.usecases import publish
from evalsys.publication.withdrawals import Order, confirm, enter
from evalsys.registry.models import Vendor
from evalsys.selection.models import Decision
from evalsys.selection.sheet import sheet_of
from tests.evaluation.rated import rated_cycle
from tests.factories import NOW, actor, make_account, make_purchaser
from tests.pages import CheckedClient
from tests.publication.test_withdrawals import ORDER, person
from tests.selection.makers import make_candidate, make_plan

OFFICER = actor(Role.OFFICER)


@dataclass
class County:
    """A published edition of one cycle, and who may act there."""

    edition: int
    contract: str
    vendor: str
    score: str
    officer: Account
    auditor: Account


def publish_county(session: Session, settings: Settings) -> County:
    cycle = rated_cycle(session, code="2026", contracts=1)
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    edition = publish(session, cycle, actor=OFFICER, now=NOW)
    seal(session, edition, key_folder(settings), actor=OFFICER, now=NOW)
    line = session.scalars(select(EditionScore)).one()
    people = [make_account(session, role, region=cycle.region) for role in (Role.OFFICER, Role.AUDITOR)]
    return County(edition.id, line.contract_reference, line.vendor_credit_code, f"{line.score:.1f}", *people)


@pytest.fixture
def county(app: Flask, write: Callable[..., Any], settings: Settings) -> County:
    assert app
    made: County = write(publish_county, settings)
    return made


def order_form(**changes: str) -> dict[str, str]:
    filled = {
        "ordered_by": "court",
        "authority": "甲市中级人民法院",
        "document": "（2026）行终字第 1 号",
        "ordered_on": now().astimezone(CHINA).date().isoformat(),
        "ground": "判决撤销本次评价结果公告。",
    }
    return filled | changes


def addresses(county: County) -> list[str]:
    """Whatever had shown a number of the edition under its own address."""
    number = county.edition
    return [
        *(
            f"/editions/{number}{rest}"
            for rest in ("", "/bundle.zip", "/bulletin.pdf", "/sensitivity", "/distribution")
        ),
        f"/editions/{number}/sensitivity.svg",
        f"/editions/{number}/contracts/{county.contract}/waterfall.svg",
        f"/rankings?edition={number}",
        f"/rankings.csv?edition={number}",
        f"/contracts/{county.contract}?edition={number}",
        f"/methodology?edition={number}",
    ]


def test_two_people_withdraw_an_edition(
    client: CheckedClient, county: County, sign_in: Callable[..., CheckedClient]
) -> None:
    assert client.get("/rankings").status_code == 200
    assert county.score in client.get(f"/contracts/{county.contract}").text
    officer = sign_in(county.officer)
    assert f"/publication/editions/{county.edition}/withdraw" in officer.get("/publication/cycles/2026").text
    assert officer.get(f"/publication/editions/{county.edition}/withdraw").status_code == 200
    for wrong in ({"ground": ""}, {"ordered_on": "2020-01-01"}, {"ordered_by": "mayor"}):
        answer = officer.post(f"/publication/editions/{county.edition}/withdraw", data=order_form(**wrong))
        assert answer.status_code == 422
    answer = officer.post(f"/publication/editions/{county.edition}/withdraw", data=order_form())
    assert answer.status_code == 303, answer.text
    order = answer.headers["Location"]
    assert "等待本地区的管理员或审计员确认" in officer.get(order).text
    assert officer.post(f"{order}/confirm", data={"sure": "y"}).status_code == 403
    auditor = sign_in(county.auditor)
    assert "待确认的撤回版次决定" in auditor.get("/desk").text
    assert auditor.post(f"{order}/confirm").status_code == 422
    answer = auditor.post(f"{order}/confirm", data={"sure": "y"})
    assert answer.status_code == 303
    assert "确认。" in auditor.get(order).text
    assert "已撤回" in auditor.get("/publication/cycles/2026").text
    for address in addresses(county):
        page = client.get(address)
        assert (address, page.status_code) == (address, 410)
        assert county.score not in page.text
        assert "判决撤销本次评价结果公告。" in page.text
    [listed] = json.loads(client.get("/api/v1/editions").data)["items"]
    assert (listed["withdrawn"], listed["in_force"]) == (True, False)
    gone = client.get(f"/api/v1/editions/{county.edition}")
    assert (gone.status_code, gone.mimetype) == (410, "application/problem+json")
    for address in (f"editions/{county.edition}", f"editions/{county.edition}/scores", "vendors"):
        assert county.score not in client.get(f"/api/v1/{address}").text
    assert client.get(f"/contracts/{county.contract}").status_code == 404
    assert client.get(f"/vendors/{county.vendor}").status_code == 404
    assert county.score not in client.get("/rankings").text
    assert json.loads(client.get(f"/editions/{county.edition}/edition.json").data)["number"] == 1


def test_an_order_is_turned_down(client: CheckedClient, county: County, sign_in: Callable[..., CheckedClient]) -> None:
    officer = sign_in(county.officer)
    answer = officer.post(f"/publication/editions/{county.edition}/withdraw", data=order_form(ordered_by="superior"))
    order = answer.headers["Location"]
    auditor = sign_in(county.auditor)
    assert auditor.post(f"{order}/refuse", data={"why": ""}).status_code == 422
    assert auditor.post(f"{order}/refuse", data={"why": "文号与原件不符。"}).status_code == 303
    assert "文号与原件不符。" in auditor.get(order).text
    assert "不予撤回" in auditor.get("/publication/cycles/2026").text
    assert client.get(f"/editions/{county.edition}").status_code == 200


def test_plans_are_warned(county: County, write: Callable[..., Any], sign_in: Callable[..., CheckedClient]) -> None:
    """A decided one keeps what it had read; an open one counts the edition no more."""

    def plans(session: Session) -> tuple[int, int]:
        line = session.scalars(select(EditionScore)).one()
        cycle = line.edition.cycle
        purchaser = make_purchaser(session, region=cycle.region)
        vendor = session.scalars(select(Vendor).where(Vendor.credit_code == county.vendor)).one()
        found = []
        for decided in (True, False):
            plan = make_plan(session, purchaser=purchaser, year=cycle.year + 1)
            make_candidate(session, plan, vendor, 80, 4_000_000)
            if decided:
                sheet = sheet_of(session, plan).as_json()
                decision = Decision(
                    plan=plan,
                    vendor=vendor,
                    ground="综合得分最高，资质齐备。",
                    decided_at=NOW,
                    decided_by="甲",
                    sheet=sheet,
                )
                session.add(decision)
            found.append(plan.id)
        order = Order(OrderedBy.COURT, ORDER.authority, ORDER.document, NOW.date(), ORDER.ground)
        entered = enter(session, county.edition, order, actor=person(session, Role.OFFICER, cycle), now=NOW)
        confirm(session, entered.id, actor=person(session, Role.AUDITOR, cycle), now=NOW)
        return found[0], found[1]

    decided, open_one = write(plans)
    officer = sign_in(county.officer)
    assert "选择结果采用过的一个版次此后已被撤回" in officer.get(f"/selection/{decided}").text
    page = officer.get(f"/selection/{open_one}").text
    assert "此前计入的一个版次已被撤回，不再计入" in page
    assert county.contract not in page
