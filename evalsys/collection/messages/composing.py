"""What messages say, and whether they are still to be sent: asked in the moment before each is.

Texts are Chinese, whatever those read who start them. Those to recipients name no service, no vendor and nobody: others
may see the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.jobs import Compose, Later, Needless
from evalsys.base.language import day
from evalsys.base.outbox import Channel, Message
from evalsys.base.post import Letter
from evalsys.base.tokens import Box
from evalsys.collection.messages.contacts import read_contact
from evalsys.collection.messages.history import TO_RECIPIENTS, Why, histories, recipients
from evalsys.collection.messages.keeping import code_box, unlocked
from evalsys.collection.messages.models import KeptCode, Mailing, MailingKind
from evalsys.collection.messages.overdue import overdue_of
from evalsys.collection.messages.policy import POLICY
from evalsys.collection.models import Invitation
from evalsys.config import Settings
from evalsys.registry.models import Cycle, CycleState

Write = Callable[[Session, Message, Cycle, datetime], Letter | Needless]


def composers(settings: Settings) -> Mapping[str, Compose]:
    """The composer of each kind of message."""
    writer = Writer(code_box(settings.require_secret_key()), settings.base_url)
    return {
        MailingKind.INVITATION: partial(_compose, writer.to_recipient),
        MailingKind.REMINDER: partial(_compose, writer.to_recipient),
        MailingKind.OVERDUE: partial(_compose, writer.to_rater),
    }


def _compose(write: Write, session: Session, message: Message, now: datetime) -> Letter | Needless | Later:
    """By day, and as long as the cycle collects."""
    cycle = session.get_one(Mailing, message.batch).cycle
    if cycle.state != CycleState.COLLECTING:
        return Needless(Why.OVER)
    moment = POLICY.next_moment(now)
    return Later(moment) if moment > now else write(session, message, cycle, now)


@dataclass(frozen=True)
class Writer:
    """Makes letters of messages."""

    box: Box
    base_url: str

    def to_recipient(self, session: Session, message: Message, cycle: Cycle, now: datetime) -> Letter | Needless:
        """An invitation or a reminder. `about`: an invitation."""
        kind = MailingKind(message.kind)
        recipient = next(recipients(session, Invitation.id == message.about), None)
        if recipient is None:
            return Needless(Why.WITHDRAWN)
        before = histories(session, TO_RECIPIENTS, [message.about], but=message.id)[message.about]
        reached = recipient.reached(before, kind, now=now)
        kept = session.get(KeptCode, message.about)
        if isinstance(reached, Why):
            if kept and reached in (Why.ANSWERED, Why.OUTCOME):
                session.delete(kept)
            return Needless(reached)
        code = unlocked(self.box, kept) if kept else None
        if code is None:  # the secret key is another than when it was kept
            return Needless(Why.NO_CODE)
        with force_locale("zh"):
            write = _email if reached.channel is Channel.EMAIL else _sms
            subject, text = write(kind, cycle, f"{self.base_url}/s/{code}")
        fields = {"code": code, "day": _short(cycle.closes_on)}
        return Letter(message.id, reached.address, subject, text, kind.value, fields, simulated=cycle.simulated)

    def to_rater(self, session: Session, message: Message, cycle: Cycle, now: datetime) -> Letter | Needless:
        """To a purchaser or an evaluator about overdue work. `about`: an account."""
        account = session.get_one(Account, message.about)
        contact = read_contact(account.email)
        if contact is None or not account.active:
            return Needless(Why.NO_CONTACT)
        count = overdue_of(session, cycle, account, now=now)
        if not count:
            return Needless(Why.ANSWERED)
        with force_locale("zh"):
            subject = _("Ratings of purchased services are overdue")
            text = _(
                "%(name)s: of the contracts that you rate in “%(cycle)s”, %(count)s are overdue.\n"
                "Please sign in and complete them: %(link)s",
                name=account.name,
                cycle=cycle.title,
                count=count,
                link=f"{self.base_url}/collection/worklist",
            )
        return Letter(message.id, contact.address, subject, text, simulated=cycle.simulated)


def _short(value: date) -> str:
    return f"{value.month}月{value.day}日"


def _sms(kind: MailingKind, cycle: Cycle, link: str) -> tuple[str, str]:
    """No subject, and at most 70 characters, one SMS, where the site's address is no longer than 26."""
    given = {"link": link, "day": _short(cycle.closes_on)}
    if kind is MailingKind.REMINDER:
        return "", _("We still hope for your opinion on public services: %(link)s (until %(day)s). Voluntary.", **given)
    return "", _("Please tell us how public services are: %(link)s (until %(day)s). Voluntary, anonymous.", **given)


def _email(kind: MailingKind, cycle: Cycle, link: str) -> tuple[str, str]:
    subject = _("Please tell us how public services are")
    if kind is MailingKind.REMINDER:
        subject = _("Reminder: %(subject)s", subject=subject)
    text = _(
        "%(office)s asks those who use its purchased services for their opinion. It takes about two minutes:\n\n"
        "%(link)s\n\n"
        "Until %(day)s. It is voluntary; nobody learns what you answer, and your assistance does not depend on it.\n\n"
        "No reminders, please: %(link)s/quiet",
        office=cycle.region.name,
        link=link,
        day=day(cycle.closes_on),
    )
    return subject, text
