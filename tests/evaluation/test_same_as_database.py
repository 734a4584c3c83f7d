"""The database and a file with the same ratings give the same sums."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from evalsys.collection.models import Mode
from evalsys.evaluation.arrays import inputs_of
from evalsys.evaluation.files import Sources, read_inputs
from evalsys.registry.models import Region
from evalsys.registry.pins import rules_of
from evalsys.rules.model import Source
from tests.evaluation.rated import assess, respond
from tests.evaluation.test_same_from_any_file import LABELS, Row, long_rows, told, write_csv, write_parquet
from tests.factories import make_contract, make_cycle, make_entry, make_stratum


def rated(session: Session, luck: random.Random) -> tuple[Any, list[Row]]:
    """A cycle with random answers, and its rows as a file has them."""
    cycle = make_cycle(session)
    rules, region = rules_of(cycle), session.get_one(Region, cycle.region_id)
    rows: list[Row] = []
    for number in range(3):
        contract = make_contract(session, region=region, service_type="care")
        entry = make_entry(session, cycle=cycle, contract=contract)
        strata = [make_stratum(session, entry=entry, township=name, size=9) for name in ("东", "西")]
        for party, most in (("recipient", 12), ("purchaser", 1), ("third_party", 3)):
            asked = [c for c in rules.criteria_for(party, "care") if c.source is not Source.MEASURED]
            for rater in range(most):
                answers = {c.code: float(luck.randint(1, 2)) for c in asked if luck.random() < 0.7}
                if not answers:
                    continue
                held, stratum = luck.random() < 0.2, luck.choice([*strata, None])
                row: Row = dict.fromkeys(LABELS, "") | {"contract": contract.reference, "party": party}
                row["rater"] = f"{party}{number}{rater}"
                if party == "recipient":
                    mode = luck.choice(list(Mode))
                    respond(session, entry, answers, stratum=stratum, mode=mode).held = held
                    place = (stratum.township, stratum.item) if stratum else ("", "")
                    row |= {"mode": mode.value, "township": place[0], "item": place[1]}
                else:
                    assess(session, entry, party, answers).held = held
                row["held"] = "yes" if held else ""
                rows.append(row | {code: int(value) for code, value in answers.items()})
    session.flush()
    return cycle, rows


def plain(inputs: Any) -> dict[str, Any]:
    """What was told, without groups in which nobody has a composite, and without the raters' names."""
    found = told(inputs)
    judged = sorted((contract, sums) for (contract, _rater), sums in (found["judged"] or {}).items() if any(sums[0]))
    moments = {key: sums for key, sums in found["moments"].items() if sums[0]}
    return {"levels": found["levels"], "moments": moments, "judged": judged}


@pytest.mark.parametrize("seed", range(2))
def test_a_file_gives_the_sums_of_the_database(session: Session, tmp_path: Path, seed: int) -> None:
    cycle, rows = rated(session, random.Random(seed))
    rules = rules_of(cycle)
    expected = plain(inputs_of(session, cycle, rules))
    contracts = tmp_path / "contracts.csv"
    codes = sorted({row["contract"] for row in rows})
    contracts.write_text("contract,vendor,service_type\n" + "".join(f"{code},v,care\n" for code in codes), "utf-8")
    kinds = dict.fromkeys(LABELS, "VARCHAR") | {c.code: "TINYINT" for c in rules.criteria}
    files = [
        write_csv(tmp_path / "long.csv", long_rows(rows)),
        write_parquet(tmp_path / "wide.parquet", kinds, rows),
    ]
    for file in files:
        assert plain(read_inputs(Sources(file, contracts), rules)[0]) == expected, file.name
