"""How often the interval holds the true value, simulated through the scoring engine itself.

    python -m benchmarks.coverage                     # 4,000 replicates: the table of docs/methodology.md
    python -m benchmarks.coverage --replicates 400

Each replicate is a contract with a frame of recipients of its own, of whom n answer on five levels (0, 25, 50, 75 and
100 points). With a finite frame, twice as many people are served as answer, and the mean of all of them is to be held;
without one, the mean of the population. φ_pool is learned from another cycle of 300 contracts, 100 of each population,
with as many answers and the same kind of frame, then frozen, as it is when a cycle closes. Beside it stands the plain
normal interval, mean ± 1.96·s/√n with the same finite-population factor. The figures are printed as they come out;
nothing was tuned to them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evalsys.rules.loading import load
from evalsys.rules.model import Rules, Status
from evalsys.scoring import engine, pooled
from evalsys.scoring.arrays import Vector
from evalsys.scoring.cells import weight_matrix
from evalsys.scoring.inputs import Frames, Inputs, Moments, moments_of
from evalsys.scoring.intervals import normal_quantile

ROOT = Path(__file__).resolve().parent.parent
SEED = 20261123
REPLICATES = 4_000
LEARNED_FROM = 300
ANSWERS = (5, 10, 20, 50, 100)
POPULATIONS = {
    "ceiling": (0.01, 0.02, 0.07, 0.25, 0.65),
    "middling": (0.08, 0.17, 0.35, 0.28, 0.12),
    "polarised": (0.30, 0.08, 0.04, 0.13, 0.45),
}
POINTS = np.array([0.0, 25.0, 50.0, 75.0, 100.0])
SERVED_FOR_EACH_ANSWER = 2
HEAD = "| population | n | frame | coverage | mean width | normal: coverage | mean width |"


@dataclass(frozen=True)
class Covered:
    """Share of intervals that hold the true value, and their mean width in points."""

    share: float
    width: float

    @classmethod
    def of(cls, low: Vector, high: Vector, truth: Vector) -> Covered:
        held = (low <= truth + 1e-9) & (truth <= high + 1e-9)
        return cls(float(held.mean()), float((high - low).mean()))


@dataclass(frozen=True)
class Setting:
    """How many answer of how many; endlessly many where `frame` is None."""

    answers: int
    frame: int | None

    def drawn(self, draw: np.random.Generator, population: str, contracts: int) -> tuple[Vector, Vector]:
        """Points of those who answer, shape (contracts, answers), and the true mean of each contract."""
        chances = POPULATIONS[population]
        served = draw.choice(POINTS, size=(contracts, self.frame or self.answers), p=chances)
        truth = served.mean(axis=1) if self.frame else np.full(contracts, POINTS @ np.array(chances))
        return served[:, : self.answers], truth


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    population: str
    setting: Setting
    engine: Covered
    normal: Covered

    def __str__(self) -> str:
        own, plain = (f"{c.share:.3f} | {c.width:.1f}" for c in (self.engine, self.normal))
        return f"| {self.population} | {self.setting.answers} | {self.setting.frame or '–'} | {own} | {plain} |"


def rows(replicates: int, seed: int = SEED) -> Iterator[Row]:
    """Every population, number of answers and kind of frame."""
    draw = np.random.default_rng(seed)
    rules = load(ROOT / "examples" / "one-party.toml")
    settings = [Setting(n, frame) for n in ANSWERS for frame in (None, n * SERVED_FOR_EACH_ANSWER)]
    for population in POPULATIONS:
        for setting in settings:
            yield _row(draw, rules, population, setting, replicates)


def _row(draw: np.random.Generator, rules: Rules, population: str, setting: Setting, replicates: int) -> Row:
    mixed = [setting.drawn(draw, name, LEARNED_FROM // len(POPULATIONS))[0] for name in POPULATIONS]
    terms = pooled.fit(_of_recipients(rules, np.concatenate(mixed), setting), rules)
    points, truth = setting.drawn(draw, population, replicates)
    cells = engine.score(_of_recipients(rules, points, setting), rules, seed=0, frozen=terms).cells
    left = 1 - setting.answers / setting.frame if setting.frame else 1.0
    mean = points.mean(axis=1)
    arm = normal_quantile(rules.interval.level) * points.std(axis=1, ddof=1) * np.sqrt(left / setting.answers)
    return Row(
        population,
        setting,
        Covered.of(cells.low[:, 0, 0], cells.high[:, 0, 0], truth),
        Covered.of(mean - arm, mean + arm, truth),
    )


def _of_recipients(rules: Rules, points: Vector, setting: Setting) -> Inputs:
    return _inputs(rules, {"recipient": points[:, :, None]}, setting.frame)


def whole_score(replicates: int, seed: int = SEED) -> Covered:
    """Coverage of the score T with the shipped weights.

    20 of 60 recipients answer, whose dimensions hang together; one purchaser (7 points of its own on all dimensions, 7
    more on each: together what the rules assume) and two evaluators (5 and 5) judge. The truth is what all recipients
    and endlessly many such raters would say.
    """
    draw = np.random.default_rng(seed)
    off = ("weighting", "severity", "shrinkage", "rank_sets", "sensitivity", "reliability", "integrity")
    rules = load(ROOT / "scoring_rules.toml").model_copy(update={"status": Status()} | dict.fromkeys(off))
    wide = len(rules.dimensions)

    def cycle(contracts: int) -> tuple[Inputs, Vector]:
        def noise(deviation: float, *shape: int) -> Vector:
            return draw.normal(0, deviation, (contracts, *shape))

        true = {p.code: np.clip(72 + noise(6, 1) + noise(4, wide), 40, 85) for p in rules.parties}
        people = np.clip(true["recipient"][:, None] + noise(14, 60, 1) + noise(12, 60, wide), 0, 100)
        bought = np.clip(true["purchaser"][:, None] + noise(7, 1, 1) + noise(7, 1, wide), 0, 100)
        judged = np.clip(true["third_party"][:, None] + noise(5, 2, 1) + noise(5, 2, wide), 0, 100)
        true["recipient"] = people.mean(axis=1)
        truth = np.stack([true[party.code] for party in rules.parties], axis=1)
        answers = {"recipient": people[:, :20], "purchaser": bought, "third_party": judged}
        return _inputs(rules, answers, 60), (truth * weight_matrix(rules)).sum(axis=(1, 2))

    terms = pooled.fit(cycle(LEARNED_FROM)[0], rules)
    inputs, truth = cycle(replicates)
    result = engine.score(inputs, rules, seed=0, frozen=terms)
    return Covered.of(result.low, result.high, truth)


def _inputs(rules: Rules, answers: dict[str, Vector], frame: int | None) -> Inputs:
    """A cycle from each party's points, shape (contracts, respondents, dimensions)."""
    contracts = len(next(iter(answers.values())))
    every = np.arange(contracts)
    parties = [party.code for party in rules.parties]
    tables = []
    for party, points in answers.items():
        thousandths = np.rint(points * 1000).astype(np.int64).reshape(-1, points.shape[2])
        sums = moments_of(thousandths, np.repeat(every, points.shape[1]), contracts)
        tables.append((every, np.full(contracts, parties.index(party)), *sums))
    contract, party_of, respondents, n, y, yy = (np.concatenate(columns) for columns in zip(*tables, strict=True))
    nowhere = np.zeros(len(contract), dtype=np.int64)
    return Inputs(
        parties=tuple(parties),
        dimensions=tuple(dimension.code for dimension in rules.dimensions),
        criteria=tuple(criterion.code for criterion in rules.criteria),
        modes=("",),
        strata=("",),
        contracts=tuple(f"{number:06d}" for number in range(contracts)),
        vendors=("vendor",),
        peer_groups=("all",),
        vendor=np.zeros(contracts, dtype=np.int64),
        peer_group=np.zeros(contracts, dtype=np.int64),
        amount=np.full(contracts, np.nan),
        served=np.full(contracts, np.nan),
        moments=Moments(contract, party_of, nowhere, nowhere, respondents, n, y, yy),
        frames=Frames(every, np.zeros(contracts, dtype=np.int64), np.full(contracts, frame))
        if frame
        else Frames.none(),
    )


def told(replicates: int, seed: int = SEED) -> Iterator[str]:
    """The Markdown that stands in docs/methodology.md, line by line."""
    yield f"{replicates:,} replicates, seed {seed}, 95% intervals; a frame is how many are served, – is endlessly many."
    yield ""
    yield HEAD
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    yield from map(str, rows(replicates, seed))
    whole = whole_score(replicates, seed)
    yield ""
    yield f"The whole score T of three parties: coverage {whole.share:.3f}, mean width {whole.width:.1f} points."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=REPLICATES)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    for line in told(asked.replicates, asked.seed):
        print(line, flush=True)


if __name__ == "__main__":
    main()
