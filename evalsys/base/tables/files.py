"""From bytes to sheets of plain values; what is no table, or hides too much, is refused first."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from evalsys.base.errors import Invalid
from evalsys.base.tables.unpacking import broken_workbook, part_names, read_through
from evalsys.base.tables.values import Value

HEADING_WITHIN = 20  # rows of titles that may stand above the headings
_FAR_COLUMN = re.compile(rb"\sr=[\"'](?:[D-Z][A-Z]|C[W-Z]|[A-Z]{3})\d")  # beyond CV, the hundredth
_FAR_ROW = re.compile(rb"\sr=[\"'][A-Z]{0,3}(\d{5,})[\"']")
_DELIMITERS = ",;\t"
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # CSV files of ours put an apostrophe before a text that begins so


@dataclass(frozen=True)
class RawSheet:
    """A sheet as it stands in the file. `merged`: first and last (row, column) of each merged range, from 0."""

    name: str
    rows: Sequence[Sequence[Value]]
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]] = ()


def open_sheets(data: bytes, most_rows: int) -> list[RawSheet]:
    """The visible sheets of a workbook, or the one table of a CSV file (its name is empty)."""
    if not data.strip():
        raise Invalid(_("The file is empty."), remedy=_("Save the table as .xlsx or .csv and send it again."))
    if data.startswith(b"PK\x03\x04"):
        _check_archive(data, most_rows)
        return _workbook(data)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise Invalid(
            _("This is an old Excel file (.xls), or one with a password."),
            remedy=_("Open it in Excel or WPS, take the password off and save it as .xlsx."),
        )
    return [RawSheet("", _csv_rows(_decoded(data), most_rows))]


def too_many_rows(most_rows: int) -> Invalid:
    """The refusal of a table that is too long."""
    return Invalid(
        _("The table is longer than %(n)s rows.", n=f"{most_rows:,}"),
        remedy=_("Delete empty rows below the data, or split the file and send the parts one after the other."),
    )


def unclosed_quotation(row: int) -> Invalid:
    """The refusal of a CSV file that cannot be read from a row on."""
    return Invalid(
        _("Row %(row)s of the CSV file cannot be read: a quotation mark is missing.", row=row),
        remedy=_("Save the table as .csv from Excel or WPS, or as .xlsx."),
    )


def no_table() -> Invalid:
    """The refusal of a file that is something else."""
    return Invalid(
        _("This file is neither an Excel workbook (.xlsx) nor a CSV table."),
        remedy=_("Save the table as .xlsx or .csv and send it again."),
    )


def _check_archive(data: bytes, most_rows: int) -> None:
    """One far cell would make the reader fill the memory."""
    if "[Content_Types].xml" not in part_names(data):
        raise no_table()
    for sheet in read_through(data, "xl/worksheets/"):
        _check_extent(sheet, most_rows)


def _check_extent(sheet: bytes, most_rows: int) -> None:
    if _FAR_COLUMN.search(sheet):
        raise Invalid(
            _("A sheet has cells beyond its hundredth column."),
            remedy=_("Delete the columns to the right of the table, also those that look empty."),
        )
    # titles and headings stand above the data
    if any(int(row) > most_rows + HEADING_WITHIN for row in _FAR_ROW.findall(sheet)):
        raise too_many_rows(most_rows)


def _workbook(data: bytes) -> list[RawSheet]:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            return [
                _raw(book.get_sheet_by_name(about.name))
                for about in book.sheets_metadata
                if about.typ == SheetTypeEnum.WorkSheet and about.visible == SheetVisibleEnum.Visible
            ]
    except (CalamineError, OSError) as error:
        raise broken_workbook() from error


def _raw(sheet: CalamineSheet) -> RawSheet:
    return RawSheet(sheet.name, sheet.to_python(skip_empty_area=False), sheet.merged_cell_ranges or ())


def _decoded(data: bytes) -> str:
    """Text from UTF-8, UTF-16 with its mark (Excel's "Unicode text") or GB18030."""
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not re.search(r"[\x00-\x08\x0e-\x1f]", text):
            return text
    raise no_table()


def _csv_rows(text: str, most_rows: int) -> list[list[Value]]:
    head = text[:4000].splitlines()
    first = max(head[:HEADING_WITHIN], key=lambda line: sum(map(line.count, _DELIMITERS)), default="")
    delimiter = max(_DELIMITERS, key=first.count)
    rows: list[list[Value]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            if len(rows) >= most_rows + HEADING_WITHIN and any(row):
                raise too_many_rows(most_rows)
            rows.append([cell[1:] if cell.startswith("'") and cell[1:2] in FORMULA else cell for cell in row])
    except csv.Error as error:
        raise unclosed_quotation(len(rows) + 1) from error
    return rows
