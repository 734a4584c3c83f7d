"""The application's frame: health, error pages, headers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask, request
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from evalsys.config import SettingMissing, Settings
from evalsys.web import create_app
from tests.pages import CheckedClient


def test_healthz_answers_when_the_database_does(client: CheckedClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ready"})


def test_an_unknown_page_says_what_to_do(client: CheckedClient) -> None:
    answer = client.get("/nowhere?lang=en")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_an_id_that_no_row_can_have_is_no_page(client: CheckedClient) -> None:
    assert client.get(f"/registry/contracts/{2**31 - 1}").status_code == 303  # to sign in first
    for number in (2**31, 10**20):
        assert client.get(f"/registry/contracts/{number}").status_code == 404
        assert client.post(f"/registry/contracts/{number}/edit").status_code == 404


def test_a_database_that_is_away_is_told_without_asking_it(client: CheckedClient) -> None:
    def refuse(*_arguments: object) -> None:
        raise OperationalError("SELECT", {}, Exception("server closed the connection"))

    event.listen(Engine, "before_cursor_execute", refuse)
    try:
        page = client.get("/rankings?page=2")
        assert (page.status_code, page.headers.get("Retry-After")) == (503, "10"), page.text
        assert "数据库没有回应" in page.text
        assert "Set-Cookie" not in page.headers
    finally:
        event.remove(Engine, "before_cursor_execute", refuse)
    assert client.get("/rankings?page=2").status_code == 200


@pytest.mark.parametrize(("proxies", "seen"), [(0, "127.0.0.1"), (1, "203.0.113.7"), (2, "198.51.100.9")])
def test_a_visitors_address_is_taken_from_as_many_proxies_as_are_ours(app: Flask, proxies: int, seen: str) -> None:
    behind = create_app(replace(app.config["SETTINGS"], proxies=proxies))
    found = []
    behind.before_request(lambda: found.append(request.remote_addr))
    behind.test_client().get("/healthz", headers={"X-Forwarded-For": "192.0.2.1, 198.51.100.9, 203.0.113.7"})
    behind.extensions["database"].dispose()
    assert found == [seen]


def test_a_way_out_for_messages_that_cannot_be_read_stops_the_site_at_the_start(settings: Settings) -> None:
    with pytest.raises(SettingMissing, match="EVALSYS_SMTP_URL"):
        create_app(replace(settings, smtp_url="mail"))
