"""Ed25519 keys and signatures of editions."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)


def fingerprint(public: bytes) -> str:
    """What people compare of a public key: SHA-256 of its 32 bytes, 16 hexadecimal digits in groups of four."""
    digits = sha256(public).hexdigest()[:16]
    return "-".join(digits[place : place + 4] for place in range(0, 16, 4))


@dataclass(frozen=True)
class SigningKey:
    """A private key, from its PEM text."""

    pem: bytes

    @classmethod
    def fresh(cls) -> SigningKey:
        """A key drawn at random."""
        made = Ed25519PrivateKey.generate()
        return cls(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def _private(self) -> Ed25519PrivateKey:
        key = load_pem_private_key(self.pem, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("the key is no Ed25519 key")  # noqa: TRY004 - a text of the wrong content, not a wrong type
        return key

    @property
    def public(self) -> bytes:
        """The 32 bytes that everybody may know.

        Raises:
            ValueError: the PEM text is no Ed25519 key.
        """
        return self._private().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, content: bytes) -> Signature:
        """The key's signature under the content."""
        return Signature(b64encode(self.public).decode(), b64encode(self._private().sign(content)).decode())


@dataclass(frozen=True)
class Signature:
    """A signature and the public key that it is to be checked with, both in Base64."""

    key: str
    signature: str

    @property
    def fingerprint(self) -> str:
        """Of the key.

        Raises:
            ValueError: the key is no Base64.
        """
        return fingerprint(b64decode(self.key, validate=True))

    def holds(self, content: bytes) -> bool:
        """Whether the key signed just this content; false too for what is no key and no signature."""
        try:
            public = Ed25519PublicKey.from_public_bytes(b64decode(self.key, validate=True))
            public.verify(b64decode(self.signature, validate=True), content)
        except (InvalidSignature, ValueError):
            return False
        return True
