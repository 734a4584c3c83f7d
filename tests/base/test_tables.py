"""Tables from and to files: what people send, and what must never be taken."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import xlsxwriter
from flask import current_app
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from evalsys.base import tables
from evalsys.base.errors import Invalid
from evalsys.base.tables import Column, Sheet, TableFaulty, ValueWrong, read_table, unpacking
from evalsys.base.tables.reading import letters
from evalsys.config import Settings
from evalsys.web import create_app

COLUMNS = (
    Column("code", "统一社会信用代码", "Credit code", others=("信用代码",)),
    Column("name", "名称", "Name"),
    Column("amount", "合同金额（元）", "Amount", required=False),
    Column("day", "开始日期", "Starts on", required=False),
)
HEAD = ["统一社会信用代码", "名称"]


@pytest.fixture(autouse=True, scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Faults are worded, which takes an application; no test here reads its database."""
    folder = tmp_path_factory.mktemp("instance")
    settings = Settings.from_environment({"EVALSYS_INSTANCE": str(folder), "EVALSYS_SECRET_KEY": "for tests"})
    app = create_app(settings)
    with app.app_context():
        yield
    app.extensions["database"].dispose()


def xlsx(*sheets: tuple[str, Sequence[Sequence[Any]]], edit: Callable[[Any, list[Any]], None] | None = None) -> bytes:
    """A workbook of plain cells; `edit` gets the book and its pages before they are closed."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    pages = []
    for name, rows in sheets:
        page = book.add_worksheet(name)
        pages.append(page)
        for number, row in enumerate(rows):
            for place, value in enumerate(row):
                page.write(number, place, value, *([day] if isinstance(value, date) else []))
    if edit:
        edit(book, pages)
    book.close()
    return target.getvalue()


def cells(data: bytes) -> list[list[Any]]:
    with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
        return book.get_sheet_by_index(0).to_python(skip_empty_area=False)


def refused(data: bytes, **options: Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        read_table(data, COLUMNS, **options)
    assert caught.value.remedy
    return caught.value


def test_an_excel_table_is_read_with_its_places() -> None:
    data = xlsx(("名单", [HEAD, ["A1", "甲"], [], ["A2", "乙"]]))
    table = read_table(data, COLUMNS)
    assert (table.sheet, len(table)) == ("名单", 2)
    assert [(row.number, row.text("code"), row.text("name")) for row in table] == [(2, "A1", "甲"), (4, "A2", "乙")]
    assert table.has("name")
    assert not table.has("amount")
    table.finish()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_comes_in_many_dresses(encoding: str, delimiter: str) -> None:
    text = f"信用代码{delimiter}名称\r\nA1{delimiter}甲、䶮\r\n\r\nA2{delimiter}乙\r\n"
    table = read_table(text.encode(encoding), COLUMNS)
    assert [(row.number, row.text("code"), row.text("name")) for row in table] == [(2, "A1", "甲、䶮"), (4, "A2", "乙")]


@pytest.mark.parametrize(
    "headings",
    [
        ["统一社会信用代码*", " 名 称 "],
        ["ＣＲＥＤＩＴ　ｃｏｄｅ", "NAME"],
        ["credit_code", "Name (required)"],
        ["统一社会信用代码（18位）", "名称："],
        ["序号", "统一社会信用代码", "名称", "备注"],
    ],
)
def test_headings_count_in_either_language_and_any_width(headings: list[str]) -> None:
    row = ["1", "A1", "甲", "x"] if len(headings) == 4 else ["A1", "甲"]
    table = read_table(xlsx(("Sheet1", [headings, row])), COLUMNS)
    assert [(r.text("code"), r.text("name")) for r in table] == [("A1", "甲")]


def test_a_merged_title_above_the_headings_does_no_harm() -> None:
    def title(_book: Any, pages: list[Any]) -> None:
        pages[0].merge_range(0, 0, 0, 1, "2026 年承接主体名单")

    data = xlsx(("名单", [["", ""], HEAD, ["A1", "甲"]]), edit=title)
    assert [row.number for row in read_table(data, COLUMNS)] == [3]


def test_merged_cells_among_the_data_are_refused_with_their_range() -> None:
    def merge(_book: Any, pages: list[Any]) -> None:
        pages[0].merge_range(1, 1, 3, 1, "甲")

    error = refused(xlsx(("名单", [HEAD, ["A1", ""], ["A2", ""], ["A3", ""]]), edit=merge))
    assert "B2:B4" in error.message


def test_the_sheet_is_found_by_its_headings() -> None:
    data = xlsx(("说明", [["怎么填"]]), ("数据", [HEAD, ["A1", "甲"]]))
    assert read_table(data, COLUMNS).sheet == "数据"


def test_a_wrong_sheet_is_named_with_the_headings_wanted() -> None:
    error = refused(xlsx(("收支", [["日期", "金额"], ["1月", 3]])))
    assert "统一社会信用代码、名称" in error.remedy
    assert "收支" in error.details[0]


def test_two_such_sheets_are_refused() -> None:
    error = refused(xlsx(("东城", [HEAD, ["A1", "甲"]]), ("西城", [HEAD, ["A2", "乙"]])))
    assert "东城、西城" in error.message


def test_a_hidden_sheet_is_not_read() -> None:
    data = xlsx(("旧", [HEAD, ["A1", "甲"]]), ("新", [HEAD, ["A2", "乙"]]), edit=lambda _b, pages: _hide(pages))
    assert read_table(data, COLUMNS).sheet == "新"


def _hide(pages: list[Any]) -> None:
    pages[1].activate()
    pages[0].hide()


def test_all_faults_of_the_headings_are_told_at_once() -> None:
    error = refused(xlsx(("名单", [["信用代码", "统一社会信用代码", "开始日", "amount"], ["A1", "A1", "x", 1]])))
    assert len(error.details) == 3
    assert "A 列和 B 列" in error.details[0]
    assert "“开始日”" in error.details[1]
    assert "“开始日期”" in error.details[1]
    assert "“名称”" in error.details[2]


def test_an_unknown_heading_unlike_any_other_gets_no_guess() -> None:
    error = refused(xlsx(("名单", [[*HEAD, "zzz"], ["A1", "甲", 1]])))
    assert "是不是" not in error.details[0]


def test_values_without_a_heading_are_refused() -> None:
    assert "C3" in refused(xlsx(("名单", [HEAD, ["A1", "甲"], ["A2", "乙", "?"]]))).message
    assert "C2" in refused("信用代码,名称\nA1,甲,?\nA2,乙\n".encode()).message


@pytest.mark.parametrize("data", [b"", b"  \n", "信用代码,名称\n".encode(), xlsx(("空", [HEAD])), xlsx(("空", []))])
def test_an_empty_file_or_table_is_refused(data: bytes) -> None:
    refused(data)


def _archive(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


GOOD = xlsx(("名单", [HEAD, ["A1", "甲"]]))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (GOOD[: len(GOOD) // 2], "损坏"),
        (GOOD[:60] + bytes([GOOD[60] ^ 255, GOOD[61] ^ 255]) + GOOD[62:], "损坏"),
        (_archive({"[Content_Types].xml": b"<a/>"}), "损坏"),
        (_archive({"word.xml": b"<a/>"}), "既不是"),
        (b"%PDF-1.7\n\x00\x01\x02", "既不是"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "既不是"),
        (b"\xff\xfe\x00", "既不是"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls"),
        ('信用代码,名称\nA1,"甲\n'.encode(), "第 2 行"),
    ],
)
def test_what_is_no_table_is_refused_in_words(data: bytes, says: str) -> None:
    assert says in refused(data).message


def test_an_archive_that_unpacks_to_gigabytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unpacking.MOST_UNPACKED == 256 * 1024**2
    monkeypatch.setattr(unpacking, "MOST_UNPACKED", 3 * 1024**2)
    bomb = _archive({"[Content_Types].xml": b"<a/>", "xl/worksheets/sheet1.xml": bytes(4 * 1024**2)})
    assert len(bomb) < 1024**2 / 10
    assert "3 MB" in refused(bomb).message


def test_one_cell_far_away_is_refused_before_it_fills_the_memory() -> None:
    far_right = xlsx(("名单", [HEAD, ["A1", "甲"]]), edit=lambda _b, pages: pages[0].write(1, 16383, "x"))
    assert "100" in refused(far_right).message
    far_down = xlsx(("名单", [HEAD, ["A1", "甲"]]), edit=lambda _b, pages: pages[0].write(1048575, 0, "x"))
    assert "100,000" in refused(far_down).message


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_table_longer_than_the_limit_is_refused(kind: str) -> None:
    for rows, long in ((30, False), (31, True), (60, True)):
        sheet = Sheet("名单", HEAD, ((f"A{n}", "甲") for n in range(rows)))
        data = tables.write_xlsx([sheet]) if kind == "xlsx" else tables.write_csv(sheet)
        if long:
            assert "30" in refused(data, max_rows=30).message
        else:
            assert len(read_table(data, COLUMNS, max_rows=30)) == 30


def test_every_faulty_cell_is_told_with_its_place() -> None:
    rows = [["A1", "", "12元x", "2026-02-30"], [123456789012345678, "乙" * 300, -5, "2026年1月5日"]]
    data = xlsx(("名单", [[*HEAD, "合同金额", "开始日期"], *rows]))
    table = read_table(data, COLUMNS)
    read = [(r.text("code"), r.text("name"), r.money("amount"), r.day("day"), r.faulty) for r in table]
    assert read == [("A1", None, None, None, True), (None, None, None, date(2026, 1, 5), True)]
    with pytest.raises(TableFaulty) as caught:
        table.finish()
    faults = caught.value.faults
    assert caught.value.total == 6
    assert [(f.sheet, f.row, f.column) for f in faults] == [
        ("名单", 2, "B 名称"), ("名单", 2, "C 合同金额"), ("名单", 2, "D 开始日期"),
        ("名单", 3, "A 统一社会信用代码"), ("名单", 3, "B 名称"), ("名单", 3, "C 合同金额"),
    ]  # fmt: skip
    assert all(f.wrong and f.remedy for f in faults)
    assert [f.value for f in faults][1] == "12元x"
    assert faults[4].value == "乙" * 39 + "…"
    assert caught.value.details[1].startswith("工作表“名单”，第 2 行，C 合同金额 列")


def test_of_very_many_faults_the_first_are_shown_and_all_are_counted() -> None:
    table = read_table(("信用代码,名称\n" + ",甲\n" * 500).encode(), COLUMNS)
    for row in table:
        assert row.text("code") is None
    with pytest.raises(TableFaulty) as caught:
        table.finish()
    assert (caught.value.total, len(caught.value.faults)) == (500, 200)
    assert "500" in caught.value.message
    assert not caught.value.details[0].startswith("工作表")


def test_a_fault_may_name_a_column_the_file_lacks() -> None:
    table = read_table(GOOD, COLUMNS)
    for row in table:
        row.wrong("amount", "缺", "补")
        assert row.whole("amount", required=False) is None
        assert row.decimal("amount", required=False) is None
    with pytest.raises(TableFaulty) as caught:
        table.finish()
    assert caught.value.faults[0].column == "amount"


@pytest.mark.parametrize(
    ("value", "fen"),
    [
        (120000, 12_000_000), (0.1 + 0.2, 30), ("1,234,567.89", 123_456_789), ("￥１２０，０００", 12_000_000),
        ("12.5万元", 12_500_000), ("0", 0), (" 88 元 ", 8_800), (".5", 50),
    ],
)  # fmt: skip
def test_money_is_understood_as_people_write_it(value: Any, fen: int) -> None:
    assert tables.as_money(value) == fen


@pytest.mark.parametrize(
    "value", ["", None, "十万", "1,23", "-3", "1.234", 10.001, 10**13, True, "1.2.3", "1e3", "nan"]
)
def test_what_is_no_amount_is_refused(value: Any) -> None:
    with pytest.raises(ValueWrong):
        tables.as_money(value)


@given(st.integers(0, 10**13))
def test_an_amount_survives_being_written(fen: int) -> None:
    assert tables.as_money(f"{fen // 100:,}.{fen % 100:02d}") == fen


@pytest.mark.parametrize(
    "value",
    [
        date(2026, 1, 31), datetime(2026, 1, 31, 8, tzinfo=UTC), "2026-01-31", "2026/1/31", "2026.1.31",
        "2026年1月31日",
        "２０２６－０１－３１", "20260131", 20260131.0, "2026-01-31 00:00:00",
    ],
)  # fmt: skip
def test_days_are_understood_as_people_write_them(value: Any) -> None:
    assert tables.as_day(value) == date(2026, 1, 31)


@pytest.mark.parametrize("value", ["", None, "31/1/2026", "2026-02-29", "明年", 46000.0, "1900-01-01", "2026"])
def test_what_is_no_day_is_refused(value: Any) -> None:
    with pytest.raises(ValueWrong):
        tables.as_day(value)


@pytest.mark.parametrize(("value", "number"), [(3.0, 3), ("1,200", 1200), (" ７ ", 7), ("12.0", 12)])
def test_whole_numbers(value: Any, number: int) -> None:
    assert tables.as_whole(value) == number


@pytest.mark.parametrize("value", [2.5, "二", -1, 10**12, True, "1,2", "", "1e5", "inf"])
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueWrong):
        tables.as_whole(value)


def test_text_is_cleaned_and_held_to_its_length() -> None:
    assert tables.as_text("  甲 \n 乙 ") == "甲 乙"
    assert tables.as_text(12.0) == "12"
    assert tables.as_text(date(2026, 1, 2)) == "2026-01-02"
    assert tables.as_text(None) == ""
    for bad in ("a\x07b", "长" * 201):
        with pytest.raises(ValueWrong):
            tables.as_text(bad)


def test_columns_have_letters() -> None:
    assert [letters(place) for place in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


def test_a_columns_heading_follows_the_reader() -> None:
    with force_locale("en"):
        assert COLUMNS[0].heading == "Credit code"
    with force_locale("zh"):
        assert COLUMNS[0].heading == "统一社会信用代码"


DANGEROUS = ["=1+1", "+86 10", "-2", "@x", "\t=1", "\r=1"]


def test_a_written_workbook_has_typed_cells_and_no_formulas() -> None:
    at = datetime(2026, 1, 1, 16, 30, tzinfo=UTC)
    rows = [["甲", 3, Decimal("1234.50"), date(2026, 1, 2), None, at], [*DANGEROUS]]
    data = tables.write_xlsx(
        [Sheet("名单[2026]", ["名称", "b", "c", "d", "e", "很长很长很长的标题"], rows, widths=(30,))]
    )
    read = cells(data)
    assert read[1] == ["甲", 3.0, 1234.5, date(2026, 1, 2), "", "2026-01-02 00:30"]
    assert read[2] == ["=1+1", "+86 10", "-2", "@x", "\t=1", "\r=1"]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    assert 'name="名单 2026 "'.encode() in zipfile.ZipFile(io.BytesIO(data)).read("xl/workbook.xml")


def test_written_csv_opens_in_excel_and_starts_no_formula() -> None:
    at = datetime(2026, 1, 1, 16, 30, tzinfo=UTC)
    rows = [[text, 1.5, Decimal("2.50"), None, date(2026, 1, 2), at] for text in ("甲", *DANGEROUS)]
    data = tables.write_csv(Sheet("x", ["名称", "b", "c", "d", "e", "f"], rows))
    assert data.startswith(b"\xef\xbb\xbf")
    lines = data.decode("utf-8-sig").split("\r\n")
    assert lines[1] == "甲,1.5,2.50,,2026-01-02,2026-01-02 00:30"
    assert lines[2].startswith("'=1+1,")


def test_what_was_written_is_read_again() -> None:
    sheet = Sheet("名单", HEAD, [["=A1", "'乙'"], ["+86", "甲"]])
    for data in (tables.write_csv(sheet), tables.write_xlsx([sheet])):
        assert [(r.text("code"), r.text("name")) for r in read_table(data, COLUMNS)] == [("=A1", "'乙'"), ("+86", "甲")]


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_download_has_a_name_and_a_type(kind: str) -> None:
    with current_app.test_request_context():
        answer = tables.download([Sheet("名单", HEAD, [["A", "甲"]])], "承接主体", kind)
        answer.direct_passthrough = False
        assert answer.headers["Content-Disposition"].endswith(f".{kind}")
        assert len(read_table(answer.get_data(), COLUMNS)) == 1


def test_a_sheet_to_fill_in_locks_the_rest_and_offers_choices() -> None:
    sheet = Sheet(
        "表",
        ["编号", "评分", "版本"],
        [["A", "", 1.5], ["B", None, "x"]],
        editable=frozenset({1}),
        hidden=frozenset({2}),
        choices={(0, 1): ["1 差", "2 好"], (1, 1): ["a,b"], (1, 2): ["长" * 300]},
    )
    with zipfile.ZipFile(io.BytesIO(tables.write_xlsx([sheet]))) as book:
        page, styles = book.read("xl/worksheets/sheet1.xml").decode(), book.read("xl/styles.xml").decode()
    assert "<sheetProtection" in page
    assert 'hidden="1"' in page
    assert 'locked="0"' in styles
    assert page.count("<dataValidation ") == 1  # a comma would part a choice in two; Excel takes no longer list
    assert 'sqref="B2"' in page
    assert "<v>1.5</v>" in page
