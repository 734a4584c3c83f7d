"""Tables for a terminal in which a Chinese character takes two columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def width(words: str) -> int:
    """Columns that the words take; ambiguous characters take one, as modern terminals show them."""
    return sum(_character_width(c) for c in words)


def _character_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> list[str]:
    """Lines of aligned columns under their header.

    Args:
        header: one heading a column.
        rows: one cell a column; the last cell may be long, for nothing stands behind it.
        right: columns whose cells stand at the right, as numbers do.
    """
    widths = [max(width(line[at]) for line in (header, *rows)) for at in range(len(header))]
    rule = ["-" * columns for columns in (*widths[:-1], width(header[-1]))]
    return [
        "  ".join(_padded(cell, widths[at], right=at in right) for at, cell in enumerate(line)).rstrip()
        for line in (header, rule, *rows)
    ]


def _padded(cell: str, columns: int, *, right: bool) -> str:
    blanks = " " * (columns - width(cell))
    return blanks + cell if right else cell + blanks
