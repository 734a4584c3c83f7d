"""What a form's fields come to, without a database."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from evalsys import config
from evalsys.collection.survey import TOKEN, Problem, check, questions_of
from evalsys.rules.loading import loads
from tests.collection.surveys import COMPLETE

RULES = loads(config.SHIPPED_RULES.read_bytes(), "shipped")
QUESTIONS = questions_of(RULES, "care")


def stored_as(given: dict[str, str]) -> dict[str, str]:
    """By the criteria's codes, what a form says by its fields."""
    return {f"recipient_{field}": value for field, value in given.items()}


def fields(**changes: str | list[str]) -> MultiDict[str, str]:
    given: dict[str, str | list[str]] = {**COMPLETE, TOKEN: "x", **changes}
    return MultiDict(given)


def test_recipients_are_asked_the_questions_of_their_service_and_nothing_measured() -> None:
    assert [question.field for question in QUESTIONS] == [*COMPLETE, "proxy"]
    assert {question.code for question in QUESTIONS} == {f"recipient_{field}" for field in (*COMPLETE, "proxy")}
    assert "recipient_clear" in [question.code for question in questions_of(RULES, "training")]
    for service in RULES.service_types:
        assert len(questions_of(RULES, service.code)) <= 8


def test_yes_or_no_is_asked_as_two_levels() -> None:
    text = config.SHIPPED_RULES.read_text("utf-8")
    changed = text.replace('scale = "satisfaction"\nweight = 2', 'scale = "yes_no"\nweight = 2', 1)
    assert changed != text
    question = questions_of(loads(changed.encode(), "changed"), "care")[0]
    assert [(value, words.en) for value, words in question.options] == [("1", "No"), ("2", "Yes")]


def test_a_complete_form_is_right() -> None:
    faulty = check(QUESTIONS, fields())
    assert not faulty
    assert faulty.given == stored_as(COMPLETE)


@pytest.mark.parametrize("value", ["0", "6", "1.5", "", "-1", "five", "NA", "1 ", "１"])
def test_a_value_outside_the_scale_is_refused_and_the_rest_kept(value: str) -> None:
    faulty = check(QUESTIONS, fields(help=value))
    assert faulty.problems == {"recipient_help": Problem.NOT_AN_ANSWER}
    assert faulty.given == stored_as({field: given for field, given in COMPLETE.items() if field != "help"})


def test_not_applicable_is_an_answer_only_where_the_rules_say_so() -> None:
    assert check(QUESTIONS, fields(help="na")).problems == {"recipient_help": Problem.NOT_AN_ANSWER}
    assert not check(QUESTIONS, fields(reachable="na"))


def test_every_missing_answer_is_named_and_what_may_be_left_out_is_not() -> None:
    faulty = check(QUESTIONS, MultiDict({"help": "1"}))
    assert set(faulty.problems) == set(stored_as(COMPLETE)) - {"recipient_help"}
    assert set(faulty.problems.values()) == {Problem.MISSING}


def test_a_doubled_or_unknown_field_is_refused() -> None:
    assert check(QUESTIONS, fields(help=["1", "2"])).problems == {"recipient_help": Problem.TWO_ANSWERS}
    assert check(QUESTIONS, fields(clear="1")).remarks == [Problem.NOT_ASKED]


def test_a_form_without_any_answer_is_not_an_answer() -> None:
    optional = questions_of(RULES, "care")[-1:]
    assert check(optional, MultiDict({TOKEN: "x"})).remarks == [Problem.NOTHING_ANSWERED]
