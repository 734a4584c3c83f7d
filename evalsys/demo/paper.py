"""Forms on paper in the simulated county: a batch that is released, and one with a difference to settle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Actor
from evalsys.collection.paper_answers import Answers, key_said
from evalsys.collection.paper_batches import finish_keying, open_batch, pile_of
from evalsys.collection.paper_forms import PaperKeys, Printed, give
from evalsys.collection.paper_keying import form_to_key, key_form, settle
from evalsys.collection.paper_models import PaperBatch
from evalsys.collection.paper_release import release
from evalsys.demo import county
from evalsys.demo.simulation import Rater, answer
from evalsys.registry.models import Contract, Cycle, Entry, Stratum
from evalsys.rules.model import Rules

FORMS = 16  # half of them in each batch
NOW = datetime(county.YEARS[-1], 11, 9, 2, tzinfo=UTC)
NOBODYS = PaperKeys.of("these forms were never printed")


def key_batches(session: Session, rules: Rules, generator: np.random.Generator) -> None:
    """Print and key forms; the first person is the interviewer, the second the administrator."""
    cycle = session.scalars(select(Cycle).where(Cycle.code == str(county.YEARS[-1]))).one()
    reference = f"QH{cycle.year}-001"  # of the contracts that ask everybody, not a sample
    strata = select(Stratum).join(Entry).join(Contract).where(Contract.reference == reference)
    stratum = session.scalars(strata.order_by(Stratum.size.desc(), Stratum.id)).first()
    assert stratum is not None  # noqa: S101 - every contract of the county has a frame
    first, second = (_actor(session, name) for name in ("interviewer", "admin"))
    forms = give(session, stratum.id, FORMS, keys=NOBODYS, actor=second, now=NOW)
    criteria = rules.criteria_for("recipient", stratum.entry.contract.service_type)
    said = {form.serial: _levels(answer(rules, criteria, 1.0, Rater(0.1, 0.6), generator)) for form in forms}
    half = FORMS // 2
    done = _checked(session, cycle, forms[:half], said, (first, second))
    for sheet in pile_of(session, done).unsettled:
        right = {question.code: key_said(question, sheet.keyings[1].answers) for question in sheet.differing}
        settle(session, done.id, sheet.row.number, right, actor=second)
    release(session, done.id, keys=NOBODYS, actor=second, now=NOW)
    _checked(session, cycle, forms[half:], said, (first, second))


def _checked(
    session: Session,
    cycle: Cycle,
    forms: Sequence[Printed],
    said: Mapping[str, Answers],
    people: tuple[Actor, Actor],
) -> PaperBatch:
    """A batch that two people keyed; the second one slips once."""
    first, second = people
    batch = open_batch(session, cycle, 1, actor=second, now=NOW)
    for who in (first, second):
        for form in forms:
            asked = form_to_key(session, batch.id, form.serial, keys=NOBODYS, actor=who).questions
            keys = {question.code: key_said(question, said[form.serial]) for question in asked}
            if who is second and form is forms[0]:
                keys[asked[0].code] = "1"
            key_form(session, batch.id, form.serial, keys, keys=NOBODYS, actor=who)
        if who is first:
            finish_keying(session, batch.id, actor=second, now=NOW)
    return batch


def _levels(values: Mapping[str, float | None]) -> Answers:
    return {code: None if value is None else int(value) for code, value in values.items()}


def _actor(session: Session, username: str) -> Actor:
    return session.scalars(select(Account).where(Account.username == username)).one().as_actor()
