"""The coordinator's list of missing ratings, on the page and as a file."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from evalsys.base.access import allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading
from evalsys.base.language import words
from evalsys.base.listing import Wanted
from evalsys.base.tables import FORMATS, download
from evalsys.collection.assessments import OVERSEERS
from evalsys.collection.late import late_list
from evalsys.collection.progress import cycle_of
from evalsys.collection.tasks import PARTY_OF
from evalsys.registry.lists import kind_of
from evalsys.registry.pins import rules_of

bp = Blueprint("late", __name__, url_prefix="/collection")


@bp.get("/cycles/<code>/late")
@allow(*OVERSEERS)
def show(code: str) -> ResponseReturnValue:
    """The table, or with `?format=xlsx|csv` all that matches as a file."""
    actor, wanted = current_actor(), Wanted.from_args(request.args)
    cycle = cycle_of(reading(), code, actor=actor)
    party, all_open = request.args.get("party", ""), request.args.get("all") == "1"
    listing = late_list(reading(), cycle, actor=actor, now=now(), party=party, all_open=all_open)
    if request.args.get("format") in FORMATS:
        return download([listing.sheet(reading(), wanted)], f"missing-{code}", request.args["format"])
    raters = [one for one in (rules_of(cycle).parties if cycle.rules else ()) if one.code in PARTY_OF.values()]
    return render_template(
        "collection/late.html",
        cycle=cycle,
        listing=listing,
        page=listing.page(reading(), wanted),
        kind_of=kind_of,
        parties=[(one.code, words(one.name)) for one in raters],
        party=party,
        all_open=all_open,
    )
