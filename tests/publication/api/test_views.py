"""The public part of the API, as a program reads it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from evalsys import config
from evalsys.base.access import Role
from evalsys.base.limits import Allowance
from evalsys.base.tokens import derive_key
from evalsys.collection.codes import receipt_of
from evalsys.config import Settings
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication import remarks
from evalsys.publication.api.endpoints import ALLOWANCE
from evalsys.publication.keys import key_folder
from evalsys.publication.merkle import includes
from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.remarks import Remark
from evalsys.publication.sealing import seal
from evalsys.publication.usecases import publish
from evalsys.registry.models import Cycle
from tests.evaluation.rated import rated_cycle
from tests.factories import NOW, actor
from tests.pages import CheckedClient
from tests.publication.test_bundle_views import sealed_edition
from tests.publication.test_views import Published

ROOT = "/api/v1"


def told(client: CheckedClient, address: str, status: int = 200, **headers: str) -> Any:
    """The answer's content, in English where it is words."""
    answer = client.get(ROOT + address, headers={"Accept-Language": "en"} | headers)
    assert answer.status_code == status, answer.text
    expected = "application/json" if status == 200 else "application/problem+json"
    assert answer.mimetype == expected
    return json.loads(answer.data)


def test_the_index_leads_to_every_list(client: CheckedClient) -> None:
    index = told(client, "/")
    assert index["simulated"] is False
    for address in index["links"].values():
        assert client.get(address).status_code == 200
    assert client.get(ROOT).data == client.get(f"{ROOT}/").data


def test_before_the_first_edition_lists_are_empty_and_the_rules_are_those_shipped(client: CheckedClient) -> None:
    for address in ("/editions", "/vendors", "/keys"):
        assert told(client, address)["items"] == []
    method = told(client, "/methodology")
    assert method["edition"] is None
    assert len(method["steps"]) == 13
    assert method["rules"]["grades"][0]["from"] == 90


def test_editions_the_newest_first(client: CheckedClient, published: Published) -> None:
    page = told(client, "/editions")
    assert [(one["id"], one["number"], one["in_force"]) for one in page["items"]] == [
        (published.new, 2, True),
        (published.old, 1, False),
    ]
    assert page["items"][0]["cycle"]["region"]["name"] == "乙县"
    assert page["items"][0]["published_at"] == "2026-11-02T09:30:00Z"
    assert [one["id"] for one in told(client, "/editions?in_force=true")["items"]] == [published.new]
    assert [one["id"] for one in told(client, "/editions?in_force=false")["items"]] == [published.old]
    assert told(client, "/editions?cycle=2025")["total"] == 2
    assert told(client, "/editions?cycle=2024")["total"] == 0


def test_an_edition_without_a_seal_says_so(client: CheckedClient, published: Published) -> None:
    edition = told(client, f"/editions/{published.old}")
    assert edition["seal"] is None
    assert edition["statuses"] == {"rated": 3, "withheld": 1} | edition["statuses"]
    assert set(edition["links"]) == {"page", "scores", "methodology", "keys"}
    for address in edition["links"].values():
        assert client.get(address).status_code == 200
    assert told(client, "/editions/9999", 404)["detail"] == "There is no such edition."


def test_a_ranking_has_the_numbers_of_the_edition(
    client: CheckedClient, published: Published, session: Session
) -> None:
    page = told(client, f"/editions/{published.new}/scores")
    lines = {
        line.contract_reference: line
        for line in session.query(EditionScore).filter(EditionScore.edition_id == published.new)
    }
    assert page["edition"]["id"] == published.new
    assert page["total"] == len(lines) == 4
    for item in page["items"]:
        line = lines[item["contract"]]
        numbers = ("score", "low", "high", "rank", "rank_low", "rank_high", "band", "shrunk", "shrunk_sd", "amount_fen")
        assert [item[name] for name in numbers] == [getattr(line, name) for name in numbers]
        assert item["response_rate"] is None, "nobody was invited"
        assert (item["vendor"]["credit_code"], item["region"]["path"]) == (line.vendor_credit_code, line.region_path)
    unrated = page["items"][-1]
    assert (unrated["contract"], unrated["status"], unrated["score"]) == (published.gap, "withheld", None)
    assert unrated["reasons"][0]["code"] == "too_few_answers"


def test_filters_hide_lines_and_change_no_rank(client: CheckedClient, published: Published) -> None:
    address = f"/editions/{published.new}/scores"
    whole = {item["contract"]: item["rank"] for item in told(client, address)["items"]}
    for query, count in (
        (f"region={published.town}", 2),
        ("type=screening", 1),
        ("served=1-299", 4),
        ("served=300-599", 0),
        ("grade=none", 1),
        ("q=照料", 2),
        ("q=%25", 0),
        ("group=nothing", 0),
    ):
        items = told(client, f"{address}?{query}")["items"]
        assert len(items) == count, query
        assert all(whole[item["contract"]] == item["rank"] for item in items)
    scores = [item["score"] for item in told(client, f"{address}?sort=-score")["items"]]
    assert scores[:3] == sorted(scores[:3], reverse=True)
    assert scores[3] is None


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(per_page=st.integers(1, 6), sort=st.sampled_from(["rank", "-score", "vendor", "-region"]))
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_all_pages_together_are_the_list(client: CheckedClient, published: Published, per_page: int, sort: str) -> None:
    """Whoever follows the links sees each line once, in the order of a single page."""
    address = f"{ROOT}/editions/{published.new}/scores?sort={sort}"
    whole = json.loads(client.get(address).data)["items"]
    found, following = [], f"{address}&per_page={per_page}"
    while following:
        answer = client.get(following)
        found += json.loads(answer.data)["items"]
        links = dict(reversed(link.split("; rel=")) for link in answer.headers["Link"].split(", "))
        following = links.get('"next"', "")[1:-1]
    assert found == whole


def test_links_keep_what_was_asked(client: CheckedClient, published: Published) -> None:
    answer = client.get(f"{ROOT}/editions/{published.new}/scores?q=QX&per_page=2&page=2")
    before = f"{ROOT}/editions/{published.new}/scores?q=QX&per_page=2&page=1"
    links = answer.headers["Link"]
    assert f'<{before}>; rel="prev"' in links
    assert "next" not in links
    assert told(client, f"/editions/{published.new}/scores?page=3&per_page=2", 404)["remedy"] == "The last is 2."


def test_vendors_and_what_is_published_of_each(client: CheckedClient, published: Published) -> None:
    page = told(client, "/vendors")
    assert page["total"] == 2
    [found] = told(client, "/vendors?q=仁爱")["items"]
    assert found == {"credit_code": published.vendor, "name": "仁爱社工中心", "years": [2025], "contracts": 3}
    vendor = told(client, f"/vendors/{published.vendor}")
    [year] = vendor["years"]
    assert vendor["name"] == "仁爱社工中心"
    assert year["edition"]["id"] == published.new
    assert {result["contract"] for result in year["results"]} == {"QX-1", "QX-2", published.gap}
    assert year["score"]["scored"] == 2
    assert "91441800MA00000000" in told(client, "/vendors/91441800MA00000000", 404)["detail"]


def test_a_contract_is_taken_apart_so_that_its_parts_add_up(client: CheckedClient, published: Published) -> None:
    contract = told(client, "/contracts/QX-1")
    explained = contract["explained"]
    points = sum(row["points"] for row in explained["dimensions"]) + explained["uneven"]
    assert points == pytest.approx(contract["result"]["score"], abs=1e-9)
    assert [one["edition"]["id"] for one in contract["history"]] == [published.new]
    old = told(client, f"/contracts/QX-1?edition={published.old}")
    assert old["edition"]["in_force"] is False
    assert old["result"]["score"] != contract["result"]["score"]
    assert told(client, f"/contracts/{published.gap}")["explained"] is None
    told(client, "/contracts/QX-9", 404)
    told(client, "/contracts/QX-1?edition=99999", 404)


def test_the_documented_example_computes_a_score_again(
    client: CheckedClient, published: Published, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def open_here(address: str) -> io.BytesIO:
        return io.BytesIO(client.get(address.removeprefix("https://site.example")).data)

    monkeypatch.setattr("urllib.request.urlopen", open_here)
    text = (config.ROOT / "docs" / "api.md").read_text("utf-8")
    example = text.split("```python\n")[1].split("```")[0].replace("HT-2025-001", "QX-1")
    exec(compile(example, "docs/api.md", "exec"), {})  # noqa: S102 - our own documentation
    computed, said = capsys.readouterr().out.split()
    assert computed == said


def test_nothing_is_told_that_the_pages_do_not_tell(client: CheckedClient, published: Published) -> None:
    """A breakdown keeps counts by level that are told together elsewhere, and how people answered."""
    answer = client.get(f"{ROOT}/contracts/{published.gap}").text + client.get(f"{ROOT}/contracts/QX-1").text
    for kept in ("levels", "modes", "counts", "raters", "collapsed"):
        assert f'"{kept}"' not in answer


def test_what_is_said_beside_a_line_is_told_with_it(
    client: CheckedClient, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [
        Remark("QX-1", code="reply", says="已整改。"),
        Remark("QX-1", tag="整改中"),
        Remark("QX-2", code="under_review"),
    ]
    monkeypatch.setattr(remarks, "_offered", [lambda _session, _cycle, _reference: said])
    reply = [{"code": "reply", "says": "已整改。"}]
    contract = told(client, "/contracts/QX-1")
    assert contract["result"]["remarks"] == contract["history"][0]["result"]["remarks"] == reply
    found = {one["contract"]: one["remarks"] for one in told(client, f"/editions/{published.old}/scores")["items"]}
    assert found == {"QX-1": reply, "QX-2": [{"code": "under_review", "says": ""}], "QX-3": [], "QX-4": []}
    [year] = told(client, f"/vendors/{published.vendor}")["years"]
    assert {one["contract"]: one["remarks"] for one in year["results"]}["QX-1"] == reply


def test_the_rules_of_an_edition(client: CheckedClient, published: Published) -> None:
    method = told(client, f"/methodology?edition={published.old}")
    assert method["edition"]["id"] == published.old
    assert method["rules_hash"] == told(client, f"/editions/{published.old}")["rules_hash"]
    assert {party["code"] for party in method["rules"]["parties"]} == {"purchaser", "recipient", "third_party"}
    assert told(client, "/methodology")["edition"]["id"] == published.new


@pytest.fixture
def receipt(settings: Settings) -> str:
    return receipt_of("nonce", derive_key(settings.require_secret_key(), "receipt"))


@pytest.fixture
def sealed(app: Flask, write: Callable[..., Any], settings: Settings, receipt: str) -> int:
    assert app
    return int(write(sealed_edition, settings, receipt))


def test_a_seal_leads_to_what_it_was_put_on(client: CheckedClient, sealed: int) -> None:
    edition = told(client, f"/editions/{sealed}")
    assert edition["seal"]["statement"] == json.loads(client.get(edition["links"]["statement"]).data)
    assert edition["seal"]["root"] == edition["seal"]["statement"]["leaves"]["root"]
    assert client.get(edition["links"]["bundle"]).mimetype == "application/zip"
    [key] = told(client, "/keys")["items"]
    assert edition["seal"]["signed_by"] == [key["fingerprint"]]
    assert key["retired_at"] is None


def test_a_receipt_is_proven_and_kept_nowhere(client: CheckedClient, sealed: int, receipt: str) -> None:
    answer = client.get(f"{ROOT}/receipts/{receipt.lower()}")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers
    found = json.loads(answer.data)
    proof = found["proof"]
    assert proof["edition"] == sealed
    path = [bytes.fromhex(one) for one in proof["path"]]
    assert includes(bytes.fromhex(found["leaf"]), proof["index"], proof["size"], path, bytes.fromhex(proof["root"]))
    assert told(client, "/receipts/AAAA-AAAA-AAAA-AAAA-AAAA", 404)["detail"] == "No answer has this receipt."


def test_a_receipt_before_the_first_edition(
    client: CheckedClient, write: Callable[..., Any], settings: Settings, receipt: str
) -> None:
    write(sealed_edition, settings, receipt, seal_it=False)
    assert told(client, f"/receipts/{receipt}")["proof"] is None


def test_an_answer_is_kept_and_not_sent_twice(client: CheckedClient, published: Published) -> None:
    address = f"{ROOT}/editions/{published.new}/scores"
    first = client.get(address)
    assert first.headers["Cache-Control"] == "no-cache"
    assert client.get(address).headers == first.headers
    for cookie in (False, True):  # with one, bytes are made anew: the same
        if cookie:
            client.set_cookie("anything", "1")
        again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Access-Control-Allow-Origin"] == "*"
        assert client.get(address, headers={"If-None-Match": '"other"'}).data == first.data


def test_a_new_edition_renews_what_is_kept(
    app: Flask, client: CheckedClient, write: Callable[..., Any], settings: Settings
) -> None:
    def add(session: Session) -> None:
        cycle = rated_cycle(session, code="2024", year=2024)
        run_cycle(session, cycle, actor=actor(Role.OFFICER), now=NOW)
        seal(
            session,
            publish(session, cycle, actor=actor(Role.OFFICER), now=NOW),
            key_folder(settings),
            actor=actor(Role.OFFICER),
            now=NOW,
        )

    assert told(client, "/editions")["total"] == 0
    write(add)
    assert told(client, "/editions")["total"] == 1


def test_every_site_may_read_it_and_gets_no_cookie(client: CheckedClient) -> None:
    for answer in (client.get(f"{ROOT}/keys"), client.get(f"{ROOT}/nowhere"), client.get(f"{ROOT}/keys?lang=en")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Set-Cookie" not in answer.headers
    asked = client.options(f"{ROOT}/editions", headers={"Origin": "https://example.org"})
    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert "If-None-Match" in asked.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Origin" not in client.options(f"{ROOT}/staff/cycles").headers
    assert "Access-Control-Allow-Origin" not in client.get("/").headers


def problem(answer: TestResponse, status: int) -> dict[str, Any]:
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    found: dict[str, Any] = json.loads(answer.data)
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    assert found["remedy"]
    return found


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("page=0", "“0” will not do for “page”."),
        ("page=1.0", "“1.0” will not do for “page”."),
        ("page=+1", "“ 1” will not do for “page”."),
        ("per_page=201", "“201” will not do for “per_page”."),
        ("per_page=٣", "“٣” will not do for “per_page”."),
        ("page=1&page=2", "“['1', '2']” will not do for “page”."),
        ("in_force=yes", "“yes” will not do for “in_force”."),
        ("in_force=true&in_force=true", "“['true', 'true']” will not do for “in_force”."),
        ("lang=en", "There is no parameter “lang” here."),
        (f"cycle={'x' * 101}", f"“{'x' * 100}” will not do for “cycle”."),
    ],
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_parameter_that_will_not_do(client: CheckedClient, query: str, fault: str) -> None:
    found = problem(client.get(f"{ROOT}/editions?{query}", headers={"Accept-Language": "en"}), 422)
    assert found["faults"] == [fault]
    assert found["instance"] == f"{ROOT}/editions"


def test_what_is_not_there_is_told_in_the_language_asked_for(client: CheckedClient) -> None:
    assert problem(client.get("/api/nowhere"), 404)["title"] == "此地址没有内容"
    english = problem(client.get("/api/nowhere", headers={"Accept-Language": "en-GB"}), 404)
    assert english["title"] == "There is nothing at this address"
    assert problem(client.get(f"{ROOT}/keys?x=%00"), 400)
    changed = client.post(f"{ROOT}/keys")
    assert problem(changed, 405)
    assert changed.headers["Allow"] == "GET, HEAD, OPTIONS"
    moved = client.get("/api//v1/keys")
    assert (moved.status_code, moved.data) == (308, b"")
    assert "Content-Type" not in moved.headers


def test_what_goes_wrong_inside_is_no_page_either(
    app: Flask, client: CheckedClient, write: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    app.config.update(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    write(lambda session: session.execute(text("ALTER TABLE edition RENAME TO away")))
    answer = client.get(f"{ROOT}/editions")
    assert answer.status_code in {500, 503}  # a table that is gone is the database's fault on SQLite
    assert problem(answer, answer.status_code)

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("evalsys.publication.api.views.public_keys", full)
    answer = client.get(f"{ROOT}/keys")
    assert problem(answer, 507)
    assert answer.headers["Retry-After"] == "10"


def test_who_asks_too_often_waits(app: Flask, client: CheckedClient) -> None:
    app.extensions[ALLOWANCE] = Allowance(most=1, window=timedelta(minutes=1))
    assert client.get(f"{ROOT}/keys").status_code == 200
    assert client.get(f"{ROOT}/keys").status_code == 200, "kept bytes cost nothing"
    answer = client.get(f"{ROOT}/vendors")
    assert problem(answer, 429)
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_a_simulated_cycle_says_so(client: CheckedClient, published: Published, write: Callable[..., Any]) -> None:
    def simulate(session: Session) -> None:
        session.get_one(Edition, published.new).cycle.simulated = True
        session.flush()
        assert session.query(Cycle).filter(Cycle.simulated).count() == 1

    assert told(client, "/")["simulated"] is False
    write(simulate)
    assert told(client, "/")["simulated"] is True
    assert told(client, f"/editions/{published.new}")["simulated"] is True
