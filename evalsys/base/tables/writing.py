"""Writing tables that Excel and WPS open as they should. A text never becomes a formula."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter
from flask import Response, send_file

from evalsys.base.language import CHINA, moment
from evalsys.base.tables.files import FORMULA

Cell = str | float | Decimal | date | datetime | None

_TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
FORMATS = tuple(_TYPES)


@dataclass(frozen=True)
class Sheet:
    """A table to write.

    Attributes:
        name: of the sheet; cut and cleaned to what Excel allows.
        headings: of the columns.
        rows: the values; money as Decimal yuan.
        widths: of the columns, in characters; where missing, the heading's own, at least 12.
    """

    name: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    widths: Sequence[int] = field(default_factory=tuple)


def write_xlsx(sheets: Sequence[Sheet]) -> bytes:
    """A workbook. Rows are written as they come, so that long lists take little memory."""
    target = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        heading = book.add_format({"bold": True, "bg_color": "#0B4F6C", "font_color": "#FFFFFF", "text_wrap": True})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        money = book.add_format({"num_format": "#,##0.00"})
        text = book.add_format({"num_format": "@"})  # typed over, a code stays a text
        for sheet in sheets:
            page = book.add_worksheet("".join(" " if c in "[]:*?/\\" else c for c in sheet.name)[:31])
            page.freeze_panes(1, 0)
            for place, name in enumerate(sheet.headings):
                page.set_column(place, place, _width(sheet, place, name))
                page.write_string(0, place, name, heading)
            for number, row in enumerate(sheet.rows, start=1):
                for place, value in enumerate(row):
                    _write_cell(page, number, place, value, day=day, money=money, text=text)
    return target.getvalue()


def _width(sheet: Sheet, place: int, heading: str) -> int:
    if place < len(sheet.widths):
        return sheet.widths[place]
    wide = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in heading)
    return max(12, wide + 2)


def _write_cell(page: Any, row: int, column: int, value: Cell, **formats: Any) -> None:
    match value:
        case None:
            return
        case datetime():
            local = value.astimezone(CHINA).replace(tzinfo=None)
            page.write_string(row, column, local.strftime("%Y-%m-%d %H:%M"))
        case date():
            page.write_datetime(row, column, value, formats["day"])
        case Decimal():
            page.write_number(row, column, value, formats["money"])
        case int() | float():
            page.write_number(row, column, value)
        case _:
            page.write_string(row, column, value[:32767], formats["text"])


def write_csv(sheet: Sheet) -> bytes:
    """UTF-8 with the mark that Excel needs; a text that would start a formula gets an apostrophe in front."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow([_csv_cell(name) for name in sheet.headings])
    writer.writerows([_csv_cell(value) for value in row] for row in sheet.rows)
    return b"\xef\xbb\xbf" + target.getvalue().encode()


def _csv_cell(value: Cell) -> str | float | Decimal:
    match value:
        case None:
            return ""
        case datetime():
            return moment(value)
        case date():
            return value.isoformat()
        case str():
            return "'" + value if value.startswith(FORMULA) else value
        case _:
            return value


def download(sheets: Sequence[Sheet], stem: str, kind: str) -> Response:
    """A file for the browser to save: all sheets as "xlsx", or the first as "csv"."""
    data = write_csv(sheets[0]) if kind == "csv" else write_xlsx(sheets)
    kind = "csv" if kind == "csv" else "xlsx"
    return send_file(io.BytesIO(data), mimetype=_TYPES[kind], as_attachment=True, download_name=f"{stem}.{kind}")
