"""Files taken in: what each would change, what is refused, and that the same file twice changes nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, Invalid, NotAllowed, NotFound
from evalsys.base.tables import Sheet, TableFaulty, write_csv, write_xlsx
from evalsys.registry.imports import KINDS, Plan, Scope, carry_out, kind_named, make_plan, template
from evalsys.registry.models import Contract, Cycle, Entry, Purchaser, Region, RosterMember, Stratum, Vendor
from tests import factories as f

CODE, OTHER = f.credit_code(7_000_001), f.credit_code(7_000_002)
VENDOR_HEAD = ["统一社会信用代码", "承接主体名称", "联系人"]


@pytest.fixture(autouse=True)
def texts(app: Flask) -> None:
    """Refusals are worded, which takes an application."""


def table(head: list[str], *rows: list[Any]) -> bytes:
    return write_csv(Sheet("x", head, rows))


def plan_of(
    session: Session, kind: str, data: bytes, *, actor: Actor | None = None, cycle: Cycle | None = None
) -> Plan:
    return make_plan(data, kind_named(kind), Scope(session, actor or f.actor(), cycle))


def take_in(session: Session, kind: str, data: bytes, **who: Any) -> Plan:
    plan = plan_of(session, kind, data, **who)
    actor = who.get("actor") or f.actor()
    carry_out(session, plan, kind_named(kind), cycle=who.get("cycle"), actor=actor, now=f.NOW)
    session.expire_all()
    return plan


def counted(plan: Plan) -> tuple[int, int, int]:
    return len(plan.new), len(plan.changed), plan.unchanged


def faults(session: Session, kind: str, data: bytes, **who: Any) -> dict[tuple[int, str], str]:
    """What is said of each faulty cell, by row and column letter."""
    with pytest.raises(TableFaulty) as caught:
        plan_of(session, kind, data, **who)
    assert all(fault.remedy for fault in caught.value.faults)
    return {(fault.row, fault.column.split()[0]): fault.wrong for fault in caught.value.faults}


def test_vendors_are_new_then_unchanged_then_changed(session: Session) -> None:
    data = table(VENDOR_HEAD, [CODE, "甲中心", "张三"], [OTHER.lower(), "乙中心", ""])
    assert counted(take_in(session, "vendors", data)) == (2, 0, 0)
    assert counted(take_in(session, "vendors", data)) == (0, 0, 2)
    plan = take_in(session, "vendors", table(VENDOR_HEAD, [CODE, "甲社工中心", "张三"], [OTHER, "乙中心", ""]))
    assert counted(plan) == (0, 1, 1)
    assert plan.samples[0].changes == ("承接主体名称: 甲中心 → 甲社工中心",)
    names = dict(session.execute(select(Vendor.credit_code, Vendor.name)).all())
    assert names == {CODE: "甲社工中心", OTHER: "乙中心"}
    acts = session.scalars(select(AuditEntry.detail).where(AuditEntry.act == "registry.import_vendors")).all()
    assert [(a["new"], a["changed"]) for a in acts] == [(2, 0), (0, 1)]


def test_a_column_that_the_file_lacks_stays_as_it_is(session: Session) -> None:
    take_in(session, "vendors", table([*VENDOR_HEAD, "电话"], [CODE, "甲", "张三", "123"]))
    take_in(session, "vendors", table(VENDOR_HEAD, [CODE, "甲", ""]))
    vendor = session.scalars(select(Vendor)).one()
    assert (vendor.contact, vendor.phone) == ("", "123")


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_chinese_headings_and_encodings(session: Session, encoding: str) -> None:
    data = f"信用代码;名称\r\n{CODE};镕基䶮社工站\r\n".encode(encoding)
    assert counted(take_in(session, "vendors", data)) == (1, 0, 0)
    assert session.scalars(select(Vendor.name)).one() == "镕基䶮社工站"


def test_english_headings(session: Session) -> None:
    assert counted(take_in(session, "vendors", f"Credit code,Name\n{CODE},A\n".encode())) == (1, 0, 0)


def test_every_wrong_vendor_cell_is_told_and_nothing_is_saved(session: Session) -> None:
    wrong = CODE[:-1] + ("0" if CODE[-1] != "0" else "1")
    data = table(VENDOR_HEAD, [wrong, "甲", ""], [CODE, "", ""], [CODE, "丙", ""], ["123", "丁", ""], ["", "戊", ""])
    told = faults(session, "vendors", data)
    assert "校验码" in told[2, "A"]
    assert "为空" in told[3, "B"]
    assert "第 3 行" in told[4, "A"]
    assert "18 位" in told[5, "A"]
    assert "为空" in told[6, "A"]
    assert not session.scalars(select(Vendor)).all()


def test_a_vendor_that_works_elsewhere_is_not_changed_from_here(session: Session) -> None:
    here = f.make_county(session)
    vendor = f.make_vendor(session, code=CODE, name="甲")
    f.make_contract(session, vendor=vendor)
    same, other = (table(["统一社会信用代码", "名称"], [CODE, name]) for name in ("甲", "改名"))
    assert counted(plan_of(session, "vendors", same, actor=f.actor(region=here))) == (0, 0, 1)
    assert "其他地区" in faults(session, "vendors", other, actor=f.actor(region=here))[2, "B"]
    assert counted(plan_of(session, "vendors", other)) == (0, 1, 0)


CONTRACT_HEAD = [
    "合同编号", "项目名称", "统一社会信用代码", "购买主体", "地区", "服务类别", "合同金额（元）", "开始日期",
    "结束日期", "采购方式", "服务对象人数",
]  # fmt: skip


class Ground:
    """A county with a township, a purchaser and a vendor."""

    def __init__(self, session: Session) -> None:
        self.county = f.make_county(session, name="清新区")
        self.township = f.make_region(session, name="太平镇", parent=self.county)
        self.purchaser = f.make_purchaser(session, region=self.county, name="清新区民政局")
        self.vendor = f.make_vendor(session, code=CODE)

    def row(self, **changes: Any) -> list[Any]:
        values = dict(
            zip(
                CONTRACT_HEAD,
                ["HT-1", "照料", CODE, "清新区民政局", "清新区", "照料护理", "120,000", "2026-01-01", "2026年12月31日",
                 "公开招标", 200],
                strict=True,
            )
        )  # fmt: skip
        return list((values | changes).values())


def contracts_file(*rows: list[Any]) -> bytes:
    return table(CONTRACT_HEAD, *rows)


def test_a_contract_is_read_in_peoples_words(session: Session) -> None:
    ground = Ground(session)
    data = contracts_file(
        ground.row(),
        ground.row(
            合同编号="HT-2", 地区=ground.township.code, 服务类别="Counselling", 采购方式="competitive consultation",
            **{"合同金额（元）": "12.5万元"},
        ),
    )  # fmt: skip
    assert counted(take_in(session, "contracts", data)) == (2, 0, 0)
    assert counted(take_in(session, "contracts", data)) == (0, 0, 2)
    first, second = session.scalars(select(Contract).order_by(Contract.reference)).all()
    assert (first.vendor_id, first.purchaser_id, first.region_id) == (
        ground.vendor.id, ground.purchaser.id, ground.county.id,
    )  # fmt: skip
    assert (first.service_type, first.amount_fen, first.recipients_served) == ("care", 12_000_000, 200)
    assert (first.starts_on, first.ends_on) == (date(2026, 1, 1), date(2026, 12, 31))
    assert (second.region_id, second.purchaser_id) == (ground.township.id, ground.purchaser.id)
    assert (second.service_type, second.procurement_method) == ("counselling", "competitive_consultation")
    assert second.amount_fen == 12_500_000


def test_changes_of_a_contract_are_shown_in_words(session: Session) -> None:
    ground = Ground(session)
    take_in(session, "contracts", contracts_file(ground.row()))
    other = f.make_vendor(session, code=OTHER)
    bureau = f.make_purchaser(session, region=ground.township, name="太平镇政府")
    changed = ground.row(
        统一社会信用代码=OTHER, 购买主体="太平镇政府", 地区="太平镇", 服务类别="康复训练", 采购方式="单一来源",
        服务对象人数=210, **{"合同金额（元）": 130000},
    )  # fmt: skip
    plan = take_in(session, "contracts", contracts_file(changed))
    assert plan.samples[0].changes == (
        f"承接主体统一社会信用代码: {CODE} → {OTHER}",
        "购买主体: 清新区民政局 → 太平镇政府",
        "地区: 清新区 → 太平镇",
        "服务类别: 照料护理 → 康复训练",
        "合同金额（元）: ¥120,000.00 → ¥130,000.00",
        "采购方式: 公开招标 → 单一来源采购",
        "服务对象人数: 200 → 210",
    )
    contract = session.scalars(select(Contract)).one()
    assert (contract.vendor_id, contract.purchaser_id) == (other.id, bureau.id)


def test_every_wrong_contract_cell_is_told(session: Session) -> None:
    ground = Ground(session)
    f.make_region(session, name="太平镇", parent=ground.county)
    rows = [
        ground.row(合同编号=""),
        ground.row(统一社会信用代码=OTHER),
        ground.row(购买主体="无此局"),
        ground.row(地区="无此区"),
        ground.row(地区="太平镇"),
        ground.row(服务类别="唱歌"),
        ground.row(**{"合同金额（元）": "很多"}),
        ground.row(开始日期="2026-13-01"),
        ground.row(结束日期="2026-01-01"),
        ground.row(采购方式="抽签"),
        ground.row(服务对象人数="2.5"),
        ground.row(合同编号="HT-1"),
        ground.row(服务类别="", 采购方式=""),
    ]
    told = faults(session, "contracts", contracts_file(*rows))
    for row, column, words in [
        (2, "A", "为空"), (3, "C", "没有登记"), (4, "D", "没有登记"), (5, "E", "没有这个地区"), (6, "E", "重名"),
        (7, "F", "不在可选内容"), (8, "G", "金额"), (9, "H", "日期"), (10, "I", "早于"), (11, "J", "不在可选内容"),
        (12, "K", "整数"), (13, "A", "第 3 行"), (14, "F", "为空"), (14, "J", "为空"),
    ]:  # fmt: skip
        assert words in told[row, column], (row, column, told[row, column])
    assert not session.scalars(select(Contract)).all()


def test_a_contract_of_another_region_is_not_taken_over(session: Session) -> None:
    ground = Ground(session)
    f.make_contract(session, reference="HT-1")
    told = faults(session, "contracts", contracts_file(ground.row()), actor=f.actor(region=ground.county))
    assert "其他地区" in told[2, "A"]


def test_regions_and_purchasers_of_other_branches_are_unknown_here(session: Session) -> None:
    ground = Ground(session)
    elsewhere = f.make_county(session)
    told = faults(session, "contracts", contracts_file(ground.row()), actor=f.actor(region=elsewhere))
    assert "没有这个地区" in told[2, "E"]


@pytest.mark.parametrize(("state", "refused"), [("collecting", True), ("draft", False), ("published", False)])
def test_what_is_being_evaluated_keeps_its_ground(session: Session, state: str, *, refused: bool) -> None:
    ground = Ground(session)
    take_in(session, "contracts", contracts_file(ground.row()))
    contract = session.scalars(select(Contract)).one()
    cycle = f.make_cycle(session, region=ground.county, state=state, rules=f.make_rules(session), code="2026")
    f.make_entry(session, cycle=cycle, contract=contract)
    assert counted(plan_of(session, "contracts", contracts_file(ground.row(项目名称="改名")))) == (0, 1, 0)
    other_type = contracts_file(ground.row(服务类别="康复训练"))
    if refused:
        assert "2026" in faults(session, "contracts", other_type)[2, "A"]
    else:
        assert counted(plan_of(session, "contracts", other_type)) == (0, 1, 0)


def test_a_purchaser_outside_the_branch_is_not_named(session: Session) -> None:
    ground = Ground(session)
    stranger = f.make_purchaser(session)
    f.make_contract(session, region=ground.county, purchaser=stranger, reference="HT-1")
    plan = plan_of(session, "contracts", contracts_file(ground.row()), actor=f.actor(region=ground.county))
    assert "购买主体: — → 清新区民政局" in plan.samples[0].changes


def test_long_periods_are_warned_of_and_taken(session: Session) -> None:
    ground = Ground(session)
    rows = [
        ground.row(合同编号="HT-1"),
        ground.row(合同编号="HT-2", 结束日期="2027-01-01"),
        ground.row(合同编号="HT-3", 结束日期="2029-01-01"),
        ground.row(合同编号="HT-4", 开始日期="2024-02-29", 结束日期="2025-02-28"),
    ]
    plan = plan_of(session, "contracts", contracts_file(*rows))
    assert counted(plan) == (4, 0, 0)
    assert ["HT-2" in plan.warnings[0], "HT-3" in plan.warnings[1], len(plan.warnings)] == [True, True, 2]
    assert "三年" in plan.warnings[1]


def test_amounts_in_another_unit_are_refused_by_their_heading(session: Session) -> None:
    ground = Ground(session)
    head = [h.replace("（元）", "（万元）") for h in CONTRACT_HEAD]
    with pytest.raises(Invalid) as caught:
        plan_of(session, "contracts", table(head, ground.row()))
    assert any("合同金额（万元）" in line for line in caught.value.details)


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


def test_of_two_who_import_at_once_the_second_is_told(session: Session) -> None:
    data = table(VENDOR_HEAD, [CODE, "甲", ""])
    plan = plan_of(session, "vendors", data)
    take_in(session, "vendors", data)
    with pytest.raises(Conflict), session.begin_nested():
        carry_out(session, plan, KINDS["vendors"], cycle=None, actor=f.actor(), now=f.NOW)


def test_the_fingerprint_tells_another_effect(session: Session) -> None:
    data = table(VENDOR_HEAD, [CODE, "甲", ""])
    before = plan_of(session, "vendors", data).fingerprint
    assert plan_of(session, "vendors", data).fingerprint == before
    take_in(session, "vendors", data)
    assert plan_of(session, "vendors", data).fingerprint != before


def test_only_the_first_samples_and_warnings_are_kept(session: Session) -> None:
    ground = Ground(session)
    rows = [ground.row(合同编号=f"HT-{n}", 结束日期="2028-01-01") for n in range(30)]
    plan = plan_of(session, "contracts", contracts_file(*rows))
    assert (len(plan.samples), len(plan.warnings), len(plan.new)) == (20, 20, 30)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(NotFound):
        kind_named("songs")


@pytest.mark.parametrize("name", list(KINDS))
def test_a_template_explains_itself(name: str) -> None:
    sheets = template(KINDS[name])
    assert [len(sheet.headings) for sheet in sheets] == [len(KINDS[name].columns), 4]
    assert len(list(sheets[1].rows)) >= len(KINDS[name].columns)


def test_a_filled_template_is_taken_in(session: Session) -> None:
    f.make_region(session, name="示例区")
    for kind in ("purchasers", "vendors", "contracts"):
        data = write_xlsx(template(KINDS[kind]))
        assert counted(take_in(session, kind, data)) == (1, 0, 0)
