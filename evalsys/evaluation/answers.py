"""Answers as matrices: a row a respondent, a column a question; for what looks at raters instead of scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Select, Subquery, and_, case, func, select
from sqlalchemy.orm import Session

from evalsys.collection.models import Assessment, AssessmentRating, AssessmentState, Response, ResponseRating
from evalsys.evaluation.arrays import entries_of
from evalsys.evaluation.reliability import ItemSums, Judgements, Told, items_of, reliability_of
from evalsys.evaluation.sums import label_of
from evalsys.registry.models import Contract, Cycle, Entry
from evalsys.rules.model import Criterion, Rules
from evalsys.scoring.arrays import Flags, Vector
from evalsys.scoring.cells import SAMPLED
from evalsys.scoring.composite import scheme
from evalsys.scoring.result import Result


@dataclass(frozen=True, eq=False)
class Assessed:
    """Submitted assessments of one appointed party, in the order of their ids.

    Attributes:
        ids: of the assessments.
        raters: labels of who gave each, as `sums.rater_label` has them.
        entries: ids of what each is about.
        held: whether it is held back.
        criteria: columns of the following.
        answers: shape (assessments, criteria of the party's scheme); NaN = none given.
        applies: same shape; false where the criterion was not asked, or does not apply.
    """

    ids: list[int]
    raters: list[str]
    entries: list[int]
    held: list[bool]
    criteria: tuple[Criterion, ...]
    answers: Vector
    applies: Flags


def assessed(session: Session, cycle: Cycle, party: str, rules: Rules) -> Assessed:
    """Everything that an appointed party has submitted in a cycle."""
    criteria = scheme(rules, party).criteria
    columns: list[ColumnElement[Any]] = []
    for criterion in criteria:
        here = AssessmentRating.criterion == criterion.code
        columns.append(func.max(case((here, AssessmentRating.value))))
        columns.append(func.max(case((and_(here, AssessmentRating.not_applicable), 1), else_=0)))
    who = (Assessment.account_id, Assessment.rater_label)
    keys = (Assessment.id, Assessment.entry_id, Contract.service_type, Assessment.held, *who)
    rows = session.execute(
        select(*keys, *columns)
        .join(Entry, Entry.id == Assessment.entry_id)
        .join(Contract, Contract.id == Entry.contract_id)
        .outerjoin(AssessmentRating, AssessmentRating.assessment_id == Assessment.id)
        .where(
            Entry.cycle_id == cycle.id,
            Assessment.party == party,
            Assessment.state == AssessmentState.SUBMITTED.value,
        )
        .group_by(*keys)
        .order_by(Assessment.id)
    ).all()
    table = np.array([row[len(keys) :] for row in rows], dtype=np.float64).reshape(len(rows), len(criteria), 2)
    asked = [[not c.service_types or row[2] in c.service_types for c in criteria] for row in rows]
    return Assessed(
        ids=[row[0] for row in rows],
        raters=[label_of(row[4], row[5]) for row in rows],
        entries=[row[1] for row in rows],
        held=[row[3] for row in rows],
        criteria=criteria,
        answers=table[:, :, 0],
        applies=np.array(asked, dtype=np.bool_).reshape(table.shape[:2]) & (table[:, :, 1] == 0),
    )


def judgements(session: Session, cycle: Cycle, rules: Rules) -> list[Judgements]:
    """What the appointed parties said, held assessments left out; contracts in the order of the inputs."""
    place = {entry.id: n for n, entry in enumerate(entries_of(session, cycle))}
    said = []
    for party in rules.parties:
        if party.code == SAMPLED:
            continue
        given = assessed(session, cycle, party.code, rules)
        counted = ~np.array(given.held, dtype=np.bool_)
        said.append(
            Judgements(
                party=party.code,
                rater=np.unique(given.raters, return_inverse=True)[1].astype(np.int64)[counted],
                contract=np.array([place[entry] for entry in given.entries], dtype=np.int64)[counted],
                answers=given.answers[counted],
                applies=given.applies[counted],
            )
        )
    return said


def item_sums(session: Session, cycle: Cycle, rules: Rules, said: Sequence[Judgements]) -> list[ItemSums]:
    """Sums for every questionnaire: the recipients' added up by the database, the appointed raters' here."""
    entries = entries_of(session, cycle)
    types = np.array([entry.contract.service_type for entry in entries])
    found = []
    for party in rules.parties:
        for kind, (codes, service_types) in items_of(rules, party.code, sorted(set(types.tolist()))).items():
            if party.code == SAMPLED:
                found.append(_recipients(session, cycle, kind, codes, service_types))
                continue
            places = [c.code for c in scheme(rules, party.code).criteria]
            columns = [places.index(code) for code in codes]
            found += [
                ItemSums.of(
                    party.code, kind, codes, one.answers[np.isin(types[one.contract], service_types)][:, columns]
                )
                for one in said
                if one.party == party.code
            ]
    return found


def reliability_of_cycle(session: Session, cycle: Cycle, result: Result, rules: Rules) -> Told | None:
    """Step 11 for a cycle that was just scored; None where the rules do not ask."""
    if rules.reliability is None:
        return None
    said = judgements(session, cycle, rules)
    return reliability_of(result, rules, rules.reliability, said, item_sums(session, cycle, rules, said))


def response_rows(entry_id: int, codes: Sequence[str]) -> Select[tuple[Any, ...]]:
    """A contract's recipients, one row each: key, time_band, held, then their levels; null = none given."""
    return (
        select(Response.key, Response.time_band, Response.held, *_levels(codes))
        .outerjoin(ResponseRating, ResponseRating.response_key == Response.key)
        .where(Response.entry_id == entry_id)
        .group_by(Response.key, Response.time_band, Response.held)
        .order_by(Response.key)
    )


def _levels(codes: Sequence[str]) -> list[ColumnElement[Any]]:
    return [
        func.max(case((ResponseRating.criterion == code, ResponseRating.value))).label(f"x{n}")
        for n, code in enumerate(codes)
    ]


def _recipients(
    session: Session, cycle: Cycle, kind: str, codes: tuple[str, ...], service_types: Sequence[str]
) -> ItemSums:
    whole: Subquery = (
        select(*_levels(codes))
        .join_from(Response, ResponseRating, ResponseRating.response_key == Response.key)
        .join(Entry, Entry.id == Response.entry_id)
        .join(Contract, Contract.id == Entry.contract_id)
        .where(Entry.cycle_id == cycle.id, ~Response.held, Contract.service_type.in_(service_types))
        .where(ResponseRating.criterion.in_(codes))
        .group_by(Response.key)
        .having(func.count(ResponseRating.value) == len(codes))
    ).subquery("whole")
    x = [whole.c[f"x{n}"] for n in range(len(codes))]
    pairs = [(i, j) for i in range(len(x)) for j in range(i, len(x))]
    row = session.execute(
        select(func.count(), *(func.sum(one) for one in x), *(func.sum(x[i] * x[j]) for i, j in pairs))
    ).one()
    products = np.zeros((len(x), len(x)))
    for (i, j), product in zip(pairs, row[1 + len(x) :], strict=True):
        products[i, j] = products[j, i] = product or 0
    total = np.array([one or 0 for one in row[1 : 1 + len(x)]], dtype=np.float64)
    return ItemSums(SAMPLED, kind, codes, row[0], total, products)
