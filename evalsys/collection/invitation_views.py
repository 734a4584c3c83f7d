"""Pages on which administrators give codes to recipients, and everybody who oversees a cycle sees how many answered."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from flask import Blueprint, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField
from wtforms.validators import InputRequired, Length

from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.listing import Wanted
from evalsys.base.typesetting import require_fonts
from evalsys.collection.assessments import OVERSEERS
from evalsys.collection.codes import code_key
from evalsys.collection.counting import figures, figures_by_contract
from evalsys.collection.invitations import OPEN_STATES, invite, links_csv, withdraw_unused
from evalsys.collection.messages.keeping import code_box
from evalsys.collection.outcomes import TAKEN_IN
from evalsys.collection.progress import cycle_of
from evalsys.collection.slips import Notice, posters_pdf, require_few, slips_pdf
from evalsys.config import Settings

bp = Blueprint("invitations", __name__, url_prefix="/collection/cycles/<code>/invitations")


def _printed(key: str) -> BooleanField:
    label = _l("With slips to cut, eight a page, and a poster for each township (PDF)")
    return BooleanField(label, default=True, id=key)


def _phone(key: str) -> StringField:
    return StringField(
        _l("Telephone on slips and posters"),
        description=_l("Of the office that answers questions."),
        filters=[lambda text: (text or "").strip()],
        validators=[Length(max=25, message=_l("Shorten it to %(limit)s characters.", limit=25))],
        id=key,
    )


def _by_message(key: str) -> BooleanField:
    return BooleanField(
        _l("Keep the codes of those with a mobile number or an e-mail address, to invite and remind them by message"),
        description=_l("Locked, and only until they have answered or collecting is over."),
        id=key,
    )


class GiveForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Confirms what can be had only once."""

    kept = BooleanField(
        _l("I will keep the file in a safe place. It cannot be downloaded a second time."),
        validators=[InputRequired(_l("Please confirm this first."))],
    )
    by_message = _by_message("by-message")
    printed = _printed("printed")
    phone = _phone("phone")


class ReplaceForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Confirms what cannot be undone."""

    lost = BooleanField(
        _l("The list is lost. All codes that nobody has used shall become worthless, printed ones too."),
        validators=[InputRequired(_l("Please confirm this first."))],
    )
    by_message = _by_message("by-message-again")
    printed = _printed("printed-again")
    phone = _phone("phone-again")


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
    return _give(code, form, replace=False)


@bp.post("/replace")
@allow(Role.ADMINISTRATOR)
def replace(code: str) -> ResponseReturnValue:
    """New codes instead of all unused ones, as a file."""
    form = ReplaceForm()
    if not form.validate_on_submit():
        return _page(code, give=GiveForm(formdata=None), replace=form), 422
    return _give(code, form, replace=True)


def _give(code: str, form: GiveForm | ReplaceForm, *, replace: bool) -> ResponseReturnValue:
    secret, actor = current_app.config["SECRET_KEY"], current_actor()
    settings: Settings = current_app.config["SETTINGS"]
    if form.printed.data:
        require_fonts(settings.fonts)
    with transaction() as session:
        cycle = cycle_of(session, code, actor=actor)
        notice = Notice(settings.base_url, cycle.closes_on, form.phone.data or "", settings.fonts)
        if replace:
            withdraw_unused(session, cycle, actor=actor, now=now())
        box = code_box(secret) if form.by_message.data else None
        invited = invite(session, cycle, key=code_key(secret), actor=actor, now=now(), box=box)
        if form.printed.data:
            require_few(invited)
    if not invited:
        flash(_("Everybody who is to be asked has a code; there is nothing to download."))
        return redirect(url_for(".invitations", code=code), code=303)
    links = links_csv(invited, settings.base_url).encode()
    if not form.printed.data:
        return send_file(BytesIO(links), mimetype="text/csv", as_attachment=True, download_name=f"links-{code}.csv")
    bundle = BytesIO()
    with ZipFile(bundle, "w", ZIP_DEFLATED) as files:
        files.writestr("links.csv", links)
        files.writestr("slips.pdf", slips_pdf(invited, notice))
        files.writestr("posters.pdf", posters_pdf(invited, notice))
    bundle.seek(0)
    return send_file(bundle, mimetype="application/zip", as_attachment=True, download_name=f"codes-{code}.zip")


def _page(code: str, **forms: Any) -> str:
    actor = current_actor()
    cycle = cycle_of(reading(), code, actor=actor)
    return render_template(
        "collection/invitations.html",
        cycle=cycle,
        total=figures(reading(), cycle, actor=actor),
        page=figures_by_contract(reading(), cycle, Wanted.from_args(request.args), actor=actor),
        may_record=actor.role == Role.ADMINISTRATOR and cycle.state in TAKEN_IN,
        may_give=actor.role == Role.ADMINISTRATOR and cycle.state in OPEN_STATES,
        **forms,
    )
