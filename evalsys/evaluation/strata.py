"""Strata in files: one name, or a township and a service item; a frame may know only their margins."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from evalsys.evaluation.file_faults import Findings, Message, _l
from evalsys.evaluation.long_files import Column
from evalsys.scoring.arrays import Integers

STRATUM = Column("stratum", ("层", "分层"), required=False)
TOWNSHIP = Column("township", ("乡镇（街道）", "乡镇", "镇街", "街道"), required=False)
ITEM = Column("item", ("服务内容", "服务事项"), required=False)

Parts = tuple[str, str]
"""Township and service item; an empty one is any."""


def label_of(township: str, item: str) -> str:
    """The name of a stratum made of parts; empty where neither is told."""
    return json.dumps([township, item], ensure_ascii=False) if township or item else ""


def parts_of(label: str) -> Parts:
    """What `label_of` made the name from."""
    township, item = json.loads(label) if label else ("", "")
    return township, item


def shown_of(label: str) -> str:
    """The parts of a stratum for a person to read."""
    return " / ".join(filter(None, parts_of(label)))


@dataclass(frozen=True)
class Strata:
    """The strata of a file. `parted`: their names are made of township and item; None = the file tells of none."""

    names: tuple[str, ...]
    parted: bool | None = None


@dataclass(frozen=True)
class Frame:
    """Recipients served, by contract and stratum."""

    sizes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    parted: bool | None = None

    def tells_otherwise(self, parted: bool | None) -> bool:
        """Whether this frame has names for strata where the ratings have parts, or the other way round."""
        return None not in (parted, self.parted) and parted != self.parted

    def known(self) -> Callable[[str, str], bool]:
        """Whether a contract's frame has a stratum; one without strata has them all."""
        framed = {code for code, label in self.sizes if label}
        axes = self._axes()

        def knows(contract: str, label: str) -> bool:
            if contract in axes:
                pairs = zip(parts_of(label), axes[contract], strict=True)
                return all(not part or not axis or part in axis for part, axis in pairs)
            return contract not in framed or (contract, label) in self.sizes

        return knows

    def _axes(self) -> dict[str, tuple[set[str], set[str]]]:
        """Of the contracts whose frame is margins: the townships and the items it knows."""
        found: dict[str, tuple[set[str], set[str]]] = {}
        for contract, label in self.sizes if self.parted else ():
            townships, items = found.setdefault(contract, (set(), set()))
            township, item = parts_of(label)
            if bool(township) != bool(item):
                townships.update({township} - {""})
                items.update({item} - {""})
        return {contract: axes for contract, axes in found.items() if any(axes)}


def parted_of(columns: Collection[str]) -> bool | None:
    """How a file with these columns tells of strata."""
    if {TOWNSHIP.name, ITEM.name} & set(columns):
        return True
    return False if STRATUM.name in columns else None


def refuse_two_ways(columns: Collection[str], findings: Findings, *, row: int = 1) -> None:
    """A stratum has one name, or parts; never both. `row` of the file holds the header.

    Raises:
        FilesFaulty: the file has columns of both kinds.
    """
    if STRATUM.name in columns and parted_of(columns):
        wrong = _l("It stands beside township or item.")
        findings.add(row, STRATUM.name, "", wrong, _l("Write either stratum, or township and item."))
        findings.raise_if_any()


def joined(
    townships: Sequence[str], items: Sequence[str], township: Integers, item: Integers
) -> tuple[list[str], Integers]:
    """Names of the pairs that occur, and the position of each row's pair among them."""
    pairs, found = np.unique(township.astype(np.int64) * len(items) + item, return_inverse=True)
    names = [label_of(townships[pair // len(items)], items[pair % len(items)]) for pair in pairs.tolist()]
    return names, found.astype(np.int32)


def fault_of_frame(sizes: Mapping[str, int]) -> tuple[Message, Message] | None:
    """What is wrong with the strata of one contract; None where they are whole, or margins that agree."""
    parts = [parts_of(label) for label in sizes]
    kinds = {(bool(township), bool(item)) for township, item in parts}
    if len(kinds) > 1 and kinds != {(True, False), (False, True)}:
        remedy = _l("Write the township and the item in every row, or only one of them in each row.")
        return _l("The frame of this contract mixes whole strata with margins."), remedy
    townships, items = (sum(size for label, size in sizes.items() if parts_of(label)[axis]) for axis in range(2))
    if len(kinds) > 1 and townships != items:
        wrong = _l("Its townships add up to %(townships)s, its items to %(items)s.", townships=townships, items=items)
        return wrong, _l("Correct the sizes: both count the same recipients.")
    return None
