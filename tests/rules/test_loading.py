"""From bytes to rules: encodings, the parser's faults, the hash, and how a fault reads."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest

from evalsys.config import SHIPPED_RULES
from evalsys.rules.loading import Fault, RulesFaulty, load, loads, rules_hash
from evalsys.rules.model import Rules
from evalsys.rules.values import Text

BOM = b"\xef\xbb\xbf"


def only_fault(data: bytes) -> Fault:
    with pytest.raises(RulesFaulty) as caught:
        loads(data, "bad.toml")
    (fault,) = caught.value.faults
    return fault


def test_file_is_read_and_named_as_it_was_given(tmp_path: Path, small: str) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(small, encoding="utf-8")
    assert load(file) == loads(small.encode(), "other name")
    file.write_text(small.replace("format = 1", "format = 3"), encoding="utf-8")
    with pytest.raises(RulesFaulty) as caught:
        load(file)
    assert caught.value.faults[0].file == str(file)


def test_missing_file_is_the_callers_matter(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent.toml")


def test_mark_and_windows_line_ends_change_nothing(small: str) -> None:
    unix = small.encode()
    windows = BOM + unix.replace(b"\n", b"\r\n")
    assert loads(windows, "w") == loads(unix, "u")
    assert rules_hash(windows) == rules_hash(unix) == hashlib.sha256(unix).hexdigest()
    assert rules_hash(unix + b"\n") != rules_hash(unix)


def test_lines_are_right_with_windows_line_ends(small: str) -> None:
    fault = only_fault(BOM + small.replace("best = 1", "best = 0.5").replace("\n", "\r\n").encode())
    assert small.splitlines()[fault.line - 1] == "best = 1"


def test_gb18030_is_told_with_line_and_byte(small: str) -> None:
    fault = only_fault(small.encode("gb18030"))
    assert fault.line == 3
    assert fault.key == ""
    assert fault.wrong.en == "byte 19 of the line, 0xB9, is not UTF-8"
    assert fault.write.zh == "用编辑器“另存为”，编码选 UTF-8"


@pytest.mark.parametrize(
    ("text", "line", "zh", "en"),
    [
        ("a = 1\nb = \n", 2, "值的写法不对（第 5 列）", "Invalid value (column 5)"),
        ("a = 1\n\na = 2\n", 3, "这个名称前面已经写过", "Cannot overwrite a value"),
        ("[t]\n[t]\n", 2, "这一节前面已经写过", "Cannot declare"),
        ("a = 1\n中文 = 2\n", 2, "这一行看不懂", "Invalid statement"),
        ("a b = 1\n", 1, "名称后面缺等号", "Expected '='"),
        ("a = 1 b = 2\n", 1, "值的后面有多余的内容", "Expected newline"),
        ("[t\n", 1, "节名的方括号没有写全", "Expected ']'"),
        ('a = "x\nb = 1\n', 1, "引号里有不能使用的字符", "Illegal character"),
        ('a = """x\nb = 1\n', 2, "引号没有写完", "Unterminated string"),
        ("a = [1\n\n", 1, "方括号没有写完", "Unclosed array"),
        ("a = {b = 1\n", 1, "花括号没有写完", "Unclosed inline table"),
        ("a = {b = 1, b = 2}\n", 1, "花括号里有重复的名称", "Duplicate inline table key"),
        ("a = 1\n. = 1\n", 2, "这一行看不懂", "Invalid statement"),
        ("a.. = 1\n", 1, "名称缺失", "Invalid initial character"),
        ("a = {}\na.b = 1\n", 2, "前面已把它写成一个完整的值", "Cannot mutate"),
        ("a.b = 1\n[a]\n", 2, "这一节前面已经写过", "Cannot declare"),
        ("a = '\\x'\nb = \"\\x\"\n", 2, "写法不合 TOML 规定", "Unescaped"),
        ("a = 1\x00\n", 1, "值的后面有多余的内容", "Expected newline"),
    ],
)
def test_what_the_parser_cannot_read_is_told_with_its_line(text: str, line: int, zh: str, en: str) -> None:
    fault = only_fault(text.encode())
    assert fault.line == line
    assert fault.wrong.zh.startswith(f"不是合法的 TOML：{zh}")
    assert fault.wrong.en.startswith(f"not valid TOML: {en}")


@pytest.mark.parametrize("value", ["1" + "0" * 5000, "[" * 5000])
def test_value_beyond_all_measure_is_a_fault_and_no_crash(value: str) -> None:
    fault = only_fault(f"a = {value}\n".encode())
    assert (fault.line, fault.wrong.zh) == (1, "有几千位的数，或几千层的括号")


def test_parser_that_names_no_place_is_still_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(text: str) -> None:
        raise tomllib.TOMLDecodeError("Unclosed array")

    monkeypatch.setattr(tomllib, "loads", refuse)
    fault = only_fault(b"a = [\nb = 1\n")
    assert (fault.line, fault.wrong.en) == (2, "not valid TOML: Unclosed array")


def test_fault_reads_as_a_compiler_would_say_it(small: str) -> None:
    fault = only_fault(small.replace("share = 0.6", "share = 1.4").encode())
    assert str(fault) == "bad.toml:105: weights[0].share: 1.4 is not a share; write a number above 0 and at most 1"
    assert fault.in_language("zh_CN") == "bad.toml:105: weights[0].share: 1.4 不是比重；写一个大于 0、不超过 1 的数"


def test_fault_of_the_whole_file_has_no_key() -> None:
    fault = Fault("f.toml", 1, "", Text(zh="错", en="wrong"), Text(zh="改", en="mend it"))
    assert str(fault) == "f.toml:1: wrong; mend it"


def test_all_faults_stand_in_the_message(small: str) -> None:
    bad = small.replace("format = 1", "format = 3").replace("best = 1", "best = 0.5")
    with pytest.raises(RulesFaulty) as caught:
        loads(bad.encode(), "bad.toml")
    assert str(caught.value).splitlines() == [str(fault) for fault in caught.value.faults]
    assert len(caught.value.faults) == 2


def test_shipped_file_goes_round_through_its_values() -> None:
    written = tomllib.loads(SHIPPED_RULES.read_text(encoding="utf-8"))
    rules = load(SHIPPED_RULES)
    assert Rules.model_validate_json(rules.model_dump_json(by_alias=True)) == rules
    dumped = rules.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert dumped == written
