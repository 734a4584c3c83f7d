"""Keys that follow from the one secret key, and tokens sealed with them.

Each purpose has a key of its own, so that what is sealed for one can never be shown for another. Whoever changes
EVALSYS_SECRET_KEY makes every sealed form, session and printed invitation code worthless.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from itsdangerous import BadSignature, TimestampSigner


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
    """Makes and opens tokens that carry a random nonce and their time of issue, each bound to one thing."""

    def __init__(self, key: bytes) -> None:
        self._signer = TimestampSigner(key, digest_method=hashlib.sha256, key_derivation="none")

    def fresh(self, bound_to: str) -> str:
        """A new token for the thing, for example one invitation."""
        return self._signer.sign(f"{bound_to}.{secrets.token_urlsafe(16)}").decode()

    def opened(self, token: str, bound_to: str) -> Sealed | None:
        """What the token says; None when it is not ours, was changed, or belongs to another thing."""
        try:
            said, issued_at = self._signer.unsign(token, return_timestamp=True)
        except BadSignature:
            return None
        bound, _dot, nonce = said.decode().rpartition(".")
        return Sealed(nonce, issued_at) if bound == bound_to else None
