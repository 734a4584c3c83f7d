"""Whatever one line of the shipped file is damaged, some fault names that line."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsys.config import SHIPPED_RULES
from evalsys.rules.loading import RulesFaulty, loads

LINES = SHIPPED_RULES.read_text(encoding="utf-8").split("\n")
PAIR = re.compile(r'^(?P<key>[a-z_.]+)(?P<equals> = )(?P<value>"[^"]*"|[0-9.]+)(?P<rest>.*)$')
PAIRS = [number for number, line in enumerate(LINES) if PAIR.match(line)]
REQUIRED = {"code", "party", "scale", "kind", "share", "minimum", "from", "to", "past_performance", "worst", "best"}
NAMING = {"party", "dimension", "scale", "parent", "grade"}


def faulty_lines(lines: list[str]) -> set[int]:
    with pytest.raises(RulesFaulty) as caught:
        loads("\n".join(lines).encode(), "mutated.toml")
    return {fault.line for fault in caught.value.faults}


def damaged(number: int, **parts: str) -> list[str]:
    found = PAIR.match(LINES[number])
    assert found is not None
    return [*LINES[:number], "".join({**found.groupdict(), **parts}.values()), *LINES[number + 1 :]]


def key_of(number: int) -> str:
    return LINES[number].split(" ", 1)[0]


def value_of(number: int) -> str:
    return LINES[number].split(" = ", 1)[1]


def head_of(number: int) -> int:
    return max(n for n, line in enumerate(LINES[:number]) if line.startswith("["))


lines_with_a_pair = st.sampled_from(PAIRS)
thorough = settings(max_examples=60, deadline=None, derandomize=True)


def test_the_file_has_many_such_lines() -> None:
    assert len(PAIRS) > 250
    assert {"concentration", "twins", "trim", "draws", "target"} <= {key_of(number) for number in PAIRS}


@thorough
@given(number=lines_with_a_pair)
def test_misspelt_key(number: int) -> None:
    assert number + 1 in faulty_lines(damaged(number, key=key_of(number) + "x"))


@thorough
@given(number=lines_with_a_pair)
def test_value_of_another_type(number: int) -> None:
    other = "7" if value_of(number).startswith('"') else '"seven"'
    assert number + 1 in faulty_lines(damaged(number, value=other))


@thorough
@given(number=st.sampled_from([n for n in PAIRS if key_of(n) not in {"worst", "best"}]))  # these may be below 0
def test_empty_or_negative_value(number: int) -> None:
    empty = '""' if value_of(number).startswith('"') else "-1"
    assert number + 1 in faulty_lines(damaged(number, value=empty))


@thorough
@given(number=lines_with_a_pair, byte=st.sampled_from([b"\xff", b"\xb7\xfe", b"\x80"]))
def test_byte_that_is_not_utf8(number: int, byte: bytes) -> None:
    raw = [line.encode() for line in LINES]
    raw[number] += b" # " + byte
    with pytest.raises(RulesFaulty) as caught:
        loads(b"\n".join(raw), "mutated.toml")
    assert [fault.line for fault in caught.value.faults] == [number + 1]


@thorough
@given(number=lines_with_a_pair)
def test_line_that_is_no_toml(number: int) -> None:
    assert faulty_lines([*LINES[:number], "？？", *LINES[number:]]) == {number + 1}


@thorough
@given(number=lines_with_a_pair)
def test_line_written_twice(number: int) -> None:
    assert faulty_lines([*LINES[:number], LINES[number], *LINES[number:]]) == {number + 2}


@thorough
@given(number=st.sampled_from([n for n in PAIRS if key_of(n) in NAMING]))
def test_name_of_nothing(number: int) -> None:
    assert number + 1 in faulty_lines(damaged(number, value='"nowhere"'))


@thorough
@given(number=st.sampled_from([n for n in PAIRS if key_of(n) in REQUIRED and LINES[head_of(n)] != "[severity]"]))
def test_required_key_left_out_is_told_at_the_head_of_its_table(number: int) -> None:
    head = head_of(number)
    assert head + 1 in faulty_lines([*LINES[:number], *LINES[number + 1 :]])


@thorough
@given(
    number=st.sampled_from([n for n, line in enumerate(LINES) if line.startswith("share = ")]), new=st.floats(0.51, 1)
)
def test_share_that_breaks_the_sum(number: int, new: float) -> None:
    first = LINES.index("[[weights]]") + 1
    assert faulty_lines(damaged(number, value=f"{new:.3f}")) == {first}
