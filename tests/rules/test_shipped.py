"""The rules that are shipped: complete, and as the method page says."""

from __future__ import annotations

import re

import pytest

from evalsys.config import ROOT, SHIPPED_RULES
from evalsys.rules.loading import load, loads
from evalsys.rules.model import Rules, Source

STEPS = {
    "weighting",
    "adjustment",
    "severity",
    "shrinkage",
    "rank_sets",
    "sensitivity",
    "reliability",
    "integrity",
}
ONE_PARTY = ROOT / "examples" / "one-party.toml"


@pytest.fixture(scope="module")
def shipped() -> Rules:
    return load(SHIPPED_RULES)


@pytest.mark.parametrize(
    ("party", "fewest", "most"), [("recipient", 6, 8), ("purchaser", 8, 12), ("third_party", 8, 12)]
)
def test_every_service_type_gets_a_bearable_number_of_questions(
    shipped: Rules, party: str, fewest: int, most: int
) -> None:
    for service_type in shipped.service_types:
        asked = [c for c in shipped.criteria_for(party, service_type.code) if c.source is not Source.MEASURED]
        assert fewest <= len(asked) <= most, service_type.code


def test_weights_are_those_of_the_method(shipped: Rules) -> None:
    effective = {
        (row.dimension, party): shipped.weight(row.dimension, party) for row in shipped.weights for party in row.parties
    }
    assert effective == pytest.approx(
        {
            ("outcomes", "purchaser"): 0.10,
            ("outcomes", "recipient"): 0.25,
            ("outcomes", "third_party"): 0.15,
            ("management", "purchaser"): 0.12,
            ("management", "recipient"): 0.03,
            ("management", "third_party"): 0.15,
            ("impact", "purchaser"): 0.04,
            ("impact", "recipient"): 0.08,
            ("impact", "third_party"): 0.08,
        }
    )


def test_every_question_says_what_its_answers_mean(shipped: Rules) -> None:
    assert [c.code for c in shipped.criteria if c.help is None] == []


def test_every_level_that_a_named_rater_gives_is_explained(shipped: Rules) -> None:
    asked = [c for c in shipped.criteria if c.party != "recipient" and c.source is not Source.MEASURED]
    assert [c.code for c in asked if not c.anchors] == []


def test_some_questions_belong_to_some_services_and_one_is_measured(shipped: Rules) -> None:
    assert sum(1 for c in shipped.criteria if c.service_types) >= 2
    measured = [c for c in shipped.criteria if c.source is Source.MEASURED]
    assert [c.required for c in measured] == [False]


def test_grades_gates_and_cap_are_those_of_the_method(shipped: Rules) -> None:
    assert [(g.name.zh, g.start, g.stop) for g in shipped.grades] == [
        ("优", 90, 100),
        ("良", 80, 90),
        ("中", 60, 80),
        ("差", 0, 60),
    ]
    assert (shipped.status.rated_half_width, shipped.status.provisional_half_width) == (10, 20)
    assert shipped.status.missing_party == "withhold"
    assert shipped.cap is not None
    assert (shipped.cap.dimension_below, shipped.cap.grade) == (40, "fair")
    assert shipped.party("recipient").minimum == 5


def test_local_scores_weigh_nothing_where_the_law_bars_them(shipped: Rules) -> None:
    uses = {use.code: use for use in shipped.selection.uses}
    for code in ("open_tender", "invited_tender", "competitive_consultation"):
        assert uses[code].past_performance == "beside"
        assert (uses[code].price_minimum, uses[code].price_maximum) == (0.1, 0.3)
    assert uses["renewal"].past_performance == "free"


def test_every_service_type_has_a_peer_group_of_its_kind(shipped: Rules) -> None:
    assert {t.code: shipped.peer_group_of(t.code) for t in shipped.service_types} == {
        t.code: t.kind for t in shipped.service_types
    }
    assert shipped.peer_group_of(None) == "all"


def test_every_step_is_on_but_the_one_that_needs_an_earlier_year(shipped: Rules) -> None:
    on = {name for name in STEPS if getattr(shipped, name) is not None}
    assert on == STEPS - {"adjustment"}


def test_example_of_an_adjustment_is_one_when_its_marks_are_taken_away() -> None:
    text = SHIPPED_RULES.read_text(encoding="utf-8")
    start = text.index("# [adjustment]")
    example = text[start : text.index("\n\n", start)]
    rules = loads(text.replace(example, re.sub(r"(?m)^# ?", "", example)).encode(), "")
    assert rules.adjustment is not None
    assert [(c.mode, c.criterion) for c in rules.adjustment.coefficients] == [
        ("telephone", None),
        (None, "recipient_proxy"),
    ]


def test_one_party_example_is_the_smallest_case() -> None:
    rules = load(ONE_PARTY)
    assert [(c.code, c.party) for c in rules.criteria] == [("overall", "recipient")]
    assert rules.weight("outcomes", "recipient") == 1
    assert (rules.status.rated_half_width, rules.status.provisional_half_width) == (None, None)
    assert rules.party("recipient").minimum == 5
