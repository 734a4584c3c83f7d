"""The staff part of the API: what the pages of those who oversee a branch show, by an access token."""

from __future__ import annotations

from typing import Literal

from flask_babel import gettext as _

from evalsys.accounts.models import Scope
from evalsys.base.access import Role, current_actor
from evalsys.base.clock import now
from evalsys.base.db import reading
from evalsys.base.errors import NotFound
from evalsys.base.listing import page_of
from evalsys.collection.progress import cycle_of
from evalsys.collection.standing import Line, by_contract
from evalsys.collection.tasks import PARTY_OF
from evalsys.evaluation.queries import Compared
from evalsys.evaluation.review import review
from evalsys.publication.api import staff_shapes as shapes
from evalsys.publication.api import telling
from evalsys.publication.api.endpoints import PageQuestion, Text, endpoint, page_facts
from evalsys.publication.api.shapes import Vendor
from evalsys.registry import lists
from evalsys.registry.cycles import cycle_by_code
from evalsys.registry.models import Contract, Cycle

SCORE = (
    "peer_group",
    "status",
    "score",
    "low",
    "high",
    "grade",
    "rank",
    "rank_low",
    "rank_high",
    "band",
)
CONTRACT = (
    "title",
    "service_type",
    "amount_fen",
    "starts_on",
    "ends_on",
    "procurement_method",
    "recipients_served",
)
"""Columns that are told as they are."""


class Searched(PageQuestion):
    q: Text = ""
    """Looked for in names, titles and references."""


@endpoint("/staff/cycles", asks=Searched, answers=shapes.StaffCycles, scope=Scope.CYCLES)
def staff_cycles(asked: Searched) -> shapes.StaffCycles:
    """Cycles of the branch and of the regions above it, which evaluate the branch too."""
    page = lists.cycles_of(current_actor()).page(reading(), asked.wanted(q=asked.q))
    return shapes.StaffCycles(items=[_cycle(kept) for kept in page.rows], **page_facts(page, asked))


def _cycle(kept: Cycle) -> shapes.StaffCycle:
    return shapes.StaffCycle(
        **vars(telling.cycle(kept)),
        state=kept.state,
        opens_on=kept.opens_on,
        closes_on=kept.closes_on,
        simulated=kept.simulated,
    )


@endpoint("/staff/cycles/<code>/progress", asks=Searched, answers=shapes.Progress, scope=Scope.PROGRESS)
def staff_progress(code: str, asked: Searched) -> shapes.Progress:
    """How far collecting is, by contract and party."""
    actor = current_actor()
    cycle = cycle_of(reading(), code, actor=actor)
    page = page_of(
        by_contract(reading(), cycle, actor=actor, now=now()),
        asked.wanted(q=asked.q),
        sorts={"contract": lambda line: line.reference},
        default_sort="contract",
        search=lambda line: (line.name, line.under),
    )
    return shapes.Progress(items=[_progress(line) for line in page.rows], **page_facts(page, asked))


def _progress(line: Line) -> shapes.ContractProgress:
    figures = line.figures
    return shapes.ContractProgress(
        contract=line.reference,
        title=line.name,
        recipients=shapes.Recipients(
            frame=figures.frame,
            invited=figures.invited,
            answered=figures.used,
            response_rate=figures.rate,
            counted=figures.counted + figures.filed,
            held=figures.held + figures.filed_held,
        ),
        purchaser=_assessments(line, PARTY_OF[Role.PURCHASER]),
        third_party=_assessments(line, PARTY_OF[Role.EVALUATOR]),
        open_flags=line.flags,
    )


def _assessments(line: Line, party: str) -> shapes.Assessments:
    names = ("due", "submitted", "overdue", "counted", "held")
    return shapes.Assessments(**{name: getattr(line.rated, name)[party] for name in names})


class StaffScoresQuestion(Searched):
    status: Literal["", "rated", "provisional", "withheld"] = ""
    """Only contracts with this status."""
    sort: Literal[
        "rank", "score", "contract", "vendor", "moved", "-rank", "-score", "-contract", "-vendor", "-moved"
    ] = "rank"
    """A `-` turns the order round; contracts without a value come last."""


@endpoint("/staff/cycles/<code>/scores", asks=StaffScoresQuestion, answers=shapes.StaffScores, scope=Scope.SCORES)
def staff_scores(code: str, asked: StaffScoresQuestion) -> shapes.StaffScores:
    """Scores of the newest run, before they are published."""
    wanted = asked.wanted(q=asked.q, sort=asked.sort)
    seen = review(reading(), cycle_by_code(reading(), code), wanted, status=asked.status, actor=current_actor())
    if seen.run is None or seen.page is None:
        raise NotFound(_("The cycle %(code)s has not been scored.", code=code), remedy=_("Score the cycle first."))
    run = shapes.Run(
        rules_hash=seen.run.rules.hash,
        **{name: getattr(seen.run, name) for name in ("id", "made_at", "code_version", "inputs_hash")},
    )
    return shapes.StaffScores(run=run, items=[_score(one) for one in seen.page.rows], **page_facts(seen.page, asked))


def _score(compared: Compared) -> shapes.StaffScore:
    score, contract = compared.score, compared.score.entry.contract
    return shapes.StaffScore(
        contract=contract.reference,
        title=contract.title,
        vendor=Vendor(credit_code=contract.vendor.credit_code, name=contract.vendor.name),
        moved=compared.moved,
        **{name: getattr(score, name) for name in SCORE},
    )


@endpoint("/staff/contracts", asks=Searched, answers=shapes.StaffContracts, scope=Scope.CONTRACTS)
def staff_contracts(asked: Searched) -> shapes.StaffContracts:
    """Contracts of the branch, as they are registered."""
    page = lists.contracts(current_actor()).page(reading(), asked.wanted(q=asked.q))
    return shapes.StaffContracts(items=[_contract(kept) for kept in page.rows], **page_facts(page, asked))


def _contract(kept: Contract) -> shapes.StaffContract:
    return shapes.StaffContract(
        contract=kept.reference,
        vendor=Vendor(credit_code=kept.vendor.credit_code, name=kept.vendor.name),
        purchaser=kept.purchaser.name,
        region=telling.region(kept.region),
        **{name: getattr(kept, name) for name in CONTRACT},
    )
