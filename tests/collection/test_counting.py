"""Invitations and answers are counted in one place, by part of the frame."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.collection.counting import Figures, by_cell, by_entry
from evalsys.collection.models import Invitation, RatingsImport, ReceiptLeaf, Response
from evalsys.registry.models import Entry
from tests.factories import NOW, make_entry, make_stratum


def respond(session: Session, entry: Entry, number: int, **columns: Any) -> None:
    session.add(Response(key=bytes([number]) * 16, entry_id=entry.id, time_band="unknown", **columns))
    session.flush()


def test_each_part_of_a_frame_has_its_own_figures(session: Session) -> None:
    entry, other = make_entry(session), make_entry(session)
    here, there = (make_stratum(session, entry=entry, size=size) for size in (6, 2))
    kept = RatingsImport(cycle_id=entry.cycle_id, hash="0" * 64, rows=1, imported_at=NOW, imported_by="x")
    session.add(kept)
    for number, (stratum, used, outcome) in enumerate(
        [(here, True, "refused"), (here, False, "refused"), (here, False, None), (there, True, None)]
    ):
        session.add(
            Invitation(
                code_hmac=bytes([number]) * 32, entry_id=entry.id, stratum_id=stratum.id, used=used, outcome=outcome
            )
        )
    for number in range(2):
        session.add(ReceiptLeaf(leaf=bytes([number]) * 32, entry_id=entry.id))
    session.flush()
    respond(session, entry, 1, stratum_id=here.id, mode="telephone", helper="worker", held=False)
    respond(session, entry, 2, stratum_id=None, mode="self", held=True)
    respond(session, entry, 3, stratum_id=None, mode="paper", held=False, import_id=kept.id)
    respond(session, entry, 4, stratum_id=None, mode="paper", held=True, import_id=kept.id)
    respond(session, other, 5, stratum_id=None, mode="self", held=False)
    found = by_cell(session, select(Entry.id).where(Entry.id == entry.id))
    assert found == {
        (entry.id, here.id): Figures(
            frame=6,
            invited=3,
            used=1,
            counted=1,
            refused=1,
            modes=Counter(telephone=1),
            helpers=Counter(worker=1),
        ),
        (entry.id, there.id): Figures(frame=2, invited=1, used=1),
        (entry.id, None): Figures(received=2, held=1, filed=1, filed_held=1, modes=Counter(paper=1)),
    }
    whole = by_entry(session, select(Entry.id))
    assert whole[entry.id] == sum(found.values(), Figures())
    assert whole[other.id].counted == 1
    assert whole[entry.id].received == whole[entry.id].counted + whole[entry.id].held
