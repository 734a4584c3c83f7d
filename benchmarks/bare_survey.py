"""The other side of survey_posts.py: the same durable inserts with nothing around them."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import Any
from urllib.parse import parse_qsl

CONTRACTS = 20
Answer = tuple[str, float | None]
Start = Callable[[str, list[tuple[str, str]]], object]

USE = "UPDATE invitation SET used = TRUE WHERE id = ? AND NOT used"
RESPONSE = "INSERT INTO response (key, entry_id, mode, time_band, held) VALUES (?, ?, 'self', 'unknown', FALSE)"
RATING = "INSERT INTO response_rating (response_key, criterion, value) VALUES (?, ?, ?)"
LEAF = "INSERT INTO receipt_leaf (leaf, entry_id) VALUES (?, ?)"
DAY = (
    "INSERT INTO response_day (entry_id, day, count) VALUES (?, '2026-11-02', ?)"
    " ON CONFLICT (entry_id, day) DO UPDATE SET count = response_day.count + excluded.count"
)


def entry(invitation: int) -> int:
    """As survey_posts.py deals them out: invitation 1 is of entry 1, and so on in turn."""
    return (invitation - 1) % CONTRACTS + 1


class GroupCommit:
    """SQLite: one thread writes for all who wait, in one transaction."""

    def __init__(self, file: str) -> None:
        self.connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.queue: SimpleQueue[tuple[int, list[Answer], threading.Lock]] = SimpleQueue()
        threading.Thread(target=self.write_for_ever, daemon=True).start()

    def submit(self, invitation: int, ratings: list[Answer]) -> None:
        done = threading.Lock()
        done.acquire()
        self.queue.put((invitation, ratings, done))
        done.acquire()

    def write_for_ever(self) -> None:
        execute = self.connection.execute
        while True:
            group = [self.queue.get()]
            while not self.queue.empty():
                group.append(self.queue.get())
            execute("BEGIN IMMEDIATE")
            for used, answers, _done in group:
                key = secrets.token_bytes(16)
                execute(USE, (used,))
                execute(RESPONSE, (key, entry(used)))
                self.connection.executemany(RATING, [(key, *answer) for answer in answers])
                execute(LEAF, (secrets.token_bytes(32), entry(used)))
            self.connection.executemany(DAY, Counter(entry(used) for used, _answers, _done in group).items())
            execute("COMMIT")
            for _used, _answers, done in group:
                done.release()


class OneStatement:
    """PostgreSQL: one statement for each answer, on a connection for each thread."""

    STATEMENT = """
    WITH used AS (UPDATE invitation SET used = TRUE WHERE id = %(id)s AND NOT used RETURNING id),
    made AS (INSERT INTO response (key, entry_id, mode, time_band, held)
             SELECT %(key)s, %(entry)s, 'self', 'unknown', FALSE FROM used RETURNING key),
    rated AS (INSERT INTO response_rating (response_key, criterion, value)
              SELECT key, r.criterion, r.value
              FROM made, unnest(%(criteria)s::text[], %(values)s::float8[]) AS r (criterion, value)),
    leaf AS (INSERT INTO receipt_leaf (leaf, entry_id) SELECT %(leaf)s, %(entry)s FROM used)
    INSERT INTO response_day (entry_id, day, count) SELECT %(entry)s, '2026-11-02', 1 FROM used
    ON CONFLICT (entry_id, day) DO UPDATE SET count = response_day.count + 1
    """

    def __init__(self, url: str) -> None:
        self.url = url.replace("postgresql+psycopg://", "postgresql://")
        self.local = threading.local()

    def submit(self, invitation: int, ratings: list[Answer]) -> None:
        if not hasattr(self.local, "connection"):
            import psycopg

            self.local.connection = psycopg.connect(self.url, autocommit=True)
        parameters = {
            "id": invitation,
            "entry": entry(invitation),
            "key": secrets.token_bytes(16),
            "leaf": secrets.token_bytes(32),
            "criteria": [criterion for criterion, _value in ratings],
            "values": [value for _criterion, value in ratings],
        }
        self.local.connection.execute(self.STATEMENT, parameters, prepare=True)


def create_app() -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """The WSGI application; it uses up the invitations in the order of their numbers."""
    url = os.environ["EVALSYS_DATABASE_URL"]
    writer = GroupCommit(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else OneStatement(url)
    numbers = iter(range(1, 10**9))
    lock = threading.Lock()

    def application(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
        answers = [
            (name, None if value == "na" else float(value)) for name, value in parse_qsl(body) if "-" not in name
        ]
        with lock:
            invitation = next(numbers)
        writer.submit(invitation, answers)
        start("303 See Other", [("Location", "/s/thanks/"), ("Content-Length", "0")])
        return [b""]

    return application
