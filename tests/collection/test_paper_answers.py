"""What the keys of a clerk mean, which forms are keyed twice, and where two keyings differ."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st

from evalsys import config
from evalsys.base.command import speaking
from evalsys.collection.paper_answers import answer_said, differing, drawn, key_said, keys_of, read_keys
from evalsys.collection.survey import NOT_APPLICABLE, Question, questions_of
from evalsys.config import Settings
from evalsys.rules.loading import load
from evalsys.rules.values import Text
from tests.collection.paper import TYPED

pytestmark = pytest.mark.usefixtures("in_chinese")
QUESTIONS = questions_of(load(config.SHIPPED_RULES), "care")


@pytest.fixture(scope="module")
def in_chinese(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The context of a command that speaks Chinese; these rules need no database."""
    instance = str(tmp_path_factory.mktemp("instance"))
    with speaking(Settings.from_environment({"EVALSYS_INSTANCE": instance})), force_locale("zh"):
        yield


@pytest.mark.parametrize("key", ["4", " 4", "４", "④"])
def test_every_way_of_typing_a_digit_is_that_digit(key: str) -> None:
    answers, faults = read_keys(QUESTIONS, TYPED | {"recipient_help": key})
    assert faults == {}
    assert answers["recipient_help"] == 4


@pytest.mark.parametrize("key", ["-", " ", "－", "—", "–", "\u3000"])
def test_what_is_empty_on_the_paper_is_absent(key: str) -> None:
    answers, faults = read_keys(QUESTIONS, TYPED | {"recipient_help": key})
    assert faults == {}
    assert "recipient_help" not in answers


@pytest.mark.parametrize("key", ["0", "9", "０"])
def test_not_applicable_has_two_keys_where_it_is_asked(key: str) -> None:
    answers, faults = read_keys(QUESTIONS, TYPED | {"recipient_reachable": key})
    assert faults == {}
    assert answers["recipient_reachable"] is None
    _answers, faults = read_keys(QUESTIONS, TYPED | {"recipient_help": key})
    assert list(faults) == ["recipient_help"]


@pytest.mark.parametrize("key", ["", "6", "45", "٣", "四", "x", "1.0", "-1"])
def test_anything_else_is_asked_for_again(key: str) -> None:
    _answers, faults = read_keys(QUESTIONS, TYPED | {"recipient_help": key})
    assert "1 至 5" in faults["recipient_help"]
    assert "不适用" not in faults["recipient_help"]


def test_the_words_name_what_the_question_takes() -> None:
    _answers, faults = read_keys(QUESTIONS, {})
    assert len(faults) == len(QUESTIONS)
    assert "不适用" in faults["recipient_reachable"]
    assert "1 至 2" in faults["recipient_proxy"]


def test_a_form_without_a_tick_is_laid_aside() -> None:
    empty = dict.fromkeys(TYPED, "-")
    assert "一题未答" in read_keys(QUESTIONS, empty)[1]["recipient_satisfied"]
    assert read_keys(QUESTIONS, empty, may_be_empty=True) == ({}, {})


def test_a_ninth_level_keeps_its_key() -> None:
    levels = tuple((str(n), Text(zh=f"{n}", en=f"{n}")) for n in range(1, 11))
    na = (NOT_APPLICABLE, Text(zh="不适用", en="n/a"))
    keys = keys_of(Question("recipient_x", levels[0][1], None, True, (*levels, na), False))
    assert (keys["9"], keys["10"], keys["0"]) == (9, 10, None)


def test_two_keyings_differ_where_the_keys_do() -> None:
    first, _faults = read_keys(QUESTIONS, TYPED)
    changed = {"recipient_help": "-", "recipient_reachable": "1", "recipient_proxy": "2"}
    second, _faults = read_keys(QUESTIONS, TYPED | changed)
    found = differing(QUESTIONS, first, second)
    assert [q.code for q in found] == ["recipient_help", "recipient_reachable", "recipient_proxy"]
    assert [key_said(q, first) for q in found] == ["4", "0", "-"]
    assert [key_said(q, second) for q in found] == ["-", "1", "2"]
    assert answer_said(found[0], first) == "帮助比较大"
    assert answer_said(found[1], first).startswith("不适用")
    assert answer_said(found[2], first) == "纸上空着"
    assert differing(QUESTIONS, first, dict(first)) == []


@given(st.sets(st.binary(min_size=32, max_size=32), max_size=80), st.sampled_from([0.1, 0.2, 0.5, 1.0]))
def test_the_sample_is_the_share_and_at_least_five(serials: set[bytes], share: float) -> None:
    chosen = drawn(7, serials, share)
    assert chosen <= serials
    assert len(chosen) == min(len(serials), max(5, -(-round(share * len(serials) * 10) // 10)))
    assert chosen == drawn(7, sorted(serials), share)


def test_each_batch_draws_other_forms() -> None:
    serials = [bytes([n]) * 32 for n in range(100)]
    assert drawn(1, serials, 0.1) != drawn(2, serials, 0.1)
