"""The page from which the ratings of a cycle are saved as a file."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.tables import download
from evalsys.collection.progress import cycle_of
from evalsys.collection.ratings_export import OVER, buying_again_sheet, export_ratings, ratings_sheet, too_few

bp = Blueprint("ratings_export", __name__, url_prefix="/collection/cycles/<code>/ratings")


@bp.get("/file")
@allow(Role.ADMINISTRATOR, Role.AUDITOR)
def show(code: str) -> ResponseReturnValue:
    """What the file holds and what not."""
    cycle = cycle_of(reading(), code, actor=current_actor())
    return render_template(
        "collection/ratings_export.html",
        cycle=cycle,
        over=cycle.state in OVER,
        too_few=too_few(reading(), cycle, actor=current_actor()),
    )


@bp.post("/file.<any(csv, xlsx):kind>")
@allow(Role.ADMINISTRATOR, Role.AUDITOR)
def save(code: str, kind: str) -> ResponseReturnValue:
    """The file; posted, for it leaves an entry in the audit trail."""
    actor = current_actor()
    with transaction() as session:
        export_ratings(session, cycle_of(session, code, actor=actor), actor=actor, now=now())
    cycle = cycle_of(reading(), code, actor=actor)
    sheets = [sheet(reading(), cycle, actor=actor) for sheet in (ratings_sheet, buying_again_sheet)]
    return download(sheets, f"ratings-{code}", kind)
