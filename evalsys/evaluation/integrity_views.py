"""Flagged ratings: what was seen, what a decision would do, and the decision."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from evalsys.base import access
from evalsys.base.access import Role, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse
from evalsys.base.listing import Wanted
from evalsys.evaluation import integrity_page, sign_words, what_if
from evalsys.evaluation.forms import DecisionForm, ScanForm
from evalsys.evaluation.holds import decide
from evalsys.evaluation.integrity_page import IntegrityPage, Narrow
from evalsys.evaluation.integrity_scan import scan_cycle
from evalsys.evaluation.models import FlagState
from evalsys.evaluation.naming import Names
from evalsys.registry.cycles import cycle_by_code
from evalsys.registry.pins import rules_of

bp = Blueprint("integrity", __name__, url_prefix="/evaluation/cycles/<code>/integrity")


def _seen(code: str) -> IntegrityPage:
    return integrity_page.integrity_page(
        reading(),
        cycle_by_code(reading(), code),
        Wanted.from_args(request.args),
        Narrow.from_args(request.args),
        actor=current_actor(),
    )


def _listed(code: str, form: DecisionForm, chosen: list[int]) -> str:
    return render_template(
        "evaluation/integrity.html",
        seen=_seen(code),
        form=form,
        chosen=chosen,
        words=sign_words,
    )


@bp.get("")
@access.allow(Role.ADMINISTRATOR, Role.AUDITOR)
def flags(code: str) -> ResponseReturnValue:
    return _listed(code, DecisionForm(formdata=None), [])


@bp.post("/scan")
@access.allow(Role.ADMINISTRATOR)
def scan(code: str) -> ResponseReturnValue:
    ScanForm().validate()
    with transaction() as session:
        made = scan_cycle(session, cycle_by_code(session, code), actor=current_actor(), now=now())
    flash(ngettext("%(num)s new flag.", "%(num)s new flags.", made.added))
    return redirect(url_for("integrity.flags", code=code), code=303)


@bp.post("")
@access.allow(Role.ADMINISTRATOR)
def judge(code: str) -> ResponseReturnValue:
    """Show what the decision would do; carry it out when it comes from there."""
    form = DecisionForm()
    chosen = [int(flag) for flag in request.form.getlist("flag") if flag.isascii() and flag.isdecimal()][:100]
    if not form.validate_on_submit():
        return _listed(code, form, chosen), 422
    decision, reason = FlagState(form.decision.data), form.reason.data or ""
    try:
        with transaction() as session:
            cycle = cycle_by_code(session, code)
            if not form.sure.data:
                effects = what_if.effects(
                    session, cycle, chosen, decision, reason=reason, actor=current_actor(), now=now()
                )
                names = Names(rules_of(cycle))
                return render_template(
                    "evaluation/integrity_effect.html",
                    cycle=cycle,
                    effects=effects,
                    form=form,
                    chosen=chosen,
                    names=names,
                )
            count = len(decide(session, cycle, chosen, decision, reason=reason, actor=current_actor(), now=now()))
    except Fault as fault:
        status = refuse(form, fault)
        return _listed(code, form, chosen), status
    flash(ngettext("%(num)s flag decided. Score the cycle again.", "%(num)s flags decided. Score again.", count))
    return redirect(url_for("integrity.flags", code=code), code=303)


@bp.get("/contracts/<int:entry_id>")
@access.allow(Role.ADMINISTRATOR, Role.AUDITOR)
def contract(code: str, entry_id: int) -> ResponseReturnValue:
    seen = integrity_page.contract_page(reading(), cycle_by_code(reading(), code), entry_id, actor=current_actor())
    return render_template("evaluation/integrity_contract.html", seen=seen, words=sign_words)
