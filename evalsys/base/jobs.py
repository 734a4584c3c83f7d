"""The worker: takes messages out of the outbox one by one, has them composed, hands them over and notes the end.

Any number of workers may run, in threads, processes and on several machines. docs/decisions/0034 says why this is not
a library.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from evalsys.base import outbox
from evalsys.base.clock import now as present
from evalsys.base.db import Database
from evalsys.base.outbox import Channel, Message, MessageState
from evalsys.base.post import Letter, NotNow, NotSent, PostOffice, Refused

PAUSE = 5.0  # seconds between two looks into an empty outbox
TIDY_EVERY = timedelta(hours=1)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Needless:
    """The message is not to be sent any more."""

    why: str


@dataclass(frozen=True)
class Later:
    """It is not to be sent before a moment."""

    at: datetime


Compose = Callable[[Session, Message, datetime], Letter | Needless | Later]
"""How a room makes a letter of a message, in the transaction that marks it: what held when it was queued is asked
again."""


class Worker:
    """Sends what is due.

    Args:
        composers: by the message's kind.
        tidy: forgets what was kept for messages that nobody needs any more.
    """

    def __init__(
        self,
        database: Database,
        office: PostOffice,
        composers: Mapping[str, Compose],
        tidy: Callable[[Session], None] = lambda _session: None,
    ) -> None:
        self._database = database
        self._office = office
        self._composers = composers
        self._tidy = tidy
        self._tidied_at: datetime | None = None

    def run(self, *, go_on: Callable[[], bool], wait: Callable[[float], object]) -> None:
        """Work until told to stop. A database that is away is asked again after a pause."""
        while go_on():
            try:
                self.tidy(now=present())
                if self.send_next(now=present()):
                    continue
            except (SQLAlchemyError, OSError) as error:  # SQLite's lock file is opened by ourselves
                _log.warning("messages wait: %s", type(error).__name__)
            wait(PAUSE)

    def tidy(self, *, now: datetime) -> None:
        """Once in a while."""
        if self._tidied_at is None or now - self._tidied_at >= TIDY_EVERY:
            with self._database.transaction() as session:
                self._tidy(session)
            self._tidied_at = now

    def send_next(self, *, now: datetime) -> bool:
        """Deal with the message that is due longest.

        Returns:
            Whether there was one.
        """
        if not self._waits(now):
            return False
        with self._database.transaction() as session:
            outbox.give_up_interrupted(session, now=now)
            message = outbox.next_due(session, now=now)
            letter = self._letter(session, message, now) if message else None
        if message and letter:  # committed: whatever happens now, nobody else sends it
            self._hand_over(message, letter, now)
        return message is not None

    def _waits(self, now: datetime) -> bool:
        """Looks without asking for the right to write, which recipients need."""
        due = (Message.state == MessageState.WAITING) & (Message.due_at <= now)
        stopped = (Message.state == MessageState.SENDING) & (Message.changed_at < now - outbox.SENDING_AT_MOST)
        with self._database.reading() as session:
            return bool(session.scalar(select(exists().where(or_(due, stopped)))))

    def _letter(self, session: Session, message: Message, now: datetime) -> Letter | None:
        try:
            composed = self._composers[message.kind](session, message, now)
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - one that cannot be composed must not stop those behind it
            _log.error("message %d could not be composed: %s", message.id, type(error).__name__)
            outbox.end(message, MessageState.FAILED, now=now, why="program")
            return None
        match composed:
            case Needless(why=why):
                outbox.end(message, MessageState.DROPPED, now=now, why=why)
            case Later(at=at):
                message.due_at = at
            case Letter():
                outbox.begin(message, now=now)
                return composed
        return None

    def _hand_over(self, message: Message, letter: Letter, now: datetime) -> None:
        failure: NotSent | None = None
        try:
            self._office.way(Channel(message.channel), letter).send(letter)
        except NotSent as refused:
            failure = refused
        except Exception as error:  # noqa: BLE001 - it is not known how far it came
            _log.error("message %d: %s", message.id, type(error).__name__)
            failure = NotSent("program")
        with self._database.transaction() as session:
            kept = session.get(Message, message.id, with_for_update=True)
            undecided = (MessageState.SENDING, MessageState.UNKNOWN)
            if kept is None or kept.changed_at != message.changed_at or kept.state not in undecided:
                return  # it took too long, and somebody has decided meanwhile
            if failure is None:
                outbox.end(kept, MessageState.SENT, now=now)
            elif isinstance(failure, NotNow):
                outbox.put_off(kept, now=now, why=failure.why, said=failure.said)
            else:
                state = MessageState.FAILED if isinstance(failure, Refused) else MessageState.UNKNOWN
                outbox.end(kept, state, now=now, why=failure.why, said=failure.said)
