"""Reads of accounts, and of the regions and bodies one can be given."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Choices:
    """What a new account can be given in the actor's branch: ids with their labels."""

    regions: list[tuple[int, str]]
    purchasers: list[tuple[int, str]]
    evaluator_bodies: list[tuple[int, str]]


def choices(session: Session, *, actor: Actor) -> Choices:
    """Regions in the order of the tree, the lower ones indented; bodies by region and name."""
    in_branch = Region.path.startswith(actor.region_path, autoescape=True)
    regions = session.scalars(select(Region).where(in_branch).order_by(Region.path)).all()
    top = min((region.path.count("/") for region in regions), default=0)
    purchasers = session.execute(
        select(Purchaser.id, Region.name, Purchaser.name)
        .join(Purchaser.region)
        .where(in_branch)
        .order_by(Region.path, Purchaser.name)
    )
    bodies = session.execute(
        select(EvaluatorBody.id, Region.name, EvaluatorBody.name)
        .join(EvaluatorBody.region)
        .where(in_branch)
        .order_by(Region.path, EvaluatorBody.name)
    )
    return Choices(
        regions=[(region.id, "\u3000" * (region.path.count("/") - top) + region.name) for region in regions],
        purchasers=[(key, f"{region} · {name}") for key, region, name in purchasers],
        evaluator_bodies=[(key, f"{region} · {name}") for key, region, name in bodies],
    )
