"""Pages of replies: the vendor's two steps, the officer's check, and what everybody reads."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask, render_template
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.appeals.models import Reply
from evalsys.appeals.reply_queries import beside_lines
from evalsys.base.access import Role
from evalsys.base.db import Database
from evalsys.registry.models import Entry
from tests.appeals.test_replies import PHONE, handed_in, picture, put_out, told_entry
from tests.factories import make_account
from tests.pages import CheckedClient

SignIn = Callable[[Account], CheckedClient]
PDF = b"%PDF-1.7\n%%EOF"
SCRIPT = "<script>alert(1)</script>\n第二行 & <b>粗</b>"


@pytest.fixture
def entry(write: Any) -> Entry:
    """With its contract loaded, whose vendor has an account."""

    def made(session: Session) -> Entry:
        entry = told_entry(session)
        _ = entry.contract.vendor_id, entry.cycle.region.path
        return entry

    return write(made)


@pytest.fixture
def vendor(entry: Entry, write: Any, sign_in: SignIn) -> CheckedClient:
    return sign_in(write(make_account, Role.VENDOR, vendor_id=entry.contract.vendor_id))


@pytest.fixture
def officer(entry: Entry, write: Any, sign_in: SignIn) -> CheckedClient:
    return sign_in(write(make_account, Role.OFFICER, region=entry.cycle.region))


def files(**more: object) -> dict[str, object]:
    return {"text": PHONE, "permanent": "y", "files": [(BytesIO(PDF), "说明.pdf")]} | more


def reply_to(database: Database, entry: Entry) -> tuple[int, str]:
    """The number of its first file, and what the officer's page says it showed."""
    with database.reading() as session:
        reply = session.scalars(select(Reply).where(Reply.entry_id == entry.id)).one()
        return (reply.files[0].id if reply.files else 0), reply.state


def seen_on(page: str) -> str:
    return page.split('name="seen" value="')[1].split('"', maxsplit=1)[0]


def test_a_reply_goes_from_the_vendor_over_the_officer_to_everybody(
    database: Database, entry: Entry, vendor: CheckedClient, officer: CheckedClient, client: CheckedClient
) -> None:
    address = f"/appeals/replies/{entry.id}"
    assert "尚无" in vendor.get("/appeals/replies/own").text
    assert "撰写" in vendor.get(address).text
    confirm = vendor.post(address, data={"text": PHONE}).text
    assert "<mark>138-1234-5678</mark>" in confirm
    assert "138****5678" in confirm
    assert PHONE in vendor.post(address, data={"text": PHONE, "change": "1"}).text
    assert vendor.post(f"{address}/submit", data=files()).status_code == 303
    number, state = reply_to(database, entry)
    assert state == "submitted"
    assert "正在" not in vendor.get(address).text
    assert "主管部门核对" in vendor.get(address).text
    assert "待核对、发布的承接主体回应" in officer.get("/desk").text
    assert entry.contract.title in officer.get("/appeals/replies?state=submitted").text
    assert client.get(f"/replies/{number}").status_code == 404
    assert vendor.get(f"/appeals/replies/files/{number}").data == PDF
    page = officer.get(f"{address}/check").text
    said = {"seen": seen_on(page), "looked": [number]}
    refused = officer.post(f"{address}/publish", data={"seen": said["seen"]})
    assert refused.status_code == 422
    assert "说明.pdf" in refused.text
    assert officer.post(f"{address}/publish", data=said).status_code == 303
    assert "138****5678" in officer.get(f"{address}/check").text
    assert "内容不再更改" in vendor.get(address).text
    assert officer.post(f"{address}/publish", data=said).status_code == 409


def test_a_file_is_saved_and_never_shown(
    database: Database, entry: Entry, vendor: CheckedClient, officer: CheckedClient
) -> None:
    vendor.post(f"/appeals/replies/{entry.id}/submit", data=files())
    number, _state = reply_to(database, entry)
    answer = officer.get(f"/appeals/replies/files/{number}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_reply_is_returned_with_a_reason_and_changed(
    database: Database, entry: Entry, vendor: CheckedClient, officer: CheckedClient
) -> None:
    address = f"/appeals/replies/{entry.id}"
    vendor.post(f"{address}/submit", data=files())
    seen = seen_on(officer.get(f"{address}/check").text)
    assert officer.post(f"{address}/return", data={"seen": seen}).status_code == 422
    assert officer.post(f"{address}/return", data={"seen": "another", "reason": "请删去电话号码"}).status_code == 409
    assert officer.post(f"{address}/return", data={"seen": seen, "reason": "请删去电话号码"}).status_code == 303
    assert "已退回" in officer.get(f"{address}/check").text
    assert "被退回" in vendor.get("/desk").text
    assert "请删去电话号码" in vendor.get(address).text
    number, _state = reply_to(database, entry)
    confirm = vendor.post(address, data={"text": "新的"}).text
    assert f'id="kept-{number}" value="{number}" checked' in confirm
    assert vendor.post(f"{address}/submit", data={"text": "新的", "permanent": "y"}).status_code == 303
    assert reply_to(database, entry) == (0, "submitted")


def test_what_is_wrong_is_said_and_nothing_is_lost(vendor: CheckedClient, entry: Entry) -> None:
    address = f"/appeals/replies/{entry.id}"
    assert vendor.post(address, data={"text": ""}).status_code == 422
    long = vendor.post(address, data={"text": "字" * 1001})
    assert long.status_code == 422
    assert "1001" in long.text
    assert "字" * 1001 in long.text
    unconfirmed = vendor.post(f"{address}/submit", data={"text": "好"})
    assert unconfirmed.status_code == 422
    assert 'name="text" value="好"' in unconfirmed.text
    program = files(files=[(BytesIO(b"MZ"), "a.exe")])
    assert (
        "没有作为证据" in (answer := vendor.post(f"{address}/submit", data=program)).text or answer.status_code == 422
    )
    assert vendor.get("/appeals/replies/own?q=没有这样的").status_code == 200


def test_an_officer_without_the_page_publishes_nothing(officer: CheckedClient, write: Any, entry: Entry) -> None:
    assert officer.post(f"/appeals/replies/{entry.id}/publish").status_code == 404
    assert "没有符合条件" in officer.get("/appeals/replies?state=published").text
    assert officer.get("/appeals/replies").status_code == 200
    reply = write(lambda session: handed_in(session).entry_id)
    assert officer.post(f"/appeals/replies/{reply}/publish").status_code == 403  # of another region


def test_a_publication_without_its_fingerprint_is_refused(officer: CheckedClient, vendor: Any, entry: Entry) -> None:
    vendor.post(f"/appeals/replies/{entry.id}/submit", data=files())
    assert officer.post(f"/appeals/replies/{entry.id}/publish", data={}).status_code == 422


def test_markup_in_a_reply_is_text(app: Flask, session: Session) -> None:
    """And its line breaks are kept by the class `written`."""
    reply = handed_in(session, SCRIPT, picture())
    put_out(session, reply, looked=[file.id for file in reply.files])
    (remark,) = beside_lines(session, reply.entry.cycle_id, reply.entry.contract.reference)
    with app.test_request_context():
        shown = render_template(remark.template, about=remark.about)
    assert "<script" not in shown
    assert '<p class="written">&lt;script&gt;alert(1)&lt;/script&gt;\n第二行 &amp; &lt;b&gt;粗&lt;/b&gt;</p>' in shown
    assert f"/replies/{reply.files[0].id}" in shown
