"""Step 12: which ratings a person must look at. Matrices in, signs out; needs no database and decides nothing.

A sign is plain JSON: its code under "sign", what was seen, and the rule it broke. None of them tells an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtrc

from evalsys.evaluation.breakdown import SMALLEST_GROUP
from evalsys.rules.model import Integrity
from evalsys.scoring import integrity
from evalsys.scoring.arrays import Flags, Integers, Vector
from evalsys.scoring.severity import fit_crossed

Sign = dict[str, Any]
Levels = NDArray[np.int8]
"""Answers in levels, shape (respondents, questions); 0 = none given."""

LONG_STRING, TOO_FAST, NEAR_DUPLICATES = "long_string", "too_fast", "near_duplicates"
PAIR, SHIFT, BUSY_DAY, PARTY_GAP = "pair_residual", "shift", "busy_day", "party_gap"
SIGNS = (LONG_STRING, TOO_FAST, NEAR_DUPLICATES, PAIR, SHIFT, BUSY_DAY, PARTY_GAP)


@dataclass(frozen=True, eq=False)
class Questions:
    """The questions with levels of one service type: how many levels each has, shape (questions,)."""

    levels: Integers


@dataclass(frozen=True, eq=False)
class Everywhere:
    """What came on all contracts that are asked the same, the one that is looked at among them.

    Attributes:
        times: how often each row of answers, as bytes, came.
        respondents: how many rows.
    """

    times: Mapping[bytes, int]
    respondents: int

    @classmethod
    def of(cls, times: Counter[bytes]) -> Everywhere:
        return cls(times, times.total())


def signs_of_respondents(
    answers: Levels, fast: Flags, asked: Questions, everywhere: Everywhere, rules: Integrity
) -> dict[int, list[Sign]]:
    """Signs of a contract's recipients, by row.

    The best level throughout is what content people tick: it is told beside another sign, and is none by itself.

    Args:
        answers: in the order they were asked.
        fast: shape (respondents,), answered in under 20 seconds.
        asked: the questions.
        everywhere: what came on all contracts that are asked the same.
        rules: thresholds.
    """
    given = (answers > 0).sum(axis=1)
    enough = given >= rules.least_questions
    runs = _runs(answers, asked, rules)
    content = ((answers == 0) | (answers == asked.levels)).all(axis=1)
    found: dict[int, list[Sign]] = {row: [sign] for row, sign in runs.items() if not content[row]}
    if rules.too_fast:
        for row in np.flatnonzero(fast & enough).tolist():
            found.setdefault(row, [runs[row]] if row in runs else []).append({"sign": TOO_FAST, "seconds": 20})
    for row, sign in _twins(answers, set(runs), everywhere, rules).items():
        found.setdefault(row, []).append(sign)
    return found


def _runs(answers: Levels, asked: Questions, rules: Integrity) -> dict[int, Sign]:
    """The same answer over (nearly) all questions, by row.

    Questions on the commonest scale are looked at: a yes among five levels is neither the same nor another level. What
    was not answered is passed over.
    """
    scales, how_many = np.unique(asked.levels, return_counts=True)
    alike = answers[:, asked.levels == scales[how_many.argmax()]] if len(scales) else answers
    packed = np.take_along_axis(alike, np.argsort(alike == 0, axis=1, kind="stable"), axis=1)
    table = np.where(packed > 0, packed, np.nan)
    given, longest = (packed > 0).sum(axis=1), integrity.long_string(table)
    spread = integrity.response_variability(table)
    rows = np.flatnonzero((given >= rules.least_questions) & (longest >= rules.long_string * given))
    return {
        row: {
            "sign": LONG_STRING,
            "run": int(longest[row]),
            "questions": int(given[row]),
            "sd": round(float(spread[row]), 3),
            "share": rules.long_string,
        }
        for row in rows.tolist()
    }


def _twins(answers: Levels, plain: set[int], everywhere: Everywhere, rules: Integrity) -> dict[int, Sign]:
    """Rows that too many others repeat; rows of one level throughout are alike for a plainer reason."""
    rows = [row for row in range(len(answers)) if row not in plain]
    if len(rows) <= rules.twins:
        return {}
    table = np.where(answers[rows] > 0, answers[rows], np.nan)
    try:
        twins = integrity.near_duplicates(table, alike=rules.alike, least=rules.least_questions)
    except ValueError:  # too many different rows to compare them pair by pair
        return {}
    repeated = np.flatnonzero(twins.count >= rules.twins).tolist()
    others, different = everywhere.respondents - len(answers), len(np.unique(answers[rows], axis=0)) if repeated else 0
    found = {}
    for place in repeated:
        row, count = rows[place], int(twins.count[place])
        elsewhere = everywhere.times[answers[row].tobytes()] - int((answers == answers[row]).all(axis=1).sum())
        usual = len(answers) * (elsewhere + 1) / (others + 1)
        if others and pdtrc(count, usual) * different > rules.twins_chance:  # any of the different rows may come up
            continue
        found[row] = {"sign": NEAR_DUPLICATES, "twins": count, "respondents": len(answers), "alike": rules.alike}
        if others:
            found[row]["usual"] = round(usual, 2)
    return found


def patterns(answers: Levels) -> Counter[bytes]:
    """How often each row occurs."""
    return Counter(row.tobytes() for row in np.ascontiguousarray(answers))


def signs_of_assessments(answers: Levels, asked: Questions, rules: Integrity) -> dict[int, list[Sign]]:
    """Appointed raters who gave one answer throughout, the best one too: they are paid to tell things apart."""
    return {row: [sign] for row, sign in _runs(answers, asked, rules).items()}


def signs_of_raters(
    y: Vector, contract: Integers, rater: Integers, vendor: Integers, *, weight: float, rules: Integrity
) -> dict[int, list[Sign]]:
    """Signs of a party's assessments beside those of its other raters, by row.

    Args:
        y: shape (assessments,), points, NaN where too little was answered.
        contract, rater, vendor: same shape, who judged what of whom.
        weight: share of the score that the party has.
        rules: thresholds.
    """
    known = np.flatnonzero(~np.isnan(y))
    points, c, r = y[known], contract[known], rater[known]
    found: dict[int, list[Sign]] = {}
    for row, sign in _favours(points, c, r, vendor[known], rules):
        found.setdefault(int(known[row]), []).append(sign)
    moved = integrity.leave_one_rater_out(points, c, r)
    place = {(int(one), int(two)): n for n, (one, two) in enumerate(zip(c, r, strict=True))}
    for target, who, shift in zip(moved.target, moved.rater, moved.shift * weight, strict=True):
        if abs(shift) >= rules.shift:  # NaN, nobody else has rated, is not
            row = int(known[place[int(target), int(who)]])
            sign = {"sign": SHIFT, "points": round(-float(shift), 2), "limit": rules.shift}
            found.setdefault(row, []).append(sign)
    return found


def _favours(
    y: Vector, contract: Integers, rater: Integers, vendor: Integers, rules: Integrity
) -> list[tuple[int, Sign]]:
    """Rows of raters whose answers for one vendor lie off what their severity and the contracts explain."""
    if len(np.unique(rater)) < 2 or np.unique(contract, return_counts=True)[1].max() < 2:
        return []
    try:
        fit = fit_crossed(y, contract, rater)
    except ValueError:  # no spread to tell raters and contracts apart by
        return []
    targets = fit.target_effects.values[np.searchsorted(fit.target_effects.labels, contract)]
    raters = fit.rater_effects.values[np.searchsorted(fit.rater_effects.labels, rater)]
    pairs = integrity.pair_residuals(
        y - fit.intercept - targets - raters, rater, vendor, sd=float(np.sqrt(fit.variance_residual))
    )
    odd = {
        (int(who), int(whom)): {
            "sign": PAIR,
            "points": round(float(mean), 2),
            "p": float(p),
            "limit": rules.pair_chance,
        }
        for who, whom, mean, p in zip(pairs.rater, pairs.vendor, pairs.mean, pairs.adjusted, strict=True)
        if p <= rules.pair_chance
    }
    return [(row, odd[key]) for row, key in enumerate(zip(rater.tolist(), vendor.tolist(), strict=True)) if key in odd]


def busy_days(counts: Integers, days: Sequence[str], rules: Integrity) -> dict[int, list[Sign]]:
    """Days on which a contract received more answers than chance brings, by contract.

    Recipients are asked on some days and not on others, so counts vary more than independent answers would; they are
    divided by how much more they do on the middle contract, where five contracts or more can show it.

    Args:
        counts: shape (contracts, days).
        days: what each column is called.
        rules: thresholds.
    """
    if not counts.size:
        return {}
    came = counts > 0
    p = np.ones(counts.shape)
    tail = integrity.busy_hours((counts / _unevenness(counts)).astype(np.int64))
    p[came] = integrity.benjamini_hochberg(tail[came])
    found: dict[int, list[Sign]] = {}
    for contract, day in np.argwhere((p <= rules.busy_chance) & (counts >= SMALLEST_GROUP)).tolist():
        sign = {
            "sign": BUSY_DAY,
            "day": days[day],
            "answers": int(counts[contract, day]),
            "usual": round(float(counts[contract].mean()), 2),
            "p": float(p[contract, day]),
            "limit": rules.busy_chance,
        }
        found.setdefault(contract, []).append(sign)
    return found


def _unevenness(counts: Integers) -> float:
    """The variance of a contract's days over their mean, of the middle contract; 1 = as independent answers."""
    enough = counts[counts.sum(axis=1) >= SMALLEST_GROUP]
    if len(enough) < SMALLEST_GROUP or counts.shape[1] < 2:
        return 1.0
    return max(1.0, float(np.median(enough.var(axis=1, ddof=1) / enough.mean(axis=1))))


def gaps(means: Vector, parties: Sequence[str], rules: Integrity) -> dict[int, list[Sign]]:
    """Parties that stand far off the others on a contract, by contract; `means` has shape (contracts, parties)."""
    found: dict[int, list[Sign]] = {}
    away = integrity.party_gaps(means)
    for contract, p in np.argwhere(np.abs(np.nan_to_num(away)) >= rules.party_gap).tolist():
        points = round(float(away[contract, p]), 1)
        sign = {"sign": PARTY_GAP, "party": parties[p], "points": points, "limit": rules.party_gap}
        found.setdefault(contract, []).append(sign)
    return found
