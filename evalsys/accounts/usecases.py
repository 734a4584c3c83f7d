"""Adding accounts, changing them, closing them, and their passwords."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts import access_tokens, passwords, signing_in
from evalsys.accounts.models import Account
from evalsys.base import audit
from evalsys.base.access import Actor, Role
from evalsys.base.errors import Conflict, Invalid, NotAllowed, NotFound
from evalsys.base.post import is_address
from evalsys.registry.models import EvaluatorBody, Purchaser, Region, Vendor

_USERNAME = re.compile(r"\w[\w.@-]{2,59}")


@dataclass(frozen=True)
class CreateAccount:
    """What a new account needs; the body's field counts for the roles that act for one.

    An interviewer may be employed by a vendor, whose recipients the person then may not ask.

    Attributes:
        password: None has one made, to be replaced at the first sign-in.
    """

    username: str
    name: str
    role: Role
    region_id: int
    purchaser_id: int | None = None
    vendor_credit_code: str = ""
    evaluator_body_id: int | None = None
    password: str | None = None
    email: str = ""


@dataclass(frozen=True)
class EditAccount:
    """What may change later: a role or a body may not, for the audit trail tells what was done under it."""

    name: str
    region_id: int
    email: str = ""


def create_account(
    session: Session, request: CreateAccount, *, actor: Actor, now: datetime
) -> tuple[Account, str | None]:
    """Add an account inside the actor's branch.

    Returns:
        The account, and its temporary password where none was given.

    Raises:
        Conflict: the user name is taken.
        Invalid: the user name or the password will not do, or the role's body is not named.
        NotAllowed: the region, or the body, is of another branch.
    """
    username = _username(request.username)
    region = _region(session, request.region_id, actor=actor)
    if session.scalar(select(Account.id).where(Account.username == username)) is not None:
        raise Conflict(
            _("The user name “%(name)s” is taken.", name=username), remedy=_("Choose another, or edit that account.")
        )
    temporary = passwords.generated() if request.password is None else None
    if request.password is not None:
        passwords.require_good(request.password, username=username, name=request.name)
    account = Account(
        username=username,
        name=request.name.strip(),
        password=passwords.hashed(temporary or request.password or ""),
        password_is_temporary=temporary is not None,
        active=True,
        role=request.role.value,
        region_id=region.id,
        created_at=now,
        email=_email(request.email),
        **_body(session, request, actor=actor),
    )
    session.add(account)
    session.flush()
    detail = {"name": account.name, "role": account.role, "region": region.code}
    audit.record(session, actor=actor, act="accounts.create_account", subject=account.subject, now=now, detail=detail)
    return account, temporary


def _username(given: str) -> str:
    username = unicodedata.normalize("NFKC", given).strip().lower()
    if not _USERNAME.fullmatch(username):
        raise Invalid(
            _("“%(name)s” cannot be a user name.", name=given),
            remedy=_("Use 3 to 60 letters, digits or characters of . _ - @, without blanks."),
        )
    return username


def _email(given: str) -> str:
    address = given.strip()
    if address and not is_address(address):
        raise Invalid(
            _("“%(address)s” is not an e-mail address.", address=given), remedy=_("Correct it, or leave it empty.")
        )
    return address


def _region(session: Session, region_id: int, *, actor: Actor) -> Region:
    region = session.get(Region, region_id)
    if region is None:
        raise NotFound(_("There is no such region."), remedy=_("Choose one from the list."))
    actor.require_region(region.path)
    return region


def _body(session: Session, request: CreateAccount, *, actor: Actor) -> dict[str, Any]:
    """The column of the body that the role acts for."""
    if request.role == Role.VENDOR or (request.role == Role.INTERVIEWER and request.vendor_credit_code.strip()):
        code = request.vendor_credit_code.strip().upper()
        vendor = session.scalar(select(Vendor).where(Vendor.credit_code == code))
        if vendor is None:
            raise Invalid(
                _("No vendor has the credit code “%(code)s”.", code=code),
                remedy=_("Check the code, or add the vendor to the register first."),
            )
        return {"vendor_id": vendor.id}
    if request.role == Role.PURCHASER:
        return {"purchaser_id": _own_body(session.get(Purchaser, request.purchaser_id or 0), actor=actor)}
    if request.role == Role.EVALUATOR:
        return {"evaluator_body_id": _own_body(session.get(EvaluatorBody, request.evaluator_body_id or 0), actor=actor)}
    return {}


def _own_body(body: Purchaser | EvaluatorBody | None, *, actor: Actor) -> int:
    if body is None:
        raise Invalid(_("The body that the account acts for is missing."), remedy=_("Choose one from the list."))
    actor.require_region(body.region.path)
    return body.id


def edit_account(session: Session, account: Account, request: EditAccount, *, actor: Actor, now: datetime) -> None:
    """Change the name, the e-mail address or the region; both the old and the new region lie in the actor's branch."""
    actor.require_region(account.region.path)
    region = _region(session, request.region_id, actor=actor)
    if account.id == actor.account_id and region.id != account.region_id:
        raise NotAllowed(
            _("You cannot move your own account to another region."), remedy=_("Ask another administrator to do it.")
        )
    after = {"name": request.name.strip(), "region": region.code}
    before = {"name": account.name, "region": account.region.code}
    email = _email(request.email)
    changed = {"e-mail": "changed"} if email != account.email else {}  # the trail is kept for ever, and names none
    if after == before and not changed:
        return
    account.name, account.region, account.email = request.name.strip(), region, email
    session.flush()
    audit.record(
        session,
        actor=actor,
        act="accounts.edit_account",
        subject=account.subject,
        now=now,
        detail={"before": before, "after": after, **changed},
    )


def close_account(session: Session, account: Account, *, actor: Actor, now: datetime) -> None:
    """Let nobody sign in with the account any more and end its access tokens; what was done with it stays.

    Raises:
        NotAllowed: it is the actor's own, or of another branch.
        Conflict: it is closed already.
    """
    actor.require_region(account.region.path)
    if account.id == actor.account_id:
        raise NotAllowed(_("You cannot close your own account."), remedy=_("Ask another administrator to do it."))
    if not account.active:
        raise Conflict(_("The account is closed already."))
    account.active = False
    signing_in.end_all(session, account)
    access_tokens.end_all(session, account)
    audit.record(session, actor=actor, act="accounts.close_account", subject=account.subject, now=now)


def reopen_account(session: Session, account: Account, *, actor: Actor, now: datetime) -> None:
    """Let a closed account sign in again.

    Raises:
        Conflict: it is open already.
    """
    actor.require_region(account.region.path)
    if account.active:
        raise Conflict(_("The account is open already."))
    account.active = True
    audit.record(session, actor=actor, act="accounts.reopen_account", subject=account.subject, now=now)


def reset_password(session: Session, account: Account, *, actor: Actor, now: datetime) -> str:
    """Give an account a temporary password; end its sign-ins and access tokens.

    Returns:
        The password; it is shown once and kept nowhere.

    Raises:
        NotAllowed: it is the actor's own (which changes with the old one), or of another branch.
    """
    actor.require_region(account.region.path)
    if account.id == actor.account_id:
        raise NotAllowed(
            _("You cannot reset your own password."), remedy=_("Change it under “My password”, with the present one.")
        )
    temporary = passwords.generated()
    account.password, account.password_is_temporary = passwords.hashed(temporary), True
    signing_in.end_all(session, account)
    access_tokens.end_all(session, account)
    signing_in.forget_tries_of(session, account)
    audit.record(session, actor=actor, act="accounts.reset_password", subject=account.subject, now=now)
    return temporary


def change_own_password(session: Session, present: str, fresh: str, *, token: str, actor: Actor, now: datetime) -> None:
    """Replace one's own password; other browsers are signed out.

    Args:
        token: of the sign-in that goes on.

    Raises:
        Invalid: the present password is wrong, or the new one will not do.
    """
    account = session.get_one(Account, actor.account_id)
    if not passwords.matches(account.password, present):
        raise Invalid(_("The present password is wrong."), remedy=_("Enter the password you signed in with."))
    if present == fresh:
        raise Invalid(_("The new password is the old one."), remedy=_("Choose another."))
    passwords.require_good(fresh, username=account.username, name=account.name)
    account.password, account.password_is_temporary = passwords.hashed(fresh), False
    signing_in.end_all(session, account, but=token)
    signing_in.forget_tries_of(session, account)
    audit.record(session, actor=actor, act="accounts.change_own_password", subject=account.subject, now=now)
