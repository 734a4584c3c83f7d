"""A respondent's composites in SQL, made of whole numbers as `scoring.composite` makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalsys.evaluation.file_inputs import Outline, asked_of
from evalsys.evaluation.parquet.layout import text
from evalsys.evaluation.rating_faults import levels_of
from evalsys.evaluation.rating_files import measured_criteria
from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Integers
from evalsys.scoring.composite import MILLION, Scheme, answer_points, level_points, scheme
from evalsys.scoring.inputs import THOUSANDTHS

Measured = dict[int, dict[str, float]]
"""criterion → contract → value; infinite = not measured"""


@dataclass(frozen=True, eq=False)
class Terms:
    """What is known of a party's composites before its answers are read.

    Attributes:
        how: the party's scheme.
        places: of its criteria among those of the rules.
        given: places of the criteria that have a column `g<n>`.
        about: columns of a table of contracts that the SQL needs, by name; empty where it needs none: `e<d>` and `f<d>`
            are the points and the weight of the measured criteria, `q<n>` says of which contracts a criterion is asked.
    """

    rules: Rules
    how: Scheme
    places: Sequence[int]
    given: frozenset[int]
    about: dict[str, Integers]

    @property
    def columns(self) -> list[int]:
        """The dimensions and adjusters that the party can have something on."""
        return sorted(set(self.how.dimension.tolist()))

    def select(self, keys: Sequence[str], source: str) -> str:
        """One row a respondent: the keys, the columns `g<n>`, and `y<d>` in whole thousandths, null where missing."""
        kept = [*keys, *(f"g{k}" for k in sorted(self.given))]
        sums = [
            f"{self._total(d)} AS t{d}, {self._answered(d)} AS a{d}, {self._skipped(d)} AS s{d}" for d in self.columns
        ]
        added = f"SELECT {', '.join([*kept, *sums])} FROM {source}"
        return f"SELECT {', '.join([*kept, *map(self._composite, self.columns)])} FROM ({added})"

    def _of(self, d: int, *, measured: bool = False) -> list[tuple[int, int]]:
        """Place and weight of the criteria of a dimension."""
        aside = measured_criteria(self.rules)
        rows = zip(self.places, self.how.dimension.tolist(), self.how.weight.tolist(), strict=True)
        return [(k, weight) for k, dimension, weight in rows if dimension == d and bool(aside[k]) == measured]

    def _total(self, d: int) -> str:
        parts = [_points(self.rules, k, weight) for k, weight in self._of(d) if k in self.given]
        return " + ".join([*parts, f"e{d}" if f"e{d}" in self.about else "0::BIGINT"])

    def _answered(self, d: int) -> str:
        parts = [f"CASE WHEN g{k} >= 1 THEN {weight} ELSE 0 END" for k, weight in self._of(d) if k in self.given]
        return " + ".join([*parts, f"f{d}" if f"f{d}" in self.about else "0::BIGINT"])

    def _skipped(self, d: int) -> str:
        """The weight of what was asked and left out."""
        parts = ["0::BIGINT"]
        for k, weight in self._of(d):
            typed = bool(self.rules.criteria[k].service_types)
            asked = f"{weight} * q{k}" if f"q{k}" in self.about else "0" if typed else str(weight)
            parts.append(f"CASE WHEN g{k} IS NULL THEN {asked} ELSE 0 END" if k in self.given else asked)
        return " + ".join(parts)

    def _composite(self, d: int) -> str:
        enough = f"a{d} > 0 AND a{d} * {MILLION} >= (a{d} + s{d}) * {self.how.share}"
        unit = MILLION // THOUSANDTHS
        return f"CASE WHEN {enough} THEN (2 * t{d} + a{d} * {unit}) // (a{d} * {2 * unit}) END AS y{d}"


def _points(rules: Rules, k: int, weight: int) -> str:
    """What the answer earns, times its weight."""
    criterion = rules.criteria[k]
    earned = (level_points(levels_of(rules, criterion)) * weight).tolist()
    step = earned[1]
    if earned == [step * place for place in range(len(earned))]:
        return f"CASE WHEN g{k} >= 1 THEN (g{k}::BIGINT - 1) * {step} ELSE 0 END"
    levels = " ".join(f"WHEN {level} THEN {points}" for level, points in enumerate(earned, 1))
    return f"CASE g{k} {levels} ELSE 0 END::BIGINT"


def terms_of(outline: Outline, party: str, given: Sequence[int], measured: Measured) -> Terms:
    """Terms of a party, with the measured values and service types of the contracts."""
    rules, how = outline.rules, scheme(outline.rules, party)
    places = [rules.criteria.index(criterion) for criterion in how.criteria]
    aside = measured_criteria(rules)
    about: dict[str, Integers] = {}
    for k, d, weight in zip(places, how.dimension.tolist(), how.weight.tolist(), strict=True):
        criterion = rules.criteria[k]
        if measured.get(k):
            values = np.array([measured[k].get(code, np.inf) for code in outline.contracts])
            points = answer_points(rules.scale_of(criterion), np.where(np.isinf(values), np.nan, values))
            for name, more in ((f"e{d}", np.where(points >= 0, points, 0) * weight), (f"f{d}", (points >= 0) * weight)):
                about[name] = about.get(name, np.zeros(len(points), dtype=np.int64)) + more
        elif criterion.service_types and not aside[k]:
            asked = asked_of(outline, criterion)
            if asked.any():
                about[f"q{k}"] = asked.astype(np.int64)
    own = [k for k in given if rules.criteria[k].party == party and not aside[k]]
    return Terms(rules, how, places, frozenset(own), about)


def respondents(party: str, terms: Terms) -> str:
    """Rows of `answers` of those of a party who answered something, with what is known of their contracts."""
    some = " OR ".join(f"g{k} IS NOT NULL" for k in sorted(terms.given)) or "false"
    source = "answers JOIN about USING (contract)" if terms.about else "answers"
    return f"{source} WHERE party = {text(party)} AND ({some})"
