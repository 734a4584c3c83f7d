"""What became of objections, beside the published lines they are about."""

from __future__ import annotations

from collections.abc import Iterator

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from evalsys.appeals.models import Objection, ObjectionState
from evalsys.publication.remarks import Remark
from evalsys.registry.models import Contract, Entry


def remarks(session: Session, cycle_id: int, reference: str | None) -> Iterator[Remark]:
    """For `publication.remarks`. Those that the vendor withdrew leave nothing behind."""
    statement = (
        select(Objection)
        .join(Objection.entry)
        .join(Entry.contract)
        .options(contains_eager(Objection.entry).contains_eager(Entry.contract))
        .where(Entry.cycle_id == cycle_id, Objection.state != ObjectionState.WITHDRAWN.value)
        .order_by(Objection.id)
    )
    if reference is not None:
        statement = statement.where(Contract.reference == reference)
    for objection in session.scalars(statement):
        yield Remark(
            reference=objection.entry.contract.reference,
            template="appeals/remark.html",
            about=objection,
            tag=str(_("under review")) if objection.is_open else "",
            code="under_review" if objection.is_open else "",
        )
