"""The method as an edition's own rules have it, with an example from its own numbers."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.base.language import number, percent, points, words
from evalsys.evaluation.naming import Names
from evalsys.evaluation.scorecard import Scorecard, scorecard
from evalsys.publication import queries
from evalsys.publication.formulas import symbols, typeset
from evalsys.publication.models import EditionScore
from evalsys.publication.queries import Shown, rules_of_edition
from evalsys.publication.sealing import record_of
from evalsys.publication.worked_example import Worked, example_of, worked
from evalsys.publication.worked_words import Chapter, chapters
from evalsys.rules.explanation import shares_of_score
from evalsys.rules.loading import load
from evalsys.rules.model import BandScale, Criterion, GoalpostScale, Rules, Source
from evalsys.rules.steps import Step, steps
from evalsys.scoring.composite import MILLION, level_points


@dataclass(frozen=True)
class Asked:
    """A criterion as the page tells it; `share`: of the score, in words, empty where it is not scored."""

    criterion: Criterion
    dimension: str
    share: str
    scale: str
    service_types: str


@dataclass(frozen=True)
class Method:
    """Everything the methodology page says. `worked`: the example from its open data, where that tells enough."""

    rules: Rules
    names: Names
    shown: Shown | None
    asked: dict[str, list[Asked]]
    steps: tuple[Step, ...]
    formulas: dict[int, list[Markup]]
    symbols: list[tuple[Markup, str]]
    example: EditionScore | None
    card: Scorecard | None
    worked: Worked | None
    chapters: list[Chapter]


def method(session: Session, asked_edition: str = "") -> Method:
    """The method of the edition asked for, else of the latest, else of the rules that are shipped.

    Raises:
        NotFound: there is no such edition.
    """
    shown = queries.edition_shown(session, asked_edition)
    rules = rules_of_edition(shown.edition) if shown else load(config.SHIPPED_RULES)
    names = Names(rules)
    example = example_of(session, shown.edition) if shown else None
    record = record_of(session, shown.edition) if shown else None
    reckoned = worked(record, example.contract_reference, rules) if record and example else None
    told = steps(rules)
    return Method(
        rules=rules,
        names=names,
        shown=shown,
        asked={
            party.code: [_asked(criterion, names) for criterion in rules.criteria if criterion.party == party.code]
            for party in rules.parties
        },
        steps=told,
        formulas={step.number: [typeset(formula) for formula in step.formulas] for step in told},
        symbols=symbols(),
        example=example,
        card=_card(session, example, names),
        worked=reckoned,
        chapters=chapters(reckoned, example, names) if reckoned and example else [],
    )


def _card(session: Session, example: EditionScore | None, names: Names) -> Scorecard | None:
    if example is None:
        return None
    return scorecard(example, names, title_of=queries.titles_in(session, example.edition))


def _asked(criterion: Criterion, names: Names) -> Asked:
    separator: str = _(", ")
    return Asked(
        criterion=criterion,
        dimension=names.dimension(criterion.dimension) if criterion.dimension else "—",
        share=_share(criterion, names.rules),
        scale=_scale(criterion, names),
        service_types=separator.join(names.service_type(code) for code in criterion.service_types),
    )


def _share(criterion: Criterion, rules: Rules) -> str:
    shares = shares_of_score(rules, criterion) if criterion.source is not Source.ADJUSTER else None
    if shares is None:
        return ""
    least, greatest = (percent(share, 1) for share in shares)
    return least if least == greatest else f"{least}–{greatest}"


def _scale(criterion: Criterion, names: Names) -> str:
    scale = names.rules.scale_of(criterion)
    separator: str = _(", ")
    if isinstance(scale, GoalpostScale):
        told: str = _(
            "%(worst)s earns 0 points, %(best)s earns 100, in between in proportion (%(unit)s)",
            worst=f"{scale.worst:g}",
            best=f"{scale.best:g}",
            unit=words(scale.unit),
        )
        return told
    if isinstance(scale, BandScale):
        steps = [_("from %(at)s: %(points)s", at=f"{band.at:g}", points=f"{band.points:g}") for band in scale.bands]
        return f"{separator.join(steps)} ({words(scale.unit)})"
    levels = names.levels(criterion.code)
    earned = level_points(len(levels)) / MILLION
    return separator.join(f"{name} {_plain(value)}" for name, value in zip(levels, earned, strict=True))


def _plain(value: float) -> str:
    return number(value) if value == round(value) else points(value)
