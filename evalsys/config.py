"""Where the house stands on disk, and the settings a person may give it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent
_BUNDLED = _PACKAGE / "_house"  # the wheel carries templates, migrations and rules here

ROOT: Path = _BUNDLED if _BUNDLED.is_dir() else _PACKAGE.parent
"""Folder that holds `templates/`, `migrations/`, `examples/` and `scoring_rules.toml`."""

TEMPLATES = ROOT / "templates"
MIGRATIONS = ROOT / "migrations"
SHIPPED_RULES = ROOT / "scoring_rules.toml"
TRANSLATIONS = _PACKAGE / "translations"
DEMO_KEY = "demo.key"


class SettingMissing(Exception):
    """A setting that has no safe default was not given.

    Attributes:
        remedy: what to set, in words.
    """

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True)
class Settings:
    """What one installation needs to know about itself.

    Attributes:
        instance: folder for the database, files and keys; made when missing.
        database_url: SQLAlchemy URL.
        secret_key: signs sessions, form nonces and invitation codes; None only for commands that sign nothing. Where
            the environment names none, the key that `evalsys demo` left in the instance folder.
        base_url: address under which people reach the site, without a trailing slash.
        port: TCP port that `serve` listens on.
        proxies: how many proxies of our own stand in front; only their word on a visitor's address is taken.
        fonts: folder of the fonts that are printed with; None for those that come with the program.
        smtp_url, mail_from: the mail server and the sender; without them e-mails are written into a file.
        sms_url: the SMS provider; without it SMS are written into a file.
    """

    instance: Path
    database_url: str
    secret_key: str | None
    base_url: str
    port: int
    proxies: int = 0
    fonts: Path | None = None
    smtp_url: str = field(default="", repr=False)
    mail_from: str = ""
    sms_url: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None, *, demo_key: bool = True) -> Settings:
        """Read the `EVALSYS_*` settings; the database defaults to SQLite in the instance folder.

        Args:
            environ: where to read; the process's own environment when not given.
            demo_key: whether the key that a demo left in the instance folder will do where none is set.

        Raises:
            SettingMissing: PORT is not a port number, or EVALSYS_PROXIES no number of proxies.
        """
        source = os.environ if environ is None else environ
        instance = Path(source.get("EVALSYS_INSTANCE", "instance")).resolve()
        port_text = source.get("PORT", "8000")
        if not port_text.isdecimal() or not 0 < int(port_text) < 65536:
            raise SettingMissing(
                f"PORT={port_text!r} is not a port number.", remedy="Set PORT to a number from 1 to 65535."
            )
        proxies_text = source.get("EVALSYS_PROXIES", "0")
        if not proxies_text.isdecimal() or int(proxies_text) > 9:
            raise SettingMissing(
                f"EVALSYS_PROXIES={proxies_text!r} is not a number of proxies.",
                remedy="Set EVALSYS_PROXIES to how many proxies stand in front: 1 behind one nginx, 0 without.",
            )
        url = source.get("EVALSYS_DATABASE_URL") or f"sqlite:///{instance / 'evalsys.sqlite'}"
        if url.startswith(("postgres://", "postgresql://")):  # SQLAlchemy's default driver is not the one we ship
            url = "postgresql+psycopg://" + url.split("://", 1)[1]
        return cls(
            instance=instance,
            database_url=url,
            secret_key=source.get("EVALSYS_SECRET_KEY") or (_kept_demo_key(instance) if demo_key else None),
            base_url=(source.get("EVALSYS_BASE_URL") or f"http://127.0.0.1:{port_text}").rstrip("/"),
            port=int(port_text),
            proxies=int(proxies_text),
            fonts=Path(source["EVALSYS_FONTS"]) if source.get("EVALSYS_FONTS") else None,
            smtp_url=source.get("EVALSYS_SMTP_URL", ""),
            mail_from=source.get("EVALSYS_MAIL_FROM", ""),
            sms_url=source.get("EVALSYS_SMS_URL", ""),
        )

    @property
    def demo_key_file(self) -> Path:
        """Where `evalsys demo` keeps the key of its own instance, so that other commands can act on it."""
        return self.instance / DEMO_KEY

    def require_secret_key(self) -> str:
        """The secret key, for whoever signs something.

        Raises:
            SettingMissing: it is not set.
        """
        if not self.secret_key:
            raise SettingMissing(
                "EVALSYS_SECRET_KEY is not set.",
                remedy="Set it to a long random text and keep it: "
                'export EVALSYS_SECRET_KEY="$(python3 -c "import secrets; print(secrets.token_urlsafe(48))")"',
            )
        return self.secret_key


def _kept_demo_key(instance: Path) -> str | None:
    try:
        return (instance / DEMO_KEY).read_text("ascii").strip() or None
    except FileNotFoundError:
        return None


def command_language(environ: Mapping[str, str] | None = None) -> Literal["zh", "en"]:
    """What a command speaks: by the first of EVALSYS_LANGUAGE, LC_ALL, LC_MESSAGES and LANG that names a language."""
    source = os.environ if environ is None else environ
    for name in ("EVALSYS_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        tag = source.get(name, "")
        if tag and tag.split(".")[0] not in {"C", "POSIX"}:
            return "zh" if tag.lower().startswith("zh") else "en"
    return "zh"
