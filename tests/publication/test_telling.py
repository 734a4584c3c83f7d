"""What pages say of a contract and of a vendor's years."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask

from evalsys.base import language
from evalsys.base.listing import Wanted
from evalsys.config import SHIPPED_RULES
from evalsys.evaluation.models import Run
from evalsys.evaluation.naming import Names
from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.queries import Published
from evalsys.publication.telling import contract_told
from evalsys.publication.vendor_scores import vendor_history
from evalsys.registry.models import RulesVersion
from evalsys.rules.loading import load


@pytest.fixture(autouse=True)
def chinese() -> Iterator[None]:
    """Words without a whole application and its database."""
    app = Flask("words")
    language.install(app)
    with app.test_request_context():
        yield


def published(number: int, *lines: EditionScore) -> list[Published]:
    rules = RulesVersion(hash="0" * 64, text=SHIPPED_RULES.read_text("utf-8"))
    edition = Edition(id=number, run=Run(rules=rules))
    return [Published(edition, line) for line in lines]


def line_of(title: str, score: float | None, served: int = 40) -> EditionScore:
    return EditionScore(
        contract_title=title,
        contract_reference={"甲": "1", "乙": "2", "丙": "3"}.get(title, title),
        vendor_name="甲中心",
        vendor_credit_code="1",
        purchaser_name="乙县民政局",
        service_type="care",
        recipients_served=served,
        amount_fen=1,
        status="rated" if score else "withheld",
        score=score,
        low=score,
        high=score,
        grade="good" if score else None,
    )


@pytest.mark.parametrize(
    ("sort", "titles"),
    [("", "甲乙丙"), ("-score", "乙甲丙"), ("score", "甲乙丙"), ("-served", "乙甲丙"), ("nonsense", "甲乙丙")],
)
def test_a_year_is_ordered_as_wanted_and_the_unscored_come_last(sort: str, titles: str) -> None:
    lines = line_of("乙", 85.0, 60), line_of("丙", None, 0), line_of("甲", 81.0, 50)
    (year,) = vendor_history(published(1, *lines), Wanted(sort=sort)).years
    assert "".join(line.contract_title for line in year.page.rows) == titles


def test_a_record_of_many_years_is_told_year_by_year() -> None:
    items = [
        *published(2, line_of("一", 81.0), line_of("二", 85.0), line_of("三", None)),
        *published(1, line_of("四", 70.0, 0)),
    ]
    history = vendor_history(items, Wanted())
    assert (history.contracts, history.purchasers, len(history.years)) == (4, ["乙县民政局"], 2)
    newest, oldest = (" ".join(year.told) for year in history.years)
    for told in (
        "参评项目 3 个",
        "照料护理；购买主体：乙县民政局",
        "共 120 人次",
        "良 2 个、暂不评级 1 个",
        "81.00 分至 85.00 分",
    ):
        assert told in newest, (told, newest)
    assert "人次" not in oldest
    assert "之间" not in oldest


@pytest.mark.parametrize(("served", "told"), [(435, "服务对象 435 人，合同金额 ¥0.01。"), (0, "合同金额 ¥0.01。")])
def test_a_contract_is_told_by_what_it_did_and_for_whom(served: int, told: str) -> None:
    line = line_of("一", 81.0, served)
    line.region_name, line.starts_on, line.ends_on = "乙县", date(2025, 1, 1), date(2025, 12, 31)
    first, second = contract_told(line, Names(load(SHIPPED_RULES)))
    assert first == "甲中心受乙县民政局委托，于2025年1月1日至2025年12月31日在乙县提供“照料护理”服务。"
    assert second == told
