"""The ratings of a cycle as a file: nobody is told, and small groups stand together."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import COMMAND_LINE, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from evalsys.base.errors import Conflict, NotAllowed
from evalsys.base.tables import write_csv
from evalsys.collection.models import Assessment, AssessmentRating, Mode, Response
from evalsys.collection.ratings_export import TOLD, buying_again_sheet, export_ratings, ratings_sheet, too_few
from evalsys.collection.ratings_files import stage_ratings
from evalsys.registry.models import Cycle, Entry
from tests.evaluation.rated import all_at, assess, respond
from tests.factories import NOW, actor, make_account, make_county, make_cycle, make_entry, make_stratum
from tests.pages import CheckedClient

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]


def answered(session: Session, *answers: int, cycle: Cycle | None = None) -> Entry:
    """A contract with so many answers in each of its townships; the last number: without a township."""
    entry = make_entry(session, cycle=cycle or make_cycle(session, state="review"))
    *told, unknown = answers
    given = all_at(entry.cycle, "recipient", "care", 5)
    for place, count in enumerate(told):
        stratum = make_stratum(session, entry=entry, township=f"{place}镇")
        for _one in range(count):
            respond(session, entry, given, stratum=stratum, mode=Mode.TELEPHONE)
    for _one in range(unknown):
        respond(session, entry, given)
    return entry


def rows(session: Session, cycle: Cycle) -> list[dict[str, str]]:
    data = write_csv(ratings_sheet(session, cycle, actor=COMMAND_LINE)).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(data)))[1:]
    return [dict(zip(TOLD, line, strict=True)) for line in lines]


def told(session: Session, entry: Entry) -> Counter[str]:
    """How many recipients the file names from each part of the frame."""
    found = {(row["rater"], row["stratum"]) for row in rows(session, entry.cycle) if row["party"] == "recipient"}
    return Counter(stratum for _rater, stratum in found)


@pytest.mark.parametrize(
    ("answers", "strata"),
    [
        ((7, 6, 5), {"0镇/": 7, "1镇/": 6, "": 5}),
        ((7, 6, 0), {"0镇/": 7, "1镇/": 6}),
        ((7, 5, 3), {"0镇/": 7, "": 8}),  # three alone would be told by what is not said
        ((7, 4, 0), {"": 11}),
        ((7, 4, 1), {"0镇/": 7, "": 5}),
        ((4, 4, 4), {"": 12}),
        ((2, 2, 0), {}),
    ],
)
def test_a_part_is_told_from_five_answers_on(
    session: Session, answers: tuple[int, ...], strata: dict[str, int]
) -> None:
    entry = answered(session, *answers)
    assert told(session, entry) == strata
    assert too_few(session, entry.cycle, actor=COMMAND_LINE) == (sum(answers) < 5)


def test_who_would_buy_again_stands_on_a_sheet_of_its_own(session: Session, app: Flask) -> None:
    entry = make_entry(session, cycle=make_cycle(session, state="review"))
    other = make_entry(session, cycle=entry.cycle)
    for one, again in ((entry, True), (entry, False), (other, None)):
        assess(session, one, "purchaser", all_at(one.cycle, "purchaser", "care", 4)).buy_again = again
        session.flush()
    sheet = buying_again_sheet(session, entry.cycle, actor=COMMAND_LINE)
    reference = entry.contract.reference
    assert list(sheet.rows) == [[reference, "否"], [reference, "是"]]
    session.scalars(select(Assessment).where(Assessment.buy_again)).one().held = True
    session.flush()
    assert list(buying_again_sheet(session, entry.cycle, actor=COMMAND_LINE).rows) == [[reference, "否"]]


def test_no_key_no_name_and_no_order_is_in_the_file(session: Session) -> None:
    entry = answered(session, 6, 0)
    session.scalars(select(Response)).first().time_band = "under_20"  # type: ignore[union-attr]  # there are six
    for party in ("purchaser", "third_party"):
        kept = assess(session, entry, party, all_at(entry.cycle, party, "care", 4))
        first = session.scalars(select(AssessmentRating).where(AssessmentRating.assessment_id == kept.id)).first()
        assert first is not None
        first.comment, first.value, first.not_applicable = "罗建国写的评语", None, True
    other = answered(session, 5, cycle=entry.cycle)
    again = assess(session, other, "third_party", all_at(entry.cycle, "third_party", "care", 4))
    assess(session, other, "third_party", {}, submitted=False)
    again.account_id = kept.account_id
    session.flush()
    found = rows(session, entry.cycle)
    text = str(found)
    for secret in ("罗建国", "telephone", "under_20", *session.scalars(select(Account.name))):
        assert secret not in text
    assert {row["rater"] for row in found if row["party"] == "recipient"} == {str(n) for n in range(1, 7)}
    third = {(row["contract"], row["rater"]) for row in found if row["party"] == "third_party"}
    assert len({rater for _contract, rater in third}) == 1  # the same person in both contracts
    assert len(third) == 2
    assert "na" in {row["value"] for row in found}


def test_the_file_reads_like_one_that_is_imported(app: Flask, session: Session) -> None:
    entry = answered(session, 6, 0)
    assess(session, entry, "third_party", all_at(entry.cycle, "third_party", "care", 4))
    data = write_csv(ratings_sheet(session, entry.cycle, actor=COMMAND_LINE))
    staging = stage_ratings(session, io.BytesIO(data), entry.cycle, actor=COMMAND_LINE)
    assert {(count.party, count.raters) for count in staging.counts()} == {("recipient", 6), ("third_party", 1)}
    staging.close()


@pytest.mark.parametrize("state", ["draft", "collecting"])
def test_while_ratings_come_there_is_no_file(session: Session, state: str) -> None:
    with pytest.raises(Conflict, match="still being collected"):
        export_ratings(session, make_cycle(session, state=state), actor=COMMAND_LINE, now=NOW)


def test_another_branch_gets_no_file(session: Session) -> None:
    elsewhere = actor(Role.ADMINISTRATOR, region=make_county(session))
    with pytest.raises(NotAllowed):
        export_ratings(session, make_cycle(session, state="review"), actor=elsewhere, now=NOW)


def test_the_page_says_what_the_file_holds_and_saving_it_is_told(
    write: Write, sign_in: SignIn, database: Database
) -> None:
    def make(session: Session) -> Account:
        cycle = make_cycle(session, state="review", code="2025")
        answered(session, 6, 0, cycle=cycle)
        answered(session, 2, 0, cycle=cycle)
        account = make_account(session, Role.AUDITOR, region=cycle.region)
        assert account.as_actor().region_path  # loads what is asked for after the session's end
        return account

    browser = sign_in(write(make))
    assert "导出评分" in browser.get("/collection/cycles/2025/desk/").text
    assert "有 1 个项目计入的答卷不足 5 份" in browser.get("/collection/cycles/2025/ratings/file").text
    saved = browser.post("/collection/cycles/2025/ratings/file.csv")
    assert len(saved.data.decode().splitlines()) == 43
    with database.reading() as session:
        assert session.scalars(select(AuditEntry.act)).all() == ["collection.export_ratings"]

    def collecting(session: Session) -> None:
        session.scalars(select(Cycle)).one().state = "collecting"

    write(collecting)
    assert "评分仍在收集" in browser.get("/collection/cycles/2025/ratings/file").text
    assert browser.post("/collection/cycles/2025/ratings/file.csv").status_code == 409
    assert "导出评分" not in browser.get("/collection/cycles/2025/desk/").text
