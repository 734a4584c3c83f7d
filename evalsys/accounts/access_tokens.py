"""Access tokens: what programs show instead of signing in, to read what their owner may read and never more.

A token ends on its day, when its owner revokes it, and with its owner's account. It counts for what the account may do
at the moment of asking, so a person who is moved to another region takes no token along.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask import g, request
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session, joinedload

from evalsys.accounts.models import AccessToken, Account, Scope
from evalsys.base import audit
from evalsys.base.access import Actor, Role
from evalsys.base.clock import now as present
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn
from evalsys.base.language import CHINA
from evalsys.registry.models import Region

OWNERS = (Role.ADMINISTRATOR, Role.OFFICER, Role.AUDITOR)
"""Roles that oversee a branch: what programs can read is what their pages show."""

PREFIX = "evalsys_"  # by which tools that look for leaked secrets know one
DAYS = (30, 90, 180, 365)
USUAL_DAYS = 90
MOST = 20
"""Tokens a person can have at a time."""

SCOPES: dict[Scope, LazyString] = {
    Scope.CYCLES: _l("Cycles of the branch"),
    Scope.PROGRESS: _l("Progress of collecting, by contract and party"),
    Scope.SCORES: _l("Scores of the newest run, also before publication"),
    Scope.CONTRACTS: _l("Contracts of the branch"),
}


@dataclass(frozen=True)
class CreateToken:
    """What a person asks for. `days`: one of `DAYS`."""

    name: str
    region_id: int
    scopes: Collection[Scope]
    days: int


def create_token(session: Session, request: CreateToken, *, actor: Actor, now: datetime) -> str:
    """Make a token for oneself.

    Returns:
        The token; it is shown once and kept nowhere.

    Raises:
        Invalid: it would have no name or scope, or last for none of the offered times.
        NotAllowed: the region is of another branch.
        Conflict: the person has as many as one may.
    """
    name = request.name.strip()
    if not name or not request.scopes or request.days not in DAYS:
        raise Invalid(
            _("A token needs a name, something that it opens, and an end."), remedy=_("Fill in what is missing.")
        )
    region = session.get(Region, request.region_id)
    if region is None:
        raise NotFound(_("There is no such region."), remedy=_("Choose one from the list."))
    actor.require_region(region.path)
    account = session.get_one(Account, actor.account_id)
    if len(tokens_of(session, actor=actor)) >= MOST:
        raise Conflict(
            _("You have %(count)s tokens already.", count=MOST), remedy=_("Revoke one that is not needed any more.")
        )
    token = PREFIX + secrets.token_urlsafe(32)
    scopes = [scope.value for scope in Scope if scope in request.scopes]
    made = AccessToken(
        account_id=account.id,
        region_id=region.id,
        name=name,
        token_hash=_hash(token),
        scopes=" ".join(scopes),
        created_at=now,
        expires_at=now + timedelta(days=request.days),
    )
    session.add(made)
    session.flush()
    detail = {"name": name, "region": region.code, "scopes": scopes, "until": made.expires_at.date().isoformat()}
    audit.record(session, actor=actor, act="accounts.create_token", subject=account.subject, now=now, detail=detail)
    return token


def tokens_of(session: Session, *, actor: Actor) -> Sequence[AccessToken]:
    """The actor's own tokens, the newest first; those that have run out too."""
    return session.scalars(
        select(AccessToken)
        .where(AccessToken.account_id == actor.account_id)
        .options(joinedload(AccessToken.region))
        .order_by(AccessToken.id.desc())
    ).all()


def own_token(session: Session, number: int, *, actor: Actor) -> AccessToken:
    """Raises NotFound where the actor has no such token."""
    token = session.get(AccessToken, number)
    if token is None or token.account_id != actor.account_id:
        raise NotFound(_("You have no such token."), remedy=_("Choose one from the list."))
    return token


def revoke_token(session: Session, token: AccessToken, *, actor: Actor, now: datetime) -> None:
    """End one of one's own tokens."""
    audit.record(
        session,
        actor=actor,
        act="accounts.revoke_token",
        subject=token.account.subject,
        now=now,
        detail={"name": token.name},
    )
    session.delete(token)


def end_all(session: Session, account: Account) -> None:
    """End every token of an account."""
    session.execute(delete(AccessToken).where(AccessToken.account_id == account.id))


def scopes_of(token: AccessToken) -> frozenset[Scope]:
    """What a token opens."""
    return frozenset(map(Scope, token.scopes.split()))


def token_held(session: Session, token: str, *, now: datetime) -> AccessToken | None:
    """The token that a program shows; None when it has ended or its owner may not use it any more."""
    held = session.scalar(
        select(AccessToken)
        .join(AccessToken.account)
        .where(AccessToken.token_hash == _hash(token), AccessToken.expires_at > now, Account.active)
        .options(joinedload(AccessToken.region), joinedload(AccessToken.account).joinedload(Account.region))
    )
    if held is None or held.account.role not in OWNERS or not held.account.as_actor().acts_in(held.region.path):
        return None
    return held


def actor_of_program() -> Actor | None:
    """Who acts by the token that the request carries; its scopes are kept for `require_scope`."""
    kind, _blank, shown = request.headers.get("Authorization", "").partition(" ")
    at = present()
    held = token_held(reading(), shown.strip(), now=at) if kind.lower() == "bearer" else None
    if held is None:
        return None
    g.token_scopes = scopes_of(held)
    actor = replace(held.account.as_actor(), region_path=held.region.path)
    today = at.astimezone(CHINA).date()
    if held.last_used_on != today:
        unused = or_(AccessToken.last_used_on.is_(None), AccessToken.last_used_on < today)
        with transaction() as session:
            session.execute(update(AccessToken).where(AccessToken.id == held.id, unused).values(last_used_on=today))
    return actor


def require_scope(scope: Scope) -> None:
    """Raises NotAllowed where the request's token does not open this."""
    if scope not in g.token_scopes:
        raise NotAllowed(
            _("This token has no scope “%(scope)s”.", scope=scope.value),
            remedy=_("Make another token under “Access tokens” on your desk."),
            headers={"WWW-Authenticate": f'Bearer realm="evalsys", error="insufficient_scope", scope="{scope.value}"'},
        )


def no_token() -> NotSignedIn:
    """What a program without a valid token is told."""
    sent = bool(request.headers.get("Authorization"))
    return NotSignedIn(
        _("The access token is not valid; it may have run out or been revoked.")
        if sent
        else _("This part of the API needs an access token."),
        remedy=_("Make one under “Access tokens” on your desk and send it as “Authorization: Bearer …”."),
        headers={"WWW-Authenticate": 'Bearer realm="evalsys"' + (', error="invalid_token"' if sent else "")},
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
