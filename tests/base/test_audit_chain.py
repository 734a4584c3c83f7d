"""The chain over the trail: it holds what was written, and shows what was changed behind its back."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import COMMAND_LINE
from evalsys.base.audit import AuditEntry
from evalsys.base.audit_chain import START, AuditLink, link_hash, link_up, look_at_chain
from evalsys.base.db import Database, not_permanent
from tests.factories import NOW


def write(session: Session, *subjects: str) -> None:
    for subject in subjects:
        audit.record(session, actor=COMMAND_LINE, act="x.y", subject=subject, now=NOW, detail={"名": [1, 2.5, 2**62]})
    session.flush()


def test_links_go_on_from_each_other(session: Session) -> None:
    assert look_at_chain(session).head == link_up(session) == START
    write(session, "a", "b")
    head = link_up(session)
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert head == link_hash(link_hash(START, entries[0]), entries[1])
    write(session, "c")
    assert look_at_chain(session).unlinked == 1
    assert link_up(session) == link_hash(head, session.scalars(select(AuditEntry)).all()[-1])
    found = look_at_chain(session)
    assert (found.links, found.broken, found.unlinked) == (3, None, 0)


def test_a_hash_by_hand() -> None:
    """The format is a promise: whoever keeps a head must be able to compute it in ten years."""
    entry = AuditEntry(
        id=7,
        at=NOW,
        account_id=None,
        actor_name="n",
        role="officer",
        act="a.b",
        subject="s",
        detail={"b": 1, "a": "中"},
    )
    at = NOW.isoformat(timespec="microseconds")
    written = (
        f'{{"account":null,"act":"a.b","actor":"n","at":"{at}","detail":{{"a":"中","b":1}},'
        '"id":7,"role":"officer","subject":"s"}'
    )
    assert link_hash("0", entry) == sha256(f"0\n{written}".encode()).hexdigest()


@pytest.mark.parametrize(
    ("table", "statement", "broken"),
    [
        ("audit_entry", "UPDATE audit_entry SET subject = 'z' WHERE subject = 'b'", 2),
        ("audit_entry", "UPDATE audit_entry SET detail = '{}' WHERE subject = 'a'", 1),
        ("audit_link", "DELETE FROM audit_link WHERE number = 2", 2),
        ("audit_link", "DELETE FROM audit_link WHERE number = 1", 1),
    ],
)
def test_a_change_behind_its_back_is_seen(database: Database, table: str, statement: str, broken: int) -> None:
    with database.transaction() as session:
        write(session, "a", "b", "c")
        link_up(session)
    with database.transaction() as session:
        for ddl in not_permanent(table, "sqlite" if database.is_sqlite else "postgresql"):
            session.execute(text(ddl))
        session.execute(text(statement))
    with database.reading() as session:
        assert look_at_chain(session).broken == broken


def test_a_link_refuses_to_be_changed(session: Session) -> None:
    write(session, "a")
    link_up(session)
    with pytest.raises(DatabaseError, match="audit_link is permanent"):
        session.execute(text("UPDATE audit_link SET number = 5"))


@pytest.mark.parametrize(
    ("bad", "constraint"),
    [
        (lambda number: AuditLink(number=1, entry_id=number, hash="short"), "hash_length"),
        (lambda number: AuditLink(number=0, entry_id=number, hash=START), "number_from_one"),
    ],
)
def test_bad_rows(session: Session, bad: Callable[[int], Any], constraint: str) -> None:
    write(session, "a")
    session.add(bad(session.scalars(select(AuditEntry.id)).one()))
    with pytest.raises(IntegrityError, match=constraint):
        session.flush()


def test_an_entry_is_linked_once(session: Session) -> None:
    write(session, "a")
    number = session.scalars(select(AuditEntry.id)).one()
    session.add_all(AuditLink(number=place, entry_id=number, hash=START) for place in (1, 2))
    with pytest.raises(IntegrityError, match="audit_link"):
        session.flush()
