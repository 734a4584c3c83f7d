"""Contracts from a file, known by their reference."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from evalsys.base.language import yuan
from evalsys.base.tables import Column, Row, Table
from evalsys.registry.catalogue import procurement_method_name, service_type_name
from evalsys.registry.contracts import UNDER_WAY, ends_too_early, fixed_while_rated, period_warning
from evalsys.registry.imports.directory import (
    Purchasers,
    Regions,
    folded,
    procurement_method_codes,
    service_type_codes,
)
from evalsys.registry.imports.plans import Known, Plan, Scope, Seen
from evalsys.registry.imports.vendors import checked_code
from evalsys.registry.models import Contract, Cycle, Entry, Vendor

REFERENCE = Column(
    "reference",
    "合同编号",
    "Contract",
    others=("项目编号", "Reference", "Contract reference", "Contract no"),
    example="QY-2026-001",
    explanation=_l("The number of the contract; each is used once."),
)
COLUMNS = (
    REFERENCE,
    Column("title", "项目名称", "Title", others=("服务项目", "合同名称"), example="2026 年困难群众照料护理服务"),
    Column(
        "credit_code",
        "承接主体统一社会信用代码",
        "Vendor credit code",
        others=("统一社会信用代码", "信用代码", "Vendor", "Credit code", "承接主体信用代码"),
        example="91110000600037341L",
        explanation=_l("The vendor must be registered; import vendors first."),
    ),
    Column(
        "purchaser",
        "购买主体",
        "Purchaser",
        others=("采购单位", "采购人", "购买单位"),
        example="示例区民政局",
        explanation=_l("The name as registered in the contract's region, or in the one above it."),
    ),
    Column(
        "region",
        "地区",
        "Region",
        others=("区域", "县区", "所属地区", "行政区划"),
        example="示例区",
        explanation=_l("The code or the full name as in the list of regions."),
    ),
    Column(
        "service_type",
        "服务类别",
        "Service type",
        others=("服务类型", "类别"),
        example="照料护理",
        explanation=_l("A name or a code of the catalogue; they are listed below."),
    ),
    Column(
        "amount",
        "合同金额（元）",
        "Amount (yuan)",
        others=("金额", "合同金额", "Amount"),
        example=120000,
        explanation=_l("In yuan; 12万 is understood too."),
    ),
    Column(
        "starts_on", "开始日期", "Starts on", others=("起始日期", "服务开始日期", "Start"), example=date(2026, 1, 1)
    ),
    Column(
        "ends_on",
        "结束日期",
        "Ends on",
        others=("截止日期", "终止日期", "服务结束日期", "End"),
        example=date(2026, 12, 31),
        explanation=_l("Later than the first day."),
    ),
    Column(
        "procurement_method",
        "采购方式",
        "Procurement method",
        others=("购买方式", "Procurement"),
        example="公开招标",
        explanation=_l("A name or a code; they are listed below."),
    ),
    Column(
        "recipients_served",
        "服务对象人数",
        "Recipients served",
        others=("服务人数", "服务对象数", "Served"),
        example=200,
        explanation=_l("How many people or households the contract serves."),
    ),
)
_STORED = (
    "reference",
    "title",
    "vendor_id",
    "purchaser_id",
    "region_id",
    "service_type",
    "amount_fen",
    "starts_on",
    "ends_on",
    "procurement_method",
    "recipients_served",
)
_HEADINGS = {"vendor_id": "credit_code", "region_id": "region", "purchaser_id": "purchaser", "amount_fen": "amount"}
_FIXED = ("vendor_id", "region_id", "service_type")  # while a cycle evaluates the contract


class _Lookups:
    """Everything a row is compared with, read once."""

    def __init__(self, scope: Scope) -> None:
        session = scope.session
        self.regions = Regions(scope)
        self.purchasers = Purchasers(scope, self.regions)
        self.vendors: dict[str, int] = {c: i for i, c in session.execute(select(Vendor.id, Vendor.credit_code))}
        self.service_types = service_type_codes()
        self.methods = procurement_method_codes()
        columns = (getattr(Contract, name) for name in _STORED)
        self.known = {
            row[1]: Known(row[0], dict(zip(_STORED, row[1:], strict=True)))
            for row in session.execute(select(Contract.id, *columns))
        }
        rated = select(Entry.contract_id, Cycle.code).join(Cycle).where(Cycle.state.in_(UNDER_WAY))
        self.rated: dict[int, str] = dict(session.execute(rated).all())

    def shown(self, name: str, value: Any) -> tuple[str, str]:
        """A stored column's heading, and its value as a person writes it."""
        heading = next(c.heading for c in COLUMNS if c.name == _HEADINGS.get(name, name))
        write: dict[str, Callable[[Any], str]] = {
            "vendor_id": lambda number: next(code for code, known in self.vendors.items() if known == number),
            "region_id": lambda number: self.regions.by_id[number][1],
            "purchaser_id": self.purchasers.name_of,
            "amount_fen": yuan,
            "service_type": service_type_name,
            "procurement_method": procurement_method_name,
        }
        return heading, write.get(name, str)(value)


def read(table: Table, scope: Scope) -> Plan:
    """What a file of contracts would change."""
    lookups = _Lookups(scope)
    plan, seen = Plan(Contract, lookups.shown), Seen()
    for row in table:
        values = _values(row, lookups)
        if values["reference"]:
            seen.refuse_again(row, "reference", values["reference"])
        if row.faulty:
            continue
        before = lookups.known.get(values["reference"])
        if before is not None and not _may_change(row, before, values, lookups):
            continue
        warning = period_warning(values["starts_on"], values["ends_on"])
        if warning:
            plan.warn(_("row %(row)s, %(contract)s: ", row=row.number, contract=values["reference"]) + warning)
        plan.take(row.number, f"{values['reference']} {values['title']}", values, before)
    return plan


def _values(row: Row, lookups: _Lookups) -> dict[str, Any]:
    """The row as columns of the table; with a fault noted, some are None."""
    region = lookups.regions.find(row, "region")
    starts_on, ends_on = row.day("starts_on"), row.day("ends_on")
    if starts_on and ends_on and ends_on <= starts_on:
        row.wrong("ends_on", ends_too_early(), _("Check both days of the period."))
    return {
        "reference": row.text("reference", most=40),
        "title": row.text("title", most=200),
        "vendor_id": _vendor(row, lookups),
        "purchaser_id": lookups.purchasers.find(row, "purchaser", region),
        "region_id": region,
        "service_type": _choice(row, "service_type", lookups.service_types),
        "amount_fen": row.money("amount"),
        "starts_on": starts_on,
        "ends_on": ends_on,
        "procurement_method": _choice(row, "procurement_method", lookups.methods),
        "recipients_served": row.whole("recipients_served"),
    }


def _vendor(row: Row, lookups: _Lookups) -> int | None:
    code = checked_code(row)
    if code is not None and code not in lookups.vendors:
        row.wrong(
            "credit_code",
            _("No vendor with this credit code is registered."),
            _("Register the vendor, or import the file of vendors first."),
        )
    return lookups.vendors.get(code or "")


def _choice(row: Row, column: str, codes: dict[str, str]) -> str | None:
    text = row.text(column, most=60)
    if text is None:
        return None
    code = codes.get(folded(text))
    if code is None:
        row.wrong(column, _("This is none of the choices."), _("See the second sheet of the template for them."))
    return code


def _may_change(row: Row, before: Known, values: dict[str, Any], lookups: _Lookups) -> bool:
    """Whether a known contract is the actor's own, and keeps what its evaluation rests on."""
    if before.values["region_id"] not in lookups.regions.by_id:
        row.wrong(
            "reference",
            _("This reference is used by a contract of another region."),
            _("Check the reference, or leave the row out."),
        )
        return False
    if before.id in lookups.rated and any(before.values[name] != values[name] for name in _FIXED):
        row.wrong(
            "reference",
            fixed_while_rated(lookups.rated[before.id]),
            _("Change them when the result of that cycle is published."),
        )
        return False
    return True
