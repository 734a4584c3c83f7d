"""From the rows of the files to the arrays of step 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evalsys.evaluation.contract_files import Contract
from evalsys.evaluation.rating_files import Ratings, measured_criteria
from evalsys.evaluation.strata import Frame, parts_of
from evalsys.rules.model import LevelScale, Rules, YesNoScale
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
class Gathered:
    """What the files say, brought to one order of contracts.

    Attributes:
        ratings, rules: as they were read.
        listed: every contract of the cycle.
        frame: recipients by contract and stratum.
        contracts: codes, ascending.
        strata: labels of the ratings, then those only the frame has.
        contract: shape (ratings,), position in `contracts`; -1 for one that is not listed.
    """

    ratings: Ratings
    rules: Rules
    listed: Mapping[str, Contract]
    frame: Frame
    contracts: tuple[str, ...]
    strata: tuple[str, ...]
    contract: Integers


def gather(ratings: Ratings, rules: Rules, listed: Mapping[str, Contract], frame: Frame) -> Gathered:
    """Give the contracts of all files one order."""
    contracts = tuple(sorted(listed))
    places = {code: place for place, code in enumerate(contracts)}
    moved = np.array([places.get(code, -1) for code in ratings.contracts], dtype=np.int64)
    strata = tuple(dict.fromkeys((*ratings.strata.names, *(stratum for _, stratum in frame.sizes))))
    return Gathered(ratings, rules, listed, frame, contracts, strata, moved[ratings.contract])


def inputs_of(cycle: Gathered) -> Inputs:
    answered = [_answered(cycle, place) for place in range(len(cycle.rules.parties))]
    raters = tuple(sorted(cycle.ratings.raters.values()))
    parted = cycle.ratings.strata.parted or cycle.frame.parted
    rows = [cycle.listed[code] for code in cycle.contracts]
    vendors, groups = (tuple(sorted(names)) for names in ({c.vendor for c in rows}, {c.peer_group for c in rows}))
    vendor, group = ({code: place for place, code in enumerate(codes)} for codes in (vendors, groups))
    return Inputs(
        parties=tuple(party.code for party in cycle.rules.parties),
        dimensions=tuple(dimension.code for dimension in cycle.rules.dimensions),
        criteria=tuple(criterion.code for criterion in cycle.rules.criteria),
        modes=cycle.ratings.modes,
        strata=cycle.strata,
        contracts=cycle.contracts,
        vendors=vendors,
        peer_groups=groups,
        vendor=np.array([vendor[c.vendor] for c in rows], dtype=np.int64),
        peer_group=np.array([group[c.peer_group] for c in rows], dtype=np.int64),
        amount=np.array([c.amount for c in rows]),
        served=np.array([c.served for c in rows]),
        moments=_moments(cycle, answered),
        levels=_levels(cycle),
        frames=_frames(cycle),
        parts=tuple(map(parts_of, cycle.strata)) if parted else (),
        adjusters=cycle.rules.adjusters,
        raters=raters,
        judged=_judged(cycle, answered, raters),
    )


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
    mode, stratum = (column[answered.told].astype(np.int64) for column in (cycle.ratings.mode, cycle.ratings.stratum))
    modes, strata = len(cycle.ratings.modes), len(cycle.strata)
    keys, cell = np.unique((contract * modes + mode) * strata + stratum, return_inverse=True)
    sums = moments_of(answered.values, cell, len(keys))
    where = (keys // strata // modes, np.full(len(keys), party, dtype=np.int64), keys // strata % modes, keys % strata)
    return *where, *sums


def _judged(cycle: Gathered, answered: Sequence[_Answered], raters: Sequence[str]) -> Judged | None:
    """A rater judges a contract once, so that each respondent is a row."""
    if cycle.rules.severity is None:
        return None
    places = {name: place for place, name in enumerate(raters)}
    position = {rater: places[name] for rater, name in cycle.ratings.raters.items()}
    one = answered[[party.code for party in cycle.rules.parties].index(cycle.rules.severity.party)]
    values = one.values[:, : len(cycle.rules.dimensions)]
    given = np.where(values >= 0, values, 0)
    rater = [position[place] for place in cycle.ratings.rater[one.told].tolist()]
    return Judged(
        contract=cycle.contract[one.told],
        rater=np.array(rater, dtype=np.int64),
        n=(values >= 0).astype(np.int64),
        y=given,
        yy=given**2,
    )


def _points(cycle: Gathered, how: Scheme, contract: Integers, rows: Integers, respondent: Integers) -> Answers:
    """Answers of a party as millionths, shape (respondents, criteria)."""
    points = np.full((len(contract), len(how.criteria)), MISSING, dtype=np.int32)
    measured = measured_criteria(cycle.rules)
    for column, criterion in enumerate(how.criteria):
        place, scale = cycle.rules.criteria.index(criterion), cycle.rules.scale_of(criterion)
        if measured[place]:
            told = np.flatnonzero(cycle.ratings.criterion == place)
            known = np.full(len(cycle.contracts), NOT_APPLICABLE, dtype=np.int64)
            known[cycle.contract[told]] = answer_points(scale, _number_or_nan(cycle.ratings.value[told]))
            points[:, column] = known[contract]
            continue
        points[~_asked(cycle, place)[contract], column] = NOT_APPLICABLE
        chosen = cycle.ratings.criterion[rows] == place
        value = cycle.ratings.value[rows[chosen]]
        given = answer_points(scale, _number_or_nan(value))
        points[respondent[chosen], column] = np.where(np.isinf(value), NOT_APPLICABLE, given)
    return points


def _asked(cycle: Gathered, criterion: int) -> Flags:
    """Of which contracts a criterion is asked for certain: its service types are known and named."""
    types = cycle.rules.criteria[criterion].service_types
    return np.array([not types or cycle.listed[code].service_type in types for code in cycle.contracts], dtype=np.bool_)


def _levels(cycle: Gathered) -> LevelCounts:
    scales = [cycle.rules.scale_of(criterion) for criterion in cycle.rules.criteria]
    leveled = np.array([isinstance(scale, LevelScale | YesNoScale) for scale in scales])
    rows = np.flatnonzero(leveled[cycle.ratings.criterion])
    value = cycle.ratings.value[rows]
    level = np.where(np.isinf(value), NOT_APPLICABLE_LEVEL, value).astype(np.int64)
    columns = (cycle.contract[rows], *(getattr(cycle.ratings, c)[rows] for c in ("party", "mode", "criterion")), level)
    bases = (len(cycle.contracts), len(cycle.rules.parties), len(cycle.ratings.modes), len(scales), _MOST_LEVELS)
    keys, counts = np.unique(np.ravel_multi_index(columns, bases), return_counts=True)
    table = (*np.unravel_index(keys, bases), counts)
    return LevelCounts(*(column.astype(np.int64) for column in table))


def _frames(cycle: Gathered) -> Frames:
    places = {code: place for place, code in enumerate(cycle.contracts)}
    strata = {name: place for place, name in enumerate(cycle.strata)}
    rows = [(places[code], strata[stratum], size) for (code, stratum), size in cycle.frame.sizes.items()]
    return Frames(*np.array(rows, dtype=np.int64).reshape(-1, 3).T)


def _number_or_nan(values: Vector) -> Vector:
    return np.where(np.isinf(values), np.nan, values)
