"""Codes that a person can read out, copy by hand and mistype without harm: invitations and receipts.

The 23 characters leave out whatever looks like another: of 0 O D Q, 1 I L, U V none is there; B, G, S and Z are read as
the digits they look like. 23 is a prime, so the weighted sum of an invitation code finds every single wrong character
and every swap of two.
"""

from __future__ import annotations

import secrets
import unicodedata

from evalsys.base.tokens import derive_key, keyed_hash

ALPHABET = "23456789ACEFHJKMNPRTWXY"
CODE_LENGTH = 10  # 9 drawn characters: 1.8 million million codes
RECEIPT_LENGTH = 20
_BODY = 16  # characters of a receipt before its mark
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_READ_AS = str.maketrans("BGSZ", "8652")


def new_code() -> str:
    """An invitation code: nine characters drawn at random and a check character."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH - 1))
    return drawn + ALPHABET[-_weighted(drawn) % len(ALPHABET)]


def read_code(typed: str) -> str | None:
    """The code that somebody typed, in any case, with any blanks and dashes; None when it cannot be one."""
    code = typed if _VALUE.keys() >= set(typed) else _plain(typed)
    if len(code) != CODE_LENGTH or not _VALUE.keys() >= set(code) or _weighted(code) % len(ALPHABET):
        return None
    return code


def code_key(secret: str) -> bytes:
    """The key that codes are hashed with. It follows from the secret key: with that lost, every code is."""
    return derive_key(secret, "invitation code")


def code_hash(code: str, key: bytes) -> bytes:
    """What the database keeps of a code. Without the key it cannot be tried out."""
    return keyed_hash(key, code.encode())


def receipt_of(nonce: str, key: bytes) -> str:
    """The receipt that belongs to a form's nonce: 16 characters that follow from it, and 4 that show it is ours."""
    body = _characters(keyed_hash(key, b"body " + nonce.encode()), _BODY)
    return body + _mark(body, key)


def read_receipt(typed: str, key: bytes) -> str | None:
    """The receipt that somebody typed; None when it is not one of ours."""
    receipt = _plain(typed)
    if len(receipt) != RECEIPT_LENGTH or _mark(receipt[:_BODY], key) != receipt[_BODY:]:
        return None
    return receipt


def grouped(text: str, size: int) -> str:
    """Characters in groups joined by dashes, as they are shown and printed."""
    return "-".join(text[at : at + size] for at in range(0, len(text), size))


def _plain(typed: str) -> str:
    """Upper case without blanks and dashes; full-width characters of a Chinese keyboard as the narrow ones."""
    narrow = unicodedata.normalize("NFKC", typed[:80]).upper()
    return "".join(c for c in narrow if c.isalnum()).translate(_READ_AS)


def _weighted(characters: str) -> int:
    """The last of ten characters weighs 1, the one before it 2, and so on."""
    return sum(_VALUE[c] * (CODE_LENGTH - at) for at, c in enumerate(characters))


def _mark(body: str, key: bytes) -> str:
    return _characters(keyed_hash(key, b"mark " + body.encode()), RECEIPT_LENGTH - _BODY)


def _characters(digest: bytes, count: int) -> str:
    number = int.from_bytes(digest[:12], "big")  # 96 bits; 16 characters hold 72
    found = []
    for _ in range(count):
        number, value = divmod(number, len(ALPHABET))
        found.append(ALPHABET[value])
    return "".join(found)
