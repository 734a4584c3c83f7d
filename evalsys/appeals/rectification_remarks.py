"""What everybody reads of a rectification, beside the contract's line: that there is one, and what became of it.

Neither the demand nor the report is told, for they may name people. What recipients answered is told once it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.appeals.follow_up import Told, told_of
from evalsys.appeals.models import Better, Rectification, RectificationState
from evalsys.appeals.words import better_name
from evalsys.base.clock import now
from evalsys.publication.remarks import Remark
from evalsys.registry.models import Contract, Entry

TEMPLATE = "appeals/rectification_remark.html"


@dataclass(frozen=True)
class About:
    """A rectification as everybody reads it; `told`: once it is done and no more answers come."""

    item: Rectification
    told: Told | None
    better_name: Callable[[Better], str] = better_name


def rectification_remarks(session: Session, cycle_id: int, reference: str | None) -> Iterator[Remark]:
    """Of one contract, or the tags of all of a cycle."""
    found = (
        select(Rectification, Contract.reference)
        .join(Entry, Entry.id == Rectification.entry_id)
        .join(Contract, Contract.id == Entry.contract_id)
        .where(Entry.cycle_id == cycle_id)
    )
    if reference is not None:
        found = found.where(Contract.reference == reference)
    for item, of_contract in session.execute(found):
        yield _remark(session, item, of_contract, whole=reference is not None)


def _remark(session: Session, item: Rectification, reference: str, *, whole: bool) -> Remark:
    done = item.state == RectificationState.DONE
    told = told_of(session, item, now=now()) if whole and done and item.lifted_by_id is None else None
    if item.lifted_by_id is not None:
        tag, code = "", ""
    else:
        tag, code = (_("put right"), "rectified") if done else (_("being put right"), "rectifying")
    return Remark(reference=reference, template=TEMPLATE, about=About(item, told), tag=tag, code=code, good=done)
