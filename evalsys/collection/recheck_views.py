"""Pages on interviewers' work, on drawing interviews to check again, and on asking about them."""

from __future__ import annotations

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from evalsys.accounts import todo
from evalsys.base import navigation
from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse
from evalsys.base.listing import Wanted, page_of
from evalsys.base.tables import FORMATS, download
from evalsys.collection import next_steps
from evalsys.collection.assessments import OVERSEERS
from evalsys.collection.desk import interviews_to_check
from evalsys.collection.interview_marks import interview_key
from evalsys.collection.interviewer_table import drawn_sheet, interviewer_table, rechecks_waiting
from evalsys.collection.progress import cycle_of
from evalsys.collection.recheck_forms import RESULTS, DrawForm, RecheckForm
from evalsys.collection.rechecks import OPEN_STATES, case_to_check, draw, draws_of, record_recheck, to_check

bp = Blueprint("rechecks", __name__, url_prefix="/collection")


def install(app: Flask) -> None:
    """Register the pages, their menu entry, and what they put on desks."""
    app.register_blueprint(bp)
    navigation.offer(app, "rechecks.cases", _l("Rechecks"))
    todo.offer(app, interviews_to_check)
    next_steps.offer(app, rechecks_waiting)


def _key() -> bytes:
    return interview_key(current_app.config["SECRET_KEY"])


@bp.get("/cycles/<code>/interviewers")
@allow(*OVERSEERS)
def interviewers(code: str) -> ResponseReturnValue:
    """What each interviewer did, and what came of asking again; with `?format=` as a file."""
    kind = request.args.get("format")
    if kind in FORMATS:
        cycle = cycle_of(reading(), code, actor=current_actor())
        table = interviewer_table(reading(), cycle, key=_key(), actor=current_actor())
        sheets = [table.sheet(Wanted.from_args(request.args))]
        return download(sheets, f"interviewers-{code}", kind)
    return _interviewers(code, DrawForm())


@bp.get("/cycles/<code>/interviewers/cases.<any(csv, xlsx):kind>")
@allow(*OVERSEERS)
def drawn(code: str, kind: str) -> ResponseReturnValue:
    """The numbers of the cases that can be drawn and those that were, so that a draw can be repeated; no names."""
    cycle = cycle_of(reading(), code, actor=current_actor())
    return download([drawn_sheet(reading(), cycle, key=_key(), actor=current_actor())], f"rechecks-{code}", kind)


@bp.post("/cycles/<code>/interviewers")
@allow(Role.ADMINISTRATOR)
def draw_again(code: str) -> ResponseReturnValue:
    form, actor = DrawForm(), current_actor()
    if not form.validate_on_submit():
        return _interviewers(code, form), 422
    try:
        with transaction() as session:
            cycle = cycle_of(session, code, actor=actor)
            share = (form.share.data or 0) / 100
            made = draw(session, cycle, seed=form.seed.data or "", share=share, key=_key(), actor=actor, now=now())
    except Fault as fault:
        status = refuse(form, fault)
        return _interviewers(code, form), status
    flash(ngettext("%(num)d interview is to be checked.", "%(num)d interviews are to be checked.", made.cases))
    return redirect(url_for(".interviewers", code=code), code=303)


def _interviewers(code: str, form: DrawForm) -> str:
    actor = current_actor()
    cycle = cycle_of(reading(), code, actor=actor)
    table = interviewer_table(reading(), cycle, key=_key(), actor=actor)
    return render_template(
        "collection/interviewers.html",
        cycle=cycle,
        form=form,
        table=table,
        page=table.page(Wanted.from_args(request.args)),
        draws=draws_of(reading(), cycle),
        may_draw=actor.role == Role.ADMINISTRATOR and cycle.state in OPEN_STATES,
    )


@bp.get("/rechecks/")
@allow(Role.ADMINISTRATOR, Role.INTERVIEWER)
def cases() -> ResponseReturnValue:
    """Whom to ask again."""
    page = page_of(
        to_check(reading(), key=_key(), actor=current_actor()),
        Wanted.from_args(request.args),
        sorts={
            "name": lambda row: row.name,
            "township": lambda row: row.township,
            "title": lambda row: row.title,
            "interviewer": lambda row: row.interviewer,
            "result": lambda row: row.recheck.result or "",
        },
        default_sort="result",
        search=lambda row: (row.name, row.contact, row.township, row.title, row.vendor, row.interviewer),
    )
    return render_template("collection/rechecks.html", page=page, results=RESULTS)


@bp.route("/rechecks/<int:case_id>", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR, Role.INTERVIEWER)
def check(case_id: int) -> ResponseReturnValue:
    """What a recipient says of the interview."""
    actor = current_actor()
    again = case_to_check(reading(), case_id, key=_key(), actor=actor)
    form = RecheckForm(obj=again.recheck)
    if not form.validate_on_submit():
        page = render_template("collection/recheck.html", again=again, form=form)
        return page, 422 if form.errors else 200
    with transaction() as session:
        record_recheck(session, case_id, form.said(), key=_key(), actor=actor, now=now())
    flash(_("Recorded."))
    return redirect(url_for(".cases"), code=303)
