"""Pages kept as bytes: the same answer as the application's, never an outdated or a private one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.limits import Allowance
from evalsys.publication.kept_pages import KeptPage, KeptPages
from evalsys.publication.views import ALLOWANCE
from tests.factories import NOW, actor, make_cycle
from tests.pages import CheckedClient


def page(size: int) -> KeptPage:
    return KeptPage(b"x" * size, [], '"tag"')


def test_the_page_not_asked_for_longest_goes_first() -> None:
    pages = KeptPages(most_bytes=100)
    for name in ("a", "b"):
        pages.put((name,), page(50))
    assert pages.get(("a",))
    pages.put(("c",), page(50))
    assert pages.get(("b",)) is None
    assert pages.get(("a",))
    assert pages.get(("c",))


def test_a_page_put_again_counts_once() -> None:
    pages = KeptPages(most_bytes=100)
    for _ in range(5):
        pages.put(("a",), page(60))
    assert pages.get(("a",))


def test_a_page_larger_than_the_shelf_is_not_kept() -> None:
    pages = KeptPages(most_bytes=10)
    pages.put(("a",), page(11))
    assert pages.get(("a",)) is None


@pytest.fixture
def made(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The endpoints whose views really ran, in order."""
    ran: list[str] = []
    for name in ("publication.rankings", "publication.home"):
        view = app.view_functions[name]

        def watched(view: Callable[..., Any] = view, name: str = name, **arguments: Any) -> Any:
            ran.append(name)
            return view(**arguments)

        vars(watched).update(vars(view))
        monkeypatch.setitem(app.view_functions, name, watched)
    return ran


def test_the_second_asking_is_answered_from_the_shelf_in_the_same_words(client: CheckedClient, made: list[str]) -> None:
    first, second = client.get("/rankings"), client.get("/rankings")
    assert made == ["publication.rankings"]
    assert second.data == first.data
    assert second.headers == first.headers
    assert "Content-Security-Policy" in second.headers


def test_an_unchanged_page_is_not_sent_again(client: CheckedClient) -> None:
    tag = client.get("/rankings").headers["ETag"]
    again = client.get("/rankings", headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.data) == (304, b"")
    assert "Content-Length" not in again.headers
    assert client.get("/rankings", headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_reader_with_a_cookie_gets_the_page_made_anew(client: CheckedClient, made: list[str]) -> None:
    client.set_cookie("anything", "1")
    for _ in range(2):
        assert "ETag" not in client.get("/rankings").headers
    assert len(made) == 2


def test_an_answer_that_gives_a_cookie_is_not_kept(app: Flask, made: list[str]) -> None:
    for _ in range(2):
        answer = app.test_client().get("/rankings?lang=en")
        assert "Set-Cookie" in answer.headers
    assert len(made) == 2


def test_other_methods_and_refusals_are_not_kept(client: CheckedClient, made: list[str]) -> None:
    assert client.head("/rankings").status_code == 200
    assert client.head("/rankings").data == b""
    for _ in range(2):
        assert client.get("/rankings?edition=99").status_code == 404
    assert len(made) == 4


def test_simulated_data_renews_every_page(client: CheckedClient, write: Callable[..., Any]) -> None:
    assert "模拟数据" not in client.get("/").text

    def simulate(session: Session) -> None:
        make_cycle(session, simulated=True)

    write(simulate)
    assert "模拟数据" in client.get("/").text


def test_an_act_of_somebody_renews_every_page(
    client: CheckedClient, made: list[str], write: Callable[..., Any]
) -> None:
    def rename(session: Session) -> None:
        audit.record(session, actor=actor(), act="registry.edit_region", subject="region:1", now=NOW)

    client.get("/rankings")
    write(rename)
    client.get("/rankings")
    assert len(made) == 2


def test_with_the_database_away_the_application_answers(
    app: Flask, client: CheckedClient, write: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get("/rankings")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.config["TESTING"] = False
    write(lambda session: session.execute(text("ALTER TABLE edition RENAME TO away")))
    assert client.get("/rankings").status_code in {500, 503}  # a table that is gone is the database's fault on SQLite


def test_who_makes_the_site_draw_page_after_page_is_slowed_and_kept_pages_are_not(
    app: Flask, client: CheckedClient
) -> None:
    app.extensions[ALLOWANCE] = Allowance(most=2, window=timedelta(minutes=1))
    answers = [client.get(f"/rankings?q={n}") for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert "开放数据" in answers[-1].text
    assert client.get("/s/").status_code == 200, "the survey is another room"
