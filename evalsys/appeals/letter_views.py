"""Pages of sealed letters: the office prints them, a vendor comes in by the code of one.

A code is posted and never stands in an address, for addresses are kept in logs and histories. What the browser then
holds opens nothing but the vendor's own pages of this room, for two hours, and not after another letter was made.
"""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

from flask import Blueprint, Flask, current_app, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from evalsys.appeals import letters
from evalsys.appeals.letter_forms import CodeForm, PrintForm
from evalsys.appeals.letter_print import Occasion, Sender, letters_pdf
from evalsys.appeals.letters import Addressee, holder_of, letter_by_id, letter_key, letter_of_code
from evalsys.appeals.models import NoticeLetter
from evalsys.appeals.notices import notice_of
from evalsys.base import audit
from evalsys.base.access import Actor, Role, actor_or_none, allow, by_letter, current_actor, public
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Conflict, Fault, TooMany
from evalsys.base.forms import refuse
from evalsys.base.limits import allow_try, origin
from evalsys.base.tokens import Seal, derive_key
from evalsys.base.typesetting import require_fonts
from evalsys.config import Settings
from evalsys.registry.cycles import cycle_by_code
from evalsys.registry.models import Cycle

bp = Blueprint("letters", __name__)
COOKIE, PLACE = "letter", "/appeals"
LASTS = timedelta(hours=2)
TRIES, WINDOW = 30, timedelta(minutes=10)  # of codes, right or wrong, from one address


def install(app: Flask) -> None:
    """Register the pages, and say whose letter a browser holds."""
    app.register_blueprint(bp)
    app.extensions["actor_of_letter"] = _holder


def _seal() -> Seal:
    return Seal(derive_key(current_app.config["SECRET_KEY"], "letter in a browser"))


def _bound_to(letter: NoticeLetter) -> str:
    """To the code too: another letter to the same vendor is another thing."""
    return f"{letter.id} {letter.code_hash.hex()}"


def _holder() -> Actor | None:
    """Who holds the letter that the browser was given; None without one, or when its time is over."""
    number, _dot, token = request.cookies.get(COOKIE, "").partition(".")
    letter = (
        letter_by_id(reading(), int(number)) if number.isascii() and number.isdecimal() and len(number) < 10 else None
    )
    sealed = _seal().opened(token, _bound_to(letter)) if letter else None
    if letter is None or sealed is None or sealed.issued_at + LASTS <= now():
        return None
    return None if letters.is_over(reading(), letter, now=now()) else holder_of(letter)


@bp.get("/notice")
@public
def enter() -> ResponseReturnValue:
    """Where the code of a letter is typed in."""
    return render_template("appeals/enter_letter.html", form=CodeForm(), reader=actor_or_none())


@bp.post("/notice")
@public
def open_letter() -> ResponseReturnValue:
    form = CodeForm()
    if not form.validate_on_submit():
        return render_template("appeals/enter_letter.html", form=form, reader=actor_or_none()), 422
    try:
        letter = _opened(form.code.data or "")
    except Fault as fault:
        status = refuse(form, fault)
        return render_template("appeals/enter_letter.html", form=form, reader=actor_or_none()), status
    answer = redirect(url_for("appeals.results"), code=303)
    answer.set_cookie(
        COOKIE,
        f"{letter.id}.{_seal().fresh(_bound_to(letter))}",
        max_age=LASTS,
        path=PLACE,
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        httponly=True,
        samesite="Lax",
    )
    return answer


def _opened(typed: str) -> NoticeLetter:
    """Raises Conflict for who is signed in, TooMany for an address that keeps guessing; see `letter_of_code`."""
    if actor_or_none() is not None:
        raise Conflict(_("You are signed in."), remedy=_("Sign out first: a letter is for who has no account."))
    with transaction() as session:  # counted before the code is looked at, so that a hundred at once are counted too
        allowed = allow_try(session, f"letter code:{origin()}", limit=TRIES, window=WINDOW, now=now())
    if not allowed:
        raise TooMany(_("Too many codes in a short time."), remedy=_("Wait ten minutes and compare the code again."))
    with transaction() as session:
        letter = letter_of_code(session, typed, key=_key(), now=now())
        subject = f"cycle:{letter.cycle.code}"
        audit.record(session, actor=holder_of(letter), act="appeals.open_letter", subject=subject, now=now())
    return letter


def _key() -> bytes:
    return letter_key(current_app.config["SECRET_KEY"])


@bp.post("/appeals/letter/away")
@allow(Role.VENDOR)
@by_letter
def leave() -> ResponseReturnValue:
    """The browser forgets the letter."""
    answer = redirect(url_for(".enter"), code=303)
    answer.delete_cookie(COOKIE, path=PLACE)
    return answer


@bp.get("/appeals/cycles/<code>/letters")
@allow(Role.OFFICER, Role.ADMINISTRATOR)
def overview(code: str) -> ResponseReturnValue:
    """To whom letters were made, and the form to make them."""
    cycle = cycle_by_code(reading(), code)
    everybody = letters.addressees(reading(), cycle, actor=current_actor())
    need = [one.vendor.id for one in everybody if not one.has_account and one.letter is None]
    form = PrintForm(formdata=None, data={"vendors": need, "office": cycle.region.name})
    return _page(cycle, everybody, form)


@bp.post("/appeals/cycles/<code>/letters")
@allow(Role.OFFICER, Role.ADMINISTRATOR)
def make(code: str) -> ResponseReturnValue:
    """New letters, to print; they can be had only once."""
    cycle, form = cycle_by_code(reading(), code), PrintForm()
    everybody = letters.addressees(reading(), cycle, actor=current_actor())
    if not form.validate_on_submit():
        return _page(cycle, everybody, form), 422
    try:
        printed = _printed(code, form)
    except Fault as fault:
        status = refuse(form, fault)
        return _page(cycle, everybody, form), status
    name = f"letters-{code}.pdf"
    answer = send_file(BytesIO(printed), mimetype="application/pdf", as_attachment=True, download_name=name)
    answer.headers["Cache-Control"] = "no-store"  # the codes stand in it
    return answer


def _printed(code: str, form: PrintForm) -> bytes:
    settings: Settings = current_app.config["SETTINGS"]
    require_fonts(settings.fonts)
    sender = Sender(form.office.data or "", form.address.data or "", form.phone.data or "")
    with transaction() as session:
        cycle, at = cycle_by_code(session, code), now()
        heap = letters.make(session, cycle, form.vendors.data or (), key=_key(), actor=current_actor(), now=at)
        occasion = Occasion(cycle.title, heap.deadline, cycle.simulated, at)
    return letters_pdf(heap.letters, occasion, sender, base_url=settings.base_url, fonts=settings.fonts)


def _page(cycle: Cycle, everybody: list[Addressee], form: PrintForm) -> str:
    return render_template(
        "appeals/letters.html",
        cycle=cycle,
        everybody=everybody,
        form=form,
        told=notice_of(reading(), cycle) is not None,
    )
