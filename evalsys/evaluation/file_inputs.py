"""From the rows of the files to the arrays of step 0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evalsys.evaluation.contract_files import Contract
from evalsys.evaluation.rating_files import Ratings, measured_criteria
from evalsys.evaluation.strata import Frame, Strata, parts_of
from evalsys.rules.model import Criterion, LevelScale, Rules, YesNoScale
from evalsys.scoring.arrays import Flags, Integers, Vector
from evalsys.scoring.composite import (
    MISSING,
    NOT_APPLICABLE,
    Answers,
    Scheme,
    answer_points,
    composites,
    scheme,
)
from evalsys.scoring.inputs import NOT_APPLICABLE_LEVEL, Frames, Inputs, Judged, LevelCounts, Moments, moments_of

_MOST_LEVELS = 12
"""More than a scale has, "not applicable" counted."""


@dataclass(frozen=True, eq=False)
class Outline:
    """What a cycle consists of, in one order, so that the order of the files' rows changes nothing.

    Attributes:
        rules: as they were read.
        listed: every contract of the cycle.
        frame: recipients by contract and stratum.
        contracts: codes, ascending.
        modes, strata: labels, ascending; those of the strata include the frame's.
        parted: whether the strata are made of township and item.
    """

    rules: Rules
    listed: Mapping[str, Contract]
    frame: Frame
    contracts: tuple[str, ...]
    modes: tuple[str, ...]
    strata: tuple[str, ...]
    parted: bool


def outline_of(
    rules: Rules, listed: Mapping[str, Contract], frame: Frame, *, modes: Iterable[str], strata: Strata
) -> Outline:
    """Put what the files name in order."""
    return Outline(
        rules=rules,
        listed=listed,
        frame=frame,
        contracts=tuple(sorted(listed)),
        modes=tuple(sorted(set(modes))),
        strata=tuple(sorted({*strata.names, *(stratum for _, stratum in frame.sizes)})),
        parted=bool(strata.parted or frame.parted),
    )


def inputs_from(
    outline: Outline, moments: Moments, levels: LevelCounts, raters: Sequence[str], judged: Judged | None
) -> Inputs:
    """The arrays of step 0 from its tables."""
    rules, rows = outline.rules, [outline.listed[code] for code in outline.contracts]
    vendors, groups = (tuple(sorted(names)) for names in ({c.vendor for c in rows}, {c.peer_group for c in rows}))
    return Inputs(
        parties=tuple(party.code for party in rules.parties),
        dimensions=tuple(dimension.code for dimension in rules.dimensions),
        criteria=tuple(criterion.code for criterion in rules.criteria),
        modes=outline.modes,
        strata=outline.strata,
        contracts=outline.contracts,
        vendors=vendors,
        peer_groups=groups,
        vendor=places_of((c.vendor for c in rows), vendors),
        peer_group=places_of((c.peer_group for c in rows), groups),
        amount=np.array([c.amount for c in rows]),
        served=np.array([c.served for c in rows]),
        moments=moments,
        levels=levels,
        frames=_frames(outline),
        parts=tuple(map(parts_of, outline.strata)) if outline.parted else (),
        adjusters=rules.adjusters,
        raters=tuple(raters),
        judged=judged,
    )


def places_of(names: Iterable[str], known: Sequence[str]) -> Integers:
    """The position of each name in a list; -1 for one that is not there."""
    places = {name: place for place, name in enumerate(known)}
    return np.array([places.get(name, -1) for name in names], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Gathered:
    """The ratings, in the order of the outline.

    Attributes:
        ratings, outline: what was read.
        contract: shape (ratings,), position in the outline's contracts; -1 for one that is not listed.
        mode, stratum: position in the outline of each mode and stratum that the ratings have.
    """

    ratings: Ratings
    outline: Outline
    contract: Integers
    mode: Integers
    stratum: Integers

    @property
    def rules(self) -> Rules:
        return self.outline.rules


def gather(ratings: Ratings, rules: Rules, listed: Mapping[str, Contract], frame: Frame) -> Gathered:
    """Give all files one order."""
    outline = outline_of(rules, listed, frame, modes=ratings.modes, strata=ratings.strata)
    return Gathered(
        ratings,
        outline,
        contract=places_of(ratings.contracts, outline.contracts)[ratings.contract],
        mode=places_of(ratings.modes, outline.modes),
        stratum=places_of(ratings.strata.names, outline.strata),
    )


def inputs_of(cycle: Gathered) -> Inputs:
    """The arrays of step 0."""
    answered = [_answered(cycle, place) for place in range(len(cycle.rules.parties))]
    return inputs_from(cycle.outline, _moments(cycle, answered), _levels(cycle), *_judged(cycle, answered))


@dataclass(frozen=True, eq=False)
class _Answered:
    """The respondents of a party who have a composite.

    Attributes:
        told: shape (respondents,), a row of the ratings of each.
        values: shape (respondents, dimensions and adjusters), whole thousandths or `MISSING`.
    """

    told: Integers
    values: Integers


def _answered(cycle: Gathered, party: int) -> _Answered:
    how = scheme(cycle.rules, cycle.rules.parties[party].code)
    here = np.flatnonzero((cycle.ratings.party == party) & ~measured_criteria(cycle.rules)[cycle.ratings.criterion])
    raters = int(cycle.ratings.rater.max()) + 1
    key = cycle.contract[here] * raters + cycle.ratings.rater[here]
    _, first, respondent = np.unique(key, return_index=True, return_inverse=True)
    told = here[first]  # one row of each respondent
    values = composites(_points(cycle, how, cycle.contract[told], here, respondent), how)
    some = (values[:, : len(cycle.rules.dimensions)] >= 0).any(axis=1)
    return _Answered(told[some], values[some])


def _moments(cycle: Gathered, answered: Sequence[_Answered]) -> Moments:
    parts = [_party_moments(cycle, party, one) for party, one in enumerate(answered)]
    return Moments(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _party_moments(cycle: Gathered, party: int, answered: _Answered) -> tuple[Integers, ...]:
    contract = cycle.contract[answered.told]
    mode, stratum = cycle.mode[cycle.ratings.mode[answered.told]], cycle.stratum[cycle.ratings.stratum[answered.told]]
    modes, strata = len(cycle.outline.modes), len(cycle.outline.strata)
    keys, cell = np.unique((contract * modes + mode) * strata + stratum, return_inverse=True)
    sums = moments_of(answered.values, cell, len(keys))
    where = (keys // strata // modes, np.full(len(keys), party, dtype=np.int64), keys // strata % modes, keys % strata)
    return *where, *sums


def _judged(cycle: Gathered, answered: Sequence[_Answered]) -> tuple[Sequence[str], Judged | None]:
    if cycle.rules.severity is None:
        return (), None
    one = answered[[party.code for party in cycle.rules.parties].index(cycle.rules.severity.party)]
    names = [cycle.ratings.raters[place] for place in cycle.ratings.rater[one.told].tolist()]
    return judged_of(cycle.contract[one.told], names, one.values[:, : len(cycle.rules.dimensions)])


def judged_of(contract: Integers, names: Sequence[str], values: Integers) -> tuple[Sequence[str], Judged]:
    """The raters, and the table of what they judged, in the order of contracts and raters.

    Args:
        contract: shape (rows,), positions.
        names: of the raters, one a row; a rater judges a contract once.
        values: shape (rows, dimensions), whole thousandths or `MISSING`.
    """
    raters = sorted(set(names))
    rater = places_of(names, raters)
    order = np.lexsort((rater, contract))
    known = values[order] >= 0
    given = np.where(known, values[order], 0)
    return raters, Judged(contract[order], rater[order], known.astype(np.int64), given, given**2)


def _points(cycle: Gathered, how: Scheme, contract: Integers, rows: Integers, respondent: Integers) -> Answers:
    """Answers of a party as millionths, shape (respondents, criteria)."""
    points = np.full((len(contract), len(how.criteria)), MISSING, dtype=np.int32)
    measured = measured_criteria(cycle.rules)
    for column, criterion in enumerate(how.criteria):
        place, scale = cycle.rules.criteria.index(criterion), cycle.rules.scale_of(criterion)
        if measured[place]:
            told = np.flatnonzero(cycle.ratings.criterion == place)
            known = np.full(len(cycle.outline.contracts), NOT_APPLICABLE, dtype=np.int64)
            known[cycle.contract[told]] = answer_points(scale, _number_or_nan(cycle.ratings.value[told]))
            points[:, column] = known[contract]
            continue
        points[~asked_of(cycle.outline, criterion)[contract], column] = NOT_APPLICABLE
        chosen = cycle.ratings.criterion[rows] == place
        value = cycle.ratings.value[rows[chosen]]
        given = answer_points(scale, _number_or_nan(value))
        points[respondent[chosen], column] = np.where(np.isinf(value), NOT_APPLICABLE, given)
    return points


def asked_of(outline: Outline, criterion: Criterion) -> Flags:
    """Of which contracts a criterion is asked for certain: its service types are known and named."""
    types, listed = criterion.service_types, outline.listed
    return np.array([not types or listed[code].service_type in types for code in outline.contracts], dtype=np.bool_)


def _levels(cycle: Gathered) -> LevelCounts:
    scales = [cycle.rules.scale_of(criterion) for criterion in cycle.rules.criteria]
    leveled = np.array([isinstance(scale, LevelScale | YesNoScale) for scale in scales])
    rows = np.flatnonzero(leveled[cycle.ratings.criterion])
    value = cycle.ratings.value[rows]
    level = np.where(np.isinf(value), NOT_APPLICABLE_LEVEL, value).astype(np.int64)
    party, mode, criterion = (getattr(cycle.ratings, name)[rows] for name in ("party", "mode", "criterion"))
    columns = (cycle.contract[rows], party, cycle.mode[mode], criterion, level)
    counts = (len(cycle.outline.contracts), len(cycle.rules.parties), len(cycle.outline.modes), len(scales))
    bases = (*counts, _MOST_LEVELS)
    keys, counted = np.unique(np.ravel_multi_index(columns, bases), return_counts=True)
    table = (*np.unravel_index(keys, bases), counted)
    return LevelCounts(*(column.astype(np.int64) for column in table))


def _frames(outline: Outline) -> Frames:
    contracts = places_of((contract for contract, _ in outline.frame.sizes), outline.contracts)
    strata = places_of((stratum for _, stratum in outline.frame.sizes), outline.strata)
    sizes = np.array(list(outline.frame.sizes.values()), dtype=np.int64)
    order = np.lexsort((strata, contracts))
    return Frames(contracts[order], strata[order], sizes[order])


def _number_or_nan(values: Vector) -> Vector:
    return np.where(np.isinf(values), np.nan, values)
