"""A batch of messages in numbers: without names, addresses and reasons, which would tell of few who has answered."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.accounts.words import ROLES
from evalsys.base.outbox import Message
from evalsys.base.tables import Sheet
from evalsys.collection.messages.models import Mailing, MailingKind
from evalsys.collection.messages.words import CHANNELS, KINDS, STATES
from evalsys.collection.models import Invitation
from evalsys.registry.models import Contract, Entry, Stratum


def sheet_of(session: Session, mailing: Mailing) -> Sheet:
    """How many messages of a batch stand where, by contract and township, or by the role of the raters."""
    told = [_("Channel"), _("State"), _("Messages")]
    statement = _by_rater(mailing) if mailing.kind == MailingKind.OVERDUE else _by_place(mailing)
    groups = [_("Role")] if mailing.kind == MailingKind.OVERDUE else [_("Number"), _("Service contract"), _("Township")]
    rows = [
        [*(str(ROLES.get(cell, cell)) for cell in group), str(CHANNELS[channel]), str(STATES[state]), count]
        for *group, channel, state, count in session.execute(statement)
    ]
    return Sheet(str(KINDS[mailing.kind]), [*groups, *told], rows)


def _by_place(mailing: Mailing) -> Select[*tuple[Any, ...]]:
    groups = (Contract.reference, Contract.title, func.coalesce(Stratum.township, ""))
    counted = _counted(mailing, *groups).join(Invitation, Message.about == Invitation.id)
    contracts = counted.join(Entry, Invitation.entry_id == Entry.id).join(Contract, Entry.contract_id == Contract.id)
    return contracts.outerjoin(Stratum, Invitation.stratum_id == Stratum.id)


def _by_rater(mailing: Mailing) -> Select[*tuple[Any, ...]]:
    return _counted(mailing, Account.role).join(Account, Message.about == Account.id)


def _counted(mailing: Mailing, *groups: Any) -> Select[*tuple[Any, ...]]:
    columns = (*groups, Message.channel, Message.state)
    of_batch = select(*columns, func.count()).select_from(Message).where(Message.batch == mailing.id)
    return of_batch.group_by(*columns).order_by(*columns)
