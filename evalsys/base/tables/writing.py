"""Writing tables that Excel and WPS open as they should. A text never becomes a formula."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
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
MOST_CHOICES = 255


@dataclass(frozen=True)
class Sheet:
    """A table to write.

    Attributes:
        name: of the sheet; cut and cleaned to what Excel allows.
        headings: of the columns.
        rows: the values; money as Decimal yuan.
        widths: of the columns, in characters; where missing, the heading's own, at least 12.
        editable: the columns that a person fills in; where there are any, the others are locked (in a workbook).
        hidden: columns that are there, and not seen.
        choices: by (row of `rows`, column), the words to choose from.
    """

    name: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    widths: Sequence[int] = field(default_factory=tuple)
    editable: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()
    choices: Mapping[tuple[int, int], Sequence[str]] = field(default_factory=dict)


def write_xlsx(sheets: Sequence[Sheet]) -> bytes:
    """A workbook. Rows are written as they come, so that long lists take little memory."""
    target = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        heading = book.add_format({"bold": True, "bg_color": "#0B4F6C", "font_color": "#FFFFFF", "text_wrap": True})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        money = book.add_format({"num_format": "#,##0.00"})
        text = book.add_format({"num_format": "@"})  # typed over, a code stays a text
        wrapped = {"num_format": "@", "text_wrap": True, "valign": "top"}
        read_only = book.add_format(wrapped | {"bg_color": "#F0EFEA", "border": 1, "border_color": "#D8D5CC"})
        open_cell = book.add_format(wrapped | {"locked": False, "border": 1, "border_color": "#7A8290"})
        for sheet in sheets:
            page = book.add_worksheet("".join(" " if c in "[]:*?/\\" else c for c in sheet.name)[:31])
            page.freeze_panes(1, 0)
            for place, name in enumerate(sheet.headings):
                page.set_column(place, place, _width(sheet, place, name), None, {"hidden": place in sheet.hidden})
                page.write_string(0, place, name, heading)
            for number, row in enumerate(sheet.rows, start=1):
                for place, value in enumerate(row):
                    if sheet.editable:
                        _write_to_fill(page, number, place, value, open_cell if place in sheet.editable else read_only)
                    else:
                        _write_cell(page, number, place, value, day=day, money=money, text=text)
            _help_to_fill(page, sheet)
    return target.getvalue()


def _write_to_fill(page: Any, row: int, column: int, value: Cell, form: Any) -> None:
    """A cell of a sheet that a person fills in: a number stays one, all else is text."""
    if value is None or value == "":
        page.write_blank(row, column, None, form)
    elif isinstance(value, int | float):
        page.write_number(row, column, value, form)
    else:
        page.write_string(row, column, str(value)[:32767], form)


def _help_to_fill(page: Any, sheet: Sheet) -> None:
    """Lock what is not to be changed, and offer the choices; Excel takes no list of more than 255 characters."""
    if sheet.editable:
        page.protect("", {"format_columns": True, "format_rows": True, "autofilter": True, "sort": True})
    for (row, column), words in sheet.choices.items():
        if not any("," in word for word in words) and len(",".join(words)) <= MOST_CHOICES:
            page.data_validation(
                row + 1, column, row + 1, column, {"validate": "list", "source": list(words), "error_type": "warning"}
            )


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
