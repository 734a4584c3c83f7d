"""How an address of the API is made: its question and its answer are models, which the description is made from too.

A view takes its question, already read, and gives the answer; everything about HTTP stands here.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Annotated, Any, Generic, TypeVar

from flask import Blueprint, Response, current_app, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from evalsys.accounts.access_tokens import OWNERS, require_scope
from evalsys.accounts.models import Scope
from evalsys.base import access, limits
from evalsys.base.clock import now
from evalsys.base.db import LARGEST_ID
from evalsys.base.errors import Invalid, NotFound
from evalsys.base.limits import Allowance
from evalsys.base.listing import Page, Wanted
from evalsys.publication.kept_pages import KEEP

ROOT = "/api/v1"
STAFF = "/staff/"
ALLOWANCE = "api_allowance"
MOST_REQUESTS = 600
WINDOW = timedelta(minutes=1)
LARGEST_PAGE = 200

bp = Blueprint("api", __name__, url_prefix=ROOT)


class Answer(BaseModel):
    """What an address answers; the text below a field is its description."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Question(BaseModel):
    """The parameters that an address takes; any other is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def _whole(typed: object) -> int:
    """Digits alone: no sign, blank, point or underscore."""
    if not (isinstance(typed, str) and typed.isascii() and typed.isdecimal() and len(typed) <= 10):
        raise ValueError("not a whole number")
    return int(typed)


def _truth(typed: object) -> bool:
    if typed not in ("true", "false"):  # several come as a list, which no set holds
        raise ValueError("neither true nor false")
    return typed == "true"


Whole = Annotated[int, BeforeValidator(_whole)]
Id = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(_whole)]
Truth = Annotated[bool, BeforeValidator(_truth)]
Text = Annotated[str, Field(max_length=100, pattern=r"^[^\u0000]*$")]
Row = TypeVar("Row")


class PageQuestion(Question):
    """One page of a list."""

    page: Whole = Field(default=1, ge=1, le=1_000_000)
    """Which page, from 1."""
    per_page: Whole = Field(default=50, ge=1, le=LARGEST_PAGE)
    """Rows a page."""

    def wanted(self, *, q: str = "", sort: str = "") -> Wanted:
        return Wanted(q=q.strip(), sort=sort, page=self.page, size=self.per_page)


class PageAnswer(Answer, Generic[Row]):
    """One page of a list; the Link header leads to the others."""

    total: int
    """Rows on all pages."""
    page: int
    pages: int
    per_page: int
    items: list[Row]


def page_facts(page: Page[Any], asked: PageQuestion) -> dict[str, int]:
    """What a page's answer says beside its items.

    Raises:
        NotFound: there is no page of that number.
    """
    if asked.page > page.pages:
        raise NotFound(
            _("There is no page %(number)s.", number=asked.page), remedy=_("The last is %(number)s.", number=page.pages)
        )
    return {"total": page.total, "page": page.number, "pages": page.pages, "per_page": page.size}


@dataclass(frozen=True)
class Operation:
    """An address, as the description tells it.

    Attributes:
        rule: Flask's, below `ROOT`.
        name: of the view.
        summary, description: the view's docstring.
        scope: what a token must open; None where everybody may read.
    """

    rule: str
    name: str
    summary: str
    description: str
    question: type[Question]
    answer: type[Answer]
    scope: Scope | None


OPERATIONS: list[Operation] = []

View = Callable[..., Answer]


def endpoint(
    rule: str, *, asks: type[Question] = Question, answers: type[Answer], scope: Scope | None = None, keep: bool = True
) -> Callable[[View], Callable[..., ResponseReturnValue]]:
    """Make a view of an address.

    Args:
        rule: Flask's, below `ROOT`; what it captures is passed by name.
        asks: the parameters, passed as `asked` where there are any.
        answers: the answer's model.
        scope: what a token must open; None opens the address to everybody.
        keep: whether the answer follows from editions and rules alone, so that its bytes may be kept.
    """

    def make(view: View) -> Callable[..., ResponseReturnValue]:
        summary, _newline, rest = inspect.getdoc(view).partition("\n")  # type: ignore[union-attr]  # each has one
        OPERATIONS.append(Operation(rule, view.__name__, summary.rstrip("."), rest.strip(), asks, answers, scope))

        @functools.wraps(view)
        def answer(**captured: Any) -> ResponseReturnValue:
            if scope is not None:
                require_scope(scope)
            asked = _read(asks)
            told = view(**captured, asked=asked) if asks is not Question else view(**captured)
            return _said(told, shared=scope is None and keep)

        closed = access.public(answer) if scope is None else access.allow(*OWNERS)(answer)
        bp.get(rule, strict_slashes=False)(closed)
        return closed

    return make


def _read(asks: type[Question]) -> Question:
    """The request's parameters.

    Raises:
        Invalid: some will not do, one line for each.
    """
    given = {
        name: values[0] if len(values) == 1 else values for name, values in request.args.to_dict(flat=False).items()
    }
    try:
        return asks.model_validate(given)
    except ValidationError as error:
        raise Invalid(
            _("The parameters will not do."),
            remedy=_("The description of the API says what each parameter takes."),
            details=[_fault(fault) for fault in error.errors()],
        ) from error


def _fault(fault: Mapping[str, Any]) -> str:
    name, value = str(fault["loc"][0]), str(fault["input"])[:100]
    if fault["type"] == "extra_forbidden":
        return str(_("There is no parameter “%(name)s” here.", name=name[:100]))
    return str(_("“%(value)s” will not do for “%(name)s”.", value=value, name=name))


def _said(told: Answer, *, shared: bool) -> Response:
    """Without `shared` it is not to be stored: the application's own header says so."""
    response = Response(told.model_dump_json(by_alias=True), mimetype="application/json")
    if isinstance(told, PageAnswer):
        response.headers["Link"] = _links(told)
    return kept_answer(response) if shared else response


def kept_answer(response: Response) -> Response:
    """An answer that follows from editions and rules alone: kept as bytes, and not sent again while it is the same."""
    response.set_etag(sha256(response.get_data()).hexdigest())
    response.headers["Cache-Control"] = "no-cache"  # keep it, but ask every time whether it is still the same
    response.make_conditional(request)
    if response.status_code == 200:
        request.environ[KEEP] = response.headers["ETag"]
    return response


def _links(told: PageAnswer[Any]) -> str:
    """RFC 8288."""
    numbers = {"first": 1, "prev": told.page - 1, "next": told.page + 1, "last": told.pages}
    captured = {**(request.view_args or {}), **request.args}
    return ", ".join(
        f'<{url_for(request.endpoint or "", **(captured | {"page": number}))}>; rel="{name}"'
        for name, number in numbers.items()
        if 1 <= number <= told.pages
    )


@bp.url_value_preprocessor
def _slow_down(_endpoint: str | None, _values: dict[str, object] | None) -> None:
    """Before anything else; what is kept as bytes never comes here."""
    allowance: Allowance = current_app.extensions[ALLOWANCE]
    limits.require_patience(allowance, now=now(), remedy=_("The open data of an edition hold all of it in one file."))


def open_to_all(response: Response) -> Response:
    """Let pages of other sites read the public part, and be told why where they may not."""
    if request.path.startswith(ROOT) and not request.path.startswith(ROOT + STAFF):
        headers = response.headers
        headers["Access-Control-Allow-Origin"] = "*"
        headers["Access-Control-Expose-Headers"] = "ETag, Link, Retry-After"
        if request.method == "OPTIONS":
            headers["Access-Control-Allow-Methods"] = "GET, HEAD, OPTIONS"
            headers["Access-Control-Allow-Headers"] = "Accept-Language, If-None-Match"
            headers["Access-Control-Max-Age"] = "86400"
    return response
