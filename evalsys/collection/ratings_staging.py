"""A file's ratings on their way in: sorted, free of doubles and hashed on disk, never a million in memory.

The staging database is SQLite's private temporary one, which no name leads to and which is gone when it closes. What
waits for a person's yes is kept as bytes after sealing; there, as in the real database, a recipient's label is no more,
only a number that groups the rows of one response.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

BATCH = 10_000

Given = tuple[str, str, str, str, float | None, str, str, str, int]
"""contract, party, rater, criterion, value (None: not applicable), mode, helper, stratum, row in the file."""


@dataclass(frozen=True)
class Rated:
    """What one rater says about one contract.

    Attributes:
        label: who; None for a recipient.
        ratings: criterion and value, None for "not applicable".
    """

    contract: str
    party: str
    label: str | None
    mode: str
    helper: str
    stratum: str
    ratings: list[tuple[str, float | None]]


@dataclass(frozen=True)
class Count:
    """How much a file holds of one party."""

    party: str
    contracts: int
    raters: int
    ratings: int


class Staging:
    """Take rows with `add`, look at `doubles` and `changes`, `seal`, then read `rated`."""

    def __init__(self) -> None:
        self._rows: list[Given] = []
        self._connection = sqlite3.connect("", isolation_level=None)
        self._connection.executescript(
            """
            PRAGMA synchronous = OFF;
            PRAGMA journal_mode = OFF;
            CREATE TABLE given (
                contract TEXT, party TEXT, rater TEXT, criterion TEXT, value REAL, mode TEXT, helper TEXT,
                stratum TEXT, line INTEGER, again INTEGER, PRIMARY KEY (contract, party, rater, criterion)
            ) WITHOUT ROWID;
            CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT);
            """
        )

    @classmethod
    def restored(cls, content: bytes) -> Staging:
        """A sealed staging again, from `content`."""
        staging = cls()
        staging._connection.deserialize(content)
        return staging

    def content(self) -> bytes:
        """The sealed staging to keep; no page of it remembers a recipient's label."""
        self._connection.execute("VACUUM")
        return self._connection.serialize()

    def close(self) -> None:
        self._connection.close()

    def add(self, row: Given) -> None:
        """Take one row; the first of two with the same rater and criterion is kept, and the double noted."""
        self._rows.append(row)
        if len(self._rows) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        self._connection.execute("BEGIN")
        self._connection.executemany(
            "INSERT INTO given VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL) "
            "ON CONFLICT DO UPDATE SET again = coalesce(again, excluded.line)",
            self._rows,
        )
        self._connection.execute("COMMIT")
        self._rows.clear()

    def doubles(self) -> Iterator[tuple[int, int]]:
        """The row of each rating that stands twice, and the row it stands in again."""
        self._flush()
        return iter(self._connection.execute("SELECT line, again FROM given WHERE again IS NOT NULL ORDER BY again"))

    def changes(self, column: str) -> Iterator[tuple[int, str, str]]:
        """Raters whose rows disagree on their "mode", "helper" or "stratum": a row, what it says, what another says."""
        self._flush()
        return iter(
            self._connection.execute(
                f"SELECT max(line), min({column}), max({column}) FROM given "  # noqa: S608  # nosec B608 - two names, ours
                f"GROUP BY contract, party, rater HAVING min({column}) <> max({column}) ORDER BY 1"
            )
        )

    def seal(self, **about: str) -> None:
        """Hash the sorted rows, then drop the recipients' labels.

        Args:
            about: what is to be known of the file later; `hash` and `rows` are added.
        """
        self._flush()
        digest, rows = hashlib.sha256(), 0
        for contract, party, rater, criterion, value, *ways in self._connection.execute(
            "SELECT contract, party, rater, criterion, value, mode, helper, stratum FROM given "
            "ORDER BY contract, party, rater, criterion"
        ):
            said = "na" if value is None else f"{value:.15g}"
            digest.update("\x1f".join((contract, party, rater, criterion, said, *ways, "\n")).encode())
            rows += 1
        self._connection.executescript(
            """
            CREATE TABLE rating AS
                SELECT dense_rank() OVER (ORDER BY contract, party, rater) AS number, contract, party,
                       CASE party WHEN 'recipient' THEN NULL ELSE rater END AS label, mode, helper, stratum,
                       criterion, value
                FROM given ORDER BY contract, party, rater, criterion;
            DROP TABLE given;
            """
        )
        told = {**about, "hash": digest.hexdigest(), "rows": str(rows)}
        self._connection.executemany("INSERT INTO about VALUES (?, ?)", told.items())

    def about(self, name: str) -> str:
        """What `seal` was told, and "hash" and "rows"."""
        return str(self._connection.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()[0])

    def counts(self) -> list[Count]:
        """How much there is, party by party."""
        found = self._connection.execute(
            "SELECT party, count(DISTINCT contract), count(DISTINCT number), count(*) FROM rating GROUP BY party"
        )
        return [Count(*row) for row in found]

    def pairs(self) -> set[tuple[str, str]]:
        """The contracts and parties that the file speaks of."""
        return set(self._connection.execute("SELECT DISTINCT contract, party FROM rating"))

    def rated(self) -> Iterator[Rated]:
        """Everything, one rater and contract after the other."""
        rows = self._connection.execute(
            "SELECT number, contract, party, label, mode, helper, stratum, criterion, value FROM rating ORDER BY rowid"
        )
        for _number, group in groupby(rows, key=lambda row: row[0]):
            own = list(group)
            _same, contract, party, label, mode, helper, stratum, *_rest = own[0]
            yield Rated(contract, party, label, mode, helper, stratum, [(row[7], row[8]) for row in own])
