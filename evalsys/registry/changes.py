"""Writing values into a row and telling the audit trail what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalsys.base.db import Base


def apply(row: Base, values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Set the row's columns; returns [before, after] of each that changed, as text."""
    changed = {}
    for name, value in values.items():
        before = getattr(row, name)
        if before != value:
            setattr(row, name, value)
            changed[name] = [str(before), str(value)]
    return changed
