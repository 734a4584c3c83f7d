"""Parquet: what is refused, in the words of CSV, and what DuckDB needs."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from evalsys import cli
from evalsys.evaluation.file_faults import FilesFaulty
from evalsys.evaluation.files import Sources, read_inputs
from evalsys.evaluation.parquet import faults, opening
from evalsys.evaluation.parquet.opening import Room
from evalsys.evaluation.parquet.sums import Sums
from evalsys.rules.model import Rules
from evalsys.scoring.inputs import Inputs
from tests.evaluation.test_same_from_any_file import write_parquet
from tests.evaluation.written import ONE_PARTY, long_rules, one_party, write

LONG = ("contract", "party", "rater", "criterion", "value")
WIDE = {"contract": "VARCHAR", "party": "VARCHAR", "rater": "VARCHAR"}


def long(folder: Path, *rows: str, header: Sequence[str] = LONG) -> Path:
    """A long file of texts, from lines of CSV."""
    cells = [dict(zip(header, row.split(","), strict=True)) for row in rows]
    return write_parquet(folder / "ratings.parquet", dict.fromkeys(header, "VARCHAR"), cells)


def wide(folder: Path, *rows: Mapping[str, Any], **kinds: str) -> Path:
    common = {"contract": "A", "party": "recipient"}
    return write_parquet(folder / "ratings.parquet", WIDE | kinds, [common | dict(row) for row in rows])


def faults_of(path: Path, rules: Rules | None = None, **more: Path) -> list[str]:
    with pytest.raises(FilesFaulty) as caught:
        read_inputs(Sources(path, **more), rules or long_rules())
    return [fault.said("en").removeprefix("ratings.parquet, ") for fault in caught.value.faults]


def inputs_of(path: Path, rules: Rules | None = None, **more: Path) -> Inputs:
    return read_inputs(Sources(path, **more), rules or long_rules())[0]


@pytest.mark.parametrize(
    "rows",
    [
        ["A,nobody,r,satisfied,5"],
        ["A,recipient,r,what,5"],
        ["A,recipient,r,goals,5"],
        [" ,recipient,r,satisfied,5"],
        ["A,recipient,,satisfied,5"],
        ["A,recipient,r,satisfied,6"],
        ["A,recipient,r,satisfied,2.5"],
        ["A,recipient,r,satisfied,"],
        ["A,recipient,r,satisfied,na"],
        ["A,recipient,r,satisfied,inf"],
        ["A,third_party,r,goals,x"],
        ["A,third_party,r,records,3"],
        ["A,third_party,r,staffing,1_0"],
        ["A,recipient,r,satisfied,5", "A,recipient, r ,satisfied,4"],
        ["A,third_party,a,staffing,1", "A,third_party,b,staffing,1"],
        [],
    ],
)
def test_a_faulty_cell_of_a_long_file_is_told_as_in_csv(tmp_path: Path, rows: list[str]) -> None:
    text = write(tmp_path, ",".join(LONG) + "\n" + "".join(f"{row}\n" for row in rows))
    with pytest.raises(FilesFaulty) as caught:
        read_inputs(Sources(text), long_rules())
    said = [fault.said("en").removeprefix("ratings.csv, ") for fault in caught.value.faults]
    # a CSV file has a header: what is its row 2 is the first row here
    shifted = [re.sub(r"[Rr]ow (\d+)", lambda found: f"row {int(found[1]) - 1}", line) for line in said]
    found = [line.replace("Row", "row").replace(".parquet", ".csv") for line in faults_of(long(tmp_path, *rows))]
    assert found == shifted


@pytest.mark.parametrize(
    ("row", "kinds", "said"),
    [
        ({"rater": "r", "satisfied": 6}, {"satisfied": "TINYINT"}, "row 1, column satisfied “6”: The value is not on"),
        ({"rater": "r", "satisfied": 0}, {"satisfied": "TINYINT"}, "row 1, column satisfied “0”: The value is not on"),
        ({"rater": "r", "satisfied": 2.5}, {"satisfied": "DOUBLE"}, "row 1, column satisfied “2.5”: The value is not"),
        ({"rater": "r", "satisfied": 6.0}, {"satisfied": "DOUBLE"}, "row 1, column satisfied “6”: The value is not on"),
        ({"rater": "r", "satisfied": "na"}, {"satisfied": "VARCHAR"}, "row 1, column satisfied “na”: The value is not"),
        ({"rater": "r", "satisfied": " x"}, {"satisfied": "VARCHAR"}, "row 1, column satisfied “x”: The value is not"),
        (
            {"rater": "r", "goals": 1},
            {"goals": "TINYINT"},
            "row 1, column goals “1”: This party is not asked this. `evalsys rules show` lists who answers what.",
        ),
        ({"rater": "", "satisfied": 1}, {"satisfied": "TINYINT"}, "row 1, column rater: The cell is empty. Write who"),
        (
            {"rater": "r", "party": "third_party", "staffing": "1_0"},
            {"staffing": "VARCHAR"},
            "row 1, column staffing “1_0”: The value is not on the scale of staffing. Write a number, or na",
        ),
        ({"rater": "r", "held": "?", "satisfied": 1}, {"held": "VARCHAR", "satisfied": "TINYINT"}, "column held “?”"),
        ({"rater": "r", "party": " who ", "satisfied": 1}, {"satisfied": "TINYINT"}, "row 1, column party “who”: The"),
    ],
)
def test_a_faulty_cell_of_a_wide_file_is_told(
    tmp_path: Path, row: dict[str, Any], kinds: dict[str, str], said: str
) -> None:
    found = faults_of(wide(tmp_path, row, **kinds))
    assert len(found) == 1
    assert said in found[0]


def test_doubles_of_a_wide_file_are_told_by_their_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "_KEYS_AT_ONCE", 2)  # so that the search goes part by part
    rows = [{"rater": rater, "satisfied": 5} for rater in ("a", "b", "c", "b ", "b")]
    found = faults_of(wide(tmp_path, *rows, satisfied="TINYINT"))
    assert [line.split(" rates")[0].split(" already")[0] for line in found] == ["row 4: Row 2", "row 5: Row 4"]
    twice = [{"rater": r, "party": "third_party", "staffing": 0.7} for r in "xy"]
    (fault,) = faults_of(wide(tmp_path, *twice, staffing="DOUBLE"))
    assert "row 2: Row 1 already rates this contract" in fault


def test_all_faults_are_counted_and_a_hundred_listed(tmp_path: Path) -> None:
    rows = [{"rater": str(n), "satisfied": 9} for n in range(250)]
    with pytest.raises(FilesFaulty) as caught:
        read_inputs(Sources(wide(tmp_path, *rows, satisfied="TINYINT")), long_rules())
    assert caught.value.lines("en")[-1] == "Faults: 250, 100 of them above; nothing was written."
    assert [fault.row for fault in caught.value.faults] == list(range(1, 101))


@pytest.mark.parametrize(
    ("header", "rows", "said"),
    [
        (
            "mode",
            ["A,recipient,r,satisfied,1,paper", "A,recipient,r,gentle,2,self"],
            "row 2, column mode “self”: Row 1",
        ),
        (
            "stratum",
            ["A,recipient,r,satisfied,1,x", "A,recipient,r,gentle,2,"],
            "row 2, column stratum: Row 1 says “x”",
        ),
        (
            "vendor",
            ["A,recipient,r,satisfied,1,v", "A,recipient,q,satisfied,2,w"],
            "row 2, column vendor “w”: Row 1 says",
        ),
    ],
)
def test_what_belongs_to_a_respondent_or_contract_does_not_change(
    tmp_path: Path, header: str, rows: list[str], said: str
) -> None:
    (fault,) = faults_of(long(tmp_path, *rows, header=(*LONG, header)))
    assert said in fault


def test_files_that_disagree_are_named_at_the_first_rating(tmp_path: Path) -> None:
    rules = long_rules()
    header = (*LONG, "vendor", "stratum")
    rows = ["A,recipient,r,satisfied,1,w,north", "B,recipient,r,satisfied,1,w,", "A,recipient,q,gentle,1,w,"]
    path = long(tmp_path, *rows, header=header)
    contracts = write(tmp_path, "contract,vendor,service_type\nA,v,training\n", "contracts.csv")
    frame = write(tmp_path, "contract,stratum,size\nA,south,9\n", "frame.csv")
    found = faults_of(path, rules, contracts=contracts, frame=frame)
    assert [line.split(". ")[0] for line in found] == [
        "row 1, column vendor “w”: The contracts name another vendor, v",
        "row 1, column stratum “north”: The frame of contract A has no such stratum",
        "row 2, column contract “B”: There is no such contract",
        "row 3, column criterion “gentle”: It is not asked of this service type",
    ]
    parted = write(tmp_path, "contract,township,size\nA,south,9\n", "parted.csv")
    assert "Use the same columns in both files." in faults_of(path, rules, frame=parted)[0]


def test_a_wide_file_is_not_asked_what_its_service_type_is_not(tmp_path: Path) -> None:
    path = wide(tmp_path, {"rater": "r", "gentle": 4}, gentle="TINYINT")
    contracts = write(tmp_path, "contract,vendor,service_type\nA,v,training\n", "contracts.csv")
    (fault,) = faults_of(path, contracts=contracts)
    assert fault.startswith("row 1, column criterion “gentle”: It is not asked of this service type.")


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (
            {"satisfeid": "TINYINT", "gentle": "TINYINT"},
            "column satisfeid: This column is not known. Columns are:",
        ),
        ({"satisfied": "BOOLEAN"}, "column satisfied: The column does not hold text or numbers. Write it as text"),
        ({"satisfied": "DATE"}, "column satisfied: The column does not hold text or numbers."),
        (
            {"satisfied": "TINYINT", "stratum": "VARCHAR", "item": "VARCHAR"},
            "column stratum: It stands beside",
        ),
        ({"criterion": "VARCHAR"}, "column value: This column is missing."),
    ],
)
def test_columns_are_looked_at_first(tmp_path: Path, kinds: dict[str, str], said: str) -> None:
    (fault,) = faults_of(wide(tmp_path, **kinds))
    assert said in fault


def test_labels_may_be_numbers(tmp_path: Path) -> None:
    kinds = {"contract": "DOUBLE", "rater": "BIGINT", "held": "BOOLEAN", "vendor": "DECIMAL(6,2)", "overall": "BIGINT"}
    rows = [{"contract": 5.0, "rater": n, "held": n == 3, "vendor": 7, "overall": 4} for n in range(4)]
    inputs, held = read_inputs(Sources(write_parquet(tmp_path / "n.parquet", kinds, rows)), one_party())
    assert inputs.contracts == ("5",)
    assert inputs.vendors == ("7",)
    assert inputs.moments.respondents.tolist() == [3]
    assert held == 1


def test_an_enumeration_is_text(tmp_path: Path) -> None:
    kinds = {"contract": "ENUM('A','B')", "rater": "VARCHAR", "overall": "FLOAT", "mode": "VARCHAR"}
    rows = [
        {"contract": "B", "rater": "r", "overall": 4, "mode": "电话"},
        {"contract": "B", "rater": "q", "overall": None},
    ]
    inputs = inputs_of(write_parquet(tmp_path / "n.parquet", kinds, rows), one_party())
    assert inputs.contracts == ("B",)
    assert inputs.modes == ("", "telephone")
    assert inputs.moments.respondents.tolist() == [1]


def test_nothing_but_held_ratings_is_refused(tmp_path: Path) -> None:
    path = wide(tmp_path, {"rater": "r", "satisfied": 4, "held": "yes"}, satisfied="TINYINT", held="VARCHAR")
    assert "has no rating that is not held back." in faults_of(path)[0]


def test_large_groups_are_counted_in_several_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"rater": str(n), "satisfied": 1 + n % 5} for n in range(40)]
    path = wide(tmp_path, *rows, satisfied="TINYINT")
    few = inputs_of(path).levels
    made = Sums.__init__

    def wider(self: Sums, *given: Any, **named: Any) -> None:
        made(self, *given, **named | {"most": 2**20})

    monkeypatch.setattr(Sums, "__init__", wider)
    many = inputs_of(path).levels
    assert many.level.tolist() == few.level.tolist() == [1, 2, 3, 4, 5]
    assert many.count.tolist() == few.count.tolist() == [8] * 5


def test_points_that_do_not_divide_evenly_are_rounded_alike(tmp_path: Path) -> None:
    three = {"scales": [{"code": "five", "kind": "levels", "levels": [{"zh": str(n), "en": str(n)} for n in range(4)]}]}
    criteria = [
        {
            "code": f"q{n}",
            "party": "recipient",
            "dimension": "outcomes",
            "text": {"zh": "?", "en": "?"},
            "scale": "five",
        }
        for n in range(2)
    ]
    rules = long_rules(**three, criteria=criteria)
    path = wide(tmp_path, {"rater": "r", "q0": 2, "q1": 3}, {"rater": "s", "q0": 2}, q0="TINYINT", q1="TINYINT")
    assert inputs_of(path, rules).moments.y[0, 0, 0] == 50_000 + 33_333


def test_missing_duckdb_is_told_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")
    path = wide(tmp_path, {"rater": "r", "satisfied": 4}, satisfied="TINYINT")
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(SystemExit) as caught:
        cli.run(["score", str(path), "--rules", str(ONE_PARTY), "--out", str(tmp_path / "out")])
    assert caught.value.code == 2
    assert (
        "ratings.parquet: is Parquet, which needs DuckDB. Install it: pip install 'evalsys[big]'"
        in capsys.readouterr().err
    )


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    path = wide(tmp_path, {"rater": "r", "satisfied": 4}, satisfied="TINYINT")
    path.write_bytes(path.read_bytes()[:-20])
    assert "is not a Parquet file that can be read (" in faults_of(path)[0]


def test_too_little_memory_is_told_with_the_remedy(tmp_path: Path) -> None:
    path = wide(tmp_path, *({"rater": f"r{n}", "satisfied": 4} for n in range(2000)), satisfied="TINYINT")
    with pytest.raises(FilesFaulty) as caught:
        read_inputs(Sources(path), long_rules(), room=Room(memory=1, threads=1))
    assert "does not fit into 1 MB of memory. Give more with --memory." in str(caught.value)


def test_a_fault_of_the_program_is_none_of_the_file(tmp_path: Path) -> None:
    import duckdb

    path = wide(tmp_path, {"rater": "r", "satisfied": 4}, satisfied="TINYINT")
    findings = faults.Findings(path.name)
    with pytest.raises(duckdb.ParserException), opening.opened(path, Room(), findings) as connection:
        connection.execute("SELEC")


def test_an_interrupted_run_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_parquet(tmp_path / "r.parquet", {"contract": "VARCHAR", "rater": "VARCHAR", "overall": "TINYINT"}, [])

    def stopped(*_given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("evalsys.evaluation.parquet.reading.refuse_faulty", stopped)
    assert cli.run(["score", str(path), "--rules", str(ONE_PARTY), "--out", str(tmp_path / "out")]) == 130
    assert not (tmp_path / "out").exists()


def test_a_parquet_file_is_scored_like_its_csv(tmp_path: Path) -> None:
    text = "contract,rater,value\n" + "".join(f"A,r{n},{1 + n % 5}\n" for n in range(20))
    rows = [{"contract": "A", "rater": f"r{n}", "overall": 1 + n % 5} for n in range(20)]
    kinds = {"contract": "VARCHAR", "rater": "VARCHAR", "overall": "UTINYINT"}
    files = [write(tmp_path, text), write_parquet(tmp_path / "r.parquet", kinds, rows)]
    for number, file in enumerate(files):
        out = str(tmp_path / str(number))
        assert cli.run(["score", str(file), "--rules", str(ONE_PARTY), "--out", out, "--threads", "1"]) == 0
    one, other = ((tmp_path / number / "scores.csv").read_bytes() for number in "01")
    assert one == other
