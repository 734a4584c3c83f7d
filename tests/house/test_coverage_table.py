"""The table of coverage in the documentation has the shape that the benchmark prints, and figures that can be."""

from __future__ import annotations

import re

from benchmarks import coverage
from evalsys.config import ROOT

FEW = 40


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def documented() -> list[str]:
    text = (ROOT / "docs" / "methodology.md").read_text(encoding="utf-8")
    return text.split("<!-- coverage -->\n")[1].split("\n<!-- /coverage -->")[0].split("\n")


def test_the_documented_table_has_every_row_of_the_benchmark() -> None:
    written, printed = documented(), list(coverage.told(FEW))
    assert len(written) == len(printed)
    assert written[0] == printed[0].replace(f"{FEW} replicates", f"{coverage.REPLICATES:,} replicates")
    for kept, made in zip(written[1:-1], printed[1:-1], strict=True):
        assert cells(kept)[:3] == cells(made)[:3]
        assert len(cells(kept)) == len(cells(made))
    assert re.sub(r"[\d.]+", "#", written[-1]) == re.sub(r"[\d.]+", "#", printed[-1])


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    for row in coverage.rows(400):
        assert 0.86 <= row.engine.share <= 1, row
        assert 0 < row.engine.width < 100
    assert 0.9 <= coverage.whole_score(300).share <= 1


def test_the_same_seed_prints_the_same_table() -> None:
    assert list(coverage.told(FEW)) == list(coverage.told(FEW))
    assert list(coverage.told(FEW, seed=7)) != list(coverage.told(FEW))
