"""The same ratings give the same arrays and the same bytes, whatever file they come in."""

from __future__ import annotations

import csv
import random
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from evalsys.evaluation.files import Sources, read_inputs
from evalsys.rules.model import Rules, Source
from evalsys.scoring.inputs import Inputs
from tests.evaluation.written import long_rules
from tests.scoring.made import words

Row = dict[str, Any]
COEFFICIENTS = [{"dimension": "outcomes", "criterion": "age", "points": -4.0}]
STEPS = {"adjustment": {"ground": words("2025"), "coefficients": COEFFICIENTS}, "severity": {}}
CONTRACTS = "contract,vendor,service_type\nA,v,care\nB,v,training\nC,w,\n"


def some_rows(luck: random.Random, rules: Rules) -> list[Row]:
    """Respondents as a wide file has them."""
    rows = []
    for contract in "ABC":
        for party, most in (("recipient", 12), ("purchaser", 1), ("third_party", 4)):
            for number in range(luck.randint(0, most)):
                row: Row = {"contract": contract, "party": party, "rater": f"{party[0]}{number}"}
                row["mode"] = luck.choice(["self", "telephone", ""]) if party == "recipient" else ""
                row["township"], row["item"] = luck.choice([("东", "送餐"), ("西", "送餐"), ("", "")])
                row["held"] = luck.choice(["", "", "", "yes"])
                rows.append(row | some_answers(luck, rules, party, contract, first=number == 0))
    return [row for row in rows if set(row) & {criterion.code for criterion in rules.criteria}]


def some_answers(luck: random.Random, rules: Rules, party: str, contract: str, *, first: bool) -> Row:
    answers: Row = {}
    for criterion in rules.criteria_for(party, {"A": "care", "B": "training"}.get(contract)):
        if luck.random() < 0.3:
            continue
        if criterion.source is Source.MEASURED:
            if first:
                answers[criterion.code] = luck.choice([0.6, 1 / 3 + 0.5, 60.0, "na"])
        elif criterion.not_applicable and luck.random() < 0.2:
            answers[criterion.code] = "na"
        else:
            answers[criterion.code] = luck.randint(1, 2 if criterion.scale == "yes" else 5)
    return answers


LABELS = ("contract", "party", "rater", "mode", "township", "item", "held")


def long_rows(rows: Sequence[Row]) -> list[Row]:
    return [
        {label: row[label] for label in LABELS} | {"criterion": code, "value": str(value)}
        for row in rows
        for code, value in row.items()
        if code not in LABELS
    ]


def write_csv(path: Path, rows: Sequence[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [*LABELS, "criterion", "value"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_parquet(path: Path, columns: Mapping[str, str], rows: Sequence[Row]) -> Path:
    """`columns`: the type of each."""
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
        values = [[row.get(name) for name in columns] for row in rows]
        if values:
            connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(columns))})", values)
        connection.execute(f"COPY t TO '{path}' (FORMAT parquet)")
    return path


def wide_columns(rules: Rules, kind: str) -> dict[str, str]:
    texts = dict.fromkeys(LABELS, "VARCHAR")
    return texts | {c.code: "VARCHAR" if c.source is Source.MEASURED else kind for c in rules.criteria}


def as_numbers(rows: Sequence[Row], rules: Rules) -> list[Row]:
    """Levels as numbers: 0 = not applicable."""
    levels = {c.code for c in rules.criteria if c.source is not Source.MEASURED}
    return [{key: 0 if value == "na" and key in levels else value for key, value in row.items()} for row in rows]


def told(inputs: Inputs) -> dict[str, Any]:
    """Everything the core reads, with labels in the place of positions."""
    table, levels, judged, frames = inputs.moments, inputs.levels, inputs.judged, inputs.frames
    where = zip(table.contract, table.party, table.mode, table.stratum, strict=True)
    named = [(inputs.contracts[c], inputs.parties[p], inputs.modes[m], inputs.strata[s]) for c, p, m, s in where]
    sums = zip(table.respondents.tolist(), table.n.tolist(), table.y.tolist(), table.yy.tolist(), strict=True)
    counted = zip(levels.contract, levels.party, levels.mode, levels.criterion, levels.level, levels.count, strict=True)
    return {
        "moments": dict(zip(named, sums, strict=True)),
        "levels": {
            (inputs.contracts[c], inputs.parties[p], inputs.modes[m], inputs.criteria[k], int(level)): int(count)
            for c, p, m, k, level, count in counted
        },
        "judged": judged
        and {
            (inputs.contracts[c], inputs.raters[r]): (n.tolist(), y.tolist(), yy.tolist())
            for c, r, n, y, yy in zip(judged.contract, judged.rater, judged.n, judged.y, judged.yy, strict=True)
        },
        "frames": [(inputs.contracts[c], inputs.strata[s], int(size)) for c, s, size in columns(frames)],
        "adjusters": inputs.adjusters,
    }


def columns(table: Any) -> Any:
    return zip(table.contract, table.stratum, table.size, strict=True)


@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.generate))  # a shrunk seed tells no more
@given(st.integers(0, 10**6), st.booleans())
def test_long_csv_wide_parquet_and_long_parquet_agree(seed: int, steps: bool) -> None:
    luck = random.Random(seed)
    rules = long_rules(answered_share=luck.choice([0.3, 0.5, 0.75, 1.0]), **(STEPS if steps else {}))
    rows = some_rows(luck, rules)
    long = long_rows(rows)
    if all(row["held"] for row in long):
        return
    luck.shuffle(long)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "contracts.csv").write_text(CONTRACTS, encoding="utf-8")
        frame = folder / "frame.csv"
        frame.write_text("contract,township,item,size\nA,东,送餐,30\nA,西,送餐,20\n", encoding="utf-8")
        files = [
            write_csv(folder / "long.csv", long),
            write_parquet(folder / "long.parquet", dict.fromkeys((*LABELS, "criterion", "value"), "VARCHAR"), long),
            write_parquet(folder / "wide.parquet", wide_columns(rules, "VARCHAR"), rows),
            write_parquet(folder / "whole.parquet", wide_columns(rules, "TINYINT"), as_numbers(rows, rules)),
            write_parquet(folder / "broken.parquet", wide_columns(rules, "DOUBLE"), as_numbers(rows, rules)),
        ]
        known = luck.choice([folder / "contracts.csv", None])
        read = [read_inputs(Sources(file, known, frame if known else None), rules) for file in files]
    first, held = read[0]
    for file, (inputs, held_there) in zip(files[1:], read[1:], strict=True):
        assert told(inputs) == told(first), file.name
        assert held_there == held, file.name
        for mine, theirs in ((inputs.moments, first.moments), (inputs.judged, first.judged)):
            if mine is not None and theirs is not None:
                assert mine.contract.tolist() == theirs.contract.tolist()
