"""Pages on which the recipients to be asked are drawn: the seed, the preview, the draw, the spare cases."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import Field, Form, HiddenField, IntegerField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse
from evalsys.base.listing import Wanted
from evalsys.base.tables import FORMATS, download
from evalsys.collection import next_steps
from evalsys.collection.assessments import OVERSEERS
from evalsys.collection.drawing import Design, Size
from evalsys.collection.invitations import OPEN_STATES
from evalsys.collection.progress import cycle_of
from evalsys.collection.sample_plans import FEW, Wish, plan_sample
from evalsys.collection.sample_queries import (
    DESIGNS,
    digest,
    page,
    part_lines,
    seeds_of,
    sheet,
    spares_due,
    withdrawn_of,
)
from evalsys.collection.sampling import draw_sample, fix_seed, release_spares, sample_of, withdraw_sample

bp = Blueprint("samples", __name__, url_prefix="/collection/cycles/<code>/sample")
USUAL = {"design": Design.PROPORTIONAL.value, "size": "30", "least": str(FEW), "spare": "20"}
MOST_SHOWN = 300  # parts of a preview
DRAWERS = (Role.ADMINISTRATOR, Role.OFFICER)


def install(app: Flask) -> None:
    """Register the pages, and what they put on the coordinator's desk."""
    app.register_blueprint(bp)
    next_steps.offer(app, spares_due)


class SeedForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    seed = StringField(
        _l("Seed"),
        description=_l(
            "Leave it empty, and the system draws one. Or type a public number that nobody can choose, such as a"
            " lottery's of a day named in advance, with some characters of your own that you tell nobody for now."
        ),
        validators=[Optional(), Length(max=100, message=_l("Shorten it to %(limit)s characters.", limit=100))],
    )
    source = StringField(
        _l("Where a typed seed comes from"),
        description=_l("So that others can look it up later."),
        validators=[Optional(), Length(max=200, message=_l("Shorten it to %(limit)s characters.", limit=200))],
    )
    reason = StringField(
        _l("Why there has to be another seed"),
        validators=[Optional(), Length(max=500, message=_l("Shorten it to %(limit)s characters.", limit=500))],
    )


def _valid_size(_form: Form, field: Field) -> None:
    try:
        Size.read(field.data or "")
    except ValueError as error:
        raise ValidationError(
            _("Write a number such as %(number)s, or a share such as %(share)s.", number="30", share="20%")
        ) from error


class WishForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """How to draw; sent in the address of the preview, and with its confirmation."""

    class Meta:
        csrf = False  # the application asks every POST for a token; the preview changes nothing

    design = RadioField(
        _l("Design"),
        choices=[SelectChoice(design.value, name) for design, name in DESIGNS.items()],
        default=USUAL["design"],
        validators=[InputRequired(_l("Choose one."))],
    )
    size = StringField(
        _l("Recipients to draw"),
        description=_l(
            "Of each contract, or with the same number in each part: of each part. A number, or a share of the frame:"
            " %(number)s, %(share)s.",
            number="30",
            share="20%",
        ),
        default=USUAL["size"],
        validators=[InputRequired(_l("Say how many.")), _valid_size],
    )
    least = IntegerField(
        _l("At least in each part"),
        description=_l("In proportion only. Parts with fewer than 5 answers are put together when scores are made."),
        default=int(USUAL["least"]),
        validators=[InputRequired(_l("Say how many.")), NumberRange(0, 1000, _l("A number from 0 to 1,000."))],
    )
    spare = IntegerField(
        _l("Spare cases, in percent"),
        description=_l("Of those drawn; they are asked only where somebody of the sample does not answer."),
        default=int(USUAL["spare"]),
        validators=[InputRequired(_l("Say how many.")), NumberRange(0, 100, _l("A number from 0 to 100."))],
    )
    contracts = TextAreaField(
        _l("Only these contracts"),
        description=_l("Their numbers, with a blank or a line between. Empty: all of which no sample is drawn."),
        validators=[Optional(), Length(max=5000, message=_l("Shorten it to %(limit)s characters.", limit=5000))],
    )
    seen = HiddenField()

    def wish(self) -> Wish:
        return Wish(
            Design(self.design.data),
            Size.read(self.size.data or ""),
            least=self.least.data or 0,
            spare=self.spare.data or 0,
            contracts=tuple(dict.fromkeys(filter(None, re.split(r"[\s,，、;；]+", self.contracts.data or "")))),
        )


class WithdrawForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    reason = StringField(
        _l("Reason"),
        description=_l("It is kept with the draw and in the audit trail."),
        validators=[
            InputRequired(_l("Write why the draw is taken back; the reason is kept.")),
            Length(max=500, message=_l("Shorten it to %(limit)s characters.", limit=500)),
        ],
    )


@bp.get("/")
@allow(*OVERSEERS)
def sample(code: str) -> ResponseReturnValue:
    """The samples in force; `?format=xlsx|csv` gives all that match as a file."""
    if request.args.get("format") in FORMATS:
        actor = current_actor()
        cycle = cycle_of(reading(), code, actor=actor)
        found = sheet(part_lines(reading(), cycle, actor=actor), Wanted.from_args(request.args), cycle)
        return download([found], f"samples-{code}", request.args["format"])
    return _page(code)


@bp.post("/seed")
@allow(*DRAWERS)
def seed(code: str) -> ResponseReturnValue:
    """Fix the seed, before anything is drawn."""
    form, actor = SeedForm(), current_actor()
    if not form.validate_on_submit():
        return _page(code, seed_form=form), 422
    try:
        with transaction() as session:
            fix_seed(
                session,
                cycle_of(session, code, actor=actor),
                seed=form.seed.data or "",
                source=form.source.data or "",
                reason=form.reason.data or "",
                actor=actor,
                now=now(),
            )
    except Fault as fault:
        status = refuse(form, fault)
        return _page(code, seed_form=form), status
    flash(_("The seed is fixed. It stands in the audit trail."))
    return redirect(url_for(".sample", code=code), code=303)


@bp.get("/preview")
@allow(*DRAWERS)
def preview(code: str) -> ResponseReturnValue:
    """What would be drawn; nothing is yet."""
    form, actor = WishForm(request.args or MultiDict(USUAL)), current_actor()
    cycle = cycle_of(reading(), code, actor=actor)
    if not form.validate():
        return _page(code, wish_form=form), 422
    try:
        found = plan_sample(reading(), cycle, form.wish(), actor=actor)
    except Fault as fault:
        status = refuse(form, fault)
        return _page(code, wish_form=form), status
    form.seen.data = found.fingerprint
    return render_template(
        "collection/sample_preview.html",
        cycle=cycle,
        preview=found,
        form=form,
        designs=DESIGNS,
        few=FEW,
        most=MOST_SHOWN,
    )


@bp.post("/draw")
@allow(*DRAWERS)
def draw(code: str) -> ResponseReturnValue:
    """Draw what the preview showed."""
    form, actor = WishForm(), current_actor()
    if not form.validate_on_submit():
        return _page(code, wish_form=form), 422
    try:
        with transaction() as session:
            cycle = cycle_of(session, code, actor=actor)
            drawn = draw_sample(session, cycle, form.wish(), seen=form.seen.data or "", actor=actor, now=now())
            count = len(drawn.planned)
    except Fault as fault:
        status = refuse(form, fault)
        return _page(code, wish_form=form), status
    flash(ngettext("The sample of %(num)s contract is drawn.", "The samples of %(num)s contracts are drawn.", count))
    return redirect(url_for(".sample", code=code), code=303)


@bp.post("/release")
@allow(*DRAWERS)
def release(code: str) -> ResponseReturnValue:
    """Release as many spare cases as there are cases without an answer."""
    actor = current_actor()
    with transaction() as session:
        released = release_spares(session, cycle_of(session, code, actor=actor), actor=actor, now=now())
    if not released:
        flash(_("No spare case was due."), "warning")
        return redirect(url_for(".sample", code=code), code=303)
    flash(_("%(count)s spare cases are released. They need codes: give them out now.", count=released))
    return redirect(url_for("invitations.invitations", code=code), code=303)


@bp.route("/entries/<int:entry_id>/withdraw", methods=["GET", "POST"])
@allow(*DRAWERS)
def withdraw(code: str, entry_id: int) -> ResponseReturnValue:
    """Take a draw back, with a reason."""
    form, actor = WithdrawForm(), current_actor()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            with transaction() as session:
                cycle = cycle_of(session, code, actor=actor)
                contract = withdraw_sample(session, cycle, entry_id, form.reason.data or "", actor=actor, now=now())
                title = contract.title
        except Fault as fault:
            status = refuse(form, fault)
        else:
            flash(_("The draw for “%(title)s” is taken back.", title=title))
            return redirect(url_for(".sample", code=code), code=303)
    cycle = cycle_of(reading(), code, actor=actor)
    kept = sample_of(reading(), cycle, entry_id, actor=actor)
    return render_template("collection/sample_withdraw.html", cycle=cycle, sample=kept, form=form), status


def _page(code: str, *, seed_form: SeedForm | None = None, wish_form: WishForm | None = None) -> str:
    actor = current_actor()
    cycle = cycle_of(reading(), code, actor=actor)
    lines = part_lines(reading(), cycle, actor=actor)
    seeds = seeds_of(reading(), cycle)
    given: dict[str, Any] = {
        "seed_form": seed_form or SeedForm(formdata=None),
        "wish_form": wish_form or WishForm(formdata=None),
        "withdrawn": withdrawn_of(reading(), cycle, actor=actor),
    }
    return render_template(
        "collection/sample.html",
        cycle=cycle,
        seed=seeds[0] if seeds else None,
        former=seeds[1:],
        digest=digest,
        page=page(lines, Wanted.from_args(request.args)),
        due=sum(line.due for line in lines),
        short=sum(max(0, line.ended - line.spare) for line in lines),
        may_draw=actor.role in DRAWERS and cycle.state in OPEN_STATES,
        **given,
    )
