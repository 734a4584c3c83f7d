"""What an edition says of the whole cycle, for everybody."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from evalsys.base import access
from evalsys.base.charts import picture
from evalsys.base.db import reading
from evalsys.base.listing import Wanted
from evalsys.evaluation.reliability_page import agreement_rows, party_sentences
from evalsys.evaluation.sensitivity import Sensitivity, ranges, rank_axis
from evalsys.publication import queries
from evalsys.publication.analyses import distribution_of_edition, reliability_of_edition, sensitivity_of_edition
from evalsys.publication.blueprint import bp
from evalsys.publication.kept_pages import kept
from evalsys.publication.models import Edition
from evalsys.registry.catalogue import service_kind_name


@bp.get("/editions/<int:number>/sensitivity")
@access.public
@kept
def sensitivity(number: int) -> ResponseReturnValue:
    shown = queries.shown_edition(reading(), number)
    return render_template("publication/sensitivity.html", shown=shown, seen=_sensitivity(shown.edition))


@bp.get("/editions/<int:number>/sensitivity.svg")
@access.public
@kept
def sensitivity_chart(number: int) -> ResponseReturnValue:
    places = _sensitivity(queries.edition_by_id(reading(), number)).places()
    return picture(ranges(places), rank_axis(places))


def _sensitivity(edition: Edition) -> Sensitivity:
    wanted, group = Wanted.from_args(request.args), request.args.get("group", "")
    return sensitivity_of_edition(reading(), edition, wanted, group=group)


@bp.get("/editions/<int:number>/distribution")
@access.public
@kept
def distribution(number: int) -> ResponseReturnValue:
    shown = queries.shown_edition(reading(), number)
    spread = distribution_of_edition(reading(), shown.edition)
    return render_template("publication/distribution.html", shown=shown, spread=spread)


@bp.get("/editions/<int:number>/distribution/<any(scores, answers):what>.svg")
@access.public
@kept
def distribution_chart(number: int, what: str) -> ResponseReturnValue:
    spread = distribution_of_edition(reading(), queries.edition_by_id(reading(), number))
    return picture(*spread.drawn(what))


@bp.get("/editions/<int:number>/reliability")
@access.public
@kept
def reliability(number: int) -> ResponseReturnValue:
    shown = queries.shown_edition(reading(), number)
    return render_template(
        "publication/reliability.html",
        shown=shown,
        page=reliability_of_edition(shown.edition),
        sentences=party_sentences,
        kind_name=service_kind_name,
    )


@bp.get("/editions/<int:number>/reliability/agreement.svg")
@access.public
@kept
def agreement_chart(number: int) -> ResponseReturnValue:
    page = reliability_of_edition(queries.edition_by_id(reading(), number))
    return picture(*agreement_rows(page, request.args.get("party", "")))
