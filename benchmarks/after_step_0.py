"""Time and peak memory of everything after step 0: weighting, severity, scores, shrinkage, rank sets, space of weights.

    python -m benchmarks.after_step_0                    # 12,500, 25,000, 50,000 and 100,000 contracts
    python -m benchmarks.after_step_0 --contracts 12500

Each contract has 20 to 179 recipients in 2 modes and 4 strata, and 1 to 3 raters of each other party; a rater judges
about 40 contracts, a peer group has 500. The rules are the shipped ones, which draw 1,000 times for rank sets and for
weights. What is fitted once, when a cycle closes, severity above all, is timed apart from the run. Every size has a
process of its own; making the inputs is not timed. The bar for 100,000: 60 s for both and 1,500 MB, and a time a
contract that does not grow.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from evalsys.rules.loading import load
from evalsys.rules.model import Rules
from evalsys.scoring.arrays import Integers, Vector
from evalsys.scoring.cells import SAMPLED
from evalsys.scoring.engine import score
from evalsys.scoring.inputs import FULL, Frames, Inputs, Judged, Moments, moments_of
from evalsys.scoring.pooled import fit

ROOT = Path(__file__).resolve().parent.parent
SIZES = (12_500, 25_000, 50_000, 100_000)
SECONDS, MEGABYTES = 60, 1500
IN_GROUP, STRATA, MODES, CONTRACTS_A_RATER, AT_ONCE = 500, 4, 2, 20, 2500


def shipped() -> Rules:
    """The shipped rules, which take every step but the adjustment, with peer groups of our own."""
    rules = load(ROOT / "scoring_rules.toml")
    if None in {rules.weighting, rules.severity, rules.shrinkage, rules.rank_sets, rules.sensitivity}:
        raise SystemExit("scoring_rules.toml: a step is off that this measures")
    return rules.model_copy(update={"peer_groups": ()})


def simulate(rules: Rules, contracts: int, seed: int = 1) -> Inputs:
    draw = np.random.default_rng(seed)
    quality = np.clip(draw.normal(0.75, 0.08, contracts), 0.2, 0.95)
    severity = draw.normal(0, 0.05, max(3, contracts // CONTRACTS_A_RATER))
    parts = [_answers(rules, start, quality, severity, draw) for start in range(0, contracts, AT_ONCE)]
    moments, judged = (
        kind(*(np.concatenate(columns) for columns in zip(*rows, strict=True)))
        for kind, rows in zip((Moments, Judged), zip(*parts, strict=True), strict=True)
    )
    asked = moments.party == [party.code for party in rules.parties].index(SAMPLED)
    frame = np.zeros((contracts, STRATA), dtype=np.int64)
    np.add.at(frame, (moments.contract[asked], moments.stratum[asked]), 2 * moments.respondents[asked])
    where = np.argwhere(frame)
    groups = -(-contracts // IN_GROUP)
    return Inputs(
        parties=tuple(party.code for party in rules.parties),
        dimensions=tuple(dimension.code for dimension in rules.dimensions),
        criteria=tuple(criterion.code for criterion in rules.criteria),
        modes=("self", "telephone"),
        strata=tuple(f"S{place}" for place in range(STRATA)),
        contracts=tuple(f"C{place:06d}" for place in range(contracts)),
        vendors=tuple(f"V{place:06d}" for place in range(contracts)),
        peer_groups=tuple(f"G{place:04d}" for place in range(groups)),
        vendor=draw.integers(0, max(1, contracts // 2), contracts),
        peer_group=draw.permutation(np.arange(contracts) % groups),
        amount=draw.uniform(1e4, 1e6, contracts),
        served=frame.sum(axis=1).astype(np.float64),
        moments=moments,
        frames=Frames(where[:, 0], where[:, 1], frame[frame > 0]),
        raters=tuple(f"R{place:06d}" for place in range(len(severity))),
        judged=judged,
    )


def _answers(
    rules: Rules, start: int, quality: Vector, severity: Vector, draw: np.random.Generator
) -> tuple[tuple[Integers, ...], tuple[Integers, ...]]:
    """Rows of moments, one for each party, mode and stratum of so many contracts, and rows of each rater's sums."""
    here = quality[start : start + AT_ONCE]
    moments, judged = [], ()
    for place, party in enumerate(rules.parties):
        sampled = party.code == SAMPLED
        answers = draw.integers(20, 180, len(here)) if sampled else draw.integers(1, 4, len(here))
        of = np.repeat(np.arange(len(here)), answers)
        rater = (7 * (start + of) + np.arange(len(of)) - np.repeat(answers.cumsum() - answers, answers)) % len(severity)
        points = here[of, None] + draw.normal(0, 0.1, (len(of), 1))
        points = points + draw.normal(0, 0.2, (len(of), len(rules.dimensions)))
        if not sampled:
            points += severity[rater, None]
        composites = np.rint(np.clip(points, 0, 1) * FULL).astype(np.int64)
        kind = draw.integers(0, MODES * STRATA, len(of)) if sampled else np.zeros(len(of), dtype=np.int64)
        cells, cell = np.unique(of * MODES * STRATA + kind, return_inverse=True)
        sums = moments_of(composites, cell, len(cells))
        contract, kinds = np.divmod(cells, MODES * STRATA)
        moments.append((start + contract, np.full(len(cells), place), *np.divmod(kinds, STRATA), *sums))
        if rules.severity is not None and party.code == rules.severity.party:
            judged = (start + of, rater, np.ones_like(composites), composites, composites**2)
    return tuple(np.concatenate(columns) for columns in zip(*moments, strict=True)), judged


def measure(contracts: int) -> None:
    """Print seconds of the fit and of the run, those of the processor, and peak megabytes of this process."""
    rules = shipped()
    inputs = simulate(rules, contracts)
    begin, busy = time.perf_counter(), time.process_time()
    frozen = fit(inputs, rules)
    fitted = time.perf_counter()
    score(inputs, rules, seed=1, frozen=frozen)
    done, busy = time.perf_counter(), time.process_time() - busy
    unit = 1e6 if sys.platform == "darwin" else 1e3
    print(fitted - begin, done - fitted, busy, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contracts", type=int, nargs="+", default=SIZES)
    parser.add_argument("--measure", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure(asked.measure)
        return
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}, groups of {IN_GROUP}")
    print(f"{'contracts':>9} {'fit, s':>8} {'run, s':>8} {'ms each':>8} {'processor, s':>13} {'peak, MB':>9}")
    failed = False
    for contracts in asked.contracts:
        command = [sys.executable, "-m", "benchmarks.after_step_0", "--measure", str(contracts)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        fitting, running, busy, megabytes = map(float, done.stdout.split())
        each = 1e3 * running / contracts
        print(
            f"{contracts:>9,} {fitting:>8.1f} {running:>8.1f} {each:>8.3f} {busy:>13.1f} {megabytes:>9,.0f}", flush=True
        )
        failed |= fitting + running > SECONDS or megabytes > MEGABYTES
    print(f"bar: {SECONDS} s for fit and run, {MEGABYTES:,} MB")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
