"""Ranks under other weights and distributions before publication, and the sentences and charts of both."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.evaluation.distribution import Bin, bins, score_axis, score_rows
from evalsys.evaluation.sensitivity import leaders, next_of, place_of
from tests.evaluation.test_explanation import chinese
from tests.evaluation.test_views import close, officer, people, text_of
from tests.pages import CheckedClient

__all__ = ["chinese", "officer", "people"]

SPACE = {"sd": 0.1, "low": 1, "high": 2, "first": 0.75, "next": "QX-2", "leads": 0.6}


def line(**changes: Any) -> Any:
    given = {"score": 90.0, "rank": 1, "peer_group": "personal", "breakdown": {"weight_space": SPACE}}
    return SimpleNamespace(**given | changes)


def test_scores_are_counted_in_bins_without_gaps() -> None:
    found = bins([100.0, 95.0, 94.999, 81.0])
    assert found == [Bin(80, 85, 1), Bin(85, 90, 0), Bin(90, 95, 1), Bin(95, 100, 2)]
    assert bins([]) == []
    assert [(row.label, row.told, len(row.pieces)) for row in score_rows(found)] == [
        ("95–100", "2", 1),
        ("90–95", "1", 1),
        ("85–90", "0", 0),
        ("80–85", "1", 1),
    ]


@pytest.mark.usefixtures("chinese")
def test_the_axis_of_scores_reaches_to_the_fullest_bin() -> None:
    assert (score_axis([Bin(0, 5, 3), Bin(5, 10, 7)]).low, score_axis([Bin(0, 5, 3), Bin(5, 10, 7)]).high) == (0, 7)


@pytest.mark.usefixtures("chinese")
def test_leaders_are_told_the_likeliest_first_and_the_hopeless_not_at_all() -> None:
    def first(share: float) -> Any:
        return line(breakdown={"weight_space": SPACE | {"first": share}})

    told = leaders([(first(0.3), "甲"), (first(0.7), "乙"), (first(0.001), "丙"), (line(breakdown={}), "丁")])
    assert told == "在所抽取的权重下居本组第一的项目：“乙”占 70%、“甲”占 30%。"
    assert leaders([]) == ""


def test_a_place_names_the_next_one_as_it_is_called() -> None:
    named = {"reference": "QX-1", "title": "一号", "vendor": "某社"}
    place = place_of(line(), **named, titles={"QX-2": "二号"})
    assert place is not None
    assert (place.next, place.leads) == ("二号", 0.6)
    unknown = place_of(line(), **named, titles={})
    assert unknown is not None
    assert unknown.next == "QX-2"
    last = place_of(line(breakdown={"weight_space": SPACE | {"next": None}}), **named, titles={})
    assert last is not None
    assert (last.next, last.leads) == ("", None)


@pytest.mark.parametrize("changes", [{"breakdown": {}}, {"score": None}, {"rank": None}])
def test_what_has_no_place_has_none(changes: dict[str, Any]) -> None:
    assert place_of(line(**changes), reference="QX-1", title="", vendor="", titles={}) is None
    assert next_of(line(breakdown={"weight_space": None})) == ""


@pytest.mark.parametrize("place", ["sensitivity", "distribution"])
def test_the_views_of_a_run_are_for_those_who_review_it(
    officer: CheckedClient,
    people: dict[Role, Account],
    sign_in: Callable[..., CheckedClient],
    write: Callable[..., Any],
    place: str,
) -> None:
    write(close)
    address = f"/evaluation/cycles/2026/{place}"
    assert "尚未计分" in text_of(officer, address, 404)
    officer.post("/evaluation/cycles/2026/run")
    assert f'href="{address}"' in text_of(officer, "/evaluation/cycles/2026")
    for role in (Role.OFFICER, Role.ADMINISTRATOR, Role.AUDITOR):
        assert f'href="{address}" aria-current="page"' in text_of(sign_in(people[role]), address)
    text_of(sign_in(people[Role.VENDOR]), address, 403)


def test_a_run_is_drawn_and_tabled(officer: CheckedClient, write: Callable[..., Any]) -> None:
    write(close)
    officer.post("/evaluation/cycles/2026/run")
    address = "/evaluation/cycles/2026/sensitivity"
    page = text_of(officer, address)
    assert f'src="{address}.svg"' in page
    assert "/evaluation/cycles/2026/contracts/" in page
    assert officer.get(f"{address}.svg").mimetype == "image/svg+xml"
    address = "/evaluation/cycles/2026/distribution"
    assert f'src="{address}/answers.svg"' in text_of(officer, address)
    for what in ("scores", "answers"):
        assert officer.get(f"{address}/{what}.svg").mimetype == "image/svg+xml"
