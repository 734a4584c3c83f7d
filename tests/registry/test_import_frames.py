"""Files of frames, rosters, regions and purchasers."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.base.errors import Conflict, Invalid, NotAllowed
from evalsys.registry import cycles, frames
from evalsys.registry.models import Entry, Purchaser, Region, RosterMember, Stratum
from tests import factories as f
from tests.registry.importing import counted, faults, plan_of, table, take_in


@pytest.fixture
def sampled(app: Flask) -> set[int]:
    """Entries of which the higher floor says that a sample is drawn."""
    entries: set[int] = set()
    app.extensions["sampled_entries"] = lambda _session, _cycle: entries
    return entries


@pytest.fixture(autouse=True)
def texts(app: Flask) -> None:
    """Refusals are worded, which takes an application."""


def entered(session: Session, state: str = "collecting") -> Entry:
    entry = f.make_entry(
        session,
        cycle=f.make_cycle(session, state=state, rules=f.make_rules(session)),
        contract=None,
    )
    entry.contract.reference = "HT-1"
    session.flush()
    return entry


FRAME_HEAD = ["合同编号", "乡镇（街道）", "服务内容", "人数"]


def test_frames_are_set_by_township_and_item(session: Session) -> None:
    cycle = entered(session).cycle
    data = table(FRAME_HEAD, ["HT-1", "太平镇", "上门", 30], ["HT-1", "太平镇", "", 20], ["HT-1", "", "", 5])
    assert counted(take_in(session, "frames", data, cycle=cycle)) == (3, 0, 0)
    assert counted(take_in(session, "frames", data, cycle=cycle)) == (0, 0, 3)
    plan = take_in(session, "frames", table(FRAME_HEAD, ["HT-1", "太平镇", "上门", 31]), cycle=cycle)
    assert counted(plan) == (0, 1, 0)
    assert plan.samples[0].label == "HT-1 太平镇 上门 31"
    assert session.scalar(select(func.sum(Stratum.size))) == 56
    short = table(["contract", "size"], ["HT-1", 6])
    assert counted(take_in(session, "frames", short, cycle=cycle)) == (0, 1, 0)


def test_wrong_frames(session: Session) -> None:
    cycle = entered(session).cycle
    f.make_entry(session).contract.reference = "HT-9"
    session.flush()
    rows: list[list[Any]] = [
        ["HT-1", "甲", "", -1],
        ["HT-9", "甲", "", 1],
        ["HT-1", "乙", "", 1],
        ["HT-1", "乙", "", 2],
        ["", "", "", ""],
    ]
    told = faults(session, "frames", table(FRAME_HEAD, *rows, ["", "丙", "", 3]), cycle=cycle)
    assert set(told) == {(2, "D"), (3, "A"), (5, "A"), (7, "A")}
    assert cycle.code in told[3, "A"]


@pytest.mark.parametrize("kind", ["frames", "roster"])
def test_frames_need_an_open_cycle_of_the_own_branch(session: Session, kind: str) -> None:
    data = table([*FRAME_HEAD[:3], "姓名" if kind == "roster" else "人数"], ["HT-1", "", "", 1])
    with pytest.raises(Invalid, match="评价年度"):
        plan_of(session, kind, data)
    with pytest.raises(Conflict):
        plan_of(session, kind, data, cycle=entered(session, "review").cycle)
    with pytest.raises(NotAllowed):
        plan_of(session, kind, data, cycle=f.make_cycle(session), actor=f.actor(region=f.make_county(session)))


def test_a_roster_fills_the_frame_and_not_more(session: Session) -> None:
    entry = entered(session)
    f.make_stratum(session, entry=entry, township="太平镇", size=2)
    head = ["合同编号", "乡镇", "姓名", "联系方式"]
    data = table(head, ["HT-1", "太平镇", "张三", "138"], ["HT-1", "太平镇", "李四", ""])
    assert counted(take_in(session, "roster", data, cycle=entry.cycle)) == (2, 0, 0)
    assert counted(take_in(session, "roster", data, cycle=entry.cycle)) == (0, 0, 2)
    assert len(session.scalars(select(RosterMember)).all()) == 2
    told = faults(
        session,
        "roster",
        table(head, ["HT-1", "太平镇", "王五", ""], ["HT-1", "无此镇", "赵六", ""], ["HT-1", "太平镇", "", ""]),
        cycle=entry.cycle,
    )
    assert set(told) == {(2, "C"), (3, "A"), (4, "C")}
    assert "2" in told[2, "C"]


def test_regions_grow_from_the_root(session: Session) -> None:
    data = table(
        ["地区代码", "地区名称", "上级地区代码"],
        ["4418", "清远市", ""], ["441802", "清城区", "4418"], ["441802001", "东城街道", "441802"],
    )  # fmt: skip
    assert counted(take_in(session, "regions", data)) == (3, 0, 0)
    assert counted(take_in(session, "regions", data)) == (0, 0, 3)
    street = session.scalars(select(Region).where(Region.code == "441802001")).one()
    assert street.path == "4418/441802/441802001/"
    assert (street.level, street.parent.code if street.parent else "") == ("township", "441802")
    renamed = table(["地区代码", "名称", "上级代码"], ["441802", "新城区", "4418"], ["441803", "清新区", "4418"])
    plan = take_in(session, "regions", renamed, actor=f.actor(region=session.scalars(select(Region)).first()))
    assert counted(plan) == (1, 1, 0)


def test_wrong_regions(session: Session) -> None:
    county = f.make_county(session)
    town = f.make_region(session, parent=county)
    other = f.make_county(session)
    rows = [
        ["44A", "甲", ""], ["449901", "", county.code], ["449902", "乙", "4499"], ["449903", "丙", town.code],
        [other.code, "丁", other.parent.code if other.parent else ""], [town.code, "戊", other.code],
        ["449904", "己", "x1"], ["449905", "庚", county.code], ["449905", "辛", county.code],
    ]  # fmt: skip
    told = faults(session, "regions", table(["代码", "名称", "上级代码"], *rows), actor=f.actor(region=county))
    assert set(told) == {(2, "A"), (3, "B"), (4, "C"), (5, "C"), (6, "A"), (7, "A"), (8, "C"), (10, "A")}
    told = faults(session, "regions", table(["代码", "名称", "上级代码"], rows[5]))
    assert set(told) == {(2, "C")}


def test_purchasers_are_a_name_in_a_region(session: Session) -> None:
    county = f.make_county(session, name="清新区")
    data = table(["购买主体", "地区"], ["清新区民政局", "清新区"], ["太平镇政府", county.code])
    assert counted(take_in(session, "purchasers", data)) == (2, 0, 0)
    assert counted(take_in(session, "purchasers", data)) == (0, 0, 2)
    assert len(session.scalars(select(Purchaser)).all()) == 2
    rows = [["", "清新区"], ["甲", "无此区"], ["乙", "清新区"], ["乙", "清新区"]]
    told = faults(session, "purchasers", table(["购买主体", "地区"], *rows))
    assert set(told) == {(2, "A"), (3, "B"), (5, "A")}


def test_what_a_sample_was_drawn_from_stays(session: Session, sampled: set[int]) -> None:
    entry = entered(session)
    frame = table(FRAME_HEAD, ["HT-1", "太平镇", "上门", 30])
    roster_head = ["合同编号", "乡镇", "服务内容", "姓名", "联系方式"]
    known = ["HT-1", "太平镇", "上门", "张三", "1"]
    for kind, data in (("frames", frame), ("roster", table(roster_head, known))):
        take_in(session, kind, data, cycle=entry.cycle)
    sampled.add(entry.id)
    assert counted(plan_of(session, "frames", frame, cycle=entry.cycle)) == (0, 0, 1)
    assert counted(plan_of(session, "roster", table(roster_head, known), cycle=entry.cycle)) == (0, 0, 1)
    for kind, data in (
        ("frames", table(FRAME_HEAD, ["HT-1", "太平镇", "上门", 31])),
        ("frames", table(FRAME_HEAD, ["HT-1", "新镇", "", 3])),
        ("roster", table(roster_head, ["HT-1", "太平镇", "上门", "李四", "2"])),
    ):
        assert faults(session, kind, data, cycle=entry.cycle) == {(2, "A"): "已按此名册抽样，名册不能再改。"}
    stratum = session.scalars(select(Stratum)).one()
    given = {"actor": f.actor(), "now": f.NOW}
    for act in (
        lambda: frames.set_stratum(session, entry, township="太平镇", item="上门", size=31, **given),
        lambda: frames.remove_stratum(session, stratum, **given),
        lambda: cycles.withdraw(session, entry, **given),
    ):
        entry.cycle.state = "draft"
        session.flush()
        with pytest.raises(Conflict, match="已按此名册抽样"):
            act()
