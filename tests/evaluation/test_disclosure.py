"""What is told of a contract's answers, and an attacker who tries to work out the rest."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsys.config import SHIPPED_RULES
from evalsys.evaluation.disclosure import TOGETHER, Total, classes, disclosed, few_differ, ways_told
from evalsys.rules.loading import load
from evalsys.rules.model import Rules

COUNTS = st.lists(st.integers(0, 12), min_size=2, max_size=6)


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load(SHIPPED_RULES)


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ([0, 0, 6, 7, 20], [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]),
        ([1, 0, 6, 7, 20], [(0, 2), (3, 3), (4, 4)]),
        ([6, 7, 20, 0, 1], [(0, 0), (1, 1), (2, 4)]),
        ([0, 3, 4, 7, 20], [(0, 0), (1, 2), (3, 3), (4, 4)]),
        ([1, 1, 1, 1, 1], [(0, 4)]),
        ([0, 0, 0, 0, 3], [(0, 4)]),
        ([2, 3, 2, 3, 5], [(0, 1), (2, 3), (4, 4)]),
    ],
)
def test_levels_that_few_chose_are_told_with_their_neighbours(counts: list[int], told: list[tuple[int, int]]) -> None:
    assert classes(counts) == told


@given(COUNTS)
def test_classes_cover_all_levels_and_are_as_fine_as_can_be(counts: list[int]) -> None:
    found = classes(counts)
    assert [place for a, b in found for place in range(a, b + 1)] == list(range(len(counts)))
    sums = [sum(counts[a : b + 1]) for a, b in found]
    if sum(counts) >= 5 or not any(counts):
        assert all(total == 0 or total >= 5 for total in sums)
    else:
        assert found == [(0, len(counts) - 1)]
    for cuts in itertools.combinations(range(1, len(counts)), len(found)):  # one class more
        ends = [0, *cuts, len(counts)]
        finer = [sum(counts[a:b]) for a, b in itertools.pairwise(ends)]
        assert not all(total == 0 or total >= 5 for total in finer)


def levels(**counts: Sequence[int]) -> dict[str, Any]:
    """A breakdown."""
    return {"levels": {code: {"counts": list(values), "not_applicable": 0} for code, values in counts.items()}}


def test_a_second_question_of_the_dimension_is_made_coarser(rules: Rules) -> None:
    told = disclosed(
        levels(
            recipient_satisfied=[0, 2, 8, 9, 20], recipient_help=[0, 6, 8, 9, 16], recipient_respect=[0, 0, 0, 9, 30]
        ),
        rules,
    )
    assert told["recipient_satisfied"] == [(0, 0), (1, 2), (3, 3), (4, 4)]
    assert told["recipient_help"] == [(0, 0), (1, 2), (3, 3), (4, 4)]
    assert told["recipient_respect"] == [(n, n) for n in range(5)]
    told = disclosed(levels(recipient_satisfied=[0, 2, 8, 9, 20], recipient_help=[0, 0, 0, 0, 39]), rules)
    assert told["recipient_help"] == [(0, 4)]


def test_the_only_question_of_a_dimension_is_told_whole_or_not_at_all(rules: Rules) -> None:
    assert disclosed(levels(recipient_life=[0, 2, 8, 9, 20]), rules)["recipient_life"] == [(0, 4)]
    assert disclosed(levels(recipient_life=[0, 5, 8, 9, 20]), rules)["recipient_life"] == [(n, n) for n in range(5)]


def test_named_raters_are_told_as_they_are(rules: Rules) -> None:
    code = next(c.code for c in rules.criteria_for("third_party"))
    assert disclosed(levels(**{code: [0, 0, 1, 1, 0]}), rules)[code] == [(n, n) for n in range(5)]


def solutions(total: int, places: int) -> Iterator[tuple[int, ...]]:
    """All ways to put so many answers into so many levels."""
    if places == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in solutions(total - first, places - 1):
            yield first, *rest


def possible(told: Sequence[tuple[int, int]], counts: Sequence[int]) -> list[tuple[int, ...]]:
    """What an attacker who sees the classes must hold possible."""
    parts = [list(solutions(sum(counts[a : b + 1]), b - a + 1)) for a, b in told]
    return [sum(some, ()) for some in itertools.product(*parts)]


@settings(max_examples=40)
@given(st.lists(st.lists(st.integers(0, 9), min_size=5, max_size=5), min_size=2, max_size=2))
def test_the_sums_of_the_inputs_do_not_single_out_what_was_taken_together(counts: list[list[int]]) -> None:
    """Two questions of one dimension, equal weights: the attacker knows the sum of all composites too."""
    first, second = counts
    if sum(first) != sum(second) or sum(first) < 10:
        return
    rules = load(SHIPPED_RULES)
    told = disclosed(levels(recipient_satisfied=first, recipient_help=second), rules)
    if all(len(told[code]) == 5 for code in told):
        return
    published = sum(place * (a + b) for place, (a, b) in enumerate(zip(first, second, strict=True)))
    fitting = {
        one
        for one, other in itertools.product(
            possible(told["recipient_satisfied"], first), possible(told["recipient_help"], second)
        )
        if sum(place * (a + b) for place, (a, b) in enumerate(zip(one, other, strict=True))) == published
    }
    assert tuple(first) in fitting
    assert len(fitting) > 1


@settings(max_examples=60)
@given(st.lists(st.integers(0, 9), min_size=5, max_size=5), st.integers(0, 4), st.integers(1, 4))
def test_two_editions_do_not_tell_the_answers_that_came_between(before: list[int], level: int, more: int) -> None:
    """The attacker has both editions: which answers came is not to follow from how the spreads differ."""
    rules = load(SHIPPED_RULES)
    after = [count + more * (place == level) for place, count in enumerate(before)]
    if sum(before) < 5:
        return
    first, second = levels(recipient_satisfied=before), levels(recipient_satisfied=after)
    assert few_differ(first, second, rules)
    assert few_differ(second, first, rules)
    told = disclosed(second | {TOGETHER: True}, rules)["recipient_satisfied"]
    for guess in range(5):  # every level may be the one: what is published would be the same
        other = [count + more * (place == guess) for place, count in enumerate(before)]
        assert [sum(other[a : b + 1]) for a, b in told] == [sum(after[a : b + 1]) for a, b in told]


def test_editions_that_differ_by_many_answers_or_by_none(rules: Rules) -> None:
    first = levels(recipient_satisfied=[0, 5, 8, 9, 20])
    assert not few_differ(first, first, rules)
    assert not few_differ(first, levels(recipient_satisfied=[0, 10, 8, 9, 20]), rules)
    assert not few_differ(first, levels(), rules)
    assert few_differ(first, levels(recipient_satisfied=[0, 5, 8, 10, 19]), rules)  # one went and another came


def test_where_few_differ_named_raters_are_told_as_they_are(rules: Rules) -> None:
    code = next(c.code for c in rules.criteria_for("third_party"))
    told = disclosed(levels(recipient_help=[9, 9, 9, 9, 9], **{code: [0, 0, 1, 1, 0]}) | {TOGETHER: True}, rules)
    assert told == {"recipient_help": [(0, 4)], code: [(n, n) for n in range(5)]}


def total_of(rules: Rules, *contracts: dict[str, Any]) -> list[tuple[int, int]]:
    total, sums = Total(rules), [0] * 5
    for contract in contracts:
        total.add(contract)
        sums = [a + b for a, b in zip(sums, contract["levels"]["recipient_help"]["counts"], strict=True)]
    return total.classes(levels(recipient_help=sums)["levels"])["recipient_help"]


def test_all_contracts_together_do_not_tell_what_one_hides(rules: Rules) -> None:
    """The attacker takes off what is told of every other contract."""
    open_one, hidden = (levels(recipient_help=counts) for counts in ([9, 9, 9, 9, 9], [1, 8, 8, 8, 8]))
    assert total_of(rules, open_one, open_one) == [(n, n) for n in range(5)]
    assert total_of(rules, open_one, hidden) == [(0, 4)]
    assert total_of(rules, open_one, hidden, hidden) == [(0, 1), (2, 2), (3, 3), (4, 4)]
    assert total_of(rules, *[hidden] * 5) == [(n, n) for n in range(5)]
    assert total_of(rules, open_one, open_one | {TOGETHER: True}) == [(0, 4)]


@pytest.mark.parametrize(
    ("ways", "told"),
    [
        ({"self": 30, "telephone": 5, "paper": 0}, {"self": 30, "telephone": 5}),
        ({"self": 30, "telephone": 4, "paper": 2}, {"self": 30, "other": 6}),
        ({"self": 30, "assisted": 9, "paper": 1}, {"self": 30, "other": 10}),
        ({"self": 30, "paper": 1}, {}),
        ({"self": 3}, {}),
        ({"self": 5}, {"self": 5}),
        ({}, {}),
    ],
)
def test_ways_that_few_chose_are_told_together(ways: dict[str, int], told: dict[str, int]) -> None:
    assert ways_told(ways) == told


@given(st.dictionaries(st.sampled_from(["self", "assisted", "telephone", "paper"]), st.integers(0, 12)))
def test_nobody_learns_a_way_that_fewer_than_five_chose(ways: dict[str, int]) -> None:
    told = ways_told(ways)
    assert all(count >= 5 for count in told.values())
    assert not told or sum(told.values()) == sum(ways.values())
    left = [count for way, count in ways.items() if count and way not in told]
    assert not told or len(left) != 1  # one alone would be the difference to the total
