"""Step 0 by hand in DuckDB: the two groupings that a person would write for a wide file of recipients' ratings.

Written as DuckDB's documentation shows it: read_parquet, aggregates with FILTER, GROUP BY ALL, results as NumPy arrays.
It looks for no faults, no doubles, and counts the answers of recipients only.

    python benchmarks/peers/duckdb_step_0.py FILE.parquet MEGABYTES FOLDER
"""

import sys

import duckdb

ASKED = {
    "recipient_satisfied": 0,
    "recipient_help": 0,
    "recipient_respect": 0,
    "recipient_clear": 0,
    "recipient_safe": 0,
    "recipient_on_time": 1,
    "recipient_reachable": 1,
    "recipient_life": 2,
}
WEIGHTS = {"recipient_satisfied": 2, "recipient_help": 2}
LEVELS = """
SELECT contract, mode, {counts} FROM read_parquet('{file}') WHERE party = 'recipient' GROUP BY ALL
"""
MOMENTS = """
WITH added AS (
    SELECT contract, mode, stratum, {added} FROM read_parquet('{file}') WHERE party = 'recipient'
), composite AS (
    SELECT contract, mode, stratum, {composites} FROM added
)
SELECT contract, mode, stratum, count(*) AS respondents, {moments} FROM composite GROUP BY ALL
"""


def levels(file: str) -> str:
    """How often each level was given to each question."""
    questions = [*ASKED, "recipient_proxy"]
    counts = [f"count(*) FILTER ({q} = {level}) AS {q}_{level}" for q in questions for level in range(6)]
    return LEVELS.format(file=file, counts=", ".join(counts))


def moments(file: str) -> str:
    """Counts, sums and sums of products of the three composites."""
    added, composites, columns = [], [], []
    for d in range(3):
        asked = [q for q, dimension in ASKED.items() if dimension == d]
        points = " + ".join(f"coalesce(({q} - 1) * {25_000 * WEIGHTS.get(q, 1)}::BIGINT, 0)" for q in asked)
        weight = " + ".join(f"CASE WHEN {q} IS NULL THEN 0 ELSE {WEIGHTS.get(q, 1)} END" for q in asked)
        whole = sum(WEIGHTS.get(q, 1) for q in asked if q not in {"recipient_clear", "recipient_safe"})
        added.append(f"{points} AS t{d}, {weight} AS a{d}")
        composites.append(
            f"CASE WHEN a{d} > 0 AND 2 * a{d} >= {whole} THEN (2 * t{d} + a{d}) // (2 * a{d}) END AS y{d}"
        )
        columns += [f"sum(y{d}) FILTER (y{other} IS NOT NULL)::BIGINT AS s{d}{other}" for other in range(3)]
        columns += [f"count(y{d} + y{other}) AS n{d}{other}" for other in range(d, 3)]
        columns += [f"sum(y{d} * y{other})::BIGINT AS q{d}{other}" for other in range(d, 3)]
    return MOMENTS.format(
        file=file, added=", ".join(added), composites=", ".join(composites), moments=", ".join(columns)
    )


def main() -> None:
    file, megabytes, folder = sys.argv[1:]
    with duckdb.connect() as connection:
        connection.execute(f"SET memory_limit = '{megabytes}MB'")
        connection.execute("SET temp_directory = ?", [folder])
        groups = [len(connection.execute(query).fetchnumpy()["contract"]) for query in (levels(file), moments(file))]
    print(f"{groups[0]:,} groups of levels, {groups[1]:,} groups of composites")


if __name__ == "__main__":
    main()
