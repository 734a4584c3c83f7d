"""The vendor's pages: its results before everybody sees them, and its objections."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.appeals import objections
from evalsys.appeals.blueprint import bp
from evalsys.appeals.forms import ObjectionForm
from evalsys.appeals.models import Objection
from evalsys.appeals.objections import Filing
from evalsys.appeals.results import Result, result_of, told_to
from evalsys.base.access import Role, allow, by_letter, current_actor
from evalsys.base.charts import picture
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault, NotFound
from evalsys.base.forms import refuse
from evalsys.evaluation.scorecard import points_axis, waterfall_of


@bp.get("/appeals/results")
@allow(Role.VENDOR)
@by_letter
def results() -> ResponseReturnValue:
    return render_template("appeals/results.html", told=told_to(reading(), actor=current_actor()), now=now())


def _result(entry_id: int) -> Result:
    with transaction() as session:
        return result_of(session, entry_id, actor=current_actor(), now=now())


@bp.get("/appeals/results/<int:entry_id>")
@allow(Role.VENDOR)
@by_letter
def result(entry_id: int) -> ResponseReturnValue:
    return render_template("appeals/result.html", result=_result(entry_id))


@bp.get("/appeals/results/<int:entry_id>/waterfall.svg")
@allow(Role.VENDOR)
@by_letter
def waterfall(entry_id: int) -> ResponseReturnValue:
    shown = _result(entry_id)
    if shown.line is None:
        raise NotFound(_("The scoring left this contract out."), remedy=_("Ask the office for the reason."))
    return picture(waterfall_of(shown.line, shown.told.names), points_axis())


@bp.route("/appeals/results/<int:entry_id>/objection", methods=["GET", "POST"])
@allow(Role.VENDOR)
@by_letter
def file_objection(entry_id: int) -> ResponseReturnValue:
    def file(session: Session, filing: Filing) -> Objection:
        return objections.file(session, entry_id, filing, actor=current_actor(), now=now())

    def said(number: str) -> str:
        return str(_("The objection is filed. Its number is %(number)s; keep it.", number=number))

    return _filing_page(_result(entry_id), ObjectionForm(), file, said)


@bp.route("/appeals/objections/<int:objection_id>/second", methods=["GET", "POST"])
@allow(Role.VENDOR)
@by_letter
def escalate(objection_id: int) -> ResponseReturnValue:
    first = objections.objection_by_id(reading(), objection_id, actor=current_actor())
    form = ObjectionForm(data={"ground": first.ground})

    def escalate(session: Session, filing: Filing) -> Objection:
        decided = objections.objection_by_id(session, objection_id, actor=current_actor())
        return objections.escalate(session, decided, filing, actor=current_actor(), now=now())

    def said(number: str) -> str:
        return str(_("The objection is with the region above. Its number is %(number)s; keep it.", number=number))

    return _filing_page(_result(first.entry_id), form, escalate, said, first)


def _filing_page(
    shown: Result,
    form: ObjectionForm,
    act: Callable[[Session, Filing], Objection],
    said: Callable[[str], str],
    first: Objection | None = None,
) -> ResponseReturnValue:
    """The form of an objection: shown, or what it says filed."""
    form.offer()
    status = 200
    if form.validate_on_submit():
        try:
            with transaction() as session:
                made = act(session, form.to_filing())
        except Fault as fault:
            status = refuse(form, fault)
        else:
            flash(said(made.number))
            return redirect(url_for("appeals.objection", objection_id=made.id), code=303)
    status = 422 if form.errors and status == 200 else status
    return render_template("appeals/file_objection.html", told=shown.told, form=form, result=shown, first=first), status


@bp.post("/appeals/objections/<int:objection_id>/withdraw")
@allow(Role.VENDOR)
@by_letter
def withdraw(objection_id: int) -> ResponseReturnValue:
    with transaction() as session:
        found = objections.objection_by_id(session, objection_id, actor=current_actor())
        objections.withdraw(session, found, actor=current_actor(), now=now())
    flash(_("The objection is withdrawn."))
    return redirect(url_for("appeals.objection", objection_id=objection_id), code=303)
