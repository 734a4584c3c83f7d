"""Coefficients of step 3 estimated on a closed cycle, as the section to put into the rules of a later one."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.base.errors import Conflict
from evalsys.evaluation.arrays import inputs_of
from evalsys.registry.models import Cycle, CycleState
from evalsys.registry.pins import rules_of
from evalsys.rules.model import Adjustment, Coefficient, Rules, Source
from evalsys.rules.values import Text
from evalsys.scoring.cells import SAMPLED
from evalsys.scoring.circumstances import Circumstances, from_moments

ESTIMATED_IN = (CycleState.PUBLISHED, CycleState.CLOSED)
LEAST, MOST = -100.0, 100.0  # what the rules accept


def estimated_adjustment(session: Session, cycle: Cycle, *, reference_mode: str, without: Collection[str] = ()) -> str:
    """The section `[adjustment]` in TOML, standard errors as comments, ending in a newline.

    Args:
        session: reads.
        cycle: a published one.
        reference_mode: what the other modes are compared with.
        without: codes of modes and criteria to leave out.

    Raises:
        Conflict: the cycle is not published, so that its ratings may still change, or its answers do not tell.
    """
    if cycle.state not in ESTIMATED_IN:
        raise Conflict(
            _("The cycle %(code)s is not published; its ratings may still change.", code=cycle.code),
            remedy=_("Estimate on a published cycle, and use the result in the rules of a later one."),
        )
    rules = rules_of(cycle)
    inputs = inputs_of(session, cycle, _asking_all(rules))
    try:
        found = from_moments(
            inputs,
            reference_mode=reference_mode,
            modes=[code for code in inputs.modes if code not in {"", reference_mode, *without}],
            adjusters=[code for code in inputs.adjusters if code not in without],
        )
    except ValueError as error:
        raise Conflict(
            _("The answers of %(code)s do not tell: %(why)s", code=cycle.code, why=str(error)),
            remedy=_("Leave out with --without what it names, or choose another --reference-mode."),
        ) from error
    return "\n".join(_section(cycle, found, reference_mode)) + "\n"


def _asking_all(rules: Rules) -> Rules:
    """Rules that read every adjuster which recipients answer, whatever they adjust for themselves."""
    names = [c.code for c in rules.criteria if c.source is Source.ADJUSTER and c.party == SAMPLED]
    coefficients = tuple(Coefficient(dimension=rules.dimensions[0].code, criterion=name, points=0) for name in names)
    ground = Text(zh="估计", en="estimation")
    reading = Adjustment(ground=ground, coefficients=coefficients) if coefficients else None
    return rules.model_copy(update={"adjustment": reading})


def _section(cycle: Cycle, found: Circumstances, reference_mode: str) -> Iterator[str]:
    yield "[adjustment]"
    yield f'reference_mode = "{reference_mode}"'
    yield f"ground.zh = {json.dumps(f'{cycle.title}（{cycle.code}）的评分', ensure_ascii=False)}"
    yield f"ground.en = {json.dumps(f'ratings of the cycle {cycle.code}', ensure_ascii=False)}"
    circumstances = [("mode", code) for code in found.modes] + [("criterion", code) for code in found.adjusters]
    for d, dimension in enumerate(found.dimensions):
        for place, (key, code) in enumerate(circumstances):
            points = min(max(round(float(found.points[d, place]), 2), LEAST), MOST)
            yield ""
            yield "[[adjustment.coefficients]]"
            yield f'dimension = "{dimension}"'
            yield f'{key} = "{code}"'
            yield (
                f"points = {points}  # standard error {found.se[d, place]:.2f}, "
                f"{found.respondents[d]} recipients, mean {found.means[place]:.3f}"
            )
