"""Time and peak memory of the rank sets of one large group, beside the bare draw, sort and quantile of as many numbers.

    python -m benchmarks.rank_sets                       # 10,000 members, 10,000 draws
    python -m benchmarks.rank_sets --members 2000

Each side runs in a process of its own. The bare one draws, sorts and takes a quantile of members × draws standard
normal numbers, a block of draws at a time. The bar: at most 1.3 times its time, and 500 MB.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from evalsys.scoring.ranking import rank_sets

ROOT = Path(__file__).resolve().parent.parent
TIMES, MEGABYTES, BLOCK = 1.3, 500, 256


def ours(members: int) -> None:
    draw = np.random.default_rng(1)
    rank_sets(draw.normal(75, 8, members), draw.uniform(2, 6, members), draws=members)


def bare(members: int) -> None:
    draw, widest = np.random.default_rng(1), []
    for start in range(0, members, BLOCK):
        noise = np.sort(draw.standard_normal((min(BLOCK, members - start), members)), axis=1)
        widest.append(noise[:, -1] - noise[:, 0])
    np.quantile(np.concatenate(widest), 0.95)


SIDES: dict[str, Callable[[int], None]] = {"evalsys": ours, "bare": bare}


def measure(side: str, members: int) -> None:
    """Print seconds and peak megabytes of this process."""
    start = time.perf_counter()
    SIDES[side](members)
    unit = 1e6 if sys.platform == "darwin" else 1e3
    print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=10_000)
    parser.add_argument("--measure", choices=tuple(SIDES), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure(asked.measure, asked.members)
        return
    found = {}
    for side in SIDES:
        command = [sys.executable, "-m", "benchmarks.rank_sets", "--members", str(asked.members), "--measure", side]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        found[side] = tuple(map(float, done.stdout.split()))
        print(f"{side:>8}: {found[side][0]:6.2f} s, peak {found[side][1]:,.0f} MB", flush=True)
    times, megabytes = found["evalsys"][0] / found["bare"][0], found["evalsys"][1]
    print(f"{times:.2f} times the bare side; the bar: {TIMES} times, {MEGABYTES} MB")
    raise SystemExit(0 if times <= TIMES and megabytes <= MEGABYTES else 1)


if __name__ == "__main__":
    main()
