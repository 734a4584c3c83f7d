"""Pages on which an administrator looks at a plan and confirms it, and sees which evaluators share contracts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf import FlaskForm
from wtforms import DateField, IntegerField
from wtforms.validators import InputRequired, NumberRange, Optional

from evalsys.base.access import Role, allow, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse
from evalsys.base.language import CHINA
from evalsys.collection import assignments, plans
from evalsys.collection.assessments import OVERSEERS
from evalsys.collection.progress import cycle_of
from evalsys.registry.models import Cycle

bp = Blueprint("plans", __name__, url_prefix="/collection")


class PlanForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """The wish; it stands in the address, so that a plan can be shown again."""

    class Meta:
        csrf = False  # it changes nothing; storing has a form of its own

    share = IntegerField(
        _l("Contracts seen by two evaluators, in per cent"),
        description=_l("What two have seen tells how severe each is; 30% is usual."),
        validators=[InputRequired(_l("Give a share.")), NumberRange(0, 100, _l("From 0 to 100."))],
    )
    most = IntegerField(
        _l("Contracts for one evaluator at most"),
        description=_l("Empty: as many as it takes."),
        validators=[Optional(), NumberRange(1, 100_000, _l("At least 1."))],
    )
    due_on = DateField(
        _l("Due date"),
        description=_l("Left empty, it is the day on which collecting closes."),
        validators=[Optional()],
    )
    seed = IntegerField(
        _l("Seed"),
        description=_l("Settles by lot what is equal otherwise; the same seed gives the same plan."),
        validators=[InputRequired(_l("Give a seed.")), NumberRange(0, 2**31 - 1, _l("From 0 to 2147483647."))],
    )

    def wish(self) -> plans.Wish:
        """What is wished; only after the form has been validated."""
        share, seed = self.share.data or 0, self.seed.data or 0
        return plans.Wish(seed=seed, share=share / 100, most=self.most.data, due_on=self.due_on.data)

    def arguments(self) -> dict[str, Any]:
        """The wish as an address carries it."""
        return {field.name: field.raw_data[0] for field in self if field.raw_data and field.raw_data[0]}


@bp.get("/cycles/<code>/plan")
@allow(*OVERSEERS)
def plan(code: str) -> ResponseReturnValue:
    """Who shares contracts now, and, asked with a wish, the plan."""
    cycle = cycle_of(reading(), code, actor=current_actor())
    asked = "seed" in request.args and _may_plan(cycle)
    form = PlanForm(request.args if asked else None, data={"share": round(100 * plans.SHARE), "seed": _today()})
    if not asked:
        return _page(cycle, form)
    if not form.validate():
        return _page(cycle, form, status=422)
    try:
        proposal = plans.propose(reading(), cycle, form.wish(), actor=current_actor(), now=now())
    except Fault as fault:
        return _page(cycle, form, status=refuse(form, fault))
    return _page(cycle, form, proposal)


def _today() -> int:
    """A seed that nobody chose for its plan: the day as a number."""
    today: date = datetime.now(CHINA).date()
    return int(today.strftime("%Y%m%d"))


@bp.post("/cycles/<code>/plan")
@allow(Role.ADMINISTRATOR)
def store(code: str) -> ResponseReturnValue:
    cycle = cycle_of(reading(), code, actor=current_actor())
    form = PlanForm(request.args)
    if not form.validate():
        return _page(cycle, form, status=422)
    try:
        with transaction() as session:
            own = cycle_of(session, code, actor=current_actor())
            fingerprint = request.form.get("fingerprint", "")
            done = plans.store(session, own, form.wish(), fingerprint, actor=current_actor(), now=now())
    except Fault as fault:
        flash(f"{fault.message} {fault.remedy}", "warning")
        return redirect(url_for(".plan", code=code, **form.arguments()), code=303)
    flash(ngettext("%(num)d contract assigned.", "%(num)d contracts assigned.", len(done.pairs)))
    return redirect(url_for(".plan", code=code), code=303)


def _may_plan(cycle: Cycle) -> bool:
    return current_actor().role == Role.ADMINISTRATOR and cycle.state in assignments.OPEN_STATES


def _page(
    cycle: Cycle, form: PlanForm, proposal: plans.Proposal | None = None, status: int = 200
) -> ResponseReturnValue:
    ground = proposal.ground if proposal else plans.ground_of(reading(), cycle, actor=current_actor())
    page = render_template(
        "collection/plan.html",
        cycle=cycle,
        form=form,
        ground=ground,
        present=ground.present,
        proposal=proposal,
        arguments=form.arguments(),
        may_plan=_may_plan(cycle),
    )
    return page, status
