"""Signing in, and the home page of a signed-in person."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from evalsys.base import access

bp = Blueprint("accounts", __name__)


@bp.get("/sign-in")
@access.public
def sign_in() -> ResponseReturnValue:
    return render_template("accounts/sign_in.html")
