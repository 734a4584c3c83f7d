"""A message as it goes out, and the three ways in which that can fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

TIMEOUT = 30  # seconds that the other side has for each of its answers


@dataclass(frozen=True)
class Letter:
    """A message to one person.

    Attributes:
        number: the message's own; the same on every try.
        to: an e-mail address or a mobile number, already checked.
        template, fields: for SMS providers that send only texts they know: which one, and what is put into it.
        simulated: it is not meant to reach anybody.
    """

    number: int
    to: str = field(repr=False)
    subject: str
    text: str = field(repr=False)
    template: str = ""
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    simulated: bool = False

    def without_secrets(self, said: str) -> str:
        """What the other side said, with address and fields blotted out."""
        for secret in filter(None, (self.to, *self.fields.values())):
            said = said.replace(secret, "…")
        return " ".join(said.split())


class NotSent(Exception):
    """It is not known to be sent.

    Attributes:
        why: a code that pages have words for.
        said: what the other side said.
    """

    def __init__(self, why: str, said: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.said = said


class NotNow(NotSent):
    """It was not sent, and may be another time."""


class Refused(NotSent):
    """It was not sent, and will not be."""


class Unclear(NotSent):
    """It may have been sent: the other side had all of it and did not answer."""


class Post(Protocol):
    """A way out."""

    @property
    def place(self) -> str:
        """Where it goes, without secrets."""

    def send(self, letter: Letter) -> None:
        """Hand a letter over; on return the other side has taken it.

        Raises:
            NotNow, Refused, Unclear: it has not, or may not have.
        """
