"""Pages for recipients: enter a code, answer, keep a receipt. No cookie, no session, no script.

Nothing here logs an address that holds a code: a failure is told by its kind alone.
"""

from __future__ import annotations

import json
from typing import cast
from urllib.parse import quote

from flask import Blueprint, Flask, Response, current_app, make_response, redirect, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from evalsys.base import access
from evalsys.base.clock import now
from evalsys.base.compression import compressed
from evalsys.base.db import Database, reading, transaction
from evalsys.base.direct import DatabaseAway
from evalsys.base.limits import Pace
from evalsys.collection.bare_pages import (
    GAP,
    PACE,
    WINDOW,
    answer_failures,
    bare_page,
    may_try,
    too_many_codes,
    unknown_code,
)
from evalsys.collection.codes import grouped, read_code, read_receipt
from evalsys.collection.door import AWAY, LARGEST_FORM, Door
from evalsys.collection.messages import keeping
from evalsys.collection.opening import Opened
from evalsys.collection.survey import AT_HAND, AlreadyAnswered, Closed, Faulty, Received, SurveyDesk
from evalsys.collection.ways import HELPERS
from evalsys.registry.models import CycleState

bp = Blueprint("survey", __name__, url_prefix="/s")

LONGEST_ENTRY = 60  # of a mistyped code that is shown again


@bp.record_once
def _open_desk(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)
    desk = SurveyDesk(cast(Database, app.extensions["database"]), app.config["SECRET_KEY"])
    app.extensions["survey_desk"] = desk
    app.extensions[PACE] = Pace(gap=GAP, rest=WINDOW)
    app.wsgi_app = Door(app.wsgi_app, desk)  # type: ignore[method-assign]  # how Flask takes middleware


@bp.url_value_preprocessor
def _limit_size(_endpoint: str | None, _values: dict[str, object] | None) -> None:
    """Before anything reads the form."""
    request.max_content_length = LARGEST_FORM


@bp.after_request
def _compress(response: Response) -> Response:
    return compressed(response, keep=response.mimetype != "text/html")


def _desk() -> SurveyDesk:
    return cast(SurveyDesk, current_app.extensions["survey_desk"])


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
    return redirect(url_for(".survey", code=code, lang=request.args.get("lang")), code=303)


@bp.get("/<code>")
@access.public
def survey(code: str) -> ResponseReturnValue:
    """The questions that a code opens."""
    if not may_try():
        return too_many_codes(_entry, code)
    opened = _opened(code)
    if opened is None:
        return unknown_code(_entry, code)
    if opened.used:
        return _already_answered(410)
    if opened.state != CycleState.COLLECTING:
        return _not_collecting(opened)
    return _questions(code, opened, Faulty(), status=200)


@bp.post("/<code>")
@access.public
def answer(code: str) -> ResponseReturnValue:
    """Take the answers."""
    if AWAY in request.environ:
        raise DatabaseAway
    if not _desk().handed_out(_plain(code), request.form) and not may_try():
        return too_many_codes(_entry, code)
    opened = _opened(code)
    if opened is None:
        return unknown_code(_entry, code)
    match _desk().answer(_plain(code), request.form, now=now()):
        case Received(receipt=receipt):
            return redirect(url_for(".thanks", receipt=receipt, lang=request.args.get("lang")), code=303)
        case AlreadyAnswered():
            return _already_answered(409)
        case Closed():
            return _not_collecting(opened)
        case Faulty() as faulty:
            return _questions(code, opened, faulty, status=422)


@bp.get("/survey.js")
@access.public
def script() -> ResponseReturnValue:
    """What makes the page nicer, with its words: without scripts the page need not carry them."""
    words = [
        _("Next question"),
        _("Back"),
        _("# of #"),
        _("Read aloud"),
        _("Large type"),
        _("High contrast"),
        _("Please choose an answer."),
        _("No connection. Your answers are kept on this phone and will be sent once there is one."),
    ]
    return _text("text/javascript", f"const surveyWords = {json.dumps(words)};\n{_read('survey.js')}")


@bp.get("/survey.css")
@access.public
def style() -> ResponseReturnValue:
    """How the pages look, with the faces inside: to fetch those afterwards would take a slow phone half a second."""
    faces = quote(_read("faces.svg").replace('"', "'").replace("\n", ""), safe=" /:='<>,.()")
    return _text("text/css", _read("survey.css").replace("url(faces.svg)", f'url("data:image/svg+xml,{faces}")'))


def _read(name: str) -> str:
    with current_app.open_resource(f"static/{name}", "r", "utf-8") as file:
        return str(file.read())


def _text(mimetype: str, content: str) -> Response:
    response = make_response(content)
    response.mimetype = mimetype
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return cast(Response, response.make_conditional(request))


@bp.route("/<code>/quiet", methods=["GET", "POST"])
@access.public
def quiet(code: str) -> ResponseReturnValue:
    """No more reminders. Mail programs open links by themselves, so that opening this one alone stops nothing."""
    if not may_try():
        return too_many_codes(_entry, code)
    opened = _opened(code)
    if opened is None:
        return unknown_code(_entry, code)
    if request.method == "GET":
        return _quiet_page(_plain(code), opened)
    with transaction() as session:
        keeping.be_quiet(session, opened.hashed)
    return redirect(url_for(".quiet", code=_plain(code), lang=request.args.get("lang")), code=303)


@bp.get("/thanks/<receipt>")
@access.public
def thanks(receipt: str) -> ResponseReturnValue:
    """That the answer arrived, and the receipt that shows it."""
    known = read_receipt(receipt, _desk().receipt_key)
    if known is None:
        return _notice(404, _("There is no such receipt."), _("Please compare it with what you noted down."))
    return bare_page("survey/thanks.html", receipt=grouped(known, 4))


def _quiet_page(code: str, opened: Opened) -> Response:
    if not keeping.is_kept(reading(), opened.hashed):
        return _notice(
            200, _("You get no reminders."), _("You can still answer with your code until the survey closes.")
        )
    return bare_page("survey/quiet.html", code=code)


def _plain(typed: str) -> str:
    """The code that was typed; empty when it cannot be one."""
    return read_code(typed) or ""


def _opened(typed: str) -> Opened | None:
    code = _plain(typed)
    return _desk().open(code) if code else None


def _questions(typed: str, opened: Opened, faulty: Faulty, *, status: int) -> Response:
    desk, code = _desk(), _plain(typed)
    page = bare_page(
        "survey/questions.html",
        status=status,
        code=code,
        opened=opened,
        questions=desk.questions(opened),
        faulty=faulty,
        helpers={kind: HELPERS[kind] for kind in AT_HAND},
        token=faulty.token or desk.fresh_token(code),
    )
    page.headers["Link"] = f"<{url_for('.style')}>; rel=preload; as=style"  # asked for before the page is read
    return page


def _entry(status: int, typed: str, problem: str) -> Response:
    return bare_page("survey/enter.html", status=status, typed=typed[:LONGEST_ENTRY], problem=problem)


def _already_answered(status: int) -> Response:
    return _notice(
        status,
        _("This code has been used."),
        _("The survey was answered with this code already; each code counts once, and nothing was counted twice."),
        _("If it was you, all is done. If it was not you, tell the office that gave you the code."),
    )


def _not_collecting(opened: Opened) -> Response:
    if opened.state == CycleState.DRAFT:
        return _notice(410, _("The survey is not open yet."), _("Please keep the code and come back later."))
    return _notice(
        410,
        _("The survey is closed."),
        _("The time for answers is over; nothing was saved."),
        _("Only a form that was open before the end was still taken, for 30 minutes."),
        _("The results will be published; you do not have to do anything more."),
    )


def _notice(status: int, title: str, *paragraphs: str) -> Response:
    return bare_page("survey/notice.html", status=status, title=title, paragraphs=paragraphs)


answer_failures(bp, _notice)
