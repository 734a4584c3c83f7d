"""Pages of the second signature: what waits for it, one assessment to read and co-sign, and taking the own one back."""

from __future__ import annotations

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from evalsys.accounts import todo
from evalsys.base.access import allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.collection import cosigning, tasks
from evalsys.collection.assessments import Incomplete, NewerDraft
from evalsys.collection.desk import to_cosign
from evalsys.collection.evidence import evidence_of

bp = Blueprint("cosigning", __name__, url_prefix="/collection")


def install(app: Flask) -> None:
    """Register the pages and what they put on the desk."""
    app.register_blueprint(bp)
    todo.offer(app, to_cosign)


@bp.get("/cosigning")
@allow(*tasks.PARTY_OF)
def waiting() -> ResponseReturnValue:
    return render_template("collection/cosigning.html", rows=cosigning.waiting_for(reading(), actor=current_actor()))


@bp.get("/cosigning/<int:assessment_id>")
@allow(*tasks.PARTY_OF)
def read(assessment_id: int) -> ResponseReturnValue:
    task = cosigning.task_to_cosign(reading(), assessment_id, actor=current_actor())
    if not task.awaiting:
        return redirect(url_for(".waiting"), code=303)
    return _page(task)


def _page(task: tasks.Task, fault: Fault | None = None) -> ResponseReturnValue:
    page = render_template(
        "collection/cosign.html",
        task=task,
        files=evidence_of(reading(), task.assessment),
        declaration=cosigning.declaration(task),
        fault=fault,
    )
    return page, fault.status if fault else 200


@bp.post("/cosigning/<int:assessment_id>")
@allow(*tasks.PARTY_OF)
def sign(assessment_id: int) -> ResponseReturnValue:
    version, signed = request.form.get("version", ""), bool(request.form.get("signed"))
    try:
        with transaction() as session:
            cosigning.cosign(session, assessment_id, version=version, signed=signed, actor=current_actor(), now=now())
    except (Incomplete, NewerDraft) as fault:
        return _page(cosigning.task_to_cosign(reading(), assessment_id, actor=current_actor()), fault)
    flash(_("Co-signed; the assessment is submitted."))
    return redirect(url_for(".waiting"), code=303)


@bp.post("/cosigning/<int:assessment_id>/refuse")
@allow(*tasks.PARTY_OF)
def refuse(assessment_id: int) -> ResponseReturnValue:
    with transaction() as session:
        cosigning.refuse(session, assessment_id, request.form.get("reason", ""), actor=current_actor(), now=now())
    flash(_("Sent back. Your colleague reads your reason above the questions."))
    return redirect(url_for(".waiting"), code=303)


@bp.post("/entries/<int:entry_id>/take-back")
@allow(*tasks.PARTY_OF)
def take_back(entry_id: int) -> ResponseReturnValue:
    with transaction() as session:
        cosigning.take_back(session, entry_id, actor=current_actor(), now=now())
    flash(_("The signature is taken back; the assessment is a draft again."))
    return redirect(url_for("collection.rate", entry_id=entry_id), code=303)
