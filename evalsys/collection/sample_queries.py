"""What is told of samples: to those who oversee a cycle by part, to everybody by contract; who was drawn to nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from flask import url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from evalsys.base.access import Actor
from evalsys.base.language import number
from evalsys.base.listing import Page, Wanted, page_of
from evalsys.base.tables import Cell, Sheet
from evalsys.collection.counting import entries_of_branch
from evalsys.collection.drawing import Design
from evalsys.collection.invitations import OPEN_STATES
from evalsys.collection.sample_models import Sample, SamplePart, SampleSeed
from evalsys.collection.sample_plans import codes_and_asked
from evalsys.collection.sampling import ended_cases
from evalsys.registry.cycle_notes import Note
from evalsys.registry.models import Contract, Cycle, Entry, Stratum

DESIGNS: dict[Design, LazyString] = {
    Design.PROPORTIONAL: _l("Stratified by township and service item, in proportion to their recipients"),
    Design.EQUAL: _l("Stratified by township and service item, the same number in each"),
    Design.SIMPLE: _l("Simple random sample of all recipients of the contract"),
}


def digest(seed: str) -> str:
    """SHA-256 of a seed: published before, it shows afterwards that the seed was not chosen later."""
    return sha256(seed.encode()).hexdigest()


@dataclass(frozen=True)
class PartLine:
    """A part of a contract's frame in the sample in force.

    `ended`: cases that were refused, not reached, moved or died. `asked`: recipients of the whole contract who
    answered, or of whom somebody said why not.
    """

    sample: Sample
    contract: Contract
    stratum: Stratum
    frame: int
    drawn: int
    spare: int
    released: int
    ended: int
    asked: int

    @property
    def place(self) -> str:
        return " · ".join(filter(None, (self.stratum.township, self.stratum.item)))

    @property
    def left(self) -> int:
        """Spare cases still in reserve."""
        return self.spare - self.released

    @property
    def due(self) -> int:
        """Spare cases that may be released now."""
        return max(0, min(self.spare, self.ended) - self.released)


NUMBERS = ("frame", "drawn", "ended", "released", "left")


def part_lines(session: Session, cycle: Cycle, *, actor: Actor) -> list[PartLine]:
    """The samples in force in the actor's branch, by contract and part."""
    rows = session.execute(
        select(SamplePart, ended_cases(), codes_and_asked()[1])
        .join(SamplePart.sample)
        .join(SamplePart.stratum)
        .join(Sample.entry)
        .join(Entry.contract)
        .options(
            joinedload(SamplePart.stratum),
            joinedload(SamplePart.sample).joinedload(Sample.seed),
            joinedload(SamplePart.sample).joinedload(Sample.entry).joinedload(Entry.contract),
        )
        .where(Sample.withdrawn_at.is_(None), Sample.entry_id.in_(entries_of_branch(cycle, actor)))
        .order_by(Contract.reference, Stratum.township, Stratum.item)
    )
    return [
        PartLine(
            part.sample,
            part.sample.entry.contract,
            part.stratum,
            part.frame,
            part.drawn,
            part.spare,
            part.released,
            ended,
            asked,
        )
        for part, ended, asked in rows
    ]


def page(lines: Sequence[PartLine], wanted: Wanted) -> Page[PartLine]:
    """One page of the lines."""
    return page_of(
        lines,
        wanted,
        sorts={
            "reference": lambda line: line.contract.reference,
            "title": lambda line: line.contract.title,
            "place": lambda line: line.place,
            **{name: _number(name) for name in NUMBERS},
        },
        default_sort="reference",
        search=lambda line: (line.contract.reference, line.contract.title, line.place),
    )


def _number(name: str) -> Callable[[PartLine], int]:
    return lambda line: int(getattr(line, name))


def sheet(lines: Sequence[PartLine], wanted: Wanted, cycle: Cycle) -> Sheet:
    """All that matches, without anybody's name or number: to publish. The seed itself comes when collecting is over."""
    found = page(lines, replace(wanted, page=1, size=max(1, len(lines)))).rows
    headings: dict[str, Callable[[PartLine], Cell]] = {
        _("Number"): lambda line: line.contract.reference,
        _("Service contract"): lambda line: line.contract.title,
        _("Township"): lambda line: line.stratum.township,
        _("Service item"): lambda line: line.stratum.item,
        _("In the frame"): lambda line: line.frame,
        _("Drawn"): lambda line: line.drawn,
        _("Spare cases"): lambda line: line.spare,
        _("Released"): lambda line: line.released,
        _("Design"): lambda line: str(DESIGNS[Design(line.sample.design)]),
        _("Size"): lambda line: str(line.sample.wanted),
        _("Drawn on"): lambda line: line.sample.drawn_at,
        _("SHA-256 of the seed"): lambda line: digest(line.sample.seed.seed),
        _("Seed"): lambda line: None if cycle.state in OPEN_STATES else line.sample.seed.seed,
    }
    return Sheet(_("Samples"), list(headings), [[value(line) for value in headings.values()] for line in found])


def seeds_of(session: Session, cycle: Cycle) -> Sequence[SampleSeed]:
    """Every seed that was fixed for a cycle, the newest first."""
    return session.scalars(
        select(SampleSeed).where(SampleSeed.cycle_id == cycle.id).order_by(SampleSeed.id.desc())
    ).all()


def withdrawn_of(session: Session, cycle: Cycle, *, actor: Actor) -> Sequence[Sample]:
    """The draws of the actor's branch that were taken back, the newest first."""
    return session.scalars(
        select(Sample)
        .options(joinedload(Sample.entry).joinedload(Entry.contract))
        .where(Sample.withdrawn_at.is_not(None), Sample.entry_id.in_(entries_of_branch(cycle, actor)))
        .order_by(Sample.withdrawn_at.desc(), Sample.id.desc())
    ).all()


@dataclass(frozen=True)
class Statement:
    """What the public is told of how the recipients of a contract were chosen."""

    design: LazyString
    frame: int
    drawn: int
    released: int
    seed: str
    source: str
    drawn_at: datetime


def statement_of(session: Session, cycle_id: int, reference: str) -> Statement | None:
    """Of a contract in a cycle whose collecting is over; None where everybody was asked."""
    row = session.execute(
        select(
            Sample,
            func.sum(SamplePart.frame),
            func.sum(SamplePart.drawn),
            func.sum(SamplePart.released),
        )
        .join(Sample.parts)
        .join(Sample.entry)
        .join(Entry.contract)
        .join(Entry.cycle)
        .where(Sample.withdrawn_at.is_(None), Entry.cycle_id == cycle_id, Contract.reference == reference)
        .where(Cycle.state.not_in(OPEN_STATES))
        .group_by(Sample.id)
    ).one_or_none()
    if row is None:
        return None
    sample, frame, drawn, released = row
    seed = sample.seed
    return Statement(
        DESIGNS[Design(sample.design)], int(frame), int(drawn), int(released), seed.seed, seed.source, sample.drawn_at
    )


def spares_due(session: Session, cycle: Cycle, actor: Actor) -> Iterator[Note]:
    """For the coordinator's desk: spare cases that wait to be released."""
    due = sum(line.due for line in part_lines(session, cycle, actor=actor)) if cycle.state in OPEN_STATES else 0
    if due:
        yield Note(_("Spare cases to release"), number(due), url_for("samples.sample", code=cycle.code))
