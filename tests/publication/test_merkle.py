"""Published vectors of RFC 6962 and 9162 trees, and laws."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsys.publication.merkle import NOTHING, SIZE, Tree, extends, grew, includes

VECTORS: dict[str, Any] = json.loads(Path(__file__).with_name("rfc6962_vectors.json").read_text("utf-8"))
GIVEN = [bytes.fromhex(one) for one in VECTORS["hashes"]]
HASHES = [sha256(one).digest() if one.startswith(b"don't care") else one for one in GIVEN]
"""Where any hash would do the probes give the text "don't care": its hash stands for it."""
EIGHT = [sha256(b"\x00" + bytes.fromhex(data)).digest() for data in VECTORS["eight_leaves"]]

LEAVES = st.integers(1, 40).map(lambda size: [sha256(bytes([n])).digest() for n in range(size)])


@pytest.mark.parametrize("row", VECTORS["inclusion"], ids=lambda row: f"{row[0]} of {row[1]}, {row[-1]}")
def test_inclusion_probes(row: list[Any]) -> None:
    index, size, leaf, root, proof, holds, _ = row
    assert includes(HASHES[leaf], index, size, [HASHES[n] for n in proof], HASHES[root]) is holds


@pytest.mark.parametrize("row", VECTORS["consistency"], ids=lambda row: f"{row[0]} to {row[1]}, {row[-1]}")
def test_consistency_probes(row: list[Any]) -> None:
    earlier, later, root, later_root, proof, holds, _ = row
    assert extends(earlier, later, [HASHES[n] for n in proof], HASHES[root], HASHES[later_root]) is holds


def test_what_is_no_hash_never_holds() -> None:
    """The texts themselves, even where a probe would hold for any hash in their place."""
    inclusion = [row for row in VECTORS["inclusion"] if any(len(GIVEN[n]) != SIZE for n in row[2:4])]
    consistency = [row for row in VECTORS["consistency"] if any(len(GIVEN[n]) != SIZE for n in row[2:4])]
    assert inclusion
    assert any(row[5] for row in consistency)
    for index, size, leaf, root, proof, *_ in inclusion:
        assert not includes(GIVEN[leaf], index, size, [GIVEN[n] for n in proof], GIVEN[root])
    for earlier, later, root, later_root, proof, *_ in consistency:
        assert not extends(earlier, later, [GIVEN[n] for n in proof], GIVEN[root], GIVEN[later_root])


def test_the_probes_are_all_there() -> None:
    assert (len(VECTORS["inclusion"]), len(VECTORS["consistency"])) == (98, 98)
    assert sum(row[5] for row in VECTORS["inclusion"]) == 6
    assert sum(row[5] for row in VECTORS["consistency"]) > 3


@pytest.mark.parametrize(("size", "root"), list(enumerate(VECTORS["roots_by_size"])))
def test_roots_of_the_reference_tree(size: int, root: str) -> None:
    assert Tree(EIGHT[:size]).root.hex() == root


@pytest.mark.parametrize(("leaf", "size", "path"), [row for row in VECTORS["paths"] if row[0]])
def test_paths_of_the_reference_tree(leaf: int, size: int, path: list[str]) -> None:
    assert [one.hex() for one in Tree(EIGHT[:size]).inclusion(leaf - 1)] == path


@pytest.mark.parametrize(("earlier", "later", "proof"), VECTORS["consistency_proofs"])
def test_consistency_of_the_reference_tree(earlier: int, later: int, proof: list[str]) -> None:
    assert [one.hex() for one in Tree(EIGHT[:later]).consistency(earlier)] == proof


@given(LEAVES)
def test_every_leaf_is_proven_and_nothing_else(leaves: list[bytes]) -> None:
    tree = Tree(leaves)
    for index, leaf in enumerate(leaves):
        proof = tree.inclusion(index)
        assert includes(leaf, index, tree.size, proof, tree.root)
        assert not includes(sha256(leaf).digest(), index, tree.size, proof, tree.root)
        assert not includes(leaf, index + 1, tree.size, proof, tree.root)


@given(LEAVES)
def test_every_earlier_tree_is_proven_and_no_changed_one(leaves: list[bytes]) -> None:
    tree = Tree(leaves)
    for earlier in range(1, len(leaves) + 1):
        before, proof = Tree(leaves[:earlier]), tree.consistency(earlier)
        changed = Tree([*leaves[: earlier - 1], NOTHING])
        assert extends(earlier, tree.size, proof, before.root, tree.root)
        assert not extends(earlier, tree.size, proof, changed.root, tree.root)


def test_what_cannot_be_proven_is_refused() -> None:
    with pytest.raises(IndexError, match="from 0 to 7"):
        Tree(EIGHT).inclusion(8)
    for earlier in (0, 9):
        with pytest.raises(IndexError, match="from 1 to 8"):
            Tree(EIGHT).consistency(earlier)
    with pytest.raises(ValueError, match="32 bytes"):
        Tree([b"short"])


def test_nothing_is_no_hash() -> None:
    assert not includes(b"", 0, 1, [], b"")
    assert not extends(1, 1, [], b"", b"")


def test_an_empty_proof_does_not_hold() -> None:
    assert not extends(3, 8, [], Tree(EIGHT[:3]).root, Tree(EIGHT).root)


def test_every_tree_has_grown_from_an_empty_one() -> None:
    tree = Tree(EIGHT)
    assert tree.growth(0) == []
    assert grew(0, 8, [], NOTHING, tree.root)
    assert not grew(0, 8, [], tree.root, tree.root)
    assert not grew(0, 8, [NOTHING], NOTHING, tree.root)
    assert grew(3, 8, tree.growth(3), Tree(EIGHT[:3]).root, tree.root)
