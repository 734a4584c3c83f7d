"""Taking in what the record says, on the web: what is known, template, upload, preview, confirmation."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse
from evalsys.base.language import words
from evalsys.base.tables import CellFault, TableFaulty, download
from evalsys.collection import measured, progress
from evalsys.collection.forms import TableFileForm
from evalsys.config import Settings
from evalsys.registry.cycles import cycle_by_code
from evalsys.registry.imports import Scope, make_plan, template, uploads
from evalsys.registry.pins import rules_of

bp = Blueprint("measured", __name__, url_prefix="/collection")


def _instance() -> Path:
    settings: Settings = current_app.config["SETTINGS"]
    return settings.instance


@bp.get("/measured-template.<any(xlsx, csv):kind>")
@allow(Role.ADMINISTRATOR)
def sheet(kind: str) -> ResponseReturnValue:
    return download(template(measured.KIND), str(measured.KIND.title), kind)


@bp.route("/cycles/<code>/measured", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def upload(code: str) -> ResponseReturnValue:
    """What is recorded, and the form for a file; every fault in it is listed on this page, else its preview follows."""
    actor, form, status = current_actor(), TableFileForm(), 422 if request.method == "POST" else 200
    cycle = progress.cycle_of(reading(), code, actor=actor)
    measured.require_recording(cycle, actor)
    faults: tuple[CellFault, ...] = ()
    if form.validate_on_submit():
        data = form.file.data.read()
        try:
            make_plan(data, measured.KIND, Scope(reading(), actor, cycle))
        except TableFaulty as fault:
            faults = fault.faults
            form.form_errors.append(f"{fault.message} {fault.remedy}")
        except Fault as fault:
            status = refuse(form, fault)
        else:
            named = {"filename": form.file.data.filename or "", "kind": measured.KIND.name, "cycle_code": code}
            token = uploads.keep(_instance(), data, **named, actor=actor, now=now())
            return redirect(url_for(".preview", token=token), code=303)
    rows = measured.values_of(reading(), cycle, actor=actor)
    names = {criterion.code: words(criterion.text) for criterion in rules_of(cycle).criteria}
    page = render_template("collection/measured.html", cycle=cycle, form=form, faults=faults, rows=rows, names=names)
    return page, status


@bp.get("/measured/<token>")
@allow(Role.ADMINISTRATOR)
def preview(token: str) -> ResponseReturnValue:
    """What taking the file in would change."""
    about, data = uploads.fetch(_instance(), token, actor=current_actor(), now=now())
    cycle = cycle_by_code(reading(), about.cycle_code or "")
    plan = make_plan(data, measured.KIND, Scope(reading(), current_actor(), cycle))
    back = url_for(".upload", code=cycle.code)
    return render_template("collection/file_preview.html", about=about, plan=plan, back_address=back, cycle=cycle)


@bp.post("/measured/<token>")
@allow(Role.ADMINISTRATOR)
def take_in(token: str) -> ResponseReturnValue:
    actor, fingerprint = current_actor(), request.form.get("fingerprint", "")
    about, data = uploads.fetch(_instance(), token, actor=actor, now=now())
    with transaction() as session:
        cycle = cycle_by_code(session, about.cycle_code or "")
        plan = measured.take_in(session, data, cycle, fingerprint=fingerprint, actor=actor, now=now())
    uploads.forget(_instance(), token)
    flash(f"{measured.KIND.title}: {plan.counts}")
    return redirect(url_for(".upload", code=about.cycle_code), code=303)
