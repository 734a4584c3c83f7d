"""Evidence of a named rater's assessment: files added and removed while it is a draft, read by those who may see it.

Every change holds the rater's own account row locked (see assessments.py), so that a shelf is never written and tidied
at once. A file is written before its row and removed after it: what fails in between leaves a file too many, which the
next tidying removes, never a row without its file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from evalsys.accounts.models import Account
from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Gone, Invalid, NotFound
from evalsys.collection.assessments import readable_of, task_to_change, with_draft
from evalsys.collection.evidence_files import checked
from evalsys.collection.evidence_store import Store
from evalsys.collection.models import Assessment, Evidence, EvidenceKind
from evalsys.collection.returns import versions_of
from evalsys.collection.tasks import Task

MOST_FILES = 20


@dataclass(frozen=True)
class Sent:
    """A file as a person sent it, and the code of the question that it supports; empty for the whole assessment."""

    name: str
    content: bytes
    criterion: str = ""
    kind: EvidenceKind = EvidenceKind.GENERAL


def evidence_of(session: Session, assessment: Assessment | None) -> Sequence[Evidence]:
    """An assessment's evidence in the order in which it came."""
    if assessment is None:
        return []
    return session.scalars(
        select(Evidence)
        .where(Evidence.assessment_id == assessment.id)
        .options(joinedload(Evidence.account))
        .order_by(Evidence.id)
    ).all()


def add(session: Session, entry_id: int, store: Store, sent: Sent, *, actor: Actor, now: datetime) -> Evidence:
    """Keep a file as evidence of the rater's own draft, which begins with it where there is none.

    Raises:
        Invalid: the file is not taken (see evidence_files), or there is no such question.
        Conflict, Gone: it is submitted, holds as many files as it may, has this one already, or is not collected now.
    """
    file = checked(sent.name, sent.content)
    task = task_to_change(session, entry_id, actor)
    if sent.criterion and sent.criterion not in {question.code for question in task.questionnaire}:
        raise Invalid(_("There is no such question."), remedy=_("Reload the page and choose from the list."))
    kept = with_draft(session, task, actor, now)
    digest = hashlib.sha256(file.content).hexdigest()
    there = evidence_of(session, kept)
    if digest in {one.hash for one in there}:
        raise Conflict(_("This file is attached already."), remedy=_("Choose another, or leave it as it is."))
    if len(there) >= MOST_FILES:
        raise Conflict(
            _("An assessment holds at most %(n)s files.", n=MOST_FILES),
            remedy=_("Remove one that says least, or join several documents in one PDF."),
        )
    store.put(kept.id, digest, file.content)
    row = Evidence(
        assessment_id=kept.id,
        criterion=sent.criterion or None,
        kind=sent.kind.value,
        name=file.name,
        media_type=file.media_type,
        size=len(file.content),
        hash=digest,
        account=session.get_one(Account, actor.account_id),
        added_at=now,
    )
    session.add(row)
    session.flush()
    _record(session, task, "collection.add_evidence", row, actor=actor, now=now)
    return row


def remove(session: Session, evidence_id: int, *, actor: Actor, now: datetime) -> Task:
    """Take a file back from the rater's own draft; `tidy` then removes its bytes.

    Raises:
        NotFound: the actor's drafts hold no such file.
        Conflict, Gone: the assessment is submitted, or not collected now.
    """
    row = session.get(Evidence, evidence_id, options=[joinedload(Evidence.assessment)])
    if row is None or row.assessment.account_id != actor.account_id:
        raise _no_such_file()
    task = task_to_change(session, row.assessment.entry_id, actor)
    if any(
        row.id in {file["id"] for file in former.content["evidence"]} for former in versions_of(session, row.assessment)
    ):
        raise Conflict(
            _("This file belongs to what was submitted before; it stays."), remedy=_("Attach what is right beside it.")
        )
    session.delete(row)
    session.flush()
    _record(session, task, "collection.remove_evidence", row, actor=actor, now=now)
    return task


def tidy(session: Session, entry_id: int, store: Store, *, actor: Actor) -> None:
    """Remove the bytes that no row of the rater's draft names; run it in a transaction of its own."""
    kept = task_to_change(session, entry_id, actor).assessment
    if kept is not None:
        store.keep_only(kept.id, {one.hash for one in evidence_of(session, kept)})


def read(session: Session, evidence_id: int, store: Store, *, actor: Actor) -> tuple[Evidence, bytes]:
    """A file, for its rater and, once the assessment is submitted, for those who oversee the branch.

    Raises:
        NotFound: there is none, or it is still part of somebody else's draft.
        NotAllowed: it is somebody else's, and the actor oversees nothing or another branch.
        Gone: its bytes are not where they were kept.
    """
    row = session.get(Evidence, evidence_id)
    if row is None:
        raise _no_such_file()
    readable_of(session, row.assessment_id, actor=actor)
    content = store.get(row.assessment_id, row.hash)
    if content is None or hashlib.sha256(content).hexdigest() != row.hash:
        raise Gone(
            _("The file “%(name)s” is no longer what was kept.", name=row.name),
            remedy=_("Ask whoever runs the site to bring it back from the backup."),
        )
    return row, content


def _no_such_file() -> NotFound:
    return NotFound(_("There is no such file."), remedy=_("Start from the assessment that it belongs to."))


def _record(session: Session, task: Task, act: str, row: Evidence, *, actor: Actor, now: datetime) -> None:
    """Which file, by its hash; its name may name a person."""
    audit.record(
        session,
        actor=actor,
        act=act,
        subject=f"entry:{task.entry.cycle.code}/{task.entry.contract.reference}",
        now=now,
        detail={"party": task.party, "media_type": row.media_type, "size": row.size, "sha256": row.hash},
    )
