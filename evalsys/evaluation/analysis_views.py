"""What a run says beyond its list of scores: one contract taken apart, ranks under other weights, distributions."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from evalsys.base import access
from evalsys.base.access import Role, current_actor
from evalsys.base.charts import picture
from evalsys.base.db import reading
from evalsys.evaluation import review
from evalsys.evaluation.blueprint import bp
from evalsys.evaluation.scorecard import points_axis, waterfall_of

SEEN_BY = (Role.OFFICER, Role.ADMINISTRATOR, Role.AUDITOR)


@bp.get("/cycles/<code>/contracts/<path:reference>")
@access.allow(*SEEN_BY)
def contract(code: str, reference: str) -> ResponseReturnValue:
    seen = review.reviewed(reading(), code, reference, actor=current_actor())
    return render_template("evaluation/contract.html", seen=seen, card=seen.card)


@bp.get("/cycles/<code>/contracts/<path:reference>/waterfall.svg")
@access.allow(*SEEN_BY)
def waterfall(code: str, reference: str) -> ResponseReturnValue:
    seen = review.reviewed(reading(), code, reference, actor=current_actor())
    return picture(waterfall_of(seen.score, seen.card.names), points_axis())
