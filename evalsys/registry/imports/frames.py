"""Frames and rosters of a cycle's entries from a file."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from evalsys.base.tables import Column, Row, Table
from evalsys.registry import frames
from evalsys.registry.imports.contracts import REFERENCE
from evalsys.registry.imports.plans import Known, Plan, Scope, Seen, headed
from evalsys.registry.models import Contract, Cycle, Entry, RosterMember, Stratum

_PLACE = (
    REFERENCE,
    Column(
        "township",
        "乡镇（街道）",
        "Township",
        others=("乡镇", "镇街", "街道"),
        required=False,
        example="示例镇",
        explanation=_l("May stay empty where the frame is not divided by township."),
    ),
    Column(
        "item",
        "服务内容",
        "Service item",
        others=("服务事项", "Item"),
        required=False,
        example="上门照料",
        explanation=_l("May stay empty where the frame is not divided by service item."),
    ),
)
FRAME_COLUMNS = (
    *_PLACE,
    Column(
        "size",
        "服务对象人数",
        "Size",
        others=("人数", "服务人数", "Recipients"),
        example=120,
        explanation=_l("How many recipients this part of the frame has."),
    ),
)
ROSTER_COLUMNS = (
    *_PLACE,
    Column("name", "姓名", "Name", others=("服务对象", "服务对象姓名"), example="李四"),
    Column(
        "contact",
        "联系方式",
        "Contact",
        others=("联系电话", "电话", "Phone"),
        required=False,
        example="13800000000",
        explanation=_l("Names and contacts are deleted when the cycle is closed."),
    ),
)


def _cycle(scope: Scope) -> Cycle:
    if scope.cycle is None:
        raise ValueError("make_plan asks for the cycle first")
    scope.actor.require_region(scope.cycle.region.path)
    frames.require_open(scope.cycle)
    return scope.cycle


def _entries(scope: Scope, cycle: Cycle) -> dict[str, int]:
    query = select(Contract.reference, Entry.id).join(Entry).where(Entry.cycle_id == cycle.id)
    return dict(scope.session.execute(query).all())


def _keep_drawn(row: Row, entry: int, drawn: set[int]) -> None:
    """Note a fault where a row would change what a sample was drawn from."""
    if entry in drawn:
        row.wrong("reference", *frames.drawn_from())


def _strata(scope: Scope, cycle: Cycle) -> dict[tuple[int, str, str], Known]:
    query = (
        select(Stratum.entry_id, Stratum.township, Stratum.item, Stratum.id, Stratum.size)
        .join(Entry)
        .where(Entry.cycle_id == cycle.id)
    )
    return {
        (entry, township, item): Known(number, {"entry_id": entry, "township": township, "item": item, "size": size})
        for entry, township, item, number, size in scope.session.execute(query)
    }


def _place(row: Row, entries: dict[str, int], cycle: Cycle) -> tuple[int, str, str] | None:
    """Entry, township and item that a row names."""
    reference = row.text("reference", most=40)
    township = row.text("township", most=60, required=False) or ""
    item = row.text("item", most=60, required=False) or ""
    if reference is None:
        return None
    if reference not in entries:
        row.wrong(
            "reference",
            _("This contract is not entered into the cycle %(code)s.", code=cycle.code),
            _("Enter it on the page of the cycle, or check the reference."),
        )
        return None
    return entries[reference], township, item


def read_frames(table: Table, scope: Scope) -> Plan:
    """What a file of frame sizes would change; parts that it does not name stay as they are."""
    cycle = _cycle(scope)
    entries, known, drawn = _entries(scope, cycle), _strata(scope, cycle), frames.sampled_entries(scope.session, cycle)
    plan, seen = Plan(Stratum, headed(FRAME_COLUMNS)), Seen()
    for row in table:
        place, size = _place(row, entries, cycle), row.whole("size", most=10_000_000)
        if place is not None:
            seen.refuse_again(row, "reference", place)
        if row.faulty or place is None:
            continue
        entry, township, item = place
        label = " ".join(filter(None, (row.text("reference"), township, item, str(size))))
        values: dict[str, Any] = {"entry_id": entry, "township": township, "item": item, "size": size}
        if place not in known or known[place].values != values:
            _keep_drawn(row, entry, drawn)
        plan.take(row.number, label, values, known.get(place))
    return plan


def read_roster(table: Table, scope: Scope) -> Plan:
    """Which names a file would add to the parts of the frames; a part holds no more names than recipients."""
    cycle = _cycle(scope)
    entries, strata = _entries(scope, cycle), _strata(scope, cycle)
    known, held = _roster(scope, cycle)
    drawn = frames.sampled_entries(scope.session, cycle)
    plan, seen = Plan(RosterMember, headed(ROSTER_COLUMNS)), Seen()
    for row in table:
        place = _place(row, entries, cycle)
        name, contact = row.text("name", most=60), row.text("contact", most=120, required=False) or ""
        stratum = strata.get(place) if place else None
        if place is not None and stratum is None:
            row.wrong(
                "reference",
                _("The frame has no such part."),
                _("Give its township and service item as in the frame, or import the frame first."),
            )
        if row.faulty or stratum is None:
            continue
        key = (stratum.id, str(name), contact)
        seen.refuse_again(row, "name", key)
        if key not in known:
            _keep_drawn(row, stratum.values["entry_id"], drawn)
            held[stratum.id] += 1
            if held[stratum.id] > stratum.values["size"]:
                row.wrong(
                    "name",
                    _("The roster gets longer than the frame, %(n)s recipients.", n=stratum.values["size"]),
                    _("Correct the size of the frame first, or take names out."),
                )
        if not row.faulty:
            values = {"stratum_id": stratum.id, "name": name, "contact": contact}
            plan.take(row.number, f"{row.text('reference')} {name}", values, known.get(key))
    return plan


def _roster(scope: Scope, cycle: Cycle) -> tuple[dict[tuple[int, str, str], Known], Counter[int]]:
    """The names held already, and how many each part of the frame holds."""
    ours = select(Stratum.id).join(Entry).where(Entry.cycle_id == cycle.id)
    query = select(RosterMember.stratum_id, RosterMember.name, RosterMember.contact, RosterMember.id)
    known = {
        (stratum, name, contact): Known(number, {"stratum_id": stratum, "name": name, "contact": contact})
        for stratum, name, contact, number in scope.session.execute(query.where(RosterMember.stratum_id.in_(ours)))
    }
    counting = (
        select(RosterMember.stratum_id, func.count())
        .where(RosterMember.stratum_id.in_(ours))
        .group_by(RosterMember.stratum_id)
    )
    held: Counter[int] = Counter(dict(scope.session.execute(counting).all()))
    return known, held
