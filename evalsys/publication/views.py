"""What everybody may read: the home page, rankings, vendors, contracts, the method and the editions."""

from __future__ import annotations

from flask import Flask, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from evalsys.base import access, navigation
from evalsys.base.charts import picture
from evalsys.base.db import reading
from evalsys.base.listing import Wanted
from evalsys.base.tables.writing import download
from evalsys.collection.sample_queries import statement_of
from evalsys.evaluation.naming import Names
from evalsys.evaluation.scorecard import points_axis, scorecard, waterfall_of
from evalsys.publication import analysis_views, bundle_views, kept_pages, methodology, queries
from evalsys.publication.analyses import pages_of_edition
from evalsys.publication.blueprint import bp
from evalsys.publication.kept_pages import kept
from evalsys.publication.queries import rules_of_edition
from evalsys.publication.sealing import previous_record, record_of
from evalsys.publication.sheets import ranking_sheet
from evalsys.publication.telling import contract_told
from evalsys.publication.vendor_scores import vendor_history

__all__ = ["analysis_views", "bundle_views", "install"]


def install(app: Flask) -> None:
    """Register the public pages and their menu entries."""
    kept_pages.install(app, app.extensions["database"])
    app.register_blueprint(bp)
    app.jinja_env.globals["pages_of_edition"] = pages_of_edition
    navigation.offer(app, "publication.rankings", _l("Rankings"))
    navigation.offer(app, "publication.method", _l("Method"))


@bp.get("/")
@access.public
@kept
def home() -> ResponseReturnValue:
    return render_template("publication/home.html", editions=queries.editions_in_force(reading()))


@bp.get("/rankings")
@access.public
@kept
def rankings() -> ResponseReturnValue:
    shown = queries.edition_shown(reading(), request.args.get("edition", ""))
    if shown is None:
        return render_template("publication/nothing_yet.html")
    chosen = queries.Filter.from_args(request.args)
    return render_template(
        "publication/rankings.html",
        shown=shown,
        page=queries.ranking(reading(), shown.edition, Wanted.from_args(request.args), chosen),
        chosen=chosen,
        choices=queries.choices(reading(), shown.edition),
        editions=queries.editions_in_force(reading()),
        names=Names(rules_of_edition(shown.edition)),
    )


@bp.get("/rankings/")
@access.public
def rankings_with_a_slash() -> ResponseReturnValue:
    """As people type it: the page has one address."""
    asked = request.query_string.decode("latin-1")
    return redirect(url_for("publication.rankings") + (f"?{asked}" if asked else ""), code=308)


@bp.get("/rankings.<any(csv, xlsx):kind>")
@access.public
def rankings_file(kind: str) -> ResponseReturnValue:
    shown = queries.edition_shown(reading(), request.args.get("edition", ""))
    if shown is None:
        return render_template("publication/nothing_yet.html"), 404
    chosen = queries.Filter.from_args(request.args)
    lines = queries.ranking_lines(reading(), shown.edition, Wanted.from_args(request.args), chosen)
    stem = f"rankings-{shown.edition.cycle.code}-{shown.edition.number}"
    return download([ranking_sheet(shown.edition, lines)], stem, kind)


@bp.get("/vendors/<credit_code>")
@access.public
@kept
def vendor(credit_code: str) -> ResponseReturnValue:
    published = queries.published_of_vendor(reading(), credit_code)
    history = vendor_history(published, Wanted.from_args(request.args))
    return render_template("publication/vendor.html", history=history)


@bp.get("/contracts/<path:reference>")
@access.public
@kept
def contract(reference: str) -> ResponseReturnValue:
    found = queries.contract_shown(reading(), reference, request.args.get("edition", ""))
    names = Names(rules_of_edition(found.shown.edition))
    card = scorecard(found.line, names, title_of=queries.titles_in(reading(), found.shown.edition))
    return render_template(
        "publication/contract.html",
        shown=found.shown,
        line=found.line,
        history=found.history,
        card=card,
        told=contract_told(found.line, names),
        sample=statement_of(reading(), found.shown.edition.cycle_id, reference),
    )


@bp.get("/editions/<int:number>/contracts/<path:reference>/waterfall.svg")
@access.public
@kept
def waterfall(number: int, reference: str) -> ResponseReturnValue:
    found = queries.contract_shown(reading(), reference, str(number))
    return picture(waterfall_of(found.line, Names(rules_of_edition(found.shown.edition))), points_axis())


@bp.get("/methodology")
@access.public
@kept
def method() -> ResponseReturnValue:
    return render_template(
        "publication/methodology.html", method=methodology.method(reading(), request.args.get("edition", ""))
    )


@bp.get("/editions/<int:number>")
@access.public
@kept
def edition(number: int) -> ResponseReturnValue:
    shown = queries.shown_edition(reading(), number)
    return render_template(
        "publication/edition.html",
        shown=shown,
        editions=queries.editions_of(reading(), shown.edition.cycle_id),
        statuses=queries.statuses_of(reading(), shown.edition),
        names=Names(rules_of_edition(shown.edition)),
        record=record_of(reading(), shown.edition),
        before=previous_record(reading(), shown.edition),
    )
