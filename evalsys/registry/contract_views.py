"""Pages of vendors and of their contracts."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.access import Role, allow, current_actor, signed_in
from evalsys.base.clock import now
from evalsys.base.db import reading
from evalsys.base.errors import Invalid, NotFound
from evalsys.base.listing import Wanted
from evalsys.base.tables import as_money
from evalsys.registry import bodies, catalogue, contracts, cycles, lists, queries
from evalsys.registry.answering import answer_form, answer_list, choices, region_choices, region_codes
from evalsys.registry.blueprint import bp
from evalsys.registry.forms import ContractForm, VendorForm
from evalsys.registry.models import Contract, Region
from evalsys.registry.place_views import STAFF

_AS_STORED = (  # fields that say what the table's columns say
    "reference",
    "title",
    "purchaser_id",
    "region_id",
    "service_type",
    "starts_on",
    "ends_on",
    "procurement_method",
    "recipients_served",
)


@bp.get("/vendors")
@allow(*STAFF)
def vendor_list() -> ResponseReturnValue:
    return answer_list(
        lists.vendors(current_actor()),
        add=url_for("registry.new_vendor"),
        import_kind="vendors",
        nothing=_("No vendor is registered yet."),
    )


@bp.get("/vendors/<code>")
@signed_in
def vendor(code: str) -> ResponseReturnValue:
    actor = current_actor()
    kept = bodies.vendor_by_code(reading(), code)
    if actor.role is Role.VENDOR and actor.vendor_id != kept.id:
        raise NotFound(_("There is no vendor with the credit code %(code)s.", code=code))
    listing = lists.contracts(actor, vendor=kept)
    page = listing.page(reading(), Wanted.from_args(request.args))
    return render_template("registry/vendor.html", vendor=kept, listing=listing, page=page, kind_of=lists.kind_of)


@bp.route("/vendors/new", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def new_vendor() -> ResponseReturnValue:
    form = VendorForm()

    def save(session: Session) -> str:
        added = bodies.register_vendor(session, _vendor_facts(form), actor=current_actor(), now=now())
        return url_for("registry.vendor", code=added.credit_code)

    return answer_form(form, save, title=_("Add a vendor"), back=(url_for("registry.vendor_list"), _("Vendors")))


@bp.route("/vendors/<code>/edit", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def edit_vendor(code: str) -> ResponseReturnValue:
    kept = bodies.vendor_by_code(reading(), code)
    form = VendorForm(obj=kept)

    def save(session: Session) -> str:
        changed = bodies.vendor_by_code(session, code)
        bodies.edit_vendor(session, changed, _vendor_facts(form), actor=current_actor(), now=now())
        return url_for("registry.vendor", code=changed.credit_code)

    return answer_form(
        form, save, title=_("Edit %(name)s", name=kept.name), back=(url_for("registry.vendor", code=code), kept.name)
    )


def _vendor_facts(form: VendorForm) -> bodies.VendorFacts:
    names = ("credit_code", "name", "address", "contact", "phone")
    return bodies.VendorFacts(**{name: form[name].data for name in names})


@bp.get("/contracts")
@signed_in
def contract_list() -> ResponseReturnValue:
    actor = current_actor()
    chosen = request.args.get("region", "")
    found = reading().scalar(select(Region).where(Region.code == chosen)) if chosen else None
    service_type = request.args.get("service_type", "")
    filters = []
    if actor.role is not Role.VENDOR:
        filters.append(("region", _("Region"), region_codes(actor), chosen))
    types = [(code, catalogue.service_type_name(code)) for code in catalogue.service_types()]
    filters.append(("service_type", _("Service type"), types, service_type))
    return answer_list(
        lists.contracts(actor, region=found, service_type=service_type),
        add=url_for("registry.new_contract"),
        import_kind="contracts",
        nothing=_("No contract is registered yet."),
        filters=filters,
    )


@bp.get("/contracts/<int:number>")
@signed_in
def contract(number: int) -> ResponseReturnValue:
    kept = contracts.contract_for(reading(), number, actor=current_actor())
    return render_template(
        "registry/contract.html",
        contract=kept,
        service_type=catalogue.service_type_name(kept.service_type),
        method=catalogue.procurement_method_name(kept.procurement_method),
        warning=contracts.period_warning(kept.starts_on, kept.ends_on),
        entries=queries.entries_of_contract(reading(), kept),
        state_name=cycles.state_name,
    )


@bp.route("/contracts/new", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def new_contract() -> ResponseReturnValue:
    form = _with_choices(ContractForm())

    def save(session: Session) -> str:
        added = contracts.add_contract(session, _contract_facts(session, form), actor=current_actor(), now=now())
        return url_for("registry.contract", number=added.id)

    return answer_form(
        form,
        save,
        title=_("Add a contract"),
        back=(url_for("registry.contract_list"), _("Contracts")),
        suggestions=queries.vendors_suggested(reading()),
    )


@bp.route("/contracts/<int:number>/edit", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def edit_contract(number: int) -> ResponseReturnValue:
    kept = contracts.contract_for(reading(), number, actor=current_actor())
    form = _with_choices(_filled_in(kept) if request.method == "GET" else ContractForm())

    def save(session: Session) -> str:
        changed = contracts.contract_for(session, number, actor=current_actor())
        contracts.edit_contract(session, changed, _contract_facts(session, form), actor=current_actor(), now=now())
        return url_for("registry.contract", number=number)

    return answer_form(
        form,
        save,
        title=_("Edit %(name)s", name=kept.title),
        back=(url_for("registry.contract", number=number), kept.title),
        suggestions=queries.vendors_suggested(reading()),
    )


def _filled_in(contract: Contract) -> ContractForm:
    amount = f"{contract.amount_fen // 100}.{contract.amount_fen % 100:02d}"
    stored = {name: getattr(contract, name) for name in _AS_STORED}
    return ContractForm(
        data=stored | {"vendor": contract.vendor.credit_code, "amount": amount.removesuffix(".00")},
    )


def _with_choices(form: ContractForm) -> ContractForm:
    actor = current_actor()
    bought_by = queries.purchasers_in(reading(), actor)
    form.purchaser_id.choices = choices((p.id, f"{p.name}（{p.region.name}）") for p in bought_by)
    form.region_id.choices = region_choices(actor)
    form.service_type.choices = choices((code, catalogue.service_type_name(code)) for code in catalogue.service_types())
    form.procurement_method.choices = choices(catalogue.procurement_methods().items())
    return form


def _contract_facts(session: Session, form: ContractForm) -> contracts.ContractFacts:
    meant = queries.vendor_written(session, form.vendor.data)
    if meant is None:
        raise Invalid(
            _("No vendor, or more than one, is called “%(text)s”.", text=form.vendor.data),
            remedy=_("Write its credit code; register the vendor first if it is new."),
        )
    values: dict[str, Any] = {name: form[name].data for name in _AS_STORED}
    return contracts.ContractFacts(**values, vendor_id=meant.id, amount_fen=as_money(form.amount.data))
