"""The bodies that act: purchasers, vendors, and the bodies of third-party evaluators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, NotAllowed, NotFound
from evalsys.registry import changes, credit_code
from evalsys.registry.models import Contract, EvaluatorBody, Purchaser, Region, Vendor


@dataclass(frozen=True)
class VendorFacts:
    """What is said of a vendor; the code may be written in any way that `credit_code.checked` takes."""

    credit_code: str
    name: str
    address: str = ""
    contact: str = ""
    phone: str = ""


def vendor_by_code(session: Session, code: str) -> Vendor:
    """Raises NotFound for a code nobody holds."""
    vendor = session.scalar(select(Vendor).where(Vendor.credit_code == code))
    if vendor is None:
        raise NotFound(
            _("There is no vendor with the credit code %(code)s.", code=code),
            remedy=_("Look for its name in the list of vendors, or add it."),
        )
    return vendor


def register_vendor(session: Session, facts: VendorFacts, *, actor: Actor, now: datetime) -> Vendor:
    """Add a vendor; refuse a credit code already held."""
    code = credit_code.checked(facts.credit_code)
    _refuse_held(session, Vendor, code)
    vendor = Vendor(**(vars(facts) | {"credit_code": code}))
    session.add(vendor)
    session.flush()
    audit.record(session, actor=actor, act="registry.register_vendor", subject=f"vendor:{code}", now=now)
    return vendor


def edit_vendor(session: Session, vendor: Vendor, facts: VendorFacts, *, actor: Actor, now: datetime) -> None:
    """Change what is said of a vendor that works in no other branch than the actor's."""
    if works_outside(session, vendor, actor):
        raise NotAllowed(
            _("“%(name)s” also works in other regions.", name=vendor.name),
            remedy=_("Ask the administrator of the region above yours to change it."),
        )
    code = credit_code.checked(facts.credit_code)
    if code != vendor.credit_code:
        _refuse_held(session, Vendor, code)
    subject = f"vendor:{vendor.credit_code}"
    changed = changes.apply(vendor, vars(facts) | {"credit_code": code})
    audit.record(session, actor=actor, act="registry.edit_vendor", subject=subject, now=now, detail=changed)


def works_outside(session: Session, vendor: Vendor, actor: Actor) -> bool:
    """Whether the vendor has a contract outside the actor's branch."""
    outside = (
        exists()
        .where(Contract.vendor_id == vendor.id, Contract.region_id == Region.id)
        .where(~Region.path.startswith(actor.region_path, autoescape=True))
    )
    return bool(session.scalar(select(outside)))


def _refuse_held(session: Session, model: type[Vendor] | type[EvaluatorBody], code: str) -> None:
    holder = session.scalar(select(model.name).where(model.credit_code == code))
    if holder is not None:
        raise Conflict(
            _("The credit code %(code)s already belongs to “%(name)s”.", code=code, name=holder),
            remedy=_("Edit that one, or check the code."),
        )


def add_purchaser(session: Session, *, name: str, region: Region, actor: Actor, now: datetime) -> Purchaser:
    """Add a department that buys services in a region."""
    actor.require_region(region.path)
    _refuse_named(session, name, region)
    purchaser = Purchaser(name=name, region_id=region.id)
    session.add(purchaser)
    session.flush()
    audit.record(session, actor=actor, act="registry.add_purchaser", subject=f"purchaser:{region.code}:{name}", now=now)
    return purchaser


def edit_purchaser(
    session: Session, purchaser: Purchaser, *, name: str, region: Region, actor: Actor, now: datetime
) -> None:
    """Rename a purchaser or move it within the actor's branch."""
    actor.require_region(purchaser.region.path)
    actor.require_region(region.path)
    if (name, region.id) != (purchaser.name, purchaser.region_id):
        _refuse_named(session, name, region)
    subject = f"purchaser:{purchaser.region.code}:{purchaser.name}"
    changed = changes.apply(purchaser, {"name": name, "region_id": region.id})
    audit.record(session, actor=actor, act="registry.edit_purchaser", subject=subject, now=now, detail=changed)


def _refuse_named(session: Session, name: str, region: Region) -> None:
    if session.scalar(select(exists().where(Purchaser.name == name, Purchaser.region_id == region.id))):
        raise Conflict(
            _("“%(name)s” is registered in %(region)s already.", name=name, region=region.name),
            remedy=_("Use that one, or give this one its full name."),
        )


def add_evaluator_body(
    session: Session, *, code: str, name: str, region: Region, actor: Actor, now: datetime
) -> EvaluatorBody:
    """Add a body of third-party evaluators."""
    actor.require_region(region.path)
    code = credit_code.checked(code)
    _refuse_held(session, EvaluatorBody, code)
    body = EvaluatorBody(credit_code=code, name=name, region_id=region.id)
    session.add(body)
    session.flush()
    audit.record(session, actor=actor, act="registry.add_evaluator_body", subject=f"evaluator_body:{code}", now=now)
    return body


def edit_evaluator_body(
    session: Session, body: EvaluatorBody, *, code: str, name: str, region: Region, actor: Actor, now: datetime
) -> None:
    """Change what is said of a body of evaluators."""
    actor.require_region(body.region.path)
    actor.require_region(region.path)
    code = credit_code.checked(code)
    if code != body.credit_code:
        _refuse_held(session, EvaluatorBody, code)
    subject = f"evaluator_body:{body.credit_code}"
    changed = changes.apply(body, {"credit_code": code, "name": name, "region_id": region.id})
    audit.record(session, actor=actor, act="registry.edit_evaluator_body", subject=subject, now=now, detail=changed)
