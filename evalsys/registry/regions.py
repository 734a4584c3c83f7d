"""The tree of regions: cities, their counties, and the townships of those."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Invalid, NotAllowed, NotFound
from evalsys.registry.models import Region, RegionLevel

BELOW = {
    None: RegionLevel.CITY,
    RegionLevel.CITY: RegionLevel.COUNTY,
    RegionLevel.COUNTY: RegionLevel.TOWNSHIP,
}


def level_name(level: str) -> str:
    """A level in the reader's language."""
    names: dict[str, str] = {
        RegionLevel.CITY.value: _("City"),
        RegionLevel.COUNTY.value: _("County or district"),
        RegionLevel.TOWNSHIP.value: _("Township or street"),
    }
    return names[level]


def branch(session: Session, path: str) -> Sequence[Region]:
    """The regions of a branch, each after its parent."""
    return session.scalars(
        select(Region).where(Region.path.startswith(path, autoescape=True)).order_by(Region.path)
    ).all()


def region_by_code(session: Session, code: str, *, actor: Actor) -> Region:
    """Raises NotFound, NotAllowed outside the actor's branch."""
    region = session.scalar(select(Region).where(Region.code == code))
    if region is None:
        raise NotFound(_("There is no region %(code)s.", code=code), remedy=_("Choose one from the list of regions."))
    actor.require_region(region.path)
    return region


def add_region(session: Session, *, code: str, name: str, parent: Region | None, actor: Actor, now: datetime) -> Region:
    """Add a region below another; only who acts for the whole tree adds a city."""
    if parent is None and actor.region_path:
        raise NotAllowed(_("A new city is added on the command line."), remedy="evalsys import regions FILE")
    actor.require_region(parent.path if parent else "")
    level = BELOW.get(RegionLevel(parent.level) if parent else None)
    if level is None:
        raise Invalid(_("A township has no regions below it."), remedy=_("Choose a county or a city."))
    if session.scalar(select(exists().where(Region.code == code))):
        raise Conflict(_("There is a region %(code)s already.", code=code), remedy=_("Check the code."))
    region = Region(
        code=code,
        name=name,
        level=level.value,
        parent_id=parent.id if parent else None,
        path=f"{parent.path if parent else ''}{code}/",
    )
    session.add(region)
    session.flush()
    audit.record(session, actor=actor, act="registry.add_region", subject=f"region:{code}", now=now)
    return region


def rename_region(session: Session, region: Region, name: str, *, actor: Actor, now: datetime) -> None:
    """Change a region's name; its code and place in the tree stay."""
    actor.require_region(region.path)
    detail = {"name": [region.name, name]}
    region.name = name
    audit.record(
        session, actor=actor, act="registry.rename_region", subject=f"region:{region.code}", now=now, detail=detail
    )
