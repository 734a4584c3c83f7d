"""The page on which an administrator records why invitations stayed without an answer."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it
from wtforms.validators import InputRequired, Length

from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse
from evalsys.base.tables import CellFault, TableFaulty, download
from evalsys.collection.codes import code_key
from evalsys.collection.models import Outcome
from evalsys.collection.outcomes import NAMES, record_outcome, take_in_outcomes
from evalsys.collection.outcomes import template as empty_list
from evalsys.collection.progress import cycle_of

bp = Blueprint("outcomes", __name__, url_prefix="/collection")
TAKEN_BACK = "none"


class OutcomeForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    code = StringField(
        _l("Code on the slip"),
        description=_l("In any case, with or without dashes."),
        validators=[InputRequired(_l("Type the code.")), Length(max=40, message=_l("This is no code."))],
    )
    outcome = RadioField(
        _l("Why there is no answer"),
        choices=[
            *(SelectChoice(why.value, name) for why, name in NAMES.items()),
            SelectChoice(TAKEN_BACK, _l("Not known; take back what was recorded")),
        ],
        validators=[InputRequired(_l("Choose one."))],
    )


class OutcomesFileForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    file = FileField(
        _l("File"),
        description=_l("Excel (.xlsx), or CSV in UTF-8 or GB18030: a code and an outcome in each row."),
        validators=[FileRequired(_l("Choose a file."))],
    )


def _key() -> bytes:
    return code_key(current_app.config["SECRET_KEY"])


@bp.get("/outcomes-template.<any(xlsx, csv):kind>")
@allow(Role.ADMINISTRATOR)
def template(kind: str) -> ResponseReturnValue:
    return download([empty_list()], _("Outcomes"), kind)


@bp.route("/cycles/<code>/outcomes", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def record(code: str) -> ResponseReturnValue:
    """One case, by the code on its slip."""
    form, actor = OutcomeForm(), current_actor()
    if not form.validate_on_submit():
        return _page(code, form, OutcomesFileForm(formdata=None)), 422 if form.errors else 200
    said = None if form.outcome.data == TAKEN_BACK else Outcome(form.outcome.data)
    try:
        with transaction() as session:
            cycle = cycle_of(session, code, actor=actor)
            record_outcome(session, cycle, form.code.data or "", said, key=_key(), actor=actor, now=now())
    except Fault as fault:
        status = refuse(form, fault)
        return _page(code, form, OutcomesFileForm(formdata=None)), status
    flash(_("Recorded."))
    return redirect(url_for(".record", code=code), code=303)


@bp.post("/cycles/<code>/outcomes/file")
@allow(Role.ADMINISTRATOR)
def take_in(code: str) -> ResponseReturnValue:
    """Many cases, all of them or none."""
    form, actor = OutcomesFileForm(), current_actor()
    if not form.validate_on_submit():
        return _page(code, OutcomeForm(formdata=None), form), 422
    faults: tuple[CellFault, ...] = ()
    try:
        with transaction() as session:
            cycle = cycle_of(session, code, actor=actor)
            data = form.file.data.read()
            counted = take_in_outcomes(session, cycle, data, key=_key(), actor=actor, now=now())
    except TableFaulty as fault:
        faults, status = fault.faults, fault.status
        form.form_errors.append(f"{fault.message} {fault.remedy}")
    except Fault as fault:
        status = refuse(form, fault)
    else:
        flash(_("Recorded: %(count)s cases.", count=counted.total()))
        return redirect(url_for("invitations.invitations", code=code), code=303)
    return _page(code, OutcomeForm(formdata=None), form, faults), status


def _page(code: str, one: OutcomeForm, many: OutcomesFileForm, faults: Sequence[CellFault] = ()) -> str:
    cycle = cycle_of(reading(), code, actor=current_actor())
    return render_template("collection/outcomes.html", cycle=cycle, one=one, many=many, faults=faults)
