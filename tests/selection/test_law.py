"""What each way of choosing allows, and how a breach is said."""

from __future__ import annotations

from decimal import Decimal

import pytest
from flask import Flask

from evalsys import config
from evalsys.base.errors import Invalid
from evalsys.rules.loading import load
from evalsys.selection.law import Weights, against_reference, broken_by, require_lawful, use_of

RULES = load(config.SHIPPED_RULES)


def weights(technical: str, price: str, past: str) -> Weights:
    return Weights(Decimal(technical), Decimal(price), Decimal(past))


@pytest.mark.parametrize(
    ("use", "given", "said"),
    [
        ("open_tender", ("70", "30", "0"), []),
        ("open_tender", ("90", "10", "0"), []),
        ("open_tender", ("90.01", "9.99", "0"), ["价格分应占 10% 至 30%，现为 9.99%"]),
        ("open_tender", ("69.9", "30.1", "0"), ["价格分应占 10% 至 30%"]),
        ("open_tender", ("60", "30", "10"), ["以往评价结果权重为 0"]),
        ("invited_tender", ("60", "20", "20"), ["以往评价结果权重为 0"]),
        ("competitive_consultation", ("40", "40", "20"), ["以往评价结果权重为 0", "价格分应占"]),
        ("competitive_negotiation", ("0", "100", "0"), []),
        ("competitive_negotiation", ("10", "90", "0"), ["价格分应占"]),
        ("renewal", ("0", "0", "100"), []),
        ("direct", ("33.3", "33.3", "33.4"), []),
        ("renewal", ("50", "30", "10"), ["三项比重合计 90%，应为 100%"]),
        ("open_tender", ("90", "5", "10"), ["三项比重合计 105%", "以往评价结果权重为 0", "价格分应占"]),
    ],
)
def test_every_breach_is_said(app: Flask, use: str, given: tuple[str, str, str], said: list[str]) -> None:
    named = 100 if against_reference(use_of(RULES, use)) else None
    found = broken_by(weights(*given), use_of(RULES, use), reference_fen=named)
    assert len(found) == len(said)
    for sentence, part in zip(found, said, strict=True):
        assert part in sentence


def test_a_breach_of_the_law_names_the_law(app: Flask) -> None:
    with pytest.raises(Invalid) as caught:
        require_lawful(weights("60", "30", "10"), use_of(RULES, "open_tender"), reference_fen=None)
    assert "政府采购法实施条例第二十条" in caught.value.details[0]
    assert caught.value.remedy
    require_lawful(weights("60", "30", "10"), use_of(RULES, "renewal"), reference_fen=100)


def test_a_reference_price_belongs_where_the_law_leaves_the_price_free(app: Flask) -> None:
    (missing,) = broken_by(weights("60", "30", "10"), use_of(RULES, "renewal"), reference_fen=None)
    assert "续签合同：价格按参考价计分" in missing
    assert broken_by(weights("60", "0", "40"), use_of(RULES, "renewal"), reference_fen=None) == []
    (barred,) = broken_by(weights("70", "30", "0"), use_of(RULES, "open_tender"), reference_fen=100)
    assert "最低报价" in barred
    assert "87号令" in barred


def test_an_unknown_way_is_refused(app: Flask) -> None:
    with pytest.raises(Invalid, match="lottery"):
        use_of(RULES, "lottery")
