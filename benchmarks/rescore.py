"""Scoring a cycle again after a few new ratings, beside scoring it from nothing; `run_cycle` with all that it writes.

    python -m benchmarks.rescore --contracts 500
    python -m benchmarks.rescore --contracts 5000 --postgresql

The bar: at most a tenth.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from benchmarks.simulated_cycle import load, scratch
from evalsys.base.access import COMMAND_LINE
from evalsys.base.clock import now
from evalsys.base.command import speaking
from evalsys.base.db import Database
from evalsys.collection.models import Response, ResponseRating
from evalsys.config import Settings
from evalsys.evaluation.models import KeptSums
from evalsys.evaluation.usecases import run_cycle
from evalsys.registry.models import Cycle

BAR = 0.1
NEW_ANSWERS = 5


def scored(database: Database, *, from_nothing: bool, number: int) -> float:
    """Seconds of one run, after some new answers."""
    with database.transaction() as session:
        _answer(session, number)
        if from_nothing:
            session.execute(delete(KeptSums))
    began = time.perf_counter()
    with database.transaction() as session:
        cycle = session.scalars(select(Cycle)).one()
        run_cycle(session, cycle, refit=from_nothing, actor=COMMAND_LINE, now=now())
    return time.perf_counter() - began


def _answer(session: Session, number: int) -> None:
    for which in range(NEW_ANSWERS):
        key = (2**127 + NEW_ANSWERS * number + which).to_bytes(16)
        session.add(Response(key=key, entry_id=1 + which, mode="self", time_band="over_60"))
        session.flush()
        session.add(ResponseRating(response_key=key, criterion="recipient_satisfied", value=3))


def main() -> None:
    """Measure, print, and end with 1 where rescoring costs more than the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contracts", type=int, default=500)
    parser.add_argument("--respondents", type=int, default=200)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    times: dict[str, list[float]] = {"from nothing": [], "again": []}
    with scratch(postgresql=wanted.postgresql) as database, speaking(Settings.from_environment()):
        load(database, contracts=wanted.contracts, respondents=wanted.respondents)
        for number in range(wanted.rounds):
            times["from nothing"].append(scored(database, from_nothing=True, number=2 * number))
            times["again"].append(scored(database, from_nothing=False, number=2 * number + 1))
    engine = "PostgreSQL" if wanted.postgresql else "SQLite"
    print(f"{engine}: {wanted.contracts:,} contracts, {wanted.respondents} respondents each; median of {wanted.rounds}")
    middle = {name: statistics.median(taken) for name, taken in times.items()}
    for name, seconds in middle.items():
        print(f"{name:12s} {seconds:7.2f} s")
    ratio = middle["again"] / middle["from nothing"]
    print(f"again costs {ratio:.3f} of from nothing (asked for: at most {BAR})")
    sys.exit(0 if ratio <= BAR else 1)


if __name__ == "__main__":
    main()
