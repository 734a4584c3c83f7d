"""What can go wrong in a person's act, said with its remedy.

A use case raises one of these with words in the reader's language; one handler per way in (web, command line)
renders it. `status` is the HTTP status; a command ends with code 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class Fault(Exception):
    """An act was refused and nothing was saved.

    Attributes:
        message: what is wrong, for the person who acted.
        remedy: what to do about it; may be empty.
        details: one line for each thing at fault, where there are several.
        headers: of the answer over HTTP, where it has some of its own.
    """

    status = 400

    def __init__(
        self, message: str, *, remedy: str = "", details: Sequence[str] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.details = tuple(details)
        self.headers = dict(headers or {})


class NotSignedIn(Fault):
    """It is not known who asks; `headers` name the way to say so."""

    status = 401


class NotAllowed(Fault):
    """The person may not do this, or not to this thing."""

    status = 403


class NotFound(Fault):
    """There is no such thing, or none that this person may know of."""

    status = 404


class Conflict(Fault):
    """The thing is not in a state that allows the act, or somebody was first."""

    status = 409


class Gone(Fault):
    """It was there and is over: a used code, a closed cycle."""

    status = 410


class Invalid(Fault):
    """What was given breaks a rule."""

    status = 422


class TooMany(Fault):
    """Too many tries in a short time."""

    status = 429
