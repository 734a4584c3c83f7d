"""Making a plan, its candidates, their points, and the decision, which a person makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Invalid, NotFound
from evalsys.registry.models import Purchaser, Region, Vendor
from evalsys.registry.pinning import store_rules
from evalsys.registry.pins import rules_of_version
from evalsys.selection import queries
from evalsys.selection.law import Weights, require_lawful, use_of
from evalsys.selection.models import Candidate, Decision, Plan
from evalsys.selection.sheet import Sheet, sheet_of

SHORTEST_GROUND = 10


@dataclass(frozen=True)
class PlanFacts:
    """What a plan says; `use` is a code of the rules' uses, `reference_fen` the price that earns all points."""

    title: str
    year: int
    purchaser_id: int
    service_type: str
    use: str
    weights: Weights
    reference_fen: int | None = None


@dataclass(frozen=True)
class Points:
    """What was entered for one candidate; None: not yet."""

    technical: float | None
    offer_fen: int | None


@dataclass(frozen=True)
class Choice:
    """A person's decision. `seen`: fingerprint of the sheet it was made on."""

    credit_code: str
    ground: str
    seen: str


def create_plan(session: Session, facts: PlanFacts, *, actor: Actor, now: datetime) -> Plan:
    """Make a plan under the rules in force in the purchaser's region.

    Raises:
        Invalid: the weights break a rule; the details name each.
        NotAllowed: the purchaser is of another branch.
    """
    region = _region_of(session, facts.purchaser_id, actor=actor)
    rules = queries.rules_in_force(session, region.path) or store_rules(
        session, config.SHIPPED_RULES.read_bytes(), name=config.SHIPPED_RULES.name, now=now
    )
    plan = Plan(rules=rules, created_at=now, created_by=actor.name)
    _take(plan, facts, region)
    session.add(plan)
    session.flush()
    audit.record(
        session, actor=actor, act="selection.create_plan", subject=_subject(plan), now=now, detail=_said(facts)
    )
    return plan


def edit_plan(session: Session, plan_id: int, facts: PlanFacts, *, actor: Actor, now: datetime) -> Plan:
    """Change a plan that is not decided yet.

    Raises:
        Conflict: it is decided, or its reference price would change after an offer was entered.
        Invalid: the weights or the reference break a rule.
    """
    plan = _open_plan(session, plan_id, actor=actor)
    if facts.reference_fen != plan.reference_fen and any(one.offer_fen is not None for one in plan.candidates):
        raise Conflict(
            _("Offers have been entered: the reference price they are scored against stays as it was fixed before."),
            remedy=_("Keep the reference price, or make a new plan and fix it there before any offer is entered."),
        )
    _take(plan, facts, _region_of(session, facts.purchaser_id, actor=actor))
    audit.record(session, actor=actor, act="selection.edit_plan", subject=_subject(plan), now=now, detail=_said(facts))
    return plan


def _region_of(session: Session, purchaser_id: int, *, actor: Actor) -> Region:
    purchaser = session.get(Purchaser, purchaser_id)
    if purchaser is None:
        raise NotFound(_("There is no such purchaser."), remedy=_("Choose one from the list."))
    actor.require_region(purchaser.region.path)
    return purchaser.region


def _take(plan: Plan, facts: PlanFacts, region: Region) -> None:
    use = use_of(rules_of_version(plan.rules), facts.use)
    require_lawful(facts.weights, use, reference_fen=facts.reference_fen)
    plan.title, plan.year, plan.service_type, plan.use = facts.title.strip(), facts.year, facts.service_type, facts.use
    plan.purchaser_id, plan.region_id = facts.purchaser_id, region.id
    plan.weight_technical = float(facts.weights.technical / 100)
    plan.weight_price = float(facts.weights.price / 100)
    plan.weight_past = float(facts.weights.past / 100)
    plan.reference_fen = facts.reference_fen


def _said(facts: PlanFacts) -> dict[str, object]:
    weights = facts.weights
    return {
        "title": facts.title.strip(),
        "year": facts.year,
        "service_type": facts.service_type,
        "use": facts.use,
        "weights": [f"{share:f}" for share in (weights.technical, weights.price, weights.past)],
        "reference_fen": facts.reference_fen,
    }


def _subject(plan: Plan) -> str:
    return f"selection_plan:{plan.id}"


def _open_plan(session: Session, plan_id: int, *, actor: Actor) -> Plan:
    """The plan, held for this transaction; raises Conflict when it is decided."""
    plan = queries.plan(session, plan_id, actor=actor, lock=True)
    if plan.decision is not None:
        raise Conflict(
            _("This selection is decided; the plan and its points stand as they were."),
            remedy=_("Make a new plan if the choice has to be made again."),
        )
    return plan


def add_candidate(session: Session, plan_id: int, credit_code: str, *, actor: Actor, now: datetime) -> Vendor:
    """Add a vendor of the register to a plan.

    Raises:
        Conflict: it is a candidate already, or the plan is decided.
        NotFound: the register has no such vendor.
    """
    plan = _open_plan(session, plan_id, actor=actor)
    vendor = queries.vendor(session, credit_code)
    if any(candidate.vendor_id == vendor.id for candidate in plan.candidates):
        raise Conflict(
            _("“%(name)s” is a candidate already.", name=vendor.name),
            remedy=_("Every vendor stands once on the sheet."),
        )
    plan.candidates.append(Candidate(vendor=vendor))
    session.flush()
    audit.record(
        session,
        actor=actor,
        act="selection.add_candidate",
        subject=_subject(plan),
        now=now,
        detail={"vendor": vendor.credit_code},
    )
    return vendor


def remove_candidate(session: Session, plan_id: int, credit_code: str, *, actor: Actor, now: datetime) -> Vendor:
    """Take a vendor off a plan, with the points entered for it.

    Raises:
        Conflict: the plan is decided.
        NotFound: it is no candidate.
    """
    plan = _open_plan(session, plan_id, actor=actor)
    vendor = queries.vendor(session, credit_code)
    candidate = next((one for one in plan.candidates if one.vendor_id == vendor.id), None)
    if candidate is None:
        raise NotFound(_("“%(name)s” is no candidate of this plan.", name=vendor.name))
    plan.candidates.remove(candidate)
    detail = {"vendor": vendor.credit_code, "technical": candidate.technical, "offer_fen": candidate.offer_fen}
    audit.record(session, actor=actor, act="selection.remove_candidate", subject=_subject(plan), now=now, detail=detail)
    return vendor


def enter_points(session: Session, plan_id: int, points: Mapping[int, Points], *, actor: Actor, now: datetime) -> int:
    """Set the points of candidates; those not named keep theirs.

    Args:
        points: by candidate's id.

    Returns:
        How many candidates' points changed.

    Raises:
        Conflict: the plan is decided, or a candidate has been taken off meanwhile.
        Invalid: points below 0 or above 100, or an offer of nothing.
    """
    plan = _open_plan(session, plan_id, actor=actor)
    candidates = {candidate.id: candidate for candidate in plan.candidates}
    if not points.keys() <= candidates.keys():
        raise Conflict(
            _("Somebody has taken a candidate off the plan meanwhile."), remedy=_("Reload the page and enter again.")
        )
    changed = {}
    for key, entered in points.items():
        candidate = candidates[key]
        _require_in_range(candidate, entered)
        if (candidate.technical, candidate.offer_fen) == (entered.technical, entered.offer_fen):
            continue
        changed[candidate.vendor.credit_code] = {
            "before": [candidate.technical, candidate.offer_fen],
            "after": [entered.technical, entered.offer_fen],
        }
        candidate.technical, candidate.offer_fen = entered.technical, entered.offer_fen
    if changed:
        audit.record(
            session, actor=actor, act="selection.enter_points", subject=_subject(plan), now=now, detail=changed
        )
    return len(changed)


def _require_in_range(candidate: Candidate, entered: Points) -> None:
    if entered.technical is not None and not 0 <= entered.technical <= 100:
        raise Invalid(
            _("%(name)s: %(value)s is outside 0 to 100 points.", name=candidate.vendor.name, value=entered.technical),
            remedy=_("Enter points from 0 to 100, or leave the field empty for now."),
        )
    if entered.offer_fen is not None and entered.offer_fen <= 0:
        raise Invalid(
            _("%(name)s: an offered price is above 0.", name=candidate.vendor.name),
            remedy=_("Enter the price in yuan, or leave the field empty for now."),
        )


def require_complete(sheet: Sheet) -> None:
    """Raises Invalid, naming whose points are missing, unless every candidate has a total."""
    if not sheet.lines:
        raise Invalid(_("The plan has no candidates yet."), remedy=_("Add the vendors to choose from."))
    missing = [line.vendor_name for line in sheet.lines if line.total is None]
    if missing:
        raise Invalid(
            ngettext(
                "The points of %(num)s candidate are not all entered.",
                "The points of %(num)s candidates are not all entered.",
                len(missing),
            ),
            remedy=_("Enter the points of every candidate, or take it off the plan; then decide."),
            details=missing,
        )


def check_choice(sheet: Sheet, choice: Choice) -> None:
    """What a decision has to fulfil on this sheet.

    Raises:
        Conflict: the sheet is not the one that was seen any more.
        Invalid: the ground is too short, or the vendor is no candidate.
    """
    ground = choice.ground.strip()
    if len(ground) < SHORTEST_GROUND:
        raise Invalid(
            _("The ground has %(length)s characters.", length=len(ground)),
            remedy=_("Write at least %(count)s: why this vendor.", count=SHORTEST_GROUND),
        )
    if choice.seen != sheet.fingerprint:
        raise Conflict(_("The sheet has changed since you looked at it."), remedy=_("Look at it again, then decide."))
    if all(line.credit_code != choice.credit_code for line in sheet.lines):
        raise Invalid(
            _("“%(name)s” is no candidate of this plan.", name=choice.credit_code), remedy=_("Choose a candidate.")
        )


def decide(session: Session, plan_id: int, choice: Choice, *, actor: Actor, now: datetime) -> Decision:
    """Keep a person's decision with its ground and the whole sheet; nothing changes it afterwards.

    Raises:
        Conflict: the plan is decided, or the sheet is not the one that was seen any more.
        Invalid: the ground is too short, points are missing, or the vendor is no candidate.
    """
    plan = _open_plan(session, plan_id, actor=actor)
    sheet = sheet_of(session, plan)
    require_complete(sheet)
    check_choice(sheet, choice)
    vendor, ground = queries.vendor(session, choice.credit_code), choice.ground.strip()
    decision = Decision(
        plan=plan, vendor=vendor, ground=ground, decided_at=now, decided_by=actor.name, sheet=sheet.as_json()
    )
    session.add(decision)
    session.flush()
    line = sheet.line(vendor.credit_code)
    audit.record(
        session,
        actor=actor,
        act="selection.decide",
        subject=_subject(plan),
        now=now,
        detail={"vendor": vendor.credit_code, "place": line.place, "best": line.best, "ground": ground},
    )
    return decision
