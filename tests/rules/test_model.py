"""Questions that others put to the rules."""

from __future__ import annotations

import pytest

from evalsys.rules.loading import loads
from evalsys.rules.model import LevelScale, Rules
from evalsys.rules.values import Text


@pytest.fixture
def rules(small: str) -> Rules:
    return loads(small.encode(), "small.toml")


def test_text_is_chinese_for_every_chinese_locale() -> None:
    words = Text(zh="优", en="Excellent")
    assert [words.in_language(tag) for tag in ("zh", "zh_CN", "zh-Hans", "en", "fr")] == [
        "优",
        "优",
        "优",
        *["Excellent"] * 2,
    ]


def test_parts_are_found_by_code(rules: Rules) -> None:
    assert rules.criterion("proxy").text.en == "Yourself?"
    assert rules.party("buyer").minimum == 1
    assert rules.dimension("management").name.zh == "管理"
    scale = rules.scale_of(rules.criterion("help_care"))
    assert isinstance(scale, LevelScale)
    assert len(scale.levels) == 3


def test_unknown_codes_are_key_errors(rules: Rules) -> None:
    for find in (rules.criterion, rules.party, rules.dimension):
        with pytest.raises(KeyError, match="nobody"):
            find("nobody")


def test_criteria_of_a_party_depend_on_the_service_type(rules: Rules) -> None:
    def codes(party: str, service_type: str | None = None) -> list[str]:
        return [c.code for c in rules.criteria_for(party, service_type)]

    assert codes("recipient") == ["help_care", "help_training", "proxy"]
    assert codes("recipient", "care") == ["help_care", "proxy"]
    assert codes("buyer", "care") == ["buyer_result", "buyer_staff"]
    assert codes("nobody") == []


def test_weight_is_the_product_of_shares(rules: Rules) -> None:
    assert rules.weight("outcomes", "recipient") == pytest.approx(0.45)
    assert rules.weight("management", "buyer") == pytest.approx(0.4)
    assert rules.weight("management", "recipient") == 0
    assert rules.weight("nothing", "buyer") == 0


def test_weights_of_written_thirds_sum_to_one(small: str) -> None:
    rounded = small.replace("buyer = 0.25, recipient = 0.75", "buyer = 0.3333333, recipient = 0.6666666").replace(
        "share = 0.6", "share = 0.6000005"
    )
    rules = loads(rounded.encode(), "small.toml")
    total = sum(rules.weight(d.code, p.code) for d in rules.dimensions for p in rules.parties)
    assert total == pytest.approx(1, abs=1e-12)


def test_peer_group_of_a_service_type(rules: Rules, small: str) -> None:
    assert rules.peer_group_of("care") == "personal"
    assert rules.peer_group_of("training") == "all"
    assert rules.peer_group_of(None) == "all"
    assert rules.model_copy(update={"peer_groups": ()}).peer_group_of("care") == ""
