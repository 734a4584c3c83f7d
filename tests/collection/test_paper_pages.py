"""The pages for forms on paper: printed, keyed by two people, checked, released."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.base.db import Database
from evalsys.collection import paper_print_views
from evalsys.collection.codes import grouped
from evalsys.collection.models import Response
from evalsys.collection.paper_forms import Printed
from evalsys.registry.models import Cycle, CycleState
from tests.collection.paper import TYPED, Office, checked_batch, keyed_batch, make_office, printed, staged
from tests.factories import make_account, make_cycle
from tests.pages import CheckedClient

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]
URL = "/collection/paper/"


@pytest.fixture
def office(write: Write) -> Office:
    made: Office = write(make_office)
    return made


def with_keys(serial: str, **changes: str) -> dict[str, str]:
    """A form as a clerk sends it."""
    return {"serial": serial} | {f"key-{code}": key for code, key in (TYPED | changes).items()}


def printed_on_the_page(
    browser: CheckedClient, office: Office, copies: int, monkeypatch: pytest.MonkeyPatch
) -> list[Printed]:
    """The forms that the page hands out; what is in the PDF is kept from the printer."""
    kept: list[Printed] = []

    def pdf(_heading: object, forms: list[Printed], **_named: object) -> bytes:
        kept.extend(forms)
        return b"%PDF-"

    monkeypatch.setattr(paper_print_views, "forms_pdf", pdf)
    sent = {"copies": str(copies), "phone": "0763-8731234", "kept": "y"}
    answer = browser.post(f"{URL}parts/{office.stratum.id}", data=sent)
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    return kept


def test_the_journey_from_the_printer_to_the_score(
    office: Office, sign_in: SignIn, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, clerk, colleague = (sign_in(a) for a in (office.administrator, office.clerk, office.colleague))
    forms = printed_on_the_page(admin, office, 6, monkeypatch)
    opened = admin.post(URL, data={"cycle": office.cycle.code, "share": "0.1"})
    assert opened.status_code == 303
    address = opened.location
    assert "还没有录入问卷" in clerk.get(address).text
    assert "正在办理的纸质问卷批次" in clerk.get("/desk").text
    for number, form in enumerate(forms, start=1):
        page = clerk.post(f"{address}/form", data={"serial": grouped(form.serial.lower(), 5)})
        assert page.status_code == 200
        assert "居家照料项目" in page.text
        kept = clerk.post(f"{address}/keyed", data=with_keys(form.serial), follow_redirects=True)
        assert f"第 {number} 号问卷已保存" in kept.text
    assert admin.post(f"{address}/finish", data={"finish-sure": "y"}).status_code == 303
    page_of_batch = colleague.get(address).text
    drawn = {int(n) for n in re.findall(r'<span class="tag tag-calm">(\d+)</span>', page_of_batch)}
    assert len(drawn) == 5
    first = min(drawn)
    for number, form in enumerate(forms, start=1):
        if number in drawn:
            page = colleague.post(f"{address}/form", data={"serial": form.serial})
            assert not re.search(r'id="key-[^>]* value="[^"]', page.text)  # blind
            keys = with_keys(form.serial, recipient_help="1" if number == first else "4")
            assert colleague.post(f"{address}/keyed", data=keys).status_code == 303
    assert "全部问卷都要复录" in colleague.get(address).text
    (last,) = {1, 2, 3, 4, 5, 6} - drawn
    assert colleague.post(f"{address}/keyed", data=with_keys(forms[last - 1].serial)).status_code == 303
    beside = admin.get(f"{address}/differences").text
    assert "录入员甲" in beside
    assert "帮助比较大" in beside
    assert "没有帮助" in beside
    settled = admin.post(f"{address}/differences/{first}", data={"key-recipient_help": "4"}, follow_redirects=True)
    assert "没有待核定的问卷" in settled.text
    done = admin.post(f"{address}/release", data={"release-sure": "y"}, follow_redirects=True)
    assert "6 份问卷已计入" in done.text
    assert "48 题次中 1 题次" in done.text
    assert staged(database) == {"paper_sheet": 0, "paper_keying": 0, "released": 6}
    with database.reading() as session:
        assert session.execute(select(Response.mode, func.count()).group_by(Response.mode)).all() == [("paper", 6)]
    assert "已入库" in clerk.get(URL).text
    stub = f"/collection/cycles/{office.cycle.code}/paper"
    assert "已经收到并计入" in admin.post(stub, data={"receipt": forms[0].receipt}, follow_redirects=True).text
    assert admin.get(f"/s/thanks/{forms[0].receipt}").status_code == 404  # the survey's own receipts are others


def test_what_is_no_answer_is_marked_and_the_rest_is_kept(office: Office, write: Write, sign_in: SignIn) -> None:
    forms = write(printed, office, 2)
    batch = write(keyed_batch, office, forms[:1]).id
    clerk = sign_in(office.clerk)
    page = clerk.post(f"{URL}{batch}/keyed", data=with_keys(forms[1].serial, recipient_help="8"))
    assert page.status_code == 422
    assert 'href="#key-recipient_help"' in page.text
    assert 'value="8" aria-describedby="legend-recipient_help error-recipient_help"' in page.text
    assert 'name="key-recipient_satisfied" value="5"' in page.text
    wrong = clerk.post(f"{URL}{batch}/form", data={"serial": "22222-22223"})
    assert wrong.status_code == 422
    assert "不是问卷编号" in wrong.text
    again = clerk.post(f"{URL}{batch}/form", data={"serial": forms[0].serial})
    assert "更正第 1 号问卷" in again.text
    assert 'name="key-recipient_reachable" value="0"' in again.text
    assert clerk.post(f"{URL}{batch}/take-out", data={"serial": forms[0].serial}).status_code == 303
    assert "还没有录入问卷" in clerk.get(f"{URL}{batch}").text
    refused = sign_in(office.employed).post(f"{URL}{batch}/keyed", data=with_keys(forms[0].serial))
    assert refused.status_code == 403
    assert "承接主体" in refused.text


def test_a_difference_is_settled_with_an_answer(office: Office, write: Write, sign_in: SignIn) -> None:
    batch, _forms = write(checked_batch, office, 1, recipient_help="1")
    admin, address = sign_in(office.administrator), f"{URL}{batch.id}"
    page = admin.post(f"{address}/differences/1", data={"key-recipient_help": "6"})
    assert page.status_code == 422
    assert 'value="6" aria-describedby="both-key-1-recipient_help error-key-1-recipient_help"' in page.text
    assert admin.post(f"{address}/release", data={"release-sure": "y"}).status_code == 409


def test_each_step_is_confirmed(office: Office, write: Write, sign_in: SignIn, database: Database) -> None:
    admin = sign_in(office.administrator)
    batch = write(lambda session: keyed_batch(session, office, printed(session, office, 1))).id
    for step in ("finish", "release", "cancel"):
        page = admin.post(f"{URL}{batch}/{step}")
        assert page.status_code == 422
    assert admin.post(f"{URL}{batch}/cancel", data={"cancel-sure": "y"}, follow_redirects=True).status_code == 200
    assert admin.get(f"{URL}{batch}").status_code == 404
    assert staged(database) == {"paper_sheet": 0, "paper_keying": 0, "released": 0}


def test_a_batch_needs_a_cycle_that_collects(office: Office, write: Write, sign_in: SignIn) -> None:
    admin = sign_in(office.administrator)
    assert "还没有批次" in admin.get(URL).text
    assert admin.post(URL, data={"cycle": "none", "share": "0.1"}).status_code == 422
    write(lambda session: session.execute(update(Cycle).values(state=CycleState.REVIEW.value)))
    assert "目前没有正在收集评分的评价年度" in admin.get(URL).text
    assert sign_in(office.clerk).post(URL, data={}).status_code == 403


def test_who_oversees_reads_and_others_do_not(office: Office, write: Write, sign_in: SignIn) -> None:
    batch = write(lambda session: checked_batch(session, office, 1)[0]).id
    county = office.administrator.region
    auditor = sign_in(write(make_account, Role.AUDITOR, region=county))
    page = auditor.get(f"{URL}{batch}").text
    assert "录入员甲" in page
    assert "<form" not in page.split("<main")[1].replace('<form class="search"', "")
    assert auditor.get(f"{URL}{batch}/differences").status_code == 403
    assert auditor.get(f"/collection/cycles/{office.cycle.code}/paper").status_code == 200
    vendor = write(make_account, Role.VENDOR, region=county, vendor_id=office.vendor.id)
    assert sign_in(vendor).get(f"{URL}{batch}").status_code == 403
    assert sign_in(office.elsewhere).get(f"{URL}{batch}").status_code == 403


def test_the_parts_of_the_frames_are_listed_and_printed_for(office: Office, write: Write, sign_in: SignIn) -> None:
    admin, address = sign_in(office.administrator), f"/collection/cycles/{office.cycle.code}/paper"
    page = admin.get(address).text
    assert "山塘镇" in page
    part = f"{URL}parts/{office.stratum.id}"
    assert part in page
    assert "没有与“无此”相符" in admin.get(f"{address}?q=无此").text
    empty = write(make_cycle, region=office.administrator.region)
    assert "请先导入" in admin.get(f"/collection/cycles/{empty.code}/paper").text
    assert "最多 20 份" in admin.get(part).text
    for sent, said in (
        ({}, "请先勾选确认"),
        ({"copies": "0", "kept": "y"}, "不小于 1"),
        ({"copies": "21", "kept": "y"}, "只有 20 名"),
        ({"copies": "301", "kept": "y"}, "份问卷太多"),
    ):
        refused = admin.post(part, data=sent)
        assert refused.status_code in {409, 422}
        assert said in refused.text
    answer = admin.post(part, data={"copies": "20", "kept": "y"})
    assert answer.data.startswith(b"%PDF-")
    full = admin.get(part).text
    assert "都已有问卷码" in full
    assert admin.post(f"{part}/withdraw").status_code == 422
    done = admin.post(f"{part}/withdraw", data={"lost": "y"}, follow_redirects=True)
    assert "已作废 20 份" in done.text
    assert "最多 20 份" in done.text
    write(lambda session: session.execute(update(Cycle).values(state=CycleState.REVIEW.value)))
    over = admin.get(part).text
    assert "只有在收集评分期间" in over
    assert 'name="copies"' not in over


def test_a_stub_is_looked_for(office: Office, write: Write, sign_in: SignIn) -> None:
    admin, address = sign_in(office.administrator), f"/collection/cycles/{office.cycle.code}/paper"
    (form,) = write(printed, office, 1)
    assert "尚未入库" in admin.post(address, data={"receipt": form.receipt}, follow_redirects=True).text
    for typed in ("", "2222-2222-2222-2222-2222"):
        assert admin.post(address, data={"receipt": typed}).status_code == 422
