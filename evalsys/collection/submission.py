"""The hot path: one recipient's answer, counted once and durable before it is acknowledged.

Submissions that arrive while others are being written wait together and are written together by whoever gets the turn
first: one transaction, one flush to the disk, a fixed number of statements for the whole group. It goes below the ORM;
benchmarks/survey_posts.py shows why.

Nothing here remembers who answered what: the invitation is only marked as used, and the answers stand under a key drawn
at random. No audit entry and no log line is written.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache, partial
from hashlib import sha256
from typing import Any, Protocol, cast

from evalsys.base import direct
from evalsys.base.db import Database
from evalsys.base.direct import DatabaseAway, Direct, DriverConnection
from evalsys.base.outages import kind_of
from evalsys.collection.models import Helper, Mode, TimeBand
from evalsys.collection.opening import FOR_A_GROUP, Opened

LARGEST_GROUP = 64  # 64 answers of 11 ratings stay below the 32,766 parameters SQLite allows a statement

# Each … becomes one parenthesis of places for every row of values.
_USE = "UPDATE invitation SET used = TRUE WHERE id IN (…)"
_RESPONSES = "INSERT INTO response (key, entry_id, stratum_id, mode, helper, time_band, held) VALUES …"
_RATINGS = "INSERT INTO response_rating (response_key, criterion, value) VALUES …"
_LEAVES = "INSERT INTO receipt_leaf (leaf, entry_id) VALUES …"
_DAYS = """
INSERT INTO response_day (entry_id, day, count) VALUES …
ON CONFLICT (entry_id, day) DO UPDATE SET count = response_day.count + excluded.count"""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Submission:
    """One recipient's answers to one entry.

    Attributes:
        stratum_id: None where fewer than five of the stratum were asked.
        ratings: level by criterion; None is "not applicable".
        leaf: see `leaf_of`.
        day: only counted, never kept beside the answers; None where nobody knows it, as on paper.
    """

    invitation_id: int
    entry_id: int
    stratum_id: int | None
    ratings: Mapping[str, float | None]
    time_band: TimeBand
    leaf: bytes
    day: date | None
    mode: Mode = Mode.SELF
    helper: Helper | None = None


def leaf_of(reference: str, receipt: str) -> bytes:
    """SHA-256(0x00 ‖ contract ‖ receipt), as in RFC 9162's leaves."""
    return sha256(b"\x00" + reference.encode() + receipt.encode()).digest()


Execute = Callable[[str, Sequence[tuple[Any, ...]]], object]
"""Runs a statement with rows of values in place of its …."""


def store(submissions: Sequence[Submission], execute: Execute) -> None:
    """Write answers, at most `LARGEST_GROUP` of them, in a transaction that somebody else began and ends."""
    keyed = [(secrets.token_bytes(16), s) for s in submissions]
    days = Counter((s.entry_id, s.day.isoformat()) for s in submissions if s.day)
    for statement, rows in (
        (_USE, [(s.invitation_id,) for s in submissions]),
        (_RESPONSES, [(key, s.entry_id, s.stratum_id, s.mode, s.helper, s.time_band, False) for key, s in keyed]),
        (_RATINGS, [(key, *rating) for key, s in keyed for rating in s.ratings.items()]),
        (_LEAVES, [(s.leaf, s.entry_id) for s in submissions]),
        (_DAYS, [(*day, count) for day, count in sorted(days.items())]),  # one order for all: no deadlock
    ):
        if rows:
            execute(statement, rows)


def with_places(statement: str, rows: int, width: int) -> str:
    """A statement with a place for every value of every row."""
    row = "(" + ",".join("?" * width) + ")"
    return statement.replace("…", ",".join([row] * rows))


class Form(Protocol):
    """A filled-in form on its way in."""

    @property
    def hashed(self) -> bytes:
        """The code it was handed out for, as the database keeps it."""

    @property
    def issued_at(self) -> datetime:
        """When it was handed out."""

    @property
    def now(self) -> datetime:
        """When it came back."""

    def submission(self, opened: Opened) -> Submission | None:
        """What is to be stored, now that it is known what the code opens; None where the form does not fit."""


class _Waiting:
    """A form in the queue.

    Attributes:
        counted: None while, or because, it was not written.
        leads: whether it was woken to write, and not because it was written.
    """

    __slots__ = ("counted", "form", "leads", "woken")

    def __init__(self, form: Form) -> None:
        self.form = form
        self.counted: bool | None = None
        self.leads = False
        self.woken = threading.Lock()
        self.woken.acquire()


class SubmissionWriter:
    """Writes the submissions of one process; threads may share it.

    What a code opens is read once for a whole group, in the transaction that counts its answer.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._direct = Direct(database)
        self._failures: tuple[type[Exception], ...] = (*self._direct.failures, OSError)
        self._begin = "BEGIN IMMEDIATE" if database.is_sqlite else "BEGIN"
        self._find = FOR_A_GROUP if database.is_sqlite else f"{FOR_A_GROUP} FOR UPDATE OF i"
        self._queue: deque[_Waiting] = deque()
        self._guard = threading.Lock()
        self._leading = 0  # how many write, or are woken to
        self._most_leading = 1 if database.is_sqlite else 4  # PostgreSQL flushes several at one time
        self._sized = lru_cache(maxsize=1024)(self._with_places)

    def submit(self, form: Form) -> bool:
        """Write what a form says; on return it is durable.

        Returns:
            False, with nothing written, when the code is unknown or used, the cycle takes no such form any more, or the
            form does not fit.

        Raises:
            DatabaseAway: it is not known to be saved; the same form may be sent again.
        """
        mine = _Waiting(form)
        with self._guard:
            mine.leads = self._leading < self._most_leading
            if mine.leads:
                self._leading += 1
            else:
                self._queue.append(mine)
        if not mine.leads:
            mine.woken.acquire()
        if mine.leads:
            self._lead(mine)
        if mine.counted is None:
            raise DatabaseAway
        return mine.counted

    def _lead(self, first: _Waiting) -> None:
        """Write all who wait, wake them, and hand the lead to the first who came meanwhile."""
        with self._guard:
            group = [first, *(self._queue.popleft() for _ in range(min(len(self._queue), LARGEST_GROUP - 1)))]
        try:
            self._write(group)
        finally:
            with self._guard:
                if self._queue:
                    group.append(self._queue.popleft())
                    group[-1].leads = True
                else:
                    self._leading -= 1
            for waiting in group[1:]:
                waiting.woken.release()

    def _write(self, group: Sequence[_Waiting]) -> None:
        forms = [waiting.form for waiting in group]
        try:
            with self._database.writing(patience=direct.BUSY_MILLISECONDS / 1000):
                counted = self._direct.run(lambda connection: self._transact(connection, forms))
        except self._direct.faults as fault:
            if len(group) > 1:  # one that cannot be stored must not spoil the others
                for waiting in group:
                    self._write([waiting])
                return
            _log.error("an answer was not saved: %s", type(fault).__name__)
        except self._failures as failure:
            _log.error("%d answers were not saved: %s", len(group), kind_of(failure))
        else:
            for waiting, done in zip(group, counted, strict=True):
                waiting.counted = done

    def _transact(self, connection: DriverConnection, forms: Sequence[Form]) -> list[bool]:
        with self._at_one_go(connection):
            connection.execute(self._begin)
            found = self._execute(connection, self._find, [(form.hashed,) for form in forms])
        free = {row[0]: Opened(*row) for row in found.fetchall()}
        winners, counted = [], []
        for form in forms:
            opened = free.pop(form.hashed, None)  # the same code twice in one group: the first counts
            open_now = opened is not None and not opened.used and opened.takes(form.issued_at, form.now)
            submission = form.submission(opened) if opened and open_now else None
            counted.append(submission is not None)
            if submission:
                winners.append(submission)
        with self._at_one_go(connection):
            if winners:
                store(winners, partial(self._execute, connection))
            connection.execute("COMMIT")
        return counted

    def _at_one_go(self, connection: DriverConnection) -> AbstractContextManager[object]:
        """PostgreSQL: send statements without waiting for each one's answer."""
        return (
            nullcontext() if self._database.is_sqlite else cast(AbstractContextManager[object], connection.pipeline())
        )

    def _execute(self, connection: DriverConnection, statement: str, rows: Sequence[tuple[Any, ...]]) -> Any:
        return connection.execute(self._sized(statement, len(rows), len(rows[0])), [v for row in rows for v in row])

    def _with_places(self, statement: str, rows: int, width: int) -> str:
        return self._direct.native(with_places(statement, rows, width))
