"""What everybody may read of objections, and how the room's pages and slots are put in place."""

from __future__ import annotations

from flask import Flask, render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from evalsys.accounts import todo
from evalsys.appeals import desk, officer_views, slots, vendor_views, words
from evalsys.appeals.blueprint import bp
from evalsys.appeals.statistics import statistics
from evalsys.base import access, navigation
from evalsys.base.db import reading

__all__ = ["install", "officer_views", "vendor_views"]


def install(app: Flask) -> None:
    """Register the pages, the menu entries, what waits on the desk and what stands beside published lines."""
    app.register_blueprint(bp)
    app.jinja_env.globals.update(
        ground_name=words.ground_name, outcome_name=words.outcome_name, objection_state=words.state_name
    )
    navigation.offer(app, "appeals.results", _l("Your results"))
    navigation.offer(app, "appeals.objection_list", _l("Objections"))
    todo.offer(app, desk.todos)
    slots.fill()


@bp.get("/objections")
@access.public
def public_statistics() -> ResponseReturnValue:
    """How objections went in every published cycle."""
    return render_template("appeals/statistics.html", counts=statistics(reading()))
