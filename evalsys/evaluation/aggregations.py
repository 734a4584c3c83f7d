"""Step 0 of the method: ratings become counts and exact sums, in SQL that SQLite, PostgreSQL and DuckDB run unchanged.

A respondent's composites are made in the database as `scoring.composite` makes them: points are whole millionths,
weights whole numbers, and a composite is rounded half up to thousandths by integer arithmetic, for ROUND() and the
division of whole numbers differ between engines. What the rules say stands in two small tables inside each statement:
`asked` (which criterion counts for which service type, on which dimension, with what weight, and what each level
earns) and `worth` (what a measured value earns). Held answers and drafts are counted nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnClause,
    ColumnElement,
    Double,
    FromClause,
    Label,
    Select,
    String,
    and_,
    case,
    cast,
    column,
    func,
    null,
    select,
    values,
)

from evalsys.collection.models import Assessment, AssessmentRating, AssessmentState, Response, ResponseRating
from evalsys.registry.models import Contract, Entry
from evalsys.rules.model import LevelScale, Rules, YesNoScale
from evalsys.scoring.cells import SAMPLED
from evalsys.scoring.composite import MILLION, answer_points, level_points, scheme
from evalsys.scoring.inputs import THOUSANDTHS

Whole = ColumnElement[int]


@dataclass(frozen=True)
class Worth:
    """What one value of a measured criterion earns, in millionths of a point."""

    criterion: str
    value: float
    points: int


def worth_of_measured(rules: Rules, pairs: Sequence[tuple[str, float]]) -> list[Worth]:
    """What measured values earn, computed once by the scoring core for each value that occurs."""
    return [
        Worth(code, value, int(answer_points(rules.scale_of(rules.criterion(code)), [value])[0]))
        for code, value in pairs
    ]


def levels_of(rules: Rules, code: str) -> int:
    """How many levels a criterion's scale has; 0 for a measured one."""
    scale = rules.scale_of(rules.criterion(code))
    if isinstance(scale, YesNoScale):
        return 2
    return len(scale.levels) if isinstance(scale, LevelScale) else 0


def most_levels(rules: Rules) -> int:
    """How many levels the longest scale has; at least 1."""
    return max(1, *(levels_of(rules, criterion.code) for criterion in rules.criteria))


def ratings(cycle_id: int, party: str) -> FromClause:
    """Every counted rating of a party: rater, entry_id, service_type, mode, stratum_id, criterion, value.

    `value` is null where the rater said that the criterion does not apply; what was left blank has no row.
    """
    of_cycle = Entry.cycle_id == cycle_id
    if party == SAMPLED:
        answered = (
            select(
                Response.key.label("rater"),
                Response.entry_id.label("entry_id"),
                Contract.service_type.label("service_type"),
                Response.mode.label("mode"),
                Response.stratum_id.label("stratum_id"),
                ResponseRating.criterion.label("criterion"),
                ResponseRating.value.label("value"),
            )
            .join(ResponseRating, ResponseRating.response_key == Response.key)
            .join(Entry, Entry.id == Response.entry_id)
            .join(Contract, Contract.id == Entry.contract_id)
            .where(of_cycle, ~Response.held)
        )
        return answered.subquery("rating")
    judged = (
        select(
            Assessment.id.label("rater"),
            Assessment.entry_id.label("entry_id"),
            Contract.service_type.label("service_type"),
            cast("", String).label("mode"),
            cast(null(), BigInteger).label("stratum_id"),
            AssessmentRating.criterion.label("criterion"),
            AssessmentRating.value.label("value"),
        )
        .join(AssessmentRating, AssessmentRating.assessment_id == Assessment.id)
        .join(Entry, Entry.id == Assessment.entry_id)
        .join(Contract, Contract.id == Entry.contract_id)
        .where(
            of_cycle,
            Assessment.party == party,
            Assessment.state == AssessmentState.SUBMITTED.value,
            ~Assessment.held,
            AssessmentRating.not_applicable | AssessmentRating.value.is_not(None),
        )
    )
    return judged.subquery("rating")


def level_counts(cycle_id: int, party: str) -> Select[tuple[int, str, str, float | None, int]]:
    """(a) How often each value was given: entry_id, mode, criterion, value (null = not applicable), count_."""
    rating = ratings(cycle_id, party)
    keys = (rating.c.entry_id, rating.c.mode, rating.c.criterion, rating.c.value)
    return select(*keys, func.count().label("count_")).group_by(*keys)


def moments(
    cycle_id: int, party: str, rules: Rules, *, service_types: Sequence[str], worth: Sequence[Worth]
) -> Select[tuple[int, ...]]:
    """(b) Counts and sums of a party's composites: entry_id, mode, stratum_id, respondents, then n, y and yy.

    The last are named by their dimensions' positions, `n_0_1`; those who have both dimensions are counted and summed.
    `n` and `yy` are symmetric and given once, for i ≤ j.

    Args:
        cycle_id: whose entries.
        party: code of the rules.
        rules: criteria, weights and the share that must be answered.
        service_types: those of the cycle's contracts.
        worth: what each measured value earns.
    """
    composite = _composites(cycle_id, party, rules, service_types=service_types, worth=worth).subquery("composite")
    keys = (composite.c.entry_id, composite.c.mode, composite.c.stratum_id)
    y = [composite.c[f"y{i}"] for i in range(len(rules.dimensions))]
    sums: list[Label[int]] = []
    for i, first in enumerate(y):
        for j, second in enumerate(y):
            both = and_(first.is_not(None), second.is_not(None))
            sums.append(_sum(case((both, first), else_=0)).label(f"y_{i}_{j}"))
            if i <= j:
                sums.append(_sum(case((both, 1), else_=0)).label(f"n_{i}_{j}"))
                sums.append(_sum(case((both, first * second), else_=0)).label(f"yy_{i}_{j}"))
    someone = and_(*(one.is_(None) for one in y))
    return select(*keys, _sum(case((someone, 0), else_=1)).label("respondents"), *sums).group_by(*keys)


def rater_moments(
    cycle_id: int, party: str, rules: Rules, *, service_types: Sequence[str], worth: Sequence[Worth]
) -> Select[tuple[int, ...]]:
    """(c) Counts and sums by appointed rater: account_id, rater_label, entry_id, then n, y and yy of each dimension.

    A rater is an account, or a label inside one imported file.
    """
    composite = _composites(cycle_id, party, rules, service_types=service_types, worth=worth).subquery("composite")
    keys = (Assessment.account_id, Assessment.import_id, Assessment.rater_label, composite.c.entry_id)
    sums: list[Label[int]] = []
    for i in range(len(rules.dimensions)):
        y = composite.c[f"y{i}"]
        sums.append(func.count(y).label(f"n_{i}"))
        sums.append(_sum(func.coalesce(y, 0)).label(f"y_{i}"))
        sums.append(_sum(func.coalesce(y * y, 0)).label(f"yy_{i}"))
    return select(*keys, *sums).join_from(composite, Assessment, Assessment.id == composite.c.rater).group_by(*keys)


def _composites(
    cycle_id: int, party: str, rules: Rules, *, service_types: Sequence[str], worth: Sequence[Worth]
) -> Select[tuple[int, ...]]:
    """One row a respondent: rater, entry_id, mode, stratum_id and y0, y1, …; null where too little was answered."""
    how = scheme(rules, party)
    asked, whole = _asked(rules, party, service_types), _whole_weights(rules, party, service_types)
    rating = ratings(cycle_id, party)
    weight = cast(asked.c.weight, BigInteger)
    measured = _worth([row for row in worth if row.criterion in {c.code for c in how.criteria}])
    looked_up = (  # inside the CASE, so that it is looked up for measured values only
        select(measured.c.points)
        .where(measured.c.criterion == rating.c.criterion, measured.c.value == rating.c.value)
        .scalar_subquery()
    )
    level = case({float(n): asked.c[f"p{n}"] for n in range(1, most_levels(rules) + 1)}, value=rating.c.value)
    given = cast(case((asked.c.measured, looked_up), else_=level), BigInteger)
    sums: list[Label[int]] = []
    for i in range(how.dimensions):
        here = asked.c.dimension == i
        answered = and_(here, rating.c.value.is_not(None))  # that every value is one of the rules was checked
        sums.append(_sum(case((answered, given * weight), else_=0)).label(f"total{i}"))
        sums.append(_sum(case((answered, weight), else_=0)).label(f"answered{i}"))
        # a level that does not apply leaves the denominator, a measured value that is there enters it
        off = case((and_(here, rating.c.value.is_(None), ~asked.c.measured), -weight), else_=0)
        on = case((and_(answered, asked.c.measured), weight), else_=0)
        sums.append(_sum(off + on).label(f"moved{i}"))
    keys = (rating.c.rater, rating.c.entry_id, rating.c.service_type, rating.c.mode, rating.c.stratum_id)
    added = (
        select(*keys, *sums)
        .join_from(
            rating,
            asked,
            and_(asked.c.criterion == rating.c.criterion, asked.c.service_type == rating.c.service_type),
        )
        .group_by(*keys)
    ).subquery("added")
    kept = (added.c.rater, added.c.entry_id, added.c.mode, added.c.stratum_id)
    composites = [
        _composite(added, cast(whole.c[f"w{i}"], BigInteger), i, how.share).label(f"y{i}")
        for i in range(how.dimensions)
    ]
    return select(*kept, *composites).join_from(added, whole, whole.c.service_type == added.c.service_type)


def _composite(added: FromClause, whole: Whole, i: int, share: int) -> ColumnElement[int | None]:
    total, answered, moved = added.c[f"total{i}"], added.c[f"answered{i}"], added.c[f"moved{i}"]
    enough = and_(answered > 0, answered * MILLION >= (whole + moved) * share)
    denominator = answered * (2 * (MILLION // THOUSANDTHS))
    numerator = 2 * total + answered * (MILLION // THOUSANDTHS)
    # the remainder goes first: what is left divides evenly, in whole numbers and in floating point alike
    even = numerator - numerator % denominator
    return case((enough, cast(even.op("/", precedence=8, return_type=BigInteger())(denominator), BigInteger)))


def _sum(term: ColumnElement[int]) -> Whole:
    return cast(func.sum(cast(term, BigInteger)), BigInteger)  # PostgreSQL would answer with a decimal


def _asked(rules: Rules, party: str, service_types: Sequence[str]) -> CTE:
    how = scheme(rules, party)
    levels = range(1, most_levels(rules) + 1)
    rows = [
        (
            kind,
            criterion.code,
            int(dimension),
            int(weight),
            not levels_of(rules, criterion.code),
            *(_earned(rules, criterion.code, level) for level in levels),
        )
        for kind in sorted(service_types)
        for criterion, dimension, weight in zip(how.criteria, how.dimension, how.weight, strict=True)
        if not criterion.service_types or kind in criterion.service_types
    ]
    return _table(
        "asked",
        rows,
        [
            column("service_type", String),
            column("criterion", String),
            column("dimension", BigInteger),
            column("weight", BigInteger),
            column("measured", Boolean),
            *(column(f"p{level}", BigInteger) for level in levels),
        ],
        nothing=("", "", 0, 0, False, *(0 for _level in levels)),
    )


def _earned(rules: Rules, code: str, level: int) -> int:
    """Millionths of a point that a level earns; 0 for one that the criterion does not have, which nobody can give."""
    count = levels_of(rules, code)
    return int(level_points(count)[level - 1]) if level <= count else 0


def _whole_weights(rules: Rules, party: str, service_types: Sequence[str]) -> CTE:
    """What the asked criteria of each service type weigh together, by dimension; measured ones count when there."""
    how = scheme(rules, party)
    rows = []
    for kind in sorted(service_types):
        weights = [0] * how.dimensions
        for criterion, dimension, weight in zip(how.criteria, how.dimension, how.weight, strict=True):
            if levels_of(rules, criterion.code) and (not criterion.service_types or kind in criterion.service_types):
                weights[dimension] += int(weight)
        rows.append((kind, *weights))
    columns: list[ColumnClause[Any]] = [column("service_type", String)]
    columns += [column(f"w{i}", BigInteger) for i in range(how.dimensions)]
    return _table("whole", rows, columns, nothing=("", *[0] * how.dimensions))


def _worth(rows: Sequence[Worth]) -> CTE:
    return _table(
        "worth",
        [(row.criterion, row.value, row.points) for row in rows],
        [column("criterion", String), column("value", Double), column("points", BigInteger)],
        nothing=("", 0.0, 0),
    )


def _table(
    name: str, rows: Sequence[tuple[object, ...]], columns: Sequence[ColumnClause[Any]], *, nothing: tuple[object, ...]
) -> CTE:
    """Rows written into the statement itself; `nothing` stands where there are none, for VALUES needs one."""
    made = values(*columns, name=name, literal_binds=True).data(list(rows) or [nothing])
    return made.cte(name)
