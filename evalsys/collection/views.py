"""Pages of the named raters, and of those who assign and oversee them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it

from evalsys.accounts import todo
from evalsys.base import navigation
from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.language import words
from evalsys.base.listing import Wanted
from evalsys.collection import assessments, assignments, closing, progress, queries, tasks
from evalsys.collection.assessment_form import AssessmentForm, assessment_form
from evalsys.collection.completeness import open_points
from evalsys.collection.cosigning import count_waiting
from evalsys.collection.desk import open_assessments
from evalsys.collection.evidence import evidence_of
from evalsys.collection.forms import AssignForm
from evalsys.collection.interest_queries import cycles_to_declare
from evalsys.collection.interests import evaluators_of
from evalsys.collection.ratings_import import IMPORT_STATES
from evalsys.collection.returns import versions_of
from evalsys.registry import cycle_notes
from evalsys.registry.catalogue import service_type_name
from evalsys.registry.cycles import state_name
from evalsys.registry.models import Cycle, CycleState
from evalsys.registry.pins import rules_of

bp = Blueprint("collection", __name__, url_prefix="/collection")
LIST_ARGUMENTS = ("q", "sort", "page", "size", "unassigned", "evaluator")
bp.add_app_template_global(service_type_name)
bp.add_app_template_global(state_name, "cycle_state_name")


def install(app: Flask) -> None:
    """Register the pages, their menu entries and what they put on the desk."""
    app.register_blueprint(bp)
    navigation.offer(app, "collection.worklist", _l("To rate"))
    navigation.offer(app, "collection.overview", _l("Collecting"))
    todo.offer(app, open_assessments)
    cycle_notes.offer(app, closing.missing, of_closing=True)


# ── The rater's own work ──


@bp.get("/worklist")
@allow(Role.PURCHASER, Role.EVALUATOR)
def worklist() -> ResponseReturnValue:
    actor = current_actor()
    only = queries.Narrowing(**{name: request.args.get(name, "") for name in ("state", "cycle", "region", "vendor")})
    return render_template(
        "collection/worklist.html",
        page=queries.worklist(reading(), Wanted.from_args(request.args), actor=actor, now=now(), only=only),
        only=only,
        choices=queries.choices(reading(), only, actor=actor),
        cosigning_count=count_waiting(reading(), actor=actor),
        undeclared=cycles_to_declare(reading(), actor) if actor.role == Role.EVALUATOR else (),
    )


@bp.get("/entries/<int:entry_id>/rate")
@allow(Role.PURCHASER, Role.EVALUATOR)
def rate(entry_id: int) -> ResponseReturnValue:
    task = assessments.task_of(reading(), entry_id, actor=current_actor())
    if task.signed and task.assessment is not None:
        return redirect(url_for(".assessment", assessment_id=task.assessment.id), code=303)
    assessments.require_collecting(task.entry.cycle)
    return _rate_page(task, assessment_form(task))


@bp.post("/entries/<int:entry_id>/rate")
@allow(Role.PURCHASER, Role.EVALUATOR)
def save(entry_id: int) -> ResponseReturnValue:
    task = assessments.task_of(reading(), entry_id, actor=current_actor())
    form = assessment_form(task, sent=True)
    if not form.validate_on_submit():
        return _rate_page(task, form, status=422)
    try:
        _save(task, form)
    except assessments.NewerDraft as fault:
        newest = assessments.task_of(reading(), entry_id, actor=current_actor())
        own = newest.with_record(form.answers(task.questionnaire))
        page = render_template("collection/newer_draft.html", task=newest, own=own, beside=form.beside(), fault=fault)
        return page, fault.status
    if request.form.get("then") == "evidence":
        return redirect(url_for("evidence.files", entry_id=entry_id), code=303)
    if request.form.get("then") == "check":
        return redirect(url_for(".check", entry_id=entry_id), code=303)
    flash(_("The draft is saved. You can close the page and go on later."))
    part = "visits" if request.form.get("then") == "visit" else None
    return redirect(url_for(".rate", entry_id=entry_id, _anchor=part), code=303)


@bp.post("/entries/<int:entry_id>/autosave")
@allow(Role.PURCHASER, Role.EVALUATOR)
def autosave(entry_id: int) -> ResponseReturnValue:
    """The same while the rater writes, for the page's script: what became of it, in words, and no page."""
    try:
        task = assessments.task_of(reading(), entry_id, actor=current_actor())
        form = assessment_form(task, sent=True)
        if not form.validate_on_submit():
            return jsonify(
                message=" ".join(sorted({str(error) for said in form.errors.values() for error in said}))
            ), 422
        kept = _save(task, form, by_itself=True)
    except Fault as fault:
        return jsonify(message=f"{fault.message} {fault.remedy}".rstrip()), fault.status
    return jsonify(version=kept.version)


def _save(task: tasks.Task, form: AssessmentForm, *, by_itself: bool = False) -> tasks.Task:
    with transaction() as session:
        return assessments.save_draft(
            session,
            task.entry.id,
            form.answers(task.questionnaire),
            beside=form.beside(),
            version=form.version.data or "",
            by_itself=by_itself,
            actor=current_actor(),
            now=now(),
        )


def _rate_page(task: tasks.Task, form: AssessmentForm, status: int = 200) -> ResponseReturnValue:
    files = evidence_of(reading(), task.assessment)
    former = versions_of(reading(), task.assessment)
    answered = task.assessment.cosigning if task.assessment else None  # a draft's only answer is a refusal
    page = render_template("collection/rate.html", task=task, form=form, files=files, former=former, refused=answered)
    return page, status


@bp.get("/entries/<int:entry_id>/check")
@allow(Role.PURCHASER, Role.EVALUATOR)
def check(entry_id: int) -> ResponseReturnValue:
    task = assessments.task_of(reading(), entry_id, actor=current_actor())
    if task.assessment is None:
        return redirect(url_for(".rate", entry_id=entry_id), code=303)
    if task.signed:
        return redirect(url_for(".assessment", assessment_id=task.assessment.id), code=303)
    assessments.require_collecting(task.entry.cycle)
    return _check_page(task)


@bp.post("/entries/<int:entry_id>/check")
@allow(Role.PURCHASER, Role.EVALUATOR)
def submit(entry_id: int) -> ResponseReturnValue:
    try:
        with transaction() as session:
            done = assessments.submit(
                session,
                entry_id,
                version=request.form.get("version", ""),
                signed=bool(request.form.get("signed")),
                actor=current_actor(),
                now=now(),
            )
    except (assessments.Incomplete, assessments.NewerDraft) as fault:
        task = assessments.task_of(reading(), entry_id, actor=current_actor())
        return _check_page(task, fault)
    if done.awaiting:
        flash(_("Signed. It is submitted once a colleague has co-signed it."))
    else:
        flash(_("Submitted. Thank you; it can no longer be changed."))
    assert done.assessment is not None  # noqa: S101 - submitting made it so
    return redirect(url_for(".assessment", assessment_id=done.assessment.id), code=303)


def _check_page(task: tasks.Task, fault: Fault | None = None) -> ResponseReturnValue:
    files = evidence_of(reading(), task.assessment)
    page = render_template(
        "collection/check.html",
        task=task,
        files=files,
        points=open_points(reading(), task),
        fault=fault,
        sent_version=request.form.get("version", ""),
    )
    return page, fault.status if fault else 200


@bp.get("/assessments/<int:assessment_id>")
@allow(Role.PURCHASER, Role.EVALUATOR, *assessments.OVERSEERS)
def assessment(assessment_id: int) -> ResponseReturnValue:
    actor = current_actor()
    task = assessments.submitted_of(reading(), assessment_id, actor=actor)
    return render_template(
        "collection/assessment.html",
        task=task,
        files=evidence_of(reading(), task.assessment),
        former=versions_of(reading(), task.assessment),
        may_send_back=task.assessment is not None
        and task.assessment.account_id is not None
        and actor.role == Role.ADMINISTRATOR
        and task.entry.cycle.state == CycleState.COLLECTING,
        party=rules_of(task.entry.cycle).party(task.party),
        is_own=actor.role in tasks.PARTY_OF,
    )


# ── Assigning and overseeing ──


@bp.get("/")
@allow(*assessments.OVERSEERS)
def overview() -> ResponseReturnValue:
    return render_template(
        "collection/overview.html",
        rows=progress.progress(reading(), actor=current_actor()),
        import_states=IMPORT_STATES,
    )


@bp.get("/cycles/<code>/assessments")
@allow(*assessments.OVERSEERS)
def submitted(code: str) -> ResponseReturnValue:
    actor, party = current_actor(), request.args.get("party", "")
    cycle = progress.cycle_of(reading(), code, actor=actor)
    page = progress.submitted_rows(reading(), cycle, Wanted.from_args(request.args), actor=actor, party=party)
    parties = [p for p in rules_of(cycle).parties if p.code in tasks.PARTY_OF.values()]
    return render_template(
        "collection/submitted.html",
        cycle=cycle,
        page=page,
        parties=parties,
        party=party,
        party_names={p.code: words(p.name) for p in parties},
    )


@bp.get("/cycles/<code>/assignments")
@allow(*assessments.OVERSEERS)
def assigned(code: str) -> ResponseReturnValue:
    cycle = progress.cycle_of(reading(), code, actor=current_actor())
    return _assignments_page(cycle, _assign_form(cycle))


@bp.post("/cycles/<code>/assignments")
@allow(Role.ADMINISTRATOR)
def assign(code: str) -> ResponseReturnValue:
    cycle = progress.cycle_of(reading(), code, actor=current_actor())
    form = _assign_form(cycle)
    if not form.validate_on_submit():
        return _assignments_page(cycle, form), 422
    wanted = assignments.Assign(cycle.id, form.entry_ids.data or [], form.account_id.data, form.due_on.data)
    try:
        with transaction() as session:
            done = assignments.assign(session, wanted, actor=current_actor(), now=now())
    except Fault as fault:
        cycle = progress.cycle_of(reading(), code, actor=current_actor())
        return _assignments_page(cycle, form, fault=fault), fault.status
    flash(ngettext("%(num)d contract assigned.", "%(num)d contracts assigned.", done.added))
    if done.changed:
        flash(ngettext("%(num)d due date changed.", "%(num)d due dates changed.", done.changed))
    return redirect(url_for(".assigned", code=code, **_list_arguments()), code=303)


def _assign_form(cycle: Cycle) -> AssignForm:
    form = AssignForm()
    people = evaluators_of(reading(), cycle)
    form.account_id.choices = [
        SelectChoice(str(p.id), f"{p.evaluator_body.name} · {p.name}") for p in people if p.evaluator_body
    ]
    return form


def _assignments_page(cycle: Cycle, form: AssignForm, fault: Fault | None = None) -> str:
    actor, unassigned = current_actor(), request.args.get("unassigned", "") == "1"
    asked = request.args.get("evaluator", "")
    evaluator_id = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else 0
    page = progress.assignment_rows(
        reading(),
        cycle,
        Wanted.from_args(request.args),
        actor=actor,
        unassigned=unassigned,
        evaluator_id=evaluator_id,
    )
    return render_template(
        "collection/assignments.html",
        cycle=cycle,
        page=page,
        form=form,
        fault=fault,
        unassigned=unassigned,
        evaluator_id=evaluator_id,
        chosen=set(form.entry_ids.data or []),
        list_arguments=_list_arguments(),
        may_assign=actor.role == Role.ADMINISTRATOR and cycle.state in assignments.OPEN_STATES,
    )


def _list_arguments() -> dict[str, Any]:
    """The search, order and filter that the list of assignments is shown with."""
    return {name: request.args[name] for name in LIST_ARGUMENTS if name in request.args}


@bp.post("/assignments/<int:assignment_id>/withdraw")
@allow(Role.ADMINISTRATOR)
def withdraw(assignment_id: int) -> ResponseReturnValue:
    with transaction() as session:
        cycle = assignments.withdraw(session, assignment_id, actor=current_actor(), now=now())
    flash(_("The assignment is taken back."))
    return redirect(url_for(".assigned", code=cycle.code, **_list_arguments()), code=303)
