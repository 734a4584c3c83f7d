"""What the recipients' pages have in common: no cookie, no session, no log of a code, and few tries for who guesses.

A blueprint of such pages is exempt from the forgery protection, which needs a session: the code is asked instead.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import cast

from flask import Blueprint, Response, current_app, make_response, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from evalsys.base.clock import now
from evalsys.base.db import transaction
from evalsys.base.direct import DatabaseAway
from evalsys.base.limits import Pace, allow_try, origin
from evalsys.collection.codes import read_code

WRONG_CODES = 30  # from one address in ten minutes; people in one village often share one
WINDOW = timedelta(minutes=10)
GAP = timedelta(seconds=2)  # between two codes from an address that gave more wrong ones
PACE = "survey_pace"

Notice = Callable[..., Response]
"""Given a status, a title and paragraphs."""

Entry = Callable[[int, str, str], Response]
"""The page where a code is typed in: given a status, what was typed, and what is wrong with it."""


def bare_page(template: str, *, status: int = 200, **values: object) -> Response:
    """A page without what other pages know of the reader: that would read the session."""
    chosen = current_app.jinja_env.get_template(template)
    response = make_response(chosen.render(values, lang=request.args.get("lang")), status)
    response.headers["Referrer-Policy"] = "no-referrer"  # the address holds the code
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def may_try() -> bool:
    """Whether the visitor's network may open a code now, or has to wait for having guessed too often."""
    return _pace().allows(origin(), now=now())


def count_wrong_code() -> bool:
    """Count one more; False for a network that keeps guessing, which is then not counted on but slowed down."""
    with transaction() as session:
        allowed = allow_try(session, f"survey code:{origin()}", limit=WRONG_CODES, window=WINDOW, now=now())
    if not allowed:
        _pace().slow_down(origin(), now=now())
    return allowed


def unknown_code(entry: Entry, typed: str) -> Response:
    """404 with the entry box filled in; 429 for a network that keeps guessing, at whichever of these pages."""
    if not count_wrong_code():
        return too_many_codes(entry, typed)
    return entry(404, typed, "unknown" if read_code(typed) else "mistyped")


def too_many_codes(entry: Entry, typed: str) -> Response:
    response = entry(429, typed, "too_many")
    response.headers["Retry-After"] = str(GAP.seconds)
    return response


def answer_failures(bp: Blueprint, notice: Notice) -> None:
    """Let a blueprint's pages keep what was sent while the database is away, and tell no log more than a kind."""

    @bp.errorhandler(SQLAlchemyError)
    @bp.errorhandler(DatabaseAway)
    def out_of_order(_error: Exception) -> ResponseReturnValue:
        """The database is away: keep the answers in a form that can be sent again."""
        fields = list(request.form.items(multi=True)) if request.method == "POST" else []
        response = bare_page("survey/try_again.html", status=503, fields=fields)
        response.headers["Retry-After"] = "10"
        return response

    @bp.errorhandler(Exception)
    def failed(error: Exception) -> ResponseReturnValue:
        """Anything else. A log line of the framework would hold the address, and with it the code."""
        if isinstance(error, HTTPException):
            said = {400: _("The request could not be understood."), 413: _("What was sent is too large.")}
            message = said.get(error.code or 500, _("The page cannot be used in this way."))
            return notice(error.code or 500, message, _("Please open the link that you were given once more."))
        place = "".join(traceback.format_tb(error.__traceback__))
        current_app.logger.error("a survey page failed: %s\n%s", type(error).__name__, place)
        return out_of_order(error)


def _pace() -> Pace:
    return cast(Pace, current_app.extensions[PACE])
