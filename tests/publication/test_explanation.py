"""The score taken apart, in numbers and in words; laws against the scoring core."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from flask import Flask

from evalsys import config
from evalsys.evaluation.naming import Names
from evalsys.evaluation.sentences import reasons, story
from evalsys.publication.explanation import explain
from evalsys.publication.models import EditionScore
from evalsys.publication.vendor_scores import vendor_score
from evalsys.rules.loading import load
from evalsys.rules.model import Rules
from evalsys.scoring import engine
from evalsys.scoring.status import Why
from tests.scoring.made import full, make_cycle, make_rules


@pytest.fixture
def names(app: Flask) -> Names:
    return Names(load(config.SHIPPED_RULES))


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


def test_a_cut_and_the_geometric_loss_have_lines_of_their_own(names: Names) -> None:
    cells = nine(names.rules, cut=-0.5)
    told = explain(line(score=80 - 4.5 - 2, breakdown={"cells": cells, "uneven": -2.0}), names.rules)
    assert told is not None
    assert (told.cut, told.uneven) == (pytest.approx(-4.5), -2.0)
    assert told.total == pytest.approx(73.5)


def test_a_cell_without_weight_brings_nothing(names: Names) -> None:
    told = explain(line(breakdown={"cells": nine(names.rules, weight=0.0, contribution=None)}), names.rules)
    assert told is not None
    assert {part.points for row in told.dimensions for part in row.parts} == {None}


def test_what_is_withheld_has_no_parts(names: Names) -> None:
    assert explain(line(score=None), names.rules) is None


@pytest.mark.parametrize("weighed_by", ["recipients", "amount", "equal"])
def test_a_vendors_score_is_the_scoring_cores(weighed_by: str) -> None:
    luck = random.Random(11)
    codes = [f"c{n}" for n in range(6)]
    served = {code: float(luck.randint(10, 300)) for code in codes}
    amount = {code: float(luck.randint(1000, 9000)) for code in codes}
    rules = make_rules(vendor_weight=weighed_by)
    answers = {code: full([luck.choice([25.0, 50, 75, 100]) for _ in range(12)]) for code in codes}
    answers["c5"] = {"recipient": [[50.0] * 3]}
    inputs = make_cycle(answers, vendors=dict.fromkeys(codes, "one"), served=served, amount=amount)
    result = engine.score(inputs, rules, seed=1)
    lines = [
        EditionScore(
            score=None if np.isnan(result.score[n]) else float(result.score[n]),
            low=float(result.low[n]),
            high=float(result.high[n]),
            amount_fen=int(amount[code]),
            recipients_served=int(served[code]),
        )
        for n, code in enumerate(codes)
    ]
    told = vendor_score(lines, rules)
    assert told is not None
    assert (told.scored, told.weighed_by) == (5, weighed_by)
    expected = [float(values[0]) for values in (result.vendors.score, result.vendors.low, result.vendors.high)]
    assert [told.score, told.low, told.high] == pytest.approx(expected)


def test_contracts_of_unknown_size_count_the_same() -> None:
    lines = [
        EditionScore(score=score, low=score, high=score, amount_fen=0, recipients_served=served)
        for score, served in ((60.0, 0), (90.0, 500))
    ]
    told = vendor_score(lines, make_rules(vendor_weight="recipients"))
    assert told is not None
    assert (told.score, told.weighed_by) == (75.0, "equal")


def test_names_fall_back_to_codes(names: Names) -> None:
    assert names.party("unheard_of") == "unheard_of"
    assert names.group("") == "全部项目"
    assert names.grade(None) == "—"
    yes_no = next(c for c in names.rules.criteria if names.rules.scale_of(c).kind == "yes_no")
    assert names.levels(yes_no.code) == ["否", "是"]
