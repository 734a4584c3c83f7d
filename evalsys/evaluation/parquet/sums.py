"""The tables of step 0 from the view `answers`: one grouping a party, then whole numbers to arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from evalsys.evaluation.file_inputs import Outline, judged_of
from evalsys.evaluation.parquet.composites import Terms, respondents
from evalsys.evaluation.rating_faults import levels_of
from evalsys.scoring.arrays import Integers
from evalsys.scoring.composite import MISSING
from evalsys.scoring.inputs import Judged, LevelCounts, Moments

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BITS = 63
"""Of a whole number in SQL, without its sign."""


class Sums:
    """Groups of respondents who are alike in contract, mode and stratum and in what they have a composite on."""

    def __init__(self, connection: DuckDBPyConnection, outline: Outline, *, strata: Sequence[str], most: int) -> None:
        """`strata`: the columns that tell a stratum; `most`: respondents that a group has at most."""
        self.connection, self.outline, self.strata = connection, outline, strata
        self.bits = max(1, most.bit_length())
        self.moments: list[list[Integers]] = []
        self.levels: list[list[Integers]] = []

    def add(self, place: int, terms: Terms) -> None:
        """Add up a party, at its place in the rules."""
        party = self.outline.rules.parties[place].code
        keys = ["contract", "mode", *self.strata]
        composed = terms.select(keys, respondents(party, terms))
        pattern = " + ".join(f"(y{d} IS NOT NULL)::BIGINT * {1 << d}" for d in terms.columns) or "0"
        sums = [f"sum(y{d})::BIGINT AS y{d}" for d in terms.columns]
        sums += [f"sum(y{i} * y{j})::BIGINT AS y{i}y{j}" for i in terms.columns for j in terms.columns if i <= j]
        sums += [f"{packed} AS l{k}_{part}" for k in sorted(terms.given) for part, packed in enumerate(self._packed(k))]
        columns = ", ".join([*keys, f"({pattern}) AS pattern", "count(*) AS n", *sums])
        grouped = f"SELECT {columns} FROM ({composed}) GROUP BY ALL"
        strata = f"JOIN strata USING ({', '.join(self.strata)})" if self.strata else ""
        stratum = "strata.place" if self.strata else str(self.outline.strata.index(""))
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE sums AS SELECT contracts.place AS c, modes.place AS m, {stratum} AS s,"
            f" grouped.* EXCLUDE ({', '.join(keys)}) FROM ({grouped}) AS grouped"
            f" JOIN contracts USING (contract) JOIN modes USING (mode) {strata}"
        )
        self._take_moments(place, terms)
        self._take_levels(place, terms)
        self.connection.execute("DROP TABLE sums")

    def tables(self) -> tuple[Moments, LevelCounts]:
        """What was added, handed over: nothing of it is left here, for two copies would not fit beside each other."""
        return Moments(*_handed_over(self.moments)), LevelCounts(*_handed_over(self.levels))

    def judged(self, party: str, terms: Terms) -> tuple[Sequence[str], Judged]:
        """Each rater of a party on its own."""
        composed = terms.select(["contract", "rater"], respondents(party, terms))
        dimensions = len(self.outline.rules.dimensions)
        own = [d for d in terms.columns if d < dimensions]
        columns = ", ".join(f"coalesce(y{d}, {MISSING}) AS y{d}" for d in own)
        some = " OR ".join(f"y{d} IS NOT NULL" for d in own)
        found = self.connection.execute(
            f"SELECT place, rater, {columns} FROM ({composed}) JOIN contracts USING (contract) WHERE {some}"
        ).fetchnumpy()
        values = np.full((len(found["place"]), dimensions), MISSING, dtype=np.int64)
        for d in own:
            values[:, d] = found[f"y{d}"]
        return judged_of(found["place"].astype(np.int64), found["rater"].tolist(), values)

    def _column(self, name: str) -> Integers:
        found = self.connection.execute(f"SELECT coalesce({name}, 0) AS found FROM sums").fetchnumpy()
        return np.asarray(found["found"])

    def _packed(self, k: int) -> list[str]:
        """How often each level was given: several counts in one whole number, wide enough for the largest group."""
        room, fields = _BITS // self.bits, self._fields(k)
        if fields <= room:
            return [f"sum(1::BIGINT << ({self.bits} * g{k}::BIGINT))::BIGINT"]
        return [
            f"sum(CASE WHEN g{k} BETWEEN {first} AND {first + room - 1}"
            f" THEN 1::BIGINT << ({self.bits} * (g{k}::BIGINT - {first})) END)::BIGINT"
            for first in range(0, fields, room)
        ]

    def _fields(self, k: int) -> int:
        rules = self.outline.rules
        return levels_of(rules, rules.criteria[k]) + 1

    def _take_moments(self, place: int, terms: Terms) -> None:
        rules, pattern = self.outline.rules, self._column("pattern")
        own = (1 << len(rules.dimensions)) - 1
        taken = np.flatnonzero(pattern & own)
        modes, strata = len(self.outline.modes), len(self.outline.strata)
        where = (self._column("c").astype(np.int64) * modes + self._column("m")) * strata + self._column("s")
        order = taken[np.argsort(where[taken], kind="stable")]
        keys, starts = np.unique(where[order], return_index=True)
        pattern = pattern[order]

        def added(name: str, i: int, j: int) -> Integers:
            if not len(starts):
                return np.zeros(0, dtype=np.int64)
            both = (pattern >> i) & (pattern >> j) & 1
            total: Integers = np.add.reduceat(self._column(name)[order] * both, starts)
            return total

        width = len(rules.dimensions) + len(rules.adjusters)
        n, y, yy = (np.zeros((len(keys), width, width), dtype=np.int64) for _ in range(3))
        for i in terms.columns:
            for j in terms.columns:
                n[:, i, j] = added("n", i, j)
                y[:, i, j] = added(f"y{i}", i, j)
                yy[:, i, j] = added(f"y{min(i, j)}y{max(i, j)}", i, j)
        everyone = np.add.reduceat(self._column("n")[order], starts) if len(starts) else np.zeros(0, dtype=np.int64)
        party = np.full(len(keys), place, dtype=np.int64)
        self.moments.append([keys // strata // modes, party, keys // strata % modes, keys % strata, everyone, n, y, yy])

    def _take_levels(self, place: int, terms: Terms) -> None:
        modes = len(self.outline.modes)
        where = self._column("c").astype(np.int64) * modes + self._column("m")
        order = np.argsort(where, kind="stable")
        keys, starts = np.unique(where[order], return_index=True)
        room, mask = _BITS // self.bits, (1 << self.bits) - 1
        for k in sorted(terms.given):
            for first in range(0, self._fields(k), room):
                packed = self._column(f"l{k}_{first // room}")[order]
                for level in range(first, min(first + room, self._fields(k))):
                    here = (packed >> (self.bits * (level - first))) & mask
                    self._take_level(place, k, level, keys, np.add.reduceat(here, starts) if len(starts) else here)

    def _take_level(self, place: int, k: int, level: int, keys: Integers, counts: Integers) -> None:
        """Keep how often a level was given, in as few bytes as hold it."""
        some = np.flatnonzero(counts)
        modes, size = len(self.outline.modes), len(some)
        self.levels.append(
            [
                (keys[some] // modes).astype(np.int32),
                np.full(size, place, dtype=np.int8),
                (keys[some] % modes).astype(np.int16),
                np.full(size, k, dtype=np.int16),
                np.full(size, level, dtype=np.int8),
                counts[some].astype(np.int32),
            ]
        )


def _handed_over(parts: list[list[Integers]]) -> Iterator[Integers]:
    """Column after column of all parts, each taken out of them."""
    for _column in range(len(parts[0])):
        yield np.concatenate([part.pop(0) for part in parts])
