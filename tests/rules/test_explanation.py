"""The tables of `rules show`: what they say, in both languages, and that they line up."""

from __future__ import annotations

import pytest

from evalsys.config import ROOT, SHIPPED_RULES
from evalsys.rules.explanation import explained, shares_of_score
from evalsys.rules.loading import load, loads
from evalsys.rules.model import Rules
from evalsys.rules.text_table import table, width


@pytest.fixture(scope="module")
def shipped() -> Rules:
    return load(SHIPPED_RULES)


@pytest.mark.parametrize(
    ("words", "columns"), [("", 0), ("abc", 3), ("评分", 4), ("89.5分", 6), ("（一）", 6), ("e\u0301", 1), ("“优”", 4)]
)
def test_width_is_that_of_a_terminal(words: str, columns: int) -> None:
    assert width(words) == columns


def test_columns_line_up_under_double_width_characters() -> None:
    lines = table(("维度", "A", "last"), [("服务成效", "5%", "x"), ("b", "12.5%", "a long one")], right=frozenset({1}))
    assert lines == [
        "维度          A  last",
        "--------  -----  ----",
        "服务成效     5%  x",
        "b         12.5%  a long one",
    ]


def test_table_without_rows_keeps_its_header() -> None:
    assert table(("a", "b"), []) == ["a  b", "-  -"]


def section(text: str, heading: str) -> list[str]:
    return text.split(f"## {heading}\n\n", 1)[1].split("\n\n## ", 1)[0].rstrip("\n").split("\n")


def test_weights_are_told_in_percent_of_the_score(shipped: Rules) -> None:
    assert section(explained(shipped, "zh"), "权重（占总分的百分比）") == [
        "维度      购买主体  服务对象  第三方评价机构  合计",
        "--------  --------  --------  --------------  ----",
        "服务成效       10%       25%             15%   50%",
        "项目管理       12%        3%             15%   30%",
        "社会影响        4%        8%              8%   20%",
        "合计           26%       36%             38%  100%",
        "",
        "总分是加权平均。",
    ]


def test_criteria_of_each_service_type_share_out_the_whole_score(shipped: Rules) -> None:
    for service_type in shipped.service_types:
        total = 0.0
        for row in shipped.weights:
            for party in row.parties:
                asked = [c for c in shipped.criteria_for(party, service_type.code) if c.dimension == row.dimension]
                weights = sum(c.weight for c in asked)
                for criterion in asked:
                    share = shipped.weight(row.dimension, party) * criterion.weight / weights
                    least, greatest = shares_of_score(shipped, criterion) or (1.0, 0.0)
                    assert least <= share <= greatest
                    total += share
        assert total == pytest.approx(1)


def test_share_of_a_criterion_is_a_range_where_service_types_differ(shipped: Rules) -> None:
    assert shares_of_score(shipped, shipped.criterion("recipient_satisfied")) == pytest.approx((0.25 / 3, 0.1))
    assert shares_of_score(shipped, shipped.criterion("third_privacy")) == pytest.approx((0.025, 0.025))
    assert shares_of_score(shipped, shipped.criterion("recipient_proxy")) is None


def test_share_needs_no_service_types() -> None:
    rules = load(ROOT / "examples" / "one-party.toml")
    assert shares_of_score(rules, rules.criterion("overall")) == (1, 1)


def test_criteria_tell_who_answers_how_and_for_what(shipped: Rules) -> None:
    lines = section(explained(shipped, "zh"), "评价指标")
    by_code = {cells[4]: line for line in lines if len(cells := line.split()) > 5}
    assert by_code["recipient_clear"].startswith("    4.167%  服务成效  必答            frequency     recipient_clear")
    assert by_code["recipient_clear"].endswith("？（仅：对象排查、入户调查、业务培训、政策宣传、绩效评价）")
    assert "8.333%~10%" in by_code["recipient_satisfied"]
    assert "由台账算出" in by_code["purchaser_staff_share"]
    assert "必答，可不适用" in by_code["purchaser_correction"]
    assert by_code["recipient_proxy"].split()[:3] == ["-", "不计分", "选答"]
    english = explained(shipped, "en")
    assert "(only: Screening, Home-visit survey, Policy publicity)" in english
    assert "required, may not apply" in english


def test_each_kind_of_scale_tells_its_points(small: str) -> None:
    rules = loads(small.encode(), "small.toml")
    assert section(explained(rules, "en"), "Scales") == [
        "Scale  Points",
        "-----  ------",
        "good   Poor 0, Fair 50, Good 100",
        "yes    no 0, yes 100",
        "table  days: ≥ 1: 20, ≥ 5: 60",
        "posts  share: 0.5 → 0, 1 → 100",
    ]
    assert "yes    否 0, 是 100" in explained(rules, "zh")


def test_each_level_that_is_explained_is_told(small: str) -> None:
    assert "What each level means" not in explained(loads(small.encode(), ""), "en")
    anchored = small.replace(
        'scale = "yes"\nweight',
        'scale = "yes"\nanchors = [{ zh = "没有", en = "not at all" }, { zh = "全部", en = "fully" }]\nweight',
    ).replace(
        'scale = "good"\nservice_types = ["care"]',
        'scale = "good"\nservice_types = ["care"]\nanchors = ['
        '{ zh = "一", en = "one" }, { zh = "二", en = "two" }, { zh = "三", en = "three" }]',
    )
    assert section(explained(loads(anchored.encode(), ""), "en"), "What each level means")[2:] == [
        "buyer_result  no     not at all",
        "buyer_result  yes    fully",
        "help_care     Poor   one",
        "help_care     Fair   two",
        "help_care     Good   three",
    ]


def test_what_a_party_needs_to_submit_is_told(small: str) -> None:
    asked = small.replace("minimum = 1\n", "minimum = 1\nacceptance = true\ncosign = true\n")
    assert section(explained(loads(asked.encode(), ""), "en"), "Parties")[2:] == [
        "Buyer             1  buyer      acceptance evidence, co-signature",
        "Recipient         5  recipient  -",
    ]


def test_scale_of_adjusters_alone_earns_nothing(shipped: Rules) -> None:
    assert "who_answered  不计分" in section(explained(shipped, "zh"), "量表")


def test_grades_status_groups_and_selection(shipped: Rules) -> None:
    text = explained(shipped, "zh")
    assert section(text, "等级")[2:] == ["优    [90, 100]", "良    [80, 90)", "中    [60, 80)", "差    [0, 60)"]
    assert section(text, "评级条件") == [
        "误差范围不超过 ±10 分：正式评级",
        "误差范围不超过 ±20 分：暂定；更大：暂不评级",
        "缺一方评价：暂不评级",
        "任一维度低于 40 分：等级最高为“中”",
        "误差范围的把握程度：95%",
    ]
    assert section(text, "比较组")[2] == "全部项目    -         其余全部"
    uses = section(text, "下一年度选择承接主体")
    assert uses[0] == "往年评价：看最近 3 年，每早一年乘以 0.7。"
    assert uses[4].startswith("公开招标                          只并列参考    10%~30%  政府采购法实施条例")
    assert uses[7].startswith("竞争性谈判                        只并列参考    100%     政府采购法")
    assert uses[9].startswith("续签合同                          由方案定权重  不限     102号令")


def test_rules_without_gate_groups_and_uses_say_nothing_of_them() -> None:
    text = explained(load(ROOT / "examples" / "one-party.toml"), "en")
    assert section(text, "When a score is rated") == ["a party is missing: not rated", "level of the interval: 95%"]
    assert "Peer groups" not in text
    assert "Choosing" not in text
    assert section(text, "Steps of the method")[-1].endswith("a person decides, with the ground in writing.")
    assert text.rstrip().endswith("Grades that ask for rectification: none; within 60 days.")


def test_other_choices_are_told(small: str) -> None:
    changed = (
        small.replace("answered_share = 0.5", 'answered_share = 0.5\naggregation = "geometric"')
        .replace("rated_half_width = 10", 'rated_half_width = 10\nmissing_party = "reproportion"')
        .replace('service_types = ["care"]\nparent = "all"', 'parent = "all"')
    )
    text = explained(loads(changed.encode(), ""), "en")
    assert "The score is the weighted geometric mean." in text
    assert "a party is missing: the others share its weight, and it is said" in text
    assert section(text, "Peer groups")[2:] == ["All         -       all others", "Personal    All     -"]
