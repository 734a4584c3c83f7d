"""Taking in a file of ratings on the web: template, upload, preview, confirmation."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse
from evalsys.base.language import words
from evalsys.base.tables import CellFault, TableFaulty, download
from evalsys.collection import progress, ratings_files, ratings_import
from evalsys.collection.forms import ConfirmRatingsForm, RatingsFileForm
from evalsys.collection.ratings_staging import Staging
from evalsys.config import Settings
from evalsys.registry.cycles import cycle_by_code
from evalsys.registry.imports import uploads
from evalsys.registry.pins import rules_of

KIND = "ratings"
bp = Blueprint("ratings", __name__, url_prefix="/collection")


def install(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(bp)


def _instance() -> Path:
    settings: Settings = current_app.config["SETTINGS"]
    return settings.instance


@bp.get("/ratings-template.<any(xlsx, csv):kind>")
@allow(Role.ADMINISTRATOR)
def template(kind: str) -> ResponseReturnValue:
    return download([ratings_files.template(), ratings_files.explanations()], _("Ratings"), kind)


@bp.route("/cycles/<code>/ratings", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def upload(code: str) -> ResponseReturnValue:
    actor, form, status = current_actor(), RatingsFileForm(), 200
    cycle = progress.cycle_of(reading(), code, actor=actor)
    ratings_import.require_importing(cycle, actor)
    faults: tuple[CellFault, ...] = ()
    if form.validate_on_submit():
        try:
            staging = ratings_files.stage_ratings(reading(), form.file.data.stream, cycle, actor=actor)
        except TableFaulty as fault:
            faults, status = fault.faults, fault.status
            form.form_errors.append(f"{fault.message} {fault.remedy}")
        except Fault as fault:
            status = refuse(form, fault)
        else:
            token = uploads.keep(
                _instance(),
                staging.content(),
                kind=KIND,
                filename=form.file.data.filename or "",
                cycle_code=code,
                actor=actor,
                now=now(),
            )
            staging.close()
            return redirect(url_for(".confirm", token=token), code=303)
    elif form.errors:
        status = 422
    imports = progress.imports_of(reading(), cycle)
    return render_template(
        "collection/ratings_upload.html", cycle=cycle, form=form, faults=faults, imports=imports
    ), status


@bp.get("/ratings/<token>")
@allow(Role.ADMINISTRATOR)
def confirm(token: str) -> ResponseReturnValue:
    """What taking the file in would do."""
    return _preview_page(token, ConfirmRatingsForm(), 200)


@bp.post("/ratings/<token>")
@allow(Role.ADMINISTRATOR)
def take_in(token: str) -> ResponseReturnValue:
    actor, form = current_actor(), ConfirmRatingsForm()
    about, content = uploads.fetch(_instance(), token, actor=actor, now=now())
    staging = Staging.restored(content)
    try:
        with transaction() as session:
            done = ratings_import.take_in(session, staging, replace=bool(form.replace.data), actor=actor, now=now())
    except Fault as fault:
        return _preview_page(token, form, refuse(form, fault))
    finally:
        staging.close()
    uploads.forget(_instance(), token)
    flash(_("Nothing changed: the same rows are in already.") if done.unchanged else _("The ratings are in."))
    return redirect(url_for(".upload", code=about.cycle_code), code=303)


def _preview_page(token: str, form: ConfirmRatingsForm, status: int) -> ResponseReturnValue:
    actor = current_actor()
    about, content = uploads.fetch(_instance(), token, actor=actor, now=now())
    staging = Staging.restored(content)
    try:
        found = ratings_import.preview(reading(), staging, actor=actor)
    finally:
        staging.close()
    cycle = cycle_by_code(reading(), about.cycle_code or "")
    return render_template(
        "collection/ratings_preview.html",
        cycle=cycle,
        about=about,
        found=found,
        form=form,
        shown=ratings_import.SHOWN,
        party_names={party.code: words(party.name) for party in rules_of(cycle).parties},
    ), status
