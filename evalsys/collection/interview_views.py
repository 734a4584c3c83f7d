"""Pages of interviewers: whom to ask, the questions on one screen, the receipt to hand over.

What is sent here goes the way of a recipient's own answer: no audit entry, no log line.
"""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import MultiDict

from evalsys.accounts import todo
from evalsys.base import navigation
from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.direct import DatabaseAway
from evalsys.base.errors import Gone, Invalid, NotFound, TooMany
from evalsys.base.forms import refuse
from evalsys.base.limits import allow_try
from evalsys.base.listing import Wanted
from evalsys.collection.bare_pages import WINDOW, WRONG_CODES
from evalsys.collection.codes import code_key, grouped, read_code, read_receipt
from evalsys.collection.desk import recipients_to_ask
from evalsys.collection.forms import CodeForm
from evalsys.collection.interview_cases import Case, bound_to, case_being_answered, case_of_code, named_case, open_cases
from evalsys.collection.interview_marks import interview_key, note
from evalsys.collection.models import Helper, Mode, Outcome
from evalsys.collection.outcomes import NAMES, record_outcome_of
from evalsys.collection.survey import HELPED_BY, AlreadyAnswered, Closed, Faulty, Received, SurveyDesk, Way
from evalsys.collection.ways import HELPERS

AT_WORK = {kind: HELPERS[kind] for kind in (Helper.INTERVIEWER, Helper.WORKER, Helper.VOLUNTEER, Helper.OTHER)}

bp = Blueprint("interviews", __name__, url_prefix="/collection/interviews")


def install(app: Flask) -> None:
    """Register the pages, their menu entry and what they put on the desk."""
    app.register_blueprint(bp)
    navigation.offer(app, "interviews.cases", _l("Interviews"))
    todo.offer(app, recipients_to_ask)


def _desk() -> SurveyDesk:
    return cast(SurveyDesk, current_app.extensions["survey_desk"])


@bp.get("/")
@allow(Role.INTERVIEWER)
def cases() -> ResponseReturnValue:
    """Who has not answered yet; with `?all=1` also who is not to be asked."""
    all_open = request.args.get("all") == "1"
    page = open_cases(reading(), Wanted.from_args(request.args), actor=current_actor(), all_open=all_open)
    return render_template("collection/interviews.html", page=page, outcomes=NAMES, all_open=all_open)


@bp.route("/code", methods=["GET", "POST"])
@allow(Role.INTERVIEWER)
def with_code() -> ResponseReturnValue:
    """The questions for a recipient who shows or reads out a code. It is posted, for addresses are kept in logs."""
    form, status = CodeForm(), 200
    if form.validate_on_submit():
        try:
            case = _case_of(form.code.data or "")
        except (NotFound, Gone, TooMany) as fault:
            status = refuse(form, fault)
        else:
            return _interview(case, Mode(form.mode.data), Faulty(), status=200)
    status = 422 if form.errors and status == 200 else status
    return render_template("collection/interview_code.html", form=form), status


@bp.get("/<int:case_id>/<any(assisted, telephone):mode>")
@allow(Role.INTERVIEWER)
def interview(case_id: int, mode: str) -> ResponseReturnValue:
    """The questions for a recipient of the list."""
    case = named_case(reading(), case_id, actor=current_actor())
    return _interview(case, Mode(mode), Faulty(), status=200)


@bp.post("/<int:case_id>/<any(assisted, telephone):mode>")
@allow(Role.INTERVIEWER)
def answer(case_id: int, mode: str) -> ResponseReturnValue:
    """Take the answers."""
    actor = current_actor()
    case = case_being_answered(reading(), case_id, actor=actor)
    fields = MultiDict(
        (name, value) for name, value in request.form.items(multi=True) if name not in {"csrf_token", HELPED_BY}
    )
    way = Way(Mode(mode), _helper())
    sealed_for = bound_to(case, Mode(mode), actor)
    match _desk().answer_with_help(case.hashed, sealed_for, fields, way=way, now=now()):
        case Received(receipt=receipt):
            _note(case_id)
            return redirect(url_for(".thanks", receipt=receipt), code=303)
        case Faulty() as faulty:
            return _interview(case, Mode(mode), faulty, status=422)
        case AlreadyAnswered():
            flash(_("This recipient had answered already; nothing was counted twice."), "warning")
        case Closed():
            flash(_("The survey is closed; this answer was not saved."), "warning")
    return redirect(url_for(".cases"), code=303)


def _helper() -> Helper:
    said = request.form.get(HELPED_BY, Helper.INTERVIEWER)
    if said not in AT_WORK:
        raise Invalid(_("This is no kind of helper."), remedy=_("Go back and choose one of the list."))
    return Helper(said)


@bp.post("/<int:case_id>/outcome")
@allow(Role.INTERVIEWER)
def outcome(case_id: int) -> ResponseReturnValue:
    """Why a recipient of the list does not answer."""
    said = request.form.get("outcome", "")
    if said not in NAMES:
        raise Invalid(_("This is none of the outcomes."), remedy=_("Go back and choose one."))
    with transaction() as session:
        case = named_case(session, case_id, actor=current_actor())
        record_outcome_of(session, case.id, Outcome(said), actor=current_actor(), now=now())
        note(session, case.id, key=interview_key(current_app.config["SECRET_KEY"]), actor=current_actor())
    if said == Outcome.PAPER:
        flash(_("Recorded. Give the recipient a form; the code opens nothing any more."))
    else:
        flash(_("Recorded. The recipient can still answer as long as the survey is open."))
    return redirect(url_for(".cases"), code=303)


@bp.get("/thanks/<receipt>")
@allow(Role.INTERVIEWER)
def thanks(receipt: str) -> ResponseReturnValue:
    """The receipt, for the recipient."""
    known = read_receipt(receipt, _desk().receipt_key)
    if known is None:
        raise NotFound(_("There is no such receipt."), remedy=_("Please compare it with what you noted down."))
    return render_template("collection/interview_thanks.html", receipt=grouped(known, 4))


@bp.errorhandler(SQLAlchemyError)
@bp.errorhandler(DatabaseAway)
def out_of_order(_error: Exception) -> ResponseReturnValue:
    """The database is away: keep the answers in a form that can be sent again."""
    fields = list(request.form.items(multi=True)) if request.method == "POST" else []
    page = current_app.jinja_env.get_template("survey/try_again.html").render(fields=fields)
    return page, 503, {"Retry-After": "10"}


def _note(case_id: int) -> None:
    """After the answer, in a transaction of its own: the writer of answers knows nothing of interviewers."""
    with transaction() as session:
        note(session, case_id, key=interview_key(current_app.config["SECRET_KEY"]), actor=current_actor())


def _case_of(typed: str) -> Case:
    """Raises NotFound for a code that nobody has, TooMany for an account that keeps guessing."""
    code, actor = read_code(typed), current_actor()
    key = code_key(current_app.config["SECRET_KEY"])
    found = case_of_code(reading(), code, key=key, actor=actor) if code else None
    if found is None:
        with transaction() as session:
            allowed = allow_try(
                session, f"interview code:{actor.account_id}", limit=WRONG_CODES, window=WINDOW, now=now()
            )
        if not allowed:
            raise TooMany(_("Too many codes were wrong."), remedy=_("Wait ten minutes and compare the code again."))
        raise NotFound(_("There is no such code."), remedy=_("Compare it with the slip, character by character."))
    return found


def _interview(case: Case, mode: Mode, faulty: Faulty, *, status: int) -> ResponseReturnValue:
    desk = _desk()
    opened = desk.open_hashed(case.hashed)
    if opened is None:
        raise NotFound(_("This code was withdrawn meanwhile."), remedy=_("Ask the administrator for the new one."))
    return render_template(
        "collection/interview.html",
        case=case,
        mode=mode,
        opened=opened,
        questions=desk.questions(opened),
        faulty=faulty,
        outcomes=NAMES,
        helpers=AT_WORK,
        helper=request.form.get(HELPED_BY, Helper.INTERVIEWER),
        token=faulty.token or desk.fresh_token(bound_to(case, mode, current_actor())),
    ), status
