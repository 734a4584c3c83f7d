"""Step 12 for files: which ratings a person must look at, by the labels of the user's own file.

Files tell neither when an answer came nor how long it took, so nothing is said of busy days and of speed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from evalsys.evaluation import integrity
from evalsys.evaluation.file_answers import service_types
from evalsys.evaluation.file_inputs import Outline, places_of
from evalsys.evaluation.integrity import Everywhere, Questions, Sign
from evalsys.evaluation.rating_faults import levels_of
from evalsys.evaluation.reliability import Judgements, party_means, points_of
from evalsys.rules.model import Criterion, Integrity, Rules
from evalsys.scoring.arrays import Vector
from evalsys.scoring.cells import SAMPLED, weight_matrix
from evalsys.scoring.composite import scheme
from evalsys.scoring.inputs import Inputs
from evalsys.scoring.result import Result


@dataclass(frozen=True, order=True)
class Flag:
    """A sign that a person must look at; `rater` is "" where it is about a party as a whole.

    `value` is what was seen and `threshold` what the rules allow: shares of a questionnaire (long_string), other
    respondents alike (near_duplicates), an adjusted chance (pair_residual), points (shift, party_gap).
    """

    contract: str
    party: str
    rater: str
    sign: str
    value: float
    threshold: float


def signs_of_ratings(
    outline: Outline, raters: Sequence[str], said: Sequence[Judgements], rules: Integrity
) -> list[Flag]:
    """Signs of single raters on single contracts.

    Args:
        outline: the cycle.
        raters: labels that the positions in `said` point at.
        said: what each party said, in the order of contracts.
        rules: thresholds.
    """
    flags: list[Flag] = []
    for one in said:
        found = _recipients(outline, one, rules) if one.party == SAMPLED else _appointed(outline, one, rules)
        for row, sign in found:
            contract, rater = outline.contracts[one.contract[row]], raters[one.rater[row]]
            flags.append(Flag(contract, one.party, rater, sign["sign"], *_measure(sign, rules)))
    return flags


def signs_of_parties(inputs: Inputs, result: Result, rules: Rules, thresholds: Integrity) -> list[Flag]:
    """Parties that stand far off the others on a contract."""
    found = integrity.gaps(party_means(result, rules), inputs.parties, thresholds)
    return [
        Flag(inputs.contracts[c], sign["party"], "", sign["sign"], *_measure(sign, thresholds))
        for c, signs in found.items()
        for sign in signs
    ]


def _measure(sign: Sign, rules: Integrity) -> tuple[float, float]:
    if sign["sign"] == integrity.LONG_STRING:
        return sign["run"] / sign["questions"], sign["share"]
    if sign["sign"] == integrity.NEAR_DUPLICATES:
        return sign["twins"], rules.twins
    return sign["p" if sign["sign"] == integrity.PAIR else "points"], sign["limit"]


def _recipients(outline: Outline, said: Judgements, rules: Integrity) -> Iterator[tuple[int, Sign]]:
    """Rows and signs of recipients, one contract after the other, each beside all others that are asked the same."""
    types = service_types(outline)[said.contract]
    for kind in np.unique(types).tolist():
        rows = np.flatnonzero(types == kind)
        asked = [c for c in outline.rules.criteria_for(said.party, kind or None) if c.dimension]
        table, questions = _levels(outline.rules, said, asked)
        table = table[rows]
        everywhere = Everywhere.of(integrity.patterns(table))
        for mine in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(said.contract[rows])) + 1):
            answers = table[mine]
            nobody = np.zeros(len(mine), dtype=np.bool_)
            found = integrity.signs_of_respondents(answers, nobody, questions, everywhere, rules)
            yield from ((int(rows[mine[row]]), sign) for row, signs in found.items() for sign in signs)


def _appointed(outline: Outline, said: Judgements, rules: Integrity) -> Iterator[tuple[int, Sign]]:
    """Rows and signs of one appointed party's raters."""
    answers, questions = _levels(outline.rules, said, scheme(outline.rules, said.party).criteria)
    for row, signs in integrity.signs_of_assessments(answers, questions, rules).items():
        yield from ((row, sign) for sign in signs)
    vendors = sorted({contract.vendor for contract in outline.listed.values()})
    vendor = places_of((outline.listed[code].vendor for code in outline.contracts), vendors)[said.contract]
    weight = _weight(outline.rules, said.party)
    y = points_of(said, outline.rules)
    by_row = integrity.signs_of_raters(y, said.contract, said.rater, vendor, weight=weight, rules=rules)
    yield from ((row, sign) for row, signs in by_row.items() for sign in signs)


def _levels(rules: Rules, said: Judgements, asked: Sequence[Criterion]) -> tuple[integrity.Levels, Questions]:
    """Answers to the questions with levels, in the order they were asked; 0 = none given."""
    codes = [criterion.code for criterion in scheme(rules, said.party).criteria]
    leveled = [criterion for criterion in asked if levels_of(rules, criterion)]
    table: Vector = said.answers[:, [codes.index(criterion.code) for criterion in leveled]]
    tops = np.array([levels_of(rules, criterion) for criterion in leveled], dtype=np.int64)
    return np.nan_to_num(table).astype(np.int8), Questions(tops)


def _weight(rules: Rules, party: str) -> float:
    return float(weight_matrix(rules)[[one.code for one in rules.parties].index(party)].sum())
