"""A cycle's rows as the scoring core wants them: `Inputs` in one canonical order, and their fingerprint."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from flask_babel import gettext as _
from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session, joinedload

from evalsys.base.errors import Invalid
from evalsys.evaluation import aggregations
from evalsys.evaluation.aggregations import levels_of
from evalsys.registry.models import Contract, Cycle, Entry, Stratum
from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Integers
from evalsys.scoring.inputs import NOT_APPLICABLE_LEVEL, Frames, Inputs, LevelCounts, Moments

Counted = tuple[int, str, str, float | None, int]
"""entry, mode, criterion, value (None: not applicable), count"""


def entries_of(session: Session, cycle: Cycle) -> list[Entry]:
    """The cycle's entries with their contracts and vendors, in the order of the contracts' references."""
    found = session.scalars(
        select(Entry)
        .where(Entry.cycle_id == cycle.id)
        .options(joinedload(Entry.contract).joinedload(Contract.vendor))
        .execution_options(populate_existing=True)
    ).all()
    return sorted(found, key=lambda entry: entry.contract.reference)  # not by SQL: collations differ


@dataclass(frozen=True)
class _Places:
    """Where an entry, a mode and a stratum stand in the lists of `Inputs`."""

    entry: dict[int, int]
    mode: dict[str, int]
    stratum: dict[int | None, int]


def inputs_of(session: Session, cycle: Cycle, rules: Rules) -> Inputs:
    """Read a cycle into arrays; the same rows in the database give the same arrays on every engine.

    Raises:
        Invalid: a rating's level, or its criterion, is unknown to the rules.
    """
    entries = entries_of(session, cycle)
    contracts = [entry.contract for entry in entries]
    counted = _counted(session, cycle, rules)
    summed = _summed(session, cycle, rules, counted, sorted({contract.service_type for contract in contracts}))
    strata = session.scalars(select(Stratum).join(Entry).where(Entry.cycle_id == cycle.id)).all()
    labels = {stratum.id: json.dumps([stratum.township, stratum.item], ensure_ascii=False) for stratum in strata}
    modes, names = sorted({row[1] for _p, row in counted}), sorted({"", *labels.values()})
    places = _Places(
        entry={entry.id: n for n, entry in enumerate(entries)},
        mode={mode: n for n, mode in enumerate(modes)},
        stratum={None: 0} | {number: names.index(label) for number, label in labels.items()},
    )
    vendors = sorted({contract.vendor.credit_code for contract in contracts})
    groups = [rules.peer_group_of(contract.service_type) for contract in contracts]
    peer_groups = sorted(set(groups))
    return Inputs(
        parties=tuple(party.code for party in rules.parties),
        dimensions=tuple(dimension.code for dimension in rules.dimensions),
        criteria=tuple(criterion.code for criterion in rules.criteria),
        modes=tuple(modes),
        strata=tuple(names),
        contracts=tuple(contract.reference for contract in contracts),
        vendors=tuple(vendors),
        peer_groups=tuple(peer_groups),
        vendor=_whole(vendors.index(contract.vendor.credit_code) for contract in contracts),
        peer_group=_whole(peer_groups.index(group) for group in groups),
        amount=np.array([contract.amount_fen for contract in contracts], dtype=np.float64),
        served=np.array([contract.recipients_served for contract in contracts], dtype=np.float64),
        levels=_levels(counted, places, rules),
        moments=_moments(summed, places, len(rules.dimensions)),
        frames=_frames(strata, entries, places),
    )


def _counted(session: Session, cycle: Cycle, rules: Rules) -> list[tuple[int, Counted]]:
    """Level counts with the position of their party."""
    counted = [
        (p, (row.entry_id, row.mode, row.criterion, row.value, row.count_))
        for p, party in enumerate(rules.parties)
        for row in session.execute(aggregations.level_counts(cycle.id, party.code))
    ]
    _refuse_unknown(counted, rules)
    return counted


def _refuse_unknown(counted: Iterable[tuple[int, Counted]], rules: Rules) -> None:
    known = {(criterion.code, criterion.party) for criterion in rules.criteria}
    faulty: dict[str, int] = {}
    for p, (_entry, _mode, code, value, count) in counted:
        levels = levels_of(rules, code) if (code, rules.parties[p].code) in known else -1
        if levels < 0 or (levels and value is not None and value not in range(1, levels + 1)):
            what = f"{code} = {'—' if value is None else format(value, 'g')}"
            faulty[what] = faulty.get(what, 0) + count
    if faulty:
        raise Invalid(
            _("Some ratings do not fit the rules of the cycle."),
            remedy=_("Pin the rules under which they were collected, or replace the import they came from."),
            details=[_("%(what)s: %(count)s times", what=what, count=faulty[what]) for what in sorted(faulty)[:20]],
        )


def _summed(
    session: Session,
    cycle: Cycle,
    rules: Rules,
    counted: Iterable[tuple[int, Counted]],
    service_types: Sequence[str],
) -> list[tuple[int, RowMapping]]:
    """Moments with the position of their party."""
    measured = {
        (code, value)
        for _p, (_entry, _mode, code, value, _count) in counted
        if value is not None and not levels_of(rules, code)
    }
    worth = aggregations.worth_of_measured(rules, sorted(measured))
    return [
        (p, row)
        for p, party in enumerate(rules.parties)
        for row in session.execute(
            aggregations.moments(cycle.id, party.code, rules, service_types=service_types, worth=worth)
        ).mappings()
    ]


def _levels(counted: Iterable[tuple[int, Counted]], places: _Places, rules: Rules) -> LevelCounts:
    criteria = [criterion.code for criterion in rules.criteria]
    rows = sorted(
        (
            places.entry[entry],
            p,
            places.mode[mode],
            criteria.index(code),
            NOT_APPLICABLE_LEVEL if value is None else int(value),
            count,
        )
        for p, (entry, mode, code, value, count) in counted
        if levels_of(rules, code)
    )
    return LevelCounts(*(_whole(column) for column in _columns(rows, 6)))


def _moments(summed: Iterable[tuple[int, RowMapping]], places: _Places, dimensions: int) -> Moments:
    both = range(dimensions)
    rows = sorted(
        (
            places.entry[row["entry_id"]],
            p,
            places.mode[row["mode"]],
            places.stratum[row["stratum_id"]],
            row["respondents"],
            [[row[f"n_{min(i, j)}_{max(i, j)}"] for j in both] for i in both],
            [[row[f"y_{i}_{j}"] for j in both] for i in both],
            [[row[f"yy_{min(i, j)}_{max(i, j)}"] for j in both] for i in both],
        )
        for p, row in summed
    )
    columns = _columns(rows, 8)
    flat = [_whole(column) for column in columns[:5]]
    cubes = [np.array(column, dtype=np.int64).reshape(len(rows), dimensions, dimensions) for column in columns[5:]]
    return Moments(*flat, *cubes)


def _frames(strata: Iterable[Stratum], entries: Sequence[Entry], places: _Places) -> Frames:
    """The sizes of the strata; where none is kept, the recipients the contract says it serves."""
    rows = [(places.entry[stratum.entry_id], places.stratum[stratum.id], stratum.size) for stratum in strata]
    framed = {contract for contract, _stratum, _size in rows}
    rows += [
        (n, places.stratum[None], entry.contract.recipients_served)
        for n, entry in enumerate(entries)
        if n not in framed and entry.contract.recipients_served > 0
    ]
    return Frames(*(_whole(column) for column in _columns(sorted(rows), 3)))


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return [[row[n] for row in rows] for n in range(count)]


def _whole(values: Iterable[int]) -> Integers:
    return np.array(list(values), dtype=np.int64)


def fingerprint(inputs: Inputs) -> str:
    """SHA-256 of the inputs written as JSON with sorted keys, so that anybody can compute it again."""
    text = json.dumps(_plain(inputs), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value
