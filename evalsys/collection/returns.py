"""Submitted assessments sent back for correction: what was submitted is kept as a version beside the new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor, Role
from evalsys.base.errors import Conflict, Invalid, NotAllowed, NotFound
from evalsys.collection.assessment_models import SiteVisit
from evalsys.collection.assessments import entry_of, lock, require_collecting
from evalsys.collection.models import Assessment, AssessmentState, AssessmentVersion, Evidence
from evalsys.collection.questionnaire import Questionnaire, questionnaire_of
from evalsys.collection.tasks import Answer, Beside, Visit
from evalsys.registry.models import Entry

LONGEST_REASON = 1000


@dataclass(frozen=True)
class Former:
    """A version as it was submitted; drawn like a task."""

    row: AssessmentVersion
    questionnaire: Questionnaire

    @property
    def answers(self) -> dict[str, Answer]:
        given = self.row.content["ratings"]
        return {q.code: Answer(**given[q.code]) if q.code in given else Answer() for q in self.questionnaire}

    @property
    def beside(self) -> Beside:
        """Versions from before these were asked have none of them."""
        content = self.row.content
        return Beside(content.get("buy_again"), tuple(_read(visit) for visit in content.get("visits", ())))


def send_back(session: Session, assessment_id: int, reason: str, *, actor: Actor, now: datetime) -> Assessment:
    """Make a submitted assessment a draft again, for its rater to correct; the former version is kept.

    Raises:
        NotFound: there is no such assessment.
        NotAllowed: the actor is no administrator of the branch.
        Conflict, Gone: it is not submitted, came from a file, or its cycle does not collect.
        Invalid: there is no reason, or a very long one.
    """
    kept = session.get(Assessment, assessment_id)
    if kept is None:
        raise NotFound(_("There is no such submitted assessment."), remedy=_("Start from your list of contracts."))
    entry = entry_of(session, kept.entry_id)
    if actor.role != Role.ADMINISTRATOR:
        raise NotAllowed(
            _("Only an administrator sends an assessment back."), remedy=_("Ask the administrator to do it.")
        )
    actor.require_region(entry.contract.region.path)
    lock(session, kept.account_id, kept.entry_id)
    session.refresh(kept)
    if kept.account_id is None or kept.state != AssessmentState.SUBMITTED:
        raise Conflict(
            _("This assessment is not submitted, or came from a file."),
            remedy=_("A draft is corrected by its rater; ratings of a file by taking in another file."),
        )
    require_collecting(entry.cycle)
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise Invalid(
            _("Say what is to be corrected, in at most %(n)s characters.", n=LONGEST_REASON),
            remedy=_("The rater reads it above the questions."),
        )
    _keep(session, kept, reason, actor, now)
    kept.state, kept.submitted_at, kept.declaration, kept.saved_at = AssessmentState.DRAFT.value, None, None, now
    kept.cosigning = None
    session.flush()
    audit.record(
        session,
        actor=actor,
        act="collection.return_assessment",
        subject=f"entry:{entry.cycle.code}/{entry.contract.reference}",
        now=now,
        detail={"party": kept.party, "reason": reason},
    )
    return kept


def _keep(session: Session, kept: Assessment, reason: str, actor: Actor, now: datetime) -> None:
    cosigned = kept.cosigning
    files = session.scalars(select(Evidence).where(Evidence.assessment_id == kept.id).order_by(Evidence.id))
    content = {
        "ratings": {
            one.criterion: {"value": one.value, "not_applicable": one.not_applicable, "comment": one.comment}
            for one in kept.ratings
        },
        "buy_again": kept.buy_again,
        "visits": [_written(visit) for visit in kept.visits],
        "declaration": kept.declaration or "",
        "cosigned_by": cosigned.account.name if cosigned and cosigned.account else "",
        "evidence": [{"id": file.id, "name": file.name, "kind": file.kind, "sha256": file.hash} for file in files],
    }
    before = select(func.count()).select_from(AssessmentVersion).where(AssessmentVersion.assessment_id == kept.id)
    session.add(
        AssessmentVersion(
            assessment_id=kept.id,
            number=(session.scalar(before) or 0) + 1,
            content=content,
            submitted_at=kept.submitted_at,
            returned_at=now,
            returned_by=actor.name,
            reason=reason,
        )
    )


def _written(visit: SiteVisit) -> dict[str, str]:
    day = visit.visited_on.isoformat() if visit.visited_on else ""
    return {"visited_on": day, "place": visit.place, "met": visit.met, "notes": visit.notes}


def _read(written: Mapping[str, str]) -> Visit:
    day = written["visited_on"]
    return Visit(date.fromisoformat(day) if day else None, written["place"], written["met"], written["notes"])


def versions_of(session: Session, assessment: Assessment | None) -> Sequence[AssessmentVersion]:
    """What was submitted before and sent back, the newest first."""
    if assessment is None:
        return []
    own = AssessmentVersion.assessment_id == assessment.id
    return session.scalars(select(AssessmentVersion).where(own).order_by(AssessmentVersion.number.desc())).all()


def former_of(session: Session, assessment_id: int, *, actor: Actor) -> tuple[Entry, Assessment, list[Former]]:
    """An assessment's former versions, for those who oversee the branch.

    Raises:
        NotFound: there is no such assessment, or it was never sent back.
        NotAllowed: it is of another branch.
    """
    kept = session.get(Assessment, assessment_id)
    rows = versions_of(session, kept)
    if kept is None or not rows:
        raise NotFound(_("This assessment has no former version."), remedy=_("Start from your list of contracts."))
    entry = entry_of(session, kept.entry_id)
    actor.require_region(entry.contract.region.path)
    asked = questionnaire_of(entry, kept.party)
    return entry, kept, [Former(row, asked) for row in rows]
