"""Files taken in: what each would change, what is refused, and that the same file twice changes nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, Invalid, NotFound
from evalsys.base.tables import write_xlsx
from evalsys.registry.imports import KINDS, carry_out, kind_named, template
from evalsys.registry.models import Contract, Vendor
from tests import factories as f
from tests.registry.importing import counted, faults, plan_of, table, take_in

CODE, OTHER = f.credit_code(7_000_001), f.credit_code(7_000_002)
VENDOR_HEAD = ["统一社会信用代码", "承接主体名称", "联系人"]


@pytest.fixture(autouse=True)
def texts(app: Flask) -> None:
    """Refusals are worded, which takes an application."""


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
