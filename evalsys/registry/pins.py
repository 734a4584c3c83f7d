"""The rules that a cycle goes by: the version it pinned, read once."""

from __future__ import annotations

from functools import lru_cache

from flask_babel import gettext as _

from evalsys.base.errors import Conflict
from evalsys.registry.models import Cycle, RulesVersion
from evalsys.rules.loading import loads
from evalsys.rules.model import Rules


@lru_cache(maxsize=64)
def _read(digest: str, text: str) -> Rules:
    return loads(text.encode(), f"rules {digest[:12]}")


def rules_of_version(version: RulesVersion) -> Rules:
    """The rules that a stored version says."""
    return _read(version.hash, version.text)


def rules_of(cycle: Cycle) -> Rules:
    """The rules that a cycle has pinned.

    Raises:
        Conflict: it has pinned none yet.
    """
    if cycle.rules is None:
        raise Conflict(
            _("The cycle %(code)s has no rules yet.", code=cycle.code), remedy=_("Pin a rules file to it first.")
        )
    return rules_of_version(cycle.rules)
