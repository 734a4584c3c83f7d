"""A score against the year before."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.trends import (
    Trend,
    change_told,
    edition_before,
    meaning_told,
    same_measure,
    trend_told,
    trends_of,
)
from evalsys.registry.models import Region, RulesVersion
from evalsys.rules.model import Rules
from tests.factories import make_county, make_cycle, make_rules
from tests.publication.editions import make_edition, make_line
from tests.scoring.made import make_rules as rules_of_tests

OTHER = "914418000000000002"


def year(session: Session, region: Region, number: int, rules: RulesVersion | None = None) -> Edition:
    days = {"opens_on": date(number, 10, 1), "closes_on": date(number, 11, 30)}
    return make_edition(
        session, make_cycle(session, region=region, state="published", year=number, rules=rules, **days)
    )


def told(session: Session, edition: Edition, *lines: EditionScore) -> dict[str, Trend]:
    return trends_of(session, edition, lines)


def test_a_vendors_same_service_is_compared_weighed_by_recipients(session: Session) -> None:
    county = make_county(session)
    then, now = year(session, county, 2024), year(session, county, 2025)
    make_line(session, then, "A-1", 70, recipients_served=300)
    make_line(session, then, "A-2", 90, recipients_served=100)
    make_line(session, then, "A-3", 10, service_type="screening")
    make_line(session, then, "A-4", 10, vendor_credit_code=OTHER)
    make_line(session, then, "A-5", None)
    lines = [make_line(session, now, "B-1", 86, recipients_served=90), make_line(session, now, "B-2", 82, arm=3)]
    lines.append(make_line(session, now, "B-3", None))
    found = told(session, now, *lines)
    assert set(found) == {"B-1", "B-2"}
    assert found["B-1"] == found["B-2"]
    trend = found["B-1"]
    assert (trend.edition.id, trend.same_contract, trend.level) == (then.id, False, 0.95)
    assert (trend.contracts, trend.after) == (2, pytest.approx(0.6 * 86 + 0.4 * 82))
    assert (trend.before, trend.points) == (pytest.approx(75), pytest.approx(0.6 * 86 + 0.4 * 82 - 75))
    down = ((0.6 * 2) ** 2 + (0.4 * 3) ** 2 + (0.75 * 2) ** 2 + (0.25 * 2) ** 2) ** 0.5
    assert (trend.points - trend.low, trend.high - trend.points) == (pytest.approx(down), pytest.approx(down))
    assert trend.real


def test_a_contract_that_ran_then_is_compared_with_itself(session: Session) -> None:
    county = make_county(session)
    then, now = year(session, county, 2024), year(session, county, 2025)
    make_line(session, then, "A-1", 80)
    make_line(session, then, "A-2", 60)
    trend = told(session, now, make_line(session, now, "A-1", 81))["A-1"]
    assert (trend.same_contract, trend.before, trend.real) == (True, 80, False)


def test_a_contract_that_another_vendor_took_over_is_not_its_own_past(session: Session) -> None:
    county = make_county(session)
    then, now = year(session, county, 2024), year(session, county, 2025)
    make_line(session, then, "A-1", 80)
    assert told(session, now, make_line(session, now, "A-1", 81, vendor_credit_code=OTHER)) == {}


def test_what_had_no_score_then_has_no_trend(session: Session) -> None:
    county = make_county(session)
    then, now = year(session, county, 2024), year(session, county, 2025)
    make_line(session, then, "A-1", None)
    assert told(session, now, make_line(session, now, "A-1", 81)) == {}
    assert told(session, now) == {}


def test_the_year_before_is_the_same_regions_as_it_holds_now(session: Session) -> None:
    county = make_county(session)
    now = year(session, county, 2025)
    assert edition_before(session, now) is None
    year(session, county, 2023)
    year(session, make_county(session), 2024)
    assert edition_before(session, now) is None
    assert told(session, now, make_line(session, now, "A-1", 81)) == {}
    then = year(session, county, 2024)
    corrected = make_edition(session, then.cycle)
    assert edition_before(session, now) == corrected


def test_after_a_change_of_the_rules_nothing_is_called_real(session: Session) -> None:
    county = make_county(session)
    data = make_rules(session).text.replace("answered_share = 0.5", "answered_share = 0.6").encode()
    then = year(session, county, 2024, make_rules(session, data))
    now = year(session, county, 2025)
    make_line(session, then, "A-1", 60)
    trend = told(session, now, make_line(session, now, "A-1", 81))["A-1"]
    assert (trend.points, trend.real) == (21, None)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "other"},
        {"grades": ()},
        {"peer_groups": ()},
        {"criteria": lambda rules: [rules.criteria[0].model_copy(update={"help": None}), *rules.criteria[1:]]},
    ],
)
def test_words_and_comparisons_do_not_change_what_is_measured(changes: dict[str, Any]) -> None:
    assert same_measure(*changed(changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"criteria": lambda rules: rules.criteria[1:]},
        {"weights": lambda rules: rules.weights[::-1]},
        {"scales": lambda rules: (*rules.scales, *rules.scales[:1])},
        {"aggregation": "geometric"},
        {"answered_share": 0.9},
        {"vendor_weight": "equal"},
        {"weighting": "on"},
        {"adjustment": "on"},
        {"severity": "on"},
    ],
)
def test_questions_weights_and_steps_do(changes: dict[str, Any]) -> None:
    assert not same_measure(*changed(changes))


def changed(changes: dict[str, Any]) -> tuple[Rules, Rules]:
    rules = rules_of_tests().model_copy(update={"weighting": None, "adjustment": None, "severity": None})
    new = {name: value(rules) if callable(value) else value for name, value in changes.items()}
    return rules, rules.model_copy(update=new)


@pytest.fixture
def trend(session: Session) -> Trend:
    then = year(session, make_county(session), 2024)
    return Trend(then, True, 1, 80.0, 83.2, 3.2, 0.4, 6.0, 0.95, real=True)


def test_a_trend_is_told_in_words(app: Flask, trend: Trend) -> None:
    def like(**values: Any) -> Trend:
        return Trend(**(vars(trend) | values))

    assert (change_told(trend), meaning_told(trend)) == ("提高 3.20 分", "真实变化")
    assert (change_told(like(points=-1.0)), meaning_told(like(real=False))) == ("下降 1.00 分", "误差范围内")
    assert (change_told(like(points=-0.004)), meaning_told(like(real=None))) == ("持平", "规则已改")
    assert trend_told(trend) == [
        f"本项目在“{trend.edition.cycle.title}”第 1 版中得 80.00 分。",
        "今年 83.20 分，提高 3.20 分（95% 置信区间 +0.40 至 +6.00）。",
        "属真实变化，不是偶然所能解释。",
    ]
    assert "同类服务" in trend_told(like(same_contract=False))[0]
    assert "误差范围内" in trend_told(like(real=False))[2]
    assert "规则已改" in trend_told(like(real=None))[2]
