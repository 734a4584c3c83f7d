"""Taking in files on the web: the template, the upload, the preview, and the confirmation."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Conflict, Fault, NotFound
from evalsys.base.forms import refuse
from evalsys.base.tables import FORMATS, TableFaulty, download
from evalsys.registry import frames, lists
from evalsys.registry.answering import choices
from evalsys.registry.blueprint import bp, instance
from evalsys.registry.cycles import cycle_by_code
from evalsys.registry.forms import UploadForm
from evalsys.registry.imports import KINDS, Scope, carry_out, kind_named, make_plan, template, uploads


@bp.get("/imports")
@allow(Role.ADMINISTRATOR)
def import_list() -> ResponseReturnValue:
    return render_template("registry/imports.html", kinds=list(KINDS.values()))


@bp.get("/imports/<kind_name>/template.<extension>")
@allow(Role.ADMINISTRATOR)
def import_template(kind_name: str, extension: str) -> ResponseReturnValue:
    kind = kind_named(kind_name)
    if extension not in FORMATS:
        raise NotFound(_("There is no such page."), remedy=_("Choose .xlsx or .csv."))
    return download(template(kind), str(kind.title), extension)


@bp.route("/imports/<kind_name>", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def import_file(kind_name: str) -> ResponseReturnValue:
    """Choose a file; every fault in it is listed on this page, else its preview follows."""
    kind, actor = kind_named(kind_name), current_actor()
    form = UploadForm()
    if kind.needs_cycle:
        open_cycles = [c for c in reading().scalars(lists.cycles_of(actor).statement) if c.state in frames.OPEN]
        form.cycle.choices = choices((c.code, c.title) for c in open_cycles if actor.acts_in(c.region.path))
    else:
        del form.cycle
    status, faults, total = 422 if form.is_submitted() else 200, (), 0
    if form.validate_on_submit():
        data, code = form.file.data.read(), form.cycle.data if kind.needs_cycle else None
        try:
            cycle = cycle_by_code(reading(), code) if code else None
            make_plan(data, kind, Scope(reading(), actor, cycle))
            token = uploads.keep(
                instance(),
                data,
                kind=kind.name,
                filename=form.file.data.filename or "",
                cycle_code=code,
                actor=actor,
                now=now(),
            )
            return redirect(url_for("registry.import_preview", token=token), code=303)
        except TableFaulty as faulty:
            faults, total = faulty.faults, faulty.total  # type: ignore[assignment]  # of any length
            form.form_errors.append(f"{faulty.message} {faulty.remedy}")
        except Fault as fault:
            status = refuse(form, fault)
    return render_template("registry/import.html", kind=kind, form=form, faults=faults, total=total), status


@bp.get("/imports/preview/<token>")
@allow(Role.ADMINISTRATOR)
def import_preview(token: str) -> ResponseReturnValue:
    """What the file would change."""
    about, data = uploads.fetch(instance(), token, actor=current_actor(), now=now())
    kind = kind_named(about.kind)
    cycle = cycle_by_code(reading(), about.cycle_code) if about.cycle_code else None
    plan = make_plan(data, kind, Scope(reading(), current_actor(), cycle))
    return render_template("registry/preview.html", kind=kind, plan=plan, about=about, token=token, cycle=cycle)


@bp.post("/imports/preview/<token>")
@allow(Role.ADMINISTRATOR)
def confirm_import(token: str) -> ResponseReturnValue:
    """Carry out what the preview showed, if that is still what the file would change."""
    actor = current_actor()
    about, data = uploads.fetch(instance(), token, actor=actor, now=now())
    kind = kind_named(about.kind)
    with transaction() as session:
        cycle = cycle_by_code(session, about.cycle_code) if about.cycle_code else None
        plan = make_plan(data, kind, Scope(session, actor, cycle))
        if plan.fingerprint != request.form.get("fingerprint"):
            raise Conflict(
                _("The registry has changed since the preview; nothing was saved."),
                remedy=_("Go back, reload the preview and look at it again."),
            )
        carry_out(session, plan, kind, cycle=cycle, actor=actor, now=now())
    uploads.forget(instance(), token)
    flash(f"{kind.title}: {plan.counts}")
    after = {"vendors": "vendor_list", "contracts": "contract_list", "purchasers": "purchaser_list"}
    after |= {"regions": "region_list"}
    if about.cycle_code:
        return redirect(url_for("registry.cycle", code=about.cycle_code), code=303)
    return redirect(url_for(f"registry.{after[kind.name]}"), code=303)
