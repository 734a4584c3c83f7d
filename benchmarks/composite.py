"""Time of a weighted composite of 10,000 rows and 30 parts, beside scikit-criteria's weighted sum.

    python -m venv peer && peer/bin/pip install scikit-criteria
    python -m benchmarks.composite --peer peer/bin/python

The peer runs in an environment of its own, for it is not among our dependencies. It ranks what it adds up, so ours is
shown with ranks too. The bar: at least 10 times faster.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from evalsys.scoring.composite import weighted_sum
from evalsys.scoring.ranking import competition_ranks

PEER = Path(__file__).parent / "peers" / "scikit_criteria.py"
ROWS, PARTS, BAR = 10_000, 30, 10


def median(work: Callable[[], object], runs: int) -> float:
    """Milliseconds."""
    took = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return 1000 * statistics.median(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", default=sys.executable, help="a Python that has scikit-criteria")
    parser.add_argument("--runs", type=int, default=51)
    asked = parser.parse_args()
    peer = subprocess.run(
        [asked.peer, PEER, str(ROWS), str(PARTS), str(asked.runs)], capture_output=True, text=True, check=False
    )
    if peer.returncode:
        print(f"{peer.stderr.strip()}\nInstall it: see python -m benchmarks.composite --help", file=sys.stderr)
        raise SystemExit(2)
    theirs, first = map(float, peer.stdout.split())
    draw = np.random.default_rng(1)
    points, weights = draw.uniform(0, 100, (ROWS, PARTS)), draw.uniform(size=PARTS)
    if abs(weighted_sum(points, weights)[0] - first) > 1e-9:
        raise SystemExit("the two do not agree on the first row")
    ours = median(lambda: weighted_sum(points, weights), asked.runs)
    ranked = median(lambda: competition_ranks(weighted_sum(points, weights)), asked.runs)
    print(f"evalsys:         {ours:8.3f} ms, with ranks {ranked:.3f} ms, median of {asked.runs}")
    print(f"scikit-criteria: {theirs:8.3f} ms, always with ranks")
    print(f"{theirs / ours:.0f} times faster, with ranks {theirs / ranked:.0f} times; the bar: {BAR}")
    raise SystemExit(0 if theirs >= BAR * ours else 1)


if __name__ == "__main__":
    main()
