"""Fixing a seed, drawing samples by it, releasing spare cases, withdrawing a draw.

The seed stands in the audit trail before anything is drawn. What a sample is drawn from stays as it is from then on,
see `sample_cases.sampled_entries`. Nobody chooses whom a spare case replaces, or by whom.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ScalarSelect, delete, func, select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Invalid, NotFound
from evalsys.collection.counting import entries_of_branch
from evalsys.collection.invitations import require_open
from evalsys.collection.models import Invitation, Outcome
from evalsys.collection.sample_models import Sample, SamplePart, SampleSeed
from evalsys.collection.sample_plans import Preview, Wish, plan_sample, seed_of
from evalsys.registry.models import Contract, Cycle


def fix_seed(
    session: Session,
    cycle: Cycle,
    *,
    seed: str = "",
    source: str = "",
    reason: str = "",
    actor: Actor,
    now: datetime,
) -> SampleSeed:
    """Fix the seed before anything is drawn by it; without a text, 32 random characters.

    Raises:
        NotAllowed: the cycle has nothing in common with the actor's branch.
        Conflict: the cycle does not collect any more.
        Invalid: a typed seed has no source, or there is one already and no reason for another.
    """
    require_open(session, cycle, actor)
    seed, source, reason = _line(seed, 100), _line(source, 200), _line(reason, 500)
    if seed and not source:
        raise Invalid(
            _("It is not said where the seed comes from."),
            remedy=_("Name a source that others can look up, or leave the seed empty, and it is drawn."),
        )
    if seed_of(session, cycle) and not reason:
        raise Invalid(
            _("A seed has been fixed for the cycle %(code)s already.", code=cycle.code),
            remedy=_("Draw by it, or give the reason why there has to be another."),
        )
    kept = SampleSeed(
        cycle_id=cycle.id,
        seed=seed or secrets.token_hex(16),
        source=source if seed else "",
        reason=reason,
        fixed_at=now,
        fixed_by=actor.name,
    )
    session.add(kept)
    session.flush()
    told = {"seed": kept.seed, "source": kept.source, "reason": reason}
    _record(session, cycle, "fix_seed", told, actor=actor, now=now)
    return kept


def draw_sample(
    session: Session, cycle: Cycle, wish: Wish, *, seen: str | None = None, actor: Actor, now: datetime
) -> Preview:
    """Draw; from then on only those in the samples are given codes.

    Args:
        seen: the fingerprint of the preview that was agreed to; None where nobody asked for one.

    Raises:
        NotAllowed: the cycle has nothing in common with the actor's branch.
        Invalid, Conflict: as `plan_sample`; also that it is not what was seen, or that the cycle does not collect.
    """
    require_open(session, cycle, actor)
    preview = plan_sample(session, cycle, wish, actor=actor)
    if seen is not None and seen != preview.fingerprint:
        raise Conflict(
            _("The seed or a frame has changed since the preview; nothing was drawn."),
            remedy=_("Look at the preview again."),
        )
    _clear(session, [planned.entry.id for planned in preview.planned])
    for planned in preview.planned:
        parts = [
            SamplePart(stratum_id=stratum.id, frame=stratum.size, drawn=share.drawn, spare=share.spare, released=0)
            for stratum, share in planned.parts
        ]
        session.add(
            Sample(
                entry_id=planned.entry.id,
                seed_id=preview.seed.id,
                design=wish.design.value,
                size=wish.size.number,
                size_is_percent=wish.size.is_percent,
                least=wish.floor,
                spare_percent=wish.spare,
                drawn_at=now,
                drawn_by=actor.name,
                parts=parts,
            )
        )
    session.flush()
    told = {
        "seed": preview.seed.seed,
        "design": wish.design.value,
        "size": str(wish.size),
        "least": wish.floor,
        "spare": f"{wish.spare}%",
        "contracts": [planned.contract.reference for planned in preview.planned],
        "cases": sum(planned.drawn for planned in preview.planned),
    }
    _record(session, cycle, "draw_sample", told, actor=actor, now=now)
    return preview


def sample_of(session: Session, cycle: Cycle, entry_id: int, *, actor: Actor) -> Sample:
    """The sample in force of an entry of the actor's branch; raises NotFound."""
    found = session.scalar(
        select(Sample).where(
            Sample.entry_id == entry_id,
            Sample.withdrawn_at.is_(None),
            Sample.entry_id.in_(entries_of_branch(cycle, actor)),
        )
    )
    if found is None:
        raise NotFound(_("No sample of this contract is drawn."), remedy=_("Choose one from the list of samples."))
    return found


def withdraw_sample(
    session: Session, cycle: Cycle, entry_id: int, reason: str, *, actor: Actor, now: datetime
) -> Contract:
    """Take a draw back, so that the frame can be corrected or another be drawn. Codes of the sample become worthless.

    Returns:
        The contract.

    Raises:
        NotAllowed, NotFound: the cycle, or the entry, is not of the actor's branch, or there is no sample.
        Invalid: there is no reason.
        Conflict: somebody of the sample was asked, or the cycle does not collect any more.
    """
    require_open(session, cycle, actor)
    sample, reason = sample_of(session, cycle, entry_id, actor=actor), _line(reason, 500)
    if not reason:
        raise Invalid(_("The reason is missing."), remedy=_("Write why the draw is taken back; the reason is kept."))
    contract, codes = sample.entry.contract, _clear(session, [entry_id])
    sample.withdrawn_at, sample.withdrawn_because = now, reason
    session.flush()
    told = {"contract": contract.reference, "reason": reason, "codes": codes}
    _record(session, cycle, "withdraw_sample", told, actor=actor, now=now)
    return contract


def release_spares(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> int:
    """Let spare cases be asked: in each part as many as cases ended without an answer, as far as there are any left.

    Returns:
        How many were released.

    Raises:
        NotAllowed, Conflict: the cycle is not the actor's, or does not collect any more.
    """
    require_open(session, cycle, actor)
    released = 0
    for part, ended in session.execute(
        select(SamplePart, ended_cases())
        .join(Sample)
        .where(Sample.withdrawn_at.is_(None), Sample.entry_id.in_(entries_of_branch(cycle, actor)))
    ):
        due = max(0, min(part.spare, ended) - part.released)
        part.released += due
        released += due
    if released:
        session.flush()
        _record(session, cycle, "release_spares", {"cases": released}, actor=actor, now=now)
    return released


def ended_cases() -> ScalarSelect[int]:
    """How many cases of a part of a sample ended without an answer; a form on paper may still come back."""
    without = (Invitation.outcome.is_not(None), Invitation.outcome != Outcome.PAPER, ~Invitation.used)
    ended = select(func.count()).where(Invitation.stratum_id == SamplePart.stratum_id, *without)
    return ended.correlate(SamplePart).scalar_subquery()


def _clear(session: Session, entries: Sequence[int]) -> int:
    """Take all codes of entries away, and say how many; raises Conflict where a recipient came first."""
    of_these = Invitation.entry_id.in_(entries)
    unused = delete(Invitation).where(of_these, ~Invitation.used, Invitation.outcome.is_(None))
    gone = session.execute(unused.returning(Invitation.id)).all()
    if session.scalar(select(Invitation.id).where(of_these).limit(1)):
        raise Conflict(
            _("Recipients have answered, or said why not; who is asked cannot be changed any more."),
            remedy=_("Go on as it is, and release spare cases where somebody of a sample does not answer."),
        )
    return len(gone)


def _line(text: str, longest: int) -> str:
    """A text as it is kept; raises Invalid for one that is too long."""
    text = " ".join(text.split())
    if len(text) > longest:
        raise Invalid(
            _("A text is too long."), remedy=_("Shorten it to %(limit)s characters.", limit=longest), details=[text]
        )
    return text


def _record(
    session: Session, cycle: Cycle, act: str, detail: Mapping[str, Any], *, actor: Actor, now: datetime
) -> None:
    subject = f"cycle:{cycle.code}"
    audit.record(session, actor=actor, act=f"collection.{act}", subject=subject, now=now, detail=dict(detail))
