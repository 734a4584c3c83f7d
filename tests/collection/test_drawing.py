"""Laws of the draw: sizes are exact, the order depends on the seed alone, spare cases never change the sample."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsys import config
from evalsys.collection.drawing import Design, Part, Share, Size, allocate, first_of, percent_of, shares

PARTS = st.lists(st.integers(0, 60), min_size=1, max_size=6).map(
    lambda sizes: [Part(f"示例镇{n}", "上门服务", size) for n, size in enumerate(sizes)]
)
SIZES = st.builds(Size, st.integers(1, 100), st.booleans())
SEEDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)
PERCENT = st.integers(0, 100)
LEAST = st.integers(0, 9)
DESIGNS = st.sampled_from(Design)


def drawn_numbers(seed: str, parts: list[Part], found: list[Share]) -> set[tuple[str, int]]:
    return {
        (part.township, number)
        for part, share in zip(parts, found, strict=True)
        for number in first_of(seed, "HT-1", part, share.drawn)
    }


@given(DESIGNS, PARTS, SIZES, LEAST, PERCENT)
def test_nobody_is_drawn_who_is_not_there_and_sizes_are_exact(
    design: Design, parts: list[Part], size: Size, least: int, spare: int
) -> None:
    seed = f"{size}{least}"
    found = shares(design, seed, "HT-1", parts, size=size, least=least, spare=spare)
    frame = sum(part.size for part in parts)
    assert all(share.drawn + share.spare <= part.size for share, part in zip(found, parts, strict=True))
    drawn, wanted = sum(share.drawn for share in found), size.of(frame)
    if design is Design.SIMPLE:
        assert drawn == wanted
        assert sum(share.spare for share in found) == min(percent_of(drawn, spare), frame - drawn)
        return
    if design is Design.EQUAL:
        assert [share.drawn for share in found] == [size.of(part.size) for part in parts]
    else:
        assert drawn == max(wanted, sum(min(least, part.size) for part in parts))
    assert all(
        share.spare == min(percent_of(share.drawn, spare), part.size - share.drawn)
        for share, part in zip(found, parts, strict=True)
    )


@given(DESIGNS, SEEDS, PARTS, SIZES, st.tuples(PERCENT, PERCENT))
def test_spare_cases_never_change_the_sample(
    design: Design, seed: str, parts: list[Part], size: Size, spares: tuple[int, int]
) -> None:
    found = [shares(design, seed, "HT-1", parts, size=size, least=5, spare=spare) for spare in spares]
    assert drawn_numbers(seed, parts, found[0]) == drawn_numbers(seed, parts, found[1])


@given(SEEDS, PARTS, SIZES)
def test_the_order_of_the_parts_changes_nothing(seed: str, parts: list[Part], size: Size) -> None:
    one_way = shares(Design.SIMPLE, seed, "HT-1", parts, size=size, least=0, spare=20)
    other_way = shares(Design.SIMPLE, seed, "HT-1", parts[::-1], size=size, least=0, spare=20)
    assert one_way == other_way[::-1]


@given(SEEDS, st.integers(0, 50), st.integers(0, 50))
def test_those_who_follow_are_others_than_the_sample(seed: str, size: int, count: int) -> None:
    part = Part("示例镇", "", size)
    everybody = first_of(seed, "HT-1", part, size)
    assert sorted(everybody) == list(range(1, size + 1))
    assert first_of(seed, "HT-1", part, count) == everybody[:count]


def test_simple_draws_the_first_of_all_parts_together() -> None:
    parts = [Part("甲镇", "照料", 30), Part("乙镇", "", 20)]

    def key(one: tuple[Part, int]) -> bytes:
        part, number = one
        return hashlib.sha256(f"种子\0HT-1\0{part.township}\0{part.item}\0{number}".encode()).digest()

    order = sorted(((part, number) for part in parts for number in range(1, part.size + 1)), key=key)
    found = shares(Design.SIMPLE, "种子", "HT-1", parts, size=Size(10), least=5, spare=30)
    assert drawn_numbers("种子", parts, found) == {(part.township, number) for part, number in order[:10]}
    spares = Counter(part.township for part, _number in order[10:13])
    assert [share.spare for share in found] == [spares["甲镇"], spares["乙镇"]]


def test_every_recipient_is_as_likely_as_every_other() -> None:
    """Chi-squared over 3,000 seeds; by chance alone it is above the bar once in a thousand."""
    parts, times = [Part("甲镇", "", 12), Part("乙镇", "", 8)], 3000
    seen: Counter[tuple[str, int]] = Counter()
    for seed in map(str, range(times)):
        found = shares(Design.SIMPLE, seed, "HT-1", parts, size=Size(5), least=0, spare=0)
        seen.update(drawn_numbers(seed, parts, found))
    expected = times * 5 / 20
    statistic = sum((count - expected) ** 2 / (expected * (1 - 5 / 20)) for count in seen.values())
    assert len(seen) == 20
    assert statistic * 19 / 20 < 43.8  # the 99.9% point at 19 degrees of freedom


@pytest.mark.parametrize("change", [{"seed": "b"}, {"reference": "HT-2"}, {"part": Part("乙镇", "", 200)}])
def test_seed_contract_and_part_each_give_another_order(change: dict[str, object]) -> None:
    given = {"seed": "a", "reference": "HT-1", "part": Part("甲镇", "", 200), "count": 20}
    draw: Callable[..., list[int]] = first_of
    assert draw(**given) != draw(**(given | change))


@given(st.lists(st.integers(0, 200), max_size=7), st.integers(0, 900), LEAST)
def test_parts_get_their_floor_and_never_more_than_they_have(sizes: list[int], total: int, least: int) -> None:
    given = allocate(sizes, total, least)
    assert all(min(least, size) <= count <= size for count, size in zip(given, sizes, strict=True))
    assert sum(given) == min(sum(sizes), max(total, sum(min(least, size) for size in sizes)))


@pytest.mark.parametrize(
    ("sizes", "total", "least", "given"),
    [
        ([100, 100], 10, 0, [5, 5]),
        ([10, 10, 10], 10, 0, [4, 3, 3]),  # a tie goes to the first
        ([60, 30, 10], 9, 0, [5, 3, 1]),  # 5.4, 2.7, 0.9
        ([900, 90, 10], 20, 5, [10, 5, 5]),  # 18, 1.8 and 0.2, were it not for the least
        ([900, 3], 10, 5, [7, 3]),
        ([50, 50], 4, 5, [5, 5]),  # the least comes first
        ([4, 4], 100, 5, [4, 4]),
        ([0, 0], 10, 5, [0, 0]),
        ([0, 7], 3, 0, [0, 3]),
    ],
)
def test_allocation_by_largest_remainders(sizes: list[int], total: int, least: int, given: list[int]) -> None:
    assert allocate(sizes, total, least) == given


@pytest.mark.parametrize(("text", "frame", "count"), [("30", 200, 30), ("30", 8, 8), ("20%", 101, 21), (" 5％ ", 1, 1)])
def test_a_size_is_a_number_or_a_share(text: str, frame: int, count: int) -> None:
    assert Size.read(text).of(frame) == count


@pytest.mark.parametrize("text", ["", "0", "-3", "0%", "101%", "1.5", "ten", "%", "10000001", "5%%"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="no size of a sample"):
        Size.read(text)


@pytest.mark.parametrize("text", ["30", "20%"])
def test_a_size_reads_as_it_was_written(text: str) -> None:
    assert str(Size.read(text)) == text


def test_the_program_in_the_documents_finds_the_same_sample() -> None:
    text = (config.TEMPLATES.parent / "docs" / "sampling.md").read_text("utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    rechecked: dict[str, object] = {}
    exec(program, rechecked)  # noqa: S102 - our own document
    part = Part("示例镇", "上门服务", 120)
    order = first_of("2026134 03 08 12", "QY-2026-001", part, 120)
    assert (rechecked["sample"], rechecked["spare"]) == (order[:12], order[12:15])
