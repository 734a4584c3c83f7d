"""Vendors from a file, known by their credit code."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from evalsys.base.tables import Column, Row, Table
from evalsys.registry import credit_code
from evalsys.registry.imports.plans import Known, Plan, Scope, Seen, headed
from evalsys.registry.models import Contract, Region, Vendor

COLUMNS = (
    Column(
        "credit_code",
        "统一社会信用代码",
        "Credit code",
        others=("信用代码", "社会信用代码", "Unified social credit code"),
        example="91110000600037341L",
        explanation=_l("18 characters, formatted as text; the last one checks the others."),
    ),
    Column(
        "name",
        "承接主体名称",
        "Name",
        others=("名称", "承接主体", "机构名称", "单位名称", "Vendor"),
        example="示例社会工作服务中心",
        explanation=_l("The full name on the licence."),
    ),
    Column("address", "地址", "Address", required=False, example="示例市示例区示例路 1 号"),
    Column("contact", "联系人", "Contact", others=("Contact person",), required=False, example="张三"),
    Column("phone", "联系电话", "Phone", others=("电话", "手机", "Telephone"), required=False, example="0763-1234567"),
)
_OPTIONAL = {"address": 200, "contact": 60, "phone": 40}


def checked_code(row: Row) -> str | None:
    """The credit code of a row, or a fault that says which rule it breaks."""
    text = row.text("credit_code", most=40)
    if text is None:
        return None
    try:
        return credit_code.checked(text)
    except credit_code.CreditCodeWrong as error:
        row.wrong("credit_code", error.message, error.remedy)
        return None


def read(table: Table, scope: Scope) -> Plan:
    """What a file of vendors would change. A column that the file lacks stays as it is."""
    known, foreign = _known(scope), _working_elsewhere(scope)
    plan, seen = Plan(Vendor, headed(COLUMNS)), Seen()
    given = {name: most for name, most in _OPTIONAL.items() if table.has(name)}
    for row in table:
        code, name = checked_code(row), row.text("name", most=120)
        extra = {column: row.text(column, most=most, required=False) or "" for column, most in given.items()}
        if code is not None:
            seen.refuse_again(row, "credit_code", code)
        if row.faulty or code is None:
            continue
        before = known.get(code)
        values: dict[str, Any] = {"credit_code": code, "name": name, **extra}
        if before is None:
            values = dict.fromkeys(_OPTIONAL, "") | values
        elif before.id in foreign and any(before.values[key] != value for key, value in values.items()):
            row.wrong(
                "name",
                _("This vendor also works in other regions, and the row would change what is known of it."),
                _("Leave the row out, or ask the administrator of the region above yours."),
            )
            continue
        plan.take(row.number, f"{code} {name}", values, before)
    return plan


def _known(scope: Scope) -> dict[str, Known]:
    names = ("credit_code", "name", *_OPTIONAL)
    rows = scope.session.execute(select(Vendor.id, *(getattr(Vendor, name) for name in names)))
    return {row[1]: Known(row[0], dict(zip(names, row[1:], strict=True))) for row in rows}


def _working_elsewhere(scope: Scope) -> set[int]:
    """Vendors with a contract outside the actor's branch."""
    outside = ~Region.path.startswith(scope.actor.region_path, autoescape=True)
    query = select(Contract.vendor_id).join(Region, Region.id == Contract.region_id).where(outside).distinct()
    return set(scope.session.scalars(query))
