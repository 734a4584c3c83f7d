"""Signing in and out: fills `base.access`'s slot of who acts.

The browser holds a random token in the signed session cookie, the database its SHA-256. Signing out, a new password
and closing an account end sign-ins on the server's side, so a copied cookie is of no use afterwards.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import Flask, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from evalsys.accounts import access_tokens, passwords
from evalsys.accounts.models import Account, SignIn
from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.clock import now
from evalsys.base.db import reading
from evalsys.base.errors import TooMany
from evalsys.base.limits import allow_try, forget_tries
from evalsys.base.problems import asked_by_program

TOKEN = "sign_in"  # noqa: S105 - the name of the cookie's entry
LASTS = timedelta(hours=12)  # one working day, then the password again
OPEN_TO_TEMPORARY = {"accounts.own_password", "accounts.sign_out"}


WINDOW = timedelta(minutes=15)
TRIES_A_NAME = 10
TRIES_AN_ADDRESS = 300  # an office, or all who come through one proxy


def count_try(session: Session, username: str, address: str, *, now: datetime) -> None:
    """Count a try before the password is looked at, so that a hundred at once are counted too.

    Raises:
        TooMany: the user name or the address has had its tries; the right password does not help until the window ends.
    """
    by_name = allow_try(session, _name_key(username), limit=TRIES_A_NAME, window=WINDOW, now=now)
    if not by_name or not allow_try(session, f"sign-in from:{address}", limit=TRIES_AN_ADDRESS, window=WINDOW, now=now):
        raise TooMany(
            _("Too many tries in a short time."),
            remedy=_(
                "Wait %(minutes)s minutes, then try again; an administrator can reset a forgotten password.",
                minutes=WINDOW // timedelta(minutes=1),
            ),
        )


def forget_tries_of(session: Session, account: Account) -> None:
    """The password was right: the next person who mistypes it starts anew."""
    forget_tries(session, _name_key(account.username))


def _name_key(username: str) -> str:
    return f"sign-in as:{username.strip().lower()}"


@dataclass(frozen=True)
class Tried:
    """What an attempt to sign in showed, before anything is written. `account`: known by the name, None if nobody."""

    account: Account | None
    succeeded: bool
    fresh_hash: str | None = None  # the password hashed anew, where the stored hash has become weak


def check_password(session: Session, username: str, password: str) -> Tried:
    """Look the name up and compare the password; slow on purpose, so outside any write transaction.

    An unknown name, a closed account and a wrong password take the same work and give the same answer.
    """
    account = session.scalar(
        select(Account).where(Account.username == username.strip().lower()).options(joinedload(Account.region))
    )
    matched = passwords.matches(account.password if account else None, password)
    if account is None or not account.active or not matched:
        return Tried(account, succeeded=False)
    fresh_hash = passwords.hashed(password) if passwords.outdated(account.password) else None
    return Tried(account, succeeded=True, fresh_hash=fresh_hash)


def note_attempt(session: Session, tried: Tried, *, now: datetime) -> str | None:
    """Write the attempt into the audit trail and, where it succeeded, open a sign-in; gives its token."""
    if tried.account is None:
        return None
    act = "accounts.sign_in" if tried.succeeded else "accounts.sign_in_refused"
    audit.record(session, actor=tried.account.as_actor(), act=act, subject=tried.account.subject, now=now)
    if not tried.succeeded:
        return None
    if tried.fresh_hash:
        session.get_one(Account, tried.account.id).password = tried.fresh_hash
    forget_tries_of(session, tried.account)
    return open_session(session, tried.account, now=now)


def open_session(session: Session, account: Account, *, now: datetime) -> str:
    """A new sign-in of the account, by its token; those of it that have run out are cleared away."""
    session.execute(delete(SignIn).where(SignIn.account_id == account.id, SignIn.at <= now - LASTS))
    token = secrets.token_urlsafe(32)
    session.add(SignIn(token_hash=_hash(token), account_id=account.id, at=now))
    session.flush()
    return token


def sign_out(session: Session, token: str, *, actor: Actor, now: datetime) -> None:
    """End one sign-in."""
    session.execute(delete(SignIn).where(SignIn.token_hash == _hash(token)))
    account = session.get_one(Account, actor.account_id)
    audit.record(session, actor=actor, act="accounts.sign_out", subject=account.subject, now=now)


def end_all(session: Session, account: Account, *, but: str | None = None) -> None:
    """End every sign-in of an account, except the one with the token `but`."""
    others = delete(SignIn).where(SignIn.account_id == account.id)
    session.execute(others if but is None else others.where(SignIn.token_hash != _hash(but)))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def account_of(session: Session, token: str, *, now: datetime) -> Account | None:
    """Whose sign-in a token is; None when it has ended, run out, or the account is closed."""
    return session.scalar(
        select(Account)
        .join(SignIn, SignIn.account_id == Account.id)
        .where(SignIn.token_hash == _hash(token), SignIn.at > now - LASTS, Account.active)
        .options(joinedload(Account.region))
    )


def safe_next(address: str) -> str | None:
    """The address when it leads to a page of this site, else None."""
    parts = urlsplit(address.replace("\\", "/"))
    leads_home = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if leads_home and not (parts.scheme or parts.netloc) and address.isprintable() else None


def start_browser(token: str) -> None:
    """Give the browser a fresh session with the token; only its language is kept from before."""
    kept = session.get("language")
    session.clear()
    session[TOKEN] = token
    if kept:
        session["language"] = kept


def forget_browser() -> None:
    """Take the token away from the browser; its language stays."""
    kept = session.get("language")
    session.clear()
    if kept:
        session["language"] = kept


def browser_token() -> str:
    """The token of the browser that asks; empty when nobody is signed in."""
    return str(session.get(TOKEN, ""))


def install(app: Flask) -> None:
    """Say who acts, and send the anonymous to the sign-in page and back."""
    app.config["PERMANENT_SESSION_LIFETIME"] = LASTS

    def actor() -> Actor | None:
        if asked_by_program():
            return access_tokens.actor_of_program()
        token = browser_token()
        g.account = account_of(reading(), token, now=now()) if token else None
        return g.account.as_actor() if g.account else None

    def ask_to_sign_in() -> ResponseReturnValue:
        if asked_by_program():
            raise access_tokens.no_token()
        here = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("accounts.sign_in", next=here), code=303)

    app.extensions["actor_of_request"] = actor
    app.extensions["ask_to_sign_in"] = ask_to_sign_in


def require_own_password(app: Flask) -> None:
    """Whoever has a temporary password chooses an own one before anything else; installed after `access.guard`."""

    @app.before_request
    def choose_first() -> ResponseReturnValue | None:
        account: Account | None = g.get("account")
        if account and account.password_is_temporary and request.endpoint not in OPEN_TO_TEMPORARY:
            return redirect(url_for("accounts.own_password"), code=303)
        return None
