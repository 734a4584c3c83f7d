"""What a cell, or a field of a form, says: text, a count, money, a day. People write all of them in many ways."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from flask_babel import gettext as _

Value = str | float | bool | date | datetime | time | timedelta | None

_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[ T]00:00(?::00)?)?")
_DAY_RUN = re.compile(r"(\d{4})(\d{2})(\d{2})")
_MONEY = re.compile(r"[¥$]?\s*(-?[\d,]*\.?\d+)\s*(万?)\s*元?")
_GROUPS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
MOST_YUAN = 10**12


class ValueWrong(Exception):
    """A value that cannot be what it should be.

    Attributes:
        wrong: what is wrong.
        remedy: what to write instead.
    """

    def __init__(self, wrong: str, remedy: str) -> None:
        super().__init__(wrong)
        self.wrong = wrong
        self.remedy = remedy


def is_blank(value: Value) -> bool:
    """Whether a cell says nothing."""
    return value is None or (isinstance(value, str) and not value.strip())


def as_text(value: Value, most: int = 200) -> str:
    """Text without blanks around it; a whole number without its ".0"."""
    if isinstance(value, float) and value.is_integer():
        if abs(value) >= 1e15:
            raise ValueWrong(
                _("Excel keeps only 15 figures of a number, so the last ones are lost."),
                _("Format the cell as text and type it again."),
            )
        value = int(value)
    text = "" if value is None else value.isoformat() if isinstance(value, date) else str(value).strip()
    if len(text) > most:
        raise ValueWrong(
            _("The text has %(n)s characters; at most %(most)s fit.", n=len(text), most=most), _("Shorten it.")
        )
    if _CONTROL.search(text):
        raise ValueWrong(_("The text holds characters that cannot be printed."), _("Type it again."))
    return " ".join(text.split())


def as_number(value: Value) -> float:
    """A number, written with figures; a comma may group thousands."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    text = _plain(value)
    try:
        return float(_ungrouped(text)) if re.fullmatch(r"-?[\d,]*\.?\d+", text) else _refuse_number()
    except ValueError:
        return _refuse_number()


def _refuse_number() -> float:
    raise ValueWrong(_("This is not a number."), _("Write a number, for example 12."))


def as_whole(value: Value, least: int = 0, most: int = 1_000_000_000) -> int:
    """A whole number within bounds."""
    number = as_number(value)
    if not number.is_integer():
        raise ValueWrong(_("This is not a whole number."), _("Write it without a fraction."))
    if not least <= number <= most:
        raise ValueWrong(
            _("The number is out of bounds."), _("Write a number from %(least)s to %(most)s.", least=least, most=most)
        )
    return int(number)


def as_money(value: Value) -> int:
    """Yuan as whole fen. Understands 1,234.50, ¥1234.5, 12.5万元."""
    yuan = _yuan(value)
    if not 0 <= yuan <= MOST_YUAN:
        raise ValueWrong(_("The amount is out of bounds."), _("Write the amount in yuan, zero or more."))
    fen = yuan * 100
    if fen != fen.to_integral_value():
        raise ValueWrong(_("Fractions of a fen do not exist."), _("Write at most two decimals."))
    return int(fen)


def _yuan(value: Value) -> Decimal:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        exact = Decimal(repr(value))
        near = round(exact, 2)
        return near if abs(exact - near) < Decimal("0.000001") else exact  # 0.1 + 0.2 of a spreadsheet
    written = _MONEY.fullmatch(_plain(value))
    try:
        if written is None:
            raise ValueError
        return Decimal(_ungrouped(written[1])) * (10_000 if written[2] else 1)
    except (ValueError, InvalidOperation) as error:
        raise ValueWrong(
            _("This is not an amount of money."), _("Write the amount in yuan, for example 120000 or 120,000.00.")
        ) from error


def as_day(value: Value) -> date:
    """A day. Understands date cells, 2026-01-31, 2026/1/31, 2026.1.31, 2026年1月31日, 20260131."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = _plain(as_text(value))
    written = _DAY.fullmatch(text) or _DAY_RUN.fullmatch(text)
    try:
        if written is None:
            raise ValueError
        day = date(*(int(part) for part in written.groups()))
    except ValueError as error:
        raise ValueWrong(_("This is not a day of the calendar."), _("Write it like 2026-01-31.")) from error
    if not 1949 <= day.year <= 2199:
        raise ValueWrong(_("The year cannot be right."), _("Write it like 2026-01-31."))
    return day


def _plain(value: Value) -> str:
    """Text with full-width figures, commas and the like made plain."""
    return unicodedata.normalize("NFKC", str(value if value is not None else "")).strip()


def _ungrouped(text: str) -> str:
    """Figures without the commas between thousands; ValueError where commas stand anywhere else."""
    if "," in text and not _GROUPS.fullmatch(text):
        raise ValueError(text)
    return text.replace(",", "")
