"""Plans, candidates and published results for tests of selection."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.evaluation.models import Run
from evalsys.publication.models import Edition, EditionScore
from evalsys.registry.models import Cycle, Purchaser, Region, Vendor
from evalsys.selection.models import Candidate, Plan
from tests.factories import NOW, make_cycle, make_purchaser, make_rules

_numbers = itertools.count(1)


def make_plan(session: Session, *, purchaser: Purchaser | None = None, **columns: Any) -> Plan:
    """A renewal for 2027: technical 50, price 30, past performance 20 per cent; the reference price is 42,000 yuan."""
    purchaser = purchaser or make_purchaser(session)
    plan = Plan(
        title=columns.pop("title", f"测试采购项目{next(_numbers)}"),
        year=columns.pop("year", 2027),
        region_id=purchaser.region_id,
        purchaser_id=purchaser.id,
        service_type=columns.pop("service_type", "care"),
        use=columns.pop("use", "renewal"),
        rules_id=make_rules(session).id,
        weight_technical=columns.pop("weight_technical", 0.5),
        weight_price=columns.pop("weight_price", 0.3),
        weight_past=columns.pop("weight_past", 0.2),
        reference_fen=columns.pop("reference_fen", 4_200_000),
        created_at=NOW,
        created_by="测试员",
        **columns,
    )
    session.add(plan)
    session.flush()
    return plan


def make_candidate(
    session: Session, plan: Plan, vendor: Vendor, technical: float | None = None, offer_fen: int | None = None
) -> Candidate:
    candidate = Candidate(plan_id=plan.id, vendor_id=vendor.id, technical=technical, offer_fen=offer_fen)
    session.add(candidate)
    session.flush()
    session.expire(plan, ["candidates"])
    return candidate


def make_edition(session: Session, cycle: Cycle | None = None, *, year: int = 2026) -> Edition:
    """The next edition of a cycle."""
    cycle = cycle or make_cycle(session, state="published", year=year)
    run = Run(
        cycle_id=cycle.id,
        rules_id=cycle.rules_id,
        seed=1,
        code_version="test",
        inputs_hash="0" * 64,
        pooled={},
        made_at=NOW,
        made_by="测试员",
    )
    session.add(run)
    session.flush()
    number = 1 + (session.scalar(select(func.max(Edition.number)).where(Edition.cycle_id == cycle.id)) or 0)
    edition = Edition(
        cycle_id=cycle.id,
        run_id=run.id,
        number=number,
        published_at=NOW,
        published_by="测试员",
        reason="更正" if number > 1 else "",
        changes=[],
    )
    session.add(edition)
    session.flush()
    return edition


def publish(
    session: Session, vendor: Vendor, score: float | None, *, edition: Edition | None = None, **columns: Any
) -> EditionScore:
    """A line of an edition; `year` makes an edition of its own in a cycle of that year."""
    edition = edition or make_edition(session, year=columns.pop("year", 2026))
    region = session.get_one(Region, edition.cycle.region_id)
    line = EditionScore(
        edition_id=edition.id,
        contract_reference=columns.pop("reference", f"HT-S{next(_numbers):04d}"),
        contract_title="测试服务项目",
        vendor_credit_code=vendor.credit_code,
        vendor_name=vendor.name,
        purchaser_name="测试民政局",
        region_path=region.path,
        region_name=region.name,
        service_type=columns.pop("service_type", "care"),
        amount_fen=columns.pop("amount_fen", 10_000_000),
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
        recipients_served=columns.pop("recipients_served", 100),
        peer_group=columns.pop("peer_group", "personal"),
        status="withheld" if score is None else "rated",
        score=score,
        low=columns.pop("low", None if score is None else max(0.0, score - 5)),
        high=None if score is None else min(100.0, score + 5),
        grade=columns.pop("grade", None if score is None else "good"),
        rank=None if score is None else 1,
        breakdown={},
        **columns,
    )
    session.add(line)
    session.flush()
    return line
