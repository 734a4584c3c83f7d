"""The keys that editions are signed with: public ones in the database, private ones in the instance folder.

All keys in use sign, so that a new one is known before an old one is retired. Private keys never leave the folder; who
loses one makes another, and what the lost one signed can still be checked.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, NotFound
from evalsys.config import Settings
from evalsys.publication.bundle.signature import SigningKey, fingerprint
from evalsys.publication.models import PublicKey


class KeyFolder:
    """Private keys as files that only their owner may read, named by their fingerprint."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: SigningKey) -> None:
        """Keep a key; on the disk before anything is signed with it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(fingerprint(key.public))
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(key.pem)

    def get(self, name: str) -> SigningKey | None:
        """The key with this fingerprint; None where it is not here."""
        try:
            return SigningKey(self._path(name).read_bytes())
        except FileNotFoundError:
            return None

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.pem"


def key_folder(settings: Settings) -> KeyFolder:
    """Where an installation keeps its private keys."""
    return KeyFolder(settings.instance / "keys")


def public_keys(session: Session) -> Sequence[PublicKey]:
    """Every key there ever was, the newest first."""
    return session.scalars(select(PublicKey).order_by(PublicKey.made_at.desc(), PublicKey.fingerprint)).all()


def make_key(session: Session, folder: KeyFolder, *, actor: Actor, now: datetime) -> SigningKey:
    """A new key, in use from now on beside those there are."""
    key = SigningKey.fresh()
    name = fingerprint(key.public)
    session.add(PublicKey(fingerprint=name, key=b64encode(key.public).decode(), made_at=now))
    audit.record(session, actor=actor, act="publication.make_key", subject=f"key:{name}", now=now)
    session.flush()
    folder.put(key)
    return key


def retire_key(session: Session, name: str, *, actor: Actor, now: datetime) -> None:
    """Sign with a key no longer.

    Raises:
        NotFound: there is no such key in use.
        Conflict: it is the only one in use.
    """
    in_use = {key.fingerprint: key for key in public_keys(session) if key.retired_at is None}
    if name not in in_use:
        raise NotFound(_("No key %(name)s is in use.", name=name), remedy=_("See which are with “evalsys keys list”."))
    if len(in_use) == 1:
        raise Conflict(
            _("%(name)s is the only key in use.", name=name),
            remedy=_("Make a new one first with “evalsys keys new”, and publish its fingerprint."),
        )
    in_use[name].retired_at = now
    audit.record(session, actor=actor, act="publication.retire_key", subject=f"key:{name}", now=now)


def signing_keys(session: Session, folder: KeyFolder, *, actor: Actor, now: datetime) -> list[SigningKey]:
    """The keys to sign with, made where there is none yet.

    Raises:
        Conflict: a key is in use, but none of those in use lies in the folder.
    """
    in_use = [key.fingerprint for key in public_keys(session) if key.retired_at is None]
    if not in_use:
        return [make_key(session, folder, actor=actor, now=now)]
    found = [key for key in map(folder.get, in_use) if key is not None]
    if not found:
        raise Conflict(
            _("The private key is not in the instance folder: %(names)s.", names=", ".join(in_use)),
            remedy=_("Put it back from the backup, or make another with “evalsys keys new”."),
        )
    return found
