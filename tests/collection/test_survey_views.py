"""The recipient's survey through the browser's eyes."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from evalsys.base.access import COMMAND_LINE
from evalsys.base.db import Database
from evalsys.collection.bare_pages import WRONG_CODES
from evalsys.collection.codes import new_code
from evalsys.collection.models import ReceiptLeaf, Response, ResponseRating
from evalsys.collection.submission import leaf_of
from evalsys.registry.cycles import GRACE, move
from evalsys.registry.models import Cycle, CycleState
from tests.collection.surveys import (
    COMPLETE,
    NOTHING,
    ONE,
    form,
    make_invitation,
    make_invitations,
    stored,
    token_of,
)
from tests.factories import NOW, make_contract, make_county, make_cycle, make_entry, make_stratum, make_vendor
from tests.pages import CheckedClient, parse, words

Write = Callable[..., Any]
SCRIPT = Path("evalsys/static/survey.js")


def test_the_page_names_the_service_and_asks_with_radio_buttons(client: CheckedClient, write: Write) -> None:
    def prepare(session: Any) -> str:
        contract = make_contract(session, title="送医陪护服务", vendor=make_vendor(session, name="仁爱社工服务中心"))
        return make_invitation(session, entry=make_entry(session, contract=contract))

    page = client.get(f"/s/{write(prepare)}")
    assert page.status_code == 200
    root = parse(page.text)
    assert "送医陪护服务" in words(root.find(".//h1"))
    assert "仁爱社工服务中心" in page.text
    inputs = [(i.get("type"), i.get("name")) for i in root.iter("input")]
    assert {kind for kind, _name in inputs} == {"radio", "hidden"}
    assert [name for kind, name in inputs if kind == "hidden"] == ["form-token"]
    assert {name for kind, name in inputs if kind == "radio"} == {*COMPLETE, "proxy"}
    assert not [i for i in root.iter("input") if "required" in i.attrib]
    for fieldset in root.iter("fieldset"):
        assert fieldset[0].tag == "legend"
    privacy = page.text.index("<section>")
    assert privacy < page.text.index("<button")


def test_the_page_is_light_sets_no_cookie_and_reads_none(client: CheckedClient, database: Database) -> None:
    """With every question that the shipped rules ask, for contracts, vendors and places with long names."""
    codes = []
    with database.transaction() as session:
        vendor = make_vendor(session, name="清远市仁爱社会工作综合服务中心")
        cycle = make_cycle(session, region=make_county(session, name="连山壮族瑶族自治县"), simulated=True)
        for service in ("hospital_escort", "training"):
            title = f"2026年度困难群众居家照料护理服务项目（{len(codes) + 1}期）"
            contract = make_contract(session, service_type=service, title=title, vendor=vendor)
            codes.append(make_invitation(session, entry=make_entry(session, cycle=cycle, contract=contract)))
    style = client.get("/s/survey.css").text
    assert style.count("data:image/svg+xml,%3Csvg") + style.count("data:image/svg+xml,<svg") == 1
    for code in codes:
        for query in ("", "?lang=en"):
            page = client.get(f"/s/{code}{query}")
            assert len(page.data) <= 6_000
            assert len(page.data) + len(style) <= 12_000
            assert page.text.count('rel="stylesheet"') == page.text.count("<script src=") == 1
            assert not re.search(r"<(img|iframe)|@import|url\((?!\"data:)", page.text + style)
            assert "Set-Cookie" not in page.headers
            assert page.headers["Referrer-Policy"] == "no-referrer"
            assert page.headers["Cache-Control"] == "no-store"
            assert page.headers["X-Robots-Tag"] == "noindex"


def test_the_script_brings_its_words_and_is_sent_once(client: CheckedClient) -> None:
    chinese, english = client.get("/s/survey.js"), client.get("/s/survey.js?lang=en")
    assert chinese.mimetype == english.mimetype == "text/javascript"
    assert "下一题" in json.loads(chinese.text.splitlines()[0].split(" = ")[1].rstrip(";"))
    assert "Next question" in english.text
    assert chinese.text.endswith(SCRIPT.read_text("utf-8"))
    again = client.get("/s/survey.js", headers={"If-None-Match": chinese.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert "Set-Cookie" not in chinese.headers


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_a_phone_loads_is_compressed_where_it_takes_that(client: CheckedClient, write: Write) -> None:
    code, packing = write(make_invitation), {"Accept-Encoding": "br, gzip;q=0.5"}
    page = client.get(f"/s/{code}")
    assert "Content-Encoding" not in page.headers
    style = page.headers["Link"].split(">")[0].strip("<")
    for address in (style, "/static/site.css", "/s/survey.js"):
        plain = client.get(address, buffered=True)
        packed = client.get(address, headers=packing, buffered=True)
        assert (packed.status_code, packed.headers["Content-Encoding"]) == (200, "gzip"), address
        assert gzip.decompress(packed.data) == plain.data
        assert len(packed.data) < len(plain.data) / 2
        assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
        tag = packed.headers["ETag"]
        assert tag.startswith("W/")
        again = client.get(address, headers=packing | {"If-None-Match": tag}, buffered=True)
        assert again.status_code == 304
    packed = FlaskClient(client.application).get(f"/s/{code}", headers=packing)
    assert len(packed.data) < 3_000
    assert gzip.decompress(packed.data).decode().count("<fieldset") == 8
    for address in ("/static/icon.svg", "/sign-in"):  # too short; of a person
        assert "Content-Encoding" not in client.get(address, headers=packing, buffered=True).headers


def test_the_page_is_chinese_unless_asked_otherwise(client: CheckedClient, write: Write) -> None:
    code = write(make_invitation)
    chinese = client.get(f"/s/{code}", headers={"Accept-Language": "en"})
    english = client.get(f"/s/{code}?lang=en")
    assert "您对这项服务满意吗" in chinese.text
    assert 'lang="zh-CN"' in chinese.text
    assert "are you satisfied" in english.text
    answer = client.post(f"/s/{code}?lang=en", data=COMPLETE | {"form-token": token_of(english.text)})
    assert answer.location.endswith("?lang=en")
    assert "Thank you" in client.get(answer.location).text


@pytest.mark.parametrize("way", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_complete_answer_is_counted_and_thanked(
    app: Flask, client: CheckedClient, database: Database, write: Write, way: str
) -> None:
    contract = write(make_contract)
    code = write(lambda session: make_invitation(session, entry=make_entry(session, contract=contract)))
    answer = client.post(f"/s/{code}", data=form(client, code), content_type=way)
    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers
    receipt = answer.location.rsplit("/", 1)[1]
    thanks = client.get(answer.location)
    assert thanks.status_code == 200
    assert "-".join(re.findall("....", receipt)) in thanks.text
    assert stored(database) == ONE
    with database.reading() as session:
        ratings = dict(session.execute(select(ResponseRating.criterion, ResponseRating.value)).all())
        assert session.scalars(select(ReceiptLeaf.leaf)).one() == leaf_of(contract.reference, receipt)
    assert ratings == {f"recipient_{f}": None if v == "na" else float(v) for f, v in COMPLETE.items()}


@pytest.mark.parametrize(
    ("said", "way"), [("", ("self", None)), ("relative", ("assisted", "relative")), ("worker", ("assisted", "worker"))]
)
def test_who_helped_is_kept_as_a_kind(
    client: CheckedClient, database: Database, write: Write, said: str, way: tuple[str, str | None]
) -> None:
    code = write(make_invitation)
    assert client.post(f"/s/{code}", data=form(client, code, **{"helped-by": said})).status_code == 303
    with database.reading() as session:
        assert session.execute(select(Response.mode, Response.helper)).all() == [way]


def test_the_same_form_again_is_thanked_again_and_not_counted(
    client: CheckedClient, database: Database, write: Write
) -> None:
    code = write(make_invitation)
    filled = form(client, code)
    first = client.post(f"/s/{code}", data=filled)
    again = client.post(f"/s/{code}", data=filled | {"help": "1"})
    assert (first.status_code, again.status_code) == (303, 303)
    assert again.location == first.location
    assert stored(database) == ONE


def test_another_form_for_a_used_code_is_told_so(client: CheckedClient, database: Database, write: Write) -> None:
    code = write(make_invitation)
    first, second = form(client, code), form(client, code)
    client.post(f"/s/{code}", data=first)
    other = client.post(f"/s/{code}", data=second)
    assert other.status_code == 409
    assert "这个码已经用过了" in other.text
    assert client.post(f"/s/{code}", data=COMPLETE).status_code == 409
    gone = client.get(f"/s/{code}")
    assert gone.status_code == 410
    assert "这个码已经用过了" in gone.text
    assert stored(database) == ONE


def test_missing_answers_bring_the_page_back_with_the_others_kept(
    client: CheckedClient, database: Database, write: Write
) -> None:
    code = write(make_invitation)
    filled = form(client, code, **{"helped-by": "other"})
    del filled["life"]
    page = client.post(f"/s/{code}?lang=en", data=filled)
    assert page.status_code == 422
    root = parse(page.text)
    checked = {i.get("name"): i.get("value") for i in root.iter("input") if "checked" in i.attrib}
    assert checked == {code: value for code, value in COMPLETE.items() if code != "life"}
    assert [option.get("value") for option in root.iter("option") if "selected" in option.attrib] == ["other"]
    (error,) = root.findall(".//fieldset/legend/strong")
    assert words(error) == "Please choose an answer."
    assert 'href="#life"' in page.text
    assert root.find(".//input[@id='life']").get("name") == "life"  # type: ignore[union-attr]  # it is there
    assert token_of(page.text) == filled["form-token"]
    assert stored(database) == NOTHING
    assert client.post(f"/s/{code}", data=filled | {"life": "3"}).status_code == 303


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"help": "6"}, "What arrived is none of these answers"),
        ({"help": ["1", "2"]}, "Two answers arrived"),
        ({"unknown": "1"}, "something that this survey does not ask"),
        ({"helped-by": "interviewer"}, "something that this survey does not ask"),
        ({"helped-by": ["worker", "other"]}, "something that this survey does not ask"),
        ({"form-token": "forged"}, "damaged on its way"),
        ({"form-token": ""}, "damaged on its way"),
    ],
)
def test_what_does_not_belong_in_the_form_is_refused(
    client: CheckedClient, database: Database, write: Write, changes: dict[str, Any], said: str
) -> None:
    code = write(make_invitation)
    page = client.post(f"/s/{code}?lang=en", data=form(client, code) | changes)
    assert page.status_code == 422
    assert said in page.text
    assert "name=respect value=5 checked" in page.text
    assert stored(database) == NOTHING
    again = COMPLETE | {"form-token": token_of(page.text)}
    assert client.post(f"/s/{code}", data=again).status_code == 303


def test_a_form_of_another_code_is_refused(client: CheckedClient, database: Database, write: Write) -> None:
    mine, other = write(make_invitation), write(make_invitation)
    page = client.post(f"/s/{mine}", data=form(client, other))
    assert page.status_code == 422
    assert stored(database) == NOTHING


def test_a_code_is_read_as_people_write_it(client: CheckedClient, write: Write) -> None:
    code = write(make_invitation)
    typed = f"{code[:5]}-{code[5:]}".lower()
    page = client.get(f"/s/{typed}")
    assert page.status_code == 200
    assert parse(page.text).find(".//form").get("action") is None  # type: ignore[union-attr]  # it is sent to where it is
    assert client.post(f"/s/{typed}", data=COMPLETE | {"form-token": token_of(page.text)}).status_code == 303
    assert client.get("/s/", query_string={"code": f" {typed} "}).location == f"/s/{code}"
    assert client.get("/s/", query_string={"code": typed, "lang": "en"}).location == f"/s/{code}?lang=en"


def test_the_entry_page_asks_for_a_code(client: CheckedClient) -> None:
    page = client.get("/s/?lang=en")
    assert page.status_code == 200
    assert "Enter your code" in page.text
    assert client.get("/s").location.endswith("/s/")


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_unknown_or_mistyped_code_comes_back_in_the_box(client: CheckedClient, method: str) -> None:
    for typed in (new_code(), "ABC", "不是码", "x" * 300):
        page = getattr(client, method)(f"/s/{typed}")
        assert page.status_code == 404
        assert f'value="{typed[:60]}"' in page.text
        assert "请再核对" in page.text
    assert client.get("/s/", query_string={"code": "ABC"}).status_code == 404


def test_one_household_on_ipv6_is_one_origin(client: CheckedClient) -> None:
    with time_machine.travel(NOW, tick=False):
        for number in range(WRONG_CODES):
            client.get("/s/ABC", environ_base={"REMOTE_ADDR": f"2001:db8::{number:x}"})
        assert client.get("/s/ABC", environ_base={"REMOTE_ADDR": "2001:db8::ffff"}).status_code == 429
        assert client.get("/s/ABC", environ_base={"REMOTE_ADDR": "2001:db8:0:1::1"}).status_code == 404


@pytest.mark.parametrize(("state", "said"), [("draft", "还没有开始"), ("review", "已经结束"), ("closed", "已经结束")])
def test_a_cycle_that_does_not_collect_takes_nothing(
    client: CheckedClient, database: Database, write: Write, state: str, said: str
) -> None:
    code = write(
        lambda session: make_invitation(session, entry=make_entry(session, cycle=make_cycle(session, state=state)))
    )
    for page in (client.get(f"/s/{code}"), client.post(f"/s/{code}", data=COMPLETE)):
        assert page.status_code == 410
        assert said in page.text
    assert stored(database) == NOTHING


def test_the_stratum_is_kept_only_where_five_were_asked(
    client: CheckedClient, database: Database, write: Write
) -> None:
    def few(session: Any) -> list[str]:
        entry = make_entry(session)
        stratum = make_stratum(session, entry=entry)
        return [make_invitation(session, entry=entry, stratum_id=stratum.id) for _ in range(4)]

    for codes in (write(few), write(make_invitations, 5)):
        client.post(f"/s/{codes[0]}", data=form(client, codes[0]))
    with database.reading() as session:
        assert sorted(stratum is None for stratum in session.scalars(select(Response.stratum_id))) == [False, True]


@pytest.mark.parametrize(
    ("seconds", "band"), [(19, "under_20"), (20, "from_20_to_60"), (60, "from_20_to_60"), (61, "over_60")]
)
def test_only_a_band_of_the_time_taken_is_kept(
    client: CheckedClient, database: Database, write: Write, seconds: int, band: str
) -> None:
    code = write(make_invitation)
    with time_machine.travel(NOW, tick=False) as clock:
        filled = form(client, code)
        clock.shift(timedelta(seconds=seconds))
        assert client.post(f"/s/{code}", data=filled).status_code == 303
    with database.reading() as session:
        assert session.scalars(select(Response.time_band)).one() == band


def test_simulated_surveys_say_so(client: CheckedClient, write: Write) -> None:
    code = write(lambda s: make_invitation(s, entry=make_entry(s, cycle=make_cycle(s, simulated=True))))
    assert "模拟数据" in client.get(f"/s/{code}").text
    assert "模拟数据" not in client.get(f"/s/{write(make_invitation)}").text


def test_a_form_that_was_open_at_the_end_is_taken_and_one_opened_later_is_not(
    client: CheckedClient, database: Database, write: Write
) -> None:
    slow, late = write(make_invitations, 2)
    with time_machine.travel(NOW, tick=False) as clock:
        filled, faulty = form(client, slow), form(client, late)
        del faulty["life"]
        write(lambda s: move(s, s.scalars(select(Cycle)).one(), CycleState.REVIEW, actor=COMMAND_LINE, now=NOW))
        closed = client.get(f"/s/{late}")
        assert closed.status_code == 410
        assert "30 分钟" in closed.text
        assert client.post(f"/s/{late}", data=COMPLETE).status_code == 410
        clock.shift(GRACE)
        assert client.post(f"/s/{slow}", data=filled).status_code == 303
        again = client.post(f"/s/{late}", data=faulty)
        assert (again.status_code, token_of(again.text)) == (422, faulty["form-token"])
        clock.shift(timedelta(seconds=1))
        assert client.post(f"/s/{late}", data=faulty | {"life": "1"}).status_code == 410
    assert stored(database) | {"audit_entry": 0} == ONE
