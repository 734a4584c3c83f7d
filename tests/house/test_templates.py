"""Templates hold markup only: no style, no script, no untranslated word, nothing unescaped without a reason."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))

INLINE = re.compile(r"<style|\sstyle\s*=|<script(?![^>]*\ssrc=)|\son[a-z]+\s*=\s*[\"']|javascript:", re.IGNORECASE)
UNESCAPED = re.compile(r"\|\s*safe\b|autoescape\s+false", re.IGNORECASE)
REASON = re.compile(r"\{#.*\w{3,}.*#\}")
LETTERS = re.compile(r"[A-Za-z\u3400-\u9fff]{2,}")
SPOKEN = re.compile(r"""\s(?:title|alt|placeholder|aria-label|aria-description)\s*=\s*(["'])(.*?)\1""", re.DOTALL)
NAMES = {"evalsys", "English", "中文"}  # a language is named in itself


def name(path: Path) -> str:
    return str(path.relative_to(ROOT / "templates"))


def untranslated(text: str) -> list[str]:
    """Words that a reader would see or hear, in one language only."""
    text = re.sub(r"\{%-?\s*trans\b.*?endtrans\s*-?%\}", " ", text, flags=re.DOTALL)
    markup = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", text, flags=re.DOTALL)
    spoken = [match[2] for match in SPOKEN.finditer(markup)]
    shown = re.sub(r"<!--.*?-->|<[^>]*>|&\w+;", " ", markup, flags=re.DOTALL)
    return [word for part in (shown, *spoken) for word in LETTERS.findall(part) if word not in NAMES]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<p class="lead">{{ _("Hello") }} {# a note #}{% if word %}&nbsp;{% endif %}</p>', []),
        ("<p>Hello</p>", ["Hello"]),
        ("<td>评分</td>", ["评分"]),
        ('<input aria-label="Search" name="q">', ["Search"]),
        ("{% trans %}Hello{% endtrans %}", []),
        ('<meta name="viewport" content="width=device-width">', []),
    ],
)
def test_the_search_for_untranslated_words_finds_them(text: str, words: list[str]) -> None:
    assert untranslated(text) == words


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_every_word_is_translated(path: Path) -> None:
    assert untranslated(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "text",
    ["<style>", '<p style="color: red">', "<script>go()</script>", '<a onclick="go()">', '<a href="javascript:go()">'],
)
def test_the_search_for_inline_code_finds_it(text: str) -> None:
    assert INLINE.search(text)


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_no_style_and_no_script_stands_in_a_template(path: Path) -> None:
    """The content security policy allows neither."""
    assert [match[0] for match in INLINE.finditer(path.read_text("utf-8"))] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_tables_that_scroll_can_be_scrolled_by_keyboard_and_have_a_name(path: Path) -> None:
    wraps = re.findall(r'<div class="table-wrap"[^>]*>', path.read_text("utf-8"))
    reachable = re.compile(r'<div class="table-wrap" tabindex="0" role="region" aria-label="[^"]+">')
    assert [wrap for wrap in wraps if not reachable.fullmatch(wrap)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name)
def test_what_is_not_escaped_says_why(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert [line for line in lines if UNESCAPED.search(line) and not REASON.search(line)] == []


def test_code_marks_nothing_as_safe_without_a_reason() -> None:
    """`Markup(...)` in code does what `|safe` does in a template."""
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sorted((ROOT / "evalsys").rglob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"\bMarkup\(", line) and "#" not in line
    ]
    assert bare == []
