"""Finds what tells who a person is in a text that will stand in public, and masks it.

Numbers are found however they are written: with blanks and dashes, in full-width or Chinese figures. What is surely or
possibly somebody's number is masked; names and long numbers of no known kind are only pointed at, for people to judge.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stdnum import luhn
from stdnum.cn import ric, uscc


class Kind(StrEnum):
    MOBILE = "mobile"
    LANDLINE = "landline"
    ID_CARD = "id_card"
    BANK_CARD = "bank_card"
    EMAIL = "email"
    NAME = "name"
    NUMBER = "number"  # long, and of no known kind


JUDGED = (Kind.NAME, Kind.NUMBER)
"""Kinds that are only pointed at."""


@dataclass(frozen=True)
class Finding:
    """A place in a text.

    Attributes:
        start, end: its characters, the end not included.
        certain: the check digit, or the form, leaves no doubt.
        masked: what stands there in public; empty for what is only pointed at.
    """

    start: int
    end: int
    kind: Kind
    certain: bool
    masked: str


def findings(text: str) -> list[Finding]:
    """What tells who a person is, in the order of the text; no two overlap."""
    plain = _plain(text)
    chosen: list[Finding] = []
    for found in (*_emails(plain), *_numbers(plain), *_after_a_word(plain), *_names(text)):
        if all(found.end <= other.start or found.start >= other.end for other in chosen):
            chosen.append(found)
    return sorted(chosen, key=lambda found: found.start)


def masked(text: str) -> str:
    """The text as it may stand in public, no longer than it was. Masking it again changes nothing."""
    while sure := [found for found in findings(text) if found.kind not in JUDGED]:  # rarely twice: what is left joins
        for found in reversed(sure):
            text = text[: found.start] + found.masked + text[found.end :]
    return text


@dataclass(frozen=True)
class Piece:
    """A part of a text, with what was found there, if anything."""

    text: str
    finding: Finding | None = None


def pieces(text: str) -> list[Piece]:
    """The text in parts, to be shown with its findings marked."""
    parts, at = [], 0
    for found in findings(text):
        parts += [Piece(text[at : found.start]), Piece(text[found.start : found.end], found)]
        at = found.end
    return [part for part in (*parts, Piece(text[at:])) if part.text]


# ── How it is written ──

_CHINESE = dict(zip("〇零一二三四五六七八九幺壹贰叁肆伍陆柒捌玖", "001234567891123456789", strict=True))
_DASHES = "‐‑‒–—―−－ー"
_BETWEEN = r"[ .·_()\-]{0,3}"


def _plain(text: str) -> str:
    """The same number of characters, with figures, blanks and dashes as a keyboard types them."""
    return "".join(map(_plain_character, text))


def _plain_character(character: str) -> str:
    if character in _CHINESE:
        return _CHINESE[character]
    if character in _DASHES:
        return "-"
    if character.isspace() and character != "\n":
        return " "
    narrow = unicodedata.normalize("NFKC", character)
    if len(narrow) != 1:
        return character
    value = unicodedata.decimal(narrow, None)
    return narrow if value is None else str(value)


# ── Numbers ──

_RUN = re.compile(rf"\d(?:{_BETWEEN}\d)*(?:{_BETWEEN}[xX])?")
_LONG = re.compile(r"\d{9}")  # a number of no known kind is pointed at where it has so many figures in a row


def _numbers(plain: str) -> Iterator[Finding]:
    """In each row of figures, the longest stretch first that is somebody's number; it begins and ends with a group."""
    for run in _RUN.finditer(plain):
        places = [at for at in range(run.start(), run.end()) if plain[at].isdecimal() or plain[at] in "xX"]
        starts = [n for n, at in enumerate(places) if n == 0 or places[n - 1] != at - 1]
        ends = [
            n for n, at in enumerate(places, 1) if n == len(places) or places[n] != at + 1 or plain[places[n]] in "xX"
        ]
        stretches = sorted(((i, j) for i in starts for j in ends if 10 <= j - i <= 19), key=lambda s: s[0] - s[1])
        taken: set[int] = set()
        for i, j in stretches:
            told = None if taken & set(range(i, j)) else _somebodys("".join(plain[at] for at in places[i:j]))
            if told:
                taken |= set(range(i, j))
                yield Finding(places[i], places[j - 1] + 1, *told)
        if not taken and _LONG.search(run[0]) and not uscc.is_valid("".join(plain[at] for at in places)):
            yield Finding(run.start(), run.end(), Kind.NUMBER, certain=False, masked="")


def _somebodys(number: str) -> tuple[Kind, bool, str] | None:
    """What a number is, whether that is certain, and its mask."""
    number = number.upper()
    if re.fullmatch(r"[1-8]\d{16}[\dX]", number) and _is_day(number[6:14]):
        return Kind.ID_CARD, ric.calc_check_digit(number) == number[-1], number[:4] + "*" * 14
    if mobile := re.fullmatch(r"(?:(?:00)?86|0)?(1[3-9]\d{9})", number):
        return Kind.MOBILE, True, f"{mobile[1][:3]}****{mobile[1][-4:]}"
    if re.fullmatch(r"[3-6]\d{15,18}", number) and luhn.is_valid(number) and not uscc.is_valid(number):
        return Kind.BANK_CARD, True, number[:4] + "*" * (len(number) - 4)
    if re.fullmatch(r"[1-8]\d{14}", number) and _is_day(f"19{number[6:12]}"):
        return Kind.ID_CARD, False, number[:4] + "*" * 11
    if landline := re.fullmatch(r"(?:(?:00)?86)?(0(?:10|2\d|[3-9]\d\d))[2-8]\d{6,7}", number):
        return Kind.LANDLINE, True, f"{landline[1]}*******"
    return None


def _is_day(digits: str) -> bool:
    try:
        return 1880 <= datetime.strptime(digits, "%Y%m%d").year <= 2099  # noqa: DTZ007 - a day of birth has no zone
    except ValueError:
        return False


_CALLED = re.compile(
    rf"(?:电话|手机|热线|座机|拨打|致电|联系|\btel\b|\bphone\b)\D{{0,8}}([2-8](?:{_BETWEEN}\d){{6,7}})(?!\d)",
    re.IGNORECASE,
)


def _after_a_word(plain: str) -> Iterator[Finding]:
    """Seven or eight figures are a telephone's where a word says so."""
    for found in _CALLED.finditer(plain):
        yield Finding(found.start(1), found.end(1), Kind.LANDLINE, certain=False, masked="*******")


_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")


def _emails(plain: str) -> Iterator[Finding]:
    for found in _EMAIL.finditer(plain):
        yield Finding(found.start(), found.end(), Kind.EMAIL, certain=True, masked="*@***")


# ── Names ──

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧肖蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟"
    "姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛闫段雷龙史陶黎贺顾毛郝龚邵万钱覃武莫孔汤欧温房"
)
_AFTER = "的是在有和与也还等及曾对由被说称家"  # what stands after a name of two characters
_NAME = re.compile(
    r"(?:姓名|户主|老人|长者|服务对象|救助对象|受助人|低保户|特困人员|五保户|村民|居民|患者|病人|家属|监护人|联系人|投诉人)"
    rf"\s?(?:[:：]|是|叫|为)?\s?([{_SURNAMES}][\u4e00-\u9fff](?:(?![{_AFTER}])[\u4e00-\u9fff])?)"
)


def _names(text: str) -> Iterator[Finding]:
    """Where a name may stand: after a word for a person, a surname."""
    for found in _NAME.finditer(text):
        yield Finding(found.start(1), found.end(1), Kind.NAME, certain=False, masked="")
