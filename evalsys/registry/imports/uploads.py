"""A file that was sent and waits, for an hour, to be confirmed: kept in the instance folder under a random token."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from flask_babel import gettext as _

from evalsys.base.access import Actor
from evalsys.base.errors import Gone

KEPT = timedelta(hours=1)


@dataclass(frozen=True)
class Upload:
    """What was sent, and by whom."""

    kind: str
    filename: str
    account_id: int | None
    cycle_code: str | None
    sent_at: str


def _folder(instance: Path) -> Path:
    folder = instance / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def keep(
    instance: Path, data: bytes, *, kind: str, filename: str, cycle_code: str | None, actor: Actor, now: datetime
) -> str:
    """Keep a file; returns its token. Files that nobody confirmed in time are deleted on the way."""
    folder = _folder(instance)
    for old in folder.iterdir():
        if now.timestamp() - old.stat().st_mtime > KEPT.total_seconds():
            old.unlink(missing_ok=True)
    token = secrets.token_hex(16)
    about = Upload(kind, filename[:100], actor.account_id, cycle_code, now.isoformat())
    path = folder / token
    path.touch(mode=0o600)
    path.write_bytes(json.dumps(asdict(about)).encode() + b"\n" + data)
    return token


def fetch(instance: Path, token: str, *, actor: Actor, now: datetime) -> tuple[Upload, bytes]:
    """The file again, for the person who sent it.

    Raises:
        Gone: it was confirmed, waited for too long, or was sent by somebody else.
    """
    path = _folder(instance) / token
    if re.fullmatch("[0-9a-f]{32}", token) and path.is_file():
        head, data = path.read_bytes().split(b"\n", 1)
        about = Upload(**json.loads(head))
        if about.account_id == actor.account_id and now - datetime.fromisoformat(about.sent_at) <= KEPT:
            return about, data
    raise Gone(_("This upload is no longer here."), remedy=_("Send the file again."))


def forget(instance: Path, token: str) -> None:
    """Delete the file."""
    (_folder(instance) / token).unlink(missing_ok=True)
