"""Drawing a sample in a way that anybody can check: no generator of random numbers, but an order by SHA-256.

Each recipient has a number: the place in the list of a part (township and service item) of the frame, from 1 up. All
are put in the order of SHA-256(seed ‖ 0 ‖ contract ‖ 0 ‖ township ‖ 0 ‖ item ‖ 0 ‖ number); the first are the sample,
those who follow are the spare cases. docs/sampling.md shows how to recheck it in ten lines of Python.
"""

from __future__ import annotations

import hashlib
import heapq
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LARGEST = 10_000_000  # sample; no frame has more


class Design(StrEnum):
    """How the sample of a contract is spread over the parts of its frame."""

    SIMPLE = "simple"  # as the order falls, parts or no parts
    PROPORTIONAL = "proportional"  # by the parts' sizes, with a least number in each
    EQUAL = "equal"  # the same number in each part


@dataclass(frozen=True)
class Part:
    """A part of the frame of a contract, and how many recipients its list has."""

    township: str
    item: str
    size: int


@dataclass(frozen=True)
class Share:
    """How many of a part are drawn, and how many more wait as spare cases."""

    drawn: int
    spare: int


@dataclass(frozen=True)
class Size:
    """How many to draw: a number, or a share of the frame in whole percent."""

    number: int
    is_percent: bool = False

    @classmethod
    def read(cls, text: str) -> Size:
        """What a person writes, "30" or "20%".

        Raises:
            ValueError: it is neither, or says nobody, or more than all.
        """
        written = re.fullmatch(r"\s*(\d{1,8})\s*([%％]?)\s*", text)
        if not written or not 1 <= int(written[1]) <= (100 if written[2] else LARGEST):
            raise ValueError(f"{text} is no size of a sample")
        return cls(int(written[1]), bool(written[2]))

    def of(self, frame: int) -> int:
        """How many that is of a frame; never more than it has."""
        return percent_of(frame, self.number) if self.is_percent else min(self.number, frame)

    def __str__(self) -> str:
        return f"{self.number}%" if self.is_percent else str(self.number)


def percent_of(count: int, percent: int) -> int:
    """A share of a count, rounded up: whole numbers only, so that it is the same everywhere."""
    return -(-count * percent // 100)


def rank(seed: str, reference: str, part: Part, number: int) -> bytes:
    """What the place of a recipient in the order follows from."""
    return hashlib.sha256("\0".join((seed, reference, part.township, part.item, str(number))).encode()).digest()


def first_of(seed: str, reference: str, part: Part, count: int) -> list[int]:
    """The numbers of those who come first in a part, in order."""
    return heapq.nsmallest(count, range(1, part.size + 1), key=lambda number: rank(seed, reference, part, number))


def shares(
    design: Design, seed: str, reference: str, parts: Sequence[Part], *, size: Size, least: int, spare: int
) -> list[Share]:
    """How many of each part are drawn. Who they are follows from it: `first_of`, also for the simple design.

    Args:
        size: of the contract's sample; of each part's in the equal design.
        least: to draw in each part in the proportional design, as far as the part has them; may make the sample larger.
        spare: cases held in reserve, in percent of those drawn.
    """
    if design is Design.SIMPLE:
        return _simple(seed, reference, parts, size=size, spare=spare)
    if design is Design.EQUAL:
        drawn = [size.of(part.size) for part in parts]
    else:
        sizes = [part.size for part in parts]
        drawn = allocate(sizes, size.of(sum(sizes)), least)
    return [
        Share(count, min(percent_of(count, spare), part.size - count)) for part, count in zip(parts, drawn, strict=True)
    ]


def _simple(seed: str, reference: str, parts: Sequence[Part], *, size: Size, spare: int) -> list[Share]:
    """One order over all parts. The order inside a part is the same, so that the counts tell who was drawn."""
    total = size.of(sum(part.size for part in parts))
    everybody = ((at, number) for at, part in enumerate(parts) for number in range(1, part.size + 1))
    ordered = heapq.nsmallest(
        total + percent_of(total, spare), everybody, key=lambda one: rank(seed, reference, parts[one[0]], one[1])
    )
    drawn, spares = (Counter(at for at, _number in some) for some in (ordered[:total], ordered[total:]))
    return [Share(drawn[at], spares[at]) for at in range(len(parts))]


def allocate(sizes: Sequence[int], total: int, least: int) -> list[int]:
    """Divide a sample by the sizes of the parts, by largest remainders; of two that are equal the first gets it.

    Args:
        sizes: recipients of each part.
        total: to draw; what `least` asks for comes first, so that more may be drawn.
        least: to draw in each part at least, or all where it has no more.
    """
    floors = [min(least, size) for size in sizes]
    total = min(sum(sizes), max(total, sum(floors)))
    given: dict[int, int] = {}
    while True:  # parts that would get less than their floor get it; the others divide what is left
        free = [at for at in range(len(sizes)) if at not in given]
        left, weight = total - sum(given.values()), sum(sizes[at] for at in free)
        low = {at: floors[at] for at in free if left * sizes[at] < floors[at] * weight}
        if not low:
            break
        given |= low
    for at in free:
        given[at] = left * sizes[at] // weight if weight else 0
    by_remainder = sorted(free, key=lambda at: -(left * sizes[at] % weight) if weight else 0)
    for at in by_remainder[: total - sum(given.values())]:
        given[at] += 1
    return [given[at] for at in range(len(sizes))]
