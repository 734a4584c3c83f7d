"""How time and memory grow with the number of ratings, from a wide Parquet file to scores; a plot and a table in docs/.

    python -m benchmarks.growth                                  # 10^5 to 10^8 ratings; writes docs/
    python -m benchmarks.growth --ratings 100_000 1_000_000 --print   # only printed

The shipped rules with every step but the adjustment, peer groups of 500 contracts; each size in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import altair as alt
import duckdb

from benchmarks.after_step_0 import IN_GROUP, shipped
from benchmarks.parquet_step_0 import MEMORY, RATINGS_OF_A_CONTRACT, ROOT, simulate, whole

SIZES = (100_000, 1_000_000, 10_000_000, 100_000_000)
PAGE, PLOT = ROOT / "docs" / "performance.md", ROOT / "docs" / "growth.svg"
MARKED = re.compile(r"(<!-- growth -->\n).*(<!-- end of growth -->)", re.DOTALL)


@dataclass(frozen=True)
class Grown:
    """What one size took."""

    ratings: int
    contracts: int
    step_0: float
    after: float
    megabytes: float


def child(file: Path, contracts: Path) -> None:
    """Print seconds of step 0, seconds of everything after it, and peak megabytes; runs in the child."""
    from evalsys.evaluation.files import Sources, read_inputs
    from evalsys.evaluation.parquet.opening import Room
    from evalsys.scoring.engine import score

    rules = shipped()
    start = time.perf_counter()
    inputs, _held = read_inputs(Sources(file, contracts), rules, room=Room(MEMORY))
    between = time.perf_counter()
    score(inputs, rules, seed=1)
    end = time.perf_counter()
    unit = 1e6 if sys.platform == "darwin" else 1e3
    print(between - start, end - between, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def measure(ratings: int, folder: Path) -> Grown:
    file, listed = folder / "ratings.parquet", folder / "contracts.csv"
    simulate(file, ratings)
    contracts = max(1, ratings // RATINGS_OF_A_CONTRACT)
    with listed.open("w", encoding="utf-8") as stream:
        stream.write("contract,vendor,peer_group\n")
        stream.writelines(f"C{c:06d},V{c // 2:06d},G{c // IN_GROUP:04d}\n" for c in range(contracts))
    command = [sys.executable, "-m", "benchmarks.growth", "--child", str(file), str(listed)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    step_0, after, megabytes = map(float, done.stdout.split())
    return Grown(ratings, contracts, step_0, after, megabytes)


def table(rows: list[Grown]) -> str:
    lines = [
        "| ratings | contracts | step 0 | everything after | peak memory |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row.ratings:,} | {row.contracts:,} | {row.step_0:.1f} s | {row.after:.1f} s | {row.megabytes:,.0f} MB |"
        for row in rows
    ]
    machine = f"Python {platform.python_version()}, DuckDB {duckdb.__version__}, {os.cpu_count()} cores"
    return "\n".join([*lines, "", f"{machine}, {platform.machine()}.", ""])


def plot(rows: list[Grown]) -> alt.Chart:
    """Seconds by ratings, both on logarithmic axes."""
    parts = (("step 0: from ratings to sums", "step_0"), ("everything after", "after"))
    points = [
        {"ratings": row.ratings, "seconds": getattr(row, name), "part": part} for row in rows for part, name in parts
    ]
    ticks = alt.Axis(values=[row.ratings for row in rows], format="~s", title="ratings in the file")
    return (
        alt.Chart(alt.Data(values=points), width=560, height=340, title="Time to score a Parquet file of ratings")
        .mark_line(point=True)
        .encode(
            x=alt.X("ratings:Q", scale=alt.Scale(type="log"), axis=ticks),
            y=alt.Y("seconds:Q", scale=alt.Scale(type="log"), title="seconds, on a logarithmic scale"),
            color=alt.Color("part:N", title=None, legend=alt.Legend(orient="top-left")),
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratings", type=whole, nargs="+", default=SIZES)
    parser.add_argument("--folder", type=Path, help="Where the simulated files are written.")
    parser.add_argument("--print", action="store_true", help="Leave docs/ as it is.")
    parser.add_argument("--child", type=Path, nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(*asked.child)
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        rows = [measure(ratings, Path(folder)) for ratings in asked.ratings]
    print(table(rows))
    if not asked.print:
        plot(rows).save(PLOT)
        page = PAGE.read_text("utf-8")
        PAGE.write_text(MARKED.sub(lambda found: found[1] + table(rows) + found[2], page), "utf-8")


if __name__ == "__main__":
    main()
