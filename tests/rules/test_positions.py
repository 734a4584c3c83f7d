"""The line of every key, in every way TOML lets one write it."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsys.config import ROOT, SHIPPED_RULES
from evalsys.rules.faults import KeyPath
from evalsys.rules.positions import line_of, lines_of

AWKWARD = '''\
# [[comment]] = "{ not a table }"
first = 1 # ] } [x]
"quoted key" = 'a # b'
"sp\\u0061ce" = """
[[not.a.table]]
key = 1
\\"""still text\\\\"""
literal = \'\'\'
it's # no comment \'\'\'\'
five = """ends in quotes"""""
dotted.inner . deep = [ # a comment with ]
  1, [2,
  3], # ] another
  { a = "}", b = { c = "," } },
]
after = 1979-05-27 07:32:00 # a date with a blank

[table]
x = 1
[table.sub."a.b"]
y = 2

[[list]] # [[list]]
name = "zero"
[list.detail]
z = 3
[[list.nested]]
n = 0
[[list.nested]]
n = 1
[[list]]
name = "one"
[[list.nested]]
n = 0
[super.late]
a = 1
[super]
b = 2
'''

EXPECTED: dict[KeyPath, int] = {
    ("first",): 2,
    ("quoted key",): 3,
    ("space",): 4,
    ("literal",): 8,
    ("five",): 10,
    ("dotted",): 11,
    ("dotted", "inner"): 11,
    ("dotted", "inner", "deep"): 11,
    ("dotted", "inner", "deep", 0): 12,
    ("dotted", "inner", "deep", 1): 12,
    ("dotted", "inner", "deep", 1, 0): 12,
    ("dotted", "inner", "deep", 1, 1): 13,
    ("dotted", "inner", "deep", 2): 14,
    ("dotted", "inner", "deep", 2, "a"): 14,
    ("dotted", "inner", "deep", 2, "b"): 14,
    ("dotted", "inner", "deep", 2, "b", "c"): 14,
    ("after",): 16,
    ("table",): 18,
    ("table", "x"): 19,
    ("table", "sub"): 20,
    ("table", "sub", "a.b"): 20,
    ("table", "sub", "a.b", "y"): 21,
    ("list",): 23,
    ("list", 0): 23,
    ("list", 0, "name"): 24,
    ("list", 0, "detail"): 25,
    ("list", 0, "detail", "z"): 26,
    ("list", 0, "nested"): 27,
    ("list", 0, "nested", 0): 27,
    ("list", 0, "nested", 0, "n"): 28,
    ("list", 0, "nested", 1): 29,
    ("list", 0, "nested", 1, "n"): 30,
    ("list", 1): 31,
    ("list", 1, "name"): 32,
    ("list", 1, "nested"): 33,
    ("list", 1, "nested", 0): 33,
    ("list", 1, "nested", 0, "n"): 34,
    ("super",): 37,
    ("super", "late"): 35,
    ("super", "late", "a"): 36,
    ("super", "b"): 38,
}


def paths_in(value: Any, path: KeyPath = ()) -> list[KeyPath]:
    """The path of everything in a parsed document."""
    children: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        children = list(value.items())
    elif isinstance(value, list):
        children = list(enumerate(value))
    return [deeper for step, child in children for deeper in ((*path, step), *paths_in(child, (*path, step)))]


def test_every_way_of_writing() -> None:
    assert lines_of(AWKWARD) == EXPECTED
    assert set(paths_in(tomllib.loads(AWKWARD))) == set(EXPECTED)


@pytest.mark.parametrize("file", [SHIPPED_RULES, ROOT / "examples" / "one-party.toml", ROOT / "pyproject.toml"])
def test_every_key_of_a_real_file_has_a_line(file: Any) -> None:
    text = file.read_text(encoding="utf-8")
    assert set(lines_of(text)) == set(paths_in(tomllib.loads(text)))


def test_nothing_is_found_in_an_empty_file() -> None:
    assert lines_of("") == {}
    assert lines_of("# only a comment") == {}


def test_what_is_missing_stands_where_it_belongs() -> None:
    lines = lines_of("\n[table]\nkey = 1\n")
    assert line_of(("table", "key"), lines) == 3
    assert line_of(("table", "absent", "deeper"), lines) == 2
    assert line_of(("absent",), lines) == 1


def test_text_that_is_no_toml_is_refused() -> None:
    with pytest.raises(ValueError, match="no valid TOML at character 0"):
        lines_of("= 1")


NAMES = st.text('ab.# ["', min_size=1, max_size=3)
LEAVES = st.none()
DOCUMENTS = st.dictionaries(
    NAMES,
    st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=12
    ),
    max_size=4,
)
PADDING = st.sampled_from(["", "# [x]\n", "\n", '# """\n\n'])
LEAF_FORMS = st.sampled_from(['"{}"', "'{}'", '"""{}"""', "'''{}'''", '"{}\\" # ]}}"'])


class Writer:
    """Writes a document in forms drawn at random; each leaf holds its own number."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.leaves: dict[str, KeyPath] = {}

    def key(self, name: str) -> str:
        bare = name.isalpha()
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return name if bare and self.draw(st.booleans()) else f'"{escaped}"'

    def leaf(self, path: KeyPath) -> str:
        number = f"leaf{len(self.leaves)}_"
        self.leaves[number] = path
        return str(self.draw(LEAF_FORMS)).format(number)

    def inline(self, value: Any, path: KeyPath) -> str:
        if value is None:
            return self.leaf(path)
        if isinstance(value, list):
            entries = []
            for at, entry in enumerate(value):
                blank = self.draw(PADDING)
                entries.append(("\n" + blank if blank else "") + self.inline(entry, (*path, at)))
            return "[" + ", ".join(entries) + self.draw(st.sampled_from(["", "\n# ]\n"])) + "]"
        pairs = [f"{self.key(name)} = {self.inline(inner, (*path, name))}" for name, inner in value.items()]
        return "{ " + ", ".join(pairs) + " }"

    def table(self, table: dict[str, Any], path: KeyPath, header: tuple[str, ...]) -> str:
        """Pairs first, then the tables that get a header of their own."""
        pairs, tables = [], []
        for name, value in table.items():
            inner, written = (*path, name), (*header, self.key(name))
            if isinstance(value, dict) and self.draw(st.booleans()):
                tables.append((f"[{'.'.join(written)}]", value, inner, written))
            elif (
                isinstance(value, list)
                and value
                and all(isinstance(e, dict) for e in value)
                and self.draw(st.booleans())
            ):
                tables += [(f"[[{' . '.join(written)}]]", e, (*inner, at), written) for at, e in enumerate(value)]
            else:
                pairs.append(f"{self.draw(PADDING)}{written[-1]} = {self.inline(value, inner)} # [x]\n")
        text = "".join(pairs)
        for heading, value, inner, written in tables:
            text += f"{self.draw(PADDING)}{heading}\n" + self.table(value, inner, written)
        return text


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data(), document=DOCUMENTS)
def test_a_leaf_stands_on_the_line_that_is_told(data: st.DataObject, document: dict[str, Any]) -> None:
    writer = Writer(data.draw)
    text = writer.table(document, (), ())
    lines = lines_of(text)
    assert set(lines) == set(paths_in(tomllib.loads(text)))
    written = text.split("\n")
    for number, path in writer.leaves.items():
        assert number in written[lines[path] - 1]
