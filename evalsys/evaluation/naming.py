"""Names of what a result speaks of by code, in the reader's language, as the rules it was scored by have them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext as _

from evalsys.base.language import words
from evalsys.rules.model import Dimension, Grade, Party, PeerGroup, Rules, ServiceType, YesNoScale
from evalsys.scoring.status import Status

TAGS = {Status.RATED.value: "tag-good", Status.PROVISIONAL.value: "tag-warn", Status.WITHHELD.value: "tag-calm"}


@dataclass(frozen=True)
class Names:
    """A code that the rules do not name stays as it is."""

    rules: Rules

    def party(self, code: str) -> str:
        return _named(self.rules.parties, code)

    def dimension(self, code: str) -> str:
        return _named(self.rules.dimensions, code)

    def grade(self, code: str | None) -> str:
        return _named(self.rules.grades, code) if code else "—"

    def group(self, code: str) -> str:
        return _named(self.rules.peer_groups, code) or str(_("All contracts"))

    def service_type(self, code: str) -> str:
        return _named(self.rules.service_types, code)

    def status(self, code: str) -> str:
        names: dict[str, str] = {
            Status.RATED.value: _("Rated"),
            Status.PROVISIONAL.value: _("Provisional"),
            Status.WITHHELD.value: _("Not rated for now"),
        }
        return names[code]

    def tag(self, status: str) -> str:
        """The class that colours a status."""
        return TAGS[status]

    def levels(self, criterion: str) -> list[str]:
        """The names of a criterion's levels, the lowest first."""
        scale = self.rules.scale_of(self.rules.criterion(criterion))
        if isinstance(scale, YesNoScale):
            return [_("No"), _("Yes")]
        return [words(level) for level in getattr(scale, "levels", ())]


def _named(items: Iterable[Party | Dimension | Grade | PeerGroup | ServiceType], code: str) -> str:
    return next((words(item.name) for item in items if item.code == code), code)
