"""Which language a reader gets, and how dates, numbers and money are written in it."""

from __future__ import annotations

import os
from datetime import date, datetime
from typing import cast
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from flask import Flask, has_request_context, request, session
from flask_babel import Babel, get_locale

from evalsys import config
from evalsys.base.problems import asked_by_program
from evalsys.rules.values import Text

LANGUAGES = ("zh", "en")
WITHOUT_SESSION = ("/s/", "/better/")
"""Where recipients answer."""
CHINA = ZoneInfo("Asia/Shanghai")


def compile_catalogues() -> None:
    """Write each `.mo` that is missing or older than its `.po`; a wheel carries them ready made."""
    for po in config.TRANSLATIONS.glob("*/LC_MESSAGES/*.po"):
        mo = po.with_suffix(".mo")
        if mo.exists() and mo.stat().st_mtime >= po.stat().st_mtime:
            continue
        with po.open("rb") as source:
            catalogue = read_po(source)
        fresh = mo.with_suffix(f".{os.getpid()}-{id(catalogue)}.tmp")
        with fresh.open("wb") as target:
            write_mo(target, catalogue)
        fresh.replace(mo)  # two processes may do this at once; each leaves a whole file


def choose_language() -> str:
    """`?lang=` first, then what the reader chose before, then the browser's wish; Chinese otherwise.

    The recipients' pages read no session and are Chinese unless the address says otherwise; a program has no session.
    """
    if not has_request_context():
        return LANGUAGES[0]
    if request.path.startswith(WITHOUT_SESSION):
        return LANGUAGES[1] if request.args.get("lang") == LANGUAGES[1] else LANGUAGES[0]
    if asked_by_program():
        return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]
    asked = request.args.get("lang") or session.get("language")
    if asked in LANGUAGES:
        return cast(str, asked)
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def language() -> str:
    """The language in force, "zh" or "en"."""
    return str(get_locale() or LANGUAGES[0])[:2]


def words(text: Text) -> str:
    """A bilingual text of the rules in the reader's language."""
    return text.in_language(language())


def day(value: date | datetime | None) -> str:
    """2026年11月23日, or Nov 23, 2026; "—" for None."""
    if value is None:
        return "—"
    if isinstance(value, datetime):
        value = value.astimezone(CHINA).date()
    return format_date(value, "long" if language() == "zh" else "medium", locale=language())


def moment(value: datetime | None) -> str:
    """Date and time of day, China standard time; "—" for None."""
    if value is None:
        return "—"
    return format_datetime(value, "yyyy-MM-dd HH:mm", tzinfo=CHINA, locale=language())


def number(value: float | None, digits: int = 0) -> str:
    """Grouped, with a fixed number of decimals; "—" for None."""
    if value is None:
        return "—"
    return format_decimal(value, "#,##0" + ("." + "0" * digits if digits else ""), locale=language())


def points(value: float | None) -> str:
    """A score or a limit, to two decimals."""
    return number(value, 2)


def percent(value: float | None, digits: int = 0) -> str:
    """A share from 0 to 1 as per cent; "—" for None."""
    if value is None:
        return "—"
    return format_percent(value, "#,##0" + ("." + "0" * digits if digits else "") + "%", locale=language())


def yuan(fen: int | None) -> str:
    """Money kept in fen, written in yuan: ¥123,456.00."""
    if fen is None:
        return "—"
    return "¥" + format_decimal(fen / 100, "#,##0.00", locale=language())


def size(count: int) -> str:
    """A file's size: 300 kB, 1.4 MB."""
    return f"{number(-(-count // 1000))} kB" if count < 1_000_000 else f"{number(count / 1_000_000, 1)} MB"


def install(app: Flask) -> None:
    """Give an application its languages and the filters that templates write values with."""
    compile_catalogues()
    app.config.setdefault("BABEL_DEFAULT_LOCALE", LANGUAGES[0])
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(config.TRANSLATIONS)
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Asia/Shanghai"
    Babel(app, locale_selector=choose_language)
    for write in (words, day, moment, number, points, percent, yuan, size):
        app.jinja_env.filters[write.__name__] = write
    app.jinja_env.globals["language"] = language

    @app.before_request
    def remember() -> None:
        asked = request.args.get("lang")
        if asked_by_program() or request.path.startswith(WITHOUT_SESSION):
            return
        if asked in LANGUAGES and session.get("language") != asked:
            session["language"] = asked
