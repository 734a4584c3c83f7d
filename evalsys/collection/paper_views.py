"""Pages on which forms on paper are keyed, checked and released."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, SelectField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it
from wtforms.validators import InputRequired

from evalsys.accounts import todo
from evalsys.base import navigation
from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.listing import Wanted
from evalsys.base.tables import TableFaulty, download
from evalsys.collection import paper_batches, paper_files, paper_keying, paper_release
from evalsys.collection.assessments import OVERSEERS
from evalsys.collection.desk import paper_to_key
from evalsys.collection.paper_answers import LEAST_FORMS, LIMIT, answer_said, key_said
from evalsys.collection.paper_models import BatchState, PaperBatch
from evalsys.collection.paper_print_views import bp as forms_bp
from evalsys.collection.paper_print_views import paper_keys
from evalsys.collection.progress import collecting_cycles, cycle_of
from evalsys.registry.pins import rules_of

bp = Blueprint("paper", __name__, url_prefix="/collection/paper")
KEYS = "key-"
SHARES = ("0.1", "0.2", "0.5", "1")
KEYERS = (Role.ADMINISTRATOR, Role.INTERVIEWER)
STEPS = {
    "finish": _l("All forms of the pile are keyed; none is added any more."),
    "release": _l("The answers shall count. They cannot be changed or taken back, and what was keyed is erased."),
    "cancel": _l("All that was keyed in this batch shall be erased."),
}


class OpenForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A new batch."""

    cycle = SelectField(_l("Cycle"), validators=[InputRequired(_l("Choose a cycle."))])
    share = SelectField(
        _l("Keyed a second time"),
        description=_l("Drawn from the pile once it is whole; at least five forms."),
        choices=[SelectChoice(share, f"{float(share):.0%}") for share in SHARES],
        validators=[InputRequired()],
    )


class FileForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """What was keyed elsewhere."""

    file = FileField(
        _l("File"),
        description=_l(
            "Excel (.xlsx), or CSV in UTF-8 or GB18030: a form in each row, at most %(n)s.", n=paper_files.MOST
        ),
        validators=[FileRequired(_l("Choose a file."))],
    )


class ConfirmForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Confirms a step of a batch that cannot be undone."""

    sure = BooleanField(validators=[InputRequired(_l("Please confirm this first."))])

    def __init__(self, step: str, **named: Any) -> None:
        super().__init__(prefix=step, **named)
        self.step = step
        self.sure.label.text = STEPS[step]


def install(app: Flask) -> None:
    """Register the pages, their menu entry and what they put on the desk."""
    app.register_blueprint(forms_bp)
    app.register_blueprint(bp)
    navigation.offer(app, "paper.batches", _l("Paper forms"))
    todo.offer(app, paper_to_key)


@bp.get("/")
@allow(*OVERSEERS, Role.INTERVIEWER)
def batches() -> ResponseReturnValue:
    """The batches, and a form to open one."""
    return _list(_open_form(sent=False))


@bp.post("/")
@allow(Role.ADMINISTRATOR)
def open_batch() -> ResponseReturnValue:
    """A new batch."""
    form = _open_form(sent=True)
    if not form.validate_on_submit():
        return _list(form), 422
    with transaction() as session:
        cycle = cycle_of(session, form.cycle.data, actor=current_actor())
        made = paper_batches.open_batch(session, cycle, float(form.share.data), actor=current_actor(), now=now())
    return redirect(url_for(".batch", batch_id=made.id), code=303)


def _open_form(*, sent: bool) -> OpenForm:
    form = OpenForm() if sent else OpenForm(formdata=None)
    found = collecting_cycles(reading(), actor=current_actor())
    form.cycle.choices = [SelectChoice(cycle.code, cycle.title) for cycle in found]
    return form


def _list(form: OpenForm) -> str:
    actor = current_actor()
    return render_template("collection/paper.html", rows=paper_batches.batches(reading(), actor=actor), form=form)


@bp.get("/<int:batch_id>")
@allow(*OVERSEERS, Role.INTERVIEWER)
def batch(batch_id: int) -> ResponseReturnValue:
    """Where a batch stands, and the box for the next form."""
    return _batch_page(batch_id)


def _batch_page(
    batch_id: int, fault: Fault | None = None, sent: ConfirmForm | None = None, file_form: FileForm | None = None
) -> ResponseReturnValue:
    actor = current_actor()
    found = paper_batches.batch_of(reading(), batch_id, actor=actor)
    checking = found.state == BatchState.CHECKING
    page = render_template(
        "collection/paper_batch.html",
        batch=found,
        page=paper_batches.sheets(reading(), found, Wanted.from_args(request.args)),
        pile=paper_batches.pile_of(reading(), found) if checking else None,
        may_key=actor.role in KEYERS and found.state != BatchState.RELEASED,
        may_end=actor.role == Role.ADMINISTRATOR and actor.acts_in(found.region.path),
        fault=fault,
        cells=fault.faults if isinstance(fault, TableFaulty) else (),
        file_form=file_form or FileForm(formdata=None),
        steps={step: sent if sent and sent.step == step else ConfirmForm(step, formdata=None) for step in STEPS},
        least=LEAST_FORMS,
        limit=LIMIT,
    )
    return page, fault.status if fault else 422 if sent or file_form else 200


@bp.post("/<int:batch_id>/form")
@allow(*KEYERS)
def form(batch_id: int) -> ResponseReturnValue:
    """The questions of the form whose serial was typed. It is posted, for addresses are kept in logs."""
    serial = request.form.get("serial", "")
    try:
        return _keys_page(batch_id, serial)
    except Fault as fault:
        return _batch_page(batch_id, fault)


@bp.post("/<int:batch_id>/keyed")
@allow(*KEYERS)
def keyed(batch_id: int) -> ResponseReturnValue:
    """Keep what was read off a form."""
    serial, typed = request.form.get("serial", ""), _typed()
    try:
        with transaction() as session:
            sheet = paper_keying.key_form(session, batch_id, serial, typed, keys=paper_keys(), actor=current_actor())
    except paper_keying.KeysFaulty as fault:
        return _keys_page(batch_id, serial, typed=typed, fault=fault)
    except Fault as fault:
        return _batch_page(batch_id, fault)
    flash(
        _("Form no. %(number)s is kept. Write this number on it, and keep the pile in this order.", number=sheet.number)
    )
    return redirect(url_for(".batch", batch_id=batch_id), code=303)


@bp.get("/<int:batch_id>/template.<any(xlsx, csv):kind>")
@allow(*KEYERS)
def template(batch_id: int, kind: str) -> ResponseReturnValue:
    """An empty table, to key the pile in another program."""
    found = paper_batches.batch_of(reading(), batch_id, actor=current_actor())
    return download([paper_files.template(found)], _("Forms on paper"), kind)


@bp.post("/<int:batch_id>/file")
@allow(*KEYERS)
def file(batch_id: int) -> ResponseReturnValue:
    """Keep what was keyed in another program."""
    form, actor = FileForm(), current_actor()
    if not form.validate_on_submit():
        return _batch_page(batch_id, file_form=form)
    try:
        with transaction() as session:
            count = paper_files.key_file(session, batch_id, form.file.data.read(), keys=paper_keys(), actor=actor)
    except Fault as fault:
        return _batch_page(batch_id, fault)
    flash(
        ngettext(
            "%(num)d form is kept. The list below says its number; write it on the paper.",
            "%(num)d forms are kept, numbered in the order of the rows. Keep the pile in this order.",
            count,
        )
    )
    return redirect(url_for(".batch", batch_id=batch_id), code=303)


@bp.post("/<int:batch_id>/take-out")
@allow(*KEYERS)
def take_out(batch_id: int) -> ResponseReturnValue:
    """Take a form out of the pile."""
    serial = request.form.get("serial", "")
    with transaction() as session:
        paper_keying.take_out(session, batch_id, serial, keys=paper_keys(), actor=current_actor())
    flash(_("The form is taken out of the batch, and what was keyed of it is erased."))
    return redirect(url_for(".batch", batch_id=batch_id), code=303)


def _typed() -> dict[str, str]:
    return {name.removeprefix(KEYS): value for name, value in request.form.items() if name.startswith(KEYS)}


def _keys_page(
    batch_id: int, serial: str, typed: dict[str, str] | None = None, fault: paper_keying.KeysFaulty | None = None
) -> ResponseReturnValue:
    found = paper_keying.form_to_key(reading(), batch_id, serial, keys=paper_keys(), actor=current_actor())
    if typed is None and found.answers is not None:
        typed = {question.code: key_said(question, found.answers) for question in found.questions}
    page = render_template(
        "collection/paper_keys.html",
        found=found,
        serial=serial,
        typed=typed or {},
        faults=fault.faults if fault else {},
        rules=rules_of(found.batch.cycle),
        fault=fault,
    )
    return page, fault.status if fault else 200


@bp.post("/<int:batch_id>/finish")
@allow(Role.ADMINISTRATOR)
def finish(batch_id: int) -> ResponseReturnValue:
    """The pile is whole: draw what is keyed a second time."""
    form = ConfirmForm("finish")
    if not form.validate_on_submit():
        return _batch_page(batch_id, sent=form)
    with transaction() as session:
        paper_batches.finish_keying(session, batch_id, actor=current_actor(), now=now())
    flash(_("The forms to key a second time are drawn."))
    return redirect(url_for(".batch", batch_id=batch_id), code=303)


@bp.get("/<int:batch_id>/differences")
@allow(Role.ADMINISTRATOR)
def differences(batch_id: int) -> ResponseReturnValue:
    """Where two people keyed different answers, side by side."""
    return _differences(batch_id)


@bp.post("/<int:batch_id>/differences/<int:number>")
@allow(Role.ADMINISTRATOR)
def settle(batch_id: int, number: int) -> ResponseReturnValue:
    """What the paper says."""
    typed = _typed()
    try:
        with transaction() as session:
            paper_keying.settle(session, batch_id, number, typed, actor=current_actor())
    except paper_keying.KeysFaulty as fault:
        return _differences(batch_id, number, typed, fault)
    flash(_("Form no. %(number)s is settled.", number=number))
    return redirect(url_for(".differences", batch_id=batch_id), code=303)


def _differences(
    batch_id: int, number: int = 0, typed: dict[str, str] | None = None, fault: paper_keying.KeysFaulty | None = None
) -> ResponseReturnValue:
    found = paper_batches.own_batch(reading(), batch_id, BatchState.CHECKING, actor=current_actor())
    page = render_template(
        "collection/paper_differences.html",
        batch=found,
        pile=paper_batches.pile_of(reading(), found),
        number=number,
        typed=typed or {},
        faults=fault.faults if fault else {},
        key_said=key_said,
        answer_said=answer_said,
        limit=LIMIT,
    )
    return page, fault.status if fault else 200


@bp.post("/<int:batch_id>/release")
@allow(Role.ADMINISTRATOR)
def release(batch_id: int) -> ResponseReturnValue:
    """Let the answers count, and erase the rest."""
    form = ConfirmForm("release")
    if not form.validate_on_submit():
        return _batch_page(batch_id, sent=form)
    with transaction() as session:
        done: PaperBatch = paper_release.release(session, batch_id, keys=paper_keys(), actor=current_actor(), now=now())
    flash(
        ngettext(
            "%(num)d form counts now. What was keyed is erased; only counts are kept.",
            "%(num)d forms count now. What was keyed is erased; only counts are kept.",
            done.forms,
        )
    )
    return redirect(url_for(".batch", batch_id=batch_id), code=303)


@bp.post("/<int:batch_id>/cancel")
@allow(Role.ADMINISTRATOR)
def cancel(batch_id: int) -> ResponseReturnValue:
    """Erase the batch."""
    form = ConfirmForm("cancel")
    if not form.validate_on_submit():
        return _batch_page(batch_id, sent=form)
    with transaction() as session:
        paper_batches.cancel(session, batch_id, actor=current_actor(), now=now())
    flash(_("The batch is cancelled, and what was keyed is erased. Its forms can be keyed in another batch."))
    return redirect(url_for(".batches"), code=303)
