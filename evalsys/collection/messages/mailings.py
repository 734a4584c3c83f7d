"""Batches of messages: whom one would reach, starting it, how far it is, and what to do with what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.base import audit, outbox
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, NotFound
from evalsys.base.outbox import Channel, Message, MessageState
from evalsys.collection.counting import entries_of_branch
from evalsys.collection.messages.contacts import read_contact
from evalsys.collection.messages.history import TO_RECIPIENTS, Why, histories, recipients
from evalsys.collection.messages.keeping import forget_codes
from evalsys.collection.messages.models import Mailing, MailingKind
from evalsys.collection.messages.overdue import late_raters
from evalsys.collection.messages.policy import POLICY
from evalsys.collection.models import Invitation
from evalsys.registry.models import Cycle, CycleState

Reached = tuple[int, Channel]
Judged = Iterator[Reached | Why]

MAY_GO_AGAIN = (MessageState.FAILED, MessageState.UNKNOWN)


@dataclass
class Plan:
    """Whom a batch would reach, and why it would not reach others."""

    to: list[Reached] = field(default_factory=list)
    skipped: Counter[Why] = field(default_factory=Counter)

    @property
    def by_channel(self) -> Counter[Channel]:
        return Counter(channel for _about, channel in self.to)


@dataclass(frozen=True)
class Progress:
    """A batch and how many of its messages stand where.

    Attributes:
        troubles: (state, code, words of the other side) of what did not go well, with how many.
    """

    mailing: Mailing
    counts: Counter[tuple[str, str]]
    troubles: Sequence[tuple[str, str, str, int]] = ()

    def count(self, state: MessageState, channel: Channel | None = None) -> int:
        return sum(n for (of, by), n in self.counts.items() if of == state and channel in (None, by))


def plan(session: Session, cycle: Cycle, kind: MailingKind, *, actor: Actor, now: datetime) -> Plan:
    """Whom a batch that starts now would reach in the actor's branch."""
    made = Plan()
    judge = _raters if kind is MailingKind.OVERDUE else _recipients
    for judged in judge(session, cycle, kind, actor, now):
        if isinstance(judged, Why):
            made.skipped[judged] += 1
        else:
            made.to.append(judged)
    return made


def start(session: Session, cycle: Cycle, kind: MailingKind, *, actor: Actor, now: datetime) -> Mailing:
    """Queue a message to everybody whom the plan names.

    Raises:
        NotAllowed: the cycle has nothing in common with the actor's branch.
        Conflict: the cycle does not collect, or there is nobody to write to.
    """
    _require_part(cycle, actor)
    session.refresh(cycle, with_for_update=True)  # of two who start at once, the second finds the first's messages
    if cycle.state != CycleState.COLLECTING:
        raise Conflict(
            _("The cycle %(code)s does not collect ratings.", code=cycle.code),
            remedy=_("Messages go out while it does."),
        )
    wanted = plan(session, cycle, kind, actor=actor, now=now)
    if not wanted.to:
        raise Conflict(_("There is nobody to write to now."), remedy=_("The page says why, for each group."))
    branch = max(actor.region_path, cycle.region.path, key=len)  # one lies in the other
    mailing = Mailing(cycle_id=cycle.id, kind=kind.value, branch=branch, started_at=now, started_by=actor.name)
    session.add(mailing)
    session.flush()
    due_at = POLICY.next_moment(now)
    outbox.queue(session, wanted.to, kind=kind.value, batch=mailing.id, due_at=due_at, now=now)
    forget_codes(session, cycle)
    detail: dict[str, str | int] = {
        "kind": kind.value,
        **{channel.value: count for channel, count in wanted.by_channel.items()},
    }
    _record(session, cycle, "start_messages", detail, actor=actor, now=now)
    return mailing


def mailing_of(session: Session, cycle: Cycle, number: int, *, actor: Actor) -> Mailing:
    """A batch of a cycle that was started in the actor's branch; raises NotFound."""
    mailing = session.get(Mailing, number)
    if mailing is None or mailing.cycle_id != cycle.id or not actor.acts_in(mailing.branch):
        raise NotFound(_("There is no such batch of messages."), remedy=_("Choose one from the list."))
    return mailing


def mailings(session: Session, cycle: Cycle, *, actor: Actor) -> list[Progress]:
    """Every batch of the branch, the newest first."""
    mine = [each for each in _of_cycle(session, cycle) if actor.acts_in(each.branch)]
    counted: dict[int, Counter[tuple[str, str]]] = {each.id: Counter() for each in mine}
    rows = session.execute(
        select(Message.batch, Message.state, Message.channel, func.count())
        .where(Message.batch.in_(list(counted)))
        .group_by(Message.batch, Message.state, Message.channel)
    )
    for batch, state, channel, count in rows:
        counted[batch][state, channel] = count
    return [Progress(each, counted[each.id]) for each in mine]


def progress(session: Session, mailing: Mailing) -> Progress:
    """How far a batch is."""
    columns = (Message.state, Message.channel, Message.why, Message.said)
    rows = session.execute(select(*columns, func.count()).where(Message.batch == mailing.id).group_by(*columns))
    counts, troubles = Counter[tuple[str, str]](), Counter[tuple[str, str, str]]()
    for state, channel, why, said, count in rows:
        counts[state, channel] += count
        if why:
            troubles[state, why, said] += count
    listed = sorted((*trouble, count) for trouble, count in troubles.items())
    return Progress(mailing, counts, listed)


def send_again(session: Session, mailing: Mailing, state: MessageState, *, actor: Actor, now: datetime) -> int:
    """Put what failed, or what is unknown, back into the queue.

    Returns:
        How many messages there were.

    Raises:
        NotAllowed: the batch belongs to another branch.
        Conflict: the cycle does not collect any more, or there are none.
    """
    _require_open(mailing, actor)
    due_at = POLICY.next_moment(now)
    count = outbox.send_again(session, mailing.id, [state] if state in MAY_GO_AGAIN else [], due_at=due_at)
    return _decided(session, mailing, "send_again", state, count, actor=actor, now=now)


def take_for_sent(session: Session, mailing: Mailing, *, actor: Actor, now: datetime) -> int:
    """Take messages of which it is unknown whether they went out for sent.

    Returns, Raises:
        as `send_again`.
    """
    _require_open(mailing, actor)
    count = outbox.take_for_sent(session, mailing.id)
    return _decided(session, mailing, "take_for_sent", MessageState.UNKNOWN, count, actor=actor, now=now)


def _decided(
    session: Session, mailing: Mailing, act: str, state: MessageState, count: int, *, actor: Actor, now: datetime
) -> int:
    if not count:
        raise Conflict(_("There is no such message any more."), remedy=_("Look at the page again."))
    detail = {"kind": mailing.kind, state.value: count}
    _record(session, mailing.cycle, act, detail, actor=actor, now=now)
    return count


def _recipients(session: Session, cycle: Cycle, kind: MailingKind, actor: Actor, now: datetime) -> Judged:
    """All whom a roster names and who have a code."""
    mine = Invitation.entry_id.in_(entries_of_branch(cycle, actor))
    sent = histories(session, TO_RECIPIENTS, select(Invitation.id).where(mine))
    for one in recipients(session, mine):
        reached = one.reached(sent[one.id], kind, now=now)
        yield reached if isinstance(reached, Why) else (one.id, reached.channel)


def _raters(session: Session, cycle: Cycle, kind: MailingKind, actor: Actor, now: datetime) -> Judged:
    """All who are late."""
    late = list(late_raters(session, cycle, actor=actor, now=now))
    sent = histories(session, (kind,), [account.id for account in late])
    for account in late:
        if read_contact(account.email) is None:
            yield Why.NO_CONTACT
        else:
            yield sent[account.id].against(kind, now=now) or (account.id, Channel.EMAIL)


def _of_cycle(session: Session, cycle: Cycle) -> Iterable[Mailing]:
    return session.scalars(select(Mailing).where(Mailing.cycle_id == cycle.id).order_by(Mailing.id.desc()))


def _require_part(cycle: Cycle, actor: Actor) -> None:
    if not actor.region_path.startswith(cycle.region.path):
        actor.require_region(cycle.region.path)


def _require_open(mailing: Mailing, actor: Actor) -> None:
    actor.require_region(mailing.branch)
    if mailing.cycle.state != CycleState.COLLECTING:
        raise Conflict(
            _("The cycle %(code)s does not collect ratings.", code=mailing.cycle.code),
            remedy=_("Messages go out while it does."),
        )


def _record(session: Session, cycle: Cycle, act: str, detail: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    audit.record(session, actor=actor, act=f"collection.{act}", subject=f"cycle:{cycle.code}", now=now, detail=detail)
