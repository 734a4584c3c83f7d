"""What an invitation code opens, as one statement reads it."""

from __future__ import annotations

from typing import NamedTuple


class Opened(NamedTuple):
    """An invitation with what it leads to.

    Attributes:
        hashed: the code as the database keeps it.
        stratum_id: None where fewer than five of the stratum were asked.
        reference, title, vendor: of the contract that is evaluated.
        region: whose evaluation it is. This and what stands before it from `title` on is read for pages only.
    """

    hashed: bytes
    invitation_id: int
    used: bool
    entry_id: int
    stratum_id: int | None
    state: str
    rules_id: int | None
    reference: str
    service_type: str
    title: str = ""
    simulated: bool = False
    vendor: str = ""
    region: str = ""


# The stratum is told only where at least five of it were asked.
_COLUMNS = """
SELECT i.code_hmac, i.id, i.used, i.entry_id,
       (SELECT s.stratum_id FROM invitation s WHERE s.stratum_id = i.stratum_id LIMIT 1 OFFSET 4),
       c.state, c.rules_id, k.reference, k.service_type"""
_TABLES = """
FROM invitation i
JOIN entry e ON e.id = i.entry_id
JOIN cycle c ON c.id = e.cycle_id
JOIN contract k ON k.id = e.contract_id"""

FOR_A_PAGE = f"""{_COLUMNS}, k.title, c.simulated, v.name, g.name{_TABLES}
JOIN vendor v ON v.id = k.vendor_id
JOIN region g ON g.id = c.region_id
WHERE i.code_hmac = ?"""

FOR_A_GROUP = f"{_COLUMNS}{_TABLES}\nWHERE i.code_hmac IN (…) ORDER BY i.id"
