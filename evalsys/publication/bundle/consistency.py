"""Whether an edition still holds every answer that an earlier one of its cycle had received."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from evalsys.publication.bundle.findings import Finding
from evalsys.publication.bundle.layout import EDITION, LEAVES
from evalsys.publication.merkle import grew


def from_before(edition: Mapping[str, Any]) -> list[Finding]:
    """Whether the proof in edition.json holds; nothing for a first edition, which has none."""
    stated: Any = edition.get("consistency")
    if stated is None and edition.get("previous") is None:
        return []
    text = _("Nothing that the edition before had received was taken out.")
    try:
        size, later = int(stated["size"]), int(edition["leaves"]["size"])
        path = [bytes.fromhex(step) for step in stated["path"]]
        root, later_root = bytes.fromhex(stated["root"]), bytes.fromhex(edition["leaves"]["root"])
    except (TypeError, KeyError, ValueError):
        return [Finding(text, holds=False, detail=_("The proof cannot be read."))]
    if not grew(size, later, path, root, later_root):
        return [Finding(text, holds=False, detail=_("The proof does not lead from one root to the other."))]
    return [Finding(text, holds=True, detail=_kept(size, later))]


def since(newer: Mapping[str, bytes], older: Mapping[str, bytes]) -> list[Finding]:
    """What an edition says of an older one.

    Args:
        newer, older: the files of two bundles that hold, each by itself.
    """
    edition, before = json.loads(newer[EDITION]), json.loads(older[EDITION])
    text = _("The older bundle is an earlier edition of the same cycle.")
    if not (_code(edition) == _code(before) and _number(before) < _number(edition)):
        return [Finding(text, holds=False, detail=_("Only editions of one cycle go on from each other."))]
    return [Finding(text, holds=True), _kept_all(newer, older), _named(edition, before, older)]


def _kept_all(newer: Mapping[str, bytes], older: Mapping[str, bytes]) -> Finding:
    text = _("Nothing that the older edition had received was taken out.")
    now, then = newer[LEAVES].split(), older[LEAVES].split()
    if now[: len(then)] == then:
        return Finding(text, holds=True, detail=_kept(len(then), len(now)))
    lost = len(set(then) - set(now))
    if not lost:
        return Finding(text, holds=False, detail=_("They stand in another order, so the roots do not go together."))
    return Finding(
        text, holds=False, detail=ngettext("%(num)s answer is missing.", "%(num)s answers are missing.", lost)
    )


def _named(edition: Mapping[str, Any], before: Mapping[str, Any], older: Mapping[str, bytes]) -> Finding:
    text = _("The newer edition names the older one.")
    if _number(edition) > _number(before) + 1:
        between = _("Other editions lie between them; compare each with the one before.")
        return Finding(text, holds=None, detail=between)
    return Finding(text, edition.get("previous") == sha256(older[EDITION]).hexdigest())


def _kept(earlier: int, later: int) -> str:
    told: str = _("%(earlier)s answers then, the same first among %(later)s now.", earlier=earlier, later=later)
    return told


def _code(edition: Mapping[str, Any]) -> object:
    cycle = edition.get("cycle")
    return cycle.get("code") if isinstance(cycle, dict) else None


def _number(edition: Mapping[str, Any]) -> int:
    number = edition.get("number")
    return number if isinstance(number, int) else 0
