"""Long CSV files, row by row: a million rows never stand in memory at once. A workbook is read as a whole."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import BinaryIO

from flask_babel import gettext as _

from evalsys.base.errors import Invalid
from evalsys.base.tables.files import FORMULA, HEADING_WITHIN, no_table, too_many_rows, unclosed_quotation
from evalsys.base.tables.reading import Column, Row, headings_among, read_table

_PIECE = 1 << 20
_DELIMITERS = ",;\t"
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0e-\x1f]")
Cells = Sequence[str]


class TableFile:
    """An open table: iterate over it once, then call `table.finish`.

    Attributes:
        table: the columns found, and the faults noted so far.
    """

    def __init__(self, stream: BinaryIO, columns: Sequence[Column], *, max_rows: int) -> None:
        """Find the table in a file that is open and can be rewound; keep it open while reading.

        Raises:
            Invalid: as `read_table`.
        """
        first = stream.read(4)
        stream.seek(0)
        if not first or first.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            self.table = read_table(stream.read(), columns, max_rows=max_rows)
            self._rows: Iterator[Row] = iter(self.table)
            return
        rows = _csv_rows(stream)
        head = list(islice(rows, HEADING_WITHIN))
        place, self.table = headings_among([row for _number, row in head], columns)
        self._rows = self._below(chain(head[place + 1 :], rows), max_rows)

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def _below(self, rows: Iterator[tuple[int, Cells]], max_rows: int) -> Iterator[Row]:
        """The rows below the headings; those without any text are left out."""
        taken = 0
        for number, cells in rows:
            if any(cell and not cell.isspace() for cell in cells):
                taken += 1
                if taken > max_rows:
                    raise too_many_rows(max_rows)
                yield Row(self.table, number, cells)
        if not taken:
            raise Invalid(
                _("The table has headings but no rows."), remedy=_("Fill in at least one row below the headings.")
            )


def _csv_rows(stream: BinaryIO) -> Iterator[tuple[int, Cells]]:
    """Each row with its number, from 1, as a spreadsheet counts them."""
    text = io.TextIOWrapper(stream, encoding=_encoding(stream), newline="")
    head = list(islice(text, HEADING_WITHIN))
    fullest = max(head, key=lambda line: sum(map(line.count, _DELIMITERS)), default="")
    text.seek(0)
    number = 0
    try:
        for row in csv.reader(text, delimiter=max(_DELIMITERS, key=fullest.count), strict=True):
            number += 1
            yield number, [_bare(cell) for cell in row] if any(cell[:1] == "'" for cell in row) else row
    except csv.Error as error:
        raise unclosed_quotation(number + 1) from error
    finally:
        with suppress(ValueError):  # the caller, whose stream it is, may have closed it
            text.detach()


def _bare(cell: str) -> str:
    """Without the apostrophe that our own files put before a text that looks like a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:2] in FORMULA else cell


def _encoding(stream: BinaryIO) -> str:
    """The first encoding that the whole file is right in; leaves the stream at its start."""
    wide = stream.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        stream.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        pieces = iter(lambda: stream.read(_PIECE), b"")
        with suppress(UnicodeDecodeError):
            if not any(_UNPRINTABLE.search(decoder.decode(piece)) for piece in pieces):
                decoder.decode(b"", final=True)
                stream.seek(0)
                return encoding
    raise no_table()
