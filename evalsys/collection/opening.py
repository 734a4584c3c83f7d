"""What an invitation code opens, as one statement reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from evalsys.registry.cycles import GRACE
from evalsys.registry.models import CycleState


class Opened(NamedTuple):
    """An invitation with what it leads to.

    Attributes:
        hashed: the code as the database keeps it.
        stratum_id: None where fewer than five of the stratum were asked.
        ended: when collecting ended, as the driver tells it: SQLite's has no zone and is text.
        reference, title, vendor: of the contract that is evaluated.
        region: whose evaluation it is.
        reminded: whether reminders may come. All from `title` on is read for pages only.
    """

    hashed: bytes
    invitation_id: int
    used: bool
    entry_id: int
    stratum_id: int | None
    state: str
    ended: datetime | str | None
    rules_id: int | None
    reference: str
    service_type: str
    title: str = ""
    simulated: bool = False
    vendor: str = ""
    region: str = ""
    reminded: bool = False

    def takes(self, issued_at: datetime | None, now: datetime) -> bool:
        """Whether a form that was handed out at a moment counts now: for a while also after the end of collecting."""
        if self.state == CycleState.COLLECTING:
            return True
        if self.state != CycleState.REVIEW or self.ended is None or issued_at is None:
            return False
        ended = datetime.fromisoformat(self.ended).replace(tzinfo=UTC) if isinstance(self.ended, str) else self.ended
        return issued_at <= ended and now <= ended + GRACE


# The stratum is told only where at least five of it were asked.
_COLUMNS = """
SELECT i.code_hmac, i.id, i.used, i.entry_id,
       (SELECT s.stratum_id FROM invitation s WHERE s.stratum_id = i.stratum_id LIMIT 1 OFFSET 4),
       c.state, c.collected_until, c.rules_id, k.reference, k.service_type"""
_TABLES = """
FROM invitation i
JOIN entry e ON e.id = i.entry_id
JOIN cycle c ON c.id = e.cycle_id
JOIN contract k ON k.id = e.contract_id"""

_REMINDED = "EXISTS (SELECT 1 FROM kept_code m WHERE m.invitation_id = i.id AND NOT m.quiet)"

FOR_A_PAGE = f"""{_COLUMNS}, k.title, c.simulated, v.name, g.name, {_REMINDED}{_TABLES}
JOIN vendor v ON v.id = k.vendor_id
JOIN region g ON g.id = c.region_id
WHERE i.code_hmac = ?"""

FOR_A_GROUP = f"{_COLUMNS}{_TABLES}\nWHERE i.code_hmac IN (…) ORDER BY i.id"
