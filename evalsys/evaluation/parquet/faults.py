"""What is wrong with the cells of a Parquet file, found by SQL: one look at all rows, a second only at faulty ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evalsys.evaluation import rating_faults
from evalsys.evaluation.file_faults import MOST, Findings
from evalsys.evaluation.parquet.layout import FAULTY, Layout, listed, text
from evalsys.evaluation.rating_faults import Told, levels_of
from evalsys.evaluation.rating_files import measured_criteria

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_KEYS_AT_ONCE = 30_000_000
"""Hashes of respondents held at once, 8 bytes each."""


@dataclass(frozen=True)
class Check:
    """A condition that no row should meet; `column`: whose cell is shown."""

    condition: str
    column: str
    told: Told


def refuse_faulty(connection: DuckDBPyConnection, layout: Layout, findings: Findings) -> None:
    """Look at every cell of the view `cells`.

    Raises:
        FilesFaulty: with the faults, up to 100, and how many there are.
    """
    checks = [*_of_labels(layout), *(_of_wide(layout) if layout.wide else _of_long(layout))]
    counts = connection.execute(
        f"SELECT {', '.join(f'count(*) FILTER ({check.condition})' for check in checks)} FROM cells"
    ).fetchone()
    for check, count in zip(checks, counts or (), strict=True):
        if count:
            findings.count(int(count))
            _show(connection, layout, check, findings)
    findings.raise_if_any()


def _show(connection: DuckDBPyConnection, layout: Layout, check: Check, findings: Findings) -> None:
    faulty = f"SELECT row FROM cells WHERE {check.condition} ORDER BY row LIMIT {MOST + 1}"
    written = f"SELECT file_row_number + 1 AS row, {layout.shown(check.column)} AS shown FROM file"
    query = f"SELECT row, shown FROM ({faulty}) JOIN ({written}) USING (row) ORDER BY row"
    for row, shown in connection.execute(query).fetchall():
        findings.add(row, check.column, shown.strip(), *check.told)


def _of_labels(layout: Layout) -> Iterator[Check]:
    parties = [party.code for party in layout.rules.parties]
    yield Check("contract = ''", "contract", rating_faults.NO_CONTRACT)
    yield Check(f"party NOT IN {listed(parties)}", "party", rating_faults.unknown(parties))
    yield Check(f"held = {FAULTY}", "held", rating_faults.NEITHER)


def _of_wide(layout: Layout) -> Iterator[Check]:
    rules, measured = layout.rules, measured_criteria(layout.rules)
    parties = listed(party.code for party in rules.parties)
    asked = [f"g{k} IS NOT NULL" for k in layout.given if not measured[k]]
    if asked:
        yield Check(f"rater = '' AND ({' OR '.join(asked)})", "rater", rating_faults.NO_RATER)
    for k in layout.given:
        criterion = rules.criteria[k]
        faulty = f"g{k} = {FAULTY}" if levels_of(rules, criterion) else f"isnan(g{k})"
        yield Check(faulty, criterion.code, rating_faults.off_scale(criterion, rules))
        stranger = f"g{k} IS NOT NULL AND party <> {text(criterion.party)} AND party IN {parties}"
        yield Check(stranger, criterion.code, rating_faults.STRANGER)


def _of_long(layout: Layout) -> Iterator[Check]:
    rules, measured = layout.rules, measured_criteria(layout.rules)
    codes = [criterion.code for criterion in rules.criteria]
    yield Check(f"criterion NOT IN {listed(codes)}", "criterion", rating_faults.unknown(codes))
    own = " OR ".join(
        f"(party = {text(p.code)} AND criterion IN {listed(c.code for c in rules.criteria_for(p.code))})"
        for p in rules.parties
        if rules.criteria_for(p.code)
    )
    known = f"criterion IN {listed(codes)} AND party IN {listed(party.code for party in rules.parties)}"
    yield Check(f"{known} AND NOT ({own})", "criterion", rating_faults.STRANGER)
    asked = [code for code, aside in zip(codes, measured, strict=True) if not aside]
    if asked:
        yield Check(f"rater = '' AND criterion IN {listed(asked)}", "rater", rating_faults.NO_RATER)
    for criterion in rules.criteria:
        top = levels_of(rules, criterion)
        right = f"value BETWEEN 1 AND {top} AND value = floor(value)" if top else "NOT isnan(value)"
        if top and criterion.not_applicable:
            right = f"({right}) OR isinf(value)"
        wrong = f"criterion = {text(criterion.code)} AND (value IS NULL OR NOT ({right}))"
        yield Check(wrong, "value", rating_faults.off_scale(criterion, rules))


def refuse_doubles(connection: DuckDBPyConnection, layout: Layout, findings: Findings) -> None:
    """A rater answers a criterion once; a measured value belongs to the contract, whoever wrote it down.

    Raises:
        FilesFaulty: with the rows, up to 100.
    """
    rules, measured = layout.rules, measured_criteria(layout.rules)
    if layout.wide:
        _doubles(connection, "(contract, party, rater)", "rater <> ''", findings)
        for k in [k for k in layout.given if measured[k]]:
            _doubles(connection, f"(contract, {k})", f"g{k} IS NOT NULL", findings)
    else:
        aside = [c.code for c, alone in zip(rules.criteria, measured, strict=True) if alone]
        rater = f"CASE WHEN criterion IN {listed(aside)} THEN '' ELSE rater END" if aside else "rater"
        _doubles(connection, f"(contract, criterion, {rater})", "true", findings)
    findings.raise_if_any()


def _doubles(connection: DuckDBPyConnection, key: str, among: str, findings: Findings) -> None:
    """Rows that share a key: those that share its hash are looked for first, for a hash takes 8 bytes."""
    among = f"held = 0 AND {among}"
    (count,) = connection.execute(f"SELECT count(*) FROM cells WHERE {among}").fetchone() or (0,)
    parts = 1 + count // _KEYS_AT_ONCE
    for part in range(parts):
        chosen = f"{among} AND hash{key} % {parts} = {part}" if parts > 1 else among
        hashes = connection.execute(f"SELECT hash{key} AS h FROM cells WHERE {chosen}").fetchnumpy()["h"]
        hashes.sort()
        again = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])[: MOST + 1].tolist()
        if again:
            alike = ", ".join(map(str, again))
            rows = connection.execute(
                f"SELECT {key}, row FROM cells WHERE {among} AND hash{key} IN ({alike}) ORDER BY row"
            ).fetchall()
            seen: dict[tuple[object, ...], int] = {}
            for values, row in rows:
                if values in seen:
                    findings.add(row, "", "", *rating_faults.twice(seen[values]))
                seen[values] = row
