"""Each constraint of the tables of replies, files and letters refuses a row that breaks it, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evalsys.appeals.models import AppealFile, NoticeLetter, PublishedReply, Reply
from evalsys.base.db import Base
from tests.collection.test_models import ABSENT, store
from tests.factories import NOW, make_entry


class Rows:
    """Makers of one good row each; a test changes one column and sees it refused."""

    def __init__(self, session: Session) -> None:
        entry = make_entry(session)
        self.entry_id, self.cycle_id, self.vendor_id = entry.id, entry.cycle_id, entry.contract.vendor_id
        self.other = make_entry(session, cycle=entry.cycle)
        self.kept = self.reply(entry_id=self.other.id)
        session.add(self.kept)
        session.flush()

    def reply(self, **changes: Any) -> Reply:
        given = {
            "entry_id": self.entry_id,
            "text": "说明",
            "state": "submitted",
            "submitted_at": NOW,
            "submitted_by": "甲",
        }
        return Reply(**(given | changes))

    def published(self, **changes: Any) -> PublishedReply:
        given = {"reply_id": self.kept.id, "text": "说明", "published_at": NOW, "published_by": "甲"}
        return PublishedReply(**(given | changes))

    def file(self, **changes: Any) -> AppealFile:
        given = {
            "reply_id": self.kept.id,
            "name": "说明.pdf",
            "media_type": "application/pdf",
            "size": 1,
            "hash": "0" * 64,
            "content": b"x",
            "added_at": NOW,
        }
        return AppealFile(**(given | changes))

    def letter(self, **changes: Any) -> NoticeLetter:
        given = {
            "cycle_id": self.cycle_id,
            "vendor_id": self.vendor_id,
            "code_hash": b"h" * 32,
            "made_at": NOW,
            "made_by": "甲",
        }
        return NoticeLetter(**(given | changes))


Break = Callable[[Rows], list[Base]]

BREAKS: dict[str, list[Break]] = {
    "pk_reply": [lambda r: [r.reply(id=77), r.reply(id=77)]],
    "uq_reply_entry_id": [lambda r: [r.reply(), r.reply()]],
    "fk_reply_entry_id_entry": [lambda r: [r.reply(entry_id=ABSENT)]],
    "ck_reply_state_known": [lambda r: [r.reply(state="lost")]],
    "ck_reply_text_length": [lambda r: [r.reply(text="")], lambda r: [r.reply(text="字" * 1001)]],
    "ck_reply_returned_with_reason": [
        lambda r: [r.reply(state="returned")],
        lambda r: [r.reply(return_reason="请修改")],
    ],
    "pk_published_reply": [lambda r: [r.published(), r.published()]],
    "fk_published_reply_reply_id_reply": [lambda r: [r.published(reply_id=ABSENT)]],
    "pk_appeal_file": [lambda r: [r.file(id=77), r.file(id=77)]],
    "fk_appeal_file_reply_id_reply": [lambda r: [r.file(reply_id=ABSENT)]],
    "fk_appeal_file_objection_id_objection": [lambda r: [r.file(reply_id=None, objection_id=ABSENT)]],
    "fk_appeal_file_rectification_id_rectification": [lambda r: [r.file(reply_id=None, rectification_id=ABSENT)]],
    "ck_appeal_file_belongs_to_one": [lambda r: [r.file(reply_id=None)]],
    "ck_appeal_file_hash_length": [lambda r: [r.file(hash="0")]],
    "pk_notice_letter": [lambda r: [r.letter(id=77), r.letter(id=77)]],
    "uq_notice_letter_cycle_id_vendor_id": [lambda r: [r.letter(), r.letter(code_hash=b"g" * 32)]],
    "uq_notice_letter_code_hash": [lambda r: [r.letter(), r.letter(vendor_id=r.other.contract.vendor_id)]],
    "fk_notice_letter_cycle_id_cycle": [lambda r: [r.letter(cycle_id=ABSENT)]],
    "fk_notice_letter_vendor_id_vendor": [lambda r: [r.letter(vendor_id=ABSENT)]],
}


def test_every_constraint_of_the_tables_has_a_bad_row() -> None:
    named = {
        str(constraint.name)
        for table in (Reply.__table__, PublishedReply.__table__, AppealFile.__table__, NoticeLetter.__table__)
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint | ForeignKeyConstraint | PrimaryKeyConstraint | UniqueConstraint)
    }
    assert named == set(BREAKS)


@pytest.mark.parametrize(
    ("name", "rows_of"), [pytest.param(name, one, id=name) for name, several in BREAKS.items() for one in several]
)
def test_the_bad_row_is_refused_by_its_constraint(session: Session, name: str, rows_of: Break) -> None:
    rows = rows_of(Rows(session))
    with pytest.raises(IntegrityError) as caught:
        store(session, rows)
    said = str(caught.value.orig)
    if session.get_bind().dialect.name == "postgresql" or name.startswith("ck_"):
        assert name in said
    else:  # SQLite names the columns of a key, and no foreign key
        assert ("FOREIGN KEY" if name.startswith("fk_") else "UNIQUE") in said


def test_good_rows_are_taken(session: Session) -> None:
    rows = Rows(session)
    store(session, [rows.reply(), rows.published(), rows.file(), rows.letter()])
