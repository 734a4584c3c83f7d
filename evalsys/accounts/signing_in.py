"""Signing in and out: fills `base.access`'s slot of who acts."""

from __future__ import annotations

from flask import Flask, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from evalsys.accounts.models import Account
from evalsys.base.access import Actor
from evalsys.base.db import reading


def install(app: Flask) -> None:
    manager = LoginManager(app)

    @manager.user_loader  # type: ignore[untyped-decorator]  # Flask-Login is untyped
    def load(uniquifier: str) -> Account | None:
        return reading().scalar(
            select(Account)
            .where(Account.fs_uniquifier == uniquifier, Account.active)
            .options(joinedload(Account.region))
        )

    def actor() -> Actor | None:
        return current_user.as_actor() if current_user.is_authenticated else None

    def ask_to_sign_in() -> ResponseReturnValue:
        return redirect(url_for("accounts.sign_in", next=request.full_path), code=303)

    app.extensions["actor_of_request"] = actor
    app.extensions["ask_to_sign_in"] = ask_to_sign_in
