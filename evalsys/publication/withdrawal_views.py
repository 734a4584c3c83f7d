"""Orders of a court or a superior to withdraw an edition: entered by the officer, decided by somebody else."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from evalsys.base import access
from evalsys.base.access import Role, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse
from evalsys.publication import queries, withdrawals
from evalsys.publication.forms import ConfirmForm, OrderForm, RefuseForm

bp = Blueprint("withdrawing", __name__, url_prefix="/publication")


@bp.route("/editions/<int:number>/withdraw", methods=["GET", "POST"])
@access.allow(Role.OFFICER)
def enter(number: int) -> ResponseReturnValue:
    edition = queries.edition_by_id(reading(), number)
    current_actor().require_region(edition.cycle.region.path)
    form = OrderForm()
    status = 200
    if form.validate_on_submit():
        try:
            with transaction() as session:
                order = withdrawals.enter(session, number, form.to_request(), actor=current_actor(), now=now())
        except Fault as fault:
            status = refuse(form, fault)
        else:
            flash(_("The order is entered. An administrator or an auditor has to confirm it."))
            return redirect(url_for(".show", key=order.id), code=303)
    status = 422 if form.errors and status == 200 else status
    return render_template("publication/withdraw.html", edition=edition, form=form), status


@bp.get("/withdrawals/<int:key>")
@access.allow(Role.OFFICER, Role.ADMINISTRATOR, Role.AUDITOR)
def show(key: int) -> ResponseReturnValue:
    return _page(key, ConfirmForm(formdata=None), RefuseForm(formdata=None))


@bp.post("/withdrawals/<int:key>/confirm")
@access.allow(Role.ADMINISTRATOR, Role.AUDITOR)
def confirm(key: int) -> ResponseReturnValue:
    form = ConfirmForm()
    if not form.validate_on_submit():
        return _page(key, form, RefuseForm(formdata=None)), 422
    with transaction() as session:
        order = withdrawals.confirm(session, key, actor=current_actor(), now=now())
    flash(_("The edition is withdrawn."))
    return redirect(url_for("publication.edition", number=order.edition_id), code=303)


@bp.post("/withdrawals/<int:key>/refuse")
@access.allow(Role.ADMINISTRATOR, Role.AUDITOR)
def turn_down(key: int) -> ResponseReturnValue:
    form = RefuseForm()
    if not form.validate_on_submit():
        return _page(key, ConfirmForm(formdata=None), form), 422
    with transaction() as session:
        withdrawals.refuse(session, key, str(form.why.data), actor=current_actor(), now=now())
    flash(_("The order is not carried out; the edition stays."))
    return redirect(url_for(".show", key=key), code=303)


def _page(key: int, sure: ConfirmForm, why: RefuseForm) -> str:
    order = withdrawals.withdrawal(reading(), key, actor=current_actor())
    return render_template("publication/withdrawal.html", order=order, sure=sure, why=why)
