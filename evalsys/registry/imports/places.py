"""Regions and purchasers from a file: the ground that everything else stands on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.tables import Column, Row, Table
from evalsys.registry.imports.directory import Regions
from evalsys.registry.imports.plans import Known, Plan, Scope, Seen, headed
from evalsys.registry.models import Purchaser, Region, RegionLevel
from evalsys.registry.regions import BELOW

REGION_COLUMNS = (
    Column(
        "code",
        "地区代码",
        "Region code",
        others=("代码", "行政区划代码", "Code"),
        example="441802",
        explanation=_l("Digits; the code of the administrative division (GB/T 2260), up to 12."),
    ),
    Column("name", "地区名称", "Name", others=("名称", "地区"), example="示例区"),
    Column(
        "parent",
        "上级地区代码",
        "Parent code",
        others=("上级代码", "Parent"),
        required=False,
        example="4418",
        explanation=_l("Empty for a city; it stands in the file above, or is registered already."),
    ),
)
PURCHASER_COLUMNS = (
    Column(
        "name", "购买主体名称", "Name", others=("购买主体", "名称", "单位名称", "Purchaser"), example="示例区民政局"
    ),
    Column(
        "region",
        "地区",
        "Region",
        others=("所属地区", "行政区划"),
        example="示例区",
        explanation=_l("The code or the full name as in the list of regions."),
    ),
)


def read_regions(table: Table, scope: Scope) -> Plan:
    """What a file of regions would change: names may, places in the tree may not."""
    query = select(Region.id, Region.code, Region.name, Region.path, Region.level)
    regions = {code: (number, name, path, level) for number, code, name, path, level in scope.session.execute(query)}
    paths = {code: (path, level) for code, (_id, _name, path, level) in regions.items()}
    plan, seen = Plan(Region, headed(REGION_COLUMNS)), Seen()
    for row in table:
        code, name = _code(row, "code"), row.text("name", most=60)
        parent = _code(row, "parent") if row.raw("parent") is not None else None
        if code is not None:
            seen.refuse_again(row, "code", code)
        place = _placed(row, code, parent, paths) if code is not None and not row.faulty else None
        if row.faulty or code is None or place is None:
            continue
        path, level = place
        if not scope.actor.acts_in(path):
            row.wrong("code", _("This region lies outside your branch."), _("Leave the row out."))
            continue
        before = regions.get(code)
        if before is not None and before[2] != path:
            row.wrong("parent", _("The region stands elsewhere in the tree."), _("A region keeps its place."))
            continue
        paths[code] = (path, level)
        known = Known(before[0], {"code": code, "name": before[1], "path": path, "level": level}) if before else None
        plan.take(row.number, f"{code} {name}", {"code": code, "name": name, "path": path, "level": level}, known)
    return plan


def _code(row: Row, column: str) -> str | None:
    text = row.text(column, most=12)
    if text is not None and not (text.isascii() and text.isdecimal()):
        row.wrong(column, _("The code of a region has digits only."), _("Write it like 441802."))
        return None
    return text


def _placed(
    row: Row, code: str | None, parent: str | None, paths: dict[str, tuple[str, str]]
) -> tuple[str, str] | None:
    """Path and level of a row's region."""
    if parent is None:
        return f"{code}/", RegionLevel.CITY.value
    if parent not in paths:
        row.wrong("parent", _("There is no region with this code."), _("Put the region above it into an earlier row."))
        return None
    above, level = paths[parent]
    below = BELOW.get(RegionLevel(level))
    if below is None:
        row.wrong("parent", _("A township has no regions below it."), _("Choose a county or a city."))
        return None
    return f"{above}{code}/", below.value


def insert_regions(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Add regions, those above before those below."""
    numbers: dict[str, int] = dict(session.execute(select(Region.code, Region.id)).all())
    for row in sorted(rows, key=lambda row: str(row["path"])):
        above = row["path"].split("/")[:-2]
        region = Region(**row, parent_id=numbers[above[-1]] if above else None)
        session.add(region)
        session.flush()
        numbers[region.code] = region.id


def read_purchasers(table: Table, scope: Scope) -> Plan:
    """What a file of purchasers would add; a purchaser is its name in its region, so nothing can change."""
    regions = Regions(scope)
    known = {
        (name, region): Known(number, {"name": name, "region_id": region})
        for number, name, region in scope.session.execute(select(Purchaser.id, Purchaser.name, Purchaser.region_id))
    }
    plan, seen = Plan(Purchaser, headed(PURCHASER_COLUMNS)), Seen()
    for row in table:
        name, region = row.text("name", most=120), regions.find(row, "region")
        if name is None or region is None:
            continue
        seen.refuse_again(row, "name", (name, region))
        if not row.faulty:
            values: dict[str, Any] = {"name": name, "region_id": region}
            plan.take(row.number, f"{name} {regions.by_id[region][1]}", values, known.get((name, region)))
    return plan
