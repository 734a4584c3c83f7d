"""A cycle's rows as the scoring core wants them: `Inputs` in one canonical order, and their fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from evalsys.evaluation.aggregations import MODES, Scope
from evalsys.evaluation.kept_sums import current_sums
from evalsys.evaluation.sums import Sums, add_up, order_of, rater_label
from evalsys.registry.models import Contract, Cycle, Entry, Stratum
from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Integers
from evalsys.scoring.inputs import Frames, Inputs, Judged, LevelCounts, Moments

_NO_STRATUM = ("", "")


def entries_of(session: Session, cycle: Cycle) -> list[Entry]:
    """The cycle's entries with their contracts and vendors, in the order of the contracts' references."""
    found = session.scalars(
        select(Entry)
        .where(Entry.cycle_id == cycle.id)
        .options(joinedload(Entry.contract).joinedload(Contract.vendor))
        .execution_options(populate_existing=True)
    ).all()
    return sorted(found, key=lambda entry: entry.contract.reference)  # not by SQL: collations differ


def inputs_of(
    session: Session,
    cycle: Cycle,
    rules: Rules,
    *,
    entries: Collection[int] | None = None,
    with_held: bool = False,
    keep: bool = False,
) -> Inputs:
    """Read a cycle into arrays; the same rows in the database give the same arrays on every engine.

    A whole cycle without held ratings is read from what was kept of it, as far as nothing changed since.

    Args:
        session: reads.
        cycle: whose entries.
        rules: what the ratings mean.
        entries: ids of the only ones to read; all where not given.
        with_held: count held ratings too.
        keep: keep what had to be read for the next time; the session writes.

    Raises:
        Invalid: a rating's level, or its criterion, is unknown to the rules.
    """
    wanted = [entry for entry in entries_of(session, cycle) if entries is None or entry.id in entries]
    kinds = {entry.id: entry.contract.service_type for entry in wanted}
    if entries is None and not with_held:
        sums = current_sums(session, cycle.id, rules, kinds, keep=keep)
    else:
        scope = Scope(cycle.id, None if entries is None else sorted(entries), with_held)
        sums = add_up(session, scope, rules, kinds)
    return assemble(session, cycle, rules, wanted, sums)


def assemble(session: Session, cycle: Cycle, rules: Rules, entries: Sequence[Entry], sums: Sums) -> Inputs:
    """Put the sums of some entries, given in the order of their contracts, beside what the registry says of them."""
    contracts = [entry.contract for entry in entries]
    place = {entry.id: n for n, entry in enumerate(entries)}
    found = session.execute(
        select(Stratum.id, Stratum.entry_id, Stratum.township, Stratum.item, Stratum.size)
        .join(Entry)
        .where(Entry.cycle_id == cycle.id)
    )
    strata = [one for one in found if one.entry_id in place]
    parts = sorted({_NO_STRATUM, *((one.township, one.item) for one in strata)})
    part = {pair: n for n, pair in enumerate(parts)}
    stratum = {0: part[_NO_STRATUM]} | {one.id: part[one.township, one.item] for one in strata}
    used = sorted(np.union1d(sums.levels[:, 2], sums.moments[:, 2]).tolist(), key=lambda n: MODES[n])
    mode = {number: n for n, number in enumerate(used)}
    raters = sorted(set(sums.judged[:, 1].tolist()), key=rater_label)
    vendors, vendor = _codes(contract.vendor.credit_code for contract in contracts)
    groups, group = _codes(rules.peer_group_of(contract.service_type) for contract in contracts)
    return Inputs(
        parties=tuple(party.code for party in rules.parties),
        dimensions=tuple(dimension.code for dimension in rules.dimensions),
        criteria=tuple(criterion.code for criterion in rules.criteria),
        modes=tuple(MODES[number] for number in used),
        strata=tuple(json.dumps(pair, ensure_ascii=False) if any(pair) else "" for pair in parts),
        parts=tuple(parts),
        contracts=tuple(contract.reference for contract in contracts),
        vendors=vendors,
        peer_groups=groups,
        vendor=vendor,
        peer_group=group,
        amount=np.array([contract.amount_fen for contract in contracts], dtype=np.float64),
        served=np.array([contract.recipients_served for contract in contracts], dtype=np.float64),
        levels=_levels(sums.levels, place, mode),
        moments=_moments(sums.moments, place, mode, stratum, len(rules.dimensions) + len(rules.adjusters)),
        frames=_frames([(place[one.entry_id], stratum[one.id], one.size) for one in strata], entries, stratum[0]),
        adjusters=rules.adjusters,
        raters=tuple(rater_label(rater) for rater in raters),
        judged=None if rules.severity is None else _judged(sums.judged, place, raters),
    )


def _codes(codes: Iterable[str]) -> tuple[tuple[str, ...], Integers]:
    """Each code once, ascending, and the position of every one given."""
    given = list(codes)
    known = sorted(set(given))
    place = {code: n for n, code in enumerate(known)}
    return tuple(known), np.array([place[code] for code in given], dtype=np.int64)


def _levels(rows: Integers, place: dict[int, int], mode: dict[int, int]) -> LevelCounts:
    keys = [_moved(rows[:, 0], place), rows[:, 1], _moved(rows[:, 2], mode), rows[:, 3], rows[:, 4]]
    return LevelCounts(*_ascending(keys, rows[:, 5:]).T)


def _moments(
    rows: Integers, place: dict[int, int], mode: dict[int, int], stratum: dict[int, int], columns: int
) -> Moments:
    keys = [_moved(rows[:, 0], place), rows[:, 1], _moved(rows[:, 2], mode), _moved(rows[:, 3], stratum)]
    rows = _ascending(keys, rows[:, 4:])
    cubes = np.ascontiguousarray(rows[:, 5:]).reshape(len(rows), 3, columns, columns)
    contract, party, how, where, respondents = rows[:, :5].T
    return Moments(contract, party, how, where, respondents, cubes[:, 0], cubes[:, 1], cubes[:, 2])


def _judged(rows: Integers, place: dict[int, int], raters: Sequence[int]) -> Judged:
    keys = [_moved(rows[:, 0], place), _moved(rows[:, 1], {rater: n for n, rater in enumerate(raters)})]
    rows = _ascending(keys, rows[:, 2:])
    sums = rows[:, 2:].reshape(len(rows), 3, (rows.shape[1] - 2) // 3)
    return Judged(rows[:, 0], rows[:, 1], sums[:, 0], sums[:, 1], sums[:, 2])


def _frames(rows: list[tuple[int, int, int]], entries: Sequence[Entry], anywhere: int) -> Frames:
    """The sizes of the strata; where none is kept, the recipients the contract says it serves."""
    framed = {contract for contract, _stratum, _size in rows}
    rows = rows + [
        (n, anywhere, entry.contract.recipients_served)
        for n, entry in enumerate(entries)
        if n not in framed and entry.contract.recipients_served > 0
    ]
    return Frames(*np.array(sorted(rows), dtype=np.int64).reshape(-1, 3).T)


def _moved(values: Integers, places: dict[int, int]) -> Integers:
    """Where each value stands."""
    known = sorted(places)
    targets = np.array([places[value] for value in known], dtype=np.int64)
    moved: Integers = targets[np.searchsorted(np.array(known, dtype=np.int64), values)]
    return moved


def _ascending(keys: Sequence[Integers], rest: Integers) -> Integers:
    """The rows beside their keys, sorted by them."""
    table = np.column_stack([*keys, rest])
    return table[order_of(table[:, : len(keys)])]


def fingerprint(inputs: Inputs) -> str:
    """SHA-256 of the inputs, so that anybody can compute it again.

    Field for field by name, the names ascending: texts as JSON, an array as its shape in JSON followed by its numbers,
    64 bits each, the lowest byte first.
    """
    digest = hashlib.sha256()
    _digest_fields(digest, inputs)
    return digest.hexdigest()


def _digest_fields(digest: Any, table: Any) -> None:
    for name in sorted(field.name for field in fields(table)):
        value = getattr(table, name)
        digest.update(f"{name}:".encode())
        if is_dataclass(value):
            _digest_fields(digest, value)
        elif isinstance(value, np.ndarray):
            digest.update(json.dumps(value.shape).encode())
            digest.update(np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("<")).tobytes())
        else:
            digest.update(json.dumps(value, ensure_ascii=False).encode())
