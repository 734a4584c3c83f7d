"""Who leads under which weights: ranks of a run or an edition had the weights been chosen a little differently."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from evalsys.base.access import Actor
from evalsys.base.charts import SPAN, Axis, Piece, Row, alternative
from evalsys.base.errors import NotFound
from evalsys.base.language import percent
from evalsys.base.listing import Page, Wanted, paginate
from evalsys.evaluation.models import Run, Score
from evalsys.evaluation.naming import Names
from evalsys.evaluation.queries import latest_run
from evalsys.evaluation.sentences import Line
from evalsys.registry.cycles import cycle_by_code
from evalsys.registry.models import Contract, Cycle, Entry, Vendor
from evalsys.registry.pins import rules_of_version

LEADING = 10
"""The first ranks of a group, among which its leaders under other weights are looked for."""

WORTH_TELLING = 0.01
"""Shares of the weight space below which a leader is not named."""


@dataclass(frozen=True)
class Place:
    """One contract: its rank with the published weights, and what other weights do to it.

    Attributes:
        low, high: range of ranks over plausible weights.
        first: share of the weights under which it leads its group.
        next: the title of the next one down; empty for the last.
        leads: share of the weights under which it stands above that one.
    """

    reference: str
    title: str
    vendor: str
    group: str
    score: float
    rank: int
    low: int
    high: int
    first: float
    next: str
    leads: float | None


@dataclass(frozen=True)
class Sensitivity:
    """A page of places inside one peer group.

    Attributes:
        leaders: a sentence: who leads the group under which weights; empty where that is not known.
        groups: codes that occur; `group` is the one shown.
        told: the chart in words.
    """

    names: Names
    page: Page[Place]
    leaders: str
    groups: Sequence[str]
    group: str
    told: str

    @property
    def is_on(self) -> bool:
        """Whether the rules have the step at all."""
        return self.names.rules.sensitivity is not None

    def places(self) -> Sequence[Place]:
        """The page's places, to be drawn.

        Raises:
            NotFound: there are none.
        """
        if not self.page.rows:
            raise nothing_to_draw()
        return self.page.rows


@dataclass(frozen=True)
class SensitivityOfRun:
    """The same of the newest run of a cycle."""

    cycle: Cycle
    sensitivity: Sensitivity


def sensitivity_of_run(
    session: Session, code: str, wanted: Wanted, *, group: str = "", actor: Actor
) -> SensitivityOfRun:
    """Ranks under other weights in the newest run.

    Raises:
        NotAllowed: the cycle belongs to another region.
        NotFound: there is no such cycle, or it is not scored.
    """
    cycle, run = newest_run(session, code, actor=actor)
    ranked = Score.run_id == run.id, Score.rank.is_not(None)
    groups = sorted(session.scalars(select(Score.peer_group).where(*ranked).distinct()))
    group = chosen_group(group, groups)
    statement = (
        select(Score)
        .join(Score.entry)
        .join(Entry.contract)
        .join(Contract.vendor)
        .where(*ranked, Score.peer_group == group)
        .options(contains_eager(Score.entry).contains_eager(Entry.contract).contains_eager(Contract.vendor))
    )
    page = paginate(
        session,
        statement,
        wanted,
        sorts={"rank": Score.rank, "score": Score.score, "contract": Contract.title, "vendor": Vendor.name},
        default_sort="rank",
        search=(Contract.reference, Contract.title, Vendor.name),
        tie=Score.id,
    )
    below = [next_of(score) for score in page.rows]
    titles = dict(
        session.execute(
            select(Contract.reference, Contract.title).where(Contract.reference.in_(filter(None, below)))
        ).all()
    )
    places = [
        place_of(s, reference=c.reference, title=c.title, vendor=c.vendor.name, titles=titles)
        for s, c in ((score, score.entry.contract) for score in page.rows)
    ]
    leading = session.scalars(statement.where(Score.rank <= LEADING)).all()
    names = Names(rules_of_version(run.rules))
    told = leaders((score, score.entry.contract.title) for score in leading)
    return SensitivityOfRun(cycle, sensitivity(names, page.of(places), told, groups, group))


def nothing_to_draw() -> NotFound:
    """What is said where a chart is asked for that has no rows."""
    return NotFound(_("There is nothing to draw here."), remedy=_("Read the page that the chart belongs to."))


def chosen_group(asked: str, groups: Sequence[str]) -> str:
    """The group asked for, else the first: ranks exist only inside a group."""
    return asked if asked in groups else next(iter(groups), "")


def newest_run(session: Session, code: str, *, actor: Actor) -> tuple[Cycle, Run]:
    """A cycle of the actor's branch with its newest run.

    Raises:
        NotAllowed: the cycle belongs to another region.
        NotFound: there is no such cycle, or it is not scored.
    """
    cycle = cycle_by_code(session, code)
    actor.require_region(cycle.region.path)
    run = latest_run(session, cycle)
    if run is None:
        raise NotFound(
            _("The cycle %(code)s is not scored yet.", code=code), remedy=_("Score it, then look at this page again.")
        )
    return cycle, run


def sensitivity(names: Names, page: Page[Place | None], told: str, groups: Sequence[str], group: str) -> Sensitivity:
    """Put a page together; lines of which nothing is known are left out."""
    known = [place for place in page.rows if place is not None]
    words = alternative(_("Ranks under other weights"), ranges(known)) if known else ""
    return Sensitivity(names, page.of(known), told, groups, group, words)


def next_of(line: Line) -> str:
    """The reference of the next one down; empty where there is none."""
    return (line.breakdown.get("weight_space") or {}).get("next") or ""


def place_of(line: Line, *, reference: str, title: str, vendor: str, titles: Mapping[str, str]) -> Place | None:
    """None where the step was off or the line has no score."""
    space = line.breakdown.get("weight_space")
    if space is None or line.score is None or line.rank is None:
        return None
    return Place(
        reference=reference,
        title=title,
        vendor=vendor,
        group=line.peer_group,
        score=line.score,
        rank=line.rank,
        low=space["low"],
        high=space["high"],
        first=space["first"],
        next=titles.get(next_of(line), next_of(line)),
        leads=space["leads"] if space["next"] else None,
    )


def leaders(lines: Iterable[tuple[Line, str]]) -> str:
    """Who leads a group under which share of the weights, in a sentence; `lines` with their titles."""
    found = [((line.breakdown.get("weight_space") or {}).get("first") or 0.0, title) for line, title in lines]
    shares = [
        _("“%(title)s” in %(share)s", title=title, share=percent(first))
        for first, title in sorted(found, key=lambda item: (-item[0], item[1]))
        if first >= WORTH_TELLING
    ]
    separator: str = _(", ")
    return _("Of the weights drawn, this leads the group: %(list)s.", list=separator.join(shares)) if shares else ""


def ranges(places: Sequence[Place]) -> list[Row]:
    """A bar a contract over the ranks it would have, a mark at the published one."""
    return [
        Row(
            _("%(title)s (%(vendor)s)", title=place.title, vendor=place.vendor),
            (Piece(place.low - 0.4, place.high + 0.4, SPAN),),
            _("%(rank)s (%(low)s–%(high)s)", rank=place.rank, low=place.low, high=place.high),
            float(place.rank),
        )
        for place in places
    ]


def rank_axis(places: Sequence[Place]) -> Axis:
    """From the best rank that occurs to the worst."""
    return Axis(_("Rank"), min(p.low for p in places) - 1.0, max(p.high for p in places) + 1.0, "whole")
