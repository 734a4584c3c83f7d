"""What the floors below leave open for this room, filled: for the web and for every command that publishes."""

from __future__ import annotations

from evalsys.appeals import conditions, remarks
from evalsys.appeals.rectification_remarks import rectification_remarks
from evalsys.appeals.reply_queries import beside_lines
from evalsys.publication import checks
from evalsys.publication import remarks as beside


def fill() -> None:
    """Once or more often; it makes no difference."""
    beside.offer(remarks.remarks)
    beside.offer(beside_lines)
    beside.offer(rectification_remarks)
    checks.offer(conditions.conditions)
