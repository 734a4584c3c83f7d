"""What a receipt proves: that an answer stands in the published tree of received answers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from evalsys.collection.models import ReceiptLeaf
from evalsys.collection.submission import leaf_of
from evalsys.publication.models import Edition, EditionRecord
from evalsys.publication.trees import TREES
from evalsys.registry.models import Contract, Entry

AT_ONCE = 500
"""Contracts whose leaf is looked for in one statement."""


@dataclass(frozen=True)
class Proof:
    """That a leaf stands in an edition's tree: the inclusion proof of RFC 9162, 2.1.3.1.

    Attributes:
        edition: the newest of the cycle that has a seal.
        index: place of the leaf, from 0.
        size, root: of the tree.
        path: hashes from the leaf to the root.
    """

    edition: Edition
    index: int
    size: int
    root: bytes
    path: list[bytes]


@dataclass(frozen=True)
class Receipt:
    """A receipt whose answer is stored. `proof`: None until an edition is published."""

    reference: str
    leaf: bytes
    proof: Proof | None


def look_up(session: Session, receipt: str) -> Receipt | None:
    """What is known of a receipt.

    Args:
        session: reads.
        receipt: as `codes.read_receipt` gives it.

    Returns:
        None where no answer with this receipt is stored. Which contract it was for is found by trying all of them: no
        table says it.
    """
    contracts = list(session.execute(select(Entry.id, Contract.reference).join(Entry.contract).order_by(Entry.id)))
    for start in range(0, len(contracts), AT_ONCE):
        references = {leaf_of(reference, receipt): reference for _id, reference in contracts[start : start + AT_ONCE]}
        found = session.scalar(select(ReceiptLeaf).where(ReceiptLeaf.leaf.in_(references)))
        if found is not None:
            return Receipt(references[found.leaf], found.leaf, _proof(session, found))
    return None


def _proof(session: Session, found: ReceiptLeaf) -> Proof | None:
    record = session.scalar(
        select(EditionRecord)
        .join(EditionRecord.edition)
        .join(Entry, Entry.cycle_id == Edition.cycle_id)
        .where(Entry.id == found.entry_id)
        .options(joinedload(EditionRecord.edition).joinedload(Edition.cycle))
        .order_by(Edition.number.desc())
        .limit(1)
    )
    if record is None:
        return None
    tree, places = TREES.of(record)
    if found.leaf not in places:
        return None
    place = places[found.leaf]
    return Proof(record.edition, place, tree.size, tree.root, tree.inclusion(place))
