"""How far a cycle's collecting is, line by line: by contract, vendor, township and party.

What recipients sent is told of groups alone. A township of a contract in which fewer than five were invited joins the
others; shares of modes need five answers; and what a person has to look into is told of contracts, never of townships.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from evalsys.base.access import Actor, Role
from evalsys.base.language import words
from evalsys.collection.closing import TOLD_FROM
from evalsys.collection.counting import Figures, by_cell, by_entry, entries_of_branch
from evalsys.collection.models import Assessment, AssessmentState, Assignment, Mode
from evalsys.collection.queries import today
from evalsys.collection.survey import RECIPIENT
from evalsys.collection.tasks import PARTY_OF
from evalsys.collection.ways import HELPERS, MODES
from evalsys.registry.models import Contract, Cycle, Entry, Region, RegionLevel, Stratum, Vendor
from evalsys.registry.pins import rules_of

FLAGS = "open_flags"
"""Where evaluation says, among the application's extensions, how many flags of each entry wait to be looked at."""


@dataclass(frozen=True)
class Rated:
    """Assessments of named raters.

    Attributes:
        counted, held: submitted ones, by party.
        due, submitted, overdue: those that are expected, by party: one of the purchaser, and every assignment.
    """

    counted: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    due: Counter[str] = field(default_factory=Counter)
    submitted: Counter[str] = field(default_factory=Counter)
    overdue: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Rated) -> Rated:
        return Rated(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True)
class Line:
    """One line of a table.

    Attributes:
        name, under: what it is about; `under` in small type below it.
        reference: of the contract, where it is about a single one.
        contracts: how many it adds up.
        enough: of them, those with as many ratings as the rules ask of the party.
        answers, of: where the line is about a part of the answers, how many these are, of how many.
    """

    name: str
    under: str = ""
    reference: str = ""
    contracts: int = 1
    figures: Figures = field(default_factory=Figures)
    rated: Rated = field(default_factory=Rated)
    flags: int = 0
    enough: int = 0
    answers: int = 0
    of: int = 0

    def joined(self, other: Line) -> Line:
        return replace(
            self,
            contracts=self.contracts + other.contracts,
            figures=self.figures + other.figures,
            rated=self.rated + other.rated,
            flags=self.flags + other.flags,
        )

    def share(self, mode: Mode) -> float | None:
        """Of the answers that count; None where they are too few to be told."""
        count = self.figures.modes.total()
        return self.figures.modes[mode] / count if count >= TOLD_FROM else None


def by_contract(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> list[Line]:
    """A line for each contract."""
    return [line for _vendor, line in _contracts(session, cycle, actor=actor, now=now)]


def _contracts(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> list[tuple[Vendor, Line]]:
    entries = entries_of_branch(cycle, actor)
    figures, flags = by_entry(session, entries), open_flags(session, cycle)
    rated = _rated(session, cycle, actor=actor, now=now)
    contracts = session.execute(
        select(Entry.id, Contract.reference, Contract.title, Vendor)
        .join(Entry.contract)
        .join(Contract.vendor)
        .where(Entry.id.in_(entries))
        .order_by(Contract.reference)
    )
    return [
        (
            vendor,
            Line(
                name=title,
                under=f"{reference} · {vendor.name}",
                reference=reference,
                figures=figures.get(entry_id, Figures()),
                rated=rated[entry_id],
                flags=flags.get(entry_id, 0),
            ),
        )
        for entry_id, reference, title, vendor in contracts
    ]


def open_flags(session: Session, cycle: Cycle) -> Mapping[int, int]:
    """How many flags of each entry nobody has looked at."""
    count: Callable[[Session, Cycle], Mapping[int, int]] = current_app.extensions[FLAGS]
    return count(session, cycle)


def by_vendor(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> list[Line]:
    """A line for each vendor, by credit code."""
    found: dict[str, Line] = {}
    for vendor, line in _contracts(session, cycle, actor=actor, now=now):
        own = replace(line, name=vendor.name, under=vendor.credit_code, reference="")
        found[vendor.credit_code] = found[vendor.credit_code].joined(own) if vendor.credit_code in found else own
    return [found[code] for code in sorted(found)]


def by_township(session: Session, cycle: Cycle, *, actor: Actor) -> list[Line]:
    """A line for each township, and one for everything that is too small to be told apart."""
    entries = entries_of_branch(cycle, actor)
    places, homes = _places(session, entries)
    parts: dict[tuple[int, str], Figures] = defaultdict(Figures)
    for (entry_id, stratum_id), cell in by_cell(session, entries).items():
        figures = replace(cell, received=0)  # receipts belong to contracts alone
        if figures == Figures():
            continue
        only = next(iter(homes[entry_id])) if len(homes[entry_id]) == 1 else ""
        parts[entry_id, only if stratum_id is None else places[stratum_id]] += figures
    told: dict[tuple[int, str], Figures] = defaultdict(Figures)
    for (entry_id, township), figures in parts.items():
        told[entry_id, "" if 0 < figures.invited < TOLD_FROM else township] += figures
    found: dict[str, Line] = {}
    for (_entry, name), figures in told.items():
        line = Line(name, figures=figures)
        found[name] = found[name].joined(line) if name in found else line
    others = found.pop("", None)
    lines = [found[name] for name in sorted(found)]
    return [*lines, replace(others, name=_("Others and not known"))] if others else lines


def _places(session: Session, entries: Select[int]) -> tuple[dict[int, str], dict[int, set[str]]]:
    """The township of each stratum, and all townships of each entry: of the contract where its frame names none."""
    places: dict[int, str] = {}
    homes: dict[int, set[str]] = {}
    rows = session.execute(
        select(Entry.id, Stratum.id, Stratum.township, Region.name, Region.level)
        .join(Entry.contract)
        .join(Contract.region)
        .outerjoin(Stratum, Stratum.entry_id == Entry.id)
        .where(Entry.id.in_(entries))
    )
    for entry_id, stratum_id, township, region, level in rows:
        name = township or (region if level == RegionLevel.TOWNSHIP else "")
        homes.setdefault(entry_id, set()).add(name)
        if stratum_id is not None:
            places[stratum_id] = name
    return places, homes


def by_party(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> list[Line]:
    """A line for each party of the rules; none before rules are pinned."""
    if cycle.rules_id is None:
        return []
    contracts = by_contract(session, cycle, actor=actor, now=now)
    found = []
    for party in rules_of(cycle).parties:
        whole = Line(words(party.name), contracts=len(contracts))
        for line in contracts:
            if party.code == RECIPIENT:
                answers = line.figures.counted + line.figures.filed
                held = line.figures.held + line.figures.filed_held
                own = Rated(
                    counted=Counter({RECIPIENT: answers}),
                    held=Counter({RECIPIENT: held}),
                    due=Counter({RECIPIENT: line.figures.invited}),
                    submitted=Counter({RECIPIENT: line.figures.used}),
                )
                whole = replace(whole, figures=whole.figures + line.figures)
            else:
                own = _of_party(line.rated, party.code)
            enough = own.counted[party.code] >= party.minimum
            whole = replace(whole, rated=whole.rated + own, enough=whole.enough + enough)
        found.append(whole)
    return found


def by_way(session: Session, cycle: Cycle, *, actor: Actor) -> list[Line]:
    """A line for each way of answering and, below, for each kind of helper."""
    whole = sum(by_entry(session, entries_of_branch(cycle, actor)).values(), Figures())
    count = whole.modes.total()
    ways = [Line(str(name), answers=whole.modes[mode], of=count) for mode, name in MODES.items()]
    helped = [Line(str(name), _("who helped"), answers=whole.helpers[kind], of=count) for kind, name in HELPERS.items()]
    return [*ways, *helped] if count else []


def _of_party(rated: Rated, party: str) -> Rated:
    return Rated(
        *(
            Counter({party: kept[party]})
            for kept in (rated.counted, rated.held, rated.due, rated.submitted, rated.overdue)
        )
    )


def _rated(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> dict[int, Rated]:
    """Assessments by entry."""
    entries, found = entries_of_branch(cycle, actor), defaultdict[int, Rated](Rated)
    purchaser, third = PARTY_OF[Role.PURCHASER], PARTY_OF[Role.EVALUATOR]
    submitted, day = Assessment.state == AssessmentState.SUBMITTED, today(now)
    for entry_id, party, held, count in session.execute(
        select(Assessment.entry_id, Assessment.party, Assessment.held, func.count())
        .where(Assessment.entry_id.in_(entries), submitted)
        .group_by(Assessment.entry_id, Assessment.party, Assessment.held)
    ):
        found[entry_id] += Rated(**{"held" if held else "counted": Counter({party: count})})
    late = func.coalesce(Assignment.due_on, cycle.closes_on) < day
    for entry_id, due, done, overdue in session.execute(
        select(
            Assignment.entry_id,
            func.count(),
            func.count(Assessment.id),
            func.count().filter(Assessment.id.is_(None), late),
        )
        .outerjoin(
            Assessment,
            and_(Assessment.entry_id == Assignment.entry_id, Assessment.account_id == Assignment.account_id, submitted),
        )
        .where(Assignment.entry_id.in_(entries))
        .group_by(Assignment.entry_id)
    ):
        found[entry_id] += _expected(third, due, done, overdue)
    for entry_id in session.scalars(entries):
        done = int(found[entry_id].counted[purchaser] + found[entry_id].held[purchaser] > 0)
        found[entry_id] += _expected(purchaser, 1, done, int(not done and cycle.closes_on < day))
    return found


def _expected(party: str, due: int, submitted: int, overdue: int) -> Rated:
    return Rated(due=Counter({party: due}), submitted=Counter({party: submitted}), overdue=Counter({party: overdue}))
