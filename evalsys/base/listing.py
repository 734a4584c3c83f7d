"""Long tables: search, sort and page by link, the same everywhere.

A view declares what may be sorted and searched; the address carries `q`, `sort` (a leading `-` turns it round) and
`page`; `templates/components/listing.html` draws the controls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

Row = TypeVar("Row")
Other = TypeVar("Other")
Sortable = ColumnElement[Any] | InstrumentedAttribute[Any]

PAGE_SIZE = 25
PAGE_SIZES = (25, 50, 100)


@dataclass(frozen=True)
class Wanted:
    """What the reader asked for; anything nonsensical has become the default."""

    q: str = ""
    sort: str = ""
    page: int = 1
    size: int = PAGE_SIZE

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> Wanted:
        page, size = args.get("page", "1"), args.get("size", str(PAGE_SIZE))
        return cls(
            q=args.get("q", "").replace("\x00", "").strip()[:100],
            sort=args.get("sort", "")[:40],
            page=max(1, int(page)) if page.isascii() and page.isdecimal() and len(page) < 9 else 1,
            size=int(size) if size in map(str, PAGE_SIZES) else PAGE_SIZE,
        )


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page of a long table.

    Attributes:
        rows: what this page shows.
        total: rows in all that match.
        number: this page, from 1; never past the last.
        pages: how many pages there are, at least 1.
        sort: the sort in force, with its leading `-` when turned round.
        q: the search in force.
    """

    rows: Sequence[Row]
    total: int
    number: int
    pages: int
    sort: str
    q: str
    size: int = PAGE_SIZE

    @property
    def first(self) -> int:
        """Number of the page's first row among all, from 1; 0 when empty."""
        return 0 if not self.total else (self.number - 1) * self.size + 1

    def of(self, rows: Sequence[Other]) -> Page[Other]:
        """The same page showing other rows, one for each."""
        return Page(rows, self.total, self.number, self.pages, self.sort, self.q, self.size)

    @property
    def last(self) -> int:
        return min(self.number * self.size, self.total)


def paginate(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    wanted: Wanted,
    *,
    sorts: Mapping[str, Sortable],
    default_sort: str,
    search: Sequence[Sortable] = (),
    tie: Sortable,
) -> Page[Any]:
    """Filter, order and cut a select of whole entities or of rows.

    Args:
        statement: the select without order and limit.
        sorts: column by the name the address uses.
        default_sort: a name in `sorts`, with `-` in front to turn it round.
        search: text columns that `q` is looked for in.
        tie: a unique column that settles equal rows, so that pages never overlap.

    Returns:
        The page; rows are entities where the select has one column, else result rows.
    """
    if wanted.q and search:
        pattern = "%" + wanted.q.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
        statement = statement.where(or_(*(column.ilike(pattern, escape="\\") for column in search)))
    total = session.scalar(select(func.count()).select_from(statement.order_by(None).subquery())) or 0
    pages = max(1, -(-total // wanted.size))
    number = min(wanted.page, pages)
    sort = wanted.sort if wanted.sort.removeprefix("-") in sorts else default_sort
    column = sorts[sort.removeprefix("-")]
    order = column.desc() if sort.startswith("-") else column.asc()
    result = session.execute(
        statement.order_by(order.nulls_last(), tie).limit(wanted.size).offset((number - 1) * wanted.size)
    )
    rows = result.scalars().all() if len(statement.column_descriptions) == 1 else result.all()
    return Page(rows=rows, total=total, number=number, pages=pages, sort=sort, q=wanted.q, size=wanted.size)


def page_of(
    rows: Sequence[Row],
    wanted: Wanted,
    *,
    sorts: Mapping[str, Callable[[Row], Any]],
    default_sort: str,
    search: Callable[[Row], Sequence[str]],
) -> Page[Row]:
    """Filter, order and cut rows that are in memory, because they were added up from others.

    Args:
        rows: in the order that settles equal ones.
        sorts: what a row is sorted by, by the name the address uses; rows without it (None) come last.
        search: the texts of a row that `q` is looked for in.
    """
    sought = wanted.q.casefold()
    found = [row for row in rows if any(sought in text.casefold() for text in search(row))]
    sort = wanted.sort if wanted.sort.removeprefix("-") in sorts else default_sort
    key = sorts[sort.removeprefix("-")]
    known = sorted((row for row in found if key(row) is not None), key=key, reverse=sort.startswith("-"))
    ordered = known + [row for row in found if key(row) is None]
    pages = max(1, -(-len(ordered) // wanted.size))
    number = min(wanted.page, pages)
    shown = ordered[(number - 1) * wanted.size : number * wanted.size]
    return Page(rows=shown, total=len(ordered), number=number, pages=pages, sort=sort, q=wanted.q, size=wanted.size)
