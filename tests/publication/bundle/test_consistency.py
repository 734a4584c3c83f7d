"""What an edition shows of those before it, and every way to lose an answer between two."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale

from evalsys.base import language
from evalsys.publication.bundle import layout
from evalsys.publication.bundle.consistency import from_before, since
from evalsys.publication.bundle.verification import verify
from tests.publication.bundle.made import made_files, restated, signed

Files = dict[str, bytes]
BEFORE = "Nothing that the edition before had received was taken out."
OLDER = "Nothing that the older edition had received was taken out."
NAMED = "The newer edition names the older one."


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    app = Flask("evalsys")
    language.install(app)
    with app.app_context(), force_locale("en"):
        yield


@pytest.fixture(scope="module")
def first() -> Files:
    return made_files()


def hash_of(files: Files) -> str:
    return sha256(files[layout.EDITION]).hexdigest()


@pytest.fixture(scope="module")
def second(first: Files) -> Files:
    return made_files(answers=43, earlier=40, number=2, previous=hash_of(first))


def test_a_correction_keeps_what_was_received(second: Files) -> None:
    report = verify(signed(second))
    assert report.holds
    [found] = [one for one in report.findings if one.text == BEFORE]
    assert found.detail == "40 answers then, the same first among 43 now."


def test_a_first_edition_has_nothing_to_show(first: Files) -> None:
    assert from_before(json.loads(first[layout.EDITION])) == []


def test_an_edition_before_which_nothing_was_received() -> None:
    [found] = from_before(json.loads(made_files(earlier=0, number=2, previous="0" * 64)[layout.EDITION]))
    assert found.holds


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda stated: stated.update(size=39), "does not lead"),
        (lambda stated: stated.update(root="00" * 32), "does not lead"),
        (lambda stated: stated["path"].pop(), "does not lead"),
        (lambda stated: stated.update(size=-1), "does not lead"),
        (lambda stated: stated.update(size=99), "does not lead"),
        (lambda stated: stated.update(size="many"), "cannot be read"),
        (lambda stated: stated.update(path=["zz"]), "cannot be read"),
        (lambda stated: stated.update(path=[1]), "cannot be read"),
        (lambda stated: stated.pop("root"), "cannot be read"),
    ],
)
def test_a_proof_that_is_none(second: Files, change: Callable[[dict[str, Any]], object], why: str) -> None:
    edition = json.loads(second[layout.EDITION])
    change(edition["consistency"])
    [found] = from_before(edition)
    assert found.holds is False
    assert why in found.detail


def test_a_correction_without_a_proof(second: Files) -> None:
    edition = json.loads(second[layout.EDITION]) | {"consistency": None}
    assert [one.holds for one in from_before(edition)] == [False]


def test_two_editions_go_on_from_each_other(first: Files, second: Files) -> None:
    assert [one.holds for one in since(second, first)] == [True, True, True]


@pytest.mark.parametrize("changes", [{"number": 1}, {"cycle": {"code": "other"}}, {"cycle": "?"}, {"number": "2"}])
def test_what_is_not_an_earlier_edition_of_the_same_cycle(first: Files, changes: dict[str, Any]) -> None:
    newer = restated(made_files(number=2), lambda edition: edition.update(changes))
    [found] = since(newer, first)
    assert found.holds is False


def test_an_answer_that_is_gone(first: Files) -> None:
    found = {one.text: one for one in since(made_files(answers=38, number=2, previous=hash_of(first)), first)}
    assert (found[OLDER].holds, found[OLDER].detail) == (False, "2 answers are missing.")
    assert found[NAMED].holds


def test_answers_in_another_order(first: Files) -> None:
    shuffled = made_files(number=2, previous="0" * 64)
    shuffled[layout.LEAVES] = b"\n".join(reversed(shuffled[layout.LEAVES].split()))
    found = {one.text: one for one in since(shuffled, first)}
    assert (found[OLDER].holds, "another order" in found[OLDER].detail) == (False, True)
    assert found[NAMED].holds is False


def test_editions_in_between(first: Files) -> None:
    found = {one.text: one for one in since(made_files(answers=50, number=3), first)}
    assert found[OLDER].holds
    assert (found[NAMED].holds, "lie between" in found[NAMED].detail) == (None, True)
