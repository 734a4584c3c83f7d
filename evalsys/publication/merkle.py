"""A Merkle tree over the hashes of received answers: roots, and proofs that a stranger can follow.

The tree, its proofs and the ways to check them are those of RFC 9162, section 2.1. A leaf's hash is
SHA-256(0x00 ‖ data), a node's SHA-256(0x01 ‖ left ‖ right).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

SIZE = 32
"""Bytes of a hash."""

NOTHING = sha256(b"").digest()
"""The root of a tree without leaves."""


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """A tree over leaf hashes in a fixed order; 64 bytes a leaf."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Build the tree.

        Args:
            leaves: hashes of `SIZE` bytes each, already those of leaves.

        Raises:
            ValueError: a hash of another length.
        """
        if any(len(leaf) != SIZE for leaf in leaves):
            raise ValueError(f"leaves: every hash must have {SIZE} bytes")
        self._levels = [list(leaves)]
        while len(below := self._levels[-1]) > 1:
            paired = [node(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
            self._levels.append(paired + below[len(below) & ~1 :])  # one without a partner moves up as it is

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """What stands for all leaves and their order."""
        return self._levels[-1][0] if self.size else NOTHING

    def inclusion(self, index: int) -> list[bytes]:
        """The hashes that lead from a leaf to the root (RFC 9162, 2.1.3.1).

        Raises:
            IndexError: there is no such leaf.
        """
        if not 0 <= index < self.size:
            raise IndexError(f"index: must be from 0 to {self.size - 1}, is {index}")
        path = []
        for level in self._levels[:-1]:
            beside = index ^ 1
            if beside < len(level):
                path.append(level[beside])
            index >>= 1
        return path

    def consistency(self, earlier: int) -> list[bytes]:
        """The hashes that show that the first leaves are an earlier tree's (RFC 9162, 2.1.4.1).

        Raises:
            IndexError: the earlier tree was empty, or larger than this one.
        """
        if not 0 < earlier <= self.size:
            raise IndexError(f"earlier: must be from 1 to {self.size}, is {earlier}")
        if earlier == self.size:
            return []
        last, height = earlier - 1, 0
        while last & 1:  # the earlier tree's last whole subtree
            last, height = last >> 1, height + 1
        path = [self._levels[height][last]] if last else []  # a verifier has the whole of a perfect earlier tree
        for level in self._levels[height:-1]:
            beside = last ^ 1
            if beside < len(level):
                path.append(level[beside])
            last >>= 1
        return path

    def growth(self, earlier: int) -> list[bytes]:
        """As `consistency`; every tree has grown from an empty one, which RFC 9162 leaves out, and needs no hashes.

        Raises:
            IndexError: the earlier tree was larger than this one.
        """
        return self.consistency(earlier) if earlier else []


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof shows that the leaf stands at this place of a tree with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or len(leaf) != SIZE:
        return False
    place, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def extends(earlier: int, later: int, proof: Sequence[bytes], root: bytes, later_root: bytes) -> bool:
    """Whether the proof shows that the earlier tree's leaves are the first of the later one's (RFC 9162, 2.1.4.2)."""
    if not 0 < earlier <= later or len(root) != SIZE:
        return False
    if earlier == later:
        return not proof and root == later_root
    steps = list(proof)
    if earlier & (earlier - 1) == 0:
        steps.insert(0, root)
    if not steps:
        return False
    place, last = earlier - 1, later - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    found = found_later = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            found, found_later = node(step, found), node(step, found_later)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found_later = node(found_later, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root and found_later == later_root


def grew(earlier: int, later: int, proof: Sequence[bytes], root: bytes, later_root: bytes) -> bool:
    """As `extends`, and from an empty tree too."""
    if earlier == 0:
        return not proof and root == NOTHING
    return extends(earlier, later, proof, root, later_root)
