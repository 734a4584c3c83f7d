"""What differs between an edition and the one before it, one item a contract."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from evalsys.publication.models import EditionScore

RESULT = ("status", "score", "low", "high", "grade", "rank")


def changes_between(before: Iterable[EditionScore], after: Iterable[EditionScore]) -> list[dict[str, Any]]:
    """Contracts whose result is another, was added or is gone, by reference.

    Returns:
        items with contract, title, vendor, `before` and `after` (status, score, low, high, grade, rank, not rounded;
        None where the contract was not in that edition).
    """
    old = {line.contract_reference: line for line in before}
    new = {line.contract_reference: line for line in after}
    found = []
    for reference in sorted(old.keys() | new.keys()):
        was, is_now = _result(old.get(reference)), _result(new.get(reference))
        if was != is_now:
            named = new.get(reference) or old[reference]
            found.append(
                {
                    "contract": reference,
                    "title": named.contract_title,
                    "vendor": named.vendor_name,
                    "before": was,
                    "after": is_now,
                }
            )
    return found


def _result(line: EditionScore | None) -> dict[str, Any] | None:
    return None if line is None else {name: getattr(line, name) for name in RESULT}
