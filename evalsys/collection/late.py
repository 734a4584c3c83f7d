"""Ratings of named raters that are missing: whose, of what, and for how many days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import Select, String, and_, cast, func, literal, select, union_all
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Actor, Role
from evalsys.base.language import words
from evalsys.base.listing import Sortable
from evalsys.collection.models import Assessment, AssessmentState, Assignment
from evalsys.collection.queries import today
from evalsys.collection.questionnaire import questionnaire
from evalsys.collection.tasks import PARTY_OF
from evalsys.registry.lists import Column, Listing
from evalsys.registry.models import Contract, Cycle, Entry, EvaluatorBody, Purchaser, Region, Vendor
from evalsys.registry.pins import rules_of


def late_list(
    session: Session, cycle: Cycle, *, actor: Actor, now: datetime, party: str = "", all_open: bool = False
) -> Listing:
    """What is not submitted in the actor's branch though its day is over.

    An evaluator's is an assignment; a purchaser's every contract that nobody of the department has submitted.

    Args:
        party: only of this party; empty for both.
        all_open: also what is not due yet.
    """
    day = today(now)
    parts = [
        _assigned(cycle, _asked(session, cycle, Role.EVALUATOR)),
        _bought(cycle, _asked(session, cycle, Role.PURCHASER)),
    ]
    found = union_all(*(part.where(Region.path.startswith(actor.region_path, autoescape=True)) for part in parts))
    rows = found.subquery()
    statement = select(rows)
    if party in PARTY_OF.values():
        statement = statement.where(rows.c.party == party)
    if not all_open:
        statement = statement.where(rows.c.due_on < day)
    sorts = {name: rows.c[name] for name in ("due_on", "party", "body", "rater", "reference", "vendor", "region")}
    return Listing(
        name=_("Missing ratings"),
        statement=statement,
        columns=_columns(cycle, day),
        sorts=sorts,
        default_sort="due_on",
        search=(rows.c.rater, rows.c.body, rows.c.reference, rows.c.title, rows.c.vendor),
        tie=rows.c.key,
    )


def _columns(cycle: Cycle, day: date) -> Sequence[Column]:
    names = {party.code: words(party.name) for party in rules_of(cycle).parties} if cycle.rules else {}
    return (
        Column(_("Days overdue"), lambda row: max((day - row.due_on).days, 0), "due_on"),
        Column(_("Due"), lambda row: row.due_on),
        Column(_("Party"), lambda row: names[row.party], "party"),
        Column(_("Organisation"), lambda row: row.body, "body"),
        Column(_("Rater"), lambda row: row.rater, "rater"),
        Column(_("State"), lambda row: _("Draft") if row.begun else _("Not begun")),
        Column(_("Number"), lambda row: row.reference, "reference"),
        Column(_("Service contract"), lambda row: row.title, link=lambda row: _contract(cycle, row)),
        Column(_("Vendor"), lambda row: row.vendor, "vendor"),
        Column(_("Township or county"), lambda row: row.region, "region"),
    )


def _contract(cycle: Cycle, row: Any) -> str:
    return url_for("registry.entry", code=cycle.code, number=row.entry_id)


def _asked(session: Session, cycle: Cycle, role: Role) -> list[str]:
    """The service types about which the cycle's rules ask a party; none before it has rules."""
    if cycle.rules is None:
        return []
    rules, party = rules_of(cycle), PARTY_OF[role]
    if party not in {one.code for one in rules.parties}:
        return []
    types = session.scalars(select(Contract.service_type).join(Entry).where(Entry.cycle_id == cycle.id).distinct())
    return [kind for kind in types if len(questionnaire(rules, party, kind))]


def _assigned(cycle: Cycle, asked: Sequence[str]) -> Select[Any]:
    """Assignments without a submitted assessment."""
    party = PARTY_OF[Role.EVALUATOR]
    own = and_(
        Assessment.entry_id == Entry.id, Assessment.party == party, Assessment.account_id == Assignment.account_id
    )
    return (
        _rows(
            key=literal("a").concat(cast(Assignment.id, String)),
            party=literal(party),
            body=EvaluatorBody.name,
            rater=Account.name,
            due_on=func.coalesce(Assignment.due_on, Cycle.closes_on),
            begun=Assessment.id.is_not(None),
        )
        .join(Assignment, Assignment.entry_id == Entry.id)
        .join(Account, Assignment.account_id == Account.id)
        .join(EvaluatorBody, Account.evaluator_body_id == EvaluatorBody.id)
        .outerjoin(Assessment, own)
        .where(
            Entry.cycle_id == cycle.id,
            Contract.service_type.in_(asked),
            func.coalesce(Assessment.state, "") != AssessmentState.SUBMITTED,
        )
    )


def _bought(cycle: Cycle, asked: Sequence[str]) -> Select[Any]:
    """Contracts that nobody of the purchaser has submitted an assessment of."""
    party = PARTY_OF[Role.PURCHASER]
    theirs = select(Assessment.id).where(Assessment.entry_id == Entry.id, Assessment.party == party)
    submitted = theirs.where(Assessment.state == AssessmentState.SUBMITTED)
    return (
        _rows(
            key=literal("p").concat(cast(Entry.id, String)),
            party=literal(party),
            body=Purchaser.name,
            rater=literal(""),
            due_on=Cycle.closes_on,
            begun=theirs.exists(),
        )
        .join(Purchaser, Contract.purchaser_id == Purchaser.id)
        .where(Entry.cycle_id == cycle.id, Contract.service_type.in_(asked), ~submitted.exists())
    )


def _rows(**columns: Sortable) -> Select[Any]:
    """A select of these columns by name, then of what is said of the contract; from entries."""
    return (
        select(
            *(column.label(name) for name, column in columns.items()),
            Entry.id.label("entry_id"),
            Contract.reference,
            Contract.title,
            Vendor.name.label("vendor"),
            Region.name.label("region"),
        )
        .select_from(Entry)
        .join(Cycle, Entry.cycle_id == Cycle.id)
        .join(Contract, Entry.contract_id == Contract.id)
        .join(Vendor, Contract.vendor_id == Vendor.id)
        .join(Region, Contract.region_id == Region.id)
    )
