"""A weighted sum by scikit-criteria, as its documentation shows it.

    python scikit_criteria.py ROWS PARTS RUNS

Prints the median milliseconds of `evaluate`, the decision matrix being made before, and the first row's score.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np

try:
    import skcriteria
    from skcriteria.agg.simple import WeightedSumModel
except ImportError as error:
    raise SystemExit(f"scikit-criteria is not there: {error}") from error


def main() -> None:
    rows, parts, runs = map(int, sys.argv[1:])
    draw = np.random.default_rng(1)
    points, weights = draw.uniform(0, 100, (rows, parts)), draw.uniform(size=parts)
    matrix = skcriteria.mkdm(points, [max] * parts, weights=weights / weights.sum())
    model = WeightedSumModel()
    took = []
    for _ in range(runs):
        start = time.perf_counter()
        result = model.evaluate(matrix)
        took.append(time.perf_counter() - start)
    print(1000 * statistics.median(took), float(result.e_.score[0]))


if __name__ == "__main__":
    main()
