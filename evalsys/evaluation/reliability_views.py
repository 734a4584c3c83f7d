"""Whether a cycle's raters can be relied on."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from evalsys.base import access
from evalsys.base.access import Role, current_actor
from evalsys.base.charts import picture
from evalsys.base.db import reading
from evalsys.evaluation import reliability_page
from evalsys.evaluation.reliability_page import ReliabilityPage
from evalsys.registry.catalogue import service_kind_name
from evalsys.registry.cycles import cycle_by_code

bp = Blueprint("reliability", __name__, url_prefix="/evaluation/cycles/<code>/reliability")


def _page(code: str) -> ReliabilityPage:
    return reliability_page.reliability_page(reading(), cycle_by_code(reading(), code), actor=current_actor())


@bp.get("")
@access.allow(Role.OFFICER, Role.ADMINISTRATOR, Role.AUDITOR)
def show(code: str) -> ResponseReturnValue:
    return render_template(
        "evaluation/reliability.html",
        page=_page(code),
        sentences=reliability_page.party_sentences,
        kind_name=service_kind_name,
    )


@bp.get("/agreement.svg")
@access.allow(Role.OFFICER, Role.ADMINISTRATOR, Role.AUDITOR)
def agreement(code: str) -> ResponseReturnValue:
    return picture(*reliability_page.agreement_rows(_page(code), request.args.get("party", "")))


@bp.get("/severity.svg")
@access.allow(Role.OFFICER, Role.ADMINISTRATOR, Role.AUDITOR)
def severity(code: str) -> ResponseReturnValue:
    return picture(*reliability_page.severity_rows(_page(code)))
