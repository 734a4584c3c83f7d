"""`evalsys rules estimate-adjustment`: what it finds, prints and refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from evalsys.base.db import Database
from evalsys.base.errors import Conflict
from evalsys.cli import run
from evalsys.collection.models import Mode
from evalsys.config import SHIPPED_RULES, Settings
from evalsys.evaluation import adjustment_estimate
from evalsys.evaluation.adjustment_estimate import estimated_adjustment
from evalsys.registry.models import Cycle
from evalsys.registry.pins import rules_of
from evalsys.rules.loading import loads
from evalsys.rules.model import Source
from tests.evaluation.rated import all_at, respond
from tests.factories import make_contract, make_cycle, make_entry


def answered_cycle(session: Session, *, state: str = "published", telephone: int = 5, proxies: bool = True) -> Cycle:
    """Two contracts, one better than the other; recipients asked by telephone give this level, the others a 3 or 4."""
    cycle = make_cycle(session, code="2026", state=state)
    for own in (3, 4):
        entry = make_entry(session, cycle=cycle, contract=make_contract(session, service_type="care"))
        for mode, level in ((Mode.SELF, own), (Mode.TELEPHONE, min(own + telephone - 4, 5))):
            for number in range(6):
                answers = all_at(cycle, "recipient", "care", level)
                if proxies:
                    answers["recipient_proxy"] = float(1 + number % 2)
                respond(session, entry, answers, mode=mode)
    return cycle


def test_what_it_prints_is_a_section_of_a_rules_file(session: Session, app: object) -> None:
    told = estimated_adjustment(session, answered_cycle(session), reference_mode="self")
    rules = loads(SHIPPED_RULES.read_bytes() + b"\n" + told.encode(), "with the section")
    assert rules.adjustment is not None
    assert rules.adjustment.reference_mode == "self"
    assert "2026" in rules.adjustment.ground.zh
    found = {(c.dimension, c.mode or c.criterion): c.points for c in rules.adjustment.coefficients}
    # a level is 25 points; who answers makes no difference
    for dimension in ("outcomes", "management", "impact"):
        assert found[dimension, "telephone"] == pytest.approx(25)
        assert found[dimension, "recipient_proxy"] == pytest.approx(0, abs=0.01)
    assert "# standard error" in told
    assert "24 recipients, mean 0.500" in told


def test_another_reference_turns_the_sign(session: Session, app: object) -> None:
    told = estimated_adjustment(session, answered_cycle(session), reference_mode="telephone")
    assert 'mode = "self"\npoints = -25.0' in told


def test_what_nobody_answered_has_to_be_left_out(session: Session, app: object) -> None:
    cycle = answered_cycle(session, proxies=False)
    with pytest.raises(Conflict, match="recipient_proxy") as refused:
        estimated_adjustment(session, cycle, reference_mode="self")
    assert "--without" in refused.value.remedy
    told = estimated_adjustment(session, cycle, reference_mode="self", without=["recipient_proxy"])
    assert "recipient_proxy" not in told
    assert 'mode = "telephone"\npoints = 25.0' in told


def test_nothing_to_compare_is_refused(session: Session, app: object) -> None:
    cycle = answered_cycle(session)
    with pytest.raises(Conflict, match="paper") as refused:
        estimated_adjustment(session, cycle, reference_mode="paper")
    assert "--reference-mode" in refused.value.remedy


def test_rules_without_adjusters_leave_the_modes(
    session: Session, app: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    cycle = answered_cycle(session, proxies=False)
    rules = rules_of(cycle)
    scored = tuple(criterion for criterion in rules.criteria if criterion.source is not Source.ADJUSTER)
    monkeypatch.setattr(adjustment_estimate, "rules_of", lambda _cycle: rules.model_copy(update={"criteria": scored}))
    told = estimated_adjustment(session, cycle, reference_mode="self")
    assert "criterion" not in told
    assert 'mode = "telephone"' in told


def test_the_command_prints_it_and_refuses_an_open_cycle(
    database: Database,
    settings: Settings,
    write: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EVALSYS_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("EVALSYS_LANGUAGE", "zh")
    write(lambda session: answered_cycle(session, state="collecting"))
    assert run(["rules", "estimate-adjustment", "2026"]) == 2
    assert "尚未公告" in capsys.readouterr().err
    with database.transaction() as session:
        session.query(Cycle).one().state = "published"
    assert run(["rules", "estimate-adjustment", "2026"]) == 0
    assert capsys.readouterr().out.startswith('[adjustment]\nreference_mode = "self"\n')
