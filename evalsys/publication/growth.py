"""That an edition still holds every answer which an earlier one of its cycle had received."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.base.errors import Invalid, NotFound
from evalsys.publication.models import EditionRecord
from evalsys.publication.trees import TREES


@dataclass(frozen=True)
class Growth:
    """The consistency proof of RFC 9162, 2.1.4.1, between the trees of two editions.

    Attributes:
        earlier, later: the seals, which state sizes and roots.
        path: hashes from one root to the other; empty too where the earlier tree was.
    """

    earlier: EditionRecord
    later: EditionRecord
    path: list[bytes]


def growth(session: Session, earlier: int, later: EditionRecord) -> Growth:
    """What shows that the answers of an earlier edition are the first of a later one's.

    Args:
        session: reads.
        earlier: number of the earlier edition, as in its address.
        later: the seal of the later one.

    Raises:
        NotFound: there is no earlier edition of that number, or it has no seal.
        Invalid: it is of another cycle, or not earlier.
    """
    before = session.get(EditionRecord, earlier)
    if before is None:
        raise NotFound(
            _("There is no such earlier edition with a seal."), remedy=_("Choose one from the list of editions.")
        )
    if before.edition.cycle_id != later.edition.cycle_id or before.edition.number >= later.edition.number:
        raise Invalid(
            _("Edition %(number)s is not an earlier one of the same result.", number=earlier),
            remedy=_("Choose one from the list of editions, from the same result and from before."),
        )
    tree, _places = TREES.of(later)
    return Growth(before, later, tree.growth(before.leaves))
