"""Reads of plans and of what a plan can be made from."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from evalsys import config
from evalsys.base.access import Actor
from evalsys.base.errors import NotFound
from evalsys.base.language import words
from evalsys.base.listing import Page, Wanted, paginate
from evalsys.registry.models import Cycle, Purchaser, Region, RulesVersion, Vendor
from evalsys.registry.pins import rules_of_version
from evalsys.rules.loading import load
from evalsys.rules.model import SelectionUse, ServiceType
from evalsys.selection.law import use_of
from evalsys.selection.models import Candidate, Plan


def plans_page(session: Session, wanted: Wanted, *, actor: Actor) -> Page[Plan]:
    """The plans of the actor's branch."""
    statement = (
        select(Plan)
        .join(Plan.region)
        .join(Plan.purchaser)
        .where(Region.path.startswith(actor.region_path, autoescape=True))
        .options(
            joinedload(Plan.region),
            joinedload(Plan.purchaser),
            joinedload(Plan.rules),
            joinedload(Plan.decision),
            selectinload(Plan.candidates),
        )
    )
    return paginate(
        session,
        statement,
        wanted,
        sorts={"title": Plan.title, "year": Plan.year, "purchaser": Purchaser.name, "region": Region.path},
        default_sort="-year",
        search=(Plan.title, Purchaser.name, Region.name),
        tie=Plan.id,
    )


def plan(session: Session, plan_id: int, *, actor: Actor, lock: bool = False) -> Plan:
    """One plan with everything its sheet needs.

    Args:
        lock: hold the plan's row until the transaction ends, so that two acts on it follow each other.

    Raises:
        NotFound: there is no such plan.
        NotAllowed: it is of another branch.
    """
    statement = select(Plan).where(Plan.id == plan_id)
    statement = (
        statement.with_for_update()
        if lock
        else statement.options(
            joinedload(Plan.region),
            joinedload(Plan.purchaser),
            joinedload(Plan.rules),
            joinedload(Plan.decision),
            selectinload(Plan.candidates).joinedload(Candidate.vendor),
        )
    )
    found = session.scalar(statement)
    if found is None:
        raise NotFound(_("There is no such selection plan."), remedy=_("Choose one from the list of plans."))
    actor.require_region(found.region.path)
    return found


def rules_in_force(session: Session, region_path: str) -> RulesVersion | None:
    """The rules of the newest cycle that the region lies in, or else that lies in the region; None without any."""
    around = func.substr(region_path, 1, func.length(Region.path)) == Region.path
    below = Region.path.startswith(region_path, autoescape=True)
    return session.scalar(
        select(RulesVersion)
        .join(Cycle, Cycle.rules_id == RulesVersion.id)
        .join(Region, Region.id == Cycle.region_id)
        .where(or_(around, below))
        .order_by(around.desc(), Cycle.year.desc(), Cycle.id.desc())
        .limit(1)
    )


@dataclass(frozen=True)
class PlanChoices:
    """What a plan can be made from; purchasers by id and label."""

    purchasers: list[tuple[int, str]]
    service_types: tuple[ServiceType, ...]
    uses: tuple[SelectionUse, ...]


def plan_choices(session: Session, plan: Plan | None, *, actor: Actor) -> PlanChoices:
    """The purchasers of the actor's branch, and what the rules of the plan (or, for a new one, in force) name."""
    version = plan.rules if plan else rules_in_force(session, actor.region_path)
    rules = rules_of_version(version) if version else load(config.SHIPPED_RULES)
    rows = session.execute(
        select(Purchaser.id, Region.name, Purchaser.name)
        .join(Purchaser.region)
        .where(Region.path.startswith(actor.region_path, autoescape=True))
        .order_by(Region.path, Purchaser.name)
    )
    labelled = [(key, f"{region} · {name}") for key, region, name in rows]
    return PlanChoices(labelled, rules.service_types, rules.selection.uses)


def use_name(plan: Plan) -> str:
    """The plan's way of choosing in the reader's language."""
    return words(use_of(rules_of_version(plan.rules), plan.use).name)


def vendors_page(session: Session, wanted: Wanted) -> Page[Vendor]:
    """The register of vendors, to take candidates from."""
    return paginate(
        session,
        select(Vendor),
        wanted,
        sorts={"name": Vendor.name, "code": Vendor.credit_code},
        default_sort="name",
        search=(Vendor.name, Vendor.credit_code),
        tie=Vendor.id,
    )


def vendor(session: Session, credit_code: str) -> Vendor:
    """Raises NotFound for a code that the register does not hold."""
    found = session.scalar(select(Vendor).where(Vendor.credit_code == credit_code.strip().upper()))
    if found is None:
        raise NotFound(
            _("No vendor has the credit code “%(code)s”.", code=credit_code),
            remedy=_("Check the code, or add the vendor to the register first."),
        )
    return found
