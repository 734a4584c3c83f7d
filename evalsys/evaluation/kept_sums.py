"""Step 0 again after a few ratings: entries of which nothing changed are not read anew.

Why a kept row is never stale. It is made from an entry's responses and assessments with their ratings, the service type
of its contract and the rules; nothing else goes into it. The rules and the service type stand in its digest. Triggers
count every change and removal of a response or its ratings, and whatever happens to an assessment or its ratings
(`EntryChange`), so at an equal count responses can only have come; then their number is another. A response's ratings
come with it, in one transaction. The count of changes is read first, then the number of responses, then the ratings:
what is written in between leaves a digest that no later state can have, and the next reading makes the row again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row, Select, delete, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from evalsys import __version__
from evalsys.collection.models import EntryChange, Response
from evalsys.evaluation.aggregations import Scope
from evalsys.evaluation.models import KeptSums
from evalsys.evaluation.sums import Sums, add_up
from evalsys.registry.models import Entry
from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Integers

_AT_ONCE = 5000  # entries named in one statement
_FEW = 0.5  # share of a cycle's entries up to which they are read one by one

_COLUMNS = (KeptSums.entry_id, KeptSums.made_from, KeptSums.levels, KeptSums.moments, KeptSums.judged)


def current_sums(session: Session, cycle_id: int, rules: Rules, kinds: Mapping[int, str], *, keep: bool) -> Sums:
    """A cycle's sums, reading only the ratings of entries that changed since they were kept.

    Args:
        session: reads; writes where `keep`.
        cycle_id: of the cycle.
        rules: what the ratings mean.
        kinds: service type of every entry of the cycle.
        keep: keep what was read anew for the next time.

    Raises:
        Invalid: a rating's level, or its criterion, is unknown to the rules.
    """
    made_from = _digests(session, cycle_id, rules, kinds)
    kept = [
        row
        for row in session.execute(_of_cycle(select(*_COLUMNS), KeptSums.entry_id, cycle_id))
        if row.made_from == made_from.get(row.entry_id)
    ]
    stale = set(kinds).difference(row.entry_id for row in kept)
    if len(stale) > _FEW * len(kinds):
        kept, stale, scope = [], set(kinds), Scope(cycle_id)
    else:
        scope = Scope(cycle_id, sorted(stale))
    fresh = add_up(session, scope, rules, kinds)
    if keep:
        _keep(session, fresh, {entry: made_from[entry] for entry in sorted(stale)})
    pairs = zip(_tables(_unpacked(kept, fresh)), _tables(fresh), strict=True)
    return Sums(*(np.concatenate(pair) for pair in pairs))


def _digests(session: Session, cycle_id: int, rules: Rules, kinds: Mapping[int, str]) -> dict[int, str]:
    """What tells one state of each entry from every other."""
    changes = _by_entry(session, select(EntryChange.entry_id, EntryChange.count), EntryChange.entry_id, cycle_id)
    counted = select(Response.entry_id, func.count()).group_by(Response.entry_id)
    responses = _by_entry(session, counted, Response.entry_id, cycle_id)  # last: see the module's text
    ground = hashlib.sha256(f"{__version__} {rules.model_dump_json()}".encode()).hexdigest()
    return {
        entry: hashlib.sha256(f"{ground} {kind} {responses.get(entry, 0)} {changes.get(entry, 0)}".encode()).hexdigest()
        for entry, kind in kinds.items()
    }


def _by_entry(
    session: Session, asked: Select[*tuple[Any, ...]], entry: InstrumentedAttribute[int], cycle_id: int
) -> dict[int, int]:
    return {row[0]: row[1] for row in session.execute(_of_cycle(asked, entry, cycle_id))}


def _of_cycle(
    asked: Select[*tuple[Any, ...]], entry: InstrumentedAttribute[int], cycle_id: int
) -> Select[*tuple[Any, ...]]:
    return asked.where(entry.in_(select(Entry.id).where(Entry.cycle_id == cycle_id)))


def _keep(session: Session, sums: Sums, made_from: Mapping[int, str]) -> None:
    levels, moments, judged = (_packed(table, sorted(made_from)) for table in _tables(sums))
    rows = [
        {
            "entry_id": entry,
            "made_from": digest,
            "levels": levels[entry],
            "moments": moments[entry],
            "judged": judged[entry],
        }
        for entry, digest in made_from.items()
    ]
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        session.execute(delete(KeptSums).where(KeptSums.entry_id.in_([row["entry_id"] for row in part])))
        session.execute(insert(KeptSums), part)


def _tables(sums: Sums) -> tuple[Integers, Integers, Integers]:
    return sums.levels, sums.moments, sums.judged


def _packed(table: Integers, entries: Sequence[int]) -> dict[int, bytes]:
    """Each entry's rows as bytes, without the entry; the table is ascending."""
    ends = np.searchsorted(table[:, 0], entries, side="right").tolist()
    starts = np.searchsorted(table[:, 0], entries, side="left").tolist()
    size = 8 * (table.shape[1] - 1)
    content = np.ascontiguousarray(table[:, 1:], dtype="<i8").tobytes()
    return {entry: content[size * start : size * end] for entry, start, end in zip(entries, starts, ends, strict=True)}


def _unpacked(rows: Sequence[Row[*tuple[Any, ...]]], like: Sums) -> Sums:
    entries = np.array([row.entry_id for row in rows], dtype=np.int64)
    tables = []
    for name in ("levels", "moments", "judged"):
        columns = getattr(like, name).shape[1] - 1
        blobs = [getattr(row, name) for row in rows]
        counts = [len(blob) // (8 * columns) for blob in blobs]
        content = np.frombuffer(b"".join(blobs), dtype="<i8").reshape(-1, columns)
        tables.append(np.column_stack([np.repeat(entries, counts), content]))
    return Sums(*tables)
