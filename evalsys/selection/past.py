"""Past performance of the candidates, from the editions in force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Row, and_, select
from sqlalchemy.orm import Session, contains_eager, defer

from evalsys.evaluation.models import Run
from evalsys.publication.models import Edition, EditionScore, Withdrawal, WithdrawalState
from evalsys.publication.queries import NEWEST
from evalsys.registry.models import Cycle, RulesVersion
from evalsys.registry.pins import rules_of_version
from evalsys.rules.model import Rules
from evalsys.scoring.intervals import normal_quantile
from evalsys.scoring.past_performance import past_performance
from evalsys.selection.models import Plan


@dataclass(frozen=True)
class Record:
    """A published score that counts, and its share of the vendor's value (0 to 1).

    Attributes:
        score: as published.
        shrunken: drawn towards its peers, which is what counts; None where the edition has none: then `score` counts.
        sd: standard deviation of what counts.
    """

    year: int
    cycle_code: str
    edition_id: int
    edition_number: int
    contract_reference: str
    contract_title: str
    score: float
    grade: str | None
    share: float
    shrunken: float | None = None
    sd: float = 0.0


@dataclass(frozen=True)
class Past:
    """What the published results say of one vendor.

    Attributes:
        value: points; None where nobody at all has a record.
        neutral: there is no record, and `value` is the mean of the peers.
        lowest_grade: a contract of the latest year on record has the lowest grade.
        sd: standard deviation of `value`; that of any peer where there is no record.
    """

    value: float | None
    neutral: bool
    records: tuple[Record, ...]
    lowest_grade: bool
    sd: float = 0.0


Line = Row[int, str, int, EditionScore, int]


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
    scores = [line.EditionScore for line in lines]
    everybody = list(dict.fromkeys([*credit_codes, *(score.vendor_credit_code for score in scores)]))
    place = {code: number for number, code in enumerate(everybody)}
    whose = [place[score.vendor_credit_code] for score in scores]
    group = rules.peer_group_of(service_type)
    peers = {vendor for vendor, score in zip(whose, scores, strict=True) if score.peer_group == group}
    levels = {key: _level(session, key) for key in {line.rules_id for line in lines}}
    spreads = [_sd(line.EditionScore, levels[line.rules_id]) for line in lines]
    found = past_performance(
        whose,
        [line.year for line in lines],
        [_counted(score) for score in scores],
        [_size(score, rules) for score in scores],
        sd=spreads,
        vendors=len(everybody),
        for_year=year,
        decay=rules.selection.decay,
        look_back=rules.selection.look_back,
        peers=[vendor in peers for vendor in range(len(everybody))],
    )
    records: dict[int, list[Record]] = {}
    for vendor, line, share, sd in zip(whose, lines, found.weight.tolist(), spreads, strict=True):
        records.setdefault(vendor, []).append(_record(line, share, sd))
    nobody = bool(found.neutral.all())
    return [
        Past(
            value=None if nobody else float(found.score[place[code]]),
            neutral=bool(found.neutral[place[code]]),
            records=tuple(records.get(place[code], ())),
            lowest_grade=_lowest(records.get(place[code], ()), rules),
            sd=float(found.sd[place[code]]),
        )
        for code in credit_codes
    ]


def _published(session: Session, *, since: int, before: int) -> Sequence[Line]:
    """Scores in the edition in force of each cycle of these years; withheld ones are left out."""
    return session.execute(
        select(Cycle.year, Cycle.code.label("cycle_code"), Edition.number, EditionScore, Run.rules_id)
        .options(defer(EditionScore.breakdown))
        .join(Edition, Edition.id == EditionScore.edition_id)
        .join(NEWEST, (NEWEST.c.cycle_id == Edition.cycle_id) & (NEWEST.c.number == Edition.number))
        .join(Cycle, Cycle.id == Edition.cycle_id)
        .join(Run, Run.id == Edition.run_id)
        .where(Cycle.year >= since, Cycle.year < before, EditionScore.score.is_not(None))
        .order_by(Cycle.year.desc(), Cycle.code, EditionScore.contract_reference)
    ).all()


def withdrawn_for(session: Session, plan: Plan, records: Iterable[Record]) -> Sequence[Withdrawal]:
    """Orders by which an edition was withdrawn that the plan's decision has read, or that had counted for an open plan.

    Args:
        session: reads.
        plan: decided, or not.
        records: what its sheet says of the past; a decided one keeps what it had read.
    """
    read: ColumnElement[bool] = Edition.id.in_({record.edition_id for record in records})
    if plan.decision is None:
        codes = [candidate.vendor.credit_code for candidate in plan.candidates]
        lines = select(EditionScore.edition_id).where(EditionScore.vendor_credit_code.in_(codes))
        back = rules_of_version(plan.rules).selection.look_back
        counted = Cycle.year.between(plan.year - back, plan.year - 1)
        read = and_(Edition.id.in_(lines), counted, Withdrawal.decided_at >= plan.created_at)
    return session.scalars(
        select(Withdrawal)
        .join(Withdrawal.edition)
        .join(Edition.cycle)
        .where(Withdrawal.state == WithdrawalState.CONFIRMED, read)
        .options(contains_eager(Withdrawal.edition).contains_eager(Edition.cycle))
        .order_by(Withdrawal.id)
    ).all()


def _counted(score: EditionScore) -> float:
    return (score.score or 0.0) if score.shrunk is None else score.shrunk


def _level(session: Session, rules_id: int) -> float:
    return rules_of_version(session.get_one(RulesVersion, rules_id)).interval.level


def _sd(score: EditionScore, level: float) -> float:
    """Of the shrunken score; of a plain one half its interval, in standard normal units."""
    if score.shrunk is not None:
        return score.shrunk_sd or 0.0
    if score.low is None or score.high is None:
        return 0.0
    return (score.high - score.low) / 2 / normal_quantile(level)


def _size(score: EditionScore, rules: Rules) -> float:
    sizes = {"amount": score.amount_fen, "recipients": score.recipients_served, "equal": 1}
    return float(sizes[rules.vendor_weight])


def _record(line: Line, share: float, sd: float) -> Record:
    score = line.EditionScore
    return Record(
        year=line.year,
        cycle_code=line.cycle_code,
        edition_id=score.edition_id,
        edition_number=line.number,
        contract_reference=score.contract_reference,
        contract_title=score.contract_title,
        score=score.score or 0.0,
        grade=score.grade,
        share=share,
        shrunken=score.shrunk,
        sd=sd,
    )


def _lowest(records: Sequence[Record], rules: Rules) -> bool:
    """Whether the latest year holds the grade that the usual local rule keeps from next year."""
    lowest = min(rules.grades, key=lambda grade: grade.start).code
    latest = max((record.year for record in records), default=None)
    return any(record.grade == lowest for record in records if record.year == latest)
