"""A rater's sheet on the web: download, upload, preview, confirmation."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from evalsys.base.access import allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse
from evalsys.base.tables import CellFault, TableFaulty, download
from evalsys.collection import tasks, worksheet
from evalsys.collection.forms import TableFileForm
from evalsys.config import Settings
from evalsys.registry.imports import uploads

KIND = "worksheet"
bp = Blueprint("worksheet", __name__, url_prefix="/collection")


def _instance() -> Path:
    settings: Settings = current_app.config["SETTINGS"]
    return settings.instance


@bp.get("/worklist.<any(xlsx):kind>")
@allow(*tasks.PARTY_OF)
def sheet(kind: str) -> ResponseReturnValue:
    sheets = [worksheet.sheet_of(reading(), actor=current_actor()), worksheet.explanations()]
    return download(sheets, _("Assessments"), kind)


@bp.route("/worklist/file", methods=["GET", "POST"])
@allow(*tasks.PARTY_OF)
def upload() -> ResponseReturnValue:
    """The form for a filled sheet; every fault in it is listed on this page, else its preview follows."""
    actor, form, status = current_actor(), TableFileForm(), 422 if request.method == "POST" else 200
    faults: tuple[CellFault, ...] = ()
    if form.validate_on_submit():
        data = form.file.data.read()
        try:
            worksheet.read_sheet(reading(), data, actor=actor)
        except TableFaulty as fault:
            faults = fault.faults
            form.form_errors.append(f"{fault.message} {fault.remedy}")
        except Fault as fault:
            status = refuse(form, fault)
        else:
            name = form.file.data.filename or ""
            token = uploads.keep(_instance(), data, kind=KIND, filename=name, cycle_code=None, actor=actor, now=now())
            return redirect(url_for(".preview", token=token), code=303)
    return render_template("collection/worksheet.html", form=form, faults=faults), status


@bp.get("/worklist/file/<token>")
@allow(*tasks.PARTY_OF)
def preview(token: str) -> ResponseReturnValue:
    """Which answers the file would change, row by row."""
    about, data = uploads.fetch(_instance(), token, actor=current_actor(), now=now())
    plan = worksheet.read_sheet(reading(), data, actor=current_actor()).plan
    return render_template(
        "collection/file_preview.html", about=about, plan=plan, back_address=url_for(".upload"), cycle=None
    )


@bp.post("/worklist/file/<token>")
@allow(*tasks.PARTY_OF)
def take_in(token: str) -> ResponseReturnValue:
    actor, fingerprint = current_actor(), request.form.get("fingerprint", "")
    _about, data = uploads.fetch(_instance(), token, actor=actor, now=now())
    with transaction() as session:
        filled = worksheet.take_in(session, data, fingerprint=fingerprint, actor=actor, now=now())
    uploads.forget(_instance(), token)
    flash(_("Saved as drafts: %(counts)s. Nothing is submitted.", counts=filled.plan.counts))
    return redirect(url_for("collection.worklist"), code=303)
