"""The page on which administrators give out codes."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from tests.collection.world import World, make_world
from tests.factories import make_account, make_stratum
from tests.pages import CheckedClient

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]
URL = "/collection/cycles/2026/invitations/"


def world(session: Any, *, size: int = 6, **columns: Any) -> World:
    made = make_world(session, code="2026", **columns)
    if size:
        make_stratum(session, entry=made.entry, size=size)
    return made


def test_codes_are_downloaded_once(client: CheckedClient, write: Write, sign_in: SignIn) -> None:
    browser = sign_in(write(world).administrator)
    page = browser.get(URL)
    assert page.status_code == 200
    assert "还有 6 名服务对象没有问卷码" in page.text
    assert "丢失" not in page.text
    refused = browser.post(URL)
    assert refused.status_code == 422
    assert "请先勾选确认" in refused.text
    answer = browser.post(URL, data={"kept": "y"})
    assert answer.mimetype == "text/csv"
    assert "links-2026.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 6
    assert client.get(rows[0]["url"].removeprefix("http://localhost")).status_code == 200
    again = browser.post(URL, data={"kept": "y"}, follow_redirects=True)
    assert "没有可下载的内容" in again.text


def test_a_lost_list_can_be_replaced(client: CheckedClient, write: Write, sign_in: SignIn) -> None:
    browser = sign_in(write(world).administrator)
    old = list(csv.DictReader(io.StringIO(browser.post(URL, data={"kept": "y"}).text)))
    assert "丢失" in browser.get(URL).text
    assert browser.post(f"{URL}replace").status_code == 422
    new = list(csv.DictReader(io.StringIO(browser.post(f"{URL}replace", data={"lost": "y"}).text)))
    assert len(new) == 6
    assert client.get(f"/s/{old[0]['code']}").status_code == 404
    assert client.get(f"/s/{new[0]['code']}").status_code == 200


def test_slips_and_posters_come_with_the_codes(write: Write, sign_in: SignIn) -> None:
    browser = sign_in(write(world).administrator)
    for at, confirmed in ((URL, "kept"), (f"{URL}replace", "lost")):
        answer = browser.post(at, data={confirmed: "y", "printed": "y", "phone": "0763-8731234"})
        assert "codes-2026.zip" in answer.headers["Content-Disposition"]
        with zipfile.ZipFile(io.BytesIO(answer.data)) as bundle:
            assert bundle.namelist() == ["links.csv", "slips.pdf", "posters.pdf"]
            assert len(list(csv.DictReader(io.StringIO(bundle.read("links.csv").decode())))) == 6
            assert bundle.read("slips.pdf").startswith(b"%PDF")
            assert bundle.read("posters.pdf").startswith(b"%PDF")


def test_what_cannot_be_printed_gives_no_codes(write: Write, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = sign_in(write(world).administrator)
    assert browser.post(URL, data={"kept": "y", "printed": "y", "phone": "1" * 26}).status_code == 422
    monkeypatch.setattr("evalsys.collection.slips.IN_A_DOWNLOAD", 5)
    refused = browser.post(URL, data={"kept": "y", "printed": "y"})
    assert refused.status_code == 409
    assert "--slips" in refused.text
    assert "还有 6 名服务对象没有问卷码" in browser.get(URL).text


def test_those_who_oversee_see_the_figures_and_give_no_codes(write: Write, sign_in: SignIn) -> None:
    made = write(world)
    browser = sign_in(made.auditor)
    page = browser.get(URL)
    assert page.status_code == 200
    assert made.contract.reference in page.text
    assert "生成问卷码" not in page.text
    assert browser.post(URL, data={"kept": "y"}).status_code == 403
    assert sign_in(made.purchaser).get(URL).status_code == 403
    assert sign_in(write(make_account, Role.ADMINISTRATOR)).get(URL).status_code == 403


@pytest.mark.parametrize(
    ("state", "size", "said"), [("review", 6, "各项目进度"), ("collecting", 0, "还没有服务对象名册")]
)
def test_the_page_says_what_comes_first(write: Write, sign_in: SignIn, state: str, size: int, said: str) -> None:
    browser = sign_in(write(world, state=state, size=size).administrator)
    assert said in browser.get(URL).text
    assert "生成问卷码" not in browser.get(URL).text
    assert browser.post(URL, data={"kept": "y"}).status_code == 409


def test_the_list_of_contracts_is_searched_and_sorted(write: Write, sign_in: SignIn) -> None:
    browser = sign_in(write(world).administrator)
    assert "居家照料项目" in browser.get(f"{URL}?sort=-invited&q=居家").text
    assert "没有与" in browser.get(f"{URL}?q=没有的").text
    assert "服务对象" in browser.get("/collection/").text
