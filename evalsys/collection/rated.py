"""Which criteria of a cycle have been rated; fills the registry's slot, so that no change of rules orphans them."""

from __future__ import annotations

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from evalsys.collection.models import Assessment, AssessmentRating, Response, ResponseRating
from evalsys.collection.paper_models import PaperBatch, PaperKeying, PaperSheet
from evalsys.registry.models import Entry


def rated_criteria(session: Session, cycle_id: int) -> set[str]:
    """Codes of all criteria that somebody has answered in the cycle, drafts and keyed forms included."""
    entries = select(Entry.id).where(Entry.cycle_id == cycle_id)
    recipients = (
        select(ResponseRating.criterion)
        .join(Response, Response.key == ResponseRating.response_key)
        .where(Response.entry_id.in_(entries))
    )
    raters = (
        select(AssessmentRating.criterion)
        .join(Assessment, Assessment.id == AssessmentRating.assessment_id)
        .where(Assessment.entry_id.in_(entries))
    )
    keyed = (
        select(PaperKeying.answers)
        .join(PaperKeying.sheet)
        .join(PaperSheet.batch)
        .where(PaperBatch.cycle_id == cycle_id)
    )
    return set(session.scalars(union(recipients, raters))).union(*session.scalars(keyed))
