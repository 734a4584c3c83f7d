"""What is asked, and which values the scales take."""

from __future__ import annotations

import pytest
from flask import Flask

from evalsys import config
from evalsys.collection.questionnaire import Question, Questionnaire, number_in, questionnaire
from evalsys.rules.loading import load
from evalsys.rules.model import Rules


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load(config.SHIPPED_RULES)


@pytest.fixture(scope="module")
def purchaser(rules: Rules) -> Questionnaire:
    return questionnaire(rules, "purchaser", "care")


def question(asked: Questionnaire, code: str) -> Question:
    return next(one for one in asked if one.code == code)


def test_questions_come_by_dimension_and_only_for_the_service_type(rules: Rules, purchaser: Questionnaire) -> None:
    assert [s.dimension.code if s.dimension else None for s in purchaser.sections] == [
        "outcomes",
        "management",
        "impact",
    ]
    assert len(purchaser) == len(rules.criteria_for("purchaser", "care"))
    assert "purchaser_reach" not in [q.code for q in purchaser]
    assert "purchaser_reach" in [q.code for q in questionnaire(rules, "purchaser", "screening")]


def test_questions_that_are_never_scored_come_last(rules: Rules) -> None:
    last = questionnaire(rules, "recipient", "care").sections[-1]
    assert (last.dimension, [q.code for q in last.questions]) == (None, ["recipient_proxy"])


@pytest.mark.parametrize(
    ("code", "value", "taken"),
    [
        ("purchaser_quality", 1, True),
        ("purchaser_quality", 5, True),
        ("purchaser_quality", 0, False),
        ("purchaser_quality", 6, False),
        ("purchaser_quality", 2.5, False),
        ("purchaser_staff_share", 0.85, True),
        ("purchaser_staff_share", float("inf"), False),
        ("purchaser_staff_share", float("nan"), False),
        ("purchaser_staff_share", 2e12, False),
    ],
)
def test_a_scale_takes_its_own_values_only(purchaser: Questionnaire, code: str, value: float, *, taken: bool) -> None:
    assert question(purchaser, code).takes(value) is taken


def test_yes_and_no_are_two_levels(rules: Rules, app: Flask) -> None:
    privacy = question(questionnaire(rules, "third_party", "care"), "third_privacy")
    assert (privacy.level_count, privacy.levels, privacy.unit) == (2, ("否", "是"), "")
    assert privacy.answer_words(2) == "是"


def test_a_measured_value_is_shown_with_its_unit(purchaser: Questionnaire, app: Flask) -> None:
    share = question(purchaser, "purchaser_staff_share")
    assert share.levels == ()
    assert share.answer_words(0.85).startswith("0.85 · 在岗人数")
    assert share.what_to_write().startswith("请填写数字")


def test_what_to_write_names_the_top_level_and_whether_na_is_taken(purchaser: Questionnaire, app: Flask) -> None:
    assert question(purchaser, "purchaser_quality").what_to_write() == "请填写 1 至 5 的整数等级。"
    assert "na" in question(purchaser, "purchaser_correction").what_to_write()


@pytest.mark.parametrize(
    ("text", "number"),
    [("4", 4.0), (" ４ ", 4.0), ("0.85", 0.85), (".5", 0.5), ("1e2", 100.0), ("-1", -1.0)]
    + [(text, None) for text in ("", "四", "nan", "inf", "1,5", "1_000", "0x10", "5分")],
)
def test_numbers_are_read_as_people_type_them(text: str, number: float | None) -> None:
    assert number_in(text) == number
