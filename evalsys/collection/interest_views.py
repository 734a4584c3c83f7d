"""Pages on which evaluators declare their interests, and on which administrators see who has."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from evalsys.accounts import todo
from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse
from evalsys.collection import interest_queries, next_steps
from evalsys.collection.assignments import OPEN_STATES
from evalsys.collection.declarations import Declare, declare, draft_of, effect_of
from evalsys.collection.interest_forms import BodyDeclarationForm, DeclarationForm
from evalsys.collection.interests import Undeclared, counted_from
from evalsys.collection.progress import cycle_of
from evalsys.registry.models import Cycle, EvaluatorBody

bp = Blueprint("interests", __name__, url_prefix="/collection")
NOT_KEPT = {"csrf_token", "then", "signed"}


def install(app: Flask) -> None:
    """Register the pages, and lead an evaluator who has not declared to the one to do it on."""
    app.register_blueprint(bp)
    todo.offer(app, interest_queries.to_declare)
    next_steps.offer(app, interest_queries.before_assessing)

    @app.errorhandler(Undeclared)
    def declare_first(fault: Undeclared) -> ResponseReturnValue:
        flash(f"{fault.message} {fault.remedy}", "warning")
        return redirect(url_for("interests.own", code=fault.cycle_code), code=303)


@bp.get("/cycles/<code>/interests")
@allow(Role.ADMINISTRATOR, Role.AUDITOR)
def overview(code: str) -> ResponseReturnValue:
    actor = current_actor()
    cycle = cycle_of(reading(), code, actor=actor)
    return render_template(
        "collection/interests.html",
        cycle=cycle,
        seen=interest_queries.overview(reading(), cycle),
        may_enter=actor.role == Role.ADMINISTRATOR and cycle.state in OPEN_STATES,
    )


@bp.route("/cycles/<code>/interests/own", methods=["GET", "POST"])
@allow(Role.EVALUATOR)
def own(code: str) -> ResponseReturnValue:
    """Read what one has signed, or sign."""
    actor = current_actor()
    cycle = cycle_of(reading(), code, actor=actor)
    account = interest_queries.evaluator(reading(), actor)
    versions = interest_queries.versions(reading(), cycle, account_id=account.id)
    kept = versions[0] if versions else None
    is_open = cycle.state in OPEN_STATES
    if request.method == "GET" and not (is_open and (kept is None or "change" in request.args)):
        return render_template("collection/own_interests.html", cycle=cycle, versions=versions, may_change=is_open)
    form = DeclarationForm(kept)
    wanted = Declare(cycle.id, account.evaluator_body_id or 0, account.id)
    return _declare(form, cycle, wanted, url_for(".own", code=code))


@bp.route("/cycles/<code>/interests/bodies/<credit_code>", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def of_body(code: str, credit_code: str) -> ResponseReturnValue:
    """Enter what an organisation has signed on paper."""
    cycle = cycle_of(reading(), code, actor=current_actor())
    body = interest_queries.body_by_code(reading(), cycle, credit_code)
    versions = interest_queries.versions(reading(), cycle, body_id=body.id)
    form = BodyDeclarationForm(versions[0] if versions else None)
    wanted = Declare(cycle.id, body.id, None, signed_by=(form.signed_by.data or "").strip())
    return _declare(form, cycle, wanted, url_for(".overview", code=code), body=body)


def _declare(
    form: DeclarationForm, cycle: Cycle, wanted: Declare, back: str, body: EvaluatorBody | None = None
) -> ResponseReturnValue:
    """The form, then the text with what it does to assignments, then the signature."""

    def page(status: int = 200) -> ResponseReturnValue:
        names = interest_queries.bodies_to_choose(reading(), cycle)
        html = render_template(
            "collection/declare.html",
            cycle=cycle,
            form=form,
            body=body,
            names=names,
            since=counted_from(cycle),
            back=back,
        )
        return html, status

    if request.method == "GET" or request.form.get("then") == "more":
        return page()
    if not form.validate_on_submit():
        return page(422)
    wanted, actor = replace(wanted, ties=form.ties()), current_actor()
    try:
        if request.form.get("then") != "sign" or "signed" not in request.form:
            return _check_page(cycle, wanted, back)
        with transaction() as session:
            effect = declare(session, wanted, actor=actor, now=now())
    except Fault as fault:
        return page(refuse(form, fault))
    flash(_("The declaration is signed."))
    if effect.taken_back:
        flash(
            ngettext(
                "%(num)d assignment went back to the administrator.",
                "%(num)d assignments went back to the administrator.",
                len(effect.taken_back),
            ),
            "warning",
        )
    return redirect(back, code=303)


def _check_page(cycle: Cycle, wanted: Declare, back: str) -> ResponseReturnValue:
    draft = draft_of(reading(), wanted, actor=current_actor(), now=now())
    unsigned = request.form.get("then") == "sign"
    page = render_template(
        "collection/declare_check.html",
        cycle=cycle,
        draft=draft,
        effect=effect_of(reading(), wanted, draft),
        sent={name: value for name, value in request.form.items() if name not in NOT_KEPT},
        unsigned=unsigned,
        back=back,
    )
    return page, 422 if unsigned else 200
