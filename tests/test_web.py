"""The application's frame: health, error pages, headers."""

from __future__ import annotations

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
