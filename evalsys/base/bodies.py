"""Requests that are refused before they are read to the end.

A server that answers while the sender still sends closes the connection, and the browser then shows that instead of
the page that says what is wrong. So what was left unread is read and thrown away, up to a limit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import LimitedStream

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SMALL = 64 * 1024  # what servers read away themselves
LARGEST = 64 * 1024 * 1024  # whoever sends more is cut off
PIECE = 64 * 1024


class ReadToTheEnd:
    """WSGI middleware before everything that may refuse a request unread."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or not SMALL < int(length) <= LARGEST:
            return self._application(environ, start_response)
        body = environ["wsgi.input"] = LimitedStream(environ["wsgi.input"], int(length))
        answer = self._application(environ, start_response)
        try:
            while body.read(PIECE):
                pass
        except ClientDisconnected:
            pass  # nobody waits for the answer
        return answer
