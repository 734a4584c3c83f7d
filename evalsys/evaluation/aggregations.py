"""What the database adds up for step 0: each rater's answers to all questions, as one row of whole numbers.

The select runs unchanged on SQLite, PostgreSQL and DuckDB, and reads every rating once. Four bits of a number hold one
answer: 0 = none, 1 to 11 = the level, 15 = not applicable. `evaluation.sums` counts and sums what comes, exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    String,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
)

from evalsys.collection.models import Assessment, AssessmentRating, AssessmentState, Mode, Response, ResponseRating
from evalsys.registry.models import Entry
from evalsys.rules.model import Criterion, LevelScale, Rules, YesNoScale
from evalsys.scoring.cells import SAMPLED

MODES = ("", *(mode.value for mode in Mode))
"""How answers come; a select gives the position. The first is that of appointed raters."""

NOT_APPLICABLE = 15
"""What the four bits of an answer hold for "not applicable"."""

_ANSWERS_IN_A_NUMBER = 15
_ENTRIES_AT_ONCE = 10_000  # named in one statement; PostgreSQL takes 65,535 parameters, SQLite 32,766


def levels_of(rules: Rules, code: str) -> int:
    """How many levels a criterion's scale has; 0 for a measured one."""
    scale = rules.scale_of(rules.criterion(code))
    if isinstance(scale, YesNoScale):
        return 2
    return len(scale.levels) if isinstance(scale, LevelScale) else 0


@dataclass(frozen=True)
class Sheet:
    """A party's questions, and where the answer to each stands.

    Attributes:
        party: code.
        criteria: all of the party's, in the order of the rules.
        levels: of each; 0 for a measured one, whose value has a column of its own.
    """

    party: str
    criteria: tuple[Criterion, ...]
    levels: tuple[int, ...]

    @property
    def numbers(self) -> int:
        """How many whole numbers hold the answers."""
        return -(-len(self.criteria) // _ANSWERS_IN_A_NUMBER)

    @property
    def measured(self) -> tuple[str, ...]:
        """Codes of the measured criteria."""
        return tuple(c.code for c, levels in zip(self.criteria, self.levels, strict=True) if not levels)

    def place(self, n: int) -> tuple[int, int]:
        """The number that holds the answer to the nth question, and by how many bits it is shifted there."""
        return n // _ANSWERS_IN_A_NUMBER, 4 * (n % _ANSWERS_IN_A_NUMBER)


def sheet_of(rules: Rules, party: str) -> Sheet:
    """The questions of a party."""
    criteria = rules.criteria_for(party)
    return Sheet(party, criteria, tuple(levels_of(rules, criterion.code) for criterion in criteria))


@dataclass(frozen=True)
class Scope:
    """Which ratings are read: a cycle's, or those of some of its entries; held ones only where asked for."""

    cycle_id: int
    entries: Sequence[int] | None = None
    with_held: bool = False

    def parts(self) -> list[Scope]:
        """Scopes that one statement each can name."""
        if self.entries is None:
            return [self]
        starts = range(0, len(self.entries), _ENTRIES_AT_ONCE)
        return [replace(self, entries=self.entries[start : start + _ENTRIES_AT_ONCE]) for start in starts]

    def holds(self, table: type[Response] | type[Assessment]) -> list[ColumnElement[bool]]:
        """The conditions."""
        whole = select(Entry.id).where(Entry.cycle_id == self.cycle_id)
        inside = table.entry_id.in_(whole if self.entries is None else self.entries)
        return [inside] if self.with_held else [inside, ~table.held]


def ratings(scope: Scope, party: str) -> FromClause:
    """Every rating of a party that counts: rater, entry_id, mode, stratum_id, criterion, value.

    `value` is null where the rater said that the criterion does not apply; what was left blank has no row.
    """
    if party == SAMPLED:
        answered = (
            select(
                Response.key.label("rater"),
                Response.entry_id.label("entry_id"),
                Response.mode.label("mode"),
                Response.stratum_id.label("stratum_id"),
                ResponseRating.criterion.label("criterion"),
                ResponseRating.value.label("value"),
            )
            .join(ResponseRating, ResponseRating.response_key == Response.key)
            .where(*scope.holds(Response))
        )
        return answered.subquery("rating")
    judged = (
        select(
            Assessment.id.label("rater"),
            Assessment.entry_id.label("entry_id"),
            cast("", String).label("mode"),
            cast(null(), BigInteger).label("stratum_id"),
            AssessmentRating.criterion.label("criterion"),
            AssessmentRating.value.label("value"),
        )
        .join(AssessmentRating, AssessmentRating.assessment_id == Assessment.id)
        .where(
            *scope.holds(Assessment),
            Assessment.party == party,
            Assessment.state == AssessmentState.SUBMITTED.value,
            AssessmentRating.not_applicable | AssessmentRating.value.is_not(None),
        )
    )
    return judged.subquery("rating")


def answers(scope: Scope, sheet: Sheet) -> Select[Any]:
    """One row a rater: entry, rater (0 for a recipient), mode, stratum (0 = none), ratings, the numbers, the values.

    `ratings` counts all rows, so that one which fits no question of the sheet shows.
    """
    rating = ratings(scope, sheet.party)
    keys = (rating.c.rater, rating.c.entry_id, rating.c.mode, rating.c.stratum_id)
    of = rating.c.criterion
    numbers = []
    for number in range(sheet.numbers):
        parts = {
            criterion.code: _answer(rating.c.value, levels, 1 << shift)
            for n, (criterion, levels) in enumerate(zip(sheet.criteria, sheet.levels, strict=True))
            for where, shift in [sheet.place(n)]
            if where == number
        }
        numbers.append(cast(func.coalesce(func.sum(case(parts, value=of)), 0), BigInteger))
    return select(
        rating.c.entry_id,
        literal(0) if sheet.party == SAMPLED else rating.c.rater,
        case({mode: n for n, mode in enumerate(MODES)}, value=rating.c.mode),
        func.coalesce(rating.c.stratum_id, 0),
        func.count(),
        *numbers,
        *(func.max(case((of == code, rating.c.value))) for code in sheet.measured),
    ).group_by(*keys)


def _answer(value: ColumnElement[float], levels: int, unit: int) -> ColumnElement[int]:
    """Four bits, shifted: nothing at all for a value that is no level of the scale."""
    absent = literal_column(str(NOT_APPLICABLE * unit), BigInteger)
    if not levels:
        return case((value.is_(None), absent), else_=literal_column(str(unit), BigInteger))
    given = {float(level): literal_column(str(level * unit), BigInteger) for level in range(1, levels + 1)}
    return case(given, value=value, else_=case((value.is_(None), absent)))


def values_given(scope: Scope, party: str) -> Select[Any]:
    """How often each value was given to each criterion: what names ratings that do not fit the rules."""
    rating = ratings(scope, party)
    return select(rating.c.criterion, rating.c.value, func.count()).group_by(rating.c.criterion, rating.c.value)
