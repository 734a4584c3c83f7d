"""Rows that no room of ours would write are refused by the database itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import Session, object_session

from evalsys.appeals.models import (
    AppealFile,
    FollowUpCount,
    NoticeLetter,
    Objection,
    PreliminaryNotice,
    PublishedReply,
    Rectification,
    Recusal,
    Reply,
)
from evalsys.evaluation.queries import latest_run
from evalsys.publication.usecases import publish
from tests.appeals.makers import WHY, Told, told_cycle
from tests.factories import NOW, actor

Make = Callable[[Told], Any]


def at(told: Told) -> Session:
    session = object_session(told.cycle)
    assert session is not None
    return session


def objection(told: Told, **changes: Any) -> Objection:
    columns = {
        "number": "x",
        "entry_id": told.entry.id,
        "run_id": told.notice.run_id,
        "ground": "record",
        "statement": WHY,
        "state": "filed",
        "filed_at": NOW,
        "filed_by": "谢婷",
    }
    return Objection(**columns | changes)


def decided(told: Told, **changes: Any) -> Objection:
    return objection(told, **{"state": "decided", "outcome": "upheld", "decided_at": NOW, "reasons": WHY} | changes)


def reply(told: Told, **changes: Any) -> Reply:
    columns = {
        "entry_id": told.entry.id,
        "text": "说明",
        "state": "submitted",
        "submitted_at": NOW,
        "submitted_by": "甲",
    }
    return Reply(**columns | changes)


def rectification(told: Told, **changes: Any) -> Rectification:
    edition = publish(at(told), told.cycle, marked=True, actor=actor(), now=NOW.replace(month=12))
    columns = {
        "entry_id": told.entry.id,
        "edition_id": edition.id,
        "grade": "fair",
        "demand": "补齐入户记录并按月上报。",
        "due_on": NOW.date(),
        "state": "open",
        "opened_at": NOW,
        "opened_by": "甲",
        "history": [],
    }
    return Rectification(**columns | changes)


def counted(told: Told, **columns: Any) -> FollowUpCount:
    item = rectification(told)
    return FollowUpCount(rectification_id=saved(at(told), item).id, **columns)


def file(told: Told, **changes: Any) -> AppealFile:
    columns = {"name": "a", "media_type": "b", "size": 1, "hash": "0" * 64, "content": b"x", "added_at": NOW}
    return AppealFile(**columns | changes)


def letter(told: Told, **changes: Any) -> NoticeLetter:
    columns = {"cycle_id": told.cycle.id, "vendor_id": told.vendor.vendor_id, "code_hash": b"1", "made_at": NOW}
    return NoticeLetter(**columns | {"made_by": "甲"} | changes)


def two(*rows: Any) -> list[Any]:
    return list(rows)


BAD: dict[str, Make] = {
    "ck_preliminary_notice_working_days_not_negative": lambda told: PreliminaryNotice(
        cycle_id=told.cycle.id, run_id=told.notice.run_id, working_days=-1, issued_at=NOW, issued_by="甲"
    ),
    "uq_preliminary_notice_run_id": lambda told: PreliminaryNotice(
        cycle_id=told.cycle.id,
        run_id=latest_run(at(told), told.cycle).id,
        working_days=5,
        issued_at=NOW,
        issued_by="甲",
    ),
    "uq_notice_letter_cycle_id_vendor_id": lambda told: two(letter(told), letter(told, code_hash=b"2")),
    "ck_objection_ground_known": lambda told: objection(told, ground="weather"),
    "ck_objection_state_known": lambda told: objection(told, state="lost"),
    "ck_objection_level_known": lambda told: objection(told, level=3),
    "ck_objection_second_level_follows_a_first": lambda told: objection(told, level=2),
    "ck_objection_statement_length": lambda told: objection(told, statement="短"),
    "ck_objection_accepted_at_known": lambda told: objection(told, state="accepted"),
    "ck_objection_extension_has_reason": lambda told: objection(told, extended_at=NOW),
    "ck_objection_decided_with_reasons": lambda told: decided(told, reasons="短"),
    "ck_objection_outcome_known": lambda told: decided(told, outcome="perhaps"),
    "ck_objection_corrected_by_a_run": lambda told: decided(told, outcome="corrected"),
    "objection_one_open_an_entry": lambda told: two(objection(told), objection(told, number="y")),
    "uq_objection_number": lambda told: two(decided(told), decided(told)),
    "ck_recusal_reason_given": lambda told: Recusal(
        objection_id=saved(at(told), objection(told)).id, account_id=told.office.account_id, reason="", at=NOW
    ),
    "ck_reply_state_known": lambda told: reply(told, state="lost"),
    "ck_reply_text_length": lambda told: reply(told, text="长" * 1001),
    "ck_reply_returned_with_reason": lambda told: reply(told, state="returned"),
    "uq_reply_entry_id": lambda told: two(reply(told), reply(told)),
    "ck_rectification_state_known": lambda told: rectification(told, state="lost", report="已补齐"),
    "ck_rectification_demand_given": lambda told: rectification(told, demand="改"),
    "ck_rectification_reported_in_words": lambda told: rectification(told, state="reported"),
    "ck_rectification_done_at_known": lambda told: rectification(told, done_at=NOW),
    "ck_follow_up_count_answer_known": lambda told: counted(told, answer="maybe", count=1),
    "ck_follow_up_count_count_not_negative": lambda told: counted(told, answer="better", count=-1),
    "ck_appeal_file_belongs_to_one": file,
    "ck_appeal_file_hash_length": lambda told: file(told, hash="0", objection_id=saved(at(told), objection(told)).id),
}


def saved(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row


@pytest.mark.parametrize("constraint", BAD)
def test_a_bad_row_is_refused(session: Session, constraint: str) -> None:
    told = told_cycle(session)
    found = BAD[constraint](told)
    session.add_all(found if isinstance(found, list) else [found])
    with pytest.raises(IntegrityError) as refused:
        session.flush()
    said = str(refused.value.orig)
    assert constraint in said or said.startswith("UNIQUE constraint failed")  # SQLite names the columns instead


def test_a_published_reply_stays(session: Session) -> None:
    told = told_cycle(session)
    kept = saved(session, reply(told, state="published"))
    saved(session, PublishedReply(reply_id=kept.id, text="说明", published_at=NOW, published_by="甲"))
    for statement in ("UPDATE published_reply SET text = 'x'", "DELETE FROM published_reply"):
        with pytest.raises(DatabaseError, match="permanent"), session.begin_nested():
            session.execute(text(statement))
