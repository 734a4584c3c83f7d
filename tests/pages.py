"""A browser for tests that reads every page with strict eyes.

Checked on each HTML answer: it parses as HTML without an error, has one h1, a title that starts with it, unique ids, a
label on every control, `aria-describedby` and `for` that lead somewhere, and nothing inline.
"""

from __future__ import annotations

import contextvars
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from flask.testing import FlaskClient
from werkzeug.test import TestResponse


class CheckedClient(FlaskClient):
    """Flask's test client; `open` checks what comes back."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        # An empty context: else a test's own application context, and with it `flask.g`, would outlive the request.
        response = contextvars.Context().run(super().open, *args, **kwargs)
        if response.mimetype == "text/html" and response.data and not 300 <= response.status_code < 400:
            check_page(response.text)
        return response


def parse(html: str) -> Element:
    """The page as a tree; AssertionError names the first parse errors."""
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    root: Element = parser.parse(html)
    assert not parser.errors, [
        (position, code, html.splitlines()[position[0] - 1][:160]) for position, code, _ in parser.errors[:3]
    ]
    return root


def words(element: Element) -> str:
    """All text inside an element, blanks folded."""
    return " ".join("".join(element.itertext()).split())


def check_page(html: str) -> None:
    """Raises AssertionError with what is wrong with the page."""
    root = parse(html)
    headings = root.findall(".//h1")
    assert len(headings) == 1, f"{len(headings)} h1"
    title = root.find(".//title")
    assert title is not None, "no title"
    assert words(headings[0]), "an empty h1"
    assert words(title).startswith(words(headings[0])), (words(title), words(headings[0]))
    every = list(root.iter())
    ids = [e.attrib["id"] for e in every if "id" in e.attrib]
    assert len(ids) == len(set(ids)), f"ids twice: {sorted({i for i in ids if ids.count(i) > 1})}"
    labelled = {e.attrib.get("for") for e in root.iter("label")}
    wrapped = {id(c) for label in root.iter("label") for c in label.iter()}
    for e in every:
        for name in ("aria-describedby", "aria-labelledby", "for"):
            for target in e.attrib.get(name, "").split():
                assert target in ids, f"{name} leads nowhere: {target}"
        assert "style" not in e.attrib, f"inline style on {e.tag}"
        assert not any(str(name).startswith("on") for name in e.attrib), f"inline handler on {e.tag}"
        if e.tag in {"input", "select", "textarea"} and e.attrib.get("type") not in {"hidden", "submit"}:
            named = e.attrib.get("id") in labelled or id(e) in wrapped or "aria-label" in e.attrib
            assert named or "aria-labelledby" in e.attrib, f"no label: {e.attrib}"
        if e.tag == "script":
            assert "src" in e.attrib, "inline script"
    assert not list(root.iter("style")), "inline style sheet"
