"""The short way in for the one request that comes in thousands: a complete, first answer.

Everything else, and whatever fails here, takes the way through Flask (`survey_views.answer`), which does the same and
finds the words. Taking this module away changes nothing but the speed.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from werkzeug.datastructures import MultiDict

from evalsys.base.clock import now
from evalsys.base.direct import DatabaseAway
from evalsys.collection.codes import read_code
from evalsys.collection.survey import SurveyDesk

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LARGEST_FORM = 64 * 1024
AWAY = "evalsys.database_away"  # in a request's environment: it need not be tried a second time
HEADERS = [
    ("Content-Length", "0"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
]


class Door:
    """WSGI middleware before the application."""

    def __init__(self, application: WSGIApplication, desk: SurveyDesk) -> None:
        self._application = application
        self._desk = desk

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].startswith("/s/"):
            receipt = self._receipt(environ)
            if receipt:
                base, query = environ.get("SCRIPT_NAME", ""), environ.get("QUERY_STRING", "")
                where = f"{base}/s/thanks/{receipt}" + ("?lang=en" if query == "lang=en" else "")
                start_response("303 See Other", [("Location", where), *HEADERS])
                return [b""]
        return self._application(environ, start_response)

    def _receipt(self, environ: WSGIEnvironment) -> str | None:
        """The receipt of an answer that is stored; None leaves the request to the application, unread."""
        length = environ.get("CONTENT_LENGTH", "")
        if environ.get("CONTENT_TYPE") != "application/x-www-form-urlencoded" or not length.isdecimal():
            return None
        code = read_code(environ["PATH_INFO"][3:])
        if code is None or int(length) > LARGEST_FORM:
            return None
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = BytesIO(body)
        try:
            fields = MultiDict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
            return self._desk.receive(code, fields, now=now())
        except DatabaseAway:
            environ[AWAY] = True
        except ValueError:
            pass  # it is not the text of a form
        return None
