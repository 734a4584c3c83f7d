"""Contracts and vendors beside each other, and why one stands above the next."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.errors import Invalid, NotFound
from evalsys.evaluation.naming import Names
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.comparison import contracts_compared, makeup, steps_in_use, vendors_compared
from evalsys.publication.differences import differences, order_told, why
from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.queries import rules_of_edition
from evalsys.publication.usecases import publish
from evalsys.registry.models import Region
from tests.evaluation.rated import rated_entry
from tests.factories import NOW, actor, make_contract, make_cycle, make_rules, make_vendor
from tests.publication.editions import breakdown_of, make_edition, make_line

TWO = ("914418000000000001", "914418000000000002")
DAY = datetime(2026, 12, 1, tzinfo=UTC)


def publish_some(session: Session, aggregation: str = "arithmetic") -> Edition:
    """Contracts A-0 to A-5, two a vendor, scored by every step; the last lacks its purchaser and has no score."""
    text = make_rules(session).text.replace('aggregation = "arithmetic"', f'aggregation = "{aggregation}"')
    cycle = make_cycle(session, state="review", rules=make_rules(session, text.encode()))
    luck, vendors = random.Random(5), [make_vendor(session) for _ in range(3)]
    for n in range(6):
        region = session.get_one(Region, cycle.region_id)
        contract = make_contract(
            session, region=region, vendor=vendors[n // 2], reference=f"A-{n}", recipients_served=60 + 10 * n
        )
        rated_entry(
            session,
            cycle,
            contract=contract,
            recipients=tuple(luck.randint(1, 5) for _ in range(12)),
            purchaser=None if n == 5 else luck.randint(2, 5),
            third_party=luck.randint(2, 5),
        )
    run_cycle(session, cycle, actor=actor(), now=NOW)
    return publish(session, cycle, actor=actor(), now=NOW)


def vendors_of(session: Session, edition: Edition) -> list[str]:
    codes = select(EditionScore.vendor_credit_code).where(EditionScore.edition_id == edition.id).distinct()
    return sorted(session.scalars(codes))


@pytest.mark.parametrize("aggregation", ["arithmetic", "geometric"])
def test_a_difference_is_split_without_remainder(app: Flask, session: Session, aggregation: str) -> None:
    edition = publish_some(session, aggregation)
    contracts = contracts_compared(session, edition, ["A-0", "A-1", "A-2", "A-3"], now=DAY)
    vendors = vendors_compared(session, edition, vendors_of(session, edition), now=DAY)
    for compared in (contracts, vendors):
        scores = [one.score.score for one in compared if one.score]
        assert scores == sorted(scores, reverse=True)
        found = differences(compared)
        assert len(found) == len(compared) - 1
        for difference, high, low in zip(found, scores, scores[1:], strict=False):
            apart = pytest.approx(high - low, abs=1e-9)
            assert difference.points == apart
            assert sum(difference.cells.values()) + difference.uneven == apart
            assert sum(difference.steps.values()) == apart
            assert sum(map(difference.of, ("outcomes", "management", "impact"))) + difference.uneven == apart
    names = Names(rules_of_edition(edition))
    for difference in differences(contracts):
        told = any(sentence.startswith("其中维度不均衡占") for sentence in why(difference, names))
        assert told is (aggregation == "geometric")


def test_a_vendors_makeup_adds_up_to_its_score(session: Session) -> None:
    edition = publish_some(session)
    for one in vendors_compared(session, edition, vendors_of(session, edition), now=DAY):
        assert one.makeup is not None
        assert one.score is not None
        assert sum(points or 0 for points in one.makeup.cells.values()) == pytest.approx(one.score.score, abs=1e-9)
        assert len(one.rows) == 2


def test_the_answer_is_told_in_words(app: Flask, session: Session) -> None:
    edition = publish_some(session)
    names = Names(rules_of_edition(edition))
    found = differences(contracts_compared(session, edition, ["A-0", "A-1", "A-2", "A-3"], now=DAY))
    for difference in found:
        told = why(difference, names)
        assert told[0] == f"高出 {difference.points:.2f} 分。"
        assert told[-1].startswith("按计算步骤分：原始评分 ")
        assert any("领先之处：" in sentence for sentence in told)
        assert "名次区间" in order_told(difference, names)[0]


def test_one_without_a_score_stands_last_and_is_not_explained(session: Session) -> None:
    compared = contracts_compared(session, publish_some(session), [" A-5 ", "A-4", "A-4", ""], now=DAY)
    assert [one.code for one in compared] == ["A-4", "A-5"]
    assert (compared[1].score, compared[1].makeup) == (None, None)
    assert differences(compared) == []
    assert steps_in_use(compared)[0] == "contribution"
    assert steps_in_use(compared[1:]) == []


@pytest.fixture
def edition(session: Session) -> Edition:
    return make_edition(session, make_cycle(session, state="published", code="2025", title="2025 年度"))


@pytest.mark.parametrize("asked", [[], ["A-1"], ["A-1", "A-1 "], ["A-1", "A-2", "A-3", "A-4", "A-5"]])
def test_two_to_four_are_compared(app: Flask, session: Session, edition: Edition, asked: list[str]) -> None:
    with pytest.raises(Invalid, match="可对比 2 至 4 项"):
        contracts_compared(session, edition, asked, now=DAY)


def test_what_is_not_in_the_edition_is_named_with_where_it_is(app: Flask, session: Session, edition: Edition) -> None:
    make_line(session, edition, "A-1", 80)
    other = make_edition(session, make_cycle(session, state="published", title="2024 年度"))
    make_line(session, other, "A-2", 80)
    with pytest.raises(NotFound, match="“2025 年度”第 1 版中没有 A-2") as raised:
        contracts_compared(session, edition, ["A-1", "A-2"], now=DAY)
    assert "它在“2024 年度”第 1 版中" in raised.value.remedy
    with pytest.raises(NotFound, match="A-9") as raised:
        contracts_compared(session, edition, ["A-9", "A-1"], now=DAY)
    assert "排名" in raised.value.remedy or "评价结果" in raised.value.remedy
    with pytest.raises(NotFound, match=TWO[1]):
        vendors_compared(session, edition, TWO, now=DAY)


Orders = Callable[..., list[str]]


@pytest.fixture
def order(app: Flask, session: Session, edition: Edition) -> Orders:
    """What is said of the order of two contracts, each given by the columns of its line."""

    def told(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
        make_line(session, edition, "A-1", **({"score": 90.0} | first))
        make_line(session, edition, "A-2", **({"score": 80.0, "vendor_credit_code": TWO[1]} | second))
        found = differences(contracts_compared(session, edition, ["A-1", "A-2"], now=DAY))[0]
        return order_told(found, Names(rules_of_edition(edition)))

    return told


def test_sets_that_overlap_make_an_order_that_says_little(order: Orders) -> None:
    told = order({"rank_low": 1, "rank_high": 3}, {"rank_low": 3, "rank_high": 3})
    assert told == ["两者的名次区间有重叠（第 1–3 名与第 3 名）：这两项的先后说明不了什么。"]


def test_sets_that_do_not_overlap_make_it_certain(order: Orders) -> None:
    kept = breakdown_of(90) | {"weight_space": {"next": "A-2", "leads": 0.874}}
    told = order({"rank_low": 1, "rank_high": 2, "breakdown": kept}, {"rank_low": 3, "rank_high": 5})
    assert told == [
        "两者的名次区间不重叠（第 1–2 名与第 3–5 名）：先后次序有 95% 的把握。",
        "权重稍作变动时，87% 的情形下先后不变。",
    ]


def test_without_sets_their_intervals_decide(order: Orders) -> None:
    assert order({"arm": 3}, {"arm": 4}) == ["差值的 95% 置信区间为 +5.00 至 +15.00：差别真实存在。"]


def test_of_different_groups_it_is_said_first(order: Orders) -> None:
    ranks = {"rank_low": 1, "rank_high": 1}
    told = order({"arm": 6, **ranks}, {"arm": 8, "peer_group": "transactional", **ranks})
    assert told[0] == "两者不在同一比较组：服务类别不同，不在一起排名。"
    assert told[1].startswith("差值的 95% 置信区间为 0.00 至 +20.00：可能只是偶然")


def test_equal_scores_differ_in_nothing(app: Flask, session: Session, edition: Edition) -> None:
    for reference in ("A-1", "A-2"):
        make_line(session, edition, reference, 80)
    difference = differences(contracts_compared(session, edition, ["A-2", "A-1"], now=DAY))[0]
    told = why(difference, Names(rules_of_edition(edition)))
    assert told == ["两者得分相同。", "按计算步骤分：原始评分 0.00 分。"]


def test_a_party_that_is_missing_from_one_is_said(app: Flask, session: Session, edition: Edition) -> None:
    without = breakdown_of(80)
    for cell in without["cells"]:
        gone = cell["party"] == "purchaser"
        cell["weight"] = 0.0 if gone else 1 / 6
        cell["contribution"] = None if gone else 80 / 6
    make_line(session, edition, "A-1", 90)
    make_line(session, edition, "A-2", 80, breakdown=without)
    difference = differences(contracts_compared(session, edition, ["A-1", "A-2"], now=DAY))[0]
    assert difference.carried
    told = why(difference, Names(rules_of_edition(edition)))
    assert told[-1].startswith("其中一方缺少某一评价主体")
    assert "领先之处：购买主体对" in told[1]
    assert told[2].startswith("落后之处：")


def test_a_party_missing_from_one_contract_of_a_vendor_counts_where_it_is(session: Session, edition: Edition) -> None:
    without = breakdown_of(80)
    for cell in without["cells"]:
        cell["weight"] = 0.0 if cell["party"] == "purchaser" else 1 / 6
    lines = [make_line(session, edition, "A-1", 80, breakdown=without), make_line(session, edition, "A-2", 90)]
    for order in (lines, lines[::-1]):
        made = makeup(order, rules_of_edition(edition))
        assert made is not None
        assert made.cells["outcomes", "purchaser"] == pytest.approx(5.0)
