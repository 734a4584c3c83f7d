"""Taking an edition back where a court or a superior orders it: entered by one person, confirmed by another.

What the edition said is shown nowhere then, and its bundle is thrown away. Its statement, hash, root and the hashes of
its leaves stay, so that later editions still go on from it; so do its lines, unseen, with the files of the evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Invalid, NotAllowed, NotFound
from evalsys.base.language import CHINA
from evalsys.publication.models import Edition, OrderedBy, Withdrawal, WithdrawalState
from evalsys.publication.queries import edition_by_id
from evalsys.publication.sealing import record_of
from evalsys.publication.trees import leaf_lines
from evalsys.registry.models import Cycle, Region

SHORTEST_GROUND = 10


@dataclass(frozen=True)
class Order:
    """What the court or the superior ordered; the ground is published."""

    ordered_by: OrderedBy
    authority: str
    document: str
    ordered_on: date
    ground: str


def enter(session: Session, number: int, order: Order, *, actor: Actor, now: datetime) -> Withdrawal:
    """Enter an order to withdraw an edition; nothing changes before somebody else confirms it.

    Raises:
        NotFound: there is no such edition.
        Conflict: it is withdrawn, or an order waits already.
        Invalid: the ground is too short, or the order is from before the edition or from the future.
        NotAllowed: another region's, or nobody in particular acts.
    """
    edition = edition_by_id(session, number)
    actor.require_region(edition.cycle.region.path)
    if actor.account_id is None:
        raise NotAllowed(_("An order is entered by a person."), remedy=_("Sign in as procurement officer."))
    waiting = Withdrawal.edition_id == edition.id, Withdrawal.state == WithdrawalState.ENTERED
    if session.scalar(select(Withdrawal.id).where(*waiting)) is not None:
        raise Conflict(
            _("An order to withdraw this edition waits to be confirmed."), remedy=_("Have it confirmed or refused.")
        )
    _require_sound(edition, order, now)
    entered = Withdrawal(
        edition_id=edition.id,
        **vars(order),
        entered_at=now,
        entered_by=actor.name,
        entered_by_id=actor.account_id,
    )
    session.add(entered)
    session.flush()
    _told(session, entered, "publication.enter_withdrawal", actor=actor, now=now)
    return entered


def _require_sound(edition: Edition, order: Order, now: datetime) -> None:
    if len(order.ground) < SHORTEST_GROUND:
        raise Invalid(
            _("A withdrawal needs its ground."),
            remedy=_("Write in at least %(count)s characters what was ordered and why.", count=SHORTEST_GROUND),
        )
    if not edition.published_at.astimezone(CHINA).date() <= order.ordered_on <= now.astimezone(CHINA).date():
        raise Invalid(
            _("The order must be from a day between the publication and today."),
            remedy=_("Look up its date, and whether it is about this edition."),
        )


def confirm(session: Session, key: int, *, actor: Actor, now: datetime) -> Withdrawal:
    """Carry out an order that somebody else has entered. It cannot be undone.

    Raises:
        NotFound: there is no such order.
        Conflict: it is decided already.
        NotAllowed: the person has entered it, or belongs to another region.
    """
    decided = _to_decide(session, key, actor=actor)
    record = record_of(session, decided.edition)
    decided.leaves = leaf_lines(record) if record else None
    _decide(session, decided, WithdrawalState.CONFIRMED, actor=actor, now=now)
    if record is not None:
        record.bundle = None
    _told(session, decided, "publication.confirm_withdrawal", actor=actor, now=now)
    session.flush()
    session.expire(decided.edition, ["withdrawal"])
    return decided


def refuse(session: Session, key: int, why: str, *, actor: Actor, now: datetime) -> Withdrawal:
    """Do not carry out an order, for example because it is not what the paper says.

    Raises:
        Invalid: no reason.
        NotFound, Conflict, NotAllowed: as `confirm`.
    """
    decided = _to_decide(session, key, actor=actor)
    if not why.strip():
        raise Invalid(_("A refusal needs its reason."), remedy=_("Write why the edition is not withdrawn."))
    decided.why_refused = why.strip()
    _decide(session, decided, WithdrawalState.REFUSED, actor=actor, now=now)
    _told(session, decided, "publication.refuse_withdrawal", actor=actor, now=now)
    return decided


def _to_decide(session: Session, key: int, *, actor: Actor) -> Withdrawal:
    """Held for this transaction, with the cycle: nobody publishes a correction of it meanwhile."""
    found = withdrawal(session, key, actor=actor)
    session.refresh(found.edition.cycle, attribute_names=["state"], with_for_update=True)
    session.refresh(found, attribute_names=["state"], with_for_update=True)
    if found.state != WithdrawalState.ENTERED:
        raise Conflict(_("This order is decided already."), remedy=_("Look at the edition."))
    if actor.account_id is None or actor.account_id == found.entered_by_id:
        raise NotAllowed(
            _("Who has entered the order does not confirm it."),
            remedy=_("Ask an administrator or an auditor of the region."),
        )
    return found


def _decide(session: Session, decided: Withdrawal, state: WithdrawalState, *, actor: Actor, now: datetime) -> None:
    decided.state, decided.decided_at = state, now
    decided.decided_by, decided.decided_by_id = actor.name, actor.account_id
    session.flush()


def _told(session: Session, about: Withdrawal, act: str, *, actor: Actor, now: datetime) -> None:
    audit.record(
        session,
        actor=actor,
        act=act,
        subject=f"cycle:{about.edition.cycle.code}",
        now=now,
        detail={
            "edition": about.edition.number,
            "authority": about.authority,
            "document": about.document,
            "ordered_on": about.ordered_on.isoformat(),
            "ground": about.ground,
            "reason": about.why_refused,
        },
    )


def withdrawal(session: Session, key: int, *, actor: Actor) -> Withdrawal:
    """An order.

    Raises:
        NotFound: there is none of this number.
        NotAllowed: it belongs to another region.
    """
    found = session.get(Withdrawal, key, options=[joinedload(Withdrawal.edition).joinedload(Edition.cycle)])
    if found is None:
        raise NotFound(_("There is no such order."), remedy=_("Choose one from the page of the cycle."))
    actor.require_region(found.edition.cycle.region.path)
    return found


def withdrawals_of(session: Session, cycle: Cycle) -> Sequence[Withdrawal]:
    """Every order about editions of a cycle, the newest first."""
    return session.scalars(
        select(Withdrawal)
        .join(Withdrawal.edition)
        .where(Edition.cycle_id == cycle.id)
        .options(joinedload(Withdrawal.edition))
        .order_by(Withdrawal.id.desc())
    ).all()


def to_confirm(session: Session, actor: Actor) -> Sequence[Withdrawal]:
    """Orders of the actor's branch that wait."""
    return session.scalars(
        select(Withdrawal)
        .join(Withdrawal.edition)
        .join(Edition.cycle)
        .join(Cycle.region)
        .where(
            Withdrawal.state == WithdrawalState.ENTERED,
            Region.path.startswith(actor.region_path, autoescape=True),
        )
        .order_by(Withdrawal.id)
    ).all()
