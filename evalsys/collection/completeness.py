"""What stands between a draft and its submission, beside its questions and their comments."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from evalsys.collection.models import Evidence, EvidenceKind
from evalsys.collection.tasks import Task


@dataclass(frozen=True)
class OpenPoint:
    """Something beside the questions that is still missing, and the part of the form where it belongs."""

    part: str
    words: str


def open_points(session: Session, task: Task) -> list[OpenPoint]:
    """All that is missing beside the questions."""
    points = []
    if task.asks_buy_again and task.beside.buy_again is None:
        points.append(OpenPoint("buy-again", _("Whether you would buy this service from this vendor again")))
    for number, visit in enumerate(task.beside.visits, 1):
        if not visit.complete:
            words = _("Site visit %(number)s: its day, its place and what you saw", number=number)
            points.append(OpenPoint(f"visit-{number}", words))
    if task.rules_party.acceptance and not _has_acceptance(session, task):
        points.append(OpenPoint("evidence", _("A file that shows the acceptance inspection")))
    return points


def _has_acceptance(session: Session, task: Task) -> bool:
    kept = task.assessment.id if task.assessment else None
    shows = exists().where(Evidence.assessment_id == kept, Evidence.kind == EvidenceKind.ACCEPTANCE)
    return bool(session.scalar(select(shows)))
