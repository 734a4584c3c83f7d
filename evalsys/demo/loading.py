"""Loads the simulated county: two published years, the year that collects, and a choice to make."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.base.access import COMMAND_LINE
from evalsys.base.db import Database
from evalsys.base.errors import Conflict
from evalsys.collection.codes import code_hash, code_key, new_code
from evalsys.collection.models import Invitation
from evalsys.config import Settings
from evalsys.demo import county, fieldwork, paper, rectifications, replies, samples, years
from evalsys.demo.appeals import tell_and_answer
from evalsys.demo.messages import write_to_recipients
from evalsys.demo.people import Cast, make_cast
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.keys import key_folder
from evalsys.publication.sealing import seal
from evalsys.publication.usecases import publish
from evalsys.registry.models import Cycle, CycleState, Entry, Region, RulesVersion, Stratum
from evalsys.rules.loading import loads, rules_hash
from evalsys.rules.model import Rules
from evalsys.selection.models import Candidate, Plan

SEED = 20260101
ANSWERED = {2024: 0.16, 2025: 0.19, 2026: 0.04}  # share of each township's recipients
Say = Callable[[str], None]


def is_loaded(session: Session) -> bool:
    """Whether the simulated county is there.

    Raises:
        Conflict: the database holds something else; a demo never mixes with it.
    """
    if session.scalar(select(exists().where(Cycle.simulated))):
        return True
    if session.scalar(select(exists(select(Region.id)))):
        raise Conflict(
            _("This database already holds other data; simulated data does not go in beside it."),
            remedy=_("Give the demo a folder of its own with EVALSYS_INSTANCE."),
        )
    return False


def load(database: Database, *, password: str, say: Say) -> None:
    """Fill an empty database.

    Args:
        database: at the newest migration.
        password: the hash that every demo account gets.
        say: told what is being done, a line each.
    """
    text = config.SHIPPED_RULES.read_bytes()
    rules = loads(text, config.SHIPPED_RULES.name)
    generator = np.random.default_rng(SEED)
    say(_("People, vendors and contracts of a simulated county"))
    with database.transaction() as session:
        first_day = datetime(county.YEARS[0], 9, 1, tzinfo=UTC)
        cast = make_cast(session, password=password, now=first_day)
        version = RulesVersion(hash=rules_hash(text), text=text.decode(), added_at=first_day)
        session.add(version)
        session.flush()
    for year in county.YEARS:
        say(_("Ratings of the year %(year)s", year=year))
        _load_year(database, cast, version, rules, year=year, generator=generator)
    with database.transaction() as session:
        paper.key_batches(session, rules, generator)
        fieldwork.interview(session, generator, secret=current_app.config["SETTINGS"].require_secret_key())
        _plan_a_choice(session, cast, version)


def _load_year(
    database: Database, cast: Cast, version: RulesVersion, rules: Rules, *, year: int, generator: np.random.Generator
) -> None:
    past = year != county.YEARS[-1]
    with database.transaction() as session:
        cycle = years.make_cycle(session, cast, year, version)
        cases = years.make_cases(session, cast, cycle, rules, generator)
        rows = years.Rows()
        sampled = {} if past else samples.draw(session, cycle, cases)
        for n, case in enumerate(cases):
            if n == samples.UNASKED and not past:
                continue
            if case.entry.id in sampled:
                samples.ask(rows, rules, case, sampled[case.entry.id], generator)
                continue
            years.collect_responses(rows, rules, case, ANSWERED[year], generator)
        tied = years.declare_interests(session, cast, cycle, openly=not past)
        years.assign_evaluators(rows, cast, cases, tied)
        if past:
            years.collect_assessments(session, rules, cast, cases, generator)
            cycle.state = CycleState.REVIEW.value
        else:
            years.record_staffing(session, rules, cases)
            years.collect_assessments(session, rules, cast, cases, generator, every=years.HANDED_IN)
        rows.insert(session)
        if not past:
            write_to_recipients(session, cycle, secret=current_app.config["SETTINGS"].require_secret_key())
    if past:
        with database.transaction() as session:
            kept = session.get_one(Cycle, cycle.id)
            run_cycle(session, kept, seed=year, actor=COMMAND_LINE, now=datetime(year + 1, 1, 10, 2, tzinfo=UTC))
            tell_and_answer(session, kept, year=year + 1, objecting=year == county.YEARS[-2])
            published = datetime(year + 1, 1, 20, 2, tzinfo=UTC)
            edition = publish(session, kept, actor=COMMAND_LINE, now=published)
            seal(session, edition, key_folder(current_app.config["SETTINGS"]), actor=COMMAND_LINE, now=published)
            replies.reply(session, kept)
            rectifications.put_right(session, kept)


def _plan_a_choice(session: Session, cast: Cast, version: RulesVersion) -> None:
    """A plan with candidates and no points yet."""
    plan = Plan(
        title=f"{county.YEARS[-1] + 1} 年度照料护理服务（限额标准以下）",
        year=county.YEARS[-1] + 1,
        region_id=cast.county.id,
        purchaser_id=cast.purchasers[county.BUREAU].id,
        service_type="care",
        use="direct",
        rules_id=version.id,
        weight_technical=0.5,
        weight_price=0.2,
        weight_past=0.3,
        reference_fen=60_000_000,
        created_at=datetime(county.YEARS[-1], 11, 2, 2, tzinfo=UTC),
        created_by="何敏",
    )
    plan.candidates = [
        Candidate(vendor_id=vendor.id)
        for vendor, simulated in zip(cast.vendors, county.VENDORS, strict=True)
        if "care" in simulated.serves
    ]
    session.add(plan)


def ready_link(session: Session, settings: Settings) -> str | None:
    """A recipient's link that nobody has used yet; None once the county has stopped collecting."""
    place = session.execute(
        select(Stratum.entry_id, Stratum.id)
        .join(Entry, Entry.id == Stratum.entry_id)
        .join(Cycle, Cycle.id == Entry.cycle_id)
        .where(Cycle.code == str(county.YEARS[-1]), Cycle.state == CycleState.COLLECTING)
        .order_by(Stratum.id)
        .limit(1)
    ).first()
    if place is None:
        return None
    code = new_code()
    hashed = code_hash(code, code_key(settings.require_secret_key()))
    session.add(Invitation(code_hmac=hashed, entry_id=place.entry_id, stratum_id=place.id))
    return f"{settings.base_url}/s/{code}"
