"""Signing in and out, the desk, and one's own password."""

from __future__ import annotations

from flask import Blueprint, Flask, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from evalsys.accounts import signing_in, todo, usecases, words
from evalsys.accounts.forms import OwnPasswordForm, SignInForm
from evalsys.base import access, navigation
from evalsys.base.access import current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse

bp = Blueprint("accounts", __name__)


def install(app: Flask) -> None:
    """Register the pages and their menu entry."""
    app.register_blueprint(bp)
    app.jinja_env.filters["role"] = words.role
    navigation.offer(app, "accounts.home", _l("My desk"))


@bp.route("/sign-in", methods=["GET", "POST"])
@access.public
def sign_in() -> ResponseReturnValue:
    target = signing_in.safe_next(request.args.get("next", "")) or url_for("accounts.home")
    if access.actor_or_none():
        return redirect(target, code=303)
    form = SignInForm()
    if not form.validate_on_submit():
        return render_template("accounts/sign_in.html", form=form), 422 if form.errors else 200
    tried = signing_in.check_password(reading(), str(form.username.data), str(form.password.data))
    with transaction() as session:
        token = signing_in.note_attempt(session, tried, now=now())
    if token is None:
        form.form_errors.append(_("The user name or the password is wrong, or the account is closed."))
        return render_template("accounts/sign_in.html", form=form), 422
    signing_in.start_browser(token)
    return redirect(target, code=303)


@bp.post("/sign-out")
@access.signed_in
def sign_out() -> ResponseReturnValue:
    with transaction() as session:
        signing_in.sign_out(session, signing_in.browser_token(), actor=current_actor(), now=now())
    signing_in.forget_browser()
    flash(_("You are signed out."))
    return redirect(url_for("accounts.sign_in"), code=303)


@bp.get("/desk")
@access.signed_in
def home() -> ResponseReturnValue:
    actor = current_actor()
    return render_template(
        "accounts/home.html",
        account=g.account,
        duty=words.DUTIES[actor.role],
        todos=todo.todos(reading(), actor),
    )


@bp.route("/password", methods=["GET", "POST"])
@access.signed_in
def own_password() -> ResponseReturnValue:
    form = OwnPasswordForm()
    status = 200
    if form.validate_on_submit():
        try:
            with transaction() as session:
                usecases.change_own_password(
                    session,
                    str(form.present.data),
                    str(form.fresh.data),
                    token=signing_in.browser_token(),
                    actor=current_actor(),
                    now=now(),
                )
        except Fault as fault:
            status = refuse(form, fault)
        else:
            flash(_("Your password is changed; other browsers are signed out."))
            return redirect(url_for("accounts.home"), code=303)
    temporary = g.account.password_is_temporary
    return render_template("accounts/own_password.html", form=form, temporary=temporary), (
        422 if form.errors and status == 200 else status
    )
