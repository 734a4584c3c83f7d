"""Selection plans, their sheets and decisions."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from evalsys.accounts import todo
from evalsys.base import access, navigation
from evalsys.base.access import Role, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Conflict, Fault
from evalsys.base.forms import refuse
from evalsys.base.language import CHINA, words
from evalsys.base.listing import Wanted
from evalsys.base.tables import download
from evalsys.registry.catalogue import service_type_name
from evalsys.registry.pins import rules_of_version
from evalsys.selection import desk, export, queries, usecases
from evalsys.selection.forms import DecisionForm, PlanForm, PointsForm
from evalsys.selection.law import use_of
from evalsys.selection.models import Plan
from evalsys.selection.past import withdrawn_for
from evalsys.selection.sheet import sheet_of

bp = Blueprint("selection", __name__, url_prefix="/selection")
readers = access.allow(Role.OFFICER, Role.AUDITOR, Role.ADMINISTRATOR)
deciders = access.allow(Role.OFFICER)


def install(app: Flask) -> None:
    """Register the pages, the menu entry and what waits for an officer."""
    app.register_blueprint(bp)
    navigation.offer(app, "selection.plans", _l("Next year's selection"))
    todo.offer(app, desk.todos)


def _plan(plan_id: int) -> Plan:
    return queries.plan(reading(), plan_id, actor=current_actor())


def _open_plan(plan_id: int) -> Plan:
    """The plan, for a page on which it is changed."""
    plan = _plan(plan_id)
    if plan.decision is not None:
        raise Conflict(
            _("This selection is decided; the plan and its points stand as they were."),
            remedy=_("Make a new plan if the choice has to be made again."),
        )
    return plan


@bp.get("/")
@readers
def plans() -> ResponseReturnValue:
    page = queries.plans_page(reading(), Wanted.from_args(request.args), actor=current_actor())
    return render_template("selection/plans.html", page=page, use_name=queries.use_name)


@bp.route("/new", methods=["GET", "POST"])
@deciders
def new_plan() -> ResponseReturnValue:
    form = PlanForm(data={"year": (now().astimezone(CHINA) + timedelta(days=365)).year, "past": 0})
    return _plan_page(form, None)


@bp.route("/<int:plan_id>/edit", methods=["GET", "POST"])
@deciders
def edit_plan(plan_id: int) -> ResponseReturnValue:
    plan = _open_plan(plan_id)
    return _plan_page(PlanForm(data=PlanForm.data_of(plan)), plan)


def _plan_page(form: PlanForm, plan: Plan | None) -> ResponseReturnValue:
    """The form of a plan, new or not: shown, or its plan saved."""
    actor = current_actor()
    choices = queries.plan_choices(reading(), plan, actor=actor)
    form.offer(
        purchasers=choices.purchasers,
        service_types=[(kind.code, words(kind.name)) for kind in choices.service_types],
        uses=[(use.code, words(use.name)) for use in choices.uses],
    )
    status = 200
    if form.validate_on_submit():
        try:
            with transaction() as session:
                saved = (
                    usecases.edit_plan(session, plan.id, form.to_request(), actor=actor, now=now())
                    if plan
                    else usecases.create_plan(session, form.to_request(), actor=actor, now=now())
                )
        except Fault as fault:
            status = refuse(form, fault)
        else:
            flash(_("The plan is saved."))
            return redirect(url_for("selection.show", plan_id=saved.id), code=303)
    status = 422 if form.errors and status == 200 else status
    return render_template("selection/plan_form.html", form=form, plan=plan, uses=choices.uses), status


@bp.get("/<int:plan_id>")
@readers
def show(plan_id: int) -> ResponseReturnValue:
    plan = _plan(plan_id)
    rules, sheet = rules_of_version(plan.rules), sheet_of(reading(), plan)
    records = [record for line in sheet.lines for record in line.past.records]
    return render_template(
        "selection/sheet.html",
        plan=plan,
        sheet=sheet,
        withdrawn=withdrawn_for(reading(), plan, records),
        use=use_of(rules, plan.use),
        rules=rules,
        service_type=service_type_name(plan.service_type),
        grades={grade.code: grade.name for grade in rules.grades},
    )


@bp.get("/<int:plan_id>/sheet.<any(csv, xlsx):kind>")
@readers
def table(plan_id: int, kind: str) -> ResponseReturnValue:
    plan = _plan(plan_id)
    return download(export.tables(plan, sheet_of(reading(), plan)), f"selection-{plan.year}-{plan.id}", kind)


@bp.route("/<int:plan_id>/candidates", methods=["GET", "POST"])
@deciders
def candidates(plan_id: int) -> ResponseReturnValue:
    if request.method == "POST":
        with transaction() as session:
            code = request.form.get("credit_code", "")
            vendor = usecases.add_candidate(session, plan_id, code, actor=current_actor(), now=now())
        flash(_("“%(name)s” is a candidate now.", name=vendor.name))
        return redirect(
            url_for("selection.candidates", plan_id=plan_id, q=request.args.get("q"), page=request.args.get("page")),
            code=303,
        )
    plan = _open_plan(plan_id)
    return render_template(
        "selection/candidates.html",
        plan=plan,
        page=queries.vendors_page(reading(), Wanted.from_args(request.args)),
        chosen={candidate.vendor.credit_code for candidate in plan.candidates},
    )


@bp.post("/<int:plan_id>/candidates/<credit_code>/remove")
@deciders
def remove_candidate(plan_id: int, credit_code: str) -> ResponseReturnValue:
    with transaction() as session:
        vendor = usecases.remove_candidate(session, plan_id, credit_code, actor=current_actor(), now=now())
    flash(_("“%(name)s” is taken off the plan.", name=vendor.name))
    return redirect(url_for("selection.candidates", plan_id=plan_id), code=303)


@bp.route("/<int:plan_id>/points", methods=["GET", "POST"])
@deciders
def points(plan_id: int) -> ResponseReturnValue:
    plan = _open_plan(plan_id)
    sheet = sheet_of(reading(), plan)
    form = PointsForm.of_sheet(sheet)
    status = 200
    if form.validate_on_submit():
        try:
            with transaction() as session:
                changed = usecases.enter_points(session, plan_id, form.to_request(), actor=current_actor(), now=now())
        except Fault as fault:
            status = refuse(form, fault)
        else:
            flash(ngettext("Points of %(num)s vendor saved.", "Points of %(num)s vendors saved.", changed))
            return redirect(url_for("selection.show", plan_id=plan_id), code=303)
    status = 422 if form.errors and status == 200 else status
    return render_template("selection/points.html", plan=plan, sheet=sheet, form=form), status


@bp.route("/<int:plan_id>/decision", methods=["GET", "POST"])
@deciders
def decision(plan_id: int) -> ResponseReturnValue:
    """First the choice and its ground, then a page that repeats them and asks to confirm."""
    plan = _open_plan(plan_id)
    sheet = sheet_of(reading(), plan)
    usecases.require_complete(sheet)
    form = DecisionForm(seen=sheet.fingerprint)
    form.offer(sheet)
    status = 200
    if form.validate_on_submit():
        try:
            if form.confirmed.data:
                with transaction() as session:
                    usecases.decide(session, plan_id, form.to_request(), actor=current_actor(), now=now())
                flash(_("The decision is kept."))
                return redirect(url_for("selection.show", plan_id=plan_id), code=303)
            usecases.check_choice(sheet, form.to_request())
        except Fault as fault:
            status = refuse(form, fault)
        else:
            line = sheet.line(form.credit_code.data)
            return render_template("selection/confirm.html", plan=plan, sheet=sheet, line=line, form=form)
    status = 422 if form.errors and status == 200 else status
    form.seen.data, form.confirmed.data = sheet.fingerprint, ""
    return render_template("selection/decision.html", plan=plan, sheet=sheet, form=form), status
