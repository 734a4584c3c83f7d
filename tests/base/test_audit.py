"""The trail keeps what was written, whoever asks otherwise."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import COMMAND_LINE
from evalsys.base.audit import AuditEntry
from evalsys.base.audit_chain import AuditLink, link_up
from evalsys.base.db import Database
from tests.factories import NOW


def write_entry(database: Database) -> None:
    with database.transaction() as session:
        audit.record(
            session, actor=COMMAND_LINE, act="registry.add_cycle", subject="cycle:2026", now=NOW, detail={"year": 2026}
        )


def read(database: Database) -> AuditEntry:
    with database.reading() as session:
        return session.query(AuditEntry).one()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor_name = 'somebody else'",
        "UPDATE audit_entry SET detail = '{}'",
        "DELETE FROM audit_entry",
        "DELETE FROM audit_entry WHERE act = 'registry.add_cycle'",
    ],
)
def test_an_entry_refuses_to_be_changed_or_deleted(database: Database, statement: str) -> None:
    write_entry(database)
    with pytest.raises(DatabaseError, match="audit_entry is permanent"), database.transaction() as session:
        session.execute(text(statement))
    entry = read(database)
    assert (entry.at, entry.account_id, entry.actor_name, entry.role) == (NOW, None, "command line", "administrator")
    assert (entry.act, entry.subject, entry.detail) == ("registry.add_cycle", "cycle:2026", {"year": 2026})


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite has no TRUNCATE
@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("TRUNCATE audit_entry", 'Table "audit_link" references "audit_entry"'),  # before any trigger is asked
        ("TRUNCATE audit_entry CASCADE", "audit_entry is permanent"),
        ("TRUNCATE audit_entry, audit_link", "audit_entry is permanent"),
        ("TRUNCATE audit_link", "audit_link is permanent"),
    ],
)
def test_the_trail_cannot_be_emptied_at_once(database: Database, statement: str, why: str) -> None:
    write_entry(database)
    with database.transaction() as session:
        link_up(session)
    with pytest.raises(DatabaseError, match=why), database.transaction() as session:
        session.execute(text(statement))
    assert read(database)
    with database.reading() as session:
        assert session.query(AuditLink).one()


def test_an_entry_goes_with_its_act(database: Database) -> None:
    """What fails leaves no entry."""

    def act(session: Session) -> None:
        audit.record(session, actor=COMMAND_LINE, act="x.y", subject="z", now=NOW)
        session.flush()
        raise LookupError

    with pytest.raises(LookupError), database.transaction() as session:
        act(session)
    with database.reading() as session:
        assert session.query(AuditEntry).count() == 0
