"""The page on the quality of answers while they come in."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.listing import Wanted
from evalsys.base.tables import FORMATS, download
from evalsys.evaluation.early_checks import early_table, look_early
from evalsys.registry.cycles import cycle_by_code
from evalsys.registry.models import CycleState

bp = Blueprint("early", __name__, url_prefix="/evaluation/cycles/<code>/early")


@bp.get("/")
@allow(Role.ADMINISTRATOR, Role.OFFICER, Role.AUDITOR)
def show(code: str) -> ResponseReturnValue:
    """What the last look saw; with `?format=` as a file."""
    actor, wanted = current_actor(), Wanted.from_args(request.args)
    cycle = cycle_by_code(reading(), code)
    table = early_table(reading(), cycle, actor=actor)
    if request.args.get("format") in FORMATS:
        return download([table.sheet(wanted)], f"quality-{code}", request.args["format"])
    return render_template(
        "evaluation/early.html",
        cycle=cycle,
        table=table,
        page=table.page(wanted),
        may_look=actor.role is Role.ADMINISTRATOR and cycle.state == CycleState.COLLECTING,
    )


@bp.post("/")
@allow(Role.ADMINISTRATOR)
def look(code: str) -> ResponseReturnValue:
    with transaction() as session:
        looked = look_early(session, cycle_by_code(session, code), actor=current_actor(), now=now())
    flash(ngettext("%(num)d contract looked at anew.", "%(num)d contracts looked at anew.", looked))
    return redirect(url_for(".show", code=code), code=303)
