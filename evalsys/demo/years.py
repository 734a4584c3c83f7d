"""One simulated year: its contracts, frames of recipients, and the ratings that came in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, cast

import numpy as np
from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.db import Base
from evalsys.collection.assessment_models import MeasuredValue, SiteVisit
from evalsys.collection.declarations import Declare, Stated, declare
from evalsys.collection.interest_models import TieKind
from evalsys.collection.models import (
    Assessment,
    AssessmentRating,
    Assignment,
    Invitation,
    ReceiptLeaf,
    Response,
    ResponseDay,
    ResponseRating,
)
from evalsys.demo import county
from evalsys.demo.people import Cast
from evalsys.demo.simulation import Rater, answer, split
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, RulesPin, RulesVersion, Stratum
from evalsys.rules.model import Rules, Source

MODES = (("self", 0.55), ("assisted", 0.3), ("telephone", 0.1), ("paper", 0.05))
HELPERS: dict[str, tuple[str | None, ...]] = {
    "assisted": ("worker", "interviewer", "relative"),
    "telephone": ("interviewer",),
    "paper": (None, "relative"),
}
TIME_BANDS = (("under_20", 0.06), ("from_20_to_60", 0.5), ("over_60", 0.44))
MODE_TEMPER = {"self": 0.0, "assisted": 0.25, "telephone": 0.6, "paper": 0.1}  # a voice on the telephone is polite
ITEMS = ("上门服务", "集中服务")
ANSWERED_OF_INVITED = 0.62
EVALUATOR_TEMPERS = (-0.8, 0.1, 0.7, -0.1, 0.2, -0.1)  # the first is severe, the third lenient
FAVOUR = (5, 5, 1.2)  # an evaluator, a vendor, and how much too well the one thinks of the other
STUFFED = (11, 14)  # a contract, and how many answers that one hand seems to have given it on one day
HANDED_IN = 3  # of the year that collects, every so many contracts are assessed; the record says nothing of these
EARLY = 4  # of so many contracts one is due before collecting ends
ROWS_AT_ONCE = 5000


@dataclass(frozen=True)
class Case:
    """A contract in a cycle, with the truth that its ratings hint at.

    `local` and `turnout`: by stratum, how much better the work is there, and how many times as many answer.
    """

    entry: Entry
    contract: Contract
    strata: tuple[Stratum, ...]
    quality: float
    local: tuple[float, ...]
    turnout: tuple[float, ...]
    stuffed: int

    @property
    def asked_on(self) -> date:
        """The first day on which recipients answered."""
        return date(self.contract.starts_on.year, 10, 8)


class Rows:
    """Rows to insert, by table; tables come in the order they stand on each other."""

    ORDER: ClassVar[tuple[type[Base], ...]] = (
        Assignment,
        Invitation,
        Response,
        ResponseRating,
        ReceiptLeaf,
        ResponseDay,
    )

    def __init__(self) -> None:
        self._rows: dict[type[Base], list[dict[str, Any]]] = {table: [] for table in self.ORDER}

    def add(self, table: type[Base], **columns: Any) -> None:
        self._rows[table].append(columns)

    def invite(
        self,
        stratum: Stratum,
        generator: np.random.Generator,
        *,
        used: bool,
        whose: tuple[int, int] | None = None,
        outcome: str | None = None,
    ) -> None:
        """An invitation under a code that nobody knows; `whose`: the number in the list, the id in the roster."""
        number, member_id = whose or (None, None)
        self.add(
            Invitation,
            code_hmac=generator.bytes(32),
            entry_id=stratum.entry_id,
            stratum_id=stratum.id,
            roster_member_id=member_id,
            number=number,
            used=used,
            outcome=outcome,
        )

    def count_days(self, entry: Entry, days: Mapping[date, int]) -> None:
        """How many answers of an entry came on which day."""
        for day, count in sorted(days.items()):
            self.add(ResponseDay, entry_id=entry.id, day=day, count=count)

    def insert(self, session: Session) -> None:
        for table, rows in self._rows.items():
            for start in range(0, len(rows), ROWS_AT_ONCE):
                session.execute(insert(cast(Table, table.__table__)), rows[start : start + ROWS_AT_ONCE])


def make_cycle(session: Session, cast: Cast, year: int, rules: RulesVersion) -> Cycle:
    """The year's cycle with its rules pinned; it collects."""
    cycle = Cycle(
        code=str(year),
        title=f"{year} 年度政府购买社会救助服务综合评价",
        year=year,
        region_id=cast.county.id,
        state=CycleState.COLLECTING.value,
        opens_on=date(year, 10, 1),
        closes_on=date(year, 12, 31),
        rules_id=rules.id,
        simulated=True,
    )
    session.add(cycle)
    session.flush()
    session.add(
        RulesPin(
            cycle_id=cycle.id,
            rules_id=rules.id,
            reason="年度开始",
            pinned_at=datetime(year, 9, 20, 1, tzinfo=UTC),
            pinned_by="模拟数据",
        )
    )
    return cycle


def make_cases(session: Session, cast: Cast, cycle: Cycle, rules: Rules, generator: np.random.Generator) -> list[Case]:
    """The year's contracts, entered into the cycle, each with its frame by township."""
    service_names = {service.code: service.name.zh for service in rules.service_types}
    cases = []
    for n in range(county.CONTRACTS_A_YEAR):
        which = n % len(county.VENDORS)
        vendor = county.VENDORS[which]
        service_type = vendor.serves[(n // len(county.VENDORS) + cycle.year) % len(vendor.serves)]
        buyers = list(cast.purchasers)
        buyer = buyers[0] if n % 5 else buyers[1 + n // 5 % (len(buyers) - 1)]
        where = (
            [buyer] if buyer in cast.townships else _some(county.TOWNSHIPS, int(generator.integers(2, 5)), generator)
        )
        served = int(generator.integers(260, 640))
        contract = Contract(
            reference=f"QH{cycle.year}-{n + 1:03d}",
            title=f"{cast.purchasers[buyer].name}{cycle.year}年{service_names[service_type]}服务项目",
            vendor_id=cast.vendors[which].id,
            purchaser_id=cast.purchasers[buyer].id,
            region_id=cast.townships[buyer].id if buyer in cast.townships else cast.county.id,
            service_type=service_type,
            amount_fen=int(generator.integers(18, 160)) * 1_000_000,
            starts_on=date(cycle.year, 1, 1),
            ends_on=date(cycle.year, 12, 31),
            procurement_method=county.METHODS[n % len(county.METHODS)],
            recipients_served=served,
        )
        session.add(contract)
        session.flush()
        entry = Entry(cycle_id=cycle.id, contract_id=contract.id)
        session.add(entry)
        session.flush()
        strata = _divide(session, entry, where, served, by_item=n % 3 == 0, generator=generator)
        cases.append(
            Case(
                entry=entry,
                contract=contract,
                strata=strata,
                quality=vendor.quality + 0.35 * float(generator.standard_normal()),
                local=tuple(0.3 * generator.standard_normal(len(strata))),
                turnout=tuple(generator.uniform(0.4, 1.6, len(strata))),
                stuffed=STUFFED[1] if n == STUFFED[0] else 0,
            )
        )
    return cases


def _divide(
    session: Session,
    entry: Entry,
    where: list[str],
    served: int,
    *,
    by_item: bool,
    generator: np.random.Generator,
) -> tuple[Stratum, ...]:
    """The frame by township, and on some contracts by what people get as well."""
    cells = [(township, item) for township in where for item in (ITEMS if by_item else ("",))]
    strata = tuple(
        Stratum(entry_id=entry.id, township=township, item=item, size=int(size))
        for (township, item), size in zip(cells, split(served, len(cells), generator), strict=True)
    )
    session.add_all(strata)
    session.flush()
    return strata


def collect_responses(rows: Rows, rules: Rules, case: Case, answered: float, generator: np.random.Generator) -> None:
    """Answers of a share of each stratum's recipients, with the used invitation, the leaf and the day of each.

    Nobody knows the codes of these invitations.
    """
    days: Counter[date] = Counter()
    for stratum, turnout in zip(case.strata, case.turnout, strict=True):
        answers = round(stratum.size * min(answered * turnout, 1))
        for _silent in range(round(answers / ANSWERED_OF_INVITED) - answers):
            rows.invite(stratum, generator, used=False)
        for _recipient in range(answers):
            days[collect_answer(rows, rules, case, stratum, generator)] += 1
    for _again in range(case.stuffed):
        criteria = rules.criteria_for("recipient", case.contract.service_type)
        best = {c.code: 5.0 for c in criteria if c.source is not Source.ADJUSTER}
        _respond(rows, case.strata[0], best, mode="self", time_band="under_20", generator=generator)
        days[case.asked_on] += 1
    rows.count_days(case.entry, days)


def collect_answer(
    rows: Rows,
    rules: Rules,
    case: Case,
    stratum: Stratum,
    generator: np.random.Generator,
    *,
    whose: tuple[int, int] | None = None,
) -> date:
    """One recipient's answer, of whom `Rows.invite` says more; returns its day."""
    mode, band = _drawn(MODES, generator), _drawn(TIME_BANDS, generator)
    rater = Rater(temper=MODE_TEMPER[mode] + 0.7 * float(generator.standard_normal()), scatter=0.6)
    quality = case.quality + case.local[case.strata.index(stratum)]
    values = answer(rules, rules.criteria_for("recipient", case.contract.service_type), quality, rater, generator)
    _respond(rows, stratum, values, mode=mode, time_band=band, generator=generator, whose=whose)
    return case.asked_on + timedelta(days=int(generator.integers(0, 20)))


def _respond(
    rows: Rows,
    stratum: Stratum,
    values: Mapping[str, float | None],
    *,
    mode: str,
    time_band: str,
    generator: np.random.Generator,
    whose: tuple[int, int] | None = None,
) -> None:
    """One recipient's answer with its used invitation and its leaf."""
    key = generator.bytes(16)
    rows.invite(stratum, generator, used=True, whose=whose)
    kinds = HELPERS.get(mode, (None,))
    rows.add(
        Response,
        key=key,
        entry_id=stratum.entry_id,
        stratum_id=stratum.id,
        mode=mode,
        helper=kinds[key[0] % len(kinds)],
        time_band=time_band,
        held=False,
    )
    for code, value in values.items():
        rows.add(ResponseRating, response_key=key, criterion=code, value=value)
    rows.add(ReceiptLeaf, leaf=generator.bytes(32), entry_id=stratum.entry_id)


def collect_assessments(
    session: Session, rules: Rules, cast: Cast, cases: list[Case], generator: np.random.Generator, *, every: int = 1
) -> None:
    """A purchaser's and one or two evaluators' submitted assessments of every so many contracts."""
    tempers = dict(zip((account.id for account in cast.evaluators), EVALUATOR_TEMPERS, strict=True))
    friend, friends_vendor, favour = FAVOUR
    for n, case in enumerate(cases):
        if n % every:
            continue
        buyer = cast.buyers[case.contract.purchaser_id]
        rater = Rater(0.3, 0.35, trained=True)
        session.add(_assessment(rules, case, party="purchaser", account_id=buyer.id, rater=rater, generator=generator))
        for account_id in _evaluators_of(cast, n):
            friendly = (account_id, case.contract.vendor_id) == (
                cast.evaluators[friend].id,
                cast.vendors[friends_vendor].id,
            )
            rater = Rater(tempers[account_id] + (favour if friendly else 0), 0.35, trained=True)
            session.add(
                _assessment(rules, case, party="third_party", account_id=account_id, rater=rater, generator=generator)
            )


def assign_evaluators(rows: Rows, cast: Cast, cases: list[Case], tied: tuple[int, int] | None = None) -> None:
    """Who is to assess what; `tied`: ids of an evaluator and of a vendor that go apart."""
    for n, case in enumerate(cases):
        for account_id in _evaluators_of(cast, n):
            if tied != (account_id, case.contract.vendor_id):
                due = date(case.entry.cycle.year, 11, 15) if n % EARLY == 1 else case.entry.cycle.closes_on
                rows.add(Assignment, entry_id=case.entry.id, account_id=account_id, due_on=due)


def _evaluators_of(cast: Cast, n: int) -> list[int]:
    """One evaluator, and for two contracts in five a second one, so that all of them overlap."""
    count = len(cast.evaluators)
    first = n % count
    second = (first + 1 + n // count % (count - 1)) % count
    return [cast.evaluators[i].id for i in ((first, second) if n % 5 in {0, 2} else (first,))]


def declare_interests(session: Session, cast: Cast, cycle: Cycle, *, openly: bool) -> tuple[int, int] | None:
    """Every evaluator signs that there are no ties.

    Args:
        openly: the one who favours a vendor declares why.

    Returns:
        The ids of that evaluator and vendor, where declared.
    """
    friend, vendor = cast.evaluators[FAVOUR[0]].id, cast.vendors[FAVOUR[1]]
    kinship = Stated(vendor.name, TieKind.KINSHIP, of_body=False, started_on=date(2019, 5, 1))
    for person in cast.evaluators:
        account = session.get_one(Account, person.id)
        ties = [kinship] if openly and account.id == friend else []
        wanted = Declare(cycle.id, account.evaluator_body_id or 0, account.id, ties)
        declare(session, wanted, actor=account.as_actor(), now=datetime(cycle.year, 9, 25, 2, tzinfo=UTC))
    return (friend, vendor.id) if openly else None


def _assessment(
    rules: Rules, case: Case, *, party: str, account_id: int, rater: Rater, generator: np.random.Generator
) -> Assessment:
    submitted = datetime(case.contract.starts_on.year, 11, 1 + int(generator.integers(0, 15)), 2, tzinfo=UTC)
    criteria = rules.criteria_for(party, case.contract.service_type)
    return Assessment(
        entry_id=case.entry.id,
        party=party,
        account_id=account_id,
        state="submitted",
        saved_at=submitted,
        submitted_at=submitted,
        buy_again=case.quality > 0.5 if party == "purchaser" else None,
        visits=_visits(case, submitted) if party == "third_party" else [],
        ratings=[
            AssessmentRating(criterion=code, value=value, not_applicable=value is None)
            for code, value in answer(rules, criteria, case.quality, rater, generator).items()
        ],
    )


def _visits(case: Case, submitted: datetime) -> list[SiteVisit]:
    day = submitted.date() - timedelta(days=3)
    place = f"{case.strata[0].township}服务点"
    return [SiteVisit(number=1, visited_on=day, place=place, met="服务点负责人", notes="查看台账，抽查服务记录。")]


def record_staffing(session: Session, rules: Rules, cases: list[Case]) -> None:
    """What the record of staff says of two contracts in three; the others' purchasers fill it in."""
    measured = [criterion for criterion in rules.criteria if criterion.source is Source.MEASURED]
    for n, case in enumerate(cases):
        for criterion in measured if n % HANDED_IN else ():
            row = MeasuredValue(entry_id=case.entry.id, criterion=criterion.code, value=round(0.7 + n % 7 / 20, 2))
            row.source, row.recorded_by = "人员台账（模拟），10 月", "杜海"
            row.recorded_at = datetime(case.contract.starts_on.year, 10, 20, 2, tzinfo=UTC)
            session.add(row)


def _drawn(shares: tuple[tuple[str, float], ...], generator: np.random.Generator) -> str:
    return shares[int(generator.choice(len(shares), p=[share for _name, share in shares]))][0]


def _some(names: tuple[str, ...], count: int, generator: np.random.Generator) -> list[str]:
    return [names[i] for i in sorted(generator.choice(len(names), count, replace=False))]
