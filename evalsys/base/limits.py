"""How often somebody may try something that can be guessed: a code, a password.

Whoever tries is kept in the database only as a keyed hash, and only until the window ends.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

from flask import current_app, request
from flask_babel import gettext as _
from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, delete, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from evalsys.base.db import Base
from evalsys.base.errors import TooMany
from evalsys.base.tokens import derive_key, keyed_hash


class TryCount(Base):
    """Tries of one kind by one origin in the window that ends at `ends_at` (seconds since 1970)."""

    __tablename__ = "try_count"
    __table_args__ = (
        CheckConstraint("length(key) = 32", name="key_length"),
        CheckConstraint("count > 0", name="count_positive"),
    )

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    ends_at: Mapped[int] = mapped_column(BigInteger, index=True)
    count: Mapped[int]


_COUNT_ONE = text(
    "INSERT INTO try_count (key, ends_at, count) VALUES (:key, :ends_at, 1)"
    " ON CONFLICT (key) DO UPDATE SET count = try_count.count + 1"
)


def tries(session: Session, key: str, *, now: datetime) -> int:
    """How many tries the running window holds.

    Args:
        key: the kind and the origin, for example "survey code:203.0.113.7".
    """
    counted = select(TryCount.count).where(TryCount.key == _hash(key), TryCount.ends_at > now.timestamp())
    return session.scalar(counted) or 0


def allow_try(session: Session, key: str, *, limit: int, window: timedelta, now: datetime) -> bool:
    """Count one more try, unless the limit is reached already: then False, and nothing is written."""
    if tries(session, key, now=now) >= limit:
        return False
    session.execute(delete(TryCount).where(TryCount.ends_at <= now.timestamp()))
    session.execute(_COUNT_ONE, {"key": _hash(key), "ends_at": int((now + window).timestamp())})
    return True


class Pace:
    """Lets those who tried too often go on, but one try at a time; in memory, each process for itself.

    Args:
        gap: between two tries.
        rest: how long after the last wrong try the pace is kept.
    """

    def __init__(self, *, gap: timedelta, rest: timedelta) -> None:
        self._gap, self._rest = gap, rest
        self._slowed: dict[str, tuple[datetime, datetime]] = {}  # by origin: until when, and the next try
        self._guard = threading.Lock()

    def slow_down(self, origin: str, *, now: datetime) -> None:
        """From now on, one try a gap for this origin."""
        with self._guard:
            self._slowed = {known: times for known, times in self._slowed.items() if times[0] > now}
            self._slowed[origin] = (now + self._rest, now + self._gap)

    def allows(self, origin: str, *, now: datetime) -> bool:
        """Whether a try may be made now; if so, it is counted."""
        if origin not in self._slowed:
            return True
        with self._guard:
            until, following = self._slowed.get(origin, (now, now))
            if until <= now:
                return True
            if now < following:
                return False
            self._slowed[origin] = (until, now + self._gap)
            return True


class Allowance:
    """So many requests in each window of time from one origin; in memory, each process for itself.

    The windows are the same for all, so that nothing has to be kept longer than one.
    """

    def __init__(self, *, most: int, window: timedelta) -> None:
        self.most, self._window = most, window
        self._ends = datetime.min.replace(tzinfo=UTC)
        self._counts: Counter[str] = Counter()
        self._guard = threading.Lock()

    def wait(self, origin: str, *, now: datetime) -> int:
        """Count a request. Returns the seconds to wait where there were too many, else 0."""
        with self._guard:
            if now >= self._ends:
                self._ends = now + self._window
                self._counts.clear()
            self._counts[origin] += 1
            if self._counts[origin] <= self.most:
                return 0
            return -(-(self._ends - now) // timedelta(seconds=1))


def require_patience(allowance: Allowance, *, now: datetime, remedy: str) -> None:
    """Count the request for its origin.

    Args:
        remedy: what else to do than to wait, a sentence.

    Raises:
        TooMany: there were too many; it says when to come again, also to programs.
    """
    seconds = allowance.wait(origin(), now=now)
    if seconds:
        raise TooMany(
            _("More than %(count)s requests came from your address in a minute.", count=allowance.most),
            remedy=_("Wait %(seconds)s seconds.", seconds=seconds) + " " + remedy,
            headers={"Retry-After": str(seconds)},
        )


def origin() -> str:
    """Where the request comes from: the address, or of an IPv6 address the network that one household gets."""
    address = request.remote_addr or ""
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if ":" in address else address


def forget_tries(session: Session, key: str) -> None:
    """Start anew, for example after a right password."""
    session.execute(delete(TryCount).where(TryCount.key == _hash(key)))


def _hash(key: str) -> bytes:
    return keyed_hash(derive_key(current_app.config["SECRET_KEY"], "counting tries"), key.encode())
