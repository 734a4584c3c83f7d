"""`evalsys rules check` and `evalsys rules show`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from evalsys.cli import rules
from evalsys.config import SHIPPED_RULES
from evalsys.rules.loading import rules_hash

NO_LANGUAGE = {"EVALSYS_LANGUAGE": None, "LC_ALL": None, "LC_MESSAGES": None, "LANG": None}


def run(*arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(rules, list(arguments), env={**NO_LANGUAGE, **environ})


@pytest.fixture
def faulty(tmp_path: Path, small: str) -> Path:
    file = tmp_path / "faulty.toml"
    file.write_text(small.replace("best = 1", "best = 0.5").replace("share = 0.6", "share = 1.4"), encoding="utf-8")
    return file


def test_good_file_is_summed_up_with_its_hash() -> None:
    result = run("check", str(SHIPPED_RULES), EVALSYS_LANGUAGE="en")
    assert result.exit_code == 0
    assert result.stdout == (
        f"{SHIPPED_RULES}: rules 2026.3, no fault: 3 parties, 3 dimensions, 34 criteria, 13 service types\n"
        f"sha256 {rules_hash(SHIPPED_RULES.read_bytes())}\n"
    )
    assert result.stderr == ""


def test_every_fault_goes_to_standard_error_and_the_exit_code_is_2(faulty: Path) -> None:
    result = run("check", str(faulty), EVALSYS_LANGUAGE="en")
    assert result.exit_code == 2
    assert result.stdout == ""
    twins, share, count = result.stderr.splitlines()
    assert twins.startswith(f"{faulty}:51: scales[3].best: best and worst are both 0.5; write two numbers")
    assert share == f"{faulty}:105: weights[0].share: 1.4 is not a share; write a number above 0 and at most 1"
    assert count == "faults: 2"


def test_chinese_is_spoken_unless_another_language_is_set(faulty: Path) -> None:
    assert "1.4 不是比重；写一个大于 0、不超过 1 的数\n共 2 处错误\n" in run("check", str(faulty)).stderr
    assert "没有错误：3 个评价主体" in run("check", str(SHIPPED_RULES)).stdout


def test_file_that_cannot_be_read_is_said_with_its_name(tmp_path: Path) -> None:
    absent = tmp_path / "absent.toml"
    result = run("check", str(absent), EVALSYS_LANGUAGE="en")
    assert result.exit_code == 2
    assert result.stderr == f"{absent}: cannot be read (No such file or directory); check its name\n"
    assert "读不了这个文件" in run("show", str(tmp_path)).stderr


def test_show_explains_the_shipped_rules_when_no_file_is_named() -> None:
    named, unnamed = run("show", str(SHIPPED_RULES)), run("show")
    assert unnamed.exit_code == 0
    assert unnamed.stdout == named.stdout
    assert unnamed.stdout.startswith("政府购买社会救助服务综合评价规则  2026.3\n")
    assert unnamed.stdout.endswith(f"\nsha256 {rules_hash(SHIPPED_RULES.read_bytes())}\n")


def test_show_of_a_faulty_file_tells_its_faults(faulty: Path) -> None:
    result = run("show", str(faulty), EVALSYS_LANGUAGE="en")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "1.4 is not a share" in result.stderr
