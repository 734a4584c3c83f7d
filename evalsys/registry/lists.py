"""The long lists of the registry: which columns each has, what may be searched and sorted, and its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, contains_eager

from evalsys.base.access import Actor, Role
from evalsys.base.listing import Page, Sortable, Wanted, paginate
from evalsys.base.tables import Cell, Sheet
from evalsys.registry import catalogue, cycles
from evalsys.registry.models import Contract, Cycle, Entry, EvaluatorBody, Purchaser, Region, Vendor

EVERYTHING = 1_000_000  # rows of a file; a page shows 25


@dataclass(frozen=True)
class Column:
    """A column of a list.

    Attributes:
        heading: in the reader's language.
        value: of a row; money as Decimal yuan.
        sort: the name the address sorts by, where it can.
        link: where the value leads, where it does.
    """

    heading: str
    value: Callable[[Any], Cell]
    sort: str = ""
    link: Callable[[Any], str] | None = None


@dataclass(frozen=True)
class Listing:
    """A list as a page and as a file."""

    name: str
    statement: Select[Any]
    columns: Sequence[Column]
    sorts: Mapping[str, Sortable]
    default_sort: str
    search: Sequence[Sortable]
    tie: Sortable

    def page(self, session: Session, wanted: Wanted) -> Page[Any]:
        return paginate(
            session,
            self.statement,
            wanted,
            sorts=self.sorts,
            default_sort=self.default_sort,
            search=self.search,
            tie=self.tie,
        )

    def sheet(self, session: Session, wanted: Wanted) -> Sheet:
        """Everything that matches, on all pages, in the order of the screen."""
        rows = self.page(session, replace(wanted, page=1, size=EVERYTHING)).rows
        values = ([column.value(row) for column in self.columns] for row in rows)
        return Sheet(self.name, [column.heading for column in self.columns], values)


def _inside(actor: Actor) -> Any:
    return Region.path.startswith(actor.region_path, autoescape=True)


def purchasers(actor: Actor) -> Listing:
    """Purchasers of the actor's branch."""
    return Listing(
        name=_("Purchasers"),
        statement=select(Purchaser)
        .join(Purchaser.region)
        .options(contains_eager(Purchaser.region))
        .where(_inside(actor)),
        columns=(
            Column(_("Name"), lambda p: p.name, "name", lambda p: url_for("registry.purchaser", number=p.id)),
            Column(_("Region"), lambda p: p.region.name, "region"),
        ),
        sorts={"name": Purchaser.name, "region": Region.path},
        default_sort="region",
        search=(Purchaser.name, Region.name),
        tie=Purchaser.id,
    )


def evaluator_bodies(actor: Actor) -> Listing:
    """Bodies of evaluators in the actor's branch, and those of the regions above it."""
    above = [actor.region_path[: place + 1] for place, c in enumerate(actor.region_path) if c == "/"]
    return Listing(
        name=_("Third-party evaluators"),
        statement=select(EvaluatorBody)
        .join(EvaluatorBody.region)
        .options(contains_eager(EvaluatorBody.region))
        .where(or_(_inside(actor), Region.path.in_(above))),
        columns=(
            Column(
                _("Name"), lambda b: b.name, "name", lambda b: url_for("registry.evaluator_body", code=b.credit_code)
            ),
            Column(_("Credit code"), lambda b: b.credit_code, "code"),
            Column(_("Region"), lambda b: b.region.name, "region"),
        ),
        sorts={"name": EvaluatorBody.name, "code": EvaluatorBody.credit_code, "region": Region.path},
        default_sort="name",
        search=(EvaluatorBody.name, EvaluatorBody.credit_code),
        tie=EvaluatorBody.id,
    )


def vendors(actor: Actor) -> Listing:
    """All vendors: organisations work in many regions. Contacts are for those who administer."""
    columns = [
        Column(_("Name"), lambda v: v.name, "name", lambda v: url_for("registry.vendor", code=v.credit_code)),
        Column(_("Credit code"), lambda v: v.credit_code, "code"),
        Column(_("Address"), lambda v: v.address),
    ]
    if actor.role is Role.ADMINISTRATOR:
        columns += [Column(_("Contact"), lambda v: v.contact), Column(_("Phone"), lambda v: v.phone)]
    return Listing(
        name=_("Vendors"),
        statement=select(Vendor),
        columns=columns,
        sorts={"name": Vendor.name, "code": Vendor.credit_code},
        default_sort="name",
        search=(Vendor.name, Vendor.credit_code),
        tie=Vendor.id,
    )


def contracts(
    actor: Actor, *, region: Region | None = None, service_type: str = "", vendor: Vendor | None = None
) -> Listing:
    """Contracts that the actor may read: a vendor its own, everybody else those of the branch."""
    statement = (
        select(Contract)
        .join(Contract.vendor)
        .join(Contract.purchaser)
        .join(Region, Region.id == Contract.region_id)
        .options(contains_eager(Contract.vendor), contains_eager(Contract.purchaser), contains_eager(Contract.region))
    )
    if actor.role is Role.VENDOR:
        statement = statement.where(Contract.vendor_id == actor.vendor_id)
    else:
        statement = statement.where(_inside(actor))
    if region is not None:
        statement = statement.where(Region.path.startswith(region.path, autoescape=True))
    if service_type:
        statement = statement.where(Contract.service_type == service_type)
    if vendor is not None:
        statement = statement.where(Contract.vendor_id == vendor.id)
    return Listing(
        name=_("Contracts"),
        statement=statement,
        columns=_contract_columns(),
        sorts={
            "reference": Contract.reference,
            "title": Contract.title,
            "vendor": Vendor.name,
            "purchaser": Purchaser.name,
            "region": Region.path,
            "type": Contract.service_type,
            "amount": Contract.amount_fen,
            "starts": Contract.starts_on,
            "ends": Contract.ends_on,
            "served": Contract.recipients_served,
        },
        default_sort="reference",
        search=(Contract.reference, Contract.title, Vendor.name, Vendor.credit_code, Purchaser.name),
        tie=Contract.id,
    )


def _contract_columns() -> Sequence[Column]:
    return (
        Column(_("Reference"), lambda c: c.reference, "reference", lambda c: url_for("registry.contract", number=c.id)),
        Column(_("Title"), lambda c: c.title, "title"),
        Column(_("Vendor"), lambda c: c.vendor.name, "vendor"),
        Column(_("Purchaser"), lambda c: c.purchaser.name, "purchaser"),
        Column(_("Region"), lambda c: c.region.name, "region"),
        Column(_("Service type"), lambda c: catalogue.service_type_name(c.service_type), "type"),
        Column(_("Amount (yuan)"), lambda c: Decimal(c.amount_fen) / 100, "amount"),
        Column(_("Starts on"), lambda c: c.starts_on, "starts"),
        Column(_("Ends on"), lambda c: c.ends_on, "ends"),
        Column(_("Number of recipients"), lambda c: c.recipients_served, "served"),
    )


def cycles_of(actor: Actor) -> Listing:
    """Cycles of the actor's branch and of the regions above it, which evaluate the branch too."""
    above = [actor.region_path[: place + 1] for place, c in enumerate(actor.region_path) if c == "/"]
    return Listing(
        name=_("Cycles"),
        statement=select(Cycle)
        .join(Cycle.region)
        .options(contains_eager(Cycle.region))
        .where(or_(_inside(actor), Region.path.in_(above))),
        columns=(
            Column(_("Code"), lambda c: c.code, "code", lambda c: url_for("registry.cycle", code=c.code)),
            Column(_("Title"), lambda c: c.title, "title"),
            Column(_("Region"), lambda c: c.region.name, "region"),
            Column(_("State"), lambda c: cycles.state_name(c.state), "state"),
            Column(_("Opens on"), lambda c: c.opens_on, "opens"),
            Column(_("Closes on"), lambda c: c.closes_on),
        ),
        sorts={
            "code": Cycle.code,
            "title": Cycle.title,
            "region": Region.path,
            "state": Cycle.state,
            "opens": Cycle.opens_on,
        },
        default_sort="-opens",
        search=(Cycle.code, Cycle.title, Region.name),
        tie=Cycle.id,
    )


def entries(cycle: Cycle, frame_sizes: Mapping[int, int]) -> Listing:
    """The contracts entered into a cycle, with the size of each frame."""
    return Listing(
        name=_("Contracts entered"),
        statement=select(Entry)
        .join(Entry.contract)
        .join(Contract.vendor)
        .join(Region, Region.id == Contract.region_id)
        .options(
            contains_eager(Entry.contract).options(contains_eager(Contract.vendor), contains_eager(Contract.region))
        )
        .where(Entry.cycle_id == cycle.id),
        columns=(
            Column(
                _("Reference"),
                lambda e: e.contract.reference,
                "reference",
                lambda e: url_for("registry.entry", code=cycle.code, number=e.id),
            ),
            Column(_("Title"), lambda e: e.contract.title, "title"),
            Column(_("Vendor"), lambda e: e.contract.vendor.name, "vendor"),
            Column(_("Region"), lambda e: e.contract.region.name, "region"),
            Column(_("Number of recipients"), lambda e: e.contract.recipients_served, "served"),
            Column(_("Recipients in the frame"), lambda e: frame_sizes.get(e.id, 0)),
        ),
        sorts={
            "reference": Contract.reference,
            "title": Contract.title,
            "vendor": Vendor.name,
            "region": Region.path,
            "served": Contract.recipients_served,
        },
        default_sort="reference",
        search=(Contract.reference, Contract.title, Vendor.name, Region.name),
        tie=Entry.id,
    )


def kind_of(value: Cell) -> str:
    """How a page writes a value: "money", "day", "number" or "text"."""
    match value:
        case Decimal():
            return "money"
        case date():
            return "day"
        case int() | float():
            return "number"
        case _:
            return "text"
