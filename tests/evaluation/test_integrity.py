"""Step 12 on arrays: what becomes a sign, and what does not."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from evalsys.evaluation import integrity
from evalsys.evaluation.integrity import Everywhere, Levels, Questions, Sign
from evalsys.rules.model import Integrity

RULES = Integrity()
ASKED = Questions(np.array([5, 5, 5, 5, 5, 2], dtype=np.int64))
MIXED = [4, 5, 3, 4, 5, 2]


def table(*rows: list[int]) -> Levels:
    return np.array(rows, dtype=np.int8)


def signs(
    answers: Levels,
    *,
    fast: tuple[int, ...] = (),
    elsewhere: dict[bytes, int] | None = None,
    rules: Integrity = RULES,
) -> dict[int, list[Sign]]:
    quick = np.isin(np.arange(len(answers)), fast)
    everywhere = Everywhere.of(Counter(elsewhere or {}) + integrity.patterns(answers))
    return integrity.signs_of_respondents(answers, quick, ASKED, everywhere, rules)


def codes(found: dict[int, list[Sign]]) -> dict[int, list[str]]:
    return {row: [sign["sign"] for sign in told] for row, told in found.items()}


def test_one_level_throughout_is_a_sign_unless_it_is_the_best() -> None:
    found = signs(table([3, 3, 3, 3, 3, 0], [5, 5, 5, 5, 5, 2], MIXED))
    assert codes(found) == {0: ["long_string"]}
    assert found[0][0] == {"sign": "long_string", "run": 5, "questions": 5, "sd": 0.0, "share": 1.0}


def test_what_was_not_answered_ends_no_run() -> None:
    asked = Questions(np.array([5] * 7, dtype=np.int64))
    found = integrity.signs_of_assessments(table([4, 0, 4, 4, 0, 4, 4]), asked, RULES)
    assert found[0][0]["questions"] == 5
    nothing = Questions(np.zeros(0, dtype=np.int64))
    assert integrity.signs_of_assessments(np.zeros((2, 0), dtype=np.int8), nothing, RULES) == {}


def test_the_best_throughout_is_told_beside_another_sign() -> None:
    assert codes(signs(table([5, 5, 5, 5, 5, 0], MIXED), fast=(0, 1))) == {
        0: ["long_string", "too_fast"],
        1: ["too_fast"],
    }


def test_a_share_of_the_questions_may_be_enough() -> None:
    rules = RULES.model_copy(update={"long_string": 0.6})
    assert codes(signs(table([2, 3, 3, 3, 3, 1], [2, 3, 3, 1, 1, 1]), rules=rules)) == {0: ["long_string"]}


def test_a_short_questionnaire_shows_nothing() -> None:
    assert signs(table(*[[3, 3, 3, 3, 0, 0]] * 9), fast=(0,)) == {}


def test_speed_counts_only_where_the_rules_ask() -> None:
    assert signs(table(MIXED), fast=(0,), rules=RULES.model_copy(update={"too_fast": False})) == {}


def test_more_twins_than_other_contracts_lead_one_to_expect() -> None:
    copied, other = table(*[MIXED] * 6), table([5, 4, 3, 2, 1, 1])
    seldom = Counter({table([1, 2, 3, 4, 5, 1]).tobytes(): 500})
    often = Counter({table(MIXED)[0].tobytes(): 300, table([1, 2, 3, 4, 5, 1]).tobytes(): 200})
    found = signs(np.concatenate([copied, other]), elsewhere=seldom)
    assert codes(found) == {row: ["near_duplicates"] for row in range(6)}
    assert found[0][0] == {
        "sign": "near_duplicates",
        "twins": 5,
        "respondents": 7,
        "alike": 0.95,
        "usual": 0.01,
    }
    assert signs(np.concatenate([copied, other]), elsewhere=often) == {}


def test_without_other_contracts_the_number_alone_decides() -> None:
    found = signs(table(*[MIXED] * 6))
    assert len(found) == 6
    assert "usual" not in found[0][0]
    assert signs(table(*[MIXED] * 5)) == {}


def test_rows_of_one_level_are_no_twins() -> None:
    assert codes(signs(table(*[[5, 5, 5, 5, 5, 0]] * 9))) == {}


def test_too_many_different_rows_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evalsys.scoring.integrity.DISTINCT_UP_TO", 0)
    assert signs(table(*[MIXED] * 9)) == {}


def test_appointed_raters_are_to_tell_things_apart() -> None:
    assert codes(integrity.signs_of_assessments(table([5, 5, 5, 5, 5, 1], MIXED), ASKED, RULES)) == {0: ["long_string"]}


def judged(count: int = 12) -> tuple[np.ndarray, ...]:
    """Every contract by two of four raters, without noise worth mentioning; vendors have two contracts each."""
    contract = np.repeat(np.arange(count), 2)
    rater = (contract + np.tile([0, 1], count)) % 4
    random = np.random.default_rng(3)
    y = 60.0 + contract + 3 * rater + random.normal(0, 1, 2 * count)
    return y, contract, rater, contract // 2


def test_favour_for_a_vendor_is_found_and_nobody_else_is_named() -> None:
    y, contract, rater, vendor = judged(40)
    mine = (rater == 1) & (vendor == 4)
    y[mine] += 25
    found = integrity.signs_of_raters(y, contract, rater, vendor, weight=0.1, rules=RULES)
    assert set(np.flatnonzero(mine)) <= set(found)
    told = found[int(np.flatnonzero(mine)[0])][0]
    assert told["sign"] == "pair_residual"
    assert told["points"] > 5
    assert told["p"] <= 0.05


def test_calm_raters_show_no_sign() -> None:
    y, contract, rater, vendor = judged()
    assert integrity.signs_of_raters(y, contract, rater, vendor, weight=0.3, rules=RULES) == {}


def test_a_rater_who_moves_the_score_is_found() -> None:
    y = np.array([80.0, 20.0, 70.0, 72.0, np.nan])
    contract, rater = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 0, 1, 2])
    found = integrity.signs_of_raters(y, contract, rater, contract, weight=0.4, rules=RULES)
    assert [[sign for sign in told if sign["sign"] == "shift"] for told in found.values()] == [
        [{"sign": "shift", "points": 12.0, "limit": 5.0}],
        [{"sign": "shift", "points": -12.0, "limit": 5.0}],
    ]
    assert sorted(found) == [0, 1]


def test_one_rater_a_contract_or_equal_answers_show_no_favour() -> None:
    alone, rater = np.arange(6), np.zeros(6, dtype=np.int64)
    assert integrity.signs_of_raters(np.arange(6.0), alone, rater, alone, weight=1, rules=RULES) == {}
    contract, both = np.repeat(np.arange(3), 2), np.tile([0, 1], 3)
    assert integrity.signs_of_raters(np.full(6, 70.0), contract, both, contract, weight=1, rules=RULES) == {}
    nothing = np.zeros(0, dtype=np.int64)
    assert integrity.signs_of_raters(np.zeros(0), nothing, nothing, nothing, weight=1, rules=RULES) == {}


def test_a_day_that_chance_does_not_explain() -> None:
    counts = np.array([[0, 1, 0, 30, 1, 0], [1, 0, 2, 1, 1, 0], [0, 0, 3, 0, 0, 0]])
    days = [f"2026-10-0{n}" for n in range(1, 7)]
    found = integrity.busy_days(counts, days, RULES)
    assert codes(found) == {0: ["busy_day"]}
    assert (found[0][0]["day"], found[0][0]["answers"], found[0][0]["usual"]) == ("2026-10-04", 30, 5.33)
    assert integrity.busy_days(np.zeros((0, 6), dtype=np.int64), days, RULES) == {}


def test_where_all_days_are_uneven_only_the_odd_one_stands_out() -> None:
    uneven = np.array([[12, 0, 0, 0, 0, 0]] * 6)
    days = [f"2026-10-0{n}" for n in range(1, 7)]
    assert integrity.busy_days(uneven, days, RULES) == {}
    assert list(integrity.busy_days(np.concatenate([uneven, [[300, 0, 0, 0, 0, 0]]]), days, RULES)) == [6]
    assert list(integrity.busy_days(np.full((6, 1), 50), days[:1], RULES)) == []


def test_a_party_far_off_the_others() -> None:
    found = integrity.gaps(np.array([[90.0, 50, 52], [80, 78, np.nan]]), ("a", "b", "c"), RULES)
    assert found == {0: [{"sign": "party_gap", "party": "a", "points": 39.0, "limit": 25.0}]}
