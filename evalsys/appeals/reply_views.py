"""Pages of replies: a vendor writes and confirms, an officer checks and publishes, everybody reads."""

from __future__ import annotations

import io

from flask import Blueprint, Flask, Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from evalsys.accounts import todo
from evalsys.appeals import replies, reply_queries
from evalsys.appeals.files import MOST_FILES, sent_with
from evalsys.appeals.models import AppealFile, Reply, ReplyState
from evalsys.appeals.personal_data import masked, pieces
from evalsys.appeals.reply_forms import PublishForm, ReturnForm, SubmitForm, WriteForm
from evalsys.appeals.words import personal_data_name, reply_state_name
from evalsys.base import navigation
from evalsys.base.access import Role, allow, by_letter, current_actor, public
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault, Invalid
from evalsys.base.forms import refuse
from evalsys.base.listing import Wanted
from evalsys.registry.models import Entry

bp = Blueprint("replies", __name__, url_prefix="/appeals")
READERS = (Role.OFFICER, Role.ADMINISTRATOR, Role.AUDITOR)


def install(app: Flask) -> None:
    """Register the pages, their menu entries and what waits on the desk."""
    app.register_blueprint(bp)
    app.add_url_rule("/replies/<int:file_id>", "replies.public_file", public_file)
    app.jinja_env.globals.update(personal_data_name=personal_data_name, reply_state_name=reply_state_name)
    navigation.offer(app, "replies.overview", _l("Replies"))
    navigation.offer(app, "replies.own", _l("My replies"))
    todo.offer(app, reply_queries.todos)


@bp.get("/replies/own")
@allow(Role.VENDOR)
@by_letter
def own() -> ResponseReturnValue:
    page = reply_queries.own_contracts(reading(), Wanted.from_args(request.args), actor=current_actor())
    return render_template("appeals/own_replies.html", page=page)


@bp.get("/replies/<int:entry_id>")
@allow(Role.VENDOR)
@by_letter
def show(entry_id: int) -> ResponseReturnValue:
    """The reply as it stands, or the form to write one."""
    entry, reply = replies.answerable(reading(), entry_id, actor=current_actor())
    form = WriteForm(data={"text": reply.text if reply else ""})
    return _writing(entry, reply, form)


@bp.post("/replies/<int:entry_id>")
@allow(Role.VENDOR)
@by_letter
def write(entry_id: int) -> ResponseReturnValue:
    """The words are right in form: show them as they will stand. Nothing is kept yet."""
    entry, reply = replies.answerable(reading(), entry_id, actor=current_actor())
    form = WriteForm()
    if not form.validate_on_submit():
        return _writing(entry, reply, form), 422
    try:
        text = replies.written(form.text.data or "")
    except Invalid as fault:
        status = refuse(form, fault)
        return _writing(entry, reply, form), status
    if request.form.get("change"):
        return _writing(entry, reply, form)
    kept = [file.id for file in reply.files] if reply else []
    return _confirming(entry, reply, SubmitForm(formdata=None, data={"text": text, "kept": kept}))


@bp.post("/replies/<int:entry_id>/submit")
@allow(Role.VENDOR)
@by_letter
def submit(entry_id: int) -> ResponseReturnValue:
    entry, reply = replies.answerable(reading(), entry_id, actor=current_actor())
    form = SubmitForm()
    if not form.validate_on_submit():
        return _confirming(entry, reply, form), 422
    try:
        with transaction() as session:
            replies.submit(
                session,
                entry_id,
                form.text.data or "",
                sent_with(form.files.data or ()),
                kept=form.kept.data or (),
                actor=current_actor(),
                now=now(),
            )
    except Fault as fault:
        status = refuse(form, fault)
        return _confirming(entry, reply, form), status
    flash(_("Your reply has been handed in. The office checks it for personal data and then publishes it."))
    return redirect(url_for(".show", entry_id=entry_id), code=303)


def _writing(entry: Entry, reply: Reply | None, form: WriteForm) -> str:
    return render_template("appeals/write_reply.html", entry=entry, reply=reply, form=form, longest=replies.LONGEST)


def _confirming(entry: Entry, reply: Reply | None, form: SubmitForm) -> str:
    text = form.text.data or ""
    return render_template(
        "appeals/confirm_reply.html",
        entry=entry,
        reply=reply,
        form=form,
        pieces=pieces(text),
        masked=masked(text),
        most_files=MOST_FILES,
    )


@bp.get("/replies")
@allow(*READERS)
def overview() -> ResponseReturnValue:
    """All replies of the branch."""
    actor, chosen = current_actor(), reply_queries.Filter.from_args(request.args)
    return render_template(
        "appeals/replies.html",
        page=reply_queries.replies(reading(), Wanted.from_args(request.args), chosen, actor=actor),
        chosen=chosen,
        states=list(ReplyState),
        cycles=reply_queries.cycles_with_replies(reading(), actor=actor),
    )


@bp.get("/replies/<int:entry_id>/check")
@allow(*READERS)
def check(entry_id: int) -> ResponseReturnValue:
    reply = replies.reply_of_branch(reading(), entry_id, actor=current_actor())
    return _checking(reply, PublishForm(formdata=None), ReturnForm(formdata=None))


@bp.post("/replies/<int:entry_id>/publish")
@allow(Role.OFFICER)
def publish(entry_id: int) -> ResponseReturnValue:
    reply = replies.reply_of_branch(reading(), entry_id, actor=current_actor())
    form = PublishForm()
    if not form.validate_on_submit():
        return _checking(reply, form, ReturnForm(formdata=None)), 422
    try:
        with transaction() as session:
            replies.publish(
                session,
                entry_id,
                seen=form.seen.data or "",
                looked=form.looked.data or (),
                left_out=form.left_out.data or (),
                judged=bool(form.judged.data),
                actor=current_actor(),
                now=now(),
            )
    except Fault as fault:
        status = refuse(form, fault)
        return _checking(reply, form, ReturnForm(formdata=None)), status
    flash(_("The reply is published. It stands beside the score from now on."))
    return redirect(url_for(".check", entry_id=entry_id), code=303)


@bp.post("/replies/<int:entry_id>/return")
@allow(Role.OFFICER)
def send_back(entry_id: int) -> ResponseReturnValue:
    reply = replies.reply_of_branch(reading(), entry_id, actor=current_actor())
    form = ReturnForm()
    if not form.validate_on_submit():
        return _checking(reply, PublishForm(formdata=None), form), 422
    try:
        with transaction() as session:
            replies.send_back(
                session,
                entry_id,
                form.reason.data or "",
                seen=form.seen.data or "",
                actor=current_actor(),
                now=now(),
            )
    except Fault as fault:
        status = refuse(form, fault)
        return _checking(reply, PublishForm(formdata=None), form), status
    flash(_("The reply went back to the vendor, who can change it and hand it in again."))
    return redirect(url_for(".overview"), code=303)


def _checking(reply: Reply, publishing: PublishForm, returning: ReturnForm) -> str:
    parts = pieces(reply.text)
    return render_template(
        "appeals/check_reply.html",
        reply=reply,
        entry=reply.entry,
        pieces=parts,
        masked=masked(reply.text),
        to_judge=any(part.finding and not part.finding.masked for part in parts),
        seen=replies.fingerprint(reply),
        form=publishing,
        returning=returning,
    )


@bp.get("/replies/files/<int:file_id>")
@allow(Role.VENDOR, *READERS)
@by_letter
def file(file_id: int) -> ResponseReturnValue:
    """A file before it is public."""
    answer = _sent(reply_queries.file_for(reading(), file_id, actor=current_actor()))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@public
def public_file(file_id: int) -> ResponseReturnValue:
    """A file of a published reply."""
    return _sent(reply_queries.public_file(reading(), file_id))


def _sent(kept: AppealFile) -> Response:
    """To save, never to be shown inside our site."""
    return send_file(io.BytesIO(kept.content), mimetype=kept.media_type, as_attachment=True, download_name=kept.name)
