"""The trees of received answers that sealed editions state the roots of."""

from __future__ import annotations

import threading
from collections import OrderedDict

from evalsys.publication.bundle import layout
from evalsys.publication.bundle.archive import unpacked
from evalsys.publication.merkle import Tree
from evalsys.publication.models import EditionRecord


def leaf_lines(record: EditionRecord) -> bytes:
    """leaves.txt of an edition, from its bundle or, where it was withdrawn, as the withdrawal keeps it."""
    if record.bundle is not None:
        return unpacked(record.bundle)[layout.LEAVES]
    kept = record.edition.withdrawal
    return (kept.leaves if kept else None) or b""


def leaves_of(record: EditionRecord) -> list[bytes]:
    """The hashes of a sealed tree in their order."""
    return [bytes.fromhex(line) for line in leaf_lines(record).decode().splitlines()]


class Trees:
    """The trees that were asked for last, by the hash of their editions' statements; threads may share it."""

    def __init__(self, most: int = 4) -> None:
        self._trees: OrderedDict[str, tuple[Tree, dict[bytes, int]]] = OrderedDict()
        self._lock, self._most = threading.Lock(), most

    def of(self, record: EditionRecord) -> tuple[Tree, dict[bytes, int]]:
        """An edition's tree, and the places of its leaves."""
        with self._lock:
            if record.hash not in self._trees:
                leaves = leaves_of(record)
                self._trees[record.hash] = Tree(leaves), {leaf: place for place, leaf in enumerate(leaves)}
            self._trees.move_to_end(record.hash)
            while len(self._trees) > self._most:
                self._trees.popitem(last=False)
            return self._trees[record.hash]


TREES = Trees()
"""Of this process."""
