"""Invitations and filled-in forms for the tests of the survey."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from evalsys.collection.codes import code_hash, code_key, new_code
from evalsys.collection.models import Invitation, ReceiptLeaf, Response, ResponseDay, ResponseRating
from evalsys.registry.models import Entry
from tests.factories import make_entry, make_stratum
from tests.pages import CheckedClient

SECRET = "a secret for tests only, long enough to be one"
COMPLETE = {
    "satisfied": "5",
    "help": "4",
    "respect": "5",
    "safe": "3",
    "on_time": "2",
    "reachable": "na",
    "life": "1",
}


def make_invitation(session: Session, *, entry: Entry | None = None, **columns: Any) -> str:
    """A code for one recipient of an entry; the row is kept, the code is only here."""
    entry = entry or make_entry(session)
    code = new_code()
    session.add(Invitation(code_hmac=code_hash(code, code_key(SECRET)), entry_id=entry.id, **columns))
    session.flush()
    return code


def make_invitations(session: Session, count: int, *, entry: Entry | None = None) -> list[str]:
    """Codes for some recipients of one stratum."""
    entry = entry or make_entry(session)
    stratum = make_stratum(session, entry=entry)
    return [make_invitation(session, entry=entry, stratum_id=stratum.id) for _ in range(count)]


def token_of(page: str) -> str:
    """The token in a survey page."""
    found = re.search(r'name="form-token" value="([^"]+)"', page)
    assert found, page
    return found[1]


def form(client: CheckedClient, code: str, **answers: str) -> dict[str, str]:
    """A complete form, opened now; `answers` change some."""
    return COMPLETE | answers | {"form-token": token_of(client.get(f"/s/{code}").text)}


def browser(app: Flask) -> CheckedClient:
    made = app.test_client()
    assert isinstance(made, CheckedClient)
    return made


def make_many_invitations(session: Session, count: int, *, secret: str = SECRET, entries: int = 1) -> list[str]:
    """Codes for recipients of some entries in turn, quickly."""
    ids = [make_entry(session).id for _ in range(entries)]
    codes = [new_code() for _ in range(count)]
    key = code_key(secret)
    rows = [
        {"code_hmac": code_hash(code, key), "entry_id": ids[n % entries], "used": False} for n, code in enumerate(codes)
    ]
    session.execute(insert(Invitation), rows)
    return codes


def stored(database: Database) -> dict[str, int]:
    """How many rows the survey has left, by table."""
    with database.reading() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Response, ResponseRating, ReceiptLeaf, ResponseDay, AuditEntry)
        } | {"used": session.scalar(select(func.count()).where(Invitation.used)) or 0}


ONE = {"response": 1, "response_rating": 7, "receipt_leaf": 1, "response_day": 1, "audit_entry": 0, "used": 1}
NOTHING = dict.fromkeys(ONE, 0)
