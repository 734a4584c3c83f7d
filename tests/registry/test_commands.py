"""`evalsys import …` as a person runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from evalsys.base.db import Database
from evalsys.base.tables import Sheet, write_csv
from evalsys.cli import run
from evalsys.registry.models import Contract, Cycle, Purchaser, Region, RosterMember, Stratum, Vendor
from tests import factories as f
from tests.registry.conftest import Write

CODE = f.credit_code(8_600_001)


@pytest.fixture(autouse=True)
def environment(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSYS_DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("EVALSYS_INSTANCE", str(tmp_path / "instance"))
    monkeypatch.setenv("EVALSYS_LANGUAGE", "zh")
    monkeypatch.delenv("EVALSYS_SECRET_KEY", raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Any:
    """Write rows as a CSV file and give its path."""

    def written(head: str, *rows: str) -> str:
        path = tmp_path / "in.csv"
        path.write_bytes(write_csv(Sheet("", head.split(","), [row.split(",") for row in rows])))
        return str(path)

    return written


def test_a_county_is_set_up_from_files(
    file: Any, write: Write, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["import", "regions", file("代码,名称,上级代码", "4418,清远市,", "441803,清新区,4418")]) == 0
    assert run(["import", "purchasers", file("购买主体,地区", "清新区民政局,清新区")]) == 0
    assert run(["import", "vendors", file("信用代码,名称", f"{CODE},晨光中心")]) == 0
    head = "合同编号,项目名称,信用代码,购买主体,地区,服务类别,金额,开始日期,结束日期,采购方式,服务对象人数"
    row = f"HT-1,照料,{CODE},清新区民政局,清新区,照料护理,120000,2026-01-01,2029-12-31,公开招标,200"
    capsys.readouterr()
    assert run(["import", "contracts", file(head, row)]) == 0
    said = capsys.readouterr()
    assert "服务项目: 新增 1 条，修改 0 条，不变 0 条" in said.out
    assert "最长三年" in said.err

    def enter(session: Any) -> None:
        cycle = f.make_cycle(session, region=session.scalars(select(Region).where(Region.code == "441803")).one())
        cycle.code = "2026"
        f.make_entry(session, cycle=cycle, contract=session.scalars(select(Contract)).one())

    write(enter)
    assert run(["import", "frames", file("合同编号,乡镇,人数", "HT-1,太平镇,40"), "--cycle", "2026"]) == 0
    assert run(["import", "roster", file("合同编号,乡镇,姓名", "HT-1,太平镇,张三"), "--cycle", "2026"]) == 0
    with database.reading() as session:
        for model in (Purchaser, Vendor, Contract, Cycle, Stratum, RosterMember):
            assert len(session.scalars(select(model)).all()) == 1


def test_a_dry_run_saves_nothing(file: Any, database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    vendors = file("信用代码,名称", f"{CODE},晨光中心")
    assert run(["import", "vendors", vendors, "--dry-run"]) == 0
    assert "新增 1 条，修改 0 条，不变 0 条 （未保存）" in capsys.readouterr().out
    assert run(["import", "vendors", vendors]) == 0
    assert run(["import", "vendors", vendors]) == 0
    assert "新增 0 条，修改 0 条，不变 1 条" in capsys.readouterr().out.splitlines()[-1]


def test_faults_end_with_2_and_are_told_on_stderr(
    file: Any, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["import", "vendors", file("信用代码,名称", "123,甲", f"{CODE},")]) == 2
    said = capsys.readouterr()
    assert (said.out, "第 2 行" in said.err, "第 3 行" in said.err) == ("", True, True)
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04")
    assert run(["import", "vendors", str(broken)]) == 2
    assert "已损坏" in capsys.readouterr().err
    assert run(["import", "vendors", str(tmp_path / "none.xlsx")]) == 2
    assert run(["import", "frames", str(broken), "--cycle", "2099"]) == 2
    assert "2099" in capsys.readouterr().err
    with database.reading() as session:
        assert not session.scalars(select(Vendor)).all()


@pytest.mark.parametrize("what", ["", "vendors", "contracts", "frames", "roster", "purchasers", "regions"])
def test_help_explains(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*f"import {what}".split(), "--help"]) == 0
    assert "Usage: evalsys import" in capsys.readouterr().out
