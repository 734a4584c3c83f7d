"""Pages of rectifications: the officer opens and checks, the vendor reports, recipients are asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any, cast

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from evalsys.accounts import todo
from evalsys.appeals import (
    follow_up,
    rectification_remarks,  # noqa: F401 - fills the slot of what stands beside a line
    rectifying,
)
from evalsys.appeals.demands import draft
from evalsys.appeals.files import file_by_id, no_such_file, sent_with
from evalsys.appeals.follow_up_slips import follow_up_pdf
from evalsys.appeals.models import RectificationState
from evalsys.appeals.rectification_desk import rectifications_sheet, rectifications_waiting
from evalsys.appeals.rectification_forms import (
    RETURNED,
    CheckForm,
    EndForm,
    LiftForm,
    OpenForm,
    ReportForm,
    SlipsForm,
)
from evalsys.appeals.rectifications import (
    CHECKERS,
    OVERDUE,
    READERS,
    Chosen,
    Needed,
    count_needed,
    cycles_with_items,
    default_due_on,
    is_overdue,
    lifting_edition,
    names_of,
    needed,
    rectification_seen,
    rectifications,
    steps_of,
)
from evalsys.appeals.words import better_name, rectification_state_name
from evalsys.base import navigation
from evalsys.base.access import Role, allow, by_letter, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse
from evalsys.base.listing import Wanted
from evalsys.base.tables import FORMATS, download
from evalsys.base.typesetting import require_fonts
from evalsys.base.working_days import local_day
from evalsys.config import Settings
from evalsys.registry.cycles import cycle_by_code

bp = Blueprint("rectification", __name__, url_prefix="/appeals")


def install(app: Flask) -> None:
    """Register the pages, their menu entry and what they put on desks."""
    app.register_blueprint(bp)
    navigation.offer(app, "rectification.items", _l("Rectifications"))
    todo.offer(app, rectifications_waiting)


@bp.get("/rectifications")
@allow(*READERS)
@by_letter
def items() -> ResponseReturnValue:
    """What was demanded, and how far it is; with `?format=` as a file."""
    actor, wanted, chosen = current_actor(), Wanted.from_args(request.args), Chosen.from_args(request.args)
    kind = request.args.get("format")
    if kind in FORMATS:
        sheet = rectifications_sheet(reading(), wanted, chosen, actor=actor, now=now())
        return download([sheet], "rectifications", kind)
    states = [(state.value, rectification_state_name(state.value)) for state in RectificationState]
    return render_template(
        "appeals/rectifications.html",
        page=rectifications(reading(), wanted, chosen, actor=actor, now=now()),
        chosen=chosen,
        states=[*states, (OVERDUE, _("overdue"))],
        cycles=cycles_with_items(reading(), actor=actor),
        needed=count_needed(reading(), actor=actor) if actor.role == Role.OFFICER else {},
        state_name=rectification_state_name,
        names_of=names_of,
        is_overdue=lambda item: is_overdue(item, now()),
    )


@bp.route("/cycles/<code>/rectifications", methods=["GET", "POST"])
@allow(Role.OFFICER)
def open_several(code: str) -> ResponseReturnValue:
    """The contracts that need one, the worst first, each with a drafted demand."""
    actor, form = current_actor(), OpenForm()
    waiting = needed(reading(), cycle_by_code(reading(), code), actor=actor, most=rectifying.AT_ONCE)
    if request.method == "GET":
        form.due_on.data = default_due_on(waiting[0].edition, now()) if waiting else None
        return _to_open(code, form, waiting)
    if not form.validate():
        return _to_open(code, form, waiting), 422
    chosen = [int(one) for one in request.form.getlist("entry") if one.isascii() and one.isdecimal()]
    demands = [rectifying.Demand(entry_id, request.form.get(f"demand-{entry_id}", "")) for entry_id in chosen]
    try:
        with transaction() as session:
            cycle = cycle_by_code(session, code)
            due_on = cast(date, form.due_on.data)  # the form asks for it
            made = rectifying.open_items(session, cycle, demands, due_on=due_on, actor=actor, now=now())
    except Fault as fault:
        status = refuse(form, fault)
        return _to_open(code, form, waiting), status
    flash(ngettext("%(num)d rectification is demanded.", "%(num)d rectifications are demanded.", len(made)))
    return redirect(url_for(".items", cycle=code), code=303)


def _to_open(code: str, form: OpenForm, waiting: list[Needed]) -> str:
    sent = request.method == "POST"
    ticked = set(request.form.getlist("entry"))
    rows = [
        (
            one,
            request.form.get(f"demand-{one.entry.id}", "") if sent else draft(one.line, names_of(one.edition)),
            not sent or str(one.entry.id) in ticked,
        )
        for one in waiting
    ]
    return render_template(
        "appeals/open_rectifications.html",
        cycle=cycle_by_code(reading(), code),
        form=form,
        rows=rows,
        names=names_of(waiting[0].edition) if waiting else None,
        total=count_needed(reading(), actor=current_actor()).get(code, 0),
        shortest=rectifying.SHORTEST,
        longest=rectifying.LONGEST,
    )


@bp.get("/rectification/<int:number>")
@allow(*READERS)
@by_letter
def show(number: int) -> ResponseReturnValue:
    """One demand, all that became of it, and what the reader can do next."""
    return _page(number)


@bp.post("/rectification/<int:number>/report")
@allow(Role.VENDOR)
@by_letter
def report(number: int) -> ResponseReturnValue:
    form = ReportForm()

    def act(session: Session) -> object:
        sent = sent_with(form.files.data or ())
        return rectifying.report(session, number, form.report.data or "", sent, actor=current_actor(), now=now())

    return _act(number, form, "report_form", act, _("Reported. Whoever checks it sees it now."))


@bp.post("/rectification/<int:number>/check")
@allow(*CHECKERS)
def check(number: int) -> ResponseReturnValue:
    form = CheckForm()

    def act(session: Session) -> object:
        note, actor = form.note.data or "", current_actor()
        due_on = form.due_on.data
        if form.result.data == RETURNED and due_on:
            return rectifying.send_back(session, number, note, due_on=due_on, actor=actor, now=now())
        return rectifying.find_done(session, number, note, actor=actor, now=now())

    return _act(number, form, "check_form", act, _("Recorded."))


@bp.post("/rectification/<int:number>/lift")
@allow(Role.OFFICER)
def lift(number: int) -> ResponseReturnValue:
    def act(session: Session) -> object:
        return rectifying.lift(session, number, actor=current_actor(), now=now())

    return _act(number, LiftForm(), "lift_form", act, _("Recorded."))


@bp.post("/rectification/<int:number>/slips")
@allow(Role.OFFICER)
def slips(number: int) -> ResponseReturnValue:
    """Slips with new codes, to download this once."""
    form, actor = SlipsForm(), current_actor()
    if not form.validate_on_submit():
        return _page(number, slips_form=form), 422
    settings: Settings = current_app.config["SETTINGS"]
    require_fonts(settings.fonts)
    key = follow_up.follow_up_key(current_app.config["SECRET_KEY"])
    try:
        with transaction() as session:
            made = follow_up.make_codes(session, number, form.count.data or 0, key=key, actor=actor, now=now())
            pdf = follow_up_pdf(
                made.item.entry.contract,
                made.codes,
                base_url=settings.base_url,
                until=made.until,
                phone=form.phone.data or "",
                fonts=settings.fonts,
            )
    except Fault as fault:
        status = refuse(form, fault)
        return _page(number, slips_form=form), status
    return send_file(BytesIO(pdf), mimetype="application/pdf", as_attachment=True, download_name=f"slips-{number}.pdf")


@bp.post("/rectification/<int:number>/asking/end")
@allow(Role.OFFICER)
def end_asking(number: int) -> ResponseReturnValue:
    def act(session: Session) -> object:
        return follow_up.end_asking(session, number, actor=current_actor(), now=now())

    return _act(number, EndForm(), "end_form", act, _("Asking is over."))


@bp.get("/rectification/files/<int:number>")
@allow(*READERS)
@by_letter
def file(number: int) -> ResponseReturnValue:
    """Evidence to save, never to be shown inside our site."""
    found = file_by_id(reading(), number)
    if found.rectification_id is None:
        raise no_such_file()
    rectification_seen(reading(), found.rectification_id, actor=current_actor())
    return send_file(BytesIO(found.content), mimetype=found.media_type, as_attachment=True, download_name=found.name)


def _act(number: int, form: FlaskForm, name: str, act: Callable[[Session], object], said: str) -> ResponseReturnValue:
    """Do what a form of the page asks, or show the page again with what is wrong."""
    if not form.validate_on_submit():
        return _page(number, **{name: form}), 422
    try:
        with transaction() as session:
            act(session)
    except Fault as fault:
        status = refuse(form, fault)
        return _page(number, **{name: form}), status
    flash(said)
    return redirect(url_for(".show", number=number), code=303)


def _page(number: int, **forms: Any) -> str:
    actor, session = current_actor(), reading()
    item = rectification_seen(session, number, actor=actor)
    empty = {
        "report_form": ReportForm,
        "check_form": CheckForm,
        "lift_form": LiftForm,
        "slips_form": SlipsForm,
        "end_form": EndForm,
    }
    made = {name: forms.get(name) or form(formdata=None) for name, form in empty.items()}
    return render_template(
        "appeals/rectification.html",
        item=item,
        names=names_of(item.edition),
        state_name=rectification_state_name,
        days_left=(item.due_on - local_day(now())).days,
        lifting=lifting_edition(session, item) if actor.role == Role.OFFICER else None,
        may_check=actor.role in CHECKERS and item.state == RectificationState.REPORTED,
        may_report=actor.role == Role.VENDOR and item.state == RectificationState.OPEN,
        may_be_asked=follow_up.may_be_asked(item, now()),
        is_asking=follow_up.is_asking(item, now()),
        until=follow_up.last_day(item),
        slips=follow_up.slips_of(session, item),
        told=follow_up.told_of(session, item, now=now()),
        better_name=better_name,
        steps=steps_of(item),
        **made,
    )
