"""The line on which each key of a TOML file stands: the standard library's parser does not tell.

Reads only text that `tomllib` has accepted, so it looks for where things stand and never for what is wrong.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

from evalsys.rules.faults import KeyPath

_BLANK = re.compile(r"(?:[ \t\n\r]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*'""")
_SCALAR = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}'''
    r"""|'''.*?'{3,5}"""
    r'''|"(?:\\.|[^"\\])*"'''
    r"""|'[^']*'"""
    r"""|[^,\]}#\n]+""",  # numbers, booleans, dates
    re.DOTALL,
)


def lines_of(text: str) -> dict[KeyPath, int]:
    """The line, counted from 1, of every key and every list entry of a valid TOML text."""
    scanner = _Scanner(text)
    scanner.document()
    return scanner.lines


def line_of(path: KeyPath, lines: Mapping[KeyPath, int]) -> int:
    """The line of a path, or of the nearest part of it that is in the file; 1 for the file itself."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.counted = 0  # newlines are counted up to here
        self.line = 1
        self.lines: dict[KeyPath, int] = {}
        self.last_entry: dict[KeyPath, int] = {}  # of each [[array of tables]]

    def document(self) -> None:
        table: KeyPath = ()
        while self.skip(_BLANK) < len(self.text):
            if self.text.startswith("[[", self.at):
                table = self.table_entry()
            elif self.text[self.at] == "[":
                table = self.table()
            else:
                self.pair(table)

    def table(self) -> KeyPath:
        line = self.here()
        self.at += 1
        path = self.resolved(self.key(), line)
        self.at += 1
        self.lines[path] = line
        return path

    def table_entry(self) -> KeyPath:
        line = self.here()
        self.at += 2
        *parents, name = self.key()
        self.at += 2
        array = (*self.resolved(tuple(parents), line), name)
        entry = self.last_entry[array] = self.last_entry.get(array, -1) + 1
        self.lines.setdefault(array, line)
        self.lines[*array, entry] = line
        return (*array, entry)

    def resolved(self, key: tuple[str, ...], line: int) -> KeyPath:
        """A header's key as a path: through an array of tables it means the last entry."""
        path: KeyPath = ()
        for part in key:
            path = (*path, part)
            self.lines.setdefault(path, line)
            if path in self.last_entry:
                path = (*path, self.last_entry[path])
        return path

    def pair(self, table: KeyPath) -> None:
        line = self.here()
        path = table
        for part in self.key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        self.at += 1  # the equals sign
        self.skip(_SPACE)
        self.value(path)

    def value(self, path: KeyPath) -> None:
        opening = self.text[self.at]
        if opening == "[":
            self.array(path)
        elif opening == "{":
            self.inline_table(path)
        else:
            self.skip(_SCALAR)

    def array(self, path: KeyPath) -> None:
        self.at += 1
        entry = 0
        while self.separated() != "]":
            self.lines[*path, entry] = self.here()
            self.value((*path, entry))
            entry += 1
        self.at += 1

    def inline_table(self, path: KeyPath) -> None:
        self.at += 1
        while self.separated() != "}":
            self.pair(path)
        self.at += 1

    def separated(self) -> str:
        """The first character after blanks, comments and at most one comma."""
        self.skip(_BLANK)
        if self.text[self.at] == ",":
            self.at += 1
            self.skip(_BLANK)
        return self.text[self.at]

    def key(self) -> tuple[str, ...]:
        """A dotted key, and the blanks behind it."""
        parts = []
        while True:
            self.skip(_SPACE)
            start = self.at
            parts.append(_unquoted(self.text[start : self.skip(_KEY_PART)]))
            self.skip(_SPACE)
            if self.text[self.at] != ".":
                return tuple(parts)
            self.at += 1

    def skip(self, pattern: re.Pattern[str]) -> int:
        matched = pattern.match(self.text, self.at)
        if matched is None:
            raise ValueError(f"no valid TOML at character {self.at}")
        self.at = matched.end()
        return self.at

    def here(self) -> int:
        """The line of the present place; asked in the order of the text."""
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line


def _unquoted(part: str) -> str:
    if part[0] not in "\"'":
        return part
    return str(tomllib.loads(f"key = {part}")["key"])
