"""Step 0 over ten million ratings in SQLite and PostgreSQL, beside SQL written by hand for the same numbers.

    python -m benchmarks.step_0 --ratings 1000000                  # SQLite
    python -m benchmarks.step_0 --ratings 10000000 --postgresql

Ours is the whole of `inputs_of`: from rows in the database to the arrays that the scoring core reads, all parties, each
contract's levels, moments and frame. The bare SQL gives level counts and moments of the recipients only, as rows in
Python. The bar: at most 1.5 times the bare SQL.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from benchmarks.peers.step_0_sql import level_counts, moments
from benchmarks.simulated_cycle import QUESTIONS, load, scratch
from evalsys.evaluation.arrays import inputs_of
from evalsys.registry.models import Cycle
from evalsys.registry.pins import rules_of
from evalsys.rules.model import Rules
from evalsys.scoring.cells import SAMPLED
from evalsys.scoring.inputs import Inputs

BAR = 1.5
RESPONDENTS = 250
"""Recipients of a contract who answer."""


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    found = act()
    return time.perf_counter() - began, found


def bare(session: Session, rules: Rules, cycle: Cycle) -> tuple[list[Any], list[Any]]:
    """Both statements, by the driver."""
    connection = session.connection()
    counted, summed = (
        connection.exec_driver_sql(statement.format(cycle=cycle.id)).fetchall()
        for statement in (level_counts(), moments(rules))
    )
    return list(counted), list(summed)


def agree(ours: Inputs, counted: list[Any], summed: list[Any]) -> bool:
    """Whether both count the same answers and add up the same points, over all contracts."""
    party = ours.parties.index(SAMPLED)
    d = len(ours.dimensions)
    mine = ours.moments.party == party
    have = [int(one[mine].sum()) for one in (ours.moments.n, ours.moments.y, ours.moments.yy)]
    rows = np.array([row[3:] for row in summed], dtype=np.int64).sum(axis=0)[: 3 * d * d].reshape(3, -1).sum(axis=1)
    levels = int(ours.levels.count[ours.levels.party == party].sum())
    return have == rows.tolist() and levels == sum(int(row[-1]) for row in counted)


def main() -> None:
    """Measure, print, and end with 1 where we take longer than the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratings", type=int, default=1_000_000)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    contracts = max(1, round(wanted.ratings / QUESTIONS / RESPONDENTS))
    with scratch(postgresql=wanted.postgresql) as database:
        code = load(database, contracts=contracts, respondents=RESPONDENTS)
        times: dict[str, list[float]] = {"bare SQL": [], "inputs_of": []}
        for _ in range(wanted.rounds):
            with Session(database.engine) as session:
                cycle = session.scalars(select(Cycle).where(Cycle.code == code)).one()
                rules = rules_of(cycle)
                took, (counted, summed) = timed(lambda: bare(session, rules, cycle))  # noqa: B023 - called at once
                times["bare SQL"].append(took)
                took, ours = timed(lambda: inputs_of(session, cycle, rules))  # noqa: B023 - called at once
                times["inputs_of"].append(took)
                assert agree(ours, counted, summed)  # noqa: S101 - the comparison would be void
            groups = len(counted) + len(summed)
            del counted, summed, ours
        with Session(database.engine) as session:
            ratings = session.scalar(text("SELECT count(*) FROM response_rating"))
    engine = "PostgreSQL" if wanted.postgresql else "SQLite"
    print(f"{engine}: {ratings:,} ratings of {contracts:,} contracts, {groups:,} groups; median of {wanted.rounds}")
    middle = {name: statistics.median(taken) for name, taken in times.items()}
    for name, seconds in middle.items():
        print(f"{name:10s} {seconds:7.2f} s")
    ratio = middle["inputs_of"] / middle["bare SQL"]
    print(f"ours takes {ratio:.2f} of the bare SQL (asked for: at most {BAR})")
    sys.exit(0 if ratio <= BAR else 1)


if __name__ == "__main__":
    main()
