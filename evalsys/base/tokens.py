"""Keys that follow from the one secret key, and tokens sealed with them.

Each purpose has a key of its own, so that what is sealed for one can never be shown for another. Whoever changes
EVALSYS_SECRET_KEY makes every sealed form, session and printed invitation code worthless.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from evalsys.base.clock import now


@lru_cache(maxsize=64)
def derive_key(secret: str, purpose: str) -> bytes:
    """The 32-byte key for one purpose: HMAC-SHA-256(secret, label)."""
    return hmac.digest(secret.encode(), b"evalsys key: " + purpose.encode(), "sha256")


def keyed_hash(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-256: nobody without the key can tell what was hashed, even by trying all values."""
    return hmac.digest(key, data, "sha256")


@dataclass(frozen=True)
class Sealed:
    """What an honest token says.

    Attributes:
        nonce: 22 characters drawn at random when the token was made.
        issued_at: when that was, to the second.
    """

    nonce: str
    issued_at: datetime


class Seal:
    """Makes and opens tokens that carry a random nonce and their time of issue, each bound to one thing.

    A token reads `nonce.seconds.mac`; the mac is over the thing too. Nothing in it is secret, and nothing in it can be
    changed.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def fresh(self, bound_to: str) -> str:
        """A new token for the thing, for example one invitation."""
        said = f"{secrets.token_urlsafe(16)}.{int(now().timestamp())}"
        return f"{said}.{self._mac(said, bound_to).decode()}"

    def opened(self, token: str, bound_to: str) -> Sealed | None:
        """What the token says; None when it is not ours, was changed, or belongs to another thing."""
        said, _dot, mac = token.rpartition(".")
        if not hmac.compare_digest(self._mac(said, bound_to), mac.encode(errors="replace")):
            return None
        nonce, seconds = said.split(".")
        return Sealed(nonce, datetime.fromtimestamp(int(seconds), UTC))

    def _mac(self, said: str, bound_to: str) -> bytes:
        # neither part of what was said holds a blank, so no other thing and saying come to the same bytes
        mac = keyed_hash(self._key, f"{said} {bound_to}".encode(errors="replace"))[:16]  # 128 bits: the survey is short
        return urlsafe_b64encode(mac).rstrip(b"=")


class Box:
    """Locks away what has to be read again, so that the database alone does not tell it (AES-256-GCM)."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 20 ms that other commands save

        self._cipher = AESGCM(key)

    def closed(self, text: str, bound_to: str) -> bytes:
        """The text, locked for one thing, for example one invitation."""
        nonce = secrets.token_bytes(12)
        return nonce + self._cipher.encrypt(nonce, text.encode(), bound_to.encode())

    def opened(self, locked: bytes, bound_to: str) -> str | None:
        """The text again; None when it was locked with another key or for another thing, or was changed."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(locked[:12], locked[12:], bound_to.encode()).decode()
        except InvalidTag:
            return None
