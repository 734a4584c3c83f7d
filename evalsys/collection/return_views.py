"""Sending a submitted assessment back, and reading what it said before."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.collection import returns

bp = Blueprint("returns", __name__, url_prefix="/collection")


@bp.post("/assessments/<int:assessment_id>/return")
@allow(Role.ADMINISTRATOR)
def send_back(assessment_id: int) -> ResponseReturnValue:
    reason = request.form.get("reason", "")
    with transaction() as session:
        returns.send_back(session, assessment_id, reason, actor=current_actor(), now=now())
    flash(_("The assessment is sent back. Its rater finds it among the contracts to rate, with your reason."))
    return redirect(url_for(".versions", assessment_id=assessment_id), code=303)


@bp.get("/assessments/<int:assessment_id>/versions")
@allow(Role.ADMINISTRATOR, Role.AUDITOR)
def versions(assessment_id: int) -> ResponseReturnValue:
    entry, assessment, former = returns.former_of(reading(), assessment_id, actor=current_actor())
    return render_template("collection/versions.html", entry=entry, assessment=assessment, former=former)
