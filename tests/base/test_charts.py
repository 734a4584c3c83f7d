"""Charts of labelled rows: what is drawn, in which words, and always the same."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from evalsys.base.charts import PARTS, Axis, Piece, Row, draw, picture, shade, stacked, wrapped

AXIS = Axis("分", 0, 100)
ROWS = (
    Row("服务对象的评价", (Piece(0, 60),), "60.00"),
    Row("评价员宽严", (Piece(60, 55, "#a3262a"),), "−5.00"),
    Row("Score", (Piece(40, 70),), "", 55.0),
)
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("narrow", [False, True])
def test_labels_and_values_stand_in_the_chart_in_any_script(narrow: bool) -> None:
    drawn = texts(draw(ROWS, AXIS, narrow=narrow))
    assert {"服务对象的评价", "60.00", "评价员宽严", "−5.00", "Score", "分", "100"} <= set(drawn)


def test_a_chart_has_no_style_no_script_and_no_address_but_its_namespaces() -> None:
    svg = draw(ROWS, AXIS)
    assert "style=" not in svg
    assert "<style" not in svg
    assert "<script" not in svg
    assert svg.count("http") == svg.count("http://www.w3.org/")


def test_the_same_rows_give_the_same_bytes() -> None:
    again = draw.__wrapped__(ROWS, AXIS, narrow=False)
    assert draw(ROWS, AXIS) == again


def test_a_phone_gets_a_narrow_and_taller_chart() -> None:
    wide, narrow = (ET.fromstring(draw(ROWS, AXIS, narrow=narrow)) for narrow in (False, True))
    assert (wide.get("width"), narrow.get("width")) == ("760", "340")
    assert float(wide.get("height") or 0) < float(narrow.get("height") or 0)


def test_marks_and_pieces_are_drawn_each_in_its_colour() -> None:
    svg = draw(ROWS, AXIS)
    assert svg.count('fill="#a3262a"') == 1
    assert svg.count('stroke-width="3"') == 1


@pytest.mark.parametrize(
    ("axis", "ticks"), [(Axis("", 0, 1, "share"), {"0%", "100%"}), (Axis("", 1, 3, "whole"), {"1", "2", "3"})]
)
def test_ticks_are_as_the_axis_says(axis: Axis, ticks: set[str]) -> None:
    drawn = [text for text in texts(draw((Row("x", (Piece(0, 1),)),), axis)) if text != "x"]
    assert ticks <= set(drawn)
    if axis.kind == "whole":
        assert set(drawn) == ticks


def test_what_cannot_be_drawn_says_why() -> None:
    with pytest.raises(ValueError, match="rows: there must be at least one"):
        draw((), AXIS)
    with pytest.raises(ValueError, match="axis: must run from a lower to a higher number, not from 5 to 5"):
        draw(ROWS, Axis("", 5, 5))


def test_levels_get_darker_and_fill_the_whole() -> None:
    pieces = stacked([0.1, 0.0, 0.2, 0.7])
    assert [(piece.start, piece.end) for piece in pieces] == [
        (0, 0.1),
        (0.1, pytest.approx(0.3)),
        (pytest.approx(0.3), 1),
    ]
    assert [piece.colour for piece in pieces] == [shade(0, 4), shade(2, 4), shade(3, 4)]
    assert shade(0, 1) == shade(0, 5) == "#d6e6ed"
    assert shade(4, 5) == "#083a50"


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", PARTS)
def test_colours_stand_off_the_paper(colour: str) -> None:
    """WCAG 2.2, 1.4.11: at least 3 to 1."""
    assert 1.05 / (luminance(colour) + 0.05) >= 3


@pytest.mark.parametrize(
    ("text", "space", "lines"),
    [
        ("", 100, [""]),
        ("服务对象", 60, ["服务对象"]),
        ("服务对象评价", 60, ["服务对象", "评价"]),
        ("on time every day", 70, ["on time", "every day"]),
        ("服务对象的评价是否完整", 60, ["服务对象", "的评价…"]),
        ("他们来得准时吗？", 104, ["他们来得准时吗？"]),
        ("他们来得准时吗？", 91, ["他们来得准时", "吗？"]),
        ("incomprehensibilities", 60, ["incompre", "hensibi…"]),
    ],
)
def test_labels_are_broken_where_a_reader_would(text: str, space: int, lines: list[str]) -> None:
    assert wrapped(text, space) == lines


@given(text=st.text(max_size=60), space=st.integers(1, 200))
def test_a_label_of_anything_takes_two_lines_at_most(text: str, space: int) -> None:
    assert 1 <= len(wrapped(text, space)) <= 2


@pytest.mark.parametrize(("address", "width"), [("/?narrow=1", "340"), ("/", "760")])
def test_a_request_is_answered_with_the_width_it_asks_for(address: str, width: str) -> None:
    with Flask("test").test_request_context(address):
        answer = picture(ROWS, AXIS)
    assert answer.mimetype == "image/svg+xml"
    assert ET.fromstring(answer.get_data(as_text=True)).get("width") == width
