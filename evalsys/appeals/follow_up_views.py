"""One question for a recipient after a rectification: did it get better? No cookie, no session, no script.

Like the survey's pages, nothing here logs an address that holds a code.
"""

from __future__ import annotations

from flask import Blueprint, Response, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from evalsys.appeals.follow_up import Counted, Slip, count_answer, follow_up_key, slip_of
from evalsys.appeals.models import Better
from evalsys.appeals.words import better_name
from evalsys.base import access
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.collection.bare_pages import answer_failures, bare_page, may_try, too_many_codes, unknown_code
from evalsys.collection.codes import code_hash, read_code
from evalsys.collection.door import LARGEST_FORM

bp = Blueprint("better", __name__, url_prefix="/better")

LONGEST_ENTRY = 60  # of a mistyped code that is shown again


@bp.url_value_preprocessor
def _limit_size(_endpoint: str | None, _values: dict[str, object] | None) -> None:
    """Before anything reads the form."""
    request.max_content_length = LARGEST_FORM


@bp.get("/")
@access.public
def enter() -> ResponseReturnValue:
    """Where a code is typed in."""
    typed = request.args.get("code", "")
    if not typed.strip():
        return _entry(200, "", "")
    code = read_code(typed)
    if code is None:
        return unknown_code(_entry, typed)
    return redirect(url_for(".question", code=code, lang=request.args.get("lang")), code=303)


@bp.get("/<code>")
@access.public
def question(code: str) -> ResponseReturnValue:
    """The question that a code opens."""
    if not may_try():
        return too_many_codes(_entry, code)
    slip = slip_of(reading(), _hashed(code), now=now())
    if slip is None:
        return unknown_code(_entry, code)
    if slip.used:
        return _already_answered(410)
    if not slip.open:
        return _closed()
    return _question(slip)


@bp.post("/<code>")
@access.public
def answer(code: str) -> ResponseReturnValue:
    """Take the answer."""
    if not may_try():
        return too_many_codes(_entry, code)
    slip = slip_of(reading(), _hashed(code), now=now())
    if slip is None:
        return unknown_code(_entry, code)
    given = request.form.getlist("answer")
    if len(given) != 1 or given[0] not in set(Better):
        return _question(slip, problem=True)
    with transaction() as session:
        counted = count_answer(session, _hashed(code), Better(given[0]), now=now())
    match counted:
        case Counted.COUNTED:
            return redirect(url_for(".thanks", lang=request.args.get("lang")), code=303)
        case Counted.USED:
            return _already_answered(409)
        case _:
            return _closed()


@bp.get("/thanks")
@access.public
def thanks() -> ResponseReturnValue:
    return _notice(
        200,
        _("Thank you. Your answer has arrived."),
        _("It is counted with the others; nobody can tell which one is yours."),
        _("You can close this page now."),
    )


def _hashed(typed: str) -> bytes:
    """What the database would hold of a code; of what cannot be one too, for which it holds nothing."""
    return code_hash(read_code(typed) or "", follow_up_key(current_app.config["SECRET_KEY"]))


def _question(slip: Slip, *, problem: bool = False) -> Response:
    options = [(one.value, better_name(one)) for one in Better]
    return bare_page(
        "appeals/better_question.html", status=422 if problem else 200, slip=slip, options=options, problem=problem
    )


def _entry(status: int, typed: str, problem: str) -> Response:
    return bare_page("appeals/better_enter.html", status=status, typed=typed[:LONGEST_ENTRY], problem=problem)


def _already_answered(status: int) -> Response:
    return _notice(
        status,
        _("This code has been used."),
        _("The question was answered with this code already; each code counts once, and nothing was counted twice."),
        _("If it was you, all is done. If it was not you, tell the office that gave you the code."),
    )


def _closed() -> Response:
    return _notice(
        410, _("The question is closed."), _("The time for answers is over; nothing was saved."), _("Thank you anyway.")
    )


def _notice(status: int, title: str, *paragraphs: str) -> Response:
    return bare_page("appeals/better_notice.html", status=status, title=title, paragraphs=paragraphs)


answer_failures(bp, _notice)
