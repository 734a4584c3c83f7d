"""The ranking page beside a bare Flask view that returns the same bytes: requests a second, and the share kept.

    python -m benchmarks.ranking_page [--contracts 20000] [--rounds 7] [--requests 1500]

Both are called in this process through WSGI, in turn, so that no network and no client takes part. The page is asked
for as a browser does the first time (200 with the whole body), and once it has it (304). Beside that, how long pages
and files take when nobody asked for them before.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response
from sqlalchemy import insert
from sqlalchemy.orm import Session
from werkzeug.test import create_environ

from evalsys import config
from evalsys.base import migrations
from evalsys.base.db import Database
from evalsys.config import Settings
from evalsys.evaluation.models import Run
from evalsys.publication.models import Edition, EditionScore
from evalsys.registry.models import Cycle, Region, RulesVersion
from evalsys.rules.loading import loads, rules_hash
from evalsys.rules.model import Criterion, LevelScale, Rules, Source
from evalsys.web import create_app

NOW = datetime(2026, 11, 2, tzinfo=UTC)
PAGE = "/rankings"
NOT_KEPT = (
    PAGE,
    "/rankings?page=200",
    "/rankings?region=4418/441803/&type=care",
    "/rankings?served=300-599&sort=-score",
    "/rankings?q=第+77",
    "/rankings?print=1",
    "/compare?contract=QX2026-00001&contract=QX2026-00002&contract=QX2026-00003&contract=QX2026-00004",
    "/vendors/000000000000000042",
    "/rankings.csv",
    "/rankings.xlsx",
    "/api/v1/editions/2/scores?per_page=200",
    "/api/v1/editions/2/scores?per_page=200&page=90",
    "/api/v1/editions/2/scores?q=第+77",
    "/api/v1/vendors?per_page=200",
    "/api/v1/contracts/QX2026-00001",
)
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def publish_some(database: Database, contracts: int) -> None:
    """Two years of that many contracts, four a vendor, in a city of ten counties; every score with its breakdown."""
    text = config.SHIPPED_RULES.read_bytes()
    rules = loads(text, config.SHIPPED_RULES.name)
    with database.transaction() as session:
        region = Region(code="4418", name="清远市", level="city", path="4418/")
        version = RulesVersion(hash=rules_hash(text), text=text.decode(), added_at=NOW)
        session.add_all([region, version])
        session.flush()
        places = {n: (f"4418/4418{n:02d}/", f"第 {n} 县") for n in range(10)}
        for path, name in places.values():
            session.add(Region(code=path[5:-1], name=name, level="county", path=path, parent_id=region.id))
        for year in (NOW.year - 1, NOW.year):
            made = Simulated(contracts, _edition(session, region, version, year), year, rules, places)
            lines = map(made.line, range(contracts))
            while part := list(itertools.islice(lines, 1000)):
                session.execute(insert(EditionScore), part)


def _edition(session: Session, region: Region, version: RulesVersion, year: int) -> int:
    cycle = Cycle(
        code=str(year),
        title=f"{year} 年度评价",
        year=year,
        region_id=region.id,
        state="published",
        rules_id=version.id,
        simulated=True,
        opens_on=date(year, 9, 1),
        closes_on=date(year, 10, 1),
    )
    session.add(cycle)
    session.flush()
    run = Run(
        cycle_id=cycle.id,
        rules_id=version.id,
        seed=1,
        code_version="x",
        inputs_hash="0" * 64,
        pooled={},
        made_at=NOW,
        made_by="x",
    )
    session.add(run)
    session.flush()
    edition = Edition(
        cycle_id=cycle.id, run_id=run.id, number=1, published_at=NOW, published_by="x", reason="", changes=[]
    )
    session.add(edition)
    session.flush()
    return edition.id


class Simulated:
    """A year's lines, four contracts a vendor."""

    def __init__(
        self, contracts: int, edition: int, year: int, rules: Rules, places: dict[int, tuple[str, str]]
    ) -> None:
        self._contracts, self._edition, self._year = contracts, edition, year
        self._rules, self._places = rules, places
        self._kinds = [(service.code, rules.peer_group_of(service.code)) for service in rules.service_types]
        self._rank: dict[int, int] = {}
        ranked: Counter[str] = Counter()
        for n in sorted(range(contracts), key=self._score, reverse=True):
            group = self._kind(n)[1]
            ranked[group] += 1
            self._rank[n] = ranked[group]

    def _score(self, n: int) -> float:
        return 95 - 60 * (n * 7919 % self._contracts) / self._contracts

    def _kind(self, n: int) -> tuple[str, str]:
        return self._kinds[n // 2 % len(self._kinds)]

    def line(self, n: int) -> dict[str, Any]:
        score, rank, vendor = self._score(n), self._rank[n], n // 4
        service_type, group = self._kind(n)
        path, county = self._places[vendor % len(self._places)]
        return {
            "edition_id": self._edition,
            "contract_reference": f"QX{self._year}-{n:05d}",
            "contract_title": f"困难群众照料护理服务项目第 {n} 包",
            "vendor_credit_code": f"{vendor:018d}",
            "vendor_name": f"清远市第 {vendor} 社会工作服务中心",
            "purchaser_name": f"{county}民政局",
            "region_path": path,
            "region_name": county,
            "service_type": service_type,
            "amount_fen": 50_000_000,
            "starts_on": date(self._year, 1, 1),
            "ends_on": date(self._year, 12, 31),
            "recipients_served": 60 + n % 900,
            "peer_group": group,
            "status": "rated",
            "score": score,
            "low": score - 4,
            "high": min(100.0, score + 4),
            "grade": "good",
            "rank": rank,
            "rank_low": max(1, rank - 900),
            "rank_high": rank + 900,
            "band": 1 + rank // 900,
            "shrunk": score,
            "shrunk_sd": 2.0,
            "breakdown": _breakdown(score, self._rules),
        }


def _breakdown(score: float, rules: Rules) -> dict[str, Any]:
    """As long as a real one."""
    steps = dict.fromkeys(("weighting", "severity", "cut"), 0.123456789012345)
    cells = [
        {"party": party.code, "dimension": dimension.code, "n": 30, "weight": 1 / 9, "estimate": score, **steps}
        | {"low": score - 4.123456789, "high": score + 4.123456789, "contribution": score / 9, "n_effective": 28.123456}
        for party in rules.parties
        for dimension in rules.dimensions
    ]
    return {
        "cells": cells,
        "dimensions": {dimension.code: score for dimension in rules.dimensions},
        "uneven": 0.0,
        "chances": {grade.code: 0.25 for grade in rules.grades},
        "near_boundary": False,
        "capped": False,
        "reasons": [],
        "respondents": {party.code: 30 for party in rules.parties},
        "levels": {c.code: {"counts": _counts(rules, c), "not_applicable": 0} for c in _asked(rules)},
        "frame": 300,
        "ranked": 10_000,
        "weight_space": None,
        "collected": {"invited": 50, "received": 30, "held": 0, "answered": 30, "moved": 0, "died": 0},
    }


def _asked(rules: Rules) -> list[Criterion]:
    return [criterion for criterion in rules.criteria if criterion.source is Source.ASKED]


def _counts(rules: Rules, criterion: Criterion) -> list[int]:
    scale = rules.scale_of(criterion)
    return [6 + level for level in range(len(scale.levels) if isinstance(scale, LevelScale) else 2)]


def bare(body: bytes) -> Flask:
    """A Flask application with one view that returns these bytes."""
    app = Flask("bare")

    @app.get("/rankings")
    def page() -> Response:
        return Response(body, mimetype="text/html")

    return app


def call(app: Wsgi, address: str = PAGE) -> tuple[str, dict[str, str], bytes]:
    """One request, the body read to its end."""
    seen: dict[str, Any] = {}

    def start(status: str, given: list[tuple[str, str]], _error: object = None) -> None:
        seen.update(status=status, headers=dict(given))

    answer = app(create_environ(address), start)
    body = b"".join(answer)
    getattr(answer, "close", lambda: None)()
    return seen["status"], seen["headers"], body


def rate(app: Wsgi, environ: dict[str, Any], requests: int) -> float:
    """Requests a second."""

    def start(_status: str, _headers: list[tuple[str, str]], _error: object = None) -> None:
        return None

    began = time.perf_counter()
    for _ in range(requests):
        answer = app(dict(environ), start)
        for _part in answer:
            pass
        getattr(answer, "close", lambda: None)()
    return requests / (time.perf_counter() - began)


def milliseconds(app: Wsgi, address: str) -> float:
    """Of one request that is answered with 200."""
    began = time.perf_counter()
    status = call(app, address)[0]
    taken = (time.perf_counter() - began) * 1000
    if not status.startswith("200"):
        raise SystemExit(f"{address}: {status}")
    return taken


def compare_rates(ours: Wsgi, rounds: int, requests: int) -> float:
    """Print both rates; the share that the page keeps, median of the rounds."""
    _status, headers, body = call(ours)
    fresh, known = create_environ(PAGE), create_environ(PAGE, headers={"If-None-Match": headers["ETag"]})
    lone = bare(body)
    if not call(lone)[2] == body == call(ours)[2]:
        raise SystemExit("the two pages differ: the comparison would be void")
    rates: dict[str, list[float]] = {"bare view": [], "ranking page": [], "ranking page, 304": []}
    for _ in range(rounds):
        rates["bare view"].append(rate(lone, fresh, requests))
        rates["ranking page"].append(rate(ours, fresh, requests))
        rates["ranking page, 304"].append(rate(ours, known, requests))
    print(f"page of {len(body):,} bytes, median of {rounds} rounds")
    for name, found in rates.items():
        print(f"{name:20s} {statistics.median(found):8,.0f} requests a second")
    return statistics.median(a / b for a, b in zip(rates["ranking page"], rates["bare view"], strict=True))


def main() -> None:
    """Measure, print, and end with 1 where the page keeps less than 60 %."""
    parser = argparse.ArgumentParser(description="The ranking page beside a bare view.")
    parser.add_argument("--contracts", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=1500)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="evalsys-ranking-") as folder:
        settings = Settings(Path(folder), f"sqlite:///{folder}/x.sqlite", "a secret for a benchmark", "http://x", 8000)
        database = Database(settings.database_url)
        migrations.upgrade(database)
        publish_some(database, wanted.contracts)
        database.dispose()
        ours = create_app(settings)
        print(f"{wanted.contracts:,} contracts in each of two years; not asked for before, the first with imports:")
        for address in NOT_KEPT:
            print(f"{milliseconds(ours, address):8,.0f} ms  {address}")
        kept = compare_rates(ours, wanted.rounds, wanted.requests)
        ours.extensions["database"].dispose()
    print(f"kept {kept:.0%} of the bare view (asked for: at least 60%)")
    sys.exit(0 if kept >= 0.6 else 1)


if __name__ == "__main__":
    main()
