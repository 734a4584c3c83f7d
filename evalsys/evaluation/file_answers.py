"""Answers of files as matrices: a row a respondent, a column a question; for what looks at raters instead of scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalsys.evaluation.file_inputs import Gathered, Outline, asked_of
from evalsys.evaluation.rating_files import measured_criteria
from evalsys.evaluation.reliability import ItemSums, Judgements, items_of
from evalsys.scoring.arrays import Integers, Labels, Vector
from evalsys.scoring.cells import SAMPLED
from evalsys.scoring.composite import scheme


@dataclass(frozen=True, eq=False)
class Said:
    """What step 11 reads of a cycle: what the appointed parties said, and the sums of every questionnaire."""

    judgements: Sequence[Judgements] = ()
    items: Sequence[ItemSums] = ()


def said_by(cycle: Gathered) -> tuple[tuple[str, ...], list[Judgements]]:
    """The raters' labels, ascending, and what each party said, in the order of contracts and labels.

    A party that is asked nothing is left out.
    """
    rules, names = cycle.rules, cycle.ratings.raters
    order = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    asked = [place for place, party in enumerate(rules.parties) if rules.criteria_for(party.code)]
    return tuple(names[place] for place in order), [_said(cycle, rank, party) for party in asked]


def _said(cycle: Gathered, rank: Integers, party: int) -> Judgements:
    """What one party said; `rank`: each rater's place in the order of labels."""
    rules, ratings = cycle.rules, cycle.ratings
    code = rules.parties[party].code
    places = [rules.criteria.index(criterion) for criterion in scheme(rules, code).criteria]
    column = np.full(len(rules.criteria), -1)
    column[places] = np.arange(len(places))
    column[measured_criteria(rules)] = -1
    here = np.flatnonzero((ratings.party == party) & (column[ratings.criterion] >= 0))
    keys, respondent = np.unique(cycle.contract[here] * len(rank) + rank[ratings.rater[here]], return_inverse=True)
    contract, rater = np.divmod(keys, max(len(rank), 1))
    values = np.full((len(keys), len(places)), np.nan)
    values[respondent, column[ratings.criterion[here]]] = ratings.value[here]
    for place in np.flatnonzero(measured_criteria(rules)[places]).tolist():
        values[:, place] = _measured(cycle, places[place])[contract]
    return judgements_from(cycle.outline, code, rater, contract, values)


def _measured(cycle: Gathered, criterion: int) -> Vector:
    """What was measured on each contract."""
    told = np.flatnonzero(cycle.ratings.criterion == criterion)
    known = np.full(len(cycle.outline.contracts), np.inf)
    known[cycle.contract[told]] = cycle.ratings.value[told]
    return known


def judgements_from(outline: Outline, party: str, rater: Integers, contract: Integers, values: Vector) -> Judgements:
    """What a party said, from values as files have them: NaN = none given, infinite = not applicable."""
    asked = [asked_of(outline, criterion)[contract] for criterion in scheme(outline.rules, party).criteria]
    answers = np.where(np.isinf(values), np.nan, values)
    applies = (np.array(asked).reshape(values.shape[::-1]).T | ~np.isnan(values)) & ~np.isinf(values)
    return Judgements(party, rater, contract, answers, applies)


def service_types(outline: Outline) -> Labels:
    """The service type of each contract, "" where it is not known."""
    return np.array([outline.listed[code].service_type or "" for code in outline.contracts])


def item_sums(outline: Outline, said: Judgements) -> list[ItemSums]:
    """Sums for every questionnaire of a party."""
    types = service_types(outline)
    columns = [criterion.code for criterion in scheme(outline.rules, said.party).criteria]
    found = []
    for kind, (codes, of_kind) in items_of(outline.rules, said.party, types.tolist()).items():
        rows = np.isin(types[said.contract], of_kind)
        places = [columns.index(code) for code in codes]
        found.append(ItemSums.of(said.party, kind, codes, said.answers[rows][:, places]))
    return found


def appointed(said: Sequence[Judgements]) -> list[Judgements]:
    """Without those of the recipients."""
    return [one for one in said if one.party != SAMPLED]
