"""What an edition says of the whole cycle: ranks under other weights, distributions of scores and answers."""

from __future__ import annotations

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.errors import NotFound
from evalsys.base.listing import Wanted, paginate
from evalsys.evaluation import distribution, sensitivity
from evalsys.evaluation.distribution import Distribution
from evalsys.evaluation.naming import Names
from evalsys.evaluation.reliability_page import ReliabilityPage
from evalsys.evaluation.sensitivity import LEADING, Sensitivity, chosen_group, next_of, place_of
from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.queries import SEARCHED, SORTS, rules_of_edition


def sensitivity_of_edition(session: Session, edition: Edition, wanted: Wanted, *, group: str = "") -> Sensitivity:
    """Ranks under other weights inside one peer group; editions from before this step say nothing."""
    ranked = EditionScore.edition_id == edition.id, EditionScore.rank.is_not(None)
    groups = sorted(session.scalars(select(EditionScore.peer_group).where(*ranked).distinct()))
    group = chosen_group(group, groups)
    statement = select(EditionScore).where(*ranked, EditionScore.peer_group == group)
    page = paginate(
        session,
        statement,
        wanted,
        sorts=SORTS | {"rank": EditionScore.rank},
        default_sort="rank",
        search=SEARCHED,
        tie=EditionScore.id,
    )
    titles = _titles(session, edition, [next_of(line) for line in page.rows])
    places = [
        place_of(
            line, reference=line.contract_reference, title=line.contract_title, vendor=line.vendor_name, titles=titles
        )
        for line in page.rows
    ]
    leading = session.scalars(statement.where(EditionScore.rank <= LEADING)).all()
    told = sensitivity.leaders((line, line.contract_title) for line in leading)
    return sensitivity.sensitivity(Names(rules_of_edition(edition)), page.of(places), told, groups, group)


def _titles(session: Session, edition: Edition, references: list[str]) -> dict[str, str]:
    found = session.execute(
        select(EditionScore.contract_reference, EditionScore.contract_title).where(
            EditionScore.edition_id == edition.id, EditionScore.contract_reference.in_(filter(None, references))
        )
    )
    return dict(found.all())


def distribution_of_edition(session: Session, edition: Edition) -> Distribution:
    """How its answers, scores and grades are spread."""
    statement = select(EditionScore.score, EditionScore.grade, EditionScore.breakdown).where(
        EditionScore.edition_id == edition.id
    )
    return distribution.distribution(session, statement, Names(rules_of_edition(edition)))


def reliability_of_edition(edition: Edition) -> ReliabilityPage:
    """How far the raters agreed; the severity of single evaluators is left out.

    Raises:
        NotFound: the edition says nothing of it.
    """
    told = edition.run.analyses.get("reliability")
    if not told:
        raise NotFound(
            _("Nothing is published about the reliability of these raters."),
            remedy=_("Start from the page of the edition."),
        )
    return ReliabilityPage(edition.cycle, edition.run, rules_of_edition(edition), told, (), assumed=False, named=False)


def pages_of_edition(edition: Edition) -> list[tuple[str, str]]:
    """(address, label) of the views of an edition; reliability only where something is known of it."""
    pages = [
        ("publication.edition", _("About this edition")),
        ("publication.reliability", _("Reliability of the raters")),
        ("publication.sensitivity", _("Ranks under other weights")),
        ("publication.distribution", _("Distribution of scores and answers")),
    ]
    known = bool(edition.run.analyses.get("reliability"))
    return [
        (url_for(endpoint, number=edition.id), label)
        for endpoint, label in pages
        if known or endpoint != "publication.reliability"
    ]
