"""A table in a file, read in blocks of columns: CSV in UTF-8 or GB18030 of any length, or a spreadsheet."""

from __future__ import annotations

import codecs
import csv
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from evalsys.evaluation.file_faults import Findings, _l

BLOCK = 8_192
"""Rows handled at once."""

SPREADSHEET_BYTES = 50_000_000
"""Above this a spreadsheet is refused: it has to be in memory as a whole, a CSV file has not."""

ENCODINGS = ("utf-8-sig", "gb18030")
DELIMITERS = (",", "\t", ";")


@dataclass(frozen=True)
class Column:
    """A column the reader knows: its name in the program, other names for it, and whether a file must have it."""

    name: str
    others: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True)
class Block:
    """Some rows. `rows`: the row number of each in the file; `cells`: the texts of each column the file has."""

    rows: Sequence[int]
    cells: Mapping[str, Sequence[str]]


def blocks(path: Path, columns: Sequence[Column], findings: Findings) -> Iterator[Block]:
    """The rows of a file, block by block; rows without any text are left out.

    Args:
        path: the file; what it is shows in its first bytes, not in its name.
        columns: those the reader knows; a file with another one is faulty, for it may be a misspelt known one.
        findings: takes the faults of form; raised at once where nothing more can be read.

    Raises:
        FilesFaulty: the file cannot be read, or its header is faulty.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as stream:
        start = stream.read(8)
    if start.startswith(b"PK"):
        yield from _tabled(_spreadsheet(path, findings), columns, findings)
    elif start.startswith(b"\xd0\xcf\x11\xe0"):
        findings.refuse(
            _l("is an old or protected Excel file."), _l("Save it as .xlsx without a password, or as .csv.")
        )
    else:
        with path.open(encoding=_encoding(path, findings), newline="") as text:
            delimiter = _delimiter(text.readline())
            text.seek(0)
            reader = csv.reader(text, delimiter=delimiter, strict=True)
            try:
                yield from _tabled(reader, columns, findings)
            except csv.Error as error:
                wrong = _l("cannot be read from here on (%(error)s).", error=error)
                findings.refuse(wrong, _l("Look for a quotation mark that is not closed."), row=reader.line_num)


def _encoding(path: Path, findings: Findings) -> str:
    for encoding in ENCODINGS:
        decoder = codecs.getincrementaldecoder(encoding)()
        with path.open("rb") as stream, suppress(UnicodeDecodeError):
            while piece := stream.read(1 << 20):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
            return encoding
    return findings.refuse(_l("is neither UTF-8 nor GB18030 text."), _l("Save it as “CSV UTF-8” or as .xlsx."))


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _spreadsheet(path: Path, findings: Findings) -> Iterator[list[str]]:
    from python_calamine import CalamineError, CalamineWorkbook

    if path.stat().st_size > SPREADSHEET_BYTES:
        findings.refuse(_l("is too large for a spreadsheet."), _l("Save it as .csv."))
    try:
        workbook = CalamineWorkbook.from_path(path)
        sheet = workbook.get_sheet_by_index(0)
        merged, rows = sheet.merged_cell_ranges, sheet.to_python(skip_empty_area=False)
    except CalamineError as error:
        wrong = _l("is not a spreadsheet that can be read (%(error)s).", error=error)
        findings.refuse(wrong, _l("Open it in Excel and save it again as .xlsx, or as .csv."))
    if merged:
        findings.refuse(
            _l("has merged cells."), _l("Take the merging back, so that each row is whole."), row=merged[0][0][0] + 1
        )
    for row in rows:
        yield [_text(cell) for cell in row]


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _tabled(rows: Iterator[list[str]], columns: Sequence[Column], findings: Findings) -> Iterator[Block]:
    names = header_names(next(rows, []), columns, findings)
    first = 2
    while chunk := list(islice(rows, BLOCK)):
        numbers: Sequence[int] = range(first, first + len(chunk))
        first += len(chunk)
        if set(map(len, chunk)) != {len(names)} or not all(map(any, chunk)):
            numbers, chunk = _even(numbers, chunk, len(names), findings)
        cells = zip(*chunk, strict=True) if chunk else ([] for _ in names)
        yield Block(numbers, dict(zip(names, cells, strict=True)))


def _even(
    numbers: Sequence[int], chunk: Sequence[list[str]], width: int, findings: Findings
) -> tuple[Sequence[int], list[list[str]]]:
    kept, rows = [], []
    for number, row in zip(numbers, chunk, strict=True):
        if not any(cell.strip() for cell in row):
            continue
        if any(cell.strip() for cell in row[width:]):
            findings.add(
                number,
                "",
                next(cell for cell in row[width:] if cell.strip()),
                _l("The row has more cells than the header."),
                _l("Put a cell that contains the separator in quotation marks."),
            )
        kept.append(number)
        rows.append([*row, *[""] * width][:width])
    return kept, rows


def header_names(header: list[str], columns: Sequence[Column], findings: Findings, *, row: int = 1) -> list[str]:
    """Our names of the columns; `row` of the file tells them.

    Raises:
        FilesFaulty: a column is unknown, twice there or missing.
    """
    known = {_plain(name): column.name for column in columns for name in (column.name, *column.others)}
    while header and not header[-1].strip():
        header.pop()
    names: list[str] = []
    for title in header:
        name = known.get(_plain(title))
        expected = _l("Columns are: %(names)s.", names=", ".join(column.name for column in columns))
        if name is None:
            findings.add(row, title.strip(), "", _l("This column is not known."), expected)
        elif name in names:
            findings.add(row, title.strip(), "", _l("This column is there twice."), _l("Delete one of the two."))
        else:
            names.append(name)
    for column in columns:
        if column.required and column.name not in names:
            remedy = _l("Add it; the first row holds the names of the columns.")
            findings.add(row, column.name, "", _l("This column is missing."), remedy)
    findings.raise_if_any()
    return names


def _plain(title: str) -> str:
    """A title without case, spaces, underscores and full-width forms."""
    return "".join(unicodedata.normalize("NFKC", title).casefold().replace("_", " ").split())
