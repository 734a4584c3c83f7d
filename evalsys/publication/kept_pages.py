"""Public pages kept ready as bytes, handed out before Flask has begun.

An edition never changes, so a page drawn from editions stays right until another edition is published, somebody
renames what it is about (a cycle, a region), which leaves an audit entry, or a day passes, for pages tell which results
are over a year old. What such a page depends on is part of its key: its address, the languages the browser asks for,
the day, the newest edition, the newest audit entry, whether data is simulated and how many editions were withdrawn. The
last four are asked anew for every request, so no process serves what another has outdated.
A reader with a cookie may be signed in, or have chosen a language: for such a one the page is made anew.

Taking this module away changes nothing but the speed; benchmarks/ranking_page.py measures it.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, make_response, request
from flask.typing import ResponseReturnValue

from evalsys.base.clock import now
from evalsys.base.db import Database
from evalsys.base.direct import DatabaseAway, Direct
from evalsys.collection.queries import today

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

View = Callable[..., ResponseReturnValue]
Key = tuple[object, ...]
Headers = list[tuple[str, str]]

MOST_BYTES = 64 * 1024 * 1024
PLACES = ("/rankings", "/compare", "/methodology", "/vendors/", "/contracts/", "/editions/", "/api/v1/")
KEEP = "evalsys.keep"
STATE = (
    "SELECT (SELECT max(id) FROM edition), (SELECT max(id) FROM audit_entry),"
    " EXISTS (SELECT 1 FROM cycle WHERE simulated),"
    " (SELECT count(*) FROM withdrawal WHERE state = 'confirmed')"  # entries may be committed in another order
)


@dataclass(frozen=True)
class KeptPage:
    """An answer as it goes out, with the tag by which a browser asks whether it is still the same."""

    body: bytes
    headers: Headers
    etag: str


class KeptPages:
    """Pages by key; those not asked for longest are thrown away first. Threads may share it."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._pages: OrderedDict[Key, KeptPage] = OrderedDict()
        self._lock = threading.Lock()
        self._most, self._bytes = most_bytes, 0

    def get(self, key: Key) -> KeptPage | None:
        with self._lock:
            page = self._pages.get(key)
            if page is not None:
                self._pages.move_to_end(key)
            return page

    def put(self, key: Key, page: KeptPage) -> None:
        with self._lock:
            replaced = self._pages.pop(key, None)
            self._pages[key] = page
            self._bytes += len(page.body) - (len(replaced.body) if replaced else 0)
            while self._bytes > self._most:
                _key, oldest = self._pages.popitem(last=False)
                self._bytes -= len(oldest.body)


class Shelf:
    """WSGI middleware before the application."""

    def __init__(self, application: WSGIApplication, database: Database, pages: KeptPages) -> None:
        self._application = application
        self._direct = Direct(database)
        self._state = self._direct.native(STATE)
        self._pages = pages

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        key = self._key(environ)
        if key is None:
            return self._application(environ, start_response)
        page = self._pages.get(key)
        if page is None:
            return self._made(key, environ, start_response)
        if page.etag in environ.get("HTTP_IF_NONE_MATCH", ""):
            start_response("304 Not Modified", [pair for pair in page.headers if not pair[0].startswith("Content-L")])
            return [b""]
        start_response("200 OK", page.headers)
        return [page.body]

    def _key(self, environ: WSGIEnvironment) -> Key | None:
        """None for what is not kept: another place or method, a reader with a cookie, a database that is away."""
        path: str = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] != "GET" or "HTTP_COOKIE" in environ:
            return None
        if path != "/" and not path.startswith(PLACES):
            return None
        try:
            state = self._direct.first(self._state, ())
        except DatabaseAway:
            return None
        asked = environ.get("QUERY_STRING", ""), environ.get("HTTP_ACCEPT_LANGUAGE", "")
        return environ.get("SCRIPT_NAME", ""), path, *asked, today(now()), *state

    def _made(self, key: Key, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """The application's answer, kept where its view says so and it gives no cookie."""
        seen: list[Headers] = []

        def start(status: str, headers: Headers, error: Any = None) -> Any:
            seen.append(headers)
            return start_response(status, headers, error)

        parts = self._application(environ, start)
        if environ.get(KEEP) is None:
            return parts
        body = b"".join(parts)
        getattr(parts, "close", lambda: None)()
        headers = seen[-1]
        if not any(name == "Set-Cookie" for name, _value in headers):
            self._pages.put(key, KeptPage(body, headers, environ[KEEP]))
        return [body]


def install(app: Flask, database: Database) -> None:
    """Put a shelf before an application."""
    app.wsgi_app = Shelf(app.wsgi_app, database, KeptPages())  # type: ignore[method-assign]  # Flask's own way to wrap


def kept(view: View) -> View:
    """Let the page be kept. Only for pages drawn from editions and rules alone."""

    @functools.wraps(view)
    def answer(**arguments: object) -> ResponseReturnValue:
        made = make_response(view(**arguments))
        if request.cookies or made.status_code != 200:
            return made
        made.direct_passthrough = False  # a file to save is kept as well
        made.add_etag()
        made.headers["Cache-Control"] = "no-cache"  # keep it, but ask every time whether it is still the same
        made.headers["Vary"] = "Cookie, Accept-Language"
        request.environ[KEEP] = made.headers["ETag"]
        return made

    return answer
