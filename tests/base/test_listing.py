"""Long tables: what an address may ask, and what it gets."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.listing import Page, Wanted, page_of, paginate
from evalsys.registry.models import Vendor
from tests.factories import make_vendor


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        ({}, Wanted()),
        ({"q": "  社工 ", "sort": "-name", "page": "3", "size": "50"}, Wanted("社工", "-name", 3, 50)),
        ({"page": "0"}, Wanted()),
        ({"page": "-1"}, Wanted()),
        ({"page": "two"}, Wanted()),
        ({"page": "²"}, Wanted()),
        ({"page": "9" * 30}, Wanted()),
        ({"size": "7"}, Wanted()),
        ({"q": "a\0b"}, Wanted("ab")),
        ({"q": "x" * 101}, Wanted("x" * 100)),
    ],
)
def test_nonsense_in_the_address_becomes_the_default(args: dict[str, str], wanted: Wanted) -> None:
    assert Wanted.from_args(args) == wanted


def listed(session: Session, wanted: Wanted, statement: Any = None) -> Page[Any]:
    return paginate(
        session,
        select(Vendor) if statement is None else statement,
        wanted,
        sorts={"name": Vendor.name, "phone": Vendor.phone},
        default_sort="name",
        search=(Vendor.name, Vendor.credit_code),
        tie=Vendor.id,
    )


def test_a_page_past_the_end_is_the_last(session: Session) -> None:
    for n in range(27):
        make_vendor(session, name=f"v{n:02d}")
    page = listed(session, Wanted(page=99))
    assert [vendor.name for vendor in page.rows] == ["v25", "v26"]
    assert (page.number, page.pages, page.total, page.first, page.last) == (2, 2, 27, 26, 27)
    first = listed(session, Wanted())
    assert (len(first.rows), first.first, first.last) == (25, 1, 25)


def test_nothing_found_is_one_empty_page(session: Session) -> None:
    page = listed(session, Wanted(q="x"))
    assert (list(page.rows), page.total, page.pages, page.number, page.first, page.last) == ([], 0, 1, 1, 0, 0)


def test_pages_never_overlap_where_rows_are_equal(session: Session) -> None:
    for _ in range(60):
        make_vendor(session)
    pages = [listed(session, Wanted(sort="phone", page=n)) for n in (1, 2, 3)]
    assert len({vendor.id for page in pages for vendor in page.rows}) == 60


def test_a_sort_is_turned_round_and_an_unknown_one_ignored(session: Session) -> None:
    for name in ("b", "a", "c"):
        make_vendor(session, name=name)
    assert [v.name for v in listed(session, Wanted(sort="-name")).rows] == ["c", "b", "a"]
    unknown = listed(session, Wanted(sort="-password"))
    assert ([v.name for v in unknown.rows], unknown.sort) == (["a", "b", "c"], "name")


@pytest.mark.parametrize(
    ("q", "found"), [("50%", ["a50%b"]), ("_", ["x_y"]), ("\\", ["p\\q"]), ("A50", ["a50%b", "a500b"]), ("'", [])]
)
def test_a_search_is_taken_literally(session: Session, q: str, found: list[str]) -> None:
    for name in ("a50%b", "x_y", "p\\q", "a500b"):
        make_vendor(session, name=name)
    assert {v.name for v in listed(session, Wanted(q=q)).rows} == set(found)


def test_rows_of_several_columns_stay_rows(session: Session) -> None:
    vendor = make_vendor(session, name="a")
    page = listed(session, Wanted(), select(Vendor.id, Vendor.name))
    assert [tuple(row) for row in page.rows] == [(vendor.id, "a")]


ROWS = [("丙镇", 2.0), ("甲镇", None), ("乙镇", 1.0), ("丁镇", 2.0)]


def in_memory(wanted: Wanted) -> Page[tuple[str, float | None]]:
    return page_of(
        ROWS,
        wanted,
        sorts={"name": lambda row: row[0], "rate": lambda row: row[1]},
        default_sort="rate",
        search=lambda row: (row[0],),
    )


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (Wanted(), ["乙镇", "丙镇", "丁镇", "甲镇"]),  # what is not known comes last, equal rows keep their order
        (Wanted(sort="-rate"), ["丙镇", "丁镇", "乙镇", "甲镇"]),
        (Wanted(sort="nonsense"), ["乙镇", "丙镇", "丁镇", "甲镇"]),
        (Wanted(q="乙"), ["乙镇"]),
        (Wanted(q="无"), []),
        (Wanted(size=3, page=2), ["甲镇"]),
        (Wanted(size=3, page=9), ["甲镇"]),
    ],
)
def test_rows_in_memory_are_listed_alike(wanted: Wanted, names: list[str]) -> None:
    assert [name for name, _rate in in_memory(wanted).rows] == names


def test_a_page_of_rows_in_memory_knows_where_it_is() -> None:
    page = in_memory(Wanted(size=3, page=2))
    assert (page.total, page.number, page.pages, page.first, page.last) == (4, 2, 2, 4, 4)
    assert in_memory(Wanted(q="无")).pages == 1
