"""The ratings of a cycle as a file: recipients' answers without any trace of whose they are, raters under other names.

The file reads like one that is imported. What is held back is not in it. A recipient's row says the contract, and its
part of the frame where the file holds five of it; not the mode, the helper, the time it took, nor any key. Numbers and
order are drawn anew for every file. Contracts with fewer than five answers that count are left out. Only after
collecting: of two files, the later would tell what came in between.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from random import SystemRandom

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict
from evalsys.base.tables import Cell, Sheet
from evalsys.collection.closing import TOLD_FROM
from evalsys.collection.counting import entries_of_branch
from evalsys.collection.models import Assessment, AssessmentState, Response, ResponseRating
from evalsys.collection.ratings_files import COLUMNS, RECIPIENT
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Stratum

NOT_APPLICABLE = "na"
TOLD = ("contract", "party", "rater", "criterion", "value", "stratum")
OVER = frozenset({CycleState.REVIEW, CycleState.PRELIMINARY, CycleState.PUBLISHED, CycleState.CLOSED})

Row = list[Cell]


def export_ratings(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> None:
    """Note that somebody takes the ratings of the branch out of the system; `ratings_sheet` is what they get.

    Raises:
        NotAllowed: the cycle has nothing in common with the actor's branch.
        Conflict: ratings are still being collected.
    """
    if not actor.region_path.startswith(cycle.region.path):
        actor.require_region(cycle.region.path)
    if cycle.state not in OVER:
        raise Conflict(
            _("Ratings of the cycle %(code)s are still being collected.", code=cycle.code),
            remedy=_("Close collecting first: two files would tell what came in between."),
        )
    audit.record(session, actor=actor, act="collection.export_ratings", subject=f"cycle:{cycle.code}", now=now)


def too_few(session: Session, cycle: Cycle, *, actor: Actor) -> int:
    """Contracts whose recipients' answers are left out, for they are fewer than five."""
    counted = (
        select(Response.entry_id)
        .where(Response.entry_id.in_(entries_of_branch(cycle, actor)), ~Response.held)
        .group_by(Response.entry_id)
        .having(func.count() < TOLD_FROM)
    )
    return session.scalar(select(func.count()).select_from(counted.subquery())) or 0


def ratings_sheet(session: Session, cycle: Cycle, *, actor: Actor) -> Sheet:
    """A row for each rating that counts, made as it is read."""
    headings = {column.name: column.heading for column in COLUMNS}
    return Sheet(_("Ratings"), [headings[key] for key in TOLD], _rows(session, cycle, actor), widths=(20, 14, 10, 30))


def buying_again_sheet(session: Session, cycle: Cycle, *, actor: Actor) -> Sheet:
    """What purchasers say beside their ratings: whether they would buy again, by contract. It is no part of a score."""
    said = session.execute(
        select(Contract.reference, Assessment.buy_again)
        .select_from(Assessment)
        .join(Assessment.entry)
        .join(Entry.contract)
        .where(
            Assessment.entry_id.in_(entries_of_branch(cycle, actor)),
            Assessment.state == AssessmentState.SUBMITTED,
            Assessment.buy_again.is_not(None),
            ~Assessment.held,
        )
        .order_by(Contract.reference, Assessment.buy_again)
    )
    rows = [[reference, _("Yes") if again else _("No")] for reference, again in said]
    return Sheet(_("Would buy again"), [COLUMNS[0].heading, _("Would buy again")], rows, widths=(20, 20))


def _rows(session: Session, cycle: Cycle, actor: Actor) -> Iterator[Row]:
    entries = session.execute(
        select(Entry.id, Contract.reference)
        .join(Entry.contract)
        .where(Entry.id.in_(entries_of_branch(cycle, actor)))
        .order_by(Contract.reference)
    ).all()
    for entry_id, reference in entries:
        yield from _answers(session, entry_id, reference)
    yield from _assessments(session, cycle, actor)


def _answers(session: Session, entry_id: int, reference: str) -> Iterator[Row]:
    strata = dict(
        session.execute(
            select(Response.key, Response.stratum_id).where(Response.entry_id == entry_id, ~Response.held)
        ).all()
    )
    if len(strata) < TOLD_FROM:
        return
    answers: dict[bytes, list[tuple[str, float | None]]] = defaultdict(list)
    for key, criterion, value in session.execute(
        select(ResponseRating.response_key, ResponseRating.criterion, ResponseRating.value)
        .join(Response, Response.key == ResponseRating.response_key)
        .where(Response.entry_id == entry_id, ~Response.held)
        .order_by(ResponseRating.criterion)
    ):
        answers[key].append((criterion, value))
    names, told = _names(session, entry_id), _told(list(strata.values()))
    keys = list(answers)
    SystemRandom().shuffle(keys)
    for number, key in enumerate(keys, start=1):
        stratum = strata[key]
        name = names[stratum] if stratum is not None and stratum in told else ""
        for criterion, value in answers[key]:
            yield [reference, RECIPIENT, str(number), criterion, _value(value), name]


def _told(strata: Sequence[int | None]) -> set[int]:
    """The strata that may be told: five answers of each, and none or five whose stratum is not."""
    counts = Counter(strata)
    told = {stratum for stratum, count in counts.items() if stratum is not None and count >= TOLD_FROM}
    while told and 0 < len(strata) - sum(counts[stratum] for stratum in told) < TOLD_FROM:
        told.remove(min(told, key=lambda stratum: (counts[stratum], stratum)))
    return told


def _names(session: Session, entry_id: int) -> dict[int, str]:
    strata = session.scalars(select(Stratum).where(Stratum.entry_id == entry_id))
    return {stratum.id: f"{stratum.township}/{stratum.item}" for stratum in strata}


def _assessments(session: Session, cycle: Cycle, actor: Actor) -> Iterator[Row]:
    """Named raters under a number that is theirs in this file; their words stay inside, for words tell who writes."""
    kept = session.scalars(
        select(Assessment)
        .join(Assessment.entry)
        .join(Entry.contract)
        .where(
            Assessment.entry_id.in_(entries_of_branch(cycle, actor)),
            Assessment.state == AssessmentState.SUBMITTED,
            ~Assessment.held,
        )
        .options(joinedload(Assessment.entry).joinedload(Entry.contract), joinedload(Assessment.ratings))
        .order_by(Contract.reference, Assessment.id)
    )
    found = kept.unique().all()
    raters = sorted({(one.party, one.account_id or 0, one.rater_label or "") for one in found})
    SystemRandom().shuffle(raters)
    numbers = {rater: f"R{number}" for number, rater in enumerate(raters, start=1)}
    for one in found:
        number = numbers[one.party, one.account_id or 0, one.rater_label or ""]
        for rating in one.ratings:
            if rating.not_applicable or rating.value is not None:
                yield [one.entry.contract.reference, one.party, number, rating.criterion, _value(rating.value), ""]


def _value(value: float | None) -> str | float:
    return NOT_APPLICABLE if value is None else value
