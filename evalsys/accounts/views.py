"""Signing in and out, the desk, and one's own password."""

from __future__ import annotations

from flask import Blueprint, Flask, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from evalsys.accounts import desk, queries, signing_in, todo, token_views, trail, usecases, words
from evalsys.accounts.access_tokens import OWNERS
from evalsys.accounts.forms import EditAccountForm, NewAccountForm, OwnPasswordForm, SignInForm
from evalsys.base import access, navigation
from evalsys.base.access import Role, current_actor
from evalsys.base.audit_chain import chain_state
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault, TooMany
from evalsys.base.forms import refuse
from evalsys.base.listing import Wanted
from evalsys.base.tables import download

bp = Blueprint("accounts", __name__)


def install(app: Flask) -> None:
    """Register the pages and their menu entry."""
    app.register_blueprint(bp)
    app.register_blueprint(token_views.bp)
    app.jinja_env.filters.update(
        role=words.role, act=words.act, subject=words.subject, detail=words.detail, doer=words.doer
    )
    navigation.offer(app, "accounts.home", _l("My desk"))
    todo.offer(app, desk.todos)


def offer_administration(app: Flask) -> None:
    """Menu entries that stand after those of the daily work."""
    navigation.offer(app, "accounts.people", _l("Accounts"))
    navigation.offer(app, "accounts.audit_trail", _l("Audit trail"))


@bp.route("/sign-in", methods=["GET", "POST"])
@access.public
def sign_in() -> ResponseReturnValue:
    target = signing_in.safe_next(request.args.get("next", "")) or url_for("accounts.home")
    if access.actor_or_none():
        return redirect(target, code=303)
    form = SignInForm()
    if not form.validate_on_submit():
        return render_template("accounts/sign_in.html", form=form), 422 if form.errors else 200
    username = str(form.username.data)
    try:
        with transaction() as session:
            signing_in.count_try(session, username, request.remote_addr or "", now=now())
    except TooMany as fault:
        status = refuse(form, fault)
        return render_template("accounts/sign_in.html", form=form), status
    tried = signing_in.check_password(reading(), username, str(form.password.data))
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
        has_tokens=actor.role in OWNERS,
    )


@bp.route("/password", methods=["GET", "POST"])
@access.signed_in
def own_password() -> ResponseReturnValue:
    form = OwnPasswordForm()
    status = 200
    if form.validate_on_submit():
        try:
            with transaction() as session:
                signing_in.count_try(session, g.account.username, request.remote_addr or "", now=now())
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


@bp.get("/accounts/")
@access.allow(Role.ADMINISTRATOR, Role.AUDITOR)
def people() -> ResponseReturnValue:
    page = queries.accounts_page(reading(), Wanted.from_args(request.args), actor=current_actor())
    return render_template("accounts/people.html", page=page)


@bp.route("/accounts/new", methods=["GET", "POST"])
@access.allow(Role.ADMINISTRATOR)
def new_account() -> ResponseReturnValue:
    role = words.role_or_none(request.args.get("role", ""))
    if role is None:
        return render_template("accounts/new_account_role.html", duties=words.DUTIES)
    form = NewAccountForm.for_role(role, queries.choices(reading(), actor=current_actor()))
    status = 200
    if form.validate_on_submit():
        try:
            with transaction() as session:
                account, password = usecases.create_account(
                    session, form.to_request(), actor=current_actor(), now=now()
                )
        except Fault as fault:
            status = refuse(form, fault)
        else:
            return render_template("accounts/password_issued.html", account=account, password=password, is_new=True)
    status = 422 if form.errors and status == 200 else status
    return render_template("accounts/new_account.html", form=form, role=role, duty=words.DUTIES[role]), status


@bp.route("/accounts/<username>", methods=["GET", "POST"])
@access.allow(Role.ADMINISTRATOR)
def person(username: str) -> ResponseReturnValue:
    account = queries.account(reading(), username, actor=current_actor())
    form = EditAccountForm(obj=account)
    form.offer(queries.choices(reading(), actor=current_actor()))
    status = 200
    if form.validate_on_submit():
        try:
            with transaction() as session:
                account = queries.account(session, username, actor=current_actor())
                usecases.edit_account(session, account, form.to_request(), actor=current_actor(), now=now())
        except Fault as fault:
            status = refuse(form, fault)
        else:
            flash(_("The account “%(name)s” is saved.", name=username))
            return redirect(url_for("accounts.people"), code=303)
    status = 422 if form.errors and status == 200 else status
    account = queries.account(reading(), username, actor=current_actor())
    return render_template("accounts/person.html", account=account, form=form), status


@bp.route("/accounts/<username>/close", methods=["GET", "POST"])
@access.allow(Role.ADMINISTRATOR)
def close_account(username: str) -> ResponseReturnValue:
    if request.method == "GET":
        account = queries.account(reading(), username, actor=current_actor())
        return render_template("accounts/close_account.html", account=account)
    with transaction() as session:
        account = queries.account(session, username, actor=current_actor())
        usecases.close_account(session, account, actor=current_actor(), now=now())
    flash(_("The account “%(name)s” is closed.", name=username))
    return redirect(url_for("accounts.person", username=username), code=303)


@bp.post("/accounts/<username>/reopen")
@access.allow(Role.ADMINISTRATOR)
def reopen_account(username: str) -> ResponseReturnValue:
    with transaction() as session:
        account = queries.account(session, username, actor=current_actor())
        usecases.reopen_account(session, account, actor=current_actor(), now=now())
    flash(_("The account “%(name)s” is open again.", name=username))
    return redirect(url_for("accounts.person", username=username), code=303)


@bp.route("/accounts/<username>/password", methods=["GET", "POST"])
@access.allow(Role.ADMINISTRATOR)
def reset_password(username: str) -> ResponseReturnValue:
    """Shows the new password in the answer itself: it is kept nowhere that a redirect could fetch it from."""
    if request.method == "GET":
        account = queries.account(reading(), username, actor=current_actor())
        return render_template("accounts/reset_password.html", account=account)
    with transaction() as session:
        account = queries.account(session, username, actor=current_actor())
        password = usecases.reset_password(session, account, actor=current_actor(), now=now())
    return render_template("accounts/password_issued.html", account=account, password=password, is_new=False)


@bp.get("/audit")
@access.allow(Role.AUDITOR, Role.ADMINISTRATOR)
def audit_trail() -> ResponseReturnValue:
    narrow = trail.Filter.from_args(request.args)
    return render_template(
        "accounts/audit_trail.html",
        page=trail.trail_page(reading(), Wanted.from_args(request.args), narrow, actor=current_actor()),
        narrow=narrow,
        exported=trail.EXPORTED,
        acts=trail.acts(reading(), actor=current_actor()),
        chain=chain_state(reading()),
    )


@bp.get("/audit.<any(csv, xlsx):kind>")
@access.allow(Role.AUDITOR, Role.ADMINISTRATOR)
def audit_table(kind: str) -> ResponseReturnValue:
    sheet = trail.as_sheet(reading(), trail.Filter.from_args(request.args), actor=current_actor())
    return download([sheet], "audit-trail", kind)
