"""Files for the tests of scoring without a database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evalsys import config
from evalsys.rules.loading import load
from evalsys.rules.model import Rules
from tests.scoring.made import make_rules, words

ONE_PARTY = config.ROOT / "examples" / "one-party.toml"


def one_party() -> Rules:
    return load(ONE_PARTY)


def write(folder: Path, text: str, name: str = "ratings.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def write_sheet(folder: Path, rows: Sequence[Sequence[Any]], *, merged: bool = False) -> Path:
    import xlsxwriter

    path = folder / "ratings.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        if merged:
            sheet.merge_range(3, 0, 4, 0, "A")
    return path


def long_rules(**changes: Any) -> Rules:
    """Questions of every kind: for one service type only, not always applicable, yes or no, measured, an adjuster."""

    def criterion(code: str, party: str, dimension: str, **more: Any) -> dict[str, Any]:
        return {"code": code, "party": party, "dimension": dimension, "text": words("?"), "scale": "five"} | more

    unit = words("share")
    return make_rules(
        **{
            "minimums": {"recipient": 2},
            "service_types": [
                {"code": "care", "name": words("照料护理"), "kind": "personal"},
                {"code": "training", "name": words("业务培训"), "kind": "transactional"},
            ],
            "scales": [
                {"code": "five", "kind": "levels", "levels": [words(str(level)) for level in range(1, 6)]},
                {"code": "yes", "kind": "yes_no"},
                {"code": "staff", "kind": "goalposts", "unit": unit, "worst": 0.5, "best": 1.0},
                {"code": "pay", "kind": "bands", "unit": unit, "bands": [{"at": 50.0, "points": 100.0}]},
            ],
            "criteria": [
                criterion("satisfied", "recipient", "outcomes"),
                criterion("gentle", "recipient", "outcomes", service_types=["care"]),
                {"code": "age", "party": "recipient", "text": words("?"), "scale": "five", "source": "adjuster"},
                criterion("goals", "third_party", "outcomes", not_applicable=True),
                criterion("records", "third_party", "outcomes", scale="yes"),
                criterion("staffing", "third_party", "outcomes", scale="staff", source="measured"),
                criterion("paid", "third_party", "outcomes", scale="pay", source="measured"),
            ],
            "weights": [{"dimension": "outcomes", "share": 1.0, "parties": {"recipient": 0.6, "third_party": 0.4}}],
        }
        | changes
    )
