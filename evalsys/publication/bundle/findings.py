"""What was found of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `holds` None: it could not be looked at."""

    text: str
    holds: bool | None
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """Everything that was looked at, in order, and what edition.json says where it could be read."""

    findings: tuple[Finding, ...]
    edition: Mapping[str, Any]

    @property
    def holds(self) -> bool:
        """Whether nothing failed."""
        return all(finding.holds is not False for finding in self.findings)
