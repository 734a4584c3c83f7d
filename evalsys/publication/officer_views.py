"""What the officer sees before everybody does: checks, the exact preview, and the act of publishing."""

from __future__ import annotations

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from evalsys.accounts import todo
from evalsys.base import access, navigation
from evalsys.base.access import Role, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse
from evalsys.base.listing import Wanted
from evalsys.publication import desk, preview, queries, usecases, withdrawal_views
from evalsys.publication.forms import PublishForm
from evalsys.publication.keys import key_folder
from evalsys.publication.sealing import seal
from evalsys.registry.cycles import cycle_by_code

bp = Blueprint("publishing", __name__, url_prefix="/publication")


def install(app: Flask) -> None:
    """Register the officer's pages, their menu entry and what waits on the desk."""
    app.register_blueprint(bp)
    app.register_blueprint(withdrawal_views.bp)
    navigation.offer(app, "publishing.cycles", _l("Publishing"))
    todo.offer(app, desk.todos)


@bp.get("/")
@access.allow(Role.OFFICER, Role.ADMINISTRATOR, Role.AUDITOR)
def cycles() -> ResponseReturnValue:
    page = queries.cycles_to_publish(reading(), current_actor(), Wanted.from_args(request.args))
    return render_template("publication/cycles.html", page=page)


@bp.get("/cycles/<code>")
@access.allow(Role.OFFICER, Role.ADMINISTRATOR, Role.AUDITOR)
def show(code: str) -> ResponseReturnValue:
    seen = preview.preview(reading(), cycle_by_code(reading(), code), actor=current_actor(), now=now())
    return render_template("publication/preview.html", preview=seen)


@bp.route("/cycles/<code>/publish", methods=["GET", "POST"])
@access.allow(Role.OFFICER)
def publish(code: str) -> ResponseReturnValue:
    seen = preview.preview(reading(), cycle_by_code(reading(), code), actor=current_actor(), now=now())
    form = PublishForm(data={"run": str(seen.run.id) if seen.run else ""})
    if not form.validate_on_submit():
        return render_template("publication/publish.html", preview=seen, form=form), 422 if form.errors else 200
    try:
        with transaction() as session:
            edition = usecases.publish(
                session,
                cycle_by_code(session, code),
                reason=str(form.reason.data or ""),
                run_id=form.run_id,
                marked=bool(form.marked.data),
                actor=current_actor(),
                now=now(),
            )
            seal(session, edition, key_folder(current_app.config["SETTINGS"]), actor=current_actor(), now=now())
    except Fault as fault:
        status = refuse(form, fault)
        return render_template("publication/publish.html", preview=seen, form=form), status
    flash(_("Edition %(number)s is published. Everybody can read it now.", number=edition.number))
    return redirect(url_for("publication.edition", number=edition.id), code=303)
