"""Pages on which administrators give codes to recipients, and everybody who oversees a cycle sees how many answered."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField
from wtforms.validators import InputRequired

from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.listing import Wanted
from evalsys.collection.assessments import OVERSEERS
from evalsys.collection.codes import code_key
from evalsys.collection.invitations import OPEN_STATES, figures, figures_by_contract, invite, links_csv, withdraw_unused
from evalsys.collection.progress import cycle_of

bp = Blueprint("invitations", __name__, url_prefix="/collection/cycles/<code>/invitations")


class GiveForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Confirms what can be had only once."""

    kept = BooleanField(
        _l("I will keep the file in a safe place. It cannot be downloaded a second time."),
        validators=[InputRequired(_l("Please confirm this first."))],
    )


class ReplaceForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Confirms what cannot be undone."""

    lost = BooleanField(
        _l("The list is lost. All codes that nobody has used shall become worthless, printed ones too."),
        validators=[InputRequired(_l("Please confirm this first."))],
    )


@bp.get("/")
@allow(*OVERSEERS)
def invitations(code: str) -> ResponseReturnValue:
    """How far the survey is, by contract; and the forms, for those who may give codes."""
    return _page(code, give=GiveForm(), replace=ReplaceForm())


@bp.post("/")
@allow(Role.ADMINISTRATOR)
def give(code: str) -> ResponseReturnValue:
    """Codes for those who have none, as a file."""
    form = GiveForm()
    if not form.validate_on_submit():
        return _page(code, give=form, replace=ReplaceForm(formdata=None)), 422
    return _give(code, replace=False)


@bp.post("/replace")
@allow(Role.ADMINISTRATOR)
def replace(code: str) -> ResponseReturnValue:
    """New codes instead of all unused ones, as a file."""
    form = ReplaceForm()
    if not form.validate_on_submit():
        return _page(code, give=GiveForm(formdata=None), replace=form), 422
    return _give(code, replace=True)


def _give(code: str, *, replace: bool) -> ResponseReturnValue:
    key, actor = code_key(current_app.config["SECRET_KEY"]), current_actor()
    with transaction() as session:
        cycle = cycle_of(session, code, actor=actor)
        if replace:
            withdraw_unused(session, cycle, actor=actor, now=now())
        invited = invite(session, cycle, key=key, actor=actor, now=now())
    if not invited:
        flash(_("Every recipient of the frames has a code; there is nothing to download."))
        return redirect(url_for(".invitations", code=code), code=303)
    text = links_csv(invited, current_app.config["SETTINGS"].base_url)
    return send_file(BytesIO(text.encode()), mimetype="text/csv", as_attachment=True, download_name=f"links-{code}.csv")


def _page(code: str, **forms: Any) -> str:
    actor = current_actor()
    cycle = cycle_of(reading(), code, actor=actor)
    return render_template(
        "collection/invitations.html",
        cycle=cycle,
        total=figures(reading(), cycle, actor=actor),
        page=figures_by_contract(reading(), cycle, Wanted.from_args(request.args), actor=actor),
        may_give=actor.role == Role.ADMINISTRATOR and cycle.state in OPEN_STATES,
        **forms,
    )
