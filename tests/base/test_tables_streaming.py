"""Long CSV files row by row: what is read, and what is refused."""

from __future__ import annotations

import io

import pytest
from flask import Flask

from evalsys.base.errors import Invalid
from evalsys.base.tables import Column, Sheet, TableFile, write_xlsx

COLUMNS = (Column("name", "名称", "Name"), Column("size", "人数", "Size", required=False))


@pytest.fixture(autouse=True)
def words(app: Flask) -> None:
    """Refusals are translated."""


def read(content: bytes, max_rows: int = 100) -> list[tuple[int, object, object]]:
    file = TableFile(io.BytesIO(content), COLUMNS, max_rows=max_rows)
    return [(row.number, row.raw("name"), row.raw("size")) for row in file]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_rows_come_with_their_numbers_and_empty_ones_are_left_out(encoding: str) -> None:
    text = "2026 年评分\n名称;人数\n甲;5\n;\n\n乙\n"
    assert read(text.encode(encoding)) == [(3, "甲", "5"), (6, "乙", None)]


def test_a_cell_may_hold_lines_and_an_apostrophe_before_a_formula_goes() -> None:
    assert read("名称,人数\n'=1+1,5\n\"a\nb\",'x\n".encode()) == [(2, "=1+1", "5"), (3, "a\nb", "'x")]


def test_a_workbook_is_read_as_a_whole() -> None:
    assert read(write_xlsx([Sheet("表", ["名称", "人数"], [["甲", 5]])])) == [(2, "甲", 5.0)]


def test_headings_far_down_are_found_and_rows_after_them_too() -> None:
    text = "说明\n" * 18 + "名称,人数\n" + "甲,1\n" * 30
    assert len(read(text.encode())) == 30


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("名称\n甲\n乙\n丙\n", "2"),
        ("名称\n\n", "只有表头"),
        ('名称\n"甲\n', "第 2 行"),
        ("名称\n\x01\n", "既不是"),
        ("名称,岁数\n甲,1\n", "表头"),
        ("", "空"),
    ],
)
def test_what_is_refused(content: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(content.encode(), max_rows=2)
    assert said in caught.value.message
    assert caught.value.remedy


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(Invalid) as caught:
        read("名称\n".encode() + b"\xff\xff\xff")
    assert "既不是" in caught.value.message


def test_a_stream_that_was_closed_in_between_leaves_no_trace() -> None:
    stream = io.BytesIO("名称\n甲\n乙\n".encode())
    rows = iter(TableFile(stream, COLUMNS, max_rows=9))
    assert next(rows).raw("name") == "甲"
    stream.close()
    del rows
    assert stream.closed
