"""What a run keeps of the later steps: in the cells, in the columns of the scores, and of the whole cycle."""

from __future__ import annotations

import re

import pytest
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.collection.models import Mode
from evalsys.evaluation.models import Run, Score
from evalsys.evaluation.usecases import run_cycle
from evalsys.registry.models import Cycle
from tests.evaluation.rated import all_at, rated_cycle, rated_entry, respond
from tests.factories import NOW, actor, make_rules, make_stratum

ADJUSTED = """
[adjustment]
ground = { zh = "2025", en = "2025" }
coefficients = [{ dimension = "outcomes", mode = "telephone", points = 6 }]
"""
STEPS = ("weighting", "adjustment", "severity", "shrinkage", "rank_sets", "sensitivity", "reliability", "integrity")
PARTS = ("contribution", "weighting", "mode", "case_mix", "severity", "cut")


def cycle_with(session: Session, *sections: str) -> Cycle:
    """Three rated contracts and one without a score, under the shipped rules without their later steps."""
    text = config.SHIPPED_RULES.read_text()
    for name in STEPS:
        text = re.sub(rf"(?m)^\[{name}\](\n(?!\[).*)*", "", text)
    cycle = rated_cycle(session, contracts=3, rules=make_rules(session, "\n".join([text, *sections]).encode()))
    entry = rated_entry(session, cycle, recipients=(5,))
    for level in (5, 5, 4, 4, 3, 3, 2):
        respond(session, entry, all_at(cycle, "recipient", "care", level), mode=Mode.TELEPHONE)
    town = make_stratum(session, entry=entry, township="A", size=60)
    respond(session, entry, all_at(cycle, "recipient", "care", 1), stratum=town)
    rated_entry(session, cycle, recipients=(5, 1))
    return cycle


def scored(session: Session, cycle: Cycle) -> tuple[Run, list[Score]]:
    run = run_cycle(session, cycle, actor=actor(), now=NOW)
    return run, run.scores


def test_without_the_steps_nothing_of_them_is_kept(session: Session) -> None:
    run, kept = scored(session, cycle_with(session))
    assert run.analyses == {}
    for score in kept:
        assert not score.breakdown.keys() & {"collapsed", "modes", "raters", "shrunken", "rank_set", "weight_space"}
        assert not set(PARTS[1:-1]) & score.breakdown["cells"][0].keys()
        assert (score.rank_low, score.rank_high, score.band, score.shrunk, score.shrunk_sd) == (None,) * 5


def test_the_parts_of_every_step_add_up_to_the_score(session: Session) -> None:
    _run, kept = scored(session, cycle_with(session, "[weighting]", ADJUSTED, '[severity]\nparty = "third_party"'))
    assert [score.score is None for score in kept] == [False] * 4 + [True]
    for score in kept[:4]:
        parts = sum(cell[part] for cell in score.breakdown["cells"] for part in PARTS if cell["weight"])
        assert parts + score.breakdown["uneven"] == pytest.approx(score.score, abs=1e-9)
    told = kept[3].breakdown
    assert told["modes"] == {"self": 2, "telephone": 7}
    assert any(cell["mode"] for cell in told["cells"] if cell["party"] == "recipient")
    assert all(cell["n_effective"] <= cell["n"] for cell in told["cells"])
    assert told["raters"] == {"component": told["raters"]["component"], "overlapping": 0, "assumed": True}
    assert isinstance(told["collapsed"], list)
    hidden = [cell for cell in kept[4].breakdown["cells"] if cell["party"] == "recipient"]
    assert all(cell[part] is None for cell in hidden for part in (*PARTS, "n_effective", "estimate"))


def test_comparisons_stand_in_columns_breakdowns_and_analyses(session: Session) -> None:
    run, kept = scored(session, cycle_with(session, "[shrinkage]", "[rank_sets]", "[sensitivity]\ndraws = 200"))
    group = kept[0].peer_group
    for score in kept[:4]:
        told = score.breakdown
        assert (score.rank_low, score.rank_high, score.band) == tuple(
            told["rank_set"][name] for name in ("low", "high", "band")
        )
        assert 1 <= score.rank_low <= score.rank <= score.rank_high <= 4
        assert (score.shrunk, score.shrunk_sd) == (told["shrunken"]["value"], told["shrunken"]["sd"])
        assert told["shrunken"]["tau2"] == run.analyses["shrinkage"][group]["tau2"]
        assert told["shrunken"]["peer_mean"] == run.analyses["shrinkage"][group]["mean"]
        assert 1 <= told["weight_space"]["low"] <= told["weight_space"]["high"] <= 4
    nexts = [score.breakdown["weight_space"]["next"] for score in sorted(kept[:4], key=lambda score: score.rank)]
    references = {score.entry.contract.reference for score in kept[:4]}
    assert nexts[-1] is None
    assert set(nexts[:-1]) <= references
    last = kept[4]
    assert (last.rank_low, last.band, last.shrunk) == (None,) * 3
    assert last.breakdown["rank_set"] is last.breakdown["shrunken"] is last.breakdown["weight_space"] is None
    assert run.analyses["rank_sets"][group]["members"] == 4
    assert run.analyses["rank_sets"][group]["conservative"] is False
