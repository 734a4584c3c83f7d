"""What a roster's contact says: a mobile number, an e-mail address, or nothing that a message can be sent to."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from evalsys.base.outbox import Channel
from evalsys.base.post import is_address

_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})")


class Contact(NamedTuple):
    channel: Channel
    address: str


def read_contact(text: str) -> Contact | None:
    """The one way to write to somebody; None for a landline, two numbers, a remark."""
    narrow = unicodedata.normalize("NFKC", text).strip()
    if is_address(narrow):
        return Contact(Channel.EMAIL, narrow)
    mobile = _MOBILE.fullmatch(re.sub(r"[\s-]", "", narrow))
    return Contact(Channel.SMS, mobile[1]) if mobile else None
