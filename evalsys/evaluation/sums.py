"""Counts and exact sums of each entry's answers, by the database's own ids: what step 0 keeps of all ratings."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.errors import Invalid
from evalsys.collection.models import Assessment
from evalsys.evaluation.aggregations import (
    MODES,
    NOT_APPLICABLE,
    Scope,
    Sheet,
    answers,
    levels_of,
    sheet_of,
    values_given,
)
from evalsys.rules.model import Criterion, Rules
from evalsys.scoring import composite
from evalsys.scoring.arrays import Flags, Integers, Vector
from evalsys.scoring.composite import composites, scheme
from evalsys.scoring.inputs import NOT_APPLICABLE_LEVEL, moments_of

AT_ONCE = 250_000
"""Raters whose answers are held in memory together."""

_FAULTS_TOLD = 20


@dataclass(frozen=True, eq=False)
class Sums:
    """Three tables of whole numbers, each row once, ascending.

    Attributes:
        levels: shape (rows, 6): entry, party, mode, criterion, level, count; level 0 is "not applicable".
        moments: shape (rows, 5 + 3 columns²): entry, party, mode, stratum, respondents, then n, y and yy.
        judged: shape (rows, 2 + 3 dimensions): entry, rater, then n, y and yy; no row where raters are not told apart.

    Parties, criteria and modes are positions (in the rules, in `MODES`), entries and strata ids (0: no stratum). A
    rater is an account's id, or below 0 the digest of a file's label.
    """

    levels: Integers
    moments: Integers
    judged: Integers


def add_up(session: Session, scope: Scope, rules: Rules, kinds: Mapping[int, str]) -> Sums:
    """Read the ratings in scope, once each.

    Args:
        session: reads.
        scope: which ratings.
        rules: their criteria and weights.
        kinds: service type of every entry in scope.

    Raises:
        Invalid: a rating's level, or its criterion, is unknown to the rules.
    """
    entries = _Entries(np.array(sorted(kinds), dtype=np.int64), tuple(kinds[entry] for entry in sorted(kinds)))
    total = nothing(len(rules.dimensions) + len(rules.adjusters), len(rules.dimensions))
    for part in scope.parts():
        for p in range(len(rules.parties)):
            for found in _of_party(session, part, rules, p, entries):
                total = _merged(total, found)
    return total


def _of_party(session: Session, scope: Scope, rules: Rules, p: int, entries: _Entries) -> Iterator[Sums]:
    """A party's sums, so many raters at a time."""
    party, dimensions = rules.parties[p].code, len(rules.dimensions)
    sheet = sheet_of(rules, party)
    told_apart = rules.severity is not None and rules.severity.party == party
    raters = _raters(session, scope, party) if told_apart else {}
    for read in _read(session, scope, rules, sheet):
        values = _composites(read, rules, sheet, entries)
        yield Sums(
            levels=_levels(read, p, rules, sheet),
            moments=_moments(values, read, p, rules),
            judged=_judged(values, read, raters, dimensions) if told_apart else nothing(0, dimensions).judged,
        )


def nothing(columns: int, dimensions: int) -> Sums:
    """No answers at all."""
    return Sums(*(np.zeros((0, width), dtype=np.int64) for width in (6, 5 + 3 * columns**2, 2 + 3 * dimensions)))


def rater_label(rater: int) -> str:
    """A rater's label in the inputs: stable from run to run, and no name."""
    return f"account:{rater}" if rater > 0 else f"file:{-rater:014x}"


def label_of(account: int | None, label: str | None) -> str:
    """`rater_label` of an account, or of the name that a file gives a rater."""
    return rater_label(account if account is not None else -_digest(label or ""))


@dataclass(frozen=True, eq=False)
class _Entries:
    ids: Integers
    kinds: tuple[str, ...]

    def asked(self, entry: Integers, service_types: tuple[str, ...]) -> Flags:
        """Whether a criterion of these service types is asked of each entry; none named: of all."""
        if not service_types:
            return np.ones(len(entry), dtype=np.bool_)
        asked = np.array([kind in service_types for kind in self.kinds], dtype=np.bool_)
        result: Flags = asked[np.searchsorted(self.ids, entry)]
        return result


@dataclass(frozen=True, eq=False)
class _Read:
    """Raters and their answers; shape (raters,) each, `answer` and `value` a list of such."""

    entry: Integers
    rater: Integers
    mode: Integers
    stratum: Integers
    answer: list[Integers]
    value: dict[str, Vector]


def _read(session: Session, scope: Scope, rules: Rules, sheet: Sheet) -> Iterator[_Read]:
    found = session.execute(answers(scope, sheet), execution_options={"stream_results": True})
    for rows in found.partitions(AT_ONCE):
        columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True))
        whole = (np.array(column, dtype=np.int64) for column in columns[: 5 + sheet.numbers])
        values = [np.array(column, dtype=np.float64) for column in columns[5 + sheet.numbers :]]
        entry, rater, mode, stratum, count, *numbers = whole
        answer = [(numbers[number] >> shift) & 15 for number, shift in map(sheet.place, range(len(sheet.criteria)))]
        fitting = sum((one > 0 for one in answer), start=np.zeros(len(rows), dtype=np.int64))
        if (fitting != count).any() or any(np.isinf(value).any() for value in values):
            _refuse(session, scope, rules)
        yield _Read(entry, rater, mode, stratum, answer, dict(zip(sheet.measured, values, strict=True)))


def _refuse(session: Session, scope: Scope, rules: Rules) -> NoReturn:
    faulty: dict[str, int] = {}
    for party in rules.parties:
        levels = {criterion.code: levels_of(rules, criterion.code) for criterion in rules.criteria_for(party.code)}
        for code, value, count in session.execute(values_given(scope, party.code)):
            if not _fits(value, levels.get(code)):
                what = f"{code} = {'—' if value is None else format(value, 'g')}"
                faulty[what] = faulty.get(what, 0) + count
    raise Invalid(
        _("Some ratings do not fit the rules of the cycle."),
        remedy=_("Pin the rules under which they were collected, or replace the import they came from."),
        details=[
            _("%(what)s: %(count)s times", what=what, count=faulty[what]) for what in sorted(faulty)[:_FAULTS_TOLD]
        ],
    )


def _fits(value: float | None, levels: int | None) -> bool:
    """Whether a value is one of so many levels; 0 for a measured one; None: there is no such question."""
    if levels is None or value is None:
        return levels is not None
    return value in range(1, levels + 1) if levels else not math.isinf(value)


def _raters(session: Session, scope: Scope, party: str) -> dict[int, int]:
    """Who made each assessment."""
    made = select(Assessment.id, Assessment.account_id, Assessment.rater_label).where(
        *scope.holds(Assessment), Assessment.party == party
    )
    return {
        assessment: account if account is not None else -_digest(label or "")
        for assessment, account, label in session.execute(made)
    }


def _digest(label: str) -> int:
    return int.from_bytes(hashlib.sha256(label.encode()).digest()[:7])


def _levels(read: _Read, party: int, rules: Rules, sheet: Sheet) -> Integers:
    """How often each level was given."""
    keys, cell = np.unique(read.entry * len(MODES) + read.mode, return_inverse=True)
    places = {criterion.code: place for place, criterion in enumerate(rules.criteria)}
    parts = [nothing(0, 0).levels]
    for criterion, levels, answer in zip(sheet.criteria, sheet.levels, read.answer, strict=True):
        if not levels:
            continue
        counts = np.bincount(cell * 16 + answer, minlength=16 * len(keys)).reshape(-1, 16)
        counts[:, 0] = 0
        where, level = np.nonzero(counts)
        rows = np.empty((len(where), 6), dtype=np.int64)
        rows[:, 0], rows[:, 1], rows[:, 2] = keys[where] // len(MODES), party, keys[where] % len(MODES)
        rows[:, 3], rows[:, 4] = places[criterion.code], np.where(level == NOT_APPLICABLE, NOT_APPLICABLE_LEVEL, level)
        rows[:, 5] = counts[where, level]
        parts.append(rows)
    return np.concatenate(parts)


def _moments(values: Integers, read: _Read, party: int, rules: Rules) -> Integers:
    cells, cell = _distinct(np.stack([read.entry, read.mode, read.stratum], axis=1))
    respondents, n, y, yy = moments_of(values, cell, len(cells), adjusters=len(rules.adjusters))
    keys = [cells[:, 0], np.full(len(cells), party, dtype=np.int64), cells[:, 1], cells[:, 2], respondents]
    rows = np.column_stack([*keys, *(one.reshape(len(cells), -1) for one in (n, y, yy))])
    return rows[n.any(axis=(1, 2))]


def _judged(values: Integers, read: _Read, raters: Mapping[int, int], dimensions: int) -> Integers:
    """The sums of each rater."""
    who = np.array([raters[assessment] for assessment in read.rater.tolist()], dtype=np.int64)
    pairs, pair = _distinct(np.stack([read.entry, who], axis=1))
    _respondents, n, y, yy = moments_of(values[:, :dimensions], pair, len(pairs))
    own = [np.diagonal(one, axis1=1, axis2=2) for one in (n, y, yy)]
    return np.concatenate([pairs, *own], axis=1)[own[0].any(axis=1)]


def _composites(read: _Read, rules: Rules, sheet: Sheet, entries: _Entries) -> Integers:
    how = scheme(rules, sheet.party)
    codes = [criterion.code for criterion in sheet.criteria]
    points = np.empty((len(read.entry), len(how.criteria)), dtype=np.int32)
    for column, criterion in enumerate(how.criteria):
        if levels_of(rules, criterion.code):
            earned = _worth(rules, criterion)[read.answer[codes.index(criterion.code)]]
        else:
            earned = composite.answer_points(rules.scale_of(criterion), read.value[criterion.code])
        asked = entries.asked(read.entry, criterion.service_types)
        points[:, column] = np.where(asked, earned, composite.NOT_APPLICABLE)
    values = composites(points, how)
    values[(values[:, : len(rules.dimensions)] < 0).all(axis=1)] = composite.MISSING  # adjusters alone tell nothing
    return values


def _worth(rules: Rules, criterion: Criterion) -> Integers:
    """What each of the sixteen an answer may be is worth."""
    levels = np.arange(1, levels_of(rules, criterion.code) + 1)
    worth = np.full(16, composite.MISSING, dtype=np.int64)
    worth[levels] = composite.answer_points(rules.scale_of(criterion), levels)
    worth[NOT_APPLICABLE] = composite.NOT_APPLICABLE
    return worth


def _merged(first: Sums, second: Sums) -> Sums:
    """Both together, rows about the same thing added up."""
    return replace(
        first,
        levels=_added(first.levels, second.levels, keys=5),
        moments=_added(first.moments, second.moments, keys=4),
        judged=_added(first.judged, second.judged, keys=2),
    )


def _added(first: Integers, second: Integers, *, keys: int) -> Integers:
    rows = np.concatenate([first, second])
    if not len(rows):
        return rows
    cells, cell = _distinct(rows[:, :keys])
    sums = np.zeros((len(cells), rows.shape[1] - keys), dtype=np.int64)
    np.add.at(sums, cell, rows[:, keys:])
    return np.concatenate([cells, sums], axis=1)


def _distinct(rows: Integers) -> tuple[Integers, Integers]:
    """Each row once, ascending, and which of them every row is."""
    order = order_of(rows)
    ranked = rows[order]
    new = np.ones(len(rows), dtype=np.bool_)
    new[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.cumsum(new) - 1
    return ranked[new], place


def order_of(rows: Integers) -> Integers:
    """The order in which rows ascend; equal ones stay as they are."""
    if not rows.size:
        return np.arange(len(rows))
    least = rows.min(axis=0)
    spans = [int(span) for span in rows.max(axis=0) - least + 1]
    if math.prod(spans) >= 2**62:
        return np.lexsort(rows.T[::-1])
    key = np.zeros(len(rows), dtype=np.int64)  # one number a row sorts several times faster than several
    for column, span, lowest in zip(rows.T, spans, least, strict=True):
        key = key * span + (column - lowest)
    return np.argsort(key, kind="stable")
