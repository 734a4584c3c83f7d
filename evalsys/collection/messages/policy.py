"""When and how often people may be written to. It decides no score, so it does not stand in the rules file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from evalsys.base.language import CHINA


@dataclass(frozen=True)
class Policy:
    """What holds for every cycle.

    Attributes:
        most_reminders: to one recipient, after the invitation.
        apart: at least so long between two messages to one person.
        quiet_from, quiet_until: in between, over night and by the clock in China, nothing is sent.
    """

    most_reminders: int = 2
    apart: timedelta = timedelta(days=3)
    quiet_from: time = time(20)
    quiet_until: time = time(8)

    def next_moment(self, at: datetime) -> datetime:
        """When something that is due at a moment may be sent: then, or in the morning."""
        local = at.astimezone(CHINA)
        if self.quiet_until <= local.time() < self.quiet_from:
            return at
        day = local.date() + timedelta(days=int(local.time() >= self.quiet_from))
        return datetime.combine(day, self.quiet_until, CHINA)


POLICY = Policy()
