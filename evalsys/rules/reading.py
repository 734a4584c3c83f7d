"""From bytes to text to a TOML document, with the line of what cannot be read."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from evalsys.rules.values import Text

BOM = b"\xef\xbb\xbf"
_PARSER_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")

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


class Unreadable(Exception):
    """The file is no TOML; nothing more can be said of it than this one fault."""

    def __init__(self, line: int, *, wrong: Text, write: Text) -> None:
        super().__init__(wrong.en)
        self.line = line
        self.wrong = wrong
        self.write = write


def text_of(data: bytes) -> str:
    """UTF-8 with or without a byte order mark, lines ended by LF.

    Raises:
        Unreadable: a byte is not UTF-8.
    """
    try:
        return data.removeprefix(BOM).decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        read, at = error.object, error.start
        column, byte = at - read.rfind(b"\n", 0, at), f"0x{read[at]:02X}"
        raise Unreadable(
            read.count(b"\n", 0, at) + 1,
            wrong=Text(
                zh=f"本行第 {column} 个字节 {byte} 不是 UTF-8", en=f"byte {column} of the line, {byte}, is not UTF-8"
            ),
            write=Text(zh="用编辑器“另存为”，编码选 UTF-8", en="save the file with the encoding UTF-8"),
        ) from error


def document_of(text: str) -> dict[str, Any]:
    """The tables of a TOML text.

    Raises:
        Unreadable: it is no TOML; the parser stops at the first such place.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _told(str(error), text) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(
            1,
            wrong=Text(zh="有几千位的数，或几千层的括号", en=f"a number or nesting beyond all measure: {error}"),
            write=Text(zh="找出来删去", en="find and delete it"),
        ) from error


def _told(message: str, text: str) -> Unreadable:
    """The parser's message with its place taken out of the words."""
    place = _PARSER_PLACE.search(message)
    line = text.rstrip("\n").count("\n") + 1  # the parser says "end of document"
    said, at_zh, at_en = message, "", ""
    if place is not None:
        said = message[: place.start()]
        if place["line"] is not None:
            line = int(place["line"])
            at_zh, at_en = f"（第 {place['column']} 列）", f" (column {place['column']})"
    zh_wrong, zh_write, en_write = next(
        (words for beginning, words in _PARSER_SAID.items() if said.startswith(beginning)), _PARSER_SAID_ELSE
    )
    return Unreadable(
        line,
        wrong=Text(zh=f"不是合法的 TOML：{zh_wrong}{at_zh}", en=f"not valid TOML: {said}{at_en}"),
        write=Text(zh=zh_write, en=en_write),
    )
