"""The hot path below the session: counted once, together, and leaving no trace of who."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from evalsys.base.db import Database
from evalsys.base.direct import DatabaseAway
from evalsys.base.mixing import mix
from evalsys.collection.models import Invitation, ReceiptLeaf, Response, ResponseDay, ResponseRating, TimeBand
from evalsys.collection.opening import Opened
from evalsys.collection.submission import LARGEST_GROUP, Submission, SubmissionWriter, _Waiting, leaf_of
from evalsys.registry.cycles import GRACE
from evalsys.registry.models import Cycle
from tests.collection.surveys import make_many_invitations
from tests.factories import NOW, make_stratum

Write = Callable[..., Any]


def count(database: Database, table: type[Any]) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@dataclass
class Filled:
    """A form that says what to store whatever its code opens."""

    hashed: bytes
    said: Submission | None
    issued_at: datetime = NOW
    now: datetime = NOW

    def submission(self, _opened: Opened) -> Submission | None:
        return self.said

    def saying(self, **changes: Any) -> Filled:
        return replace(self, said=replace(self.stored, **changes))

    @property
    def stored(self) -> Submission:
        assert self.said is not None
        return self.said


def forms(database: Database, write: Write, number: int) -> list[Filled]:
    write(make_many_invitations, number)
    with database.reading() as session:
        found = select(Invitation.id, Invitation.code_hmac, Invitation.entry_id).order_by(Invitation.id)
        rows = session.execute(found).all()
    return [Filled(hashed, _submission(identity, entry_id)) for identity, hashed, entry_id in rows]


def _submission(identity: int, entry_id: int) -> Submission:
    return Submission(
        invitation_id=identity,
        entry_id=entry_id,
        stratum_id=None,
        ratings={"recipient_help": 4.0, "recipient_reachable": None},
        time_band=TimeBand.OVER_60,
        leaf=leaf_of("HT-1", f"receipt {identity}"),
        day=date(2026, 11, 2),
    )


def together(writer: SubmissionWriter, group: list[Filled]) -> list[bool | None]:
    """What becomes of forms that waited for the same turn."""
    waiting = [_Waiting(form) for form in group]
    writer._write(waiting)
    return [one.counted for one in waiting]


def test_a_leaf_is_the_hash_of_contract_and_receipt() -> None:
    assert leaf_of("合同1", "ABC") == sha256(b"\x00" + "合同1ABC".encode()).digest()


def test_a_submission_is_counted_once(database: Database, write: Write) -> None:
    (form,) = forms(database, write, 1)
    writer = SubmissionWriter(database)
    assert writer.submit(form)
    assert not writer.submit(form)
    with database.reading() as session:
        kept = session.scalars(select(Response)).one()
        ratings = dict(session.execute(select(ResponseRating.criterion, ResponseRating.value)).all())
        assert session.scalars(select(Invitation.used)).one()
        assert session.scalars(select(ReceiptLeaf.leaf)).one() == form.stored.leaf
        assert session.execute(select(ResponseDay.day, ResponseDay.count)).one() == (date(2026, 11, 2), 1)
    assert ratings == {"recipient_help": 4.0, "recipient_reachable": None}
    assert (kept.entry_id, kept.stratum_id, kept.mode, kept.time_band) == (
        form.stored.entry_id,
        None,
        "self",
        "over_60",
    )
    assert not kept.held
    assert kept.import_id is None


def test_a_form_that_does_not_fit_and_an_unknown_code_store_nothing(database: Database, write: Write) -> None:
    good, unfit = forms(database, write, 2)
    group = [Filled(unfit.hashed, None), Filled(b"?" * 32, good.said), good]
    assert together(SubmissionWriter(database), group) == [False, False, True]
    assert count(database, Response) == 1


def test_those_who_wait_are_written_together(database: Database, write: Write) -> None:
    group = forms(database, write, 5)
    writer = SubmissionWriter(database)
    assert together(writer, [*group, group[0]]) == [True] * 5 + [False]
    assert together(writer, group) == [False] * 5
    with database.reading() as session:
        assert session.scalars(select(ResponseDay.count)).all() == [5]
    assert count(database, Response) == 5


def test_no_group_is_larger_than_a_statement_can_be(database: Database, write: Write) -> None:
    group = forms(database, write, LARGEST_GROUP + 3)
    writer = SubmissionWriter(database)
    waiting = [_Waiting(form) for form in group]
    writer._queue.extend(waiting[1:])
    writer._leading = 1
    writer._lead(waiting[0])
    assert [one.counted for one in waiting] == [True] * LARGEST_GROUP + [None] * 3
    successor = waiting[LARGEST_GROUP]
    assert successor.leads
    assert successor.woken.acquire(blocking=False)
    assert not waiting[LARGEST_GROUP + 1].woken.acquire(blocking=False)
    writer._lead(successor)
    assert [one.counted for one in waiting] == [True] * (LARGEST_GROUP + 3)
    assert writer._leading == 0


def test_one_that_cannot_be_stored_does_not_spoil_the_others(database: Database, write: Write) -> None:
    good, bad, other = forms(database, write, 3)
    bad = bad.saying(stratum_id=4711)
    assert together(SubmissionWriter(database), [good, bad, other]) == [True, None, True]
    assert count(database, Response) == 2
    with database.reading() as session:
        assert session.scalars(select(Invitation.used).order_by(Invitation.id)).all() == [True, False, True]


def test_a_cycle_that_closed_in_the_meantime_counts_nothing(database: Database, write: Write) -> None:
    (form,) = forms(database, write, 1)
    write(lambda session: session.execute(text("UPDATE cycle SET state = 'review'")))
    assert not SubmissionWriter(database).submit(form)
    assert count(database, Response) == 0


SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("issued_at", "sent_at", "state", "taken"),
    [
        (NOW, NOW + GRACE, "review", True),
        (NOW - GRACE, NOW + SECOND, "review", True),
        (NOW, NOW + GRACE + SECOND, "review", False),
        (NOW + SECOND, NOW + SECOND, "review", False),
        (NOW, NOW + SECOND, "preliminary", False),
    ],
)
def test_a_form_that_was_opened_in_time_is_taken_for_half_an_hour(
    database: Database, write: Write, issued_at: datetime, sent_at: datetime, state: str, *, taken: bool
) -> None:
    (form,) = forms(database, write, 1)
    write(lambda session: session.execute(update(Cycle).values(state=state, collected_until=NOW)))
    assert SubmissionWriter(database).submit(replace(form, issued_at=issued_at, now=sent_at)) is taken
    assert count(database, Response) == taken


def test_a_failing_database_saves_nothing_and_says_so(
    database: Database, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    (form,) = forms(database, write, 1)
    writer = SubmissionWriter(database)
    write(lambda session: session.execute(text("ALTER TABLE receipt_leaf RENAME TO elsewhere")))
    with caplog.at_level(logging.ERROR), pytest.raises(DatabaseAway):
        writer.submit(form)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["1 answers were not saved"]
    write(lambda session: session.execute(text("ALTER TABLE elsewhere RENAME TO receipt_leaf")))
    assert writer.submit(form)
    assert count(database, Response) == 1


def test_no_column_leads_from_an_answer_to_an_invitation(database: Database) -> None:
    tables = Response.metadata.tables
    about_invitations = set(tables["invitation"].columns.keys()) - {"entry_id", "stratum_id"}
    for name in ("response", "response_rating", "receipt_leaf", "response_day"):
        table = tables[name]
        assert not about_invitations & set(table.columns.keys()), name
        assert "invitation" not in {key.column.table.name for key in table.foreign_keys}, name
    for name in ("invitation", "response", "response_rating", "receipt_leaf"):
        assert not [c.name for c in tables[name].columns if c.type.python_type.__name__ in {"date", "datetime"}], name


def test_mixing_gives_up_when_somebody_holds_the_answers(
    database: Database, write: Write, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if database.is_sqlite:
        monkeypatch.setattr("evalsys.base.mixing._vacuum", failing_as_sqlite_does)
        assert not mix(database)
    else:
        monkeypatch.setattr("evalsys.base.mixing.PATIENCE", "10ms")
        with database.reading() as session:
            session.execute(text("SELECT 1 FROM response"))
            assert not mix(database)
    assert "the answers were not mixed" in caplog.text
    assert mix(database) or database.is_sqlite


def failing_as_sqlite_does(_database: Database) -> None:
    raise sqlite3.OperationalError("database is locked")


def test_a_stratum_that_was_given_is_kept(database: Database, write: Write) -> None:
    (form,) = forms(database, write, 1)
    stratum = write(make_stratum)
    assert SubmissionWriter(database).submit(form.saying(stratum_id=stratum.id))
    with database.reading() as session:
        assert session.scalars(select(Response.stratum_id)).one() == stratum.id
        assert session.scalars(select(Cycle.state)).all()
