"""Time and peak memory of `fit_crossed` on the InstEval answers, beside lme4 where R has it.

    python -m benchmarks.crossed_reml insteval.csv      # columns s (rater), d (target), y; 5 runs each

The bar: at least 4 times faster than lme4, at most 500 MB, the reading of the file included.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from evalsys.scoring.severity import fit_crossed

PEER = Path(__file__).parent / "peers" / "crossed_reml.R"


def ours(path: Path, runs: int) -> str:
    table = np.genfromtxt(path, delimiter=",", names=True)
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        fit = fit_crossed(table["y"], table["d"], table["s"])
        seconds.append(time.perf_counter() - start)
    return (
        f"evalsys: median {statistics.median(seconds):.2f} s of {runs}, {peak(resource.RUSAGE_SELF)}, "
        f"criterion {fit.criterion:.4f}, variances "
        f"{fit.variance_target:.6f} {fit.variance_rater:.6f} {fit.variance_residual:.6f}"
    )


def peer(path: Path, runs: int) -> str:
    if shutil.which("Rscript") is None:
        return "lme4: Rscript is not there (Debian: apt-get install r-cran-lme4)"
    done = subprocess.run(["Rscript", PEER, path, str(runs)], capture_output=True, text=True, check=False)
    if done.returncode:
        return f"lme4: {done.stderr.strip()}"
    return f"{done.stdout.strip()}, {peak(resource.RUSAGE_CHILDREN)}"


def peak(whose: int) -> str:
    """Peak memory of this process, or of the largest of its children."""
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return f"peak {resource.getrusage(whose).ru_maxrss / unit:.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, help="CSV with the columns s, d, y")
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    print(ours(asked.path, asked.runs))
    print(peer(asked.path, asked.runs))


if __name__ == "__main__":
    main()
