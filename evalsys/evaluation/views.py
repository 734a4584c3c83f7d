"""Scoring a cycle and looking at what came out, before anything is public."""

from __future__ import annotations

from flask import Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from evalsys.accounts import todo
from evalsys.base import access, navigation
from evalsys.base.access import Role, current_actor, shown_name
from evalsys.base.clock import now
from evalsys.base.db import database, reading, transaction
from evalsys.base.listing import Wanted
from evalsys.base.mixing import mix
from evalsys.collection import next_steps
from evalsys.collection.standing import FLAGS
from evalsys.evaluation import analysis_views, desk, queries, review
from evalsys.evaluation.blueprint import bp
from evalsys.evaluation.forms import RunForm
from evalsys.evaluation.menu import pages_of
from evalsys.evaluation.naming import Names
from evalsys.evaluation.progress_flags import flags_to_look_at, open_flags
from evalsys.evaluation.sentences import reasons
from evalsys.evaluation.steps import signed, step_name
from evalsys.evaluation.usecases import run_cycle
from evalsys.registry.cycles import cycle_by_code, state_name
from evalsys.registry.models import CycleState

__all__ = ["analysis_views", "install"]


def install(app: Flask) -> None:
    """Register the pages, their menu entry and what waits on the desk."""
    app.register_blueprint(bp)
    app.jinja_env.globals.update(
        reasons_of=reasons, state_name=state_name, names_by=Names, step_name=step_name, pages_of=pages_of
    )
    app.jinja_env.filters.update(person=shown_name, signed=signed)
    navigation.offer(app, "evaluation.cycles", _l("Scoring"))
    todo.offer(app, desk.todos)
    app.extensions[FLAGS] = open_flags
    next_steps.offer(app, flags_to_look_at)


@bp.get("/")
@access.allow(Role.OFFICER, Role.ADMINISTRATOR, Role.AUDITOR)
def cycles() -> ResponseReturnValue:
    page = queries.cycles_to_score(reading(), current_actor(), Wanted.from_args(request.args))
    return render_template("evaluation/cycles.html", page=page)


@bp.get("/cycles/<code>")
@access.allow(Role.OFFICER, Role.ADMINISTRATOR, Role.AUDITOR)
def show(code: str) -> ResponseReturnValue:
    seen = review.review(
        reading(),
        cycle_by_code(reading(), code),
        Wanted.from_args(request.args),
        status=request.args.get("status", ""),
        actor=current_actor(),
    )
    return render_template("evaluation/review.html", review=seen)


@bp.route("/cycles/<code>/run", methods=["GET", "POST"])
@access.allow(Role.OFFICER, Role.ADMINISTRATOR)
def run(code: str) -> ResponseReturnValue:
    form = RunForm()
    if not form.validate_on_submit():
        cycle = cycle_by_code(reading(), code)
        current_actor().require_region(cycle.region.path)
        page = render_template(
            "evaluation/run.html",
            cycle=cycle,
            form=form,
            first=queries.latest_run(reading(), cycle) is None,
            waits_until=queries.forms_come_until(reading(), cycle, now=now()),
        )
        return page, 422 if form.errors else 200
    with transaction() as session:
        cycle = cycle_by_code(session, code)
        ends_collecting = cycle.state == CycleState.REVIEW
        made = run_cycle(
            session,
            cycle,
            refit=bool(form.refit.data),
            early=bool(form.early.data),
            actor=current_actor(),
            now=now(),
        )
        count = sum(queries.statuses_of(session, made).values())
    if ends_collecting:
        mix(database())
    flash(ngettext("%(num)s contract was scored.", "%(num)s contracts were scored.", count))
    return redirect(url_for("evaluation.show", code=code), code=303)
