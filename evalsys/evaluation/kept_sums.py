"""Step 0 again after a few ratings: entries of which nothing changed are not read anew.

Why a kept row is never stale. It is made from an entry's responses and assessments with their ratings, the service type
of its contract and the rules; nothing else goes into it. The rules and the service type stand in its digest. Triggers
count every change and removal of a response or its ratings, and whatever happens to an assessment or its ratings
(`EntryChange`), so at an equal count responses can only have come; then their number is another. A response's ratings
come with it, in one transaction. The digest is read before the ratings: what is written in between makes the kept row
newer than its digest, and the next reading makes it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.orm import Session

from evalsys import __version__
from evalsys.collection.models import EntryChange, Response
from evalsys.evaluation.aggregations import Scope
from evalsys.evaluation.models import KeptSums
from evalsys.evaluation.sums import Sums, add_up, nothing
from evalsys.registry.models import Entry
from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Integers

_AT_ONCE = 5000  # entries named in one statement
_FEW = 0.5  # share of a cycle's entries up to which they are read one by one

_Blobs = dict[int, bytes]


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
    mine = select(Entry.id).where(Entry.cycle_id == cycle_id)
    digests = dict(
        session.execute(select(KeptSums.entry_id, KeptSums.made_from).where(KeptSums.entry_id.in_(mine))).all()
    )
    stale = sorted(entry for entry in kinds if digests.get(entry) != made_from[entry])
    scope = Scope(cycle_id, stale if len(stale) <= _FEW * len(kinds) else None)
    if scope.entries is None:
        stale = sorted(kinds)
    fresh = add_up(session, scope, rules, kinds) if stale else nothing_of(rules)
    if keep and stale:
        _keep(session, fresh, {entry: made_from[entry] for entry in stale})
    if len(stale) == len(kinds):
        return fresh
    found = session.execute(
        select(KeptSums.entry_id, KeptSums.levels, KeptSums.moments, KeptSums.judged).where(KeptSums.entry_id.in_(mine))
    )
    unchanged = set(kinds).difference(stale)
    kept = _unpacked([row for row in found if row.entry_id in unchanged], fresh)
    return Sums(*(np.concatenate(pair) for pair in zip(_tables(kept), _tables(fresh), strict=True)))


def nothing_of(rules: Rules) -> Sums:
    """The sums of no answers."""
    return nothing(len(rules.dimensions) + len(rules.adjusters), len(rules.dimensions))


def _digests(session: Session, cycle_id: int, rules: Rules, kinds: Mapping[int, str]) -> dict[int, str]:
    """What tells one state of each entry from every other."""
    mine = select(Entry.id).where(Entry.cycle_id == cycle_id)
    responses = dict(
        session.execute(
            select(Response.entry_id, func.count()).where(Response.entry_id.in_(mine)).group_by(Response.entry_id)
        ).all()
    )
    changes = dict(
        session.execute(select(EntryChange.entry_id, EntryChange.count).where(EntryChange.entry_id.in_(mine))).all()
    )
    ground = hashlib.sha256(f"{__version__} {rules.model_dump_json()}".encode()).hexdigest()
    return {
        entry: hashlib.sha256(f"{ground} {kind} {responses.get(entry, 0)} {changes.get(entry, 0)}".encode()).hexdigest()
        for entry, kind in kinds.items()
    }


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


def _packed(table: Integers, entries: Sequence[int]) -> _Blobs:
    """Each entry's rows as bytes, without the entry; the table is ascending."""
    ends = np.searchsorted(table[:, 0], entries, side="right").tolist()
    starts = np.searchsorted(table[:, 0], entries, side="left").tolist()
    size = 8 * (table.shape[1] - 1)
    content = np.ascontiguousarray(table[:, 1:], dtype="<i8").tobytes()
    return {entry: content[size * start : size * end] for entry, start, end in zip(entries, starts, ends, strict=True)}


def _unpacked(rows: Sequence[Row[int, bytes, bytes, bytes]], like: Sums) -> Sums:
    entries = np.array([row.entry_id for row in rows], dtype=np.int64)
    tables = []
    for name in ("levels", "moments", "judged"):
        columns = getattr(like, name).shape[1] - 1
        blobs = [getattr(row, name) for row in rows]
        counts = [len(blob) // (8 * columns) for blob in blobs]
        content = np.frombuffer(b"".join(blobs), dtype="<i8").reshape(-1, columns)
        tables.append(np.column_stack([np.repeat(entries, counts), content]))
    return Sums(*tables)
