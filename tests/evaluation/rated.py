"""Ratings for tests: rows as recipients and raters leave them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from hashlib import sha256

from sqlalchemy.orm import Session

from evalsys.base.access import Role
from evalsys.collection.models import (
    Assessment,
    AssessmentRating,
    AssessmentState,
    Mode,
    ReceiptLeaf,
    Response,
    ResponseRating,
    TimeBand,
)
from evalsys.evaluation.aggregations import levels_of
from evalsys.registry.models import Contract, Cycle, Entry, Region, Stratum
from evalsys.registry.pins import rules_of
from evalsys.rules.model import Source
from tests.factories import NOW, make_account, make_contract, make_cycle, make_entry

_numbers = itertools.count(1)

Answers = Mapping[str, float | None]
"""criterion → value, None = not applicable; what is not named was left blank."""


def respond(
    session: Session, entry: Entry, answers: Answers, *, stratum: Stratum | None = None, mode: Mode = Mode.SELF
) -> Response:
    """One recipient's answers."""
    key = next(_numbers).to_bytes(16, "big")
    response = Response(
        key=key,
        entry_id=entry.id,
        stratum_id=stratum.id if stratum else None,
        mode=mode.value,
        time_band=TimeBand.OVER_60.value,
    )
    session.add(response)
    session.flush()
    session.add_all(ResponseRating(response_key=key, criterion=code, value=value) for code, value in answers.items())
    session.add(ReceiptLeaf(leaf=sha256(key).digest(), entry_id=entry.id))
    session.flush()
    return response


def assess(session: Session, entry: Entry, party: str, answers: Answers, *, submitted: bool = True) -> Assessment:
    """One purchaser's or evaluator's ratings, by an account of its own."""
    role = {"purchaser": Role.PURCHASER, "third_party": Role.EVALUATOR}[party]
    region = session.get_one(Region, entry.cycle.region_id)
    assessment = Assessment(
        entry_id=entry.id,
        party=party,
        account_id=make_account(session, role, region=region).id,
        state=(AssessmentState.SUBMITTED if submitted else AssessmentState.DRAFT).value,
        saved_at=NOW,
        submitted_at=NOW if submitted else None,
    )
    session.add(assessment)
    session.flush()
    session.add_all(
        AssessmentRating(assessment_id=assessment.id, criterion=code, value=value, not_applicable=value is None)
        for code, value in answers.items()
    )
    session.flush()
    return assessment


def all_at(cycle: Cycle, party: str, service_type: str, level: int) -> dict[str, float | None]:
    """Every scored criterion of a party at one level; measured ones at their best."""
    rules = rules_of(cycle)
    return {
        criterion.code: float(min(level, levels_of(rules, criterion.code)) or 1)
        for criterion in rules.criteria_for(party, service_type)
        if criterion.source is not Source.ADJUSTER
    }


def rated_entry(
    session: Session,
    cycle: Cycle,
    *,
    recipients: tuple[int, ...] = (5, 5, 4, 4, 4, 5, 4, 5, 5, 4, 5, 4, 5, 5, 4, 5),
    purchaser: int | None = 4,
    third_party: int | None = 4,
    contract: Contract | None = None,
) -> Entry:
    """A contract in which every rater gives one level throughout; None: that party stays away."""
    contract = contract or make_contract(session, region=session.get_one(Region, cycle.region_id), recipients_served=60)
    entry = make_entry(session, cycle=cycle, contract=contract)
    for level in recipients:
        respond(session, entry, all_at(cycle, "recipient", contract.service_type, level))
    for party, given in (("purchaser", purchaser), ("third_party", third_party)):
        if given is not None:
            assess(session, entry, party, all_at(cycle, party, contract.service_type, given))
    return entry


def rated_cycle(session: Session, *, state: str = "review", contracts: int = 3, **columns: object) -> Cycle:
    """A cycle whose contracts all three parties rated, each one a little worse than the one before."""
    cycle = make_cycle(session, state=state, **columns)
    for n in range(contracts):
        worse = (5,) * (16 - 4 * (n % 4)) + (3,) * (4 * (n % 4))
        rated_entry(session, cycle, recipients=worse)
    return cycle
