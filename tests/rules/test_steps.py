"""What each step says of itself, on and off, in both languages."""

from __future__ import annotations

from typing import get_args

import pytest

from evalsys.config import ROOT, SHIPPED_RULES
from evalsys.rules.explanation import explained
from evalsys.rules.loading import load, loads
from evalsys.rules.model import Rules
from evalsys.rules.steps import MODES, Step, steps
from evalsys.rules.values import Mode

MAY_BE_OFF = {2, 3, 4, 7, 9, 10, 11, 12}


def step(rules: Rules, number: int) -> Step:
    return steps(rules)[number - 1]


def test_shipped_rules_take_every_step_but_the_third() -> None:
    told = steps(load(SHIPPED_RULES))
    assert [one.number for one in told] == list(range(1, 14))
    assert [one.number for one in told if not one.on] == [3]


def test_rules_without_sections_say_of_each_step_that_it_is_off() -> None:
    told = steps(load(ROOT / "examples" / "one-party.toml"))
    assert {one.number for one in told if not one.on} == MAY_BE_OFF
    for one in told:
        assert one.on != ("未启用" in one.says.zh)
        assert bool(one.formulas) == one.on


@pytest.mark.parametrize(
    ("number", "zh", "en"),
    [
        (1, "不足 50% 的", "at least 50% of the weight"),
        (2, "不足 5 份答卷的一层并入相近的层；权重最多是中位数的 4 倍", "fewer than 5 answers joins another"),
        (
            3,
            "成效：电话访问 +3 分；成效：本人回答吗 -1.5 分",
            "Outcomes: by telephone +3; Outcomes: Yourself? -1.5 points",
        ),
        (4, "购买主体的评价员同评一些项目", "With fewer than 10 contracts of two raters nothing is taken off"),
        (5, "相当于 8 份答卷", "worth 8 answers"),
        (6, "缺一方评价的，暂不评级", "a party is missing, the score is withheld"),
        (7, "组内差异按 PM 每次计算时重新估计", "estimated by PM, anew in each run"),
        (8, "不到 80% 的", "below 80% is marked"),
        (9, "把握程度 95%，同时成立", "with 95% confidence, all at once"),
        (10, "随机取 500 组权重", "500 sets of weights"),
        (11, "达到 0.7 需要几名", "how many raters reach 0.7"),
        (12, "由人核查、写明理由", "A person decides, with a reason"),
        (13, "最近 3 年", "each year of age times 0.7"),
    ],
)
def test_each_step_says_its_numbers(small: str, number: int, zh: str, en: str) -> None:
    told = step(loads(small.encode(), "small.toml"), number)
    assert told.on
    assert zh in told.says.zh
    assert en in told.says.en


def test_other_choices_are_told(small: str) -> None:
    changed = (
        small.replace("answered_share = 0.5", 'answered_share = 0.5\naggregation = "geometric"')
        .replace("rated_half_width = 10", 'rated_half_width = 10\nmissing_party = "reproportion"')
        .replace("[rank_sets]", "[rank_sets]\nsimultaneous = false")
    )
    rules = loads(changed.encode(), "small.toml")
    assert "weighted geometric mean of the dimensions" in step(rules, 6).says.en
    assert "the others carry its weight and the margin grows" in step(rules, 6).says.en
    assert step(rules, 6).formulas[0].startswith("T = Π")
    assert "each for itself" in step(rules, 9).says.en


def test_what_is_learned_once_is_named() -> None:
    assert {one.number for one in steps(load(SHIPPED_RULES)) if one.frozen} == {4, 5, 6}


def test_every_mode_has_a_name() -> None:
    assert set(MODES) == set(get_args(Mode))


def test_the_steps_stand_in_the_explanation(small: str) -> None:
    rules = loads(small.encode(), "small.toml")
    assert "\n   2  on  Who answered" in explained(rules, "en")
    off = rules.model_copy(update={"severity": None})
    assert "未启用：评价员宽严不同" in explained(off, "zh")
