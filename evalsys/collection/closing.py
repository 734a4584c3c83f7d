"""What is missing from a cycle's ratings before collecting is closed."""

from __future__ import annotations

from collections.abc import Iterator

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.language import number, words
from evalsys.collection.interest_queries import submitted_despite
from evalsys.collection.models import Assessment, AssessmentState, Assignment, Invitation, Response
from evalsys.collection.paper_models import BatchState, PaperBatch
from evalsys.collection.survey import RECIPIENT
from evalsys.registry.cycle_notes import Note
from evalsys.registry.models import Cycle, CycleState, Entry
from evalsys.registry.pins import rules_of
from evalsys.rules.model import Party

TOLD_FROM = 5
"""Invitations below which a part of the frame is not told: its silence would be that of a few people."""


def missing(session: Session, cycle: Cycle, _actor: Actor) -> Iterator[Note]:
    """A line for everything that is missing; none where nothing is, or where the cycle does not collect."""
    if cycle.state != CycleState.COLLECTING:
        return
    recipients = url_for("invitations.invitations", code=cycle.code)
    assessments = url_for("collection.submitted", code=cycle.code)
    for party in rules_of(cycle).parties:
        label = _("Contracts with fewer than %(n)s from: %(party)s", n=party.minimum, party=words(party.name))
        address = recipients if party.code == RECIPIENT else assessments
        yield from _told(label, _entries_below(session, cycle, party), address)
    assignments = url_for("collection.assigned", code=cycle.code)
    yield from _told(_("Assignments that are not submitted"), _not_submitted(session, cycle), assignments)
    despite = len(submitted_despite(session, cycle))
    interests = url_for("interests.overview", code=cycle.code)
    yield from _told(_("Assessments submitted although a tie bars the evaluator"), despite, interests)
    yield from _told(
        _("Batches of paper forms that are not released"), _unreleased(session, cycle), url_for("paper.batches")
    )
    yield from _told(_("Parts of frames that were invited and did not answer"), _silent(session, cycle), recipients)


def _told(label: str, count: int, address: str) -> Iterator[Note]:
    if count:
        yield Note(label, number(count), address)


def _entries_below(session: Session, cycle: Cycle, party: Party) -> int:
    """Entries with fewer ratings of a party than the rules ask for; held ones do not count."""
    counted: ColumnElement[bool]
    if party.code == RECIPIENT:
        counted = and_(Response.entry_id == Entry.id, ~Response.held)
    else:
        counted = and_(
            Assessment.entry_id == Entry.id,
            Assessment.party == party.code,
            Assessment.state == AssessmentState.SUBMITTED,
            ~Assessment.held,
        )
    ratings = select(func.count()).where(counted).correlate(Entry).scalar_subquery()
    below = select(func.count()).select_from(Entry).where(Entry.cycle_id == cycle.id, ratings < party.minimum)
    return session.scalar(below) or 0


def _not_submitted(session: Session, cycle: Cycle) -> int:
    submitted = select(Assessment.id).where(
        Assessment.entry_id == Assignment.entry_id,
        Assessment.account_id == Assignment.account_id,
        Assessment.state == AssessmentState.SUBMITTED,
    )
    left = select(func.count()).select_from(Assignment).join(Assignment.entry)
    return session.scalar(left.where(Entry.cycle_id == cycle.id, ~submitted.exists())) or 0


def _unreleased(session: Session, cycle: Cycle) -> int:
    left = (PaperBatch.cycle_id == cycle.id, PaperBatch.state != BatchState.RELEASED)
    return session.scalar(select(func.count()).select_from(PaperBatch).where(*left)) or 0


def _silent(session: Session, cycle: Cycle) -> int:
    silent = (
        select(Invitation.stratum_id)
        .join(Invitation.entry)
        .where(Entry.cycle_id == cycle.id, Invitation.stratum_id.is_not(None))
        .group_by(Invitation.stratum_id)
        .having(func.count() >= TOLD_FROM, func.count().filter(Invitation.used) == 0)
    )
    return session.scalar(select(func.count()).select_from(silent.subquery())) or 0
