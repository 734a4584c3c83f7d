"""What a program is told when something goes wrong: problem details (RFC 9457) instead of a page.

Everything below `PLACE` is for programs. They send no cookie and get none, and say their language by Accept-Language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Flask, Response, has_request_context, request
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import BaseModel, ConfigDict

PLACE = "/api/"
MIMETYPE = "application/problem+json"
DESCRIPTION = "/api/v1/openapi.json"

TITLES: dict[int, LazyString] = {
    400: _l("The request could not be understood"),
    401: _l("A valid access token is needed"),
    403: _l("The access token does not open this"),
    404: _l("There is nothing at this address"),
    405: _l("This can only be read"),
    410: _l("It is not there any more"),
    413: _l("What was sent is too large"),
    422: _l("A parameter will not do"),
    429: _l("Too many requests"),
    503: _l("The database does not answer"),
    507: _l("The disk is full"),
}


class Problem(BaseModel):
    """What went wrong, and what to do about it."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    type: str
    """Always `about:blank`: the status says the kind."""
    title: str
    """The kind, in the language asked for."""
    status: int
    """The HTTP status."""
    detail: str
    """What is wrong in this case."""
    instance: str
    """The path that was asked for."""
    remedy: str
    """What to do about it; may be empty."""
    faults: list[str]
    """One line for each thing at fault, where there are several."""


def asked_by_program() -> bool:
    """Whether the answer goes to a program, which shows no page."""
    return has_request_context() and request.path.startswith(PLACE)


def problem(
    status: int,
    detail: str = "",
    *,
    remedy: str = "",
    faults: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer that says what is wrong; without a detail it says what the status means."""
    title = str(TITLES.get(status, _("Something went wrong on our side")))
    told = Problem(
        type="about:blank",
        title=title,
        status=status,
        detail=detail or title,
        instance=request.path,
        remedy=remedy or ("" if detail else _("All addresses and parameters are in %(place)s.", place=DESCRIPTION)),
        faults=list(faults),
    )
    response = Response(told.model_dump_json(), status, mimetype=MIMETYPE, headers=headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def install(app: Flask) -> None:
    """Take away the page that the router puts beside a redirect."""

    @app.after_request
    def without_page(response: Response) -> Response:
        if asked_by_program() and response.mimetype == "text/html":
            response.set_data(b"")
            del response.headers["Content-Type"]
        return response
