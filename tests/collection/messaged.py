"""A cycle whose recipients stand in a roster with contacts, and a worker that sends to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.access import COMMAND_LINE
from evalsys.base.db import Database
from evalsys.base.jobs import Worker
from evalsys.base.outbox import Channel
from evalsys.base.post import Drawer, Letter, PostOffice
from evalsys.collection.codes import code_key
from evalsys.collection.invitations import invite
from evalsys.collection.messages.composing import composers
from evalsys.collection.messages.keeping import code_box
from evalsys.collection.messages.mailings import start
from evalsys.collection.messages.models import Mailing, MailingKind
from evalsys.collection.models import Invitation
from evalsys.config import Settings
from evalsys.registry.models import Cycle, RosterMember, Stratum
from tests.collection.surveys import SECRET
from tests.collection.world import World, make_world
from tests.factories import NOW, make_stratum

CONTACTS = ("13800138000", "li.ming@example.cn", "0763-8731234", "")
NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)  # in China
NIGHT = datetime(2026, 11, 2, 13, 0, tzinfo=UTC)


def enrol(session: Session, stratum: Stratum, contacts: Sequence[str]) -> None:
    """Names with contacts in the roster of a part of a frame."""
    session.add_all(
        RosterMember(stratum_id=stratum.id, name=f"对象{n}", contact=contact) for n, contact in enumerate(contacts)
    )
    session.flush()


def messaged_world(session: Session, *, contacts: Sequence[str] = CONTACTS, keep: bool = True, **columns: Any) -> World:
    """A world whose recipients have codes, which are kept where messages can be sent."""
    world = make_world(session, code="2026", **columns)
    enrol(session, make_stratum(session, entry=world.entry, size=len(contacts), township="城关镇"), contacts)
    give(session, world.cycle, keep=keep)
    return world


def give(session: Session, cycle: Cycle, *, keep: bool = True) -> list[str]:
    box = code_box(SECRET) if keep else None
    return [one.code for one in invite(session, cycle, key=code_key(SECRET), actor=COMMAND_LINE, now=NOW, box=box)]


def start_now(session: Session, cycle: Cycle, kind: MailingKind, *, at: datetime = NOON, **who: Any) -> Mailing:
    kept = session.get_one(Cycle, cycle.id)
    return start(session, kept, kind, actor=who.get("actor", COMMAND_LINE), now=at)


def case(session: Session, contact: str) -> Invitation:
    """The invitation of the recipient with a contact."""
    return session.scalars(
        select(Invitation)
        .join(RosterMember, Invitation.roster_member_id == RosterMember.id)
        .where(RosterMember.contact == contact)
    ).one()


@dataclass
class Caught:
    """A way out that keeps what it is given."""

    letters: list[Letter]
    place: str = "test"

    def send(self, letter: Letter) -> None:
        self.letters.append(letter)


def send_all(database: Database, settings: Settings, *, at: datetime = NOON) -> list[Letter]:
    """Let a worker send what is due; returns what went out."""
    caught = Caught([])
    office = PostOffice(dict.fromkeys(Channel, caught), Drawer(settings.instance))
    send = partial(Worker(database, office, composers(settings)).send_next, now=at)
    while send():
        pass
    return caught.letters
