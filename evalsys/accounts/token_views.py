"""One's own access tokens: making one, which is shown this once, and revoking it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from evalsys.accounts import queries
from evalsys.accounts.access_tokens import (
    OWNERS,
    SCOPES,
    create_token,
    own_token,
    revoke_token,
    scopes_of,
    tokens_of,
)
from evalsys.accounts.token_forms import TokenForm
from evalsys.base.access import allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse

bp = Blueprint("tokens", __name__, url_prefix="/tokens")


@bp.get("/")
@allow(*OWNERS)
def own() -> ResponseReturnValue:
    held = tokens_of(reading(), actor=current_actor())
    return render_template("accounts/tokens.html", tokens=held, scopes_of=scopes_of, names=SCOPES, now=now())


@bp.route("/new", methods=["GET", "POST"])
@allow(*OWNERS)
def new() -> ResponseReturnValue:
    """Shows the token in the answer itself: it is kept nowhere that a redirect could fetch it from."""
    form = TokenForm.offering(queries.choices(reading(), actor=current_actor()).regions)
    status = 200
    if form.validate_on_submit():
        try:
            with transaction() as session:
                token = create_token(session, form.to_request(), actor=current_actor(), now=now())
        except Fault as fault:
            status = refuse(form, fault)
        else:
            return render_template("accounts/token_issued.html", token=token)
    status = 422 if form.errors and status == 200 else status
    return render_template("accounts/new_token.html", form=form), status


@bp.get("/<int:number>/revoke")
@allow(*OWNERS)
def ask_to_revoke(number: int) -> ResponseReturnValue:
    token = own_token(reading(), number, actor=current_actor())
    return render_template("accounts/revoke_token.html", token=token)


@bp.post("/<int:number>/revoke")
@allow(*OWNERS)
def revoke(number: int) -> ResponseReturnValue:
    with transaction() as session:
        token = own_token(session, number, actor=current_actor())
        revoke_token(session, token, actor=current_actor(), now=now())
    flash(_("The access token is revoked."))
    return redirect(url_for("tokens.own"), code=303)
