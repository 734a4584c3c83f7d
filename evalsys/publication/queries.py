"""Reads of what was published."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, contains_eager, joinedload

from evalsys.base.access import Actor
from evalsys.base.errors import Gone, NotFound
from evalsys.base.listing import Page, Sortable, Wanted, paginate
from evalsys.evaluation.models import Run
from evalsys.publication.models import Edition, EditionScore, Withdrawal, WithdrawalState
from evalsys.publication.sizes import of_size
from evalsys.registry.models import Cycle, Region
from evalsys.registry.pins import rules_of_version
from evalsys.registry.queries import cycles_under_way
from evalsys.rules.model import Rules

Of = TypeVar("Of")

SORTS: dict[str, Sortable] = {
    "score": EditionScore.score,
    "vendor": EditionScore.vendor_name,
    "contract": EditionScore.contract_title,
    "region": EditionScore.region_name,
}
SEARCHED = (
    EditionScore.vendor_name,
    EditionScore.contract_title,
    EditionScore.contract_reference,
    EditionScore.vendor_credit_code,
)

STANDING = Edition.id.not_in(select(Withdrawal.edition_id).where(Withdrawal.state == WithdrawalState.CONFIRMED))
"""Holds for editions that were not withdrawn: only these may be shown or counted."""

NEWEST = (
    select(Edition.cycle_id, func.max(Edition.number).label("number"))
    .where(STANDING)
    .group_by(Edition.cycle_id)
    .subquery("newest")
)
"""The number of each cycle's edition that holds now."""


class EditionWithdrawn(Gone):
    """What was asked for stands in an edition that was withdrawn."""

    def __init__(self, edition: Edition, order: Withdrawal) -> None:
        super().__init__(
            _(
                "%(title)s, edition %(number)s was withdrawn by order of %(authority)s.",
                title=edition.cycle.title,
                number=edition.number,
                authority=order.authority,
            ),
            remedy=_("The page of the edition says why, and which edition holds now."),
        )
        self.edition = edition


def newest_edition(session: Session, cycle: Cycle) -> Edition | None:
    """The edition of a cycle that holds now: the newest that was not withdrawn."""
    newest = select(Edition).where(Edition.cycle_id == cycle.id, STANDING).order_by(Edition.number.desc()).limit(1)
    return session.scalar(newest)


def last_number(session: Session, cycle: Cycle) -> int:
    """The number of a cycle's last edition, withdrawn or not; 0 before the first."""
    return session.scalar(select(func.max(Edition.number)).where(Edition.cycle_id == cycle.id)) or 0


def editions_in_force(session: Session) -> list[Edition]:
    """Each cycle's edition that holds now, the latest year first."""
    return list(
        session.scalars(
            _with_cycle(
                select(Edition).join(
                    NEWEST, (NEWEST.c.cycle_id == Edition.cycle_id) & (NEWEST.c.number == Edition.number)
                )
            ).order_by(Cycle.year.desc(), Edition.published_at.desc(), Edition.id.desc())
        )
    )


def editions_of(session: Session, cycle_id: int) -> list[Edition]:
    """Every edition of a cycle, withdrawn ones too, the newest first."""
    return list(
        session.scalars(
            _with_cycle(select(Edition)).where(Edition.cycle_id == cycle_id).order_by(Edition.number.desc())
        )
    )


def compared_with(session: Session, edition: Edition) -> Edition | None:
    """The edition that held when this one was published, to which its changes refer; None where there was none.

    Where it was withdrawn since, what it said may not be shown as what was before.
    """
    held = [
        other
        for other in editions_of(session, edition.cycle_id)
        if other.number < edition.number
        and (other.withdrawal is None or (other.withdrawal.decided_at or edition.published_at) > edition.published_at)
    ]
    return held[0] if held else None


def _with_cycle(statement: Select[Edition]) -> Select[Edition]:
    return statement.join(Edition.cycle).options(
        contains_eager(Edition.cycle).joinedload(Cycle.region),
        joinedload(Edition.run).joinedload(Run.rules),
        joinedload(Edition.withdrawal),
    )


def edition_by_id(session: Session, number: int) -> Edition:
    """An edition that may be shown.

    Raises:
        NotFound: there is no such edition.
        EditionWithdrawn: it was withdrawn.
    """
    edition = any_edition(session, number)
    if edition.withdrawal is not None:
        raise EditionWithdrawn(edition, edition.withdrawal)
    return edition


def any_edition(session: Session, number: int) -> Edition:
    """An edition, withdrawn or not, of which no numbers may be shown before that is known.

    Raises:
        NotFound: there is no such edition.
    """
    edition = session.scalar(_with_cycle(select(Edition)).where(Edition.id == number))
    if edition is None:
        raise NotFound(_("There is no such edition."), remedy=_("Choose one from the list of editions."))
    return edition


def rules_of_edition(edition: Edition) -> Rules:
    """The rules that an edition was scored by."""
    return rules_of_version(edition.run.rules)


def lines_of(session: Session, edition: Edition) -> list[EditionScore]:
    """Every line of an edition, by contract reference."""
    found = session.scalars(select(EditionScore).where(EditionScore.edition_id == edition.id))
    return sorted(found, key=lambda line: line.contract_reference)


@dataclass(frozen=True)
class Shown:
    """The edition a reader sees, and the one of the same cycle that holds now."""

    edition: Edition
    newest: Edition

    @property
    def is_old(self) -> bool:
        return self.edition.id != self.newest.id


def edition_shown(session: Session, asked: str = "") -> Shown | None:
    """The edition asked for by number, else the latest year's newest; None before the first is published.

    Raises:
        NotFound: there is no edition of that number.
    """
    if asked:
        return shown_edition(session, edition_number(asked))
    in_use = editions_in_force(session)
    return Shown(in_use[0], in_use[0]) if in_use else None


def edition_number(asked: str) -> int:
    """The number of an edition as an address has it; 0, which no edition has, for what is no such number."""
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 10 else 0


def shown_edition(session: Session, number: int) -> Shown:
    """An edition with the one that holds now.

    Raises:
        NotFound: there is no edition of that number.
        EditionWithdrawn: it was withdrawn.
    """
    edition = edition_by_id(session, number)
    return Shown(edition, newest_edition(session, edition.cycle) or edition)


@dataclass(frozen=True)
class Filter:
    """Which lines of an edition a reader wants to see; empty = all. It hides lines and never changes a rank."""

    region: str = ""
    service_type: str = ""
    grade: str = ""
    group: str = ""
    served: str = ""

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> Filter:
        names = {"region": "region", "type": "service_type", "grade": "grade", "group": "group", "served": "served"}
        return cls(**{field: args.get(name, "").replace("\x00", "")[:60] for name, field in names.items()})

    def narrowed(self, statement: Select[Of]) -> Select[Of]:
        """The statement with the filter's conditions."""
        if self.region:
            statement = statement.where(EditionScore.region_path.startswith(self.region, autoescape=True))
        if self.service_type:
            statement = statement.where(EditionScore.service_type == self.service_type)
        if self.grade == UNGRADED:
            statement = statement.where(EditionScore.grade.is_(None))
        elif self.grade:
            statement = statement.where(EditionScore.grade == self.grade)
        if self.group:
            statement = statement.where(EditionScore.peer_group == self.group)
        if self.served:
            statement = statement.where(of_size(EditionScore.recipients_served, self.served))
        return statement


WHOLE = 1000
"""Lines read at a time for a file, and shown at most for printing."""

ALL = 1_000_000
"""More lines than an edition has."""

UNGRADED = "none"
"""The filter's word for contracts without a grade."""


def ranking(session: Session, edition: Edition, wanted: Wanted, chosen: Filter) -> Page[EditionScore]:
    """A page of an edition; those without a rank come last."""
    page = _places(session, edition, wanted, chosen)
    return page.of(_lines(session, page.rows))


def ranking_parts(
    session: Session, edition: Edition, wanted: Wanted, chosen: Filter
) -> Iterator[Sequence[EditionScore]]:
    """All lines that `ranking` would show on its pages, in the same order, so many at a time that memory holds them."""
    places = _places(session, edition, replace(wanted, page=1, size=ALL), chosen).rows
    for start in range(0, len(places), WHOLE):
        yield _lines(session, places[start : start + WHOLE])


def _places(session: Session, edition: Edition, wanted: Wanted, chosen: Filter) -> Page[int]:
    """Numbers of lines alone are put in order: a line with its breakdown is long."""
    return paginate(
        session,
        chosen.narrowed(select(EditionScore.id).where(EditionScore.edition_id == edition.id)),
        wanted,
        sorts=SORTS | {"rank": _group_by_group(session, edition)},
        default_sort="rank",
        search=SEARCHED,
        tie=EditionScore.id,
    )


def _lines(session: Session, places: Sequence[int]) -> list[EditionScore]:
    lines = {line.id: line for line in session.scalars(select(EditionScore).where(EditionScore.id.in_(places)))}
    return [lines[place] for place in places]


def _group_by_group(session: Session, edition: Edition) -> ColumnElement[int | None]:
    """Sorts by rank inside each peer group, one group after the other; those without a rank have no place."""
    groups = sorted(session.scalars(_occurring(EditionScore.peer_group, edition)))
    place = {group: number * 1_000_000 for number, group in enumerate(groups)}
    return EditionScore.rank + (case(place, value=EditionScore.peer_group) if place else 0)


def _occurring(column: InstrumentedAttribute[str], edition: Edition) -> Select[str]:
    return select(column).where(EditionScore.edition_id == edition.id).distinct()


@dataclass(frozen=True)
class Choices:
    """What an edition can be filtered by: codes that occur in it, and regions with their branches."""

    regions: list[Region]
    service_types: list[str]
    groups: list[str]


def choices(session: Session, edition: Edition) -> Choices:
    """The filters that make sense for an edition."""
    paths = session.scalars(_occurring(EditionScore.region_path, edition)).all()
    above = {"/".join(path.split("/")[:n]) + "/" for path in paths for n in range(1, path.count("/") + 1)}
    regions = session.scalars(select(Region).where(Region.path.in_(above)).order_by(Region.path)).all()
    kinds = session.scalars(_occurring(EditionScore.service_type, edition))
    groups = session.scalars(_occurring(EditionScore.peer_group, edition))
    return Choices(list(regions), sorted(kinds), sorted(groups))


@dataclass(frozen=True)
class Published:
    """A line with the edition it stands in."""

    edition: Edition
    line: EditionScore


def in_force(session: Session, *, vendor: str = "", reference: str = "") -> list[Published]:
    """Lines of one vendor, or of one contract, in the newest edition of each cycle, the latest year first."""
    editions = {edition.id: edition for edition in editions_in_force(session)}
    order = {number: place for place, number in enumerate(editions)}
    found = session.scalars(
        select(EditionScore).where(
            EditionScore.edition_id.in_(editions),
            or_(EditionScore.vendor_credit_code == vendor, EditionScore.contract_reference == reference),
        )
    )
    lines = sorted(found, key=lambda line: (order[line.edition_id], line.contract_reference))
    return [Published(editions[line.edition_id], line) for line in lines]


def published_of_vendor(session: Session, credit_code: str) -> list[Published]:
    """A vendor's lines in the newest edition of each cycle, the latest year first.

    Raises:
        NotFound: nothing is published about it.
    """
    found = in_force(session, vendor=credit_code)
    if not found:
        raise NotFound(
            _("Nothing is published about the vendor %(code)s.", code=credit_code),
            remedy=_("Look it up in the rankings."),
        )
    return found


def statuses_of(session: Session, edition: Edition) -> dict[str, int]:
    """How many lines of an edition have each status."""
    here = EditionScore.edition_id == edition.id
    return dict(
        session.execute(select(EditionScore.status, func.count()).where(here).group_by(EditionScore.status)).all()
    )


@dataclass(frozen=True)
class ContractShown:
    """A contract's line in the edition shown, and its lines in the newest edition of every cycle."""

    shown: Shown
    line: EditionScore
    history: list[Published]


def contract_shown(session: Session, reference: str, asked: str = "") -> ContractShown:
    """A contract as an edition has it: the one asked for, else the latest that holds it.

    Raises:
        NotFound: nothing is published of it, or not in that edition.
    """
    history = in_force(session, reference=reference)
    shown = edition_shown(session, asked) if asked else None
    if shown is None and history:
        shown = Shown(history[0].edition, history[0].edition)
    line = line_in(session, shown.edition, reference) if shown else None
    if shown is None or line is None:
        raise NotFound(
            _("Nothing is published about the contract %(reference)s.", reference=reference),
            remedy=_("Look it up in the rankings."),
        )
    return ContractShown(shown, line, history)


def line_in(session: Session, edition: Edition, reference: str) -> EditionScore | None:
    """A contract's line in an edition."""
    return session.scalar(
        select(EditionScore).where(EditionScore.edition_id == edition.id, EditionScore.contract_reference == reference)
    )


def titles_in(session: Session, edition: Edition) -> Callable[[str], str]:
    """What a contract of an edition is called, by its reference; the reference itself where it is not there."""

    def title_of(reference: str) -> str:
        line = line_in(session, edition, reference)
        return line.contract_title if line else reference

    return title_of


def cycles_to_publish(session: Session, actor: Actor, wanted: Wanted) -> Page[tuple[Cycle, Edition | None]]:
    """The cycles of the actor's branch that have left preparation, with their newest editions."""
    return cycles_under_way(session, wanted, actor=actor, of=Edition, made=Edition.published_at)
