"""The ranking page beside a bare Flask view that returns the same bytes: requests a second, and the share kept.

    python -m benchmarks.ranking_page [--contracts 500] [--rounds 7] [--requests 1500]

Both are called in this process through WSGI, in turn, so that no network and no client takes part. The page is asked
for as a browser does the first time (200 with the whole body), and once it has it (304).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from flask import Flask, Response

from evalsys import config
from evalsys.base import migrations
from evalsys.base.db import Database
from evalsys.config import Settings
from evalsys.evaluation.models import Run
from evalsys.publication.models import Edition, EditionScore
from evalsys.registry.models import Cycle, Region, RulesVersion
from evalsys.rules.loading import rules_hash
from evalsys.web import create_app

NOW = datetime(2026, 11, 2, tzinfo=UTC)
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def publish_some(database: Database, contracts: int) -> None:
    """An edition with that many scored contracts."""
    text = config.SHIPPED_RULES.read_bytes()
    breakdown = {"reasons": [], "near_boundary": False, "ranked": contracts}
    with database.transaction() as session:
        region = Region(code="4418", name="清远市", level="city", path="4418/")
        rules = RulesVersion(hash=rules_hash(text), text=text.decode(), added_at=NOW)
        session.add_all([region, rules])
        session.flush()
        days = {"opens_on": date(2026, 9, 1), "closes_on": date(2026, 10, 1)}
        cycle = Cycle(
            code="2026",
            title="2026 年度评价",
            year=2026,
            region_id=region.id,
            state="published",
            rules_id=rules.id,
            simulated=True,
            **days,
        )
        session.add(cycle)
        session.flush()
        run = Run(
            cycle_id=cycle.id,
            rules_id=rules.id,
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
        session.add_all(_line(edition.id, n, contracts, breakdown) for n in range(contracts))


def _line(edition: int, n: int, contracts: int, breakdown: dict[str, Any]) -> EditionScore:
    score = 95 - 60 * n / contracts
    return EditionScore(
        edition_id=edition,
        contract_reference=f"QX-{n:04d}",
        contract_title=f"困难群众照料护理服务项目第 {n} 包",
        vendor_credit_code=f"{n:018d}",
        vendor_name=f"清远市第 {n} 社会工作服务中心",
        purchaser_name="清新区民政局",
        region_path="4418/",
        region_name="清远市",
        service_type="care",
        amount_fen=50_000_000,
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 12, 31),
        recipients_served=200,
        peer_group="personal",
        status="rated",
        score=score,
        low=score - 4,
        high=score + 4,
        grade="good",
        rank=n + 1,
        breakdown=breakdown,
    )


def bare(body: bytes) -> Flask:
    """A Flask application with one view that returns these bytes."""
    app = Flask("bare")

    @app.get("/rankings")
    def page() -> Response:
        return Response(body, mimetype="text/html")

    return app


def call(app: Wsgi, headers: dict[str, str]) -> tuple[str, dict[str, str], bytes]:
    """One request, the body read to its end."""
    from werkzeug.test import create_environ

    seen: dict[str, Any] = {}

    def start(status: str, given: list[tuple[str, str]], _error: object = None) -> None:
        seen.update(status=status, headers=dict(given))

    answer = app(create_environ("/rankings", headers=headers), start)
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


def main() -> None:
    """Measure, print, and end with 1 where the page keeps less than 60 %."""
    from werkzeug.test import create_environ

    parser = argparse.ArgumentParser(description="The ranking page beside a bare view.")
    parser.add_argument("--contracts", type=int, default=500)
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
        _status, headers, body = call(ours, {})
        known = create_environ("/rankings", headers={"If-None-Match": headers["ETag"]})
        fresh = create_environ("/rankings")
        lone = bare(body)
        assert call(lone, {})[2] == body == call(ours, {})[2]  # noqa: S101 - the comparison would be void
        rates: dict[str, list[float]] = {"bare view": [], "ranking page": [], "ranking page, 304": []}
        for _ in range(wanted.rounds):
            rates["bare view"].append(rate(lone, fresh, wanted.requests))
            rates["ranking page"].append(rate(ours, fresh, wanted.requests))
            rates["ranking page, 304"].append(rate(ours, known, wanted.requests))
        ours.extensions["database"].dispose()
    print(f"{wanted.contracts} contracts, page of {len(body):,} bytes, median of {wanted.rounds} rounds")
    middle = {name: statistics.median(found) for name, found in rates.items()}
    for name, found in middle.items():
        print(f"{name:20s} {found:8,.0f} requests a second")
    kept = statistics.median(a / b for a, b in zip(rates["ranking page"], rates["bare view"], strict=True))
    print(f"kept {kept:.0%} of the bare view (asked for: at least 60%)")
    sys.exit(0 if kept >= 0.6 else 1)


if __name__ == "__main__":
    main()
