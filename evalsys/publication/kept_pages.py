"""Public pages kept ready as bytes, for readers who are not signed in.

An edition never changes, so a page made from editions stays right until another edition is published. What a page
depends on is part of its key: its address, the language, the newest edition's number and whether data is simulated.
The last two are asked anew for every request, so no process ever serves what another has outdated.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import Flask, Response, current_app, make_response, request, session
from flask.typing import ResponseReturnValue

from evalsys.base.access import actor_or_none
from evalsys.base.db import database
from evalsys.base.language import language

View = Callable[..., ResponseReturnValue]
Key = tuple[object, ...]

MOST_BYTES = 64 * 1024 * 1024
_STATE = "SELECT (SELECT max(id) FROM edition), EXISTS (SELECT 1 FROM cycle WHERE simulated)"


@dataclass(frozen=True)
class KeptPage:
    """A page as it goes out, with the tag by which a browser asks whether it is still the same."""

    body: bytes
    etag: str


class KeptPages:
    """Pages by key, those not asked for longest thrown away first; safe between threads."""

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
            if key in self._pages:
                return
            self._pages[key] = page
            self._bytes += len(page.body)
            while self._bytes > self._most:
                _key, oldest = self._pages.popitem(last=False)
                self._bytes -= len(oldest.body)


def install(app: Flask) -> None:
    """Give an application its own store."""
    app.extensions["kept_pages"] = KeptPages()


def kept(view: View) -> View:
    """Answer the anonymous from the store; make the page once. Only for pages drawn from editions alone."""

    @functools.wraps(view)
    def answer(**arguments: object) -> ResponseReturnValue:
        if request.cookies and (actor_or_none() is not None or "_flashes" in session):
            return view(**arguments)
        pages = cast(KeptPages, current_app.extensions["kept_pages"])
        key = (request.full_path, language(), *_state())
        page = pages.get(key)
        if page is None:
            made = make_response(view(**arguments))
            if made.status_code != 200:
                return made
            made.add_etag()
            page = KeptPage(made.get_data(), made.get_etag()[0] or "")
            pages.put(key, page)
        response = Response(page.body, mimetype="text/html")
        response.set_etag(page.etag)
        response.headers["Cache-Control"] = "no-cache"  # keep it, but ask every time whether it is still the same
        response.headers["Vary"] = "Cookie, Accept-Language"
        return response.make_conditional(request)

    return answer


def _state() -> tuple[object, ...]:
    """The newest edition and whether there is simulated data, by the shortest way to the database."""
    connection = database().engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(_STATE)
        row = cursor.fetchone()
        cursor.close()
    finally:
        connection.close()
    return tuple(row or ())
