"""Publishing: what a run says becomes an edition, which nothing changes afterwards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Invalid
from evalsys.evaluation.disclosure import TOGETHER, few_differ
from evalsys.evaluation.models import Run, Score
from evalsys.evaluation.queries import latest_run
from evalsys.publication.changes import changes_between
from evalsys.publication.checks import checks
from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.queries import last_number, lines_of, newest_edition
from evalsys.registry.cycles import move
from evalsys.registry.models import Contract, Cycle, CycleState, Entry
from evalsys.registry.pins import rules_of_version
from evalsys.rules.model import Rules

SHORTEST_REASON = 10
"""Characters that the reason of a correction has at least."""


def publish(
    session: Session,
    cycle: Cycle,
    *,
    reason: str = "",
    run_id: int | None = None,
    marked: bool = False,
    actor: Actor,
    now: datetime,
) -> Edition:
    """Publish the newest run: the first edition of a cycle, or a correction beside those before it.

    Args:
        session: writes; the cycle's row is locked, so of two who publish at once the second is refused.
        cycle: preliminary, or published for a correction.
        reason: why the correction was needed; empty for the first edition.
        run_id: the run that the person saw; None takes the newest.
        marked: publish although objections are open; their lines then say so.
        actor: who publishes.
        now: when.

    Raises:
        Conflict: a check fails, each failing one in `details`; or another run is the newest by now.
        Invalid: a correction without its reason.
    """
    actor.require_region(cycle.region.path)
    session.refresh(cycle, attribute_names=["state", "rules_id"], with_for_update=True)
    run = _publishable(session, cycle, run_id, marked=marked, now=now)
    before, last = newest_edition(session, cycle), last_number(session, cycle)
    edition = Edition(
        cycle_id=cycle.id,
        run_id=run.id,
        number=last + 1,
        published_at=now,
        published_by=actor.name,
        reason=_checked_reason(reason) if last else "",
        changes=[],
    )
    lines = future_lines(session, run)
    _hide_few_differences(session, cycle, lines, rules_of_version(run.rules))
    if before:
        edition.changes = changes_between(lines_of(session, before), lines)
    session.add(edition)
    session.flush()
    for line in lines:
        line.edition_id = edition.id
    session.add_all(lines)
    audit.record(
        session,
        actor=actor,
        act="publication.publish",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail={"edition": edition.number, "run": run.id, "reason": edition.reason, "changed": len(edition.changes)},
    )
    if cycle.state != CycleState.PUBLISHED:
        move(session, cycle, CycleState.PUBLISHED, actor=actor, now=now)
    session.flush()
    return edition


def _hide_few_differences(session: Session, cycle: Cycle, lines: Sequence[EditionScore], rules: Rules) -> None:
    """Tell no spread of the answers to contracts that differ from an earlier edition by a few answers only.

    Withdrawn editions count too: somebody has a copy.
    """
    earlier: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    found = select(EditionScore.contract_reference, EditionScore.breakdown).join(EditionScore.edition)
    for reference, breakdown in session.execute(found.where(Edition.cycle_id == cycle.id)):
        earlier[reference].append(breakdown)
    for line in lines:
        if any(few_differ(before, line.breakdown, rules) for before in earlier[line.contract_reference]):
            line.breakdown = line.breakdown | {TOGETHER: True}


def _publishable(session: Session, cycle: Cycle, run_id: int | None, *, marked: bool, now: datetime) -> Run:
    failing = [c for c in checks(session, cycle, now=now) if not c.holds and not (marked and c.may_be_marked)]
    run = latest_run(session, cycle)
    if failing or run is None:
        raise Conflict(
            _("The cycle %(code)s cannot be published now.", code=cycle.code),
            remedy=_("Put these right, then publish."),
            details=[f"{check.text} – {check.remedy}" for check in failing],
        )
    if run_id is not None and run_id != run.id:
        raise Conflict(
            _("The cycle was scored again after you looked at it."), remedy=_("Look at the new preview, then publish.")
        )
    return run


def _checked_reason(reason: str) -> str:
    told = reason.strip()
    if len(told) < SHORTEST_REASON:
        raise Invalid(
            _("A correction needs its reason."),
            remedy=_(
                "Write in at least %(count)s characters what was wrong and what was put right.", count=SHORTEST_REASON
            ),
        )
    return told


def future_lines(session: Session, run: Run) -> list[EditionScore]:
    """What an edition of a run would say, line for line; not added to the session."""
    found = session.scalars(
        select(Score)
        .where(Score.run_id == run.id)
        .options(
            joinedload(Score.entry)
            .joinedload(Entry.contract)
            .options(joinedload(Contract.vendor), joinedload(Contract.purchaser), joinedload(Contract.region))
        )
    )
    scores = sorted(found, key=lambda score: score.entry.contract.reference)
    return [line_of(score, score.entry.contract) for score in scores]


def line_of(score: Score, contract: Contract) -> EditionScore:
    """What an edition would say of one score."""
    return EditionScore(
        contract_reference=contract.reference,
        contract_title=contract.title,
        vendor_credit_code=contract.vendor.credit_code,
        vendor_name=contract.vendor.name,
        purchaser_name=contract.purchaser.name,
        region_path=contract.region.path,
        region_name=contract.region.name,
        service_type=contract.service_type,
        amount_fen=contract.amount_fen,
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        recipients_served=contract.recipients_served,
        peer_group=score.peer_group,
        status=score.status,
        score=score.score,
        low=score.low,
        high=score.high,
        grade=score.grade,
        rank=score.rank,
        rank_low=score.rank_low,
        rank_high=score.rank_high,
        band=score.band,
        shrunk=score.shrunk,
        shrunk_sd=score.shrunk_sd,
        breakdown=score.breakdown,
    )
