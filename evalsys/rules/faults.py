"""What is wrong with a rules file, where, and what to write instead, in both languages."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from evalsys.rules.values import Text

KeyPath = tuple[str | int, ...]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Finding:
    """A fault known by its key path; its line is found when it is told."""

    path: KeyPath
    wrong: Text
    write: Text


@dataclass(frozen=True)
class Fault:
    """One fault of a rules file.

    Attributes:
        file: the name it was read under.
        line: counted from 1.
        key: dotted path; entries of a list are counted from 0. Empty when the fault is in the file as a whole.
        wrong: what is wrong.
        write: what to write instead.
    """

    file: str
    line: int
    key: str
    wrong: Text
    write: Text

    def __str__(self) -> str:
        return self.in_language("en")

    def in_language(self, language: str) -> str:
        """`file:line: key: wrong; write` in Chinese for any Chinese locale, else in English."""
        place = f"{self.file}:{self.line}: " + (f"{self.key}: " if self.key else "")
        semicolon = "；" if language.startswith("zh") else "; "
        return f"{place}{self.wrong.in_language(language)}{semicolon}{self.write.in_language(language)}"


class RulesFaulty(Exception):
    """The file is no rules file; `faults` holds every fault found, in the order of their lines."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def found(path: KeyPath, *, zh: tuple[str, str], en: tuple[str, str]) -> Finding:
    """A finding from (what is wrong, what to write) in each language."""
    return Finding(path, wrong=Text(zh=zh[0], en=en[0]), write=Text(zh=zh[1], en=en[1]))


def dotted(path: KeyPath) -> str:
    """`criteria[4].weight`; a key that TOML would quote is quoted."""
    steps = [f"[{s}]" if isinstance(s, int) else f".{s if _BARE_KEY.fullmatch(s) else quoted(s)}" for s in path]
    return "".join(steps).removeprefix(".")


def quoted(words: str) -> str:
    return json.dumps(words, ensure_ascii=False)


def shown(value: object) -> str:
    """A value as the file spells it, cut where it is long."""
    match value:
        case str():
            return quoted(value if len(value) <= 40 else value[:39] + "…")
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > 100:
            return hex(value)[:12] + "…"  # Python refuses to spell the largest in decimals
        case dict():
            return "{…}"
        case list():
            return "[…]"
        case _:
            return str(value)


def listed(names: Iterable[str], language: str) -> str:
    return ("、" if language == "zh" else ", ").join(names)


def choice(written: str, known: Iterable[str]) -> tuple[str, str]:
    """What to write in place of an unknown name, in Chinese and English: the nearest known one first."""
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(written, names, n=1)
    zh, en = f"从这些中选写：{listed(names, 'zh')}", f"write one of {listed(names, 'en')}"
    if near:
        zh, en = f"是不是 {quoted(near[0])}？{zh}", f"did you mean {quoted(near[0])}? {en}"
    return zh, en
