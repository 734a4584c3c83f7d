"""Charts of labelled rows, drawn on the server as SVG: bars, waterfalls, shares and ranges with a mark.

A page shows one as an image with a text alternative, beside a table of the same data. The layout is computed here from
the text, not measured with the server's fonts, so the same rows give the same bytes everywhere. Altair and vl-convert
are imported when the first chart is drawn: they take a second and some 100 MB that a process without charts saves.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, cast

from flask import Response, request
from flask_babel import gettext as _

if TYPE_CHECKING:
    import altair as alt

FONT = "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, Noto Sans SC, sans-serif"
INK, QUIET, GRID = "#1b2430", "#4a5462", "#d8d5cc"
WHOLE, PART, SPAN = "#083a50", "#4d8fac", "#7fb0c4"
UP, DOWN = "#1e6b3a", "#a3262a"
PARTS = (PART, "#0b4f6c", "#8a6d3b", "#6b5b95", "#3b7a57")
"""Colours for things beside each other; each has at least three times the luminance of white or a third of it."""

CLOSING = "，。、；：？！）》”’…"
SIZE, LINE = 13, 17  # pixels: of the letters, and from one line of text to the next
BAR, GAP = 16, 12
LABELS = 250  # pixels of the column of labels in a wide chart
WIDTHS = {False: 760, True: 340}  # by narrow


@dataclass(frozen=True)
class Piece:
    """A stretch of a row, from `start` to `end` on the axis."""

    start: float
    end: float
    colour: str = PART


@dataclass(frozen=True)
class Row:
    """A line of the chart: its label, its pieces, what is printed at its end, and a mark across it."""

    label: str
    pieces: tuple[Piece, ...]
    told: str = ""
    mark: float | None = None


@dataclass(frozen=True)
class Axis:
    """What is measured from left to right; `kind`: plain numbers, whole numbers only, or shares as per cent."""

    title: str
    low: float
    high: float
    kind: Literal["number", "whole", "share"] = "number"


def shade(place: int, places: int) -> str:
    """The colour of one of several ordered levels, the lowest palest."""
    share = place / max(places - 1, 1)
    pale, deep = (0xD6, 0xE6, 0xED), (0x08, 0x3A, 0x50)
    return "#" + "".join(f"{round(p + (d - p) * share):02x}" for p, d in zip(pale, deep, strict=True))


def stacked(shares: Sequence[float]) -> tuple[Piece, ...]:
    """Shares of ordered levels, the lowest first, one after the other from 0 to 1."""
    pieces, start = [], 0.0
    for place, share in enumerate(shares):
        if share > 0:
            pieces.append(Piece(start, start + share, shade(place, len(shares))))
        start += share
    return tuple(pieces)


@lru_cache(maxsize=256)
def draw(rows: tuple[Row, ...], axis: Axis, *, narrow: bool = False) -> str:
    """The chart as SVG.

    Args:
        rows: from the top down.
        axis: `low` below `high`.
        narrow: for a phone, the labels above the bars.

    Raises:
        ValueError: no rows, or an axis without extent.
    """
    if not rows:
        raise ValueError("rows: there must be at least one")
    if not axis.low < axis.high:
        raise ValueError(f"axis: must run from a lower to a higher number, not from {axis.low} to {axis.high}")
    import vl_convert

    # No address is allowed: a chart fetches nothing, whatever its labels say.
    svg: str = vl_convert.vegalite_to_svg(_chart(rows, axis, narrow=narrow).to_dict(), allowed_base_urls=[])
    return svg


def alternative(title: str, rows: Sequence[Row], *, most: int = 12) -> str:
    """What a chart shows, in words, for those who do not see it; the table beside it holds the rest."""
    separator: str = _("; ")
    told = separator.join(f"{row.label} {row.told}".strip() for row in rows[:most])
    if len(rows) > most:
        told += separator + _("the rest stands in the table")
    whole: str = _("%(title)s: %(list)s.", title=title, list=told)
    return whole


def picture(rows: Sequence[Row], axis: Axis) -> Response:
    """The answer to a request for a chart; `?narrow=1` asks for the phone's."""
    return Response(draw(tuple(rows), axis, narrow=request.args.get("narrow") == "1"), mimetype="image/svg+xml")


def _chart(rows: tuple[Row, ...], axis: Axis, *, narrow: bool) -> alt.LayerChart:
    import altair as alt

    left, right = (10, 10) if narrow else (LABELS + 14, 14 + max(_width(row.told) for row in rows))
    width = WIDTHS[narrow] - left - right
    drawn = _Drawn(width, narrow=narrow)
    for row in rows:
        drawn.add(row)
    down = alt.Y("y:Q", scale=alt.Scale(domain=[0, drawn.height], range=[0, drawn.height], nice=False), axis=None)
    most = 4 if narrow else 8
    ticks = alt.Axis(
        title=axis.title,
        tickCount=min(most, max(1, int(axis.high - axis.low))) if axis.kind == "whole" else most,
        format="%" if axis.kind == "share" else alt.Undefined,
    )
    across = alt.X("x:Q", scale=alt.Scale(domain=[axis.low, axis.high], nice=False), axis=ticks)
    pieces = (
        alt.Chart(alt.InlineData(values=drawn.pieces))
        .mark_rect(stroke="white", strokeWidth=0.5)
        .encode(x=across, x2="x2:Q", y=down, y2="y2:Q", color=alt.Color("colour:N", scale=None))
    )
    marks = (
        alt.Chart(alt.InlineData(values=drawn.marks))
        .mark_rule(stroke=INK, strokeWidth=3)
        .encode(x=across, y=down, y2="y2:Q")
    )
    texts = [
        alt.Chart(alt.InlineData(values=words))
        .mark_text(align=align, baseline="middle", limit=0, fontSize=SIZE, color=INK)
        .encode(x=alt.X("x:Q", scale=None), y=down, text="text:N")
        for align, words in drawn.texts.items()
    ]
    return cast(
        "alt.LayerChart",
        alt.layer(alt.layer(pieces, marks), *texts)
        .resolve_scale(x="independent")
        .properties(
            width=width,
            height=drawn.height,
            padding={"left": left, "right": right, "top": 8, "bottom": 48},
            autosize=alt.AutoSizeParams(type="none"),
        )
        .configure(font=FONT, background="white")
        .configure_view(stroke=None)
        .configure_axis(labelColor=QUIET, titleColor=QUIET, gridColor=GRID, labelFontSize=12, titleFontSize=12),
    )


class _Drawn:
    """Rows laid out in pixels from the top; from left to right pieces and marks are on the axis, texts in pixels."""

    def __init__(self, width: int, *, narrow: bool) -> None:
        self.width, self.narrow = width, narrow
        self.height: float = GAP / 2
        self.pieces: list[dict[str, Any]] = []
        self.marks: list[dict[str, Any]] = []
        self.texts: dict[Literal["left", "right"], list[dict[str, Any]]] = {"left": [], "right": []}

    def add(self, row: Row) -> None:
        """Lay the next row below the others: its label above the bar in a narrow chart, else left of it."""
        space = self.width - _width(row.told) - 14 if self.narrow else LABELS
        lines = wrapped(row.label, space)
        tall, top = len(lines) * LINE, self.height
        bar = top + tall + 2 if self.narrow else top + max(tall - BAR, 0) / 2
        for place, line in enumerate(lines):
            at = top + LINE * (place + 0.5)
            if self.narrow:
                self.write(line, 0, at, "left")
            else:
                self.write(line, -8, at, "right")
        if self.narrow:
            self.write(row.told, self.width, top + LINE / 2, "right")
        else:
            self.write(row.told, self.width + 8, bar + BAR / 2, "left")
        box = {"y": bar, "y2": bar + BAR}
        self.pieces += [{"x": piece.start, "x2": piece.end, "colour": piece.colour, **box} for piece in row.pieces]
        if row.mark is not None:
            self.marks.append({"x": row.mark, "y": bar - 2, "y2": bar + BAR + 2})
        self.height = max(bar + BAR, top + tall) + GAP

    def write(self, text: str, x: float, y: float, align: Literal["left", "right"]) -> None:
        if text:
            self.texts[align].append({"text": text, "x": x, "y": y})


def _width(text: str) -> int:
    """Pixels that a text takes at most, near enough: Chinese characters are square, others about half as wide."""
    return round(SIZE * sum(1.0 if unicodedata.east_asian_width(c) in "WF" else 0.56 for c in text))


def wrapped(text: str, space: int, *, most: int = 2) -> list[str]:
    """A text in at most so many lines of so many pixels; what does not fit ends in an ellipsis.

    Latin words stay whole where a line has a blank to break at; Chinese may break anywhere.
    """
    lines: list[str] = []
    rest = " ".join(text.split())
    while rest:
        fits = next((n for n in range(len(rest), 0, -1) if _width(rest[:n]) <= space), 1)
        if fits == len(rest):
            return [*lines, rest]
        if len(lines) == most - 1:
            return [*lines, rest[: max(fits - 1, 0)].rstrip() + "…"]
        blank = rest.rfind(" ", 0, fits + 1)
        cut = blank if blank > 0 and rest[fits].isascii() else fits
        if rest[cut] in CLOSING and cut > 1:
            cut -= 1  # Chinese typesetting: no line begins with such a mark
        lines.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return lines or [""]
