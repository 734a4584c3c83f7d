"""Reads of accounts, and of the regions and bodies one can be given."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from evalsys.accounts.models import Account
from evalsys.base.access import Actor
from evalsys.base.errors import NotFound
from evalsys.base.listing import Page, Wanted, paginate
from evalsys.registry.models import EvaluatorBody, Purchaser, Region


def accounts_page(session: Session, wanted: Wanted, *, actor: Actor) -> Page[Account]:
    """The accounts of the actor's branch."""
    statement = (
        select(Account)
        .join(Account.region)
        .where(Region.path.startswith(actor.region_path, autoescape=True))
        .options(
            joinedload(Account.region),
            joinedload(Account.purchaser),
            joinedload(Account.vendor),
            joinedload(Account.evaluator_body),
        )
    )
    sorts = {
        "username": Account.username,
        "name": Account.name,
        "role": Account.role,
        "region": Region.path,
        "created": Account.created_at,
    }
    return paginate(
        session,
        statement,
        wanted,
        sorts=sorts,
        default_sort="username",
        search=(Account.username, Account.name, Region.name),
        tie=Account.id,
    )


def account(session: Session, username: str, *, actor: Actor) -> Account:
    """One account.

    Raises:
        NotFound: no account has the name.
        NotAllowed: it belongs to another branch.
    """
    found = session.scalar(
        select(Account).where(Account.username == username.lower()).options(joinedload(Account.region))
    )
    if found is None:
        raise NotFound(
            _("There is no account “%(name)s”.", name=username), remedy=_("Choose one from the list of accounts.")
        )
    actor.require_region(found.region.path)
    return found


def regions(session: Session, *, actor: Actor) -> list[Region]:
    """The actor's branch, each region after the one it belongs to."""
    return list(
        session.scalars(
            select(Region).where(Region.path.startswith(actor.region_path, autoescape=True)).order_by(Region.path)
        )
    )


def purchasers(session: Session, *, actor: Actor) -> list[Purchaser]:
    """The purchasers of the actor's branch, by region and name."""
    return list(
        session.scalars(
            select(Purchaser)
            .join(Purchaser.region)
            .where(Region.path.startswith(actor.region_path, autoescape=True))
            .options(joinedload(Purchaser.region))
            .order_by(Region.path, Purchaser.name)
        )
    )


def evaluator_bodies(session: Session, *, actor: Actor) -> list[EvaluatorBody]:
    """The evaluators' bodies of the actor's branch, by name."""
    return list(
        session.scalars(
            select(EvaluatorBody)
            .join(EvaluatorBody.region)
            .where(Region.path.startswith(actor.region_path, autoescape=True))
            .order_by(EvaluatorBody.name)
        )
    )
