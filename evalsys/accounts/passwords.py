"""Passwords: Argon2id hashes, what a password must be, and passwords made for handing over."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from flask_babel import gettext as _

from evalsys.base.errors import Invalid

SHORTEST = 10
LONGEST = 128  # hashing time grows with the length
_DIFFERENT = 5  # characters a password has at least
_SPOKEN = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is misread or misheard

_NOBODYS = (  # of a password thrown away
    "$argon2id$v=19$m=65536,t=3,p=4$4BSANCvQcsVc7+pqTN6QXg$iNv3I4rgDgakn+EkQ9RPLAOwQ7n0UIjetfbDeI8LfKQ"
)

_hasher = PasswordHasher()  # Argon2id with the parameters of RFC 9106, section 4, for 64 MiB


def hashed(password: str) -> str:
    """The Argon2id hash, parameters and salt included."""
    return _hasher.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether the password gives the stored hash; without one as much work is done, so that nobody can tell."""
    try:
        _hasher.verify(_NOBODYS if stored is None else stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return stored is not None


def outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def generated() -> str:
    """A password to tell somebody: 4 groups of 4, 79 bits."""
    return "-".join("".join(secrets.choice(_SPOKEN) for _ in range(4)) for _ in range(4))


def require_good(password: str, *, username: str, name: str) -> None:
    """Raises Invalid for a password that is too short, too plain, or says who its owner is."""
    remedy = _("Choose at least %(count)s characters; a sentence that only you think of is good.", count=SHORTEST)
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(
            _(
                "A password has %(shortest)s to %(longest)s characters; this one has %(length)s.",
                shortest=SHORTEST,
                longest=LONGEST,
                length=len(password),
            ),
            remedy=remedy,
        )
    folded = password.casefold()
    if any(len(part) > 1 and part.casefold() in folded for part in (username, name)):
        raise Invalid(_("The password contains the user name or the person's name."), remedy=remedy)
    if len(set(folded)) < _DIFFERENT or folded in _runs():
        raise Invalid(_("The password is too easy to guess."), remedy=remedy)


@cache
def _runs() -> frozenset[str]:
    """Keyboard and counting runs of every allowed length, forwards and backwards."""
    rows = ("1234567890" * 3, "0123456789" * 3, "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")
    both = [row[::step] for row in rows for step in (1, -1)]
    return frozenset(
        row[at : at + length] for row in both for length in range(SHORTEST, len(row) + 1) for at in range(len(row))
    )
