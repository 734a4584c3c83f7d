"""The coordinator's desk of a cycle: how far collecting is, what to do next, and the files of both."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.listing import Wanted
from evalsys.base.tables import FORMATS, download
from evalsys.collection.assessments import OVERSEERS
from evalsys.collection.call_list import call_list, save_call_list
from evalsys.collection.desk_tables import KINDS, table
from evalsys.collection.next_steps import steps
from evalsys.collection.outcomes import NAMES
from evalsys.collection.progress import cycle_of

bp = Blueprint("desk", __name__, url_prefix="/collection/cycles/<code>/desk")


@bp.get("/")
@bp.get("/by-<any(contract, township, party, vendor, way):kind>")
@allow(*OVERSEERS)
def show(code: str, kind: str = "contract") -> ResponseReturnValue:
    """A table, or with `?format=xlsx|csv` all that matches as a file."""
    actor, wanted, at = current_actor(), Wanted.from_args(request.args), now()
    cycle = cycle_of(reading(), code, actor=actor)
    shown = table(reading(), cycle, kind, actor=actor, now=at)
    if request.args.get("format") in FORMATS:
        return download([shown.sheet(wanted)], f"collecting-{code}-{kind}", request.args["format"])
    return render_template(
        "collection/desk.html",
        cycle=cycle,
        kinds=KINDS,
        kind=kind,
        table=shown,
        page=shown.page(wanted),
        steps=steps(reading(), cycle, actor=actor, now=at),
    )


@bp.get("/calls")
@allow(Role.ADMINISTRATOR)
def calls(code: str) -> ResponseReturnValue:
    """Whom to call, by name."""
    actor = current_actor()
    cycle = cycle_of(reading(), code, actor=actor)
    page = call_list(reading(), cycle, Wanted.from_args(request.args), actor=actor)
    return render_template("collection/call_list.html", cycle=cycle, page=page, outcomes=NAMES)


@bp.post("/calls.<any(csv, xlsx):kind>")
@allow(Role.ADMINISTRATOR)
def save_calls(code: str, kind: str) -> ResponseReturnValue:
    """The list as a file; posted, for it leaves an entry in the audit trail."""
    actor = current_actor()
    with transaction() as session:
        cycle = cycle_of(session, code, actor=actor)
        sheet = save_call_list(session, cycle, actor=actor, now=now())
    return download([sheet], f"calls-{code}", kind)
