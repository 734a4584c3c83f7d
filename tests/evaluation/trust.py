"""Cycles for the tests of what looks at raters: two evaluators a contract, one of them stricter than the others."""

from __future__ import annotations

import random

from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.collection.models import Assessment, AssessmentRating, AssessmentState
from evalsys.evaluation.aggregations import levels_of
from evalsys.registry.models import Cycle, Entry, Region, RulesVersion
from evalsys.registry.pins import rules_of
from evalsys.rules.model import Source
from tests.evaluation.rated import all_at, respond
from tests.factories import NOW, make_account, make_contract, make_cycle, make_entry, make_rules, without_notice

STEPS = b"""
[severity]
[reliability]
draws = 200
[integrity]
"""


def trust_rules(session: Session, *, steps: bytes = STEPS) -> RulesVersion:
    """The shipped rules with the steps about raters as named here, whatever the file has."""
    text = without_notice()
    kept, dropped = [], False
    for line in text.splitlines(keepends=True):
        if line.startswith(b"["):
            dropped = line.strip().strip(b"[]").split(b"]")[0] in {b"severity", b"reliability", b"integrity"}
        if not dropped:
            kept.append(line)
    return make_rules(session, b"".join(kept) + steps)


def assess_by(session: Session, entry: Entry, account: Account, level_of: dict[str, float | None]) -> Assessment:
    """An evaluator's submitted assessment."""
    made = Assessment(
        entry_id=entry.id,
        party="third_party" if account.role == Role.EVALUATOR.value else "purchaser",
        account_id=account.id,
        state=AssessmentState.SUBMITTED.value,
        saved_at=NOW,
        submitted_at=NOW,
    )
    session.add(made)
    session.flush()
    session.add_all(
        AssessmentRating(assessment_id=made.id, criterion=code, value=value, not_applicable=value is None)
        for code, value in level_of.items()
    )
    session.flush()
    return made


def varied(cycle: Cycle, party: str, service_type: str, middle: float, luck: random.Random) -> dict[str, float | None]:
    """A level around the middle for every scored criterion; measured ones at 1."""
    rules = rules_of(cycle)
    found: dict[str, float | None] = {}
    for criterion in rules.criteria_for(party, service_type):
        top = levels_of(rules, criterion.code)
        if criterion.source is not Source.ADJUSTER:
            found[criterion.code] = float(min(max(round(middle + luck.gauss(0, 0.7)), 1), top)) if top else 1.0
    return found


def judged_cycle(session: Session, *, contracts: int = 12, state: str = "review", **columns: object) -> Cycle:
    """All contracts judged by all parties, each by two of three evaluators; the third gives a level less."""
    rules = columns.pop("rules", None) or trust_rules(session)
    cycle = make_cycle(session, state=state, rules=rules, **columns)
    region = session.get_one(Region, cycle.region_id)
    evaluators = [make_account(session, Role.EVALUATOR, region=region, name=f"评价员{n}") for n in range(3)]
    purchaser = make_account(session, Role.PURCHASER, region=region)
    luck = random.Random(5)
    for n in range(contracts):
        contract = make_contract(session, region=region, service_type="care" if n % 2 else "screening")
        entry = make_entry(session, cycle=cycle, contract=contract)
        good = 2.5 + 2 * n / contracts
        for _ in range(8):
            respond(session, entry, varied(cycle, "recipient", contract.service_type, good, luck))
        assess_by(session, entry, purchaser, varied(cycle, "purchaser", contract.service_type, good, luck))
        for e in (n % 3, (n + 1) % 3):
            answers = varied(cycle, "third_party", contract.service_type, good - (e == 2), luck)
            assess_by(session, entry, evaluators[e], answers)
    return cycle


def all_worst(cycle: Cycle, entry: Entry) -> dict[str, float | None]:
    return all_at(cycle, "recipient", entry.contract.service_type, 1)
