"""Reading a table by its columns: where it stands in the file, and each cell with its place."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from flask_babel import LazyString
from flask_babel import gettext as _

from evalsys.base.errors import Invalid
from evalsys.base.language import language
from evalsys.base.tables.faults import SHOWN, CellFault, TableFaulty
from evalsys.base.tables.files import HEADING_WITHIN, RawSheet, open_sheets, too_many_rows
from evalsys.base.tables.values import Value, ValueWrong, as_day, as_money, as_number, as_text, as_whole, is_blank

MAX_ROWS = 100_000
_IGNORED = frozenset({"序号", "编号", "no", "no.", "#", "备注", "说明", "remarks", "note", "notes"})
Read = TypeVar("Read")


@dataclass(frozen=True)
class Column:
    """A column that a table may have.

    Attributes:
        name: how code calls it.
        zh, en: its heading in each language.
        others: more headings that people use.
        required: whether the heading must be there.
        example: what a template shows.
        explanation: what a template says about it.
    """

    name: str
    zh: str
    en: str
    others: tuple[str, ...] = ()
    required: bool = True
    example: str | float | date = ""
    explanation: LazyString | str = ""

    @property
    def heading(self) -> str:
        """In the reader's language."""
        return self.zh if language() == "zh" else self.en

    def goes_by(self, heading: str) -> bool:
        """Whether a heading, already folded, means this column."""
        return any(heading in _folded(known) for known in (self.zh, self.en, self.name, *self.others))


def _folded(heading: object) -> set[str]:
    """A heading without case, blanks, width, marks; with and without what stands in brackets: "金额（元）*"."""
    text = re.sub(r"[\s*:_]", "", unicodedata.normalize("NFKC", str(heading))).casefold()
    return {text, re.sub(r"\((?!万)[^)]*\)", "", text)} - {""}  # 万元 is another unit, not a remark


@dataclass
class Table:
    """A table found in a file. Iterate over its rows, then call `finish`.

    Attributes:
        sheet: the sheet's name; empty for CSV.
        headings: as written in the file, by column name.
    """

    sheet: str
    headings: dict[str, str]
    _places: dict[str, int]
    _rows: list[tuple[int, Sequence[Value]]]
    _faults: list[CellFault] = field(default_factory=list)
    _total: int = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        for number, values in self._rows:
            yield Row(self, number, values)

    def has(self, name: str) -> bool:
        """Whether the file has the column."""
        return name in self._places

    def fault(self, row: int, name: str, value: object, wrong: str, remedy: str) -> None:
        """Note a cell at fault; the first SHOWN are kept, all are counted."""
        self._total += 1
        if len(self._faults) < SHOWN:
            text = str(value if value is not None else "")
            column = f"{letters(self._places[name])} {self.headings[name]}" if name in self._places else name
            shown = text if len(text) <= 40 else text[:39] + "…"
            self._faults.append(CellFault(self.sheet, row, column, shown, wrong, remedy))

    def finish(self) -> None:
        """Raises TableFaulty when any cell was at fault."""
        if self._total:
            raise TableFaulty(sorted(self._faults, key=lambda fault: (fault.row, fault.column)), self._total)


class Row:
    """One row being read. A reader of a cell gives its value, or notes a fault and gives None."""

    __slots__ = ("_table", "_values", "faulty", "number")

    def __init__(self, table: Table, number: int, values: Sequence[Value]) -> None:
        self._table = table
        self._values = values
        self.number = number
        self.faulty = False

    def raw(self, name: str) -> Value:
        """The cell as it stands; None where it, or its column, is missing."""
        place = self._table._places.get(name)
        value = self._values[place] if place is not None and place < len(self._values) else None
        return None if is_blank(value) else value

    def wrong(self, name: str, wrong: str, remedy: str) -> None:
        """Note that a cell is at fault."""
        self.faulty = True
        self._table.fault(self.number, name, self.raw(name), wrong, remedy)

    def text(self, name: str, *, most: int = 200, required: bool = True) -> str | None:
        return self._read(name, lambda value: as_text(value, most), required=required)

    def whole(self, name: str, *, least: int = 0, most: int = 1_000_000_000, required: bool = True) -> int | None:
        return self._read(name, lambda value: as_whole(value, least, most), required=required)

    def decimal(self, name: str, *, required: bool = True) -> float | None:
        return self._read(name, as_number, required=required)

    def money(self, name: str, *, required: bool = True) -> int | None:
        """Yuan, as whole fen."""
        return self._read(name, as_money, required=required)

    def day(self, name: str, *, required: bool = True) -> date | None:
        return self._read(name, as_day, required=required)

    def _read(self, name: str, understand: Callable[[Value], Read], *, required: bool) -> Read | None:
        value = self.raw(name)
        if value is None:
            if required:
                self.wrong(name, _("The cell is empty."), _("Fill it in."))
            return None
        try:
            return understand(value)
        except ValueWrong as error:
            self.wrong(name, error.wrong, error.remedy)
            return None


def letters(place: int) -> str:
    """A column's letters from its place: 0 is A, 26 is AA."""
    text = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        text = chr(65 + rest) + text
    return text


def read_table(data: bytes, columns: Sequence[Column], *, max_rows: int = MAX_ROWS) -> Table:
    """Find the one table with these columns in an .xlsx or .csv file.

    Args:
        data: the file.
        columns: what the table may have; headings count in either language, whatever their case and width.
        max_rows: rows of data above which the file is refused.

    Raises:
        Invalid: the file is broken, is no table, has no such table or several, lacks headings, has some twice or
            unknown ones, has merged cells among its data, or no data, or too much of it.
    """
    sheets = open_sheets(data, max_rows)
    sheet, place = _find(sheets, columns)
    headings = sheet.rows[place]
    places = _placed(headings, columns)
    rows = [
        (number, values)
        for number, values in enumerate(sheet.rows[place + 1 :], start=place + 2)
        if not all(map(is_blank, values))
    ]
    _check_merged(sheet, place)
    _check_nameless(headings, rows)
    if not rows:
        raise Invalid(
            _("The table has headings but no rows."), remedy=_("Fill in at least one row below the headings.")
        )
    if len(rows) > max_rows:
        raise too_many_rows(max_rows)
    return Table(sheet.name, {name: str(headings[at]).strip() for name, at in places.items()}, places, rows)


def _find(sheets: Sequence[RawSheet], columns: Sequence[Column]) -> tuple[RawSheet, int]:
    """The sheet and the index of the row that holds most of the headings."""
    required = {column.name for column in columns if column.required}
    best: list[tuple[RawSheet, int]] = []
    nearest: tuple[int, RawSheet, int] | None = None
    for sheet in sheets:
        found = [_named(row, columns) for row in sheet.rows[:HEADING_WITHIN]]
        counts = [len(names) for names in found]
        if not counts or not max(counts):
            continue
        place = counts.index(max(counts))
        if required <= found[place]:
            best.append((sheet, place))
        if nearest is None or counts[place] > nearest[0]:
            nearest = (counts[place], sheet, place)
    if len(best) > 1:
        raise Invalid(
            _("Several sheets hold such a table: %(sheets)s", sheets="、".join(sheet.name for sheet, _place in best)),
            remedy=_("Put all rows into one sheet and delete or hide the others."),
        )
    if best:
        return best[0]
    wanted = "、".join(column.heading for column in columns if column.required)
    if nearest is None or nearest[0] * 2 < len(required):
        raise Invalid(
            _("No sheet of the file holds this table."),
            remedy=_("The headings must be: %(headings)s. Download the template to see them.", headings=wanted),
            details=[_("sheet “%(name)s”: %(n)s rows", name=sheet.name, n=len(sheet.rows)) for sheet in sheets],
        )
    return nearest[1], nearest[2]


def _named(row: Sequence[Value], columns: Sequence[Column]) -> set[str]:
    return {name for name in (_column_of(cell, columns) for cell in row) if name}


def _column_of(cell: Value, columns: Sequence[Column]) -> str | None:
    if not isinstance(cell, str):
        return None
    folded = _folded(cell)
    exact = re.sub(r"[\s*:_]", "", unicodedata.normalize("NFKC", cell)).casefold()
    for candidate in (exact, *sorted(folded - {exact})):  # with its brackets first
        for column in columns:
            if column.goes_by(candidate):
                return column.name
    return None


def _placed(headings: Sequence[Value], columns: Sequence[Column]) -> dict[str, int]:
    """Where each column stands; every fault of the heading row is told at once."""
    places: dict[str, int] = {}
    faults = []
    known = [column.heading for column in columns]
    for place, cell in enumerate(headings):
        name = _column_of(cell, columns)
        if name is None and (is_blank(cell) or _folded(cell) & _IGNORED):
            continue
        if name is None:
            near = difflib.get_close_matches(str(cell), known, n=1)
            guess = _("Did you mean “%(heading)s”?", heading=near[0]) if near else ""
            faults.append(
                _("column %(letter)s: the heading “%(heading)s” is not known.", letter=letters(place), heading=cell)
                + f" {guess}".rstrip()
            )
        elif name in places:
            faults.append(
                _(
                    "columns %(first)s and %(second)s have the same heading “%(heading)s”.",
                    first=letters(places[name]),
                    second=letters(place),
                    heading=cell,
                )
            )
        else:
            places[name] = place
    faults += [
        _("the heading “%(heading)s” is missing.", heading=column.heading)
        for column in columns
        if column.required and column.name not in places
    ]
    if faults:
        raise Invalid(
            _("The headings of the table are not right; nothing was saved."),
            remedy=_("Use these headings, and delete other columns: %(headings)s", headings="、".join(known)),
            details=faults,
        )
    return places


def _check_merged(sheet: RawSheet, place: int) -> None:
    """A title above the headings may be merged; below, nobody knows which row a merged value belongs to."""
    merged = [
        f"{letters(left)}{top + 1}:{letters(right)}{bottom + 1}"
        for (top, left), (bottom, right) in sheet.merged
        if bottom >= place
    ]
    if merged:
        raise Invalid(
            _("Cells are merged in the table: %(ranges)s", ranges="、".join(merged[:20])),
            remedy=_("Select them, choose “unmerge cells”, and fill in every row."),
        )


def _check_nameless(headings: Sequence[Value], rows: Sequence[tuple[int, Sequence[Value]]]) -> None:
    width = max((len(values) for _number, values in rows), default=0)
    nameless = [place for place in range(width) if place >= len(headings) or is_blank(headings[place])]
    for number, values in rows if nameless else ():
        for place in nameless:
            if place < len(values) and not is_blank(values[place]):
                raise Invalid(
                    _(
                        "Cell %(cell)s has a value, but its column has no heading.",
                        cell=f"{letters(place)}{number}",
                    ),
                    remedy=_("Give the column its heading, or delete it."),
                )


def headings_among(rows: Sequence[Sequence[Value]], columns: Sequence[Column]) -> tuple[int, Table]:
    """Find the row of headings among a CSV file's first rows.

    Returns:
        Its index, and a table that has its columns but holds no rows.

    Raises:
        Invalid: as `read_table`, of what is wrong with the headings.
    """
    sheet, place = _find([RawSheet("", rows)], columns)
    places = _placed(sheet.rows[place], columns)
    return place, Table("", {name: str(sheet.rows[place][at]).strip() for name, at in places.items()}, places, [])
