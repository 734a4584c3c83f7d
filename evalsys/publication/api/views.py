"""The public part of the API: what was published, for everybody and every program."""

from __future__ import annotations

from typing import Literal

from flask import Flask, Response, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import exists, select

from evalsys import __version__, config
from evalsys.base import access
from evalsys.base.db import reading
from evalsys.base.errors import NotFound
from evalsys.base.limits import Allowance
from evalsys.base.listing import Wanted
from evalsys.publication import queries
from evalsys.publication.api import reads, shapes, staff_views, telling
from evalsys.publication.api.description import description
from evalsys.publication.api.endpoints import (
    ALLOWANCE,
    MOST_REQUESTS,
    WINDOW,
    Id,
    PageQuestion,
    Question,
    Text,
    Truth,
    bp,
    endpoint,
    kept_answer,
    open_to_all,
    page_facts,
)
from evalsys.publication.bundle_views import looked_up
from evalsys.publication.keys import public_keys
from evalsys.publication.queries import Filter, rules_of_edition
from evalsys.publication.sealing import record_of
from evalsys.publication.vendor_scores import vendor_history
from evalsys.registry.models import Cycle
from evalsys.rules.loading import load, rules_hash
from evalsys.rules.steps import steps

__all__ = ["install", "staff_views"]


def install(app: Flask) -> None:
    """Register the API, and open its public part to pages of other sites."""
    app.extensions[ALLOWANCE] = Allowance(most=MOST_REQUESTS, window=WINDOW)
    app.after_request(open_to_all)
    app.register_blueprint(bp)


@bp.get("/openapi.json")
@access.public
def openapi() -> ResponseReturnValue:
    """The description that is made from the same models as the answers."""
    return kept_answer(Response(description(url_for("api.index").rstrip("/")), mimetype="application/json"))


@endpoint("/", answers=shapes.Index)
def index() -> shapes.Index:
    """Where everything is."""
    places = ("openapi", "editions", "vendors", "methodology", "keys")
    return shapes.Index(
        title="evalsys",
        version=__version__,
        simulated=bool(reading().scalar(select(exists().where(Cycle.simulated)))),
        links={place: url_for(f"api.{place}") for place in places},
    )


class EditionsQuestion(PageQuestion):
    cycle: Text = ""
    """Code of a cycle; empty for all."""
    in_force: Truth | None = None
    """Only editions that hold now, or only those that do not."""


@endpoint("/editions", asks=EditionsQuestion, answers=shapes.Editions)
def editions(asked: EditionsQuestion) -> shapes.Editions:
    """Published editions, the newest first."""
    page = reads.editions(reading(), asked.wanted(), cycle=asked.cycle, in_force=asked.in_force)
    in_force = reads.numbers_in_force(reading())
    return shapes.Editions(items=[telling.edition(kept, in_force) for kept in page.rows], **page_facts(page, asked))


@endpoint("/editions/<int:number>", answers=shapes.EditionTold)
def edition(number: int) -> shapes.EditionTold:
    """An edition with its seal, and where its bundle is."""
    kept = queries.edition_by_id(reading(), number)
    return telling.edition_told(
        kept,
        record_of(reading(), kept),
        rules=rules_of_edition(kept),
        statuses=queries.statuses_of(reading(), kept),
        in_force=reads.numbers_in_force(reading()),
    )


class ScoresQuestion(PageQuestion):
    region: Text = ""
    """Path of a region: it and everything below it."""
    type: Text = ""
    """Code of a service type."""
    group: Text = ""
    """Code of a peer group."""
    served: Text = ""
    """Code of a size, by recipients served: `1-299`, `300-599`, `600-2999`, `3000`."""
    grade: Text = ""
    """Code of a grade; `none` for contracts without one."""
    q: Text = ""
    """Looked for in names, titles, references and credit codes."""
    sort: Literal[
        "rank", "score", "vendor", "contract", "region", "-rank", "-score", "-vendor", "-contract", "-region"
    ] = "rank"
    """A `-` turns the order round; lines without a value come last."""

    @property
    def chosen(self) -> Filter:
        return Filter(
            region=self.region, service_type=self.type, grade=self.grade, group=self.group, served=self.served
        )


@endpoint("/editions/<int:number>/scores", asks=ScoresQuestion, answers=shapes.Results)
def scores(number: int, asked: ScoresQuestion) -> shapes.Results:
    """The ranking of an edition.

    A filter hides lines and changes no rank.
    """
    kept = queries.edition_by_id(reading(), number)
    beside = reads.remarks(reading(), kept)
    page = queries.ranking(reading(), kept, asked.wanted(q=asked.q, sort=asked.sort), asked.chosen)
    return shapes.Results(
        edition=telling.edition(kept, reads.numbers_in_force(reading())),
        items=[telling.result(line, beside) for line in page.rows],
        **page_facts(page, asked),
    )


class VendorsQuestion(PageQuestion):
    q: Text = ""
    """Looked for in names and credit codes."""


@endpoint("/vendors", asks=VendorsQuestion, answers=shapes.Vendors)
def vendors(asked: VendorsQuestion) -> shapes.Vendors:
    """Vendors of which something is published."""
    page = reads.vendors(reading(), asked.wanted(q=asked.q))
    return shapes.Vendors(items=reads.vendors_listed(reading(), page.rows), **page_facts(page, asked))


@endpoint("/vendors/<credit_code>", answers=shapes.VendorTold)
def vendor(credit_code: str) -> shapes.VendorTold:
    """A vendor's results in the editions in force, the latest year first."""
    history = vendor_history(queries.published_of_vendor(reading(), credit_code), Wanted())
    in_force = reads.numbers_in_force(reading())
    return shapes.VendorTold(
        credit_code=history.credit_code,
        name=history.name,
        years=[telling.vendor_year(year, in_force, reads.remarks(reading(), year.edition)) for year in history.years],
    )


class InEdition(Question):
    edition: Id | None = None
    """Id of an edition; without it the latest."""

    @property
    def written(self) -> str:
        return str(self.edition or "")


@endpoint("/contracts/<path:reference>", asks=InEdition, answers=shapes.Contract)
def contract(reference: str, asked: InEdition) -> shapes.Contract:
    """A contract's result, taken apart by dimension and party.

    How answers spread over their levels is in `levels.csv` of the edition's bundle.
    """
    found = queries.contract_shown(reading(), reference, asked.written)
    in_force = reads.numbers_in_force(reading())
    return shapes.Contract(
        edition=telling.edition(found.shown.edition, in_force),
        result=telling.result(found.line, reads.remarks(reading(), found.shown.edition)),
        explained=telling.explained(found.line, rules_of_edition(found.shown.edition)),
        history=[telling.published(one, in_force, reads.remarks(reading(), one.edition)) for one in found.history],
    )


@endpoint("/methodology", asks=InEdition, answers=shapes.Methodology)
def methodology(asked: InEdition) -> shapes.Methodology:
    """The rules of an edition: criteria, scales, weights, grades, and every step of the method."""
    shown = queries.edition_shown(reading(), asked.written)
    if shown is None:
        rules, told = load(config.SHIPPED_RULES), None
        digest = rules_hash(config.SHIPPED_RULES.read_bytes())
    else:
        rules, told = rules_of_edition(shown.edition), telling.edition(shown.edition, reads.numbers_in_force(reading()))
        digest = shown.edition.run.rules.hash
    return shapes.Methodology(edition=told, rules_hash=digest, rules=rules, steps=list(steps(rules)))


@endpoint("/receipts/<code>", answers=shapes.Receipt, keep=False)
def receipt(code: str) -> shapes.Receipt:
    """That the answer with this receipt was received, and its proof once an edition holds it."""
    found = looked_up(code)
    if found is None:
        raise NotFound(_("No answer has this receipt."), remedy=_("Compare it with what you noted down."))
    return shapes.Receipt(contract=found.reference, leaf=found.leaf.hex(), proof=telling.proof(found.proof))


@endpoint("/keys", answers=shapes.Keys)
def keys() -> shapes.Keys:
    """Public keys that editions are signed with."""
    names = ("fingerprint", "key", "made_at", "retired_at")
    kept = public_keys(reading())
    return shapes.Keys(items=[shapes.Key(**{name: getattr(key, name) for name in names}) for key in kept])
