"""From a rules file to `Rules`, or to every fault in it."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

from evalsys.rules.consistency import consistency_findings
from evalsys.rules.draft import Draft
from evalsys.rules.faults import Fault, Finding, RulesFaulty, dotted, found
from evalsys.rules.model import Rules
from evalsys.rules.names import naming_findings
from evalsys.rules.positions import line_of, lines_of
from evalsys.rules.shape import validated

__all__ = ["Fault", "RulesFaulty", "load", "loads", "rules_hash"]

_BOM = b"\xef\xbb\xbf"
_PARSER_PLACE = re.compile(
    r"(?P<said>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)

# What the parser says, by the beginning of its message: (zh wrong, zh write, en write)
_PARSER_SAID = {
    "Cannot declare": ("这一节前面已经写过", "合并成一节；若是列表中的另一项，写 [[名称]]", "join the two tables"),
    "Cannot overwrite": ("这个名称前面已经写过", "删去其中一个", "delete one of the two"),
    "Cannot mutate": ("前面已把它写成一个完整的值", "把内容写进前面那一处", "write it where the value is"),
    "Cannot redefine": ("前面已把它写成另一种内容", "同一名称只用一种写法", "use one way of writing for one name"),
    "Duplicate inline": ("花括号里有重复的名称", "删去其中一个", "delete one of the two"),
    "Expected '='": ("名称后面缺等号", "写成 名称 = 值", "write key = value"),
    "Expected newline": (
        "值的后面有多余的内容",
        "一行只写一项；说明前面加 #",
        "write one key a line; put # before a comment",
    ),
    "Expected ']": ("节名的方括号没有写全", "写成 [名称] 或 [[名称]]", "write [name] or [[name]]"),
    "Found invalid character": ("有不能使用的字符", "删去或换成英文半角字符", "delete or replace the character"),
    "Illegal character": (
        "引号里有不能使用的字符",
        "引号在同一行内写完",
        "end the text on the line on which it begins",
    ),
    "Invalid initial": (
        "名称缺失，或用了不能使用的字符",
        "名称用英文字母；标点用英文半角",
        "write a key in ASCII letters",
    ),
    "Invalid statement": (
        "这一行看不懂",
        "写成 名称 = 值；说明前面加 #；标点用英文半角",
        "write key = value, or # before a comment",
    ),
    "Invalid value": (
        "值的写法不对",
        "文字加英文引号，数不加引号",
        "put text in straight quotes; write numbers without",
    ),
    "Unclosed array": ("方括号没有写完", "补上 ]，各项之间用英文逗号", "add the closing ]; separate entries by commas"),
    "Unclosed inline": (
        "花括号没有写完",
        "补上 }，各项之间用英文逗号",
        "add the closing }; separate entries by commas",
    ),
    "Unterminated": ("引号没有写完", "补上后面的引号", "add the closing quote"),
}
_PARSER_SAID_ELSE = ("写法不合 TOML 规定", "参照示例文件改写", "follow the example file")


def load(path: Path) -> Rules:
    """Read a rules file.

    Raises:
        RulesFaulty: the file has faults; all are listed.
        OSError: the file cannot be read.
    """
    return loads(path.read_bytes(), str(path))


def loads(data: bytes, name: str) -> Rules:
    """Read the bytes of a rules file; `name` is how faults call it.

    Raises:
        RulesFaulty: there are faults; all are listed.
    """
    text = _decoded(data, name)
    document = _parsed(text, name)
    rules, findings = validated(document)
    draft = Draft(document)
    for check in (naming_findings, consistency_findings):
        told = {finding.path for finding in findings}  # what is malformed or misspelt need not also make sense
        findings += [finding for finding in check(draft) if finding.path not in told]
    if rules is None or findings:
        raise RulesFaulty(_placed(findings, text, name))
    return rules


def rules_hash(data: bytes) -> str:
    """SHA-256, in hex, of a rules file's bytes as they are without a byte order mark and with LF line ends.

    So the same rules have the same hash whether a Windows or a Unix editor saved them.
    """
    return hashlib.sha256(data.removeprefix(_BOM).replace(b"\r\n", b"\n")).hexdigest()


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.removeprefix(_BOM).decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        read = error.object
        line = read.count(b"\n", 0, error.start) + 1
        byte = f"0x{read[error.start]:02X}"
        column = error.start - read.rfind(b"\n", 0, error.start)
        finding = found(
            (),
            zh=(f"第 {column} 个字节 {byte} 不是 UTF-8", "用编辑器“另存为”，编码选 UTF-8"),
            en=(f"byte {column} of the line, {byte}, is not UTF-8", "save the file with the encoding UTF-8"),
        )
        raise RulesFaulty((Fault(name, line, "", finding.wrong, finding.write),)) from error


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PARSER_PLACE.fullmatch(str(error))
        said = place["said"] if place else str(error)
        line = int(place["line"]) if place and place["line"] else text.rstrip("\n").count("\n") + 1
        zh_wrong, zh_write, en_write = next(
            (words for beginning, words in _PARSER_SAID.items() if said.startswith(beginning)), _PARSER_SAID_ELSE
        )
        finding = found(
            (),
            zh=(
                f"不是合法的 TOML：{zh_wrong}" + (f"（第 {place['column']} 列）" if place and place["line"] else ""),
                zh_write,
            ),
            en=(
                f"not valid TOML: {said}" + (f" (column {place['column']})" if place and place["line"] else ""),
                en_write,
            ),
        )
        raise RulesFaulty((Fault(name, line, "", finding.wrong, finding.write),)) from error


def _placed(findings: list[Finding], text: str, name: str) -> tuple[Fault, ...]:
    lines = lines_of(text)
    faults = (Fault(name, line_of(f.path, lines), dotted(f.path), f.wrong, f.write) for f in findings)
    return tuple(sorted(faults, key=lambda fault: (fault.line, fault.key)))
