"""The views of a cycle's newest run, for the menu above each of them."""

from __future__ import annotations

from flask import current_app, url_for
from flask_babel import lazy_gettext as _l

from evalsys.base.access import allowed_roles, current_actor
from evalsys.registry.models import Cycle

PAGES = (
    ("evaluation.show", _l("Scores")),
    ("reliability.show", _l("Reliability of the raters")),
    ("evaluation.sensitivity", _l("Ranks under other weights")),
    ("evaluation.distribution", _l("Distribution of scores and answers")),
    ("integrity.flags", _l("Flagged ratings")),
)


def pages_of(cycle: Cycle) -> list[tuple[str, str]]:
    """(address, label) of each that the reader may open."""
    views, role = current_app.view_functions, current_actor().role
    return [
        (url_for(endpoint, code=cycle.code), str(label))
        for endpoint, label in PAGES
        if role in (allowed_roles(views[endpoint]) or ())
    ]
