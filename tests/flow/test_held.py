"""What a person holds back counts nowhere: not in a score, not in a figure, not in any file.

Everything that leaves the system is read twice: with ratings that are held back, and with the same ratings never given.
Every route that answers with a file is in one of the two tables; a new one without an entry fails.
"""

from __future__ import annotations

import csv
import inspect
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import COMMAND_LINE, Role
from evalsys.base.db import Database
from evalsys.cli import run
from evalsys.collection.counting import figures
from evalsys.collection.desk_tables import KINDS
from evalsys.collection.models import Assessment, Response
from evalsys.config import Settings
from evalsys.evaluation.arrays import fingerprint, inputs_of
from evalsys.evaluation.models import Score
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.keys import key_folder
from evalsys.publication.sealing import seal
from evalsys.publication.usecases import publish
from evalsys.registry.models import Cycle, Entry
from evalsys.registry.pins import rules_of
from tests.evaluation.rated import all_at, assess, rated_cycle, respond
from tests.factories import NOW, make_account
from tests.pages import CheckedClient

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]
Rows = list[list[str]]

WITHOUT_RATINGS = {
    "accounts.audit_table": "acts of people",
    "api.openapi": "shapes of answers",
    "appeals.file": "a vendor's evidence",
    "collection.autosave": "the rater's own draft",
    "desk.save_calls": "who has not answered",
    "early.show": "signs, while nothing can be held back yet",
    "evidence.download": "one file, to those who may read the assessment",
    "healthz": "whether the database answers",
    "invitations.give": "codes",
    "invitations.replace": "codes",
    "late.show": "whose ratings are missing; what is held is not missing, and no rating is told",
    "measured.sheet": "what the record says, to fill in",
    "messages.export": "how many messages were sent",
    "outcomes.template": "an empty table",
    "paper_forms.make": "empty forms with their serials",
    "publication.keys": "keys",
    "publication.proof": "that a receipt's answer was received, counted or held",
    "publication.statement": "hashes of the bundle, which is read below",
    "ratings.template": "an empty table",
    "rechecks.drawn": "numbers of cases",
    "rechecks.interviewers": "interviewers' work; interviews and answers cannot be told together",
    "registry.contract_list": "the registry",
    "registry.cycle_list": "the registry",
    "registry.evaluator_body_list": "the registry",
    "registry.import_template": "an empty table",
    "registry.purchaser_list": "the registry",
    "registry.vendor_list": "the registry",
    "samples.sample": "how many were drawn",
    "letters.make": "codes and days",
    "paper.template": "an empty table",
    "publication.bulletin": "lines of an edition, as the rankings have them",
    "publication.consistency": "hashes of receipts",
    "rectification.file": "a vendor's evidence",
    "rectification.items": "grades of an edition and what vendors did since",
    "rectification.slips": "codes",
    "selection.table": "past performance of published editions, whose scores are compared below",
    "worksheet.sheet": "the rater's own drafts",
}
SAYS_HELD = {"暂不计入", "待核查异常"}
"""Columns in which the desk says how many are held back and flagged; nothing else may differ."""


def table(answer: Any) -> Rows:
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))


def _desk(browser: CheckedClient) -> dict[str, Rows]:
    found = {}
    for kind in KINDS:
        heading, *rows = table(browser.get(f"/collection/cycles/2026/desk/by-{kind}?format=csv&lang=zh"))
        kept = [place for place, name in enumerate(heading) if name not in SAYS_HELD]
        found[kind] = [[row[place] for place in kept] for row in (heading, *rows)]
    return found


def _ratings(browser: CheckedClient) -> Rows:
    """Without the numbers of raters and the order, which are drawn anew for every file."""
    rows = table(browser.post("/collection/cycles/2026/ratings/file.csv"))
    return sorted([*row[:2], *row[3:]] for row in rows)


def _rankings(browser: CheckedClient) -> Rows:
    return table(browser.get("/rankings.csv?lang=zh"))


def _bundle(browser: CheckedClient) -> dict[str, list[str]]:
    """The tables of the newest edition; its leaves and statement say besides how many answers came in.

    Without the numbers of evaluators, which are drawn anew for every bundle.
    """
    answers = [browser.get(f"/editions/{number}/bundle.zip") for number in (2, 1)]
    newest = next(answer for answer in answers if answer.status_code == 200)
    with ZipFile(io.BytesIO(newest.data)) as bundle:
        tables = {name: bundle.read(name) for name in bundle.namelist() if name.endswith(".csv")}
    assert {"inputs.csv", "raters.csv", "scores.csv"} <= tables.keys()
    return {name: sorted(re.sub(r",E\d+,", ",E,", table.decode()).splitlines()) for name, table in tables.items()}


WITH_RATINGS: dict[str, Callable[[CheckedClient], Any]] = {
    "desk.show": _desk,
    "ratings_export.save": _ratings,
    "publication.bundle": _bundle,
    "publication.rankings_file": _rankings,
}


def make_rated(session: Session) -> Account:
    """A cycle in review, and its administrator."""
    cycle = rated_cycle(session, code="2026")
    account = make_account(session, Role.ADMINISTRATOR, region=cycle.region)
    assert account.as_actor().region_path  # loads what is asked for after the session's end
    return account


def hold_some(session: Session) -> None:
    """Of the first contract, harsh recipients, a purchaser and an evaluator, all held back."""
    cycle = the_cycle(session)
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id).order_by(Entry.id)).first()
    assert entry is not None
    for _again in range(6):
        respond(session, entry, all_at(cycle, "recipient", "care", 1)).held = True
    for party in ("purchaser", "third_party"):
        assess(session, entry, party, all_at(cycle, party, "care", 1)).held = True


def the_cycle(session: Session) -> Cycle:
    return session.scalars(select(Cycle).where(Cycle.code == "2026")).one()


def scored_and_published(session: Session, settings: Settings, reason: str) -> list[tuple[Any, ...]]:
    cycle = the_cycle(session)
    made = run_cycle(session, cycle, seed=1, actor=COMMAND_LINE, now=NOW)
    edition = publish(session, cycle, reason=reason, actor=COMMAND_LINE, now=NOW)
    seal(session, edition, key_folder(settings), actor=COMMAND_LINE, now=NOW)
    scores = session.scalars(select(Score).where(Score.run_id == made.id).order_by(Score.entry_id))
    return [
        (one.status, one.score, one.low, one.high, one.grade, one.rank, one.shrunk, json.dumps(told, sort_keys=True))
        for one in scores
        for told in [{name: value for name, value in one.breakdown.items() if name != "collected"}]
    ]


def test_every_route_that_answers_with_a_file_is_looked_at(app: Flask) -> None:
    answers = re.compile(r"\b(download|send_file|_give|answer_list|jsonify)\(|mimetype")
    found = {
        endpoint
        for endpoint, view in app.view_functions.items()
        if answers.search(inspect.getsource(inspect.unwrap(view)))
    }
    assert sorted(found ^ (WITHOUT_RATINGS.keys() | WITH_RATINGS.keys())) == []


def test_scores_files_and_figures_are_as_if_what_is_held_were_never_given(
    database: Database, write: Write, sign_in: SignIn, settings: Settings
) -> None:
    browser = sign_in(write(make_rated))

    def told(reason: str) -> dict[str, Any]:
        scores = write(lambda session: scored_and_published(session, settings, reason))
        with database.reading() as session:
            cycle = the_cycle(session)
            counted = figures(session, cycle, actor=COMMAND_LINE)
            inputs = fingerprint(inputs_of(session, cycle, rules_of(cycle)))
        files = {endpoint: read(browser) for endpoint, read in WITH_RATINGS.items()}
        return files | {
            "scores": scores,
            "inputs": inputs,
            "counted": (counted.counted, counted.filed, counted.modes, counted.helpers),
        }

    never_given = told("")
    write(hold_some)
    with_held = told("补入后暂不计入的评分。")
    assert {row[3] for row in with_held["ratings_export.save"] if row[1] == "recipient"} == {"3.0", "5.0"}
    assert with_held.keys() == never_given.keys()
    for name, value in with_held.items():
        assert value == never_given[name], name


def test_harsh_ratings_that_count_are_seen(write: Write, database: Database) -> None:
    """The same ratings, not held: the comparison above could fail."""
    write(make_rated)
    write(hold_some)
    with database.reading() as session:
        held = fingerprint(inputs_of(session, the_cycle(session), rules_of(the_cycle(session))))

    def release(session: Session) -> None:
        for model in (Response, Assessment):
            for one in session.scalars(select(model).where(model.held)):
                one.held = False

    write(release)
    with database.reading() as session:
        assert fingerprint(inputs_of(session, the_cycle(session), rules_of(the_cycle(session)))) != held


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_command_writes_what_counts(
    write: Write, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    write(make_rated)
    write(hold_some)
    monkeypatch.setenv("EVALSYS_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("EVALSYS_INSTANCE", str(settings.instance))
    monkeypatch.setenv("EVALSYS_SECRET_KEY", settings.secret_key)
    out = tmp_path / f"ratings.{kind}"
    assert run(["export", "ratings", "2026", "--out", str(out)]) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    assert run(["export", "ratings", "2026", "--out", str(out)]) == 2
