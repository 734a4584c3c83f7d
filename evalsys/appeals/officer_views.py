"""The office's pages: telling vendors the preliminary result, and deciding objections."""

from __future__ import annotations

import io
from collections.abc import Callable

from flask import flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from evalsys.appeals import independence, objections, queries
from evalsys.appeals.blueprint import bp
from evalsys.appeals.deadlines import answer_due, is_overdue, second_level_until
from evalsys.appeals.files import file_by_id, no_such_file
from evalsys.appeals.forms import DecisionForm, ReasonForm, RecusalForm
from evalsys.appeals.models import Objection, ObjectionState, Outcome
from evalsys.appeals.notices import issue
from evalsys.base.access import Role, allow, by_letter, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse
from evalsys.base.listing import Wanted
from evalsys.evaluation.naming import Names
from evalsys.registry.cycles import cycle_by_code
from evalsys.registry.pins import rules_of

OFFICE = (Role.OFFICER, Role.ADMINISTRATOR, Role.AUDITOR)


@bp.get("/appeals/cycles/<code>")
@allow(*OFFICE)
def notice(code: str) -> ResponseReturnValue:
    state = queries.notice_state(reading(), cycle_by_code(reading(), code), actor=current_actor())
    return render_template("appeals/notice.html", state=state, now=now())


@bp.post("/appeals/cycles/<code>/notice")
@allow(Role.OFFICER, Role.ADMINISTRATOR)
def issue_notice(code: str) -> ResponseReturnValue:
    with transaction() as session:
        issue(session, cycle_by_code(session, code), actor=current_actor(), now=now())
    flash(_("The vendors can read their preliminary results now."))
    return redirect(url_for("appeals.notice", code=code), code=303)


@bp.get("/appeals/objections")
@allow(*OFFICE)
def objection_list() -> ResponseReturnValue:
    state = request.args.get("state", "")
    page = queries.objections_page(reading(), Wanted.from_args(request.args), state, actor=current_actor())
    return render_template(
        "appeals/objections.html", page=page, state=state, now=now(), answer_due=answer_due, is_overdue=is_overdue
    )


@bp.get("/appeals/objections/<int:objection_id>")
@allow(Role.VENDOR, *OFFICE)
@by_letter
def objection(objection_id: int) -> ResponseReturnValue:
    return _page(objection_id), 200


def _page(objection_id: int, **tried: FlaskForm) -> str:
    """The objection with the forms that are open to the reader; `tried` holds one that was refused."""
    actor = current_actor()
    found = objections.objection_by_id(reading(), objection_id, actor=actor)
    until = second_level_until(found)
    decision = DecisionForm(formdata=None)
    forms = {
        "decision": decision,
        "extension": ReasonForm(formdata=None, prefix="extension-"),
        "recusal": RecusalForm(formdata=None, prefix="recusal-"),
    } | tried
    decision.offer(*_possible(found))
    return render_template(
        "appeals/objection.html",
        objection=found,
        forms=forms,
        why_not=independence.why_not(reading(), found, actor) if actor.role in independence.DECIDERS else None,
        due=answer_due(found),
        overdue=is_overdue(found, now()),
        others=objections.of_entry(reading(), found.entry),
        second_until=until if until and not until.is_over(now()) else None,
        names=Names(rules_of(found.entry.cycle)),
        ObjectionState=ObjectionState,
    )


def _possible(found: Objection) -> tuple[Outcome, ...]:
    return (Outcome.REJECTED,) if found.state == ObjectionState.FILED else tuple(Outcome)


def _act(
    objection_id: int, name: str, form: FlaskForm, act: Callable[[Session, Objection], None], said: str
) -> ResponseReturnValue:
    """Carry out an act on an objection; a refused form comes back with the page."""
    if isinstance(form, DecisionForm):
        form.offer(*Outcome)
    if not form.validate_on_submit():
        return _page(objection_id, **{name: form}), 422
    try:
        with transaction() as session:
            act(session, objections.objection_by_id(session, objection_id, actor=current_actor()))
    except Fault as fault:
        status = refuse(form, fault)
        return _page(objection_id, **{name: form}), status
    flash(said)
    return redirect(url_for("appeals.objection", objection_id=objection_id), code=303)


@bp.post("/appeals/objections/<int:objection_id>/accept")
@allow(*independence.DECIDERS)
def accept(objection_id: int) -> ResponseReturnValue:
    with transaction() as session:
        found = objections.objection_by_id(session, objection_id, actor=current_actor())
        objections.accept(session, found, actor=current_actor(), now=now())
    flash(_("The objection is taken up; the days for its decision run."))
    return redirect(url_for("appeals.objection", objection_id=objection_id), code=303)


@bp.post("/appeals/objections/<int:objection_id>/extend")
@allow(*independence.DECIDERS)
def extend(objection_id: int) -> ResponseReturnValue:
    form = ReasonForm(prefix="extension-")

    def act(session: Session, found: Objection) -> None:
        objections.extend(session, found, str(form.reason.data), actor=current_actor(), now=now())

    return _act(objection_id, "extension", form, act, _("The time for the decision is prolonged."))


@bp.post("/appeals/objections/<int:objection_id>/decide")
@allow(*independence.DECIDERS)
def decide(objection_id: int) -> ResponseReturnValue:
    form = DecisionForm()

    def act(session: Session, found: Objection) -> None:
        objections.decide(
            session,
            found,
            str(form.outcome.data),
            str(form.reasons.data),
            no_tie=bool(form.no_tie.data),
            actor=current_actor(),
            now=now(),
        )

    return _act(objection_id, "decision", form, act, _("The decision is made and told to the vendor."))


@bp.post("/appeals/objections/<int:objection_id>/recuse")
@allow(*independence.DECIDERS)
def recuse(objection_id: int) -> ResponseReturnValue:
    form = RecusalForm(prefix="recusal-")

    def act(session: Session, found: Objection) -> None:
        independence.recuse(session, found, str(form.why.data), actor=current_actor(), now=now())

    return _act(objection_id, "recusal", form, act, _("You stand aside; somebody else decides."))


@bp.get("/appeals/files/<int:file_id>")
@allow(Role.VENDOR, *OFFICE)
@by_letter
def file(file_id: int) -> ResponseReturnValue:
    """Evidence of an objection, to save, never to be shown inside our site."""
    found = file_by_id(reading(), file_id)
    if found.objection_id is None:
        raise no_such_file()
    objections.objection_by_id(reading(), found.objection_id, actor=current_actor())
    return send_file(io.BytesIO(found.content), mimetype=found.media_type, as_attachment=True, download_name=found.name)
