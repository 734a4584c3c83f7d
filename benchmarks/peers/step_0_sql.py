"""Step 0 of the recipients as one would write it by hand: a CASE for each criterion, no tables beside the data.

Both statements run unchanged on SQLite and PostgreSQL; `{cycle}` stands for the cycle's id.
"""

from __future__ import annotations

from evalsys.rules.model import Rules, Source
from evalsys.scoring.cells import SAMPLED
from evalsys.scoring.composite import MILLION, level_points, scheme

_FROM = """
FROM response r JOIN response_rating x ON x.response_key = r.key
    JOIN entry e ON e.id = r.entry_id JOIN contract c ON c.id = e.contract_id
WHERE e.cycle_id = {cycle} AND NOT r.held
"""


def level_counts() -> str:
    """How often each level was given: entry, mode, criterion, value, count."""
    keys = "r.entry_id, r.mode, x.criterion, x.value"
    return f"SELECT {keys}, count(*){_FROM}GROUP BY {keys}"


def moments(rules: Rules) -> str:
    """Entry, mode and stratum, then n, y and yy of every pair of dimensions."""
    how, count = scheme(rules, SAMPLED), len(rules.dimensions)
    asked = [
        (criterion, int(d), int(weight))
        for criterion, d, weight in zip(how.criteria, how.dimension, how.weight, strict=True)
        if criterion.source is Source.ASKED
    ]
    person, whole, share = [], [], how.share
    for d in range(count):
        total, answered, absent, weights = [], [], [], []
        for criterion, dimension, weight in asked:
            if dimension != d:
                continue
            of = f"WHEN '{criterion.code}' THEN"
            scale = rules.scale_of(criterion)
            points = level_points(len(getattr(scale, "levels", (0, 0))))
            levels = " ".join(f"WHEN {n} THEN {int(worth) * weight}" for n, worth in enumerate(points, start=1))
            kinds = ", ".join(f"'{kind}'" for kind in criterion.service_types)
            here = f"CASE WHEN c.service_type IN ({kinds}) THEN 1 ELSE 0 END" if kinds else "1"
            total.append(f"{of} {here} * CASE x.value {levels} ELSE 0 END")
            answered.append(f"{of} {here} * CASE WHEN x.value IS NULL THEN 0 ELSE {weight} END")
            absent.append(f"{of} {here} * CASE WHEN x.value IS NULL THEN {weight} ELSE 0 END")
            weights.append(f"{weight} * {here}")
        for name, cases in (("t", total), ("a", answered), ("o", absent)):
            person.append(f"CAST(sum(CASE x.criterion {' '.join(cases)} ELSE 0 END) AS BIGINT) AS {name}{d}")
        whole.append(f"{' + '.join(weights)} AS w{d}")
    values = [
        f"CASE WHEN a{d} > 0 AND a{d} * {MILLION} >= (w{d} - o{d}) * {share} "
        f"THEN (2 * t{d} + a{d} * 1000) / (a{d} * 2000) END AS y{d}"
        for d in range(count)
    ]
    pairs = [(i, j) for i in range(count) for j in range(count)]
    there = [f"CASE WHEN y{i} IS NOT NULL AND y{j} IS NOT NULL THEN" for i, j in pairs]
    sums = [f"CAST(sum({case} 1 ELSE 0 END) AS BIGINT)" for case in there]
    sums += [f"CAST(sum({case} y{i} ELSE 0 END) AS BIGINT)" for case, (i, _j) in zip(there, pairs, strict=True)]
    sums += [f"CAST(sum({case} y{i} * y{j} ELSE 0 END) AS BIGINT)" for case, (i, j) in zip(there, pairs, strict=True)]
    keys = "entry_id, mode, stratum_id"
    own = "r.key, r.entry_id, r.mode, r.stratum_id"
    people = f"SELECT {own}, {', '.join(whole)}, {', '.join(person)}{_FROM}GROUP BY {own}, c.service_type"
    composites = f"SELECT {keys}, {', '.join(values)} FROM ({people}) AS person"  # noqa: S608 - names and numbers of the rules
    return f"SELECT {keys}, {', '.join(sums)} FROM ({composites}) AS composite GROUP BY {keys}"  # noqa: S608 - names and numbers of this file
