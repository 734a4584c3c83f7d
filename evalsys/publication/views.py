"""What everybody may read: the home page, rankings, vendors, contracts, the method and the editions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from flask import Flask, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from evalsys.base import access, limits, navigation
from evalsys.base.charts import picture
from evalsys.base.clock import now
from evalsys.base.db import reading
from evalsys.base.listing import Wanted
from evalsys.base.tables.writing import download
from evalsys.collection.sample_queries import statement_of
from evalsys.evaluation.naming import Names
from evalsys.evaluation.scorecard import points_axis, scorecard, waterfall_of
from evalsys.publication import analysis_views, bundle_views, kept_pages, methodology, queries
from evalsys.publication.analyses import pages_of_edition
from evalsys.publication.blueprint import bp
from evalsys.publication.bulletin import annexes_of
from evalsys.publication.comparison import MOST, contracts_compared, steps_in_use, vendors_compared
from evalsys.publication.differences import differences, order_told, why
from evalsys.publication.kept_pages import kept
from evalsys.publication.queries import EditionWithdrawn, rules_of_edition
from evalsys.publication.remarks import remarks_of, tags_of
from evalsys.publication.rows import rows_in_parts, rows_of
from evalsys.publication.sealing import previous_record, record_of
from evalsys.publication.sheets import ranking_sheet
from evalsys.publication.sizes import SIZES
from evalsys.publication.telling import contract_told
from evalsys.publication.trends import change_told, meaning_told, trend_told, trends_of
from evalsys.publication.vendor_scores import vendor_history

ALLOWANCE = "public_allowance"
MOST_REQUESTS = 300
"""Of pages that have to be made anew, from one address in a minute."""

__all__ = ["analysis_views", "bundle_views", "install"]


def install(app: Flask) -> None:
    """Register the public pages and their menu entries."""
    kept_pages.install(app, app.extensions["database"])
    app.register_blueprint(bp)
    app.extensions[ALLOWANCE] = limits.Allowance(most=MOST_REQUESTS, window=timedelta(minutes=1))
    app.jinja_env.globals.update(
        pages_of_edition=pages_of_edition,
        change_told=change_told,
        meaning_told=meaning_told,
        trend_told=trend_told,
        remarks_beside=lambda cycle_id, reference: remarks_of(reading(), cycle_id, reference),
        tags_beside=lambda cycle_id: tags_of(reading(), cycle_id),
    )
    navigation.offer(app, "publication.rankings", _l("Rankings"))
    navigation.offer(app, "publication.method", _l("Method"))


@bp.url_value_preprocessor
def slow_down(_endpoint: str | None, _values: dict[str, object] | None) -> None:
    """Whoever fetches everything at once is slowed. What is kept as bytes never comes here; staff have a name."""
    if access.actor_or_none() is None:
        limits.require_patience(
            current_app.extensions[ALLOWANCE],
            now=now(),
            remedy=_("The open data of an edition hold all of it in one file."),
        )


@bp.errorhandler(EditionWithdrawn)
def withdrawn(fault: EditionWithdrawn) -> ResponseReturnValue:
    """In the place of everything that an edition said which was withdrawn."""
    edition = fault.edition
    page = render_template(
        "publication/withdrawn.html",
        edition=edition,
        order=edition.withdrawal,
        record=record_of(reading(), edition),
        newest=queries.newest_edition(reading(), edition.cycle),
        editions=queries.editions_of(reading(), edition.cycle_id),
    )
    return page, fault.status


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
    chosen, wanted = queries.Filter.from_args(request.args), Wanted.from_args(request.args)
    on_paper = "print" in request.args
    if on_paper:
        wanted = replace(wanted, page=1, size=queries.WHOLE)
    page = queries.ranking(reading(), shown.edition, wanted, chosen)
    return render_template(
        "publication/rankings.html",
        shown=shown,
        page=page.of(rows_of(reading(), shown.edition, page.rows, now=now())),
        chosen=chosen,
        on_paper=on_paper,
        given={name: value for name, value in request.args.items() if name != "print"},
        today=now(),
        base_url=current_app.config["SETTINGS"].base_url,
        sizes=SIZES,
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
@kept
def rankings_file(kind: str) -> ResponseReturnValue:
    shown = queries.edition_shown(reading(), request.args.get("edition", ""))
    if shown is None:
        return render_template("publication/nothing_yet.html"), 404
    chosen = queries.Filter.from_args(request.args)
    parts = queries.ranking_parts(reading(), shown.edition, Wanted.from_args(request.args), chosen)
    rows = rows_in_parts(reading(), shown.edition, parts, now=now())
    stem = f"rankings-{shown.edition.cycle.code}-{shown.edition.number}"
    return download([ranking_sheet(shown.edition, rows)], stem, kind)


@bp.get("/compare")
@access.public
@kept
def compare() -> ResponseReturnValue:
    """Up to four contracts beside each other, or up to four vendors."""
    shown = queries.edition_shown(reading(), request.args.get("edition", ""))
    if shown is None:
        return render_template("publication/nothing_yet.html")
    references, vendors = request.args.getlist("contract"), request.args.getlist("vendor")
    if vendors and not references:
        compared = vendors_compared(reading(), shown.edition, vendors, now=now())
    else:
        compared = contracts_compared(reading(), shown.edition, references, now=now())
    names = Names(rules_of_edition(shown.edition))
    return render_template(
        "publication/compare.html",
        shown=shown,
        compared=compared,
        of_vendors=bool(vendors and not references),
        told=[(found, why(found, names), order_told(found, names)) for found in differences(compared)],
        steps=steps_in_use(compared),
        names=names,
        most=MOST,
    )


@bp.get("/vendors/<credit_code>")
@access.public
@kept
def vendor(credit_code: str) -> ResponseReturnValue:
    published = queries.published_of_vendor(reading(), credit_code)
    history = vendor_history(published, Wanted.from_args(request.args))
    trends = {year.edition.id: trends_of(reading(), year.edition, year.page.rows) for year in history.years}
    return render_template("publication/vendor.html", history=history, trends=trends)


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
        row=rows_of(reading(), found.shown.edition, [found.line], now=now())[0],
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
    statuses = queries.statuses_of(reading(), shown.edition)
    return render_template(
        "publication/edition.html",
        shown=shown,
        editions=queries.editions_of(reading(), shown.edition.cycle_id),
        statuses=statuses,
        annexes=annexes_of(sum(statuses.values())),
        names=Names(rules_of_edition(shown.edition)),
        record=record_of(reading(), shown.edition),
        before=previous_record(reading(), shown.edition),
        compared=queries.compared_with(reading(), shown.edition),
    )
