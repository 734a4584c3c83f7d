"""Editions for tests, written line by line: quick, and with just the scores that a test is about."""

from __future__ import annotations

import itertools
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.evaluation.models import Run
from evalsys.publication.models import Edition, EditionScore
from evalsys.registry.models import Cycle
from tests.factories import NOW

CELLS = tuple(itertools.product(("outcomes", "management", "impact"), ("purchaser", "recipient", "third_party")))


def make_edition(session: Session, cycle: Cycle) -> Edition:
    """The next edition of a cycle, without lines."""
    assert cycle.rules_id is not None
    run = Run(
        cycle_id=cycle.id,
        rules_id=cycle.rules_id,
        seed=1,
        code_version="x",
        inputs_hash="0" * 64,
        pooled={},
        made_at=NOW,
        made_by="x",
    )
    session.add(run)
    session.flush()
    number = len(session.scalars(select(Edition.id).where(Edition.cycle_id == cycle.id)).all()) + 1
    edition = Edition(
        cycle_id=cycle.id,
        run_id=run.id,
        number=number,
        published_at=NOW,
        published_by="x",
        reason="更正" if number > 1 else "",
        changes=[],
    )
    session.add(edition)
    session.flush()
    return edition


def make_line(session: Session, edition: Edition, reference: str, score: float | None, **columns: Any) -> EditionScore:
    """A contract in an edition; `arm`: of its interval, to both sides."""
    arm = columns.pop("arm", 2.0)
    values: dict[str, Any] = {
        "contract_title": f"项目 {reference}",
        "vendor_credit_code": "914418000000000001",
        "vendor_name": "仁爱社工中心",
        "purchaser_name": "乙县民政局",
        "region_path": edition.cycle.region.path,
        "region_name": edition.cycle.region.name,
        "service_type": "care",
        "amount_fen": 10_000_000,
        "starts_on": edition.cycle.opens_on.replace(month=1, day=1),
        "ends_on": edition.cycle.opens_on.replace(month=12, day=31),
        "recipients_served": 60,
        "peer_group": "personal",
        "status": "withheld" if score is None else "rated",
        "grade": None if score is None else "good",
        "breakdown": breakdown_of(score),
    } | columns
    low, high = (None, None) if score is None else (score - arm, score + arm)
    line = EditionScore(edition_id=edition.id, contract_reference=reference, score=score, low=low, high=high, **values)
    session.add(line)
    session.flush()
    return line


def breakdown_of(score: float | None) -> dict[str, Any]:
    """As a run keeps it; every party says the same of everything."""
    cells = [
        {
            "party": party,
            "dimension": dimension,
            "n": 10,
            "weight": 1 / 9,
            "estimate": score,
            "low": score,
            "high": score,
            "contribution": None if score is None else score / 9,
            "cut": 0.0,
        }
        for dimension, party in CELLS
    ]
    return {
        "cells": cells,
        "dimensions": dict.fromkeys(("outcomes", "management", "impact"), score),
        "uneven": 0.0,
        "chances": {"excellent": 0.0, "good": 1.0, "fair": 0.0, "poor": 0.0},
        "near_boundary": False,
        "capped": False,
        "reasons": [],
        "respondents": {"purchaser": 1, "recipient": 30, "third_party": 1},
        "levels": {},
        "frame": 60,
        "ranked": 2,
        "collected": dict.fromkeys(("held", "refused", "unreachable", "died"), 0)
        | {"invited": 50, "received": 30, "answered": 30, "moved": 2},
    }
