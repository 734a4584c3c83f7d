"""Step 0 of a wide Parquet file beside DuckDB doing the same grouping by hand, each in a process of its own.

    python -m benchmarks.parquet_step_0                             # 10,000,000 ratings, 3 runs
    python -m benchmarks.parquet_step_0 --ratings 100_000_000 --folder /scratch

About 8 ratings a recipient, 1,000 a contract; recipients come in no order, and hardly 3 in 100 rows are those of
appointed raters. Bars: at most 2 times the time by hand, and 1,500 MB. Ours checks every cell and looks for doubles
besides.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from evalsys.evaluation.rating_faults import levels_of
from evalsys.rules.loading import load
from evalsys.rules.model import Rules, Source

ROOT = Path(__file__).resolve().parent.parent
MEMORY = 800
"""MB that DuckDB may use, on both sides."""

LIMIT = 1500
RATIO = 2.0
RESPONDENTS_OF_A_CONTRACT = 120
JUDGES_OF_A_CONTRACT = 3
RATINGS_OF_A_CONTRACT = 1000


def whole(text: str) -> int:
    """A number that may be written with separators."""
    return int(text.replace("_", "").replace(",", ""))


def simulate(path: Path, ratings: int) -> int:
    """Write a wide file of about so many ratings, the same ones each time; gives the number of rows."""
    contracts = max(1, ratings // RATINGS_OF_A_CONTRACT)
    rules = load(ROOT / "scoring_rules.toml")
    with duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{MEMORY}MB'")
        rows = f"({_recipients(contracts)}) UNION ALL BY NAME ({_appointed(rules, contracts)})"
        connection.execute(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
    return contracts * (RESPONDENTS_OF_A_CONTRACT + JUDGES_OF_A_CONTRACT)


def _level(question: int, top: int = 5) -> str:
    """A level that depends on the contract's quality and on luck."""
    luck = f"quality + (hash(i * 64 + {question}) % 1000000) / 1e6 * 0.8 - 0.4"
    return f"CAST(1 + floor({top} * greatest(0, least(0.999, {luck}))) AS TINYINT)"


def _recipients(contracts: int) -> str:
    plain = ("satisfied", "help", "respect", "on_time", "reachable", "life")
    asked = [
        f"CASE WHEN hash(i * 64 + {place + 20}) % 50 > 0 THEN {_level(place)} END AS recipient_{name}"
        for place, name in enumerate(plain)
    ]
    modes = "CASE hash(i * 7) % 10 WHEN 0 THEN 'paper' WHEN 1 THEN 'telephone' WHEN 2 THEN 'assisted' ELSE 'self' END"
    return f"""
        SELECT 'C' || lpad(CAST(c AS VARCHAR), 6, '0') AS contract, 'recipient' AS party, 'r' || i AS rater,
            {modes} AS mode, 'S' || hash(i * 11) % 3 AS stratum, {", ".join(asked)},
            CASE WHEN c % 2 = 0 THEN {_level(8)} END AS recipient_clear,
            CASE WHEN c % 2 = 1 THEN {_level(9)} END AS recipient_safe,
            CAST(1 + hash(i * 64 + 10) % 2 AS TINYINT) AS recipient_proxy
        FROM (
            SELECT i, c, 0.45 + 0.4 * (hash(c) % 1000) / 1000 AS quality
            FROM (
                SELECT range AS i, hash(range * 3) % {contracts} AS c
                FROM range({contracts * RESPONDENTS_OF_A_CONTRACT})
            )
        )
    """  # noqa: S608 - names and numbers of this file


def _appointed(rules: Rules, contracts: int) -> str:
    """A purchaser and two evaluators of each contract; an evaluator judges some 40 contracts."""
    asked = [
        f"CASE WHEN party = '{c.party}' THEN {_level(place, levels_of(rules, c))} END AS {c.code}"
        for place, c in enumerate(rules.criteria)
        if c.party != "recipient" and c.source is Source.ASKED and not c.service_types
    ]
    evaluators = max(3, contracts // 20)
    return f"""
        SELECT 'C' || lpad(CAST(c AS VARCHAR), 6, '0') AS contract, party, '' AS mode, '' AS stratum,
            CASE party WHEN 'purchaser' THEN 'p' || c ELSE 'e' || (c + i % 3 * 7) % {evaluators} END AS rater,
            {", ".join(asked)}
        FROM (
            SELECT range AS i, range // 3 AS c, 0.45 + 0.4 * (hash(range // 3) % 1000) / 1000 AS quality,
                CASE range % 3 WHEN 0 THEN 'purchaser' ELSE 'third_party' END AS party
            FROM range({contracts * JUDGES_OF_A_CONTRACT})
        )
    """  # noqa: S608 - names and numbers of this file


def ours(file: Path) -> None:
    """Step 0 as `evalsys score` does it; runs in the child."""
    from evalsys.evaluation.files import Sources, read_inputs
    from evalsys.evaluation.parquet.opening import Room

    inputs, _held = read_inputs(Sources(file), load(ROOT / "scoring_rules.toml"), room=Room(MEMORY))
    print(f"{len(inputs.levels.contract):,} rows of levels, {len(inputs.moments.contract):,} rows of moments")


def measure(command: list[str]) -> tuple[float, float]:
    """Seconds and peak megabytes of a process."""
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def compare(file: Path, runs: int) -> bool:
    """Run both sides in turns and print them; whether the bars are kept."""
    sides = {
        "by hand": [sys.executable, "benchmarks/peers/duckdb_step_0.py", str(file), str(MEMORY), str(file.parent)],
        "evalsys": [sys.executable, "-m", "benchmarks.parquet_step_0", "--ours", str(file)],
    }
    found: dict[str, list[tuple[float, float]]] = {side: [] for side in sides}
    for _ in range(runs):
        for side, command in sides.items():
            found[side].append(measure(command))
    for side, measured in found.items():
        seconds, megabytes = zip(*measured, strict=True)
        spread = f"{min(seconds):.1f} to {max(seconds):.1f}"
        print(f"{side}: median {statistics.median(seconds):.1f} s ({spread}), most {max(megabytes):.0f} MB")
    ratio = statistics.median(s for s, _ in found["evalsys"]) / statistics.median(s for s, _ in found["by hand"])
    most = max(megabytes for _, megabytes in found["evalsys"])
    print(f"ratio {ratio:.2f} (bar {RATIO:.0f}), peak {most:.0f} MB (bar {LIMIT} MB)")
    return ratio <= RATIO and most <= LIMIT


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratings", type=whole, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="Where the simulated file is written.")
    parser.add_argument("--ours", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.ours:
        ours(asked.ours)
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        file = Path(folder) / "ratings.parquet"
        rows = simulate(file, asked.ratings)
        print(f"{asked.ratings:,} ratings in {rows:,} rows, {file.stat().st_size / 1e6:.0f} MB")
        print(f"Python {platform.python_version()}, DuckDB {duckdb.__version__}, {os.cpu_count()} cores")
        if not compare(file, asked.runs):
            raise SystemExit(1)


if __name__ == "__main__":
    main()
