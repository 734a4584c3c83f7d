"""Step 11 for a whole cycle: arrays in, plain JSON out; needs no database.

Nothing here tells what a single recipient said: the parties are compared over contracts with at least
`SMALLEST_GROUP` recipients, and a questionnaire answered by fewer is left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evalsys.evaluation.breakdown import SMALLEST_GROUP
from evalsys.rules.model import Criterion, LevelScale, Reliability, Rules, Source, YesNoScale
from evalsys.scoring import reliability
from evalsys.scoring.arrays import Flags, Integers, Vector
from evalsys.scoring.cells import SAMPLED, weight_matrix
from evalsys.scoring.composite import NOT_APPLICABLE, answer_points, composites, scheme
from evalsys.scoring.crossed import connected
from evalsys.scoring.inputs import THOUSANDTHS
from evalsys.scoring.integrity import party_gaps
from evalsys.scoring.raters import Raters
from evalsys.scoring.result import Result
from evalsys.scoring.severity import fit_crossed

Told = dict[str, Any]

LEAST_BLOCK = 5
"""Contracts that the same raters must have rated for intraclass correlations: of fewer, the limits say nothing."""


@dataclass(frozen=True, eq=False)
class Judgements:
    """All that one appointed party said, one row a rater and contract.

    Attributes:
        party: code.
        rater: shape (rows,), positions in any list of the party's raters.
        contract: shape (rows,), positions among the inputs' contracts.
        answers: shape (rows, criteria of the party's scheme), levels or measured values; NaN = none given.
        applies: same shape; false where the criterion was not asked, or does not apply.
    """

    party: str
    rater: Integers
    contract: Integers
    answers: Vector
    applies: Flags


@dataclass(frozen=True, eq=False)
class ItemSums:
    """Sums over the respondents who answered every question that all contracts of one kind of service are asked.

    Attributes:
        party, kind: codes; `kind` is "" where the rules know no service types.
        criteria: codes of the questions.
        respondents: how many answered all of them.
        total: shape (criteria,), sums of the levels.
        products: shape (criteria, criteria), sums of products of two levels.
    """

    party: str
    kind: str
    criteria: tuple[str, ...]
    respondents: int
    total: Vector
    products: Vector

    @classmethod
    def of(cls, party: str, kind: str, criteria: Sequence[str], answers: Vector) -> ItemSums:
        """From answers, shape (respondents, criteria), NaN = none given."""
        whole = answers[~np.isnan(answers).any(axis=1)]
        return cls(party, kind, tuple(criteria), len(whole), whole.sum(axis=0), whole.T @ whole)


def items_of(rules: Rules, party: str, service_types: Sequence[str]) -> dict[str, tuple[tuple[str, ...], list[str]]]:
    """By kind of service: the questions with levels that all its contracts are asked, and its service types."""
    kinds = {service.code: service.kind for service in rules.service_types}
    found: dict[str, tuple[tuple[str, ...], list[str]]] = {}
    for kind in sorted({kinds.get(code, "") for code in service_types}):
        mine = sorted(code for code in set(service_types) if kinds.get(code, "") == kind)
        codes = tuple(
            criterion.code
            for criterion in scheme(rules, party).criteria
            if _has_levels(criterion, rules)
            and (not criterion.service_types or set(mine) <= set(criterion.service_types))
        )
        if len(codes) > 1:  # one question agrees with itself
            found[kind] = (codes, mine)
    return found


def _has_levels(criterion: Criterion, rules: Rules) -> bool:
    """Whether it is rated on a scale of levels; what describes the respondent is not."""
    return criterion.source is not Source.ADJUSTER and isinstance(rules.scale_of(criterion), LevelScale | YesNoScale)


def reliability_of(
    result: Result, rules: Rules, asked: Reliability, judgements: Sequence[Judgements], items: Sequence[ItemSums]
) -> Told:
    """How far the raters of a cycle can be relied on; `asked` is what the rules want to know of it.

    Keys: `target`; `raters`, one item an appointed party (see `_of_party`); `questionnaires`, one item a party and
    kind of service (see `_of_questionnaire`); `parties` with `pairs` and `gaps`.
    """
    return {
        "target": asked.target,
        "raters": [_of_party(said, rules, asked, result) for said in judgements if len(said.rater)],
        "questionnaires": [_of_questionnaire(sums) for sums in items if sums.respondents >= SMALLEST_GROUP],
        "parties": _between_parties(result, rules),
    }


def points_of(said: Judgements, rules: Rules) -> Vector:
    """Each row's points: the mean of its dimensions by the party's share of them; NaN where too little is answered."""
    how = scheme(rules, said.party)
    points = [
        np.where(applies, answer_points(rules.scale_of(criterion), answers), NOT_APPLICABLE)
        for criterion, answers, applies in zip(how.criteria, said.answers.T, said.applies.T, strict=True)
    ]
    table = np.array(points, dtype=np.int64).reshape(len(how.criteria), -1).T
    by_dimension = composites(table, how)[:, : len(rules.dimensions)]
    weights = weight_matrix(rules)[[party.code for party in rules.parties].index(said.party)]
    shares = np.where(by_dimension >= 0, weights, 0)
    whole = shares.sum(axis=1)
    total = (shares * by_dimension).sum(axis=1) / THOUSANDTHS
    return np.where(whole > 0, total / np.where(whole > 0, whole, 1), np.nan)


def _of_party(said: Judgements, rules: Rules, asked: Reliability, result: Result) -> Told:
    """How far one party's raters agree.

    Keys: `party`, `raters`, `contracts`, `twice` (contracts with two raters), `parts` (connected), `components`, `icc`,
    `needed`, `block` (Shrout and Fleiss's forms and Kendall's W where the same raters rated the same contracts) and
    `criteria` (Krippendorff's α of each).
    """
    y = points_of(said, rules)
    known = ~np.isnan(y)
    y, contract, rater = y[known], said.contract[known], said.rater[known]
    per_contract = np.unique(contract, return_counts=True)[1]
    severity = rules.severity
    learned = result.pooled.raters if severity is not None and severity.party == said.party else None
    told: Told = {
        "party": said.party,
        "raters": len(np.unique(rater)),
        "contracts": len(per_contract),
        "twice": int((per_contract > 1).sum()),
        "parts": len(np.unique(connected(contract, rater)[0][contract])) if len(y) else 0,
        "block": _block(y, contract, rater),
        "criteria": _by_criterion(said, rules, draws=asked.draws, seed=result.seed),
    }
    components = _components(y, contract, rater, learned) if told["twice"] >= rules.interval.pool_minimum else None
    return told | {"components": components} | _needed(components, per_contract, asked)


@dataclass(frozen=True)
class _Variances:
    variance_target: float
    variance_rater: float
    variance_residual: float


def _components(y: Vector, contract: Integers, rater: Integers, learned: Raters | None) -> Told | None:
    """The variances of the crossed fit that the scores use, or of one made here; None where none can be told."""
    fit: reliability.Crossed | None = learned
    if learned is None or learned.assumed:
        try:
            fit = fit_crossed(y, contract, rater)
        except ValueError:
            return None
    names = ("variance_target", "variance_rater", "variance_residual")
    return {name: float(getattr(fit, name)) for name in names}


def _needed(components: Told | None, per_contract: Integers, asked: Reliability) -> Told:
    """`icc` of `one` rater and of the `mean` of as many as a contract has (harmonic mean), and how many are `needed`.

    None where it is not known, or no number is enough.
    """
    if components is None:
        return {"icc": None, "needed": None}
    fit = _Variances(**components)
    one = fit.variance_target / sum(components.values())
    usual = len(per_contract) / float((1 / per_contract).sum())
    told: Told = {"icc": {"one": one, "mean": float(reliability.of_mean(np.array(one), usual)), "raters": usual}}
    try:
        return told | {"needed": reliability.raters_needed(fit, asked.target)}
    except ValueError:  # one rater tells nothing
        return told | {"needed": None}


def _block(y: Vector, contract: Integers, rater: Integers) -> Told | None:
    """The largest set of at least `LEAST_BLOCK` contracts that the same two or more raters rated."""
    raters_of: dict[int, dict[int, float]] = {}
    for c, r, points in zip(contract.tolist(), rater.tolist(), y.tolist(), strict=True):
        raters_of.setdefault(c, {})[r] = points
    together: dict[tuple[int, ...], list[list[float]]] = {}
    for given in raters_of.values():
        who = tuple(sorted(given))
        together.setdefault(who, []).append([given[r] for r in who])
    blocks = [
        (len(who) * len(rows), who) for who, rows in together.items() if len(who) > 1 and len(rows) >= LEAST_BLOCK
    ]
    if not blocks:
        return None
    table = np.array(together[max(blocks)[1]])
    try:
        forms, order = reliability.icc(table), reliability.kendall_w(table)
    except ValueError:  # they gave every contract the same
        return None
    return {
        "contracts": forms.targets,
        "raters": forms.raters,
        "forms": [
            {"form": form, "estimate": _number(estimate), "low": _number(low), "high": _number(high)}
            for form, estimate, low, high in zip(forms.forms, forms.estimate, forms.low, forms.high, strict=True)
        ],
        "kendall": {"w": order.W, "p": order.p},
    }


def _by_criterion(said: Judgements, rules: Rules, *, draws: int, seed: int) -> list[Told]:
    """Krippendorff's α of each criterion with levels, where two raters judged the same contracts."""
    told = []
    for criterion, answers in zip(scheme(rules, said.party).criteria, said.answers.T, strict=True):
        given = ~np.isnan(answers)
        if not _has_levels(criterion, rules) or not given.any():
            continue
        values, level = np.unique(answers[given], return_inverse=True)
        contracts, target = np.unique(said.contract[given], return_inverse=True)
        counts = np.zeros((len(contracts), len(values)), dtype=np.int64)
        np.add.at(counts, (target, level), 1)
        try:
            alpha = reliability.alpha_of_counts(counts, values, draws=draws, seed=seed)
        except ValueError:  # no two raters judged the same contract, or all said the same
            continue
        told.append(
            {
                "criterion": criterion.code,
                "alpha": alpha.alpha,
                "low": alpha.low,
                "high": alpha.high,
                "contracts": alpha.units,
            }
        )
    return told


def _of_questionnaire(sums: ItemSums) -> Told:
    """How far the questions of one questionnaire measure the same.

    Keys: `party`, `kind`, `respondents`, `alpha`, `low`, `high` (None where answers do not vary) and `items` with α
    without each (`if_dropped`) and its correlation with the others (`item_total`).
    """
    n = sums.respondents
    told: Told = {"party": sums.party, "kind": sums.kind, "respondents": n, "alpha": None, "low": None, "high": None}
    covariance = (sums.products - np.outer(sums.total, sums.total) / n) / (n - 1)
    try:
        alpha = reliability.alpha_of_covariance(covariance, n)
    except ValueError:  # one question, or sums that do not vary
        return told | {"items": []}
    items = [
        {"criterion": code, "if_dropped": _number(dropped), "item_total": _number(total)}
        for code, dropped, total in zip(sums.criteria, alpha.if_dropped, alpha.item_total, strict=True)
    ]
    return told | {"alpha": alpha.alpha, "low": _number(alpha.low), "high": _number(alpha.high), "items": items}


def _between_parties(result: Result, rules: Rules) -> Told:
    """How far the parties agree on contracts that they both judged.

    Keys: `pairs` with the correlation and the mean difference of two, `gaps` with how far each stands off the mean of
    the others.
    """
    means = party_means(result, rules)
    codes = [party.code for party in rules.parties]
    pairs = []
    for a in range(len(codes)):
        for b in range(a + 1, len(codes)):
            both = means[~np.isnan(means[:, [a, b]]).any(axis=1)][:, [a, b]]
            if len(both) >= SMALLEST_GROUP:
                pairs.append(
                    {
                        "parties": [codes[a], codes[b]],
                        "contracts": len(both),
                        "correlation": _correlation(both),
                        "difference": float((both[:, 0] - both[:, 1]).mean()),
                    }
                )
    gaps = []
    for code, away in zip(codes, party_gaps(means).T, strict=True):
        off = away[~np.isnan(away)]
        if len(off) >= SMALLEST_GROUP:
            gaps.append({"party": code, "contracts": len(off), "mean": float(off.mean()), "sd": float(off.std(ddof=1))})
    return {"pairs": pairs, "gaps": gaps}


def party_means(result: Result, rules: Rules) -> Vector:
    """Points by contract and party, over the dimensions the party judges; NaN where too few said it."""
    weights = weight_matrix(rules)
    estimate = result.cells.estimate
    shares = np.where(np.isnan(estimate), 0, weights)
    whole = shares.sum(axis=2)
    points = (shares * np.nan_to_num(estimate)).sum(axis=2) / np.where(whole > 0, whole, 1)
    enough = whole > 0
    for p, party in enumerate(rules.parties):
        if party.code == SAMPLED:
            enough[:, p] &= result.respondents[:, p] >= SMALLEST_GROUP
    return np.where(enough, points, np.nan)


def _correlation(both: Vector) -> float | None:
    apart = both - both.mean(axis=0)
    spread = np.sqrt((apart**2).sum(axis=0))
    if (spread <= 1e-9).any():
        return None
    return float((apart[:, 0] * apart[:, 1]).sum() / spread.prod())


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
