"""Pages of evidence: attach, remove, download. They work without scripts and on a phone."""

from __future__ import annotations

import io

from flask import Blueprint, current_app, flash, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import RequestEntityTooLarge
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it

from evalsys.base.access import allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Conflict, Invalid
from evalsys.base.forms import refuse
from evalsys.base.language import words
from evalsys.collection import assessments, evidence, tasks
from evalsys.collection.evidence_files import LARGEST_FILE, too_large
from evalsys.collection.evidence_store import FolderStore, Store
from evalsys.collection.forms import EvidenceForm
from evalsys.collection.models import EvidenceKind
from evalsys.config import Settings

bp = Blueprint("evidence", __name__, url_prefix="/collection")


def _store() -> Store:
    settings: Settings = current_app.config["SETTINGS"]
    return FolderStore(settings.instance / "evidence")


@bp.get("/entries/<int:entry_id>/evidence")
@allow(*tasks.PARTY_OF)
def files(entry_id: int) -> ResponseReturnValue:
    """What is attached, and the form to attach more."""
    task = assessments.task_of(reading(), entry_id, actor=current_actor())
    if task.signed and task.assessment is not None:
        return redirect(url_for("collection.assessment", assessment_id=task.assessment.id), code=303)
    assessments.require_collecting(task.entry.cycle)
    return _page(task, _form(task)), 200


@bp.post("/entries/<int:entry_id>/evidence")
@allow(*tasks.PARTY_OF)
def attach(entry_id: int) -> ResponseReturnValue:
    task = assessments.task_of(reading(), entry_id, actor=current_actor())
    form = _form(task)
    if not form.validate_on_submit():
        return _page(task, form), 422
    sent = form.file.data
    file = evidence.Sent(sent.filename or "", sent.stream.read(LARGEST_FILE + 1), form.criterion.data, _kind(form))
    try:
        with transaction() as session:
            kept = evidence.add(
                session,
                entry_id,
                _store(),
                file,
                actor=current_actor(),
                now=now(),
            )
    except (Invalid, Conflict) as fault:
        status = refuse(form, fault)
        return _page(assessments.task_of(reading(), entry_id, actor=current_actor()), form), status
    flash(_("“%(name)s” is attached.", name=kept.name))
    return redirect(url_for(".files", entry_id=entry_id), code=303)


def _kind(form: EvidenceForm) -> EvidenceKind:
    return EvidenceKind.ACCEPTANCE if form.acceptance.data else EvidenceKind.GENERAL


def _form(task: tasks.Task) -> EvidenceForm:
    form = EvidenceForm()
    form.criterion.choices = [
        SelectChoice("", _("The whole assessment")),
        *(SelectChoice(q.code, f"{n}. {words(q.criterion.text)}") for n, q in enumerate(task.questionnaire, 1)),
    ]
    return form


def _page(task: tasks.Task, form: EvidenceForm) -> str:
    return render_template(
        "collection/evidence.html",
        task=task,
        form=form,
        files=evidence.evidence_of(reading(), task.assessment),
        most_files=evidence.MOST_FILES,
    )


@bp.post("/evidence/<int:evidence_id>/remove")
@allow(*tasks.PARTY_OF)
def remove(evidence_id: int) -> ResponseReturnValue:
    with transaction() as session:
        task = evidence.remove(session, evidence_id, actor=current_actor(), now=now())
    with transaction() as session:
        evidence.tidy(session, task.entry.id, _store(), actor=current_actor())
    flash(_("The file is removed."))
    return redirect(url_for(".files", entry_id=task.entry.id), code=303)


@bp.errorhandler(RequestEntityTooLarge)
def turned_away(_error: RequestEntityTooLarge) -> ResponseReturnValue:
    """A request that is larger than any page of ours takes, and so was not read; here a file may be smaller still."""
    fault = too_large()
    return render_template("errors/fault.html", message=fault.message, remedy=fault.remedy, details=()), 413


@bp.get("/evidence/<int:evidence_id>")
@allow(*tasks.PARTY_OF, *assessments.OVERSEERS)
def download(evidence_id: int) -> ResponseReturnValue:
    """The file to save, never to be shown inside our site."""
    row, content = evidence.read(reading(), evidence_id, _store(), actor=current_actor())
    return send_file(io.BytesIO(content), mimetype=row.media_type, as_attachment=True, download_name=row.name)
