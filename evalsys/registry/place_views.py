"""Pages of regions, purchasers and the bodies of evaluators."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading
from evalsys.registry import bodies, lists, queries, regions
from evalsys.registry.answering import answer_form, answer_list, region_choices
from evalsys.registry.blueprint import bp
from evalsys.registry.forms import EvaluatorBodyForm, PurchaserForm, RegionForm, RegionNameForm
from evalsys.registry.models import Region

STAFF = (Role.ADMINISTRATOR, Role.OFFICER, Role.PURCHASER, Role.EVALUATOR, Role.AUDITOR)


@bp.get("/")
@allow(*STAFF)
def index() -> ResponseReturnValue:
    return render_template("registry/index.html", counts=queries.counts(reading(), current_actor()))


@bp.get("/regions")
@allow(*STAFF)
def region_list() -> ResponseReturnValue:
    found = regions.branch(reading(), current_actor().region_path)
    return render_template("registry/regions.html", regions=found, level_name=regions.level_name)


@bp.route("/regions/<code>/new", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def new_region(code: str) -> ResponseReturnValue:
    parent = regions.region_by_code(reading(), code, actor=current_actor())
    form = RegionForm()

    def save(session: Session) -> str:
        regions.add_region(
            session,
            code=form.code.data,
            name=form.name.data,
            parent=session.get_one(Region, parent.id),
            actor=current_actor(),
            now=now(),
        )
        return url_for("registry.region_list")

    return answer_form(
        form,
        save,
        title=_("Add a region below %(name)s", name=parent.name),
        back=(url_for("registry.region_list"), _("Regions")),
    )


@bp.route("/regions/<code>/edit", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def edit_region(code: str) -> ResponseReturnValue:
    region = regions.region_by_code(reading(), code, actor=current_actor())
    form = RegionNameForm(obj=region)

    def save(session: Session) -> str:
        regions.rename_region(
            session, session.get_one(Region, region.id), form.name.data, actor=current_actor(), now=now()
        )
        return url_for("registry.region_list")

    return answer_form(
        form,
        save,
        title=_("Rename %(name)s", name=region.name),
        back=(url_for("registry.region_list"), _("Regions")),
    )


@bp.get("/purchasers")
@allow(*STAFF)
def purchaser_list() -> ResponseReturnValue:
    return answer_list(
        lists.purchasers(current_actor()),
        add=url_for("registry.new_purchaser"),
        import_kind="purchasers",
        nothing=_("No purchaser is registered yet."),
    )


@bp.route("/purchasers/new", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def new_purchaser() -> ResponseReturnValue:
    form = PurchaserForm()
    form.region_id.choices = region_choices(current_actor())

    def save(session: Session) -> str:
        region = session.get_one(Region, form.region_id.data)
        bodies.add_purchaser(session, name=form.name.data, region=region, actor=current_actor(), now=now())
        return url_for("registry.purchaser_list")

    return answer_form(
        form, save, title=_("Add a purchaser"), back=(url_for("registry.purchaser_list"), _("Purchasers"))
    )


@bp.get("/purchasers/<int:number>")
@allow(*STAFF)
def purchaser(number: int) -> ResponseReturnValue:
    actor = current_actor()
    kept = queries.purchaser_for(reading(), number, actor=actor)
    return render_template(
        "registry/facts.html",
        title=kept.name,
        facts=[(_("Name"), kept.name), (_("Region"), kept.region.name)],
        back=(url_for("registry.purchaser_list"), _("Purchasers")),
        edit=url_for("registry.edit_purchaser", number=number) if actor.role is Role.ADMINISTRATOR else "",
    )


@bp.route("/purchasers/<int:number>/edit", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def edit_purchaser(number: int) -> ResponseReturnValue:
    actor = current_actor()
    kept = queries.purchaser_for(reading(), number, actor=actor)
    form = PurchaserForm(obj=kept)
    form.region_id.choices = region_choices(actor)

    def save(session: Session) -> str:
        region = session.get_one(Region, form.region_id.data)
        changed = queries.purchaser_for(session, number, actor=actor)
        bodies.edit_purchaser(session, changed, name=form.name.data, region=region, actor=actor, now=now())
        return url_for("registry.purchaser", number=number)

    return answer_form(
        form,
        save,
        title=_("Edit %(name)s", name=kept.name),
        back=(url_for("registry.purchaser", number=number), kept.name),
    )


@bp.get("/evaluator-bodies")
@allow(*STAFF)
def evaluator_body_list() -> ResponseReturnValue:
    return answer_list(
        lists.evaluator_bodies(current_actor()),
        add=url_for("registry.new_evaluator_body"),
        import_kind="",
        nothing=_("No body of third-party evaluators is registered yet."),
    )


@bp.route("/evaluator-bodies/new", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def new_evaluator_body() -> ResponseReturnValue:
    form = EvaluatorBodyForm()
    form.region_id.choices = region_choices(current_actor())

    def save(session: Session) -> str:
        bodies.add_evaluator_body(
            session,
            code=form.code.data,
            name=form.name.data,
            region=session.get_one(Region, form.region_id.data),
            actor=current_actor(),
            now=now(),
        )
        return url_for("registry.evaluator_body_list")

    return answer_form(
        form,
        save,
        title=_("Add a body of evaluators"),
        back=(url_for("registry.evaluator_body_list"), _("Third-party evaluators")),
    )


@bp.get("/evaluator-bodies/<code>")
@allow(*STAFF)
def evaluator_body(code: str) -> ResponseReturnValue:
    actor = current_actor()
    kept = queries.evaluator_body_by_code(reading(), code)
    may_edit = actor.role is Role.ADMINISTRATOR and actor.acts_in(kept.region.path)
    return render_template(
        "registry/facts.html",
        title=kept.name,
        facts=[(_("Name"), kept.name), (_("Credit code"), kept.credit_code), (_("Region"), kept.region.name)],
        back=(url_for("registry.evaluator_body_list"), _("Third-party evaluators")),
        edit=url_for("registry.edit_evaluator_body", code=code) if may_edit else "",
    )


@bp.route("/evaluator-bodies/<code>/edit", methods=["GET", "POST"])
@allow(Role.ADMINISTRATOR)
def edit_evaluator_body(code: str) -> ResponseReturnValue:
    actor = current_actor()
    kept = queries.evaluator_body_by_code(reading(), code)
    actor.require_region(kept.region.path)
    form = EvaluatorBodyForm(obj=kept, code=kept.credit_code)
    form.region_id.choices = region_choices(actor)

    def save(session: Session) -> str:
        bodies.edit_evaluator_body(
            session,
            queries.evaluator_body_by_code(session, code),
            code=form.code.data,
            name=form.name.data,
            region=session.get_one(Region, form.region_id.data),
            actor=actor,
            now=now(),
        )
        return url_for("registry.evaluator_body", code=form.code.data)

    return answer_form(
        form,
        save,
        title=_("Edit %(name)s", name=kept.name),
        back=(url_for("registry.evaluator_body", code=code), kept.name),
    )
