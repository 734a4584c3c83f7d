"""The survey when several come at once, and when something fails: nothing is lost, doubled or told."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from evalsys.base import direct
from evalsys.base.db import Database
from evalsys.collection.survey import SurveyDesk
from tests.collection.surveys import (
    NOTHING,
    ONE,
    browser,
    form,
    make_invitation,
    make_invitations,
    stored,
)
from tests.pages import CheckedClient, parse

Write = Callable[..., Any]


def test_a_code_used_between_looking_and_writing_is_told_so(
    app: Flask, client: CheckedClient, database: Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = write(make_invitation)
    first, second = form(client, code), form(client, code)
    desk: SurveyDesk = app.extensions["survey_desk"]
    stale = desk.open(code)
    client.post(f"/s/{code}", data=first)
    real = desk.open
    shown = iter([stale])
    monkeypatch.setattr(desk, "open", lambda code: next(shown, None) or real(code))
    assert client.post(f"/s/{code}", data=first, content_type="multipart/form-data").status_code == 303
    shown = iter([stale])
    assert client.post(f"/s/{code}", data=second, content_type="multipart/form-data").status_code == 409
    assert stored(database) == ONE


def test_whoever_is_overtaken_after_the_look_is_told_so(
    app: Flask, client: CheckedClient, database: Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = write(make_invitation)
    quick, slow = form(client, code), form(client, code)
    writer = app.extensions["survey_desk"]._writer
    real = writer.submit

    def overtaken(waiting: Any) -> Any:
        monkeypatch.undo()
        assert browser(app).post(f"/s/{code}", data=quick).status_code == 303
        return real(waiting)

    monkeypatch.setattr(writer, "submit", overtaken)
    assert client.post(f"/s/{code}", data=slow, content_type="multipart/form-data").status_code == 409
    assert stored(database) == ONE


def test_a_faulty_form_waits_for_the_writer_once(
    app: Flask, client: CheckedClient, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = write(make_invitation)
    writer, waited = app.extensions["survey_desk"]._writer, []
    real = writer.submit
    monkeypatch.setattr(writer, "submit", lambda waiting: waited.append(waiting) or real(waiting))
    assert client.post(f"/s/{code}", data=form(client, code, help="6")).status_code == 422
    assert len(waited) == 1


def test_a_cycle_that_closes_between_looking_and_writing_takes_nothing(
    app: Flask, client: CheckedClient, database: Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = write(make_invitation)
    filled = form(client, code)
    desk: SurveyDesk = app.extensions["survey_desk"]
    stale = desk.open(code)
    write(lambda session: session.execute(text("UPDATE cycle SET state = 'review'")))
    real, shown = desk.open, iter([stale])
    monkeypatch.setattr(desk, "open", lambda code: next(shown, None) or real(code))
    assert client.post(f"/s/{code}", data=filled).status_code == 410
    assert stored(database) == NOTHING


@pytest.mark.parametrize("same_form", [True, False])
def test_many_posts_of_one_code_at_once_count_one(
    app: Flask, client: CheckedClient, database: Database, write: Write, same_form: bool
) -> None:
    code = write(make_invitation)
    filled = form(client, code)
    forms = [filled if same_form else form(client, code) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(lambda data: browser(app).post(f"/s/{code}", data=data).status_code, forms))
    assert statuses == ([303] * 8 if same_form else [303] + [409] * 7)
    assert stored(database) == ONE


def test_many_people_at_once_are_all_counted(
    app: Flask, client: CheckedClient, database: Database, write: Write
) -> None:
    codes = write(make_invitations, 24)
    forms = [(code, form(client, code)) for code in codes]
    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda one: browser(app).post(f"/s/{one[0]}", data=one[1]).status_code, forms))
    assert statuses == [303] * 24
    assert stored(database) == ONE | {"response": 24, "response_rating": 24 * 7, "receipt_leaf": 24, "used": 24}


@pytest.mark.parametrize("table", ["invitation", "receipt_leaf"])
def test_a_failing_database_keeps_the_answers(
    client: CheckedClient, database: Database, write: Write, table: str, caplog: pytest.LogCaptureFixture
) -> None:
    code = write(make_invitation)
    filled = form(client, code)
    write(lambda session: session.execute(text(f"ALTER TABLE {table} RENAME TO elsewhere")))
    page = client.post(f"/s/{code}", data=filled)
    assert page.status_code == 503
    assert page.headers["Retry-After"] == "10"
    kept = {i.get("name"): i.get("value") for i in parse(page.text).iter("input")}
    assert kept == filled
    assert code not in caplog.text
    write(lambda session: session.execute(text(f"ALTER TABLE elsewhere RENAME TO {table}")))
    assert client.post(f"/s/{code}", data=kept).status_code == 303
    assert stored(database) == ONE


def test_a_page_asked_for_while_the_database_is_away_says_so(client: CheckedClient, write: Write) -> None:
    code = write(make_invitation)
    write(lambda session: session.execute(text("ALTER TABLE invitation RENAME TO elsewhere")))
    page = client.get(f"/s/{code}?lang=en")
    assert page.status_code == 503
    assert "open this page again" in page.text


def test_a_database_that_another_program_locks_keeps_the_answers(
    client: CheckedClient, database: Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not database.is_sqlite:
        pytest.skip("PostgreSQL locks rows, not the database")
    monkeypatch.setattr(direct, "BUSY_MILLISECONDS", 1)
    code = write(make_invitation)
    filled = form(client, code)
    client.application.extensions["survey_desk"]._writer._direct.close()
    foreign = sqlite3.connect(str(database.url.database), isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")
    assert client.post(f"/s/{code}", data=filled).status_code == 503
    foreign.close()
    assert client.post(f"/s/{code}", data=filled).status_code == 303
    assert stored(database) == ONE


def test_no_log_line_holds_a_code_or_an_answer(
    app: Flask, client: CheckedClient, write: Write, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    code = write(make_invitation)
    caplog.set_level(logging.DEBUG)
    filled = form(client, code)
    client.post(f"/s/{code}", data=filled)

    def fall_over(_desk: SurveyDesk, code: str) -> None:
        raise RuntimeError(code)

    monkeypatch.setattr(SurveyDesk, "open", fall_over)
    page = client.get(f"/s/{code}")
    assert page.status_code == 503
    assert "a survey page failed: RuntimeError" in caplog.text
    assert "fall_over" in caplog.text
    assert code not in caplog.text
    assert filled["form-token"] not in caplog.text


def test_a_form_that_is_too_large_or_sent_in_the_wrong_way_is_told_so(client: CheckedClient, write: Write) -> None:
    code = write(make_invitation)
    page = client.post(f"/s/{code}", data={"form-token": "x" * 70_000})
    assert page.status_code == 413
    assert "提交的内容过大" in page.text
    assert client.put(f"/s/{code}").status_code == 405


@pytest.mark.parametrize("receipt", ["ABC", "2" * 20, "不是"])
def test_a_receipt_that_is_not_ours_is_not_thanked_for(client: CheckedClient, receipt: str) -> None:
    assert client.get(f"/s/thanks/{receipt}").status_code == 404
