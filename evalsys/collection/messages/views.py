"""Pages on which a coordinator writes to recipients and late raters, and sees what became of it."""

from __future__ import annotations

from collections.abc import Collection

from flask import Blueprint, Flask, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Invalid
from evalsys.base.outbox import Channel, MessageState
from evalsys.base.post import PostOffice
from evalsys.base.post.drawer import FILE
from evalsys.base.tables import download
from evalsys.collection import next_steps
from evalsys.collection.assessments import OVERSEERS
from evalsys.collection.messages import mailings
from evalsys.collection.messages.desk import undecided
from evalsys.collection.messages.export import sheet_of
from evalsys.collection.messages.models import MailingKind
from evalsys.collection.messages.policy import POLICY
from evalsys.collection.messages.words import CHANNELS, KINDS, SKIPPED, STATES, TROUBLES
from evalsys.collection.progress import cycle_of
from evalsys.registry.models import Cycle, CycleState

LISTED = (Channel.SMS, Channel.EMAIL)
bp = Blueprint("messages", __name__, url_prefix="/collection/cycles/<code>/messages")


def install(app: Flask) -> None:
    """Register the pages, and what they put on the cycle's desk."""
    app.register_blueprint(bp)
    next_steps.offer(app, undecided)


@bp.context_processor
def _words() -> dict[str, object]:
    return {
        "kinds": KINDS,
        "channels": CHANNELS,
        "states": STATES,
        "skipped": SKIPPED,
        "troubles": TROUBLES,
        "State": MessageState,
        "policy": POLICY,
    }


def _office() -> PostOffice:
    office: PostOffice = current_app.extensions["post_office"]
    return office


def _to_nobody(cycle: Cycle, channels: Collection[str]) -> list[Channel]:
    """Those of some channels that are not set up, or not meant to reach anybody."""
    return [each for each in LISTED if each in channels and (cycle.simulated or not _office().goes_out(each))]


def _kind(name: str) -> MailingKind:
    if name not in KINDS:
        abort(404)
    return MailingKind(name)


@bp.get("/")
@allow(*OVERSEERS)
def batches(code: str) -> ResponseReturnValue:
    """What was sent, and what can be sent now."""
    actor = current_actor()
    cycle = cycle_of(reading(), code, actor=actor)
    return render_template(
        "collection/messages.html",
        cycle=cycle,
        batches=mailings.mailings(reading(), cycle, actor=actor),
        may_start=actor.role == Role.ADMINISTRATOR and cycle.state == CycleState.COLLECTING,
    )


@bp.get("/new/<kind>")
@allow(Role.ADMINISTRATOR)
def preview(code: str, kind: str) -> ResponseReturnValue:
    """Whom a batch would reach, and who is left out; the next click sends it."""
    actor, moment = current_actor(), now()
    cycle = cycle_of(reading(), code, actor=actor)
    plan = mailings.plan(reading(), cycle, _kind(kind), actor=actor, now=moment)
    return render_template(
        "collection/messages_preview.html",
        cycle=cycle,
        kind=kind,
        plan=plan,
        begins=POLICY.next_moment(moment),
        by_night=POLICY.next_moment(moment) > moment,
        to_nobody=_to_nobody(cycle, plan.by_channel),
        file=FILE,
        collects=cycle.state == CycleState.COLLECTING,
    )


@bp.post("/new/<kind>")
@allow(Role.ADMINISTRATOR)
def start(code: str, kind: str) -> ResponseReturnValue:
    """Queue it."""
    actor = current_actor()
    with transaction() as session:
        cycle = cycle_of(session, code, actor=actor)
        mailing = mailings.start(session, cycle, _kind(kind), actor=actor, now=now())
    flash(_("The messages wait to be sent; this page says how far they are."))
    return redirect(url_for(".batch", code=code, number=mailing.id), code=303)


@bp.get("/<int:number>")
@allow(*OVERSEERS)
def batch(code: str, number: int) -> ResponseReturnValue:
    """How far a batch is, and what went wrong."""
    actor = current_actor()
    cycle = cycle_of(reading(), code, actor=actor)
    found = mailings.progress(reading(), mailings.mailing_of(reading(), cycle, number, actor=actor))
    return render_template(
        "collection/messages_batch.html",
        cycle=cycle,
        batch=found,
        listed_channels=LISTED,
        to_nobody=_to_nobody(cycle, {channel for _state, channel in found.counts}),
        file=FILE,
        may_decide=actor.role == Role.ADMINISTRATOR and cycle.state == CycleState.COLLECTING,
    )


@bp.post("/<int:number>/<any(failed, unknown):state>")
@allow(Role.ADMINISTRATOR)
def again(code: str, number: int, state: str) -> ResponseReturnValue:
    """Send once more what failed or what is unknown."""
    actor = current_actor()
    if state == MessageState.UNKNOWN and not request.form.get("may-come-twice"):
        raise Invalid(
            _("These messages may have arrived."), remedy=_("Go back and confirm that they may come a second time.")
        )
    with transaction() as session:
        mailing = mailings.mailing_of(session, cycle_of(session, code, actor=actor), number, actor=actor)
        count = mailings.send_again(session, mailing, MessageState(state), actor=actor, now=now())
    flash(ngettext("%(num)d message waits again.", "%(num)d messages wait again.", count))
    return redirect(url_for(".batch", code=code, number=number), code=303)


@bp.post("/<int:number>/sent")
@allow(Role.ADMINISTRATOR)
def take_for_sent(code: str, number: int) -> ResponseReturnValue:
    """Decide that what is unknown was sent."""
    actor = current_actor()
    with transaction() as session:
        mailing = mailings.mailing_of(session, cycle_of(session, code, actor=actor), number, actor=actor)
        count = mailings.take_for_sent(session, mailing, actor=actor, now=now())
    flash(ngettext("%(num)d message is taken for sent.", "%(num)d messages are taken for sent.", count))
    return redirect(url_for(".batch", code=code, number=number), code=303)


@bp.get("/<int:number>/<any(xlsx, csv):format>")
@allow(*OVERSEERS)
def export(code: str, number: int, format: str) -> ResponseReturnValue:  # noqa: A002 - as the address names it
    """A batch in numbers, without names and contacts."""
    actor = current_actor()
    cycle = cycle_of(reading(), code, actor=actor)
    mailing = mailings.mailing_of(reading(), cycle, number, actor=actor)
    return download([sheet_of(reading(), mailing)], _("Messages %(code)s-%(number)s", code=code, number=number), format)
