"""The bulletin of an edition (公告): what stands in it. `templates/publication/bulletin.typ` says how it looks.

An edition never changes, so its bulletin never does, but for what is said of it: as long as no objection comes or goes,
the same bytes come out whoever asks, whenever.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from evalsys.base.errors import NotFound
from evalsys.base.language import CHINA, day, language, number, percent, points, words
from evalsys.base.listing import Page, Wanted
from evalsys.base.typesetting import typeset
from evalsys.collection.counting import rr1
from evalsys.evaluation.naming import Names
from evalsys.evaluation.sentences import reasons
from evalsys.publication import queries
from evalsys.publication.models import Edition, EditionRecord, EditionScore
from evalsys.publication.queries import Filter, rules_of_edition
from evalsys.publication.remarks import tags_of
from evalsys.publication.sealing import record_of
from evalsys.publication.tallies import Tally, tally_of

IN_ONE = 2000
"""Contracts that one file lists: it is made in seconds, with 250 MB. More stand in annexes of so many each."""

LONGEST_WORD = 14
"""Characters without a place to break a line after which one is made, so that no name runs into the next column."""

_UNBROKEN = re.compile(rf"([!-~]{{{LONGEST_WORD}}})(?=[!-~])")
_at_the_press = threading.Lock()

Block = dict[str, Any]


def bulletin_pdf(session: Session, edition: Edition, *, annex: int, base_url: str, fonts: Path | None) -> bytes:
    """The bulletin, or one of its annexes.

    Args:
        session: reads.
        edition: whose.
        annex: from 1; 0 for the bulletin itself.
        base_url: where the site is reached.
        fonts: a folder of fonts; those that came with the program when not given.

    Raises:
        NotFound: there is no such annex.
        Conflict: the folder of fonts has none.
    """
    names = Names(rules_of_edition(edition))
    tally = tally_of(session, edition, names.rules)
    if not 0 <= annex <= annexes_of(tally.contracts):
        raise NotFound(_("This bulletin has no such annex."), remedy=_("Start from the page of the edition."))
    told = _head(edition)
    if annex:
        told |= _annex(_page(session, edition, annex), names, annex)
    else:
        told |= _whole(session, edition, tally, names, base_url.rstrip("/"))
    with _at_the_press:  # a page of many at once would take the memory of many
        return _pressed(json.dumps(told, ensure_ascii=False), fonts, edition.published_at)


def annexes_of(contracts: int) -> int:
    """How many annexes the bulletin of so many contracts has."""
    return -(-contracts // IN_ONE) if contracts > IN_ONE else 0


@lru_cache(maxsize=8)
def _pressed(told: str, fonts: Path | None, made_at: datetime) -> bytes:
    return typeset("publication/bulletin", fonts, made_at=made_at, standards=("ua-1",), **json.loads(told))


def _head(edition: Edition) -> Block:
    cycle, published = edition.cycle, edition.published_at.astimezone(CHINA)
    return {
        "language": language(),
        "title": [cycle.title, _("Announcement of the result")],
        "under": _("Edition %(number)s, a correction", number=edition.number) if edition.number > 1 else "",
        "simulated": _("Simulated data: the people, bodies and scores on these pages are invented.")
        if cycle.simulated
        else "",
        "published": [published.year, published.month, published.day],
    }


def _page(session: Session, edition: Edition, annex: int = 1) -> Page[EditionScore]:
    return queries.ranking(session, edition, Wanted(page=annex, size=IN_ONE), Filter())


def _annex(page: Page[EditionScore], names: Names, annex: int) -> Block:
    named = _(
        "Annex %(annex)s: results in detail (%(first)s–%(last)s of %(total)s)",
        annex=annex,
        first=number(page.first),
        last=number(page.last),
        total=number(page.total),
    )
    return {"under": named, "intro": "", "small": True, "sections": [_section("", [], _results(page.rows, names))]}


def _whole(session: Session, edition: Edition, tally: Tally, names: Names, base_url: str) -> Block:
    rules = names.rules
    separator: str = _(", ")
    intro = _(
        "Under “%(rules)s” (version %(version)s), %(parties)s evaluated the services purchased in %(region)s in"
        " %(year)s. The result is announced as follows.",
        rules=words(rules.title),
        version=rules.version,
        parties=separator.join(words(party.name) for party in rules.parties),
        region=edition.cycle.region.name,
        year=edition.cycle.year,
    )
    sections = [_subjects(tally, names), _method(edition, names, base_url), _raters(tally, names)]
    if annexes := annexes_of(tally.contracts):
        sections.append(_in_annexes(edition, tally, annexes, base_url))
    else:
        sections.append(_section(_("The results"), [], _results(_page(session, edition).rows, names)))
    if edition.number > 1:
        sections.append(_correction(session, edition, base_url))
    if remarks := _remarks(session, edition):
        sections.append(remarks)
    sections.append(_checking(edition, record_of(session, edition), base_url))
    region = edition.cycle.region.name
    return {
        "intro": intro,
        "small": tally.contracts > 200,
        "sections": sections,
        "issuer": _("Office for the evaluation of purchased services, %(region)s", region=region),
        "date": day(edition.published_at),
    }


def _subjects(tally: Tally, names: Names) -> Block:
    separator: str = _(", ")
    grades = [(names.grade(grade.code), tally.grades.get(grade.code, 0)) for grade in names.rules.grades]
    statuses = [(names.status(status), count) for status, count in tally.statuses.items()]
    shown = [_("%(result)s %(count)s", result=name, count=number(count)) for name, count in statuses if count]
    graded = [_("%(result)s %(count)s", result=name, count=number(count)) for name, count in grades]
    told = [
        _(
            "%(contracts)s contracts of %(vendors)s vendors for %(purchasers)s purchasers were evaluated.",
            contracts=number(tally.contracts),
            vendors=number(tally.vendors),
            purchasers=number(tally.purchasers),
        ),
        _(
            "By status: %(statuses)s. By grade: %(grades)s.",
            statuses=separator.join(shown),
            grades=separator.join(graded),
        ),
    ]
    return _section(_("What was evaluated"), told)


def _method(edition: Edition, names: Names, base_url: str) -> Block:
    rules = names.rules
    separator: str = _(", ")
    bands = [
        _("“%(grade)s” from %(start)s points", grade=words(grade.name), start=f"{grade.start:g}")
        for grade in rules.grades
    ]
    mean = (
        _("The dimensions, weighted as below, are multiplied to the score (geometric mean).")
        if rules.aggregation == "geometric"
        else _("The score is their mean, weighted as below.")
    )
    told = [
        _("Every answer earns 0 to 100 points; each party's answers on a dimension are averaged.")
        + ("" if language() == "zh" else " ")
        + mean,
        _(
            "Each score comes with its interval at a confidence of %(level)s, each rank as the set of ranks it may have"
            " in its group. Grades go by the score that is not rounded: %(bands)s. Where ratings are too few or the"
            " interval too wide, there is no grade, and the reason is given.",
            level=percent(rules.interval.level),
            bands=separator.join(bands),
        ),
        _(
            "The method in full, with an example: %(address)s",
            address=base_url + url_for("publication.method", edition=edition.id),
        ),
    ]
    head = [_("Dimension"), *(words(party.name) for party in rules.parties), _("Together")]
    rows = [
        [
            names.dimension(row.dimension),
            *(percent(rules.weight(row.dimension, party.code), 1) for party in rules.parties),
            percent(row.share, 1),
        ]
        for row in rules.weights
    ]
    return _section(
        _("How it was evaluated"), told, [_table("", head, rows, [1.0] * len(head), right=range(1, len(head)))]
    )


def _raters(tally: Tally, names: Names) -> Block:
    told = []
    rate = rr1(tally.answered, tally.invited, gone=tally.gone)
    if rate is not None:
        told.append(
            _(
                "%(invited)s recipients were invited and %(answered)s answered: a response rate (AAPOR RR1) of"
                " %(rate)s.",
                invited=number(tally.invited),
                answered=number(tally.answered),
                rate=percent(rate, 1),
            )
        )
    told.append(
        _(
            "%(received)s answers received = %(counted)s not held + %(held)s held back for examination.",
            received=number(tally.received),
            counted=number(tally.received - tally.held),
            held=number(tally.held),
        )
    )
    rows = [[names.party(code), number(count)] for code, count in tally.raters.items()]
    return _section(
        _("Who took part"), told, [_table("", [_("Party"), _("Ratings counted")], rows, [1.0, 1.0], right=range(1, 2))]
    )


def _in_annexes(edition: Edition, tally: Tally, annexes: int, base_url: str) -> Block:
    told = _(
        "The results of all %(total)s contracts stand in %(annexes)s annexes; the first is at %(address)s",
        total=number(tally.contracts),
        annexes=number(annexes),
        address=base_url + url_for("publication.bulletin", number=edition.id, annex=1),
    )
    return _section(_("The results"), [told])


def _results(lines: Sequence[EditionScore], names: Names) -> Iterator[Block]:
    """A table a peer group, then those that are not rated."""
    head = [_("Rank"), _("Contract"), _("Vendor"), _("Score"), _("Grade")]
    scored = [line for line in lines if line.score is not None]
    for group, members in groupby(scored, key=lambda line: line.peer_group):
        rows = [_row(line, names) for line in members]
        yield _table(names.group(group), head, rows, [1.2, 4.4, 3.2, 2.0, 1.7])
    rows = [
        [_contract(line), _broken(line.vendor_name), " ".join(reasons(line, names))]
        for line in lines
        if line.score is None
    ]
    if rows:
        yield _table(_("Not rated for now"), [_("Contract"), _("Vendor"), _("Reason")], rows, [4.0, 3.0, 5.0])


def _row(line: EditionScore, names: Names) -> list[Any]:
    grade = [names.grade(line.grade)]
    if line.status != "rated":
        grade.append(names.status(line.status))
    low, high = line.rank_low or line.rank, line.rank_high or line.rank
    return [
        f"{low}" if low == high else f"{low}–{high}",
        _contract(line),
        _broken(line.vendor_name),
        [points(line.score), f"{points(line.low)}–{points(line.high)}"],
        grade,
    ]


def _contract(line: EditionScore) -> list[str]:
    return [_broken(line.contract_title), _broken(line.contract_reference)]


def _correction(session: Session, edition: Edition, base_url: str) -> Block:
    """Why there is another edition; what differs only while the one before may be shown."""
    told, before = [edition.reason], queries.compared_with(session, edition)
    if before is not None and before.withdrawal is None:
        told.append(
            ngettext(
                "The result of %(num)s contract differs from the edition before; it is listed at %(address)s",
                "The results of %(num)s contracts differ from the edition before; they are listed at %(address)s",
                len(edition.changes),
                address=base_url + url_for("publication.edition", number=edition.id),
            )
            if edition.changes
            else _("No score, interval, grade, rank or status differs from the edition before.")
        )
    return _section(_("Why it was corrected"), told)


def _remarks(session: Session, edition: Edition) -> Block | None:
    """What is said today beside lines of the edition, as objections are; None where nothing is."""
    tags = tags_of(session, edition.cycle_id)
    rows = [[_broken(reference), [remark.tag for remark in tags[reference]]] for reference in sorted(tags)]
    if not rows:
        return None
    return _section(_("Objections"), [], [_table("", [_("Contract no."), _("State")], rows, [1.0, 2.0])])


def _checking(edition: Edition, record: EditionRecord | None, base_url: str) -> Block:
    """What a stranger needs to see that nothing was changed; less for an edition without a seal."""
    run = edition.run
    told = [_("Anybody can compute these results again and see whether a digit was changed.")]
    rows = [[_("Edition"), base_url + url_for("publication.edition", number=edition.id)]]
    if record is not None:
        told.append(
            _("Take the open data and run “evalsys verify”, or any program of your own; the README in it says how.")
        )
        told.append(_("Whoever answered can check the receipt: it proves that the answer is among those received."))
        rows += [
            [_("Open data"), base_url + url_for("publication.bundle", number=edition.id)],
            [_("Check a receipt"), base_url + url_for("publication.receipt_form")],
            [_("Answers received"), number(record.leaves)],
            [_("Root of all answers received"), record.root],
            [_("edition.json (SHA-256)"), record.hash],
            [_("Signed with key"), " ".join(record.fingerprints)],
        ]
    rows += [
        [_("Rules (SHA-256)"), run.rules.hash],
        [_("Inputs (SHA-256)"), run.inputs_hash],
        [_("Program"), run.code_version],
    ]
    return _section(_("How to check it"), told, [_table("", [_("What"), _("Value")], rows, [2.2, 8.0], marks=True)])


def _section(title: str, told: Sequence[str], tables: Iterator[Block] | Sequence[Block] = ()) -> Block:
    return {"title": title, "told": list(told), "tables": list(tables)}


def _table(
    title: str,
    head: list[str],
    rows: list[list[Any]],
    widths: list[float],
    *,
    right: range = range(0),
    marks: bool = False,
) -> Block:
    """`right`: columns of numbers; `marks`: the last column holds hashes and addresses, set small."""
    return {"title": title, "head": head, "rows": rows, "widths": widths, "right": list(right), "marks": marks}


def _broken(text: str) -> str:
    return _UNBROKEN.sub("\\1\u200b", text)
