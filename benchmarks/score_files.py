"""Time and peak memory of `evalsys score` on simulated ratings, each run in a process of its own.

    python -m benchmarks.score_files                    # 1,000,000 ratings, the shipped rules, 5 runs
    python -m benchmarks.score_files --rules examples/one-party.toml --ratings 1000000

Each contract has 20 to 179 recipients and 1 to 3 raters of the other parties. The limit of peak memory is 600 MB.
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

import numpy as np

from evalsys.rules.loading import load
from evalsys.rules.model import LevelScale, Rules, Source

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 600


def simulate(path: Path, rules: Rules, ratings: int, seed: int = 1) -> int:
    """Write a long file of about so many ratings; gives the exact number."""
    draw = np.random.default_rng(seed)
    asked = {
        party.code: [c for c in rules.criteria_for(party.code) if c.source is Source.ASKED and not c.service_types]
        for party in rules.parties
    }
    tops = {c.code: len(s.levels) if isinstance(s := rules.scale_of(c), LevelScale) else 2 for c in rules.criteria}
    written = contract = 0
    with path.open("w", encoding="utf-8") as stream:
        stream.write("contract,party,rater,criterion,value\n")
        while written < ratings:
            contract += 1
            quality = draw.normal(0.7, 0.1)
            for party, criteria in asked.items():
                for rater in range(int(draw.integers(20, 180)) if party == "recipient" else int(draw.integers(1, 4))):
                    points = np.clip(draw.normal(quality, 0.25, len(criteria)), 0, 0.999)
                    stream.writelines(
                        f"C{contract:06d},{party},{party[0]}{rater},{c.code},{int(p * tops[c.code]) + 1}\n"
                        for c, p in zip(criteria, points, strict=True)
                    )
                    written += len(criteria)
    return written


def measure(ratings: Path, rules: Path, out: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of one run in a process of its own."""
    command = [sys.executable, "-m", "evalsys.cli", "score", str(ratings), "--rules", str(rules), "--out", str(out)]
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"evalsys score ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratings", type=int, default=1_000_000)
    parser.add_argument("--rules", type=Path, default=ROOT / "scoring_rules.toml")
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ratings.csv"
        written = simulate(file, load(asked.rules), asked.ratings)
        print(f"{written:,} ratings, {file.stat().st_size / 1e6:.1f} MB, {asked.rules.name}, {asked.runs} runs")
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
        runs = [measure(file, asked.rules.resolve(), Path(folder) / "out") for _ in range(asked.runs)]
    seconds, megabytes = zip(*runs, strict=True)
    print(f"time:        median {statistics.median(seconds):.2f} s   {min(seconds):.2f} to {max(seconds):.2f} s")
    print(f"peak memory: median {statistics.median(megabytes):.0f} MB, most {max(megabytes):.0f} MB (limit {LIMIT} MB)")
    if max(megabytes) > LIMIT:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
