"""Past performance of the candidates, from the editions in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from evalsys.publication.models import Edition, EditionScore
from evalsys.registry.models import Cycle
from evalsys.rules.model import Rules
from evalsys.scoring.past_performance import past_performance


@dataclass(frozen=True)
class Record:
    """A published score that counts, and its share of the vendor's value (0 to 1)."""

    year: int
    cycle_code: str
    edition_id: int
    edition_number: int
    contract_reference: str
    contract_title: str
    score: float
    grade: str | None
    share: float


@dataclass(frozen=True)
class Past:
    """What the published results say of one vendor.

    Attributes:
        value: points; None where nobody at all has a record.
        neutral: there is no record, and `value` is the mean of the peers.
        lowest_grade: a contract of the latest year on record has the lowest grade.
    """

    value: float | None
    neutral: bool
    records: tuple[Record, ...]
    lowest_grade: bool


Line = Row[tuple[int, str, int, int, str, str, str, str, float, str | None, int, int]]


def past_of(session: Session, credit_codes: Sequence[str], *, rules: Rules, service_type: str, year: int) -> list[Past]:
    """Past performance of vendors, in their order.

    The neutral value for those without a record is the mean of all vendors with one in the peer group of the service
    type; where that group has none, of all vendors with one.

    Args:
        credit_codes: the vendors asked about.
        rules: say how scores are weighed, how fast they fade and how far back they reach.
        year: the year that is chosen for; only earlier cycles count.
    """
    lines = _published(session, since=year - rules.selection.look_back, before=year)
    everybody = list(dict.fromkeys([*credit_codes, *(line.vendor_credit_code for line in lines)]))
    place = {code: number for number, code in enumerate(everybody)}
    whose = [place[line.vendor_credit_code] for line in lines]
    found = past_performance(
        whose,
        [line.year for line in lines],
        [line.score for line in lines],
        [_size(line, rules) for line in lines],
        vendors=len(everybody),
        for_year=year,
        decay=rules.selection.decay,
        look_back=rules.selection.look_back,
    )
    known = {vendor: float(found.score[vendor]) for vendor in range(len(everybody)) if not found.neutral[vendor]}
    group = rules.peer_group_of(service_type)
    peers = {vendor for vendor, line in zip(whose, lines, strict=True) if line.peer_group == group} or set(known)
    neutral = float(np.mean([known[vendor] for vendor in sorted(peers)])) if peers else None
    records: dict[int, list[Record]] = {}
    for vendor, line, share in zip(whose, lines, found.weight, strict=True):
        records.setdefault(vendor, []).append(_record(line, float(share)))
    return [
        Past(
            value=known.get(place[code], neutral),
            neutral=place[code] not in known,
            records=tuple(records.get(place[code], ())),
            lowest_grade=_lowest(records.get(place[code], ()), rules),
        )
        for code in credit_codes
    ]


def _published(session: Session, *, since: int, before: int) -> Sequence[Line]:
    """Scores in the newest edition of each cycle of these years; withheld ones are left out."""
    newest = select(Edition.cycle_id, func.max(Edition.number).label("number")).group_by(Edition.cycle_id).subquery()
    return session.execute(
        select(
            Cycle.year,
            Cycle.code.label("cycle_code"),
            Edition.number.label("edition_number"),
            EditionScore.edition_id,
            EditionScore.vendor_credit_code,
            EditionScore.contract_reference,
            EditionScore.contract_title,
            EditionScore.peer_group,
            EditionScore.score,
            EditionScore.grade,
            EditionScore.amount_fen,
            EditionScore.recipients_served,
        )
        .join(Edition, Edition.id == EditionScore.edition_id)
        .join(newest, (newest.c.cycle_id == Edition.cycle_id) & (newest.c.number == Edition.number))
        .join(Cycle, Cycle.id == Edition.cycle_id)
        .where(Cycle.year >= since, Cycle.year < before, EditionScore.score.is_not(None))
        .order_by(Cycle.year.desc(), Cycle.code, EditionScore.contract_reference)
    ).all()  # type: ignore[return-value]  # the score is not None: it was asked for


def _size(line: Line, rules: Rules) -> float:
    sizes = {"amount": line.amount_fen, "recipients": line.recipients_served, "equal": 1}
    return float(sizes[rules.vendor_weight])


def _record(line: Line, share: float) -> Record:
    return Record(
        year=line.year,
        cycle_code=line.cycle_code,
        edition_id=line.edition_id,
        edition_number=line.edition_number,
        contract_reference=line.contract_reference,
        contract_title=line.contract_title,
        score=line.score,
        grade=line.grade,
        share=share,
    )


def _lowest(records: Sequence[Record], rules: Rules) -> bool:
    """Whether the latest year holds the grade that the usual local rule keeps from next year."""
    lowest = min(rules.grades, key=lambda grade: grade.start).code
    latest = max((record.year for record in records), default=None)
    return any(record.grade == lowest for record in records if record.year == latest)
