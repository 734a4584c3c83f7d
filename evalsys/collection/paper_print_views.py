"""Pages on which administrators print forms on paper for the recipients of a part of a frame."""

from __future__ import annotations

from io import BytesIO

from flask import Blueprint, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange

from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Conflict
from evalsys.base.forms import refuse
from evalsys.base.listing import Wanted
from evalsys.base.typesetting import require_fonts
from evalsys.collection.assessments import OVERSEERS
from evalsys.collection.codes import read_receipt
from evalsys.collection.paper_forms import PaperKeys, give, has_arrived, part_of, parts, withdraw
from evalsys.collection.paper_print import forms_pdf, heading_of, require_few
from evalsys.collection.progress import cycle_of
from evalsys.config import Settings
from evalsys.registry.models import CycleState

bp = Blueprint("paper_forms", __name__, url_prefix="/collection")


class PrintForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """How many, and that they can be had only once."""

    copies = IntegerField(
        _l("How many forms"),
        validators=[
            InputRequired(_l("Write a whole number.")),
            NumberRange(min=1, message=_l("Write a whole number from 1 up.")),
        ],
    )
    phone = StringField(
        _l("Telephone on the forms"),
        description=_l("Of the office that answers questions."),
        filters=[lambda text: (text or "").strip()],
        validators=[Length(max=25, message=_l("Shorten it to %(limit)s characters.", limit=25))],
    )
    kept = BooleanField(
        _l("I will print the file and then delete it. It cannot be downloaded a second time."),
        validators=[InputRequired(_l("Please confirm this first."))],
    )


class WithdrawForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Confirms what cannot be undone."""

    lost = BooleanField(
        _l("The print is lost or spoilt. All forms of this part that nobody has keyed shall become worthless."),
        validators=[InputRequired(_l("Please confirm this first."))],
    )


class ReceiptForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """The number on a stub."""

    receipt = StringField(
        _l("Receipt on the stub"),
        validators=[
            InputRequired(_l("Type the number on the stub.")),
            Length(max=60, message=_l("This is no receipt.")),
        ],
    )


def paper_keys() -> PaperKeys:
    """The installation's keys for forms on paper."""
    return PaperKeys.of(current_app.config["SECRET_KEY"])


@bp.get("/cycles/<code>/paper")
@allow(*OVERSEERS)
def list_parts(code: str) -> ResponseReturnValue:
    """The parts of the frames, and how many forms each has."""
    return _list(code, ReceiptForm(formdata=None))


@bp.post("/cycles/<code>/paper")
@allow(*OVERSEERS)
def look_for(code: str) -> ResponseReturnValue:
    """Whether the form has arrived that a stub was torn off. It is posted, for addresses are kept in logs."""
    form = ReceiptForm()
    if not form.validate_on_submit():
        return _list(code, form), 422
    receipt = read_receipt(form.receipt.data or "", paper_keys().receipt)
    if receipt is None:
        form.receipt.errors = [_("This is no receipt of a form on paper. Compare it with the stub.")]
        return _list(code, form), 422
    cycle = cycle_of(reading(), code, actor=current_actor())
    if has_arrived(reading(), cycle, receipt):
        flash(_("This form has arrived, and its answers count."))
    else:
        flash(
            _("No released form has this receipt yet: it has not come back, or its batch is not released."), "warning"
        )
    return redirect(url_for(".list_parts", code=code), code=303)


def _list(code: str, form: ReceiptForm) -> str:
    actor = current_actor()
    cycle = cycle_of(reading(), code, actor=actor)
    return render_template(
        "collection/paper_parts.html",
        cycle=cycle,
        page=parts(reading(), cycle, Wanted.from_args(request.args), actor=actor),
        may_print=actor.role == Role.ADMINISTRATOR and cycle.state == CycleState.COLLECTING,
        form=form,
    )


@bp.get("/paper/parts/<int:stratum_id>")
@allow(Role.ADMINISTRATOR)
def ask(stratum_id: int) -> ResponseReturnValue:
    """Ask how many forms to print."""
    return _page(stratum_id, PrintForm(formdata=None), WithdrawForm(formdata=None))


@bp.post("/paper/parts/<int:stratum_id>")
@allow(Role.ADMINISTRATOR)
def make(stratum_id: int) -> ResponseReturnValue:
    """The forms, as a file."""
    form = PrintForm()
    settings: Settings = current_app.config["SETTINGS"]
    if not form.validate_on_submit():
        return _page(stratum_id, form, WithdrawForm(formdata=None)), 422
    try:
        copies = form.copies.data or 0
        require_few(copies)
        require_fonts(settings.fonts)
        with transaction() as session:
            printed = give(session, stratum_id, copies, keys=paper_keys(), actor=current_actor(), now=now())
            heading = heading_of(session, stratum_id)
    except Conflict as fault:
        status = refuse(form, fault)
        return _page(stratum_id, form, WithdrawForm(formdata=None)), status
    pdf = BytesIO(forms_pdf(heading, printed, phone=form.phone.data or "", fonts=settings.fonts))
    name = f"paper-{heading.reference}-{len(printed)}.pdf"
    return send_file(pdf, mimetype="application/pdf", as_attachment=True, download_name=name)


@bp.post("/paper/parts/<int:stratum_id>/withdraw")
@allow(Role.ADMINISTRATOR)
def take_back(stratum_id: int) -> ResponseReturnValue:
    """Make the forms worthless that nobody has keyed."""
    form = WithdrawForm()
    if not form.validate_on_submit():
        return _page(stratum_id, PrintForm(formdata=None), form), 422
    with transaction() as session:
        count = withdraw(session, stratum_id, actor=current_actor(), now=now())
    flash(ngettext("%(num)d form was withdrawn.", "%(num)d forms were withdrawn.", count))
    return redirect(url_for(".ask", stratum_id=stratum_id), code=303)


def _page(stratum_id: int, form: PrintForm, again: WithdrawForm) -> str:
    part = part_of(reading(), stratum_id, actor=current_actor())
    return render_template("collection/paper_print.html", part=part, form=form, again=again)
