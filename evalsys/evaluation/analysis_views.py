"""What a run says beyond its list of scores: one contract taken apart, ranks under other weights, distributions."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from evalsys.base import access
from evalsys.base.access import Role, current_actor
from evalsys.base.charts import picture
from evalsys.base.db import reading
from evalsys.base.listing import Wanted
from evalsys.evaluation import review
from evalsys.evaluation.blueprint import bp
from evalsys.evaluation.distribution import distribution_of_run
from evalsys.evaluation.scorecard import points_axis, waterfall_of
from evalsys.evaluation.sensitivity import SensitivityOfRun, ranges, rank_axis, sensitivity_of_run

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


@bp.get("/cycles/<code>/sensitivity")
@access.allow(*SEEN_BY)
def sensitivity(code: str) -> ResponseReturnValue:
    seen = _sensitivity(code)
    return render_template("evaluation/sensitivity.html", cycle=seen.cycle, seen=seen.sensitivity)


@bp.get("/cycles/<code>/sensitivity.svg")
@access.allow(*SEEN_BY)
def sensitivity_chart(code: str) -> ResponseReturnValue:
    places = _sensitivity(code).sensitivity.places()
    return picture(ranges(places), rank_axis(places))


def _sensitivity(code: str) -> SensitivityOfRun:
    wanted, group = Wanted.from_args(request.args), request.args.get("group", "")
    return sensitivity_of_run(reading(), code, wanted, group=group, actor=current_actor())


@bp.get("/cycles/<code>/distribution")
@access.allow(*SEEN_BY)
def distribution(code: str) -> ResponseReturnValue:
    cycle, spread = distribution_of_run(reading(), code, actor=current_actor())
    return render_template("evaluation/distribution.html", cycle=cycle, spread=spread)


@bp.get("/cycles/<code>/distribution/<any(scores, answers):what>.svg")
@access.allow(*SEEN_BY)
def distribution_chart(code: str, what: str) -> ResponseReturnValue:
    _cycle, spread = distribution_of_run(reading(), code, actor=current_actor())
    return picture(*spread.drawn(what))
