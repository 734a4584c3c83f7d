"""How far the survey has come: the one place where invitations and answers are counted.

Everything is read by contract and part of its frame, and added up from there. An answer knows its part only where at
least five of it were asked; receipts know none.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.listing import Page, Wanted, page_of
from evalsys.collection.models import Invitation, Outcome, ReceiptLeaf, Response
from evalsys.collection.sample_cases import unsampled_of_part
from evalsys.registry.models import Contract, Cycle, Entry, Region, Stratum, Vendor

Cell = tuple[int, int | None]
"""An entry, and a stratum of it; None where the stratum is not told."""


@dataclass(frozen=True)
class Figures:
    """How far the survey of a cycle, or of a part of it, has come.

    Attributes:
        frame: recipients that the frame names.
        unsampled: of these not to be asked, for a sample was drawn without them.
        invited: codes given out.
        used: codes that were answered with.
        received: receipts of answers, which stand apart from codes and answers.
        counted, held: answers to the survey that count, and those held back for review. Answers from files are none of
            these: they have neither code nor receipt. So received = counted + held, and used = received, always.
        filed, filed_held: answers from files that count, and those held back.
        refused, unreachable, moved, died: invitations of which somebody said why they have no answer.
        paper: recipients who got a form on paper, from whom no answer has come in yet.
        modes, helpers: how the answers that count came, those from files included, and who helped, where that is known.
    """

    frame: int = 0
    unsampled: int = 0
    invited: int = 0
    used: int = 0
    received: int = 0
    counted: int = 0
    held: int = 0
    filed: int = 0
    filed_held: int = 0
    refused: int = 0
    unreachable: int = 0
    moved: int = 0
    died: int = 0
    paper: int = 0
    modes: Counter[str] = field(default_factory=Counter)
    helpers: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @property
    def rate(self) -> float | None:
        """The response rate, see `rr1`."""
        return rr1(self.used, self.invited, gone=self.moved + self.died)

    @property
    def missing(self) -> int:
        """Recipients to be asked who have no code."""
        return max(0, self.frame - self.unsampled - self.invited)

    @property
    def unused(self) -> int:
        """Codes that nobody has answered with, and of whose recipient nothing is known."""
        return self.invited - self.used - self.refused - self.unreachable - self.moved - self.died - self.paper


def rr1(answered: int, invited: int, *, gone: int) -> float | None:
    """AAPOR's response rate 1: answers among all invited but those who were no recipients any more.

    Who refused, was not reached, or of whom nothing is known counts as asked: it is the lowest of AAPOR's rates. None
    where nobody is left to ask.

    Source:
        AAPOR, Standard Definitions: Final Dispositions of Case Codes and Outcome Rates for Surveys (2016), RR1.
    """
    return answered / (invited - gone) if invited > gone else None


def entries_of_branch(cycle: Cycle, actor: Actor) -> Select[int]:
    """The cycle's entries in the actor's branch: a county acts in its own part of the city's cycle."""
    return (
        select(Entry.id)
        .join(Contract, Entry.contract_id == Contract.id)
        .join(Region, Contract.region_id == Region.id)
        .where(Entry.cycle_id == cycle.id, Region.path.startswith(actor.region_path, autoescape=True))
    )


def by_cell(session: Session, entries: Select[int]) -> dict[Cell, Figures]:
    """The figures of every part of some entries' frames; receipts under the part that is not told."""
    found: dict[Cell, Figures] = defaultdict(Figures)
    for cell, figures in (*_frames(session, entries), *_invited(session, entries), *_answers(session, entries)):
        found[cell] += figures
    leaves = select(ReceiptLeaf.entry_id, func.count()).where(ReceiptLeaf.entry_id.in_(entries))
    for entry_id, received in session.execute(leaves.group_by(ReceiptLeaf.entry_id)):
        found[entry_id, None] += Figures(received=received)
    return found


def by_entry(session: Session, entries: Select[int]) -> dict[int, Figures]:
    """The figures of each entry of which anything is known."""
    found: dict[int, Figures] = defaultdict(Figures)
    for (entry_id, _stratum), figures in by_cell(session, entries).items():
        found[entry_id] += figures
    return found


def figures(session: Session, cycle: Cycle, *, actor: Actor) -> Figures:
    """How far a cycle has come in the actor's branch."""
    return sum(by_entry(session, entries_of_branch(cycle, actor)).values(), Figures())


@dataclass(frozen=True)
class ContractFigures:
    """How far one contract has come."""

    reference: str
    title: str
    vendor: str
    figures: Figures


SORTS = ("frame", "invited", "received", "counted")


def figures_by_contract(session: Session, cycle: Cycle, wanted: Wanted, *, actor: Actor) -> Page[ContractFigures]:
    """How far each contract of the branch has come, one page of them."""
    entries = entries_of_branch(cycle, actor)
    known: Mapping[int, Figures] = by_entry(session, entries)
    contracts = session.execute(
        select(Entry.id, Contract.reference, Contract.title, Vendor.name)
        .join(Entry.contract)
        .join(Contract.vendor)
        .where(Entry.id.in_(entries))
        .order_by(Contract.reference)
    )
    return page_of(
        [
            ContractFigures(reference, title, vendor, known.get(entry_id, Figures()))
            for entry_id, reference, title, vendor in contracts
        ],
        wanted,
        sorts={
            "reference": lambda row: row.reference,
            "title": lambda row: row.title,
            "vendor": lambda row: row.vendor,
            **{name: _figure(name) for name in SORTS},
        },
        default_sort="reference",
        search=lambda row: (row.reference, row.title, row.vendor),
    )


def _figure(name: str) -> Callable[[ContractFigures], int]:
    return lambda row: int(getattr(row.figures, name))


def _frames(session: Session, entries: Select[int]) -> Iterable[tuple[Cell, Figures]]:
    rows = session.execute(
        select(Stratum.entry_id, Stratum.id, Stratum.size, unsampled_of_part().label("unsampled")).where(
            Stratum.entry_id.in_(entries)
        )
    )
    return [
        ((entry_id, stratum_id), Figures(frame=size, unsampled=unsampled or 0))
        for entry_id, stratum_id, size, unsampled in rows
    ]


def _invited(session: Session, entries: Select[int]) -> Iterable[tuple[Cell, Figures]]:
    cell = (Invitation.entry_id, Invitation.stratum_id)
    unanswered = [func.count().filter(Invitation.outcome == why, ~Invitation.used) for why in Outcome]
    rows = session.execute(
        select(*cell, func.count(), func.count().filter(Invitation.used), *unanswered)
        .where(Invitation.entry_id.in_(entries))
        .group_by(*cell)
    )
    for entry_id, stratum_id, invited, used, *outcomes in rows:
        said = dict(zip((why.value for why in Outcome), outcomes, strict=True))
        yield (entry_id, stratum_id), Figures(invited=invited, used=used, **said)


def _answers(session: Session, entries: Select[int]) -> Iterable[tuple[Cell, Figures]]:
    each = (
        Response.entry_id,
        Response.stratum_id,
        Response.mode,
        Response.helper,
        Response.import_id.is_not(None),
        Response.held,
    )
    rows = session.execute(select(*each, func.count()).where(Response.entry_id.in_(entries)).group_by(*each))
    for entry_id, stratum_id, mode, helper, filed, held, count in rows:
        if held:
            found = Figures(filed_held=count) if filed else Figures(held=count)
        else:
            ways = Counter({mode: count}), Counter({helper: count} if helper else {})
            found = Figures(filed=count * filed, counted=count * (not filed), modes=ways[0], helpers=ways[1])
        yield (entry_id, stratum_id), found
