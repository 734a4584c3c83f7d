from pathlib import Path

import pytest

from evalsys.evaluation import long_files
from evalsys.evaluation.file_faults import FilesFaulty, Findings
from evalsys.evaluation.long_files import Column, blocks
from tests.evaluation.written import write, write_sheet

COLUMNS = (Column("contract", ("合同",)), Column("peer_group", ("比较组",), required=False))


def read(path: Path) -> list[tuple[int, list[str]]]:
    findings = Findings(path.name)
    rows = [
        (row, [cells[place] for cells in block.cells.values()])
        for block in blocks(path, COLUMNS, findings)
        for place, row in enumerate(block.rows)
    ]
    findings.raise_if_any()
    return rows


def faults_of(path: Path) -> list[str]:
    with pytest.raises(FilesFaulty) as caught:
        read(path)
    return [fault.said("en") for fault in caught.value.faults]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings_are_told_by_their_bytes(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path, "合同,比较组\n清远㐂,护理\n", encoding=encoding)
    assert read(path) == [(2, ["清远㐂", "护理"])]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_are_told_by_the_header(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path, f'contract{delimiter}peer_group\r\n"A,1"{delimiter}x\r\n')
    assert read(path) == [(2, ["A,1", "x"])]


def test_titles_are_told_without_case_spaces_and_full_width(tmp_path: Path) -> None:
    assert read(write(tmp_path, " ＣＯＮＴＲＡＣＴ ,Peer Group,,\nA,x\n")) == [(2, ["A", "x"])]


def test_rows_keep_their_numbers_where_some_are_empty_or_short(tmp_path: Path) -> None:
    assert read(write(tmp_path, "contract,peer_group\nA,x\n\n , \nB\nC,y,\n")) == [
        (2, ["A", "x"]),
        (5, ["B", ""]),
        (6, ["C", "y"]),
    ]


def test_rows_come_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_files, "BLOCK", 2)
    path = write(tmp_path, "contract\nA\n\n\n\nB\n")
    assert read(path) == [(2, ["A"]), (6, ["B"])]
    assert [list(block.rows) for block in blocks(path, COLUMNS, Findings("x"))] == [[2], [], [6]]


def test_a_spreadsheet_is_told_by_its_bytes(tmp_path: Path) -> None:
    path = write_sheet(tmp_path, [["合同", "比较组"], ["A", 5], [7, 2.5], [True, None]])
    renamed = path.rename(tmp_path / "ratings.csv")
    assert read(renamed) == [(2, ["A", "5"]), (3, ["7", "2.5"]), (4, ["True", ""])]


def test_merged_cells_are_refused(tmp_path: Path) -> None:
    assert faults_of(write_sheet(tmp_path, [["contract"], ["A"]], merged=True)) == [
        "ratings.xlsx, row 4: has merged cells. Take the merging back, so that each row is whole."
    ]


def test_a_large_spreadsheet_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_files, "SPREADSHEET_BYTES", 10)
    assert "is too large for a spreadsheet. Save it as .csv." in faults_of(write_sheet(tmp_path, [["contract"]]))[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04 broken", "is not a spreadsheet that can be read"),
        (b"\xd0\xcf\x11\xe0 old", "is an old or protected Excel file. Save it as .xlsx"),
        ("合同\n".encode("utf-16"), "is neither UTF-8 nor GB18030 text."),
        (b'contract\nA\n"B\n', "row 3: cannot be read from here on (unexpected end of data). Look for a quotation"),
        (b"", "row 1, column contract: This column is missing. Add it"),
        (b"peer_group\n", "row 1, column contract: This column is missing."),
        (b"contract,startum\n", "row 1, column startum: This column is not known. Columns are: contract, peer_group."),
        ("contract,合同\n".encode(), "row 1, column 合同: This column is there twice. Delete one of the two."),
        (b"contract\nA,B\n", "row 2 “B”: The row has more cells than the header. Put a cell"),
    ],
)
def test_a_broken_file_says_what_to_do(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(content)
    (fault,) = faults_of(path)
    assert said in fault


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.csv")
