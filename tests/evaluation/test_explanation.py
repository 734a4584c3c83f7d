"""The score taken apart, in numbers and in words; laws against the scoring core."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from evalsys import config
from evalsys.base import language
from evalsys.base.errors import NotFound
from evalsys.evaluation.breakdown import breakdowns
from evalsys.evaluation.comparisons import comparisons_told
from evalsys.evaluation.explanation import IN_CELLS, explain
from evalsys.evaluation.naming import Names
from evalsys.evaluation.next_grade import next_grade
from evalsys.evaluation.scorecard import scorecard, waterfall, waterfall_of
from evalsys.evaluation.sentences import reasons, story
from evalsys.evaluation.steps import next_grade_told, signed, steps_off, steps_told
from evalsys.rules.loading import load
from evalsys.rules.model import Cap, RankSets, Rules, Sensitivity, Severity, Shrinkage, Weighting
from evalsys.scoring import engine
from evalsys.scoring.status import Why
from tests.scoring.made import full, make_cycle
from tests.scoring.made import make_rules as core_rules


@pytest.fixture(autouse=True)
def chinese() -> Iterator[None]:
    """Words without a whole application and its database."""
    app = Flask("words")
    language.install(app)
    with app.app_context():
        yield


@pytest.fixture
def names() -> Names:
    plain = dict.fromkeys(("weighting", "adjustment", "severity", "shrinkage", "rank_sets", "sensitivity"))
    return Names(load(config.SHIPPED_RULES).model_copy(update=plain))


def line(**changes: Any) -> Any:
    """A line of which a test names what it is about."""
    kept = {
        "cells": [],
        "dimensions": {"outcomes": 80.0, "management": 80.0, "impact": 80.0},
        "uneven": 0.0,
        "chances": {"excellent": 0.0, "good": 0.9, "fair": 0.1, "poor": 0.0},
        "near_boundary": False,
        "capped": False,
        "reasons": [],
        "respondents": {"purchaser": 1, "recipient": 20, "third_party": 2},
        "frame": 100,
        "collected": {"invited": 40, "received": 21, "held": 1},
        "ranked": 7,
        "levels": {},
    } | changes.pop("breakdown", {})
    result = {"peer_group": "personal", "score": 85.0, "low": 80.0, "high": 90.0, "grade": "good", "rank": 3}
    return SimpleNamespace(**result | changes, breakdown=kept)


def reason(code: str, **changes: Any) -> dict[str, Any]:
    return {"code": code, "party": "recipient", "dimension": "outcomes", "have": 3, "need": 5} | changes


@pytest.mark.parametrize("code", list(Why))
def test_every_reason_of_the_core_has_words(names: Names, code: Why) -> None:
    (told,) = reasons(line(breakdown={"reasons": [reason(code.value)]}), names)
    assert told != code.value
    assert told.endswith("。")
    if code is not Why.NO_PARTY_LEFT:
        assert "3" in told
        assert "5" in told


def test_a_reason_from_elsewhere_is_told_by_its_code(names: Names) -> None:
    assert reasons(line(breakdown={"reasons": [reason("something_new")]}), names) == ["something_new"]


def test_the_story_tells_score_rank_grade_and_counts(names: Names) -> None:
    told = "\n".join(story(line(), names))
    for words in (
        "85.00",
        "80.00",
        "90.00",
        "95%",
        "第 3 名",
        "7 个",
        "“良”，可能性为 90%",
        "服务对象 20 份",
        "20.0%",
        "52.5%",
    ):
        assert words in told, words
    assert "收到 21 份 = 未暂扣 20 份 + 暂扣核查 1 份" in told


def test_the_story_names_the_response_rate_and_what_it_leaves_out(names: Names) -> None:
    sent = {"invited": 40, "received": 25, "held": 0, "answered": 19, "refused": 3, "unreachable": 5}
    told = "\n".join(story(line(breakdown={"collected": sent | {"moved": 1, "died": 1}}), names))
    assert "19 人作答，应答率（AAPOR RR1）为 50.0%" in told
    assert "拒绝 3 人，联系不上 5 人" in told
    assert "不计入应答率的 2 人" in told
    nobody = {"invited": 2, "received": 1, "held": 0, "answered": 0, "moved": 2, "died": 0}
    assert "RR1" not in "\n".join(story(line(breakdown={"collected": nobody}), names))


def test_the_story_says_what_makes_a_grade_doubtful(names: Names) -> None:
    told = "\n".join(story(line(breakdown={"near_boundary": True, "capped": True}), names))
    assert "接近分界线" in told
    assert "封顶" in told


def test_the_story_leaves_out_what_is_not_known(names: Names) -> None:
    nothing = {"frame": None, "collected": {"invited": 0, "received": 0, "held": 0}}
    told = story(line(score=None, low=None, high=None, grade=None, rank=None, breakdown=nothing), names)
    assert told == ["暂无得分、等级和名次。", "计入的评价：购买主体 1 份、服务对象 20 份、第三方评价机构 2 份。"]
    assert len(story(line(breakdown=nothing | {"respondents": {"purchaser": 1}}), names)) == 4


def cell(party: str, dimension: str, **changes: Any) -> dict[str, Any]:
    given = {"n": 1, "weight": 1 / 9, "estimate": 80.0, "low": 70.0, "high": 90.0, "contribution": 80 / 9, "cut": 0.0}
    return {"party": party, "dimension": dimension} | given | changes


def nine(rules: Rules, **changes: Any) -> list[dict[str, Any]]:
    return [cell(p.code, d.code, **changes) for p in rules.parties for d in rules.dimensions]


def test_the_parts_add_up_and_rounding_is_told(names: Names) -> None:
    told = explain(line(score=80.0, breakdown={"cells": nine(names.rules)}), names.rules)
    assert told is not None
    assert told.total == pytest.approx(80)
    assert told.printed == pytest.approx(9 * 8.89)
    assert told.rounding == pytest.approx(0.01)
    assert told.by_party == pytest.approx([80 / 3] * 3)
    assert [row.points for row in told.dimensions] == pytest.approx([80 / 3] * 3)


def test_every_step_has_a_line_of_its_own(names: Names) -> None:
    cells = nine(names.rules, weighting=-0.5, mode=0.25, case_mix=0.0, severity=0.125, cut=-0.5)
    told = explain(line(score=80 - 9 * 0.625 - 2, breakdown={"cells": cells, "uneven": -2.0}), names.rules)
    assert told is not None
    assert [step.code for step in told.steps] == [*IN_CELLS, "uneven"]
    assert [step.points for step in told.steps] == pytest.approx([80, -4.5, 2.25, 0, 1.125, -4.5, -2])
    assert told.steps[1].by_party == pytest.approx([-1.5] * 3)
    assert told.total == pytest.approx(80 - 9 * 0.625 - 2)
    assert told.dimensions[0].parts[0].points == pytest.approx(80 / 9 - 0.625)


def test_steps_that_are_off_and_cuts_of_nothing_have_no_line(names: Names) -> None:
    told = explain(line(score=80.0, breakdown={"cells": nine(names.rules)}), names.rules)
    assert told is not None
    assert [step.code for step in told.steps] == ["contribution"]


AMOUNT = st.floats(-20, 20).filter(lambda x: x == 0 or abs(x) > 1e-6)


@given(moved=st.lists(st.tuples(*[AMOUNT] * 6), min_size=9, max_size=9), uneven=AMOUNT)
def test_parts_steps_and_waterfall_each_add_up_to_the_score(moved: list[tuple[float, ...]], uneven: float) -> None:
    rules = load(config.SHIPPED_RULES)
    cells = [cell | dict(zip(IN_CELLS, points, strict=True)) for cell, points in zip(nine(rules), moved, strict=True)]
    score = sum(map(sum, moved)) + uneven
    told = explain(line(score=score, breakdown={"cells": cells, "uneven": uneven}), rules)
    assert told is not None
    assert told.total == pytest.approx(score, abs=1e-9)
    assert sum(told.by_party) + told.uneven == pytest.approx(score, abs=1e-9)
    assert sum(row.points for row in told.dimensions) + told.uneven == pytest.approx(score, abs=1e-9)
    assert sum(step.points for step in told.steps) == pytest.approx(score, abs=1e-8)  # a cut below 1e-9 is left out
    bars = waterfall(told, Names(rules))
    assert bars[-2].pieces[0].end == pytest.approx(score, abs=1e-8)
    assert bars[-1].pieces[0].end == told.total


@given(
    answers=st.lists(
        st.lists(st.sampled_from([0.0, 25, 50, 75, 100]), min_size=6, max_size=12), min_size=2, max_size=4
    ),
    geometric=st.booleans(),
)
def test_the_scoring_cores_own_parts_add_up_and_the_next_grade_is_reached(
    answers: list[list[float]], geometric: bool
) -> None:
    rules = core_rules(aggregation="geometric" if geometric else "arithmetic")
    inputs = make_cycle({f"c{n}": full(given) for n, given in enumerate(answers)})
    result = engine.score(inputs, rules, seed=1)
    for c, kept in enumerate(breakdowns(result, inputs, rules)):
        if result.grade[c] < 0:
            continue
        score = float(result.score[c])
        one = line(score=score, grade=rules.grades[result.grade[c]].code, breakdown=kept)
        told = explain(one, rules)
        assert told is not None
        assert told.total == pytest.approx(score, abs=1e-9)
        coming = next_grade(one, told, rules)
        for way in coming.ways if coming else []:
            reached = raised(kept, rules, way.party, way.dimension, 100.0 if way.needed is None else way.needed)
            assert coming is not None
            assert (reached >= coming.grade.start - 1e-6) == (way.needed is not None)


def raised(kept: dict[str, Any], rules: Rules, party: str, dimension: str, estimate: float) -> float:
    """The score with one estimate replaced, computed anew from all of them."""
    cells = [
        c | {"estimate": estimate} if (c["party"], c["dimension"]) == (party, dimension) else c for c in kept["cells"]
    ]
    total = 1.0 if rules.aggregation == "geometric" else 0.0
    for d in rules.dimensions:
        mine = [c for c in cells if c["dimension"] == d.code and c["weight"]]
        weight = sum(c["weight"] for c in mine)
        points = sum(c["weight"] * c["estimate"] for c in mine)
        total = total * (points / weight) ** weight if rules.aggregation == "geometric" else total + points
    return total


def told_next(names: Names, **changes: Any) -> tuple[Any, list[str]]:
    one = line(**{"breakdown": {"cells": nine(names.rules)}, "score": 80.0} | changes)
    told = explain(one, names.rules)
    assert told is not None
    coming = next_grade(one, told, names.rules)
    return coming, next_grade_told(coming, names)


def test_the_best_grade_needs_nothing(names: Names) -> None:
    coming, told = told_next(names, grade="excellent")
    assert coming is None
    assert told == ["已是最高等级。"]


def test_the_next_grade_says_how_much_is_missing_and_the_smallest_change(names: Names) -> None:
    cells = nine(names.rules)
    cells[4] |= {"weight": 5 / 9, "contribution": 400 / 9}
    for cell in cells[:4]:
        cell |= {"weight": 0.0, "contribution": None}
    coming, told = told_next(names, breakdown={"cells": cells})
    assert coming.missing == 10
    assert [(way.now, way.needed) for way in coming.ways] == [(80, 98), *[(80, None)] * 4]
    assert told[0] == "距“优”还差 10.00 分。"
    assert told[1].endswith("的评价由 80.00 分提高到 98.00 分。")


def test_what_no_single_change_can_reach_is_said(names: Names) -> None:
    _coming, told = told_next(names)
    assert told[1] == "任何一个评价主体仅在一个维度上给出满分也不够。"


def test_a_weak_dimension_comes_first(names: Names) -> None:
    rules = names.rules.model_copy(update={"cap": Cap(dimension_below=40, grade="fair")})
    kept = {"cells": nine(rules), "dimensions": {"outcomes": 39.5, "management": 100.0, "impact": 100.0}}
    coming, told = told_next(Names(rules), grade="fair", breakdown=kept)
    assert [(weak.dimension, weak.now, weak.needed) for weak in coming.weak] == [("outcomes", 39.5, 40)]
    assert told == [
        "“服务成效”现为 39.50 分，低于 40.00 分时等级按规则封顶，须先提高这一维度。",
        "得分本身已达到“良”。",
    ]
    coming, _told = told_next(Names(rules), grade="poor", breakdown=kept)
    assert coming.weak == []


def test_a_geometric_score_of_nothing_cannot_be_lifted_by_one(names: Names) -> None:
    rules = names.rules.model_copy(update={"aggregation": "geometric"})
    cells = nine(rules, estimate=0.0, contribution=0.0)
    coming, _told = told_next(Names(rules), score=0.0, grade="poor", breakdown={"cells": cells})
    assert {way.needed for way in coming.ways} == {None}


def test_steps_are_told_with_their_numbers(names: Names) -> None:
    steps = {"weighting": -0.5, "mode": 0.25, "case_mix": -0.125, "severity": 0.1, "cut": -0.01, "n_effective": 9.5}
    kept = {
        "cells": nine(names.rules, **steps),
        "uneven": -1.0,
        "collapsed": ["甲镇", "乙镇"],
        "raters": {"component": 1, "overlapping": 12, "assumed": False},
    }
    one = line(breakdown=kept)
    explanation = explain(one, names.rules)
    assert explanation is not None
    told = "\n".join(steps_told(one, explanation, names))
    for words in (
        "为 80.00 分",
        "加权：−4.50 分",
        "相当于 9.5 份",
        "合并计算：甲镇、乙镇",
        "作答方式 +2.25 分，作答人情况 −1.12 分",
        "宽严尺度：+0.90 分",
        "截至边界：−0.09 分",
        "弱项影响更大：−1.00 分",
        "购买主体 25.81",
        "服务成效 25.81",
    ):
        assert words in told, (words, told)
    kept |= {"raters": {"component": None, "overlapping": 12, "assumed": False}, "collapsed": []}
    told = "\n".join(steps_told(line(breakdown=kept), explanation, names))
    assert "评价员均未参与评价员之间的比较" in told
    assert "合并计算" not in told
    kept |= {"raters": {"component": 0, "overlapping": 3, "assumed": True}}
    told = "\n".join(steps_told(line(breakdown=kept), explanation, names))
    assert "由两名评价员共同评价的项目只有 3 个" in told


def test_steps_that_are_off_are_named_in_one_line(names: Names) -> None:
    assert steps_off(names.rules).count("、") == 5
    every = {"weighting": Weighting(), "severity": Severity(), "shrinkage": Shrinkage(), "rank_sets": RankSets()}
    some = names.rules.model_copy(update=every | {"sensitivity": Sensitivity()})
    assert steps_off(some) == "本规则未启用的步骤：扣除作答方式影响。"
    assert steps_off(some.model_copy(update={"adjustment": Weighting()})) == ""


def test_points_carry_their_sign() -> None:
    assert [signed(x) for x in (1.5, -2.25, 0.0, -0.001)] == ["+1.50", "−2.25", "0.00", "0.00"]


def test_ranks_are_told_as_a_set(names: Names) -> None:
    rules = names.rules.model_copy(update={"rank_sets": RankSets()})
    ranks = {"low": 3, "high": 9, "band": 2, "conservative": False}
    assert "列第 3–9 名（置信度 95%）" in story(line(breakdown={"rank_set": ranks}), Names(rules))[1]
    alone = story(line(breakdown={"rank_set": ranks | {"high": 3}}), Names(rules))[1]
    assert alone == "在“服务性服务”组 7 个已计分项目中列第 3 名（置信度 95%）。"


def test_comparisons_are_told_with_their_numbers(names: Names) -> None:
    kept = {
        "shrunken": {
            "value": 84.0,
            "sd": 1.0,
            "low": 82.0,
            "high": 86.0,
            "reliability": 0.8,
            "peer_mean": 81.0,
            "tau2": 4,
        },
        "rank_set": {"low": 3, "high": 9, "band": 2, "conservative": True},
        "weight_space": {"sd": 0.5, "low": 2, "high": 5, "first": 0.25, "next": "QX-2", "leads": 0.875},
    }
    rules = names.rules.model_copy(update={"sensitivity": Sensitivity(level=0.9)})
    told = "\n".join(comparisons_told(line(breakdown=kept), Names(rules), title_of={"QX-2": "照料二号"}.__getitem__))
    for words in (
        "81.00",
        "84.00",
        "82.00–86.00",
        "80%",
        "第 2 档",
        "偏保守",
        "第 2 至 5",
        "取 90%",
        "25%",
        "“照料二号”",
        "88%",
    ):
        assert words in told.replace("第 2 至第 5", "第 2 至 5"), (words, told)
    kept["shrunken"]["reliability"], kept["weight_space"]["next"] = None, None
    kept["rank_set"]["conservative"] = False
    kept["weight_space"]["low"] = 5
    assert len(comparisons_told(line(breakdown=kept), names)) == 3
    assert "名次仍为第 5 名" in comparisons_told(line(breakdown=kept), names)[-1]
    assert comparisons_told(line(), names) == []


def test_a_scorecard_without_a_score_has_no_parts(names: Names) -> None:
    gap = line(score=None, low=None, high=None, grade=None, rank=None)
    assert scorecard(gap, names).parts is None
    with pytest.raises(NotFound):
        waterfall_of(gap, names)


def test_a_scorecard_draws_and_tells_the_same_waterfall(names: Names) -> None:
    one = line(score=80.0, breakdown={"cells": nine(names.rules)})
    card = scorecard(one, names)
    assert card.parts is not None
    assert card.parts.waterfall == (
        "从原始评分到得分：购买主体：原始评分 +26.67；服务对象：原始评分 +26.67；"
        "第三方评价机构：原始评分 +26.67；得分 80.00。"
    )
    assert len(waterfall_of(one, names)) == 4


def test_a_cell_without_weight_brings_nothing(names: Names) -> None:
    told = explain(line(breakdown={"cells": nine(names.rules, weight=0.0, contribution=None)}), names.rules)
    assert told is not None
    assert {part.points for row in told.dimensions for part in row.parts} == {None}


def test_what_is_withheld_has_no_parts(names: Names) -> None:
    assert explain(line(score=None), names.rules) is None


def test_names_fall_back_to_codes(names: Names) -> None:
    assert names.party("unheard_of") == "unheard_of"
    assert names.group("") == "全部项目"
    assert names.grade(None) == "—"
    yes_no = next(c for c in names.rules.criteria if names.rules.scale_of(c).kind == "yes_no")
    assert names.levels(yes_no.code) == ["否", "是"]
