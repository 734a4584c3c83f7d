"""Each fault of naming and of sense: the one fault that a change brings, its key and its line."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from evalsys.rules.loading import RulesFaulty, loads
from tests.rules.conftest import FaultsAfter

START = "format = 1"  # the anchor of a change whose words stand only once
NEW_PARTY = '[[parties]] #!\ncode = "idle"\nname = { zh = "闲", en = "Idle" }\nminimum = 1\n\n[[dimensions]]'
NEW_DIMENSION = '[[dimensions]] #!\ncode = "impact"\nname = { zh = "影响", en = "Impact" }\n\n[[scales]]'
NEW_SERVICE_TYPE = (
    '[[service_types]]\ncode = "care" #!\nname = { zh = "护理", en = "Care" }\nkind = "personal"\n\n[[criteria]]'
)
NEW_CRITERION = (
    '[[criteria]]\ncode = "on_time"\nparty = "recipient"\ndimension = "management" #!\nscale = "good"\n'
    'text = { zh = "准时吗", en = "On time?" }\n\n[[weights]]'
)


class Case(NamedTuple):
    """The first `old` behind the anchor becomes `new`; then the fault has this key and these words."""

    anchor: str
    old: str
    new: str
    key: str
    wrong: str
    write: str


FAULTS = [
    # a code given twice
    (START, "[[criteria]]", NEW_SERVICE_TYPE, "service_types[2].code", '"care" is there already', "another code"),
    (START, 'code = "help_training"', 'code = "help_care" #!', "criteria[3].code", "is there already", "another code"),
    (START, 'code = "renewal"', 'code = "open_tender" #!', "selection.uses[1].code", "is there already", "delete"),
    ("help_training", '["training"]', '["training", "training"] #!', "criteria[3].service_types[1]", "named twice", ""),
    # a name of nothing
    ("help_care", '"recipient"', '"reciepient" #!', "criteria[2].party", 'no party "reciep', 'mean "recipient"? write'),
    ("help_care", '"good"', '"goood" #!', "criteria[2].scale", 'no scale "goood"', 'did you mean "good"?'),
    (
        "help_training",
        '["training"]',
        '["training", "zz"] #!',
        "criteria[3].service_types[1]",
        "no service type",
        "care, tr",
    ),
    (
        "[[weights]]",
        "recipient = 0.75",
        "recip = 0.25, recipient = 0.5",
        "weights[0].parties.recip",
        'no party "recip"',
        "",
    ),
    ("[[peer_groups]]", '"care"', '"car"', "peer_groups[1].service_types[0]", 'no service type "car"', '"care"?'),
    ("[[peer_groups]]", 'parent = "all"', 'parent = "al" #!', "peer_groups[1].parent", 'no peer group "al"', '"all"?'),
    ("[cap]", 'grade = "fair"', 'grade = "fare" #!', "cap.grade", 'no grade "fare"', 'did you mean "fair"?'),
    # criteria
    ('"proxy"', 'scale = "yes"', 'scale = "yes"\nweight = 2 #!', "criteria[4].weight", "never scored", "delete"),
    (
        '"proxy"',
        'scale = "yes"',
        'scale = "yes"\ndimension = "outcomes" #!',
        "criteria[4].dimension",
        "never scored",
        "",
    ),
    (
        '"proxy"',
        'scale = "yes"',
        'scale = "posts" #!',
        "criteria[4].scale",
        "cannot use a goalposts",
        "levels or yes_no",
    ),
    ('"buyer_staff"', '"posts"', '"yes" #!', "criteria[1].scale", "measured criterion cannot use a yes_no", "bands or"),
    ("help_care", '"good"', '"table" #!', "criteria[2].scale", "cannot use a bands", 'source = "measured"'),
    (
        "help_care",
        'scale = "good"',
        'scale = "good"\nanchors = [{ zh = "一", en = "one" }] #!',
        "criteria[2].anchors",
        'scale "good" has 3',
        "explain each level",
    ),
    (
        "buyer_result",
        'scale = "yes"',
        'scale = "yes"\nanchors = [{ zh = "一", en = "one" }] #!',
        "criteria[0].anchors",
        '"yes" has 2',
        "or delete",
    ),
    (
        "buyer_staff",
        'scale = "posts"',
        'scale = "posts"\nanchors = [{ zh = "一", en = "one" }] #!',
        "criteria[1].anchors",
        '"posts" has 0',
        "or delete",
    ),
    # parties
    (START, "minimum = 5", "minimum = 5\ncosign = true #!", "parties[1].cosign", "without a name", "delete"),
    (START, "minimum = 5", "minimum = 5\nacceptance = true #!", "parties[1].acceptance", "attach nothing", "delete"),
    # scales
    (START, "best = 1", "best = 0.5 #!", "scales[3].best", "both 0.5", "write two numbers"),
    (START, "{ at = 5,", "{ at = 1, ", "scales[2].bands[1].at", "1 is not above the 1 before it", "ascending"),
    ('code = "good"', 'zh = "好"', 'zh = "差"', "scales[0].levels[2].zh", '"差" is there already', "own words"),
    ('code = "good"', 'en = "Fair"', 'en = "Poor"', "scales[0].levels[1].en", '"Poor" is there already', "own words"),
    # weights
    ("[[weights]]", "0.75 }", "0.7 } #!", "weights[0].parties", "sum to 0.95", "sum to 1"),
    (START, "[[dimensions]]", NEW_PARTY, "parties[2]", 'party "idle" has no weight', "or delete it"),
    (START, "[[scales]]", NEW_DIMENSION, "dimensions[2]", 'dimension "impact" has no weight', "add a [[weights]]"),
    (
        START,
        "[[weights]]",
        NEW_CRITERION,
        "criteria[5].dimension",
        '"recipient" has no weight on "management"',
        "give it",
    ),
    (
        "[[weights]]",
        "{ buyer = 1 }",
        "{ buyer = 0.5, recipient = 0.5 } #!",
        "weights[1].parties.recipient",
        "no required",
        "",
    ),
    # grades
    ('code = "fair"', "to = 80", "to = 85 #!", "grades[1].to", "overlaps the grade above (85, 80)", "write to = 80"),
    ('code = "fair"', "to = 80", "to = 75 #!", "grades[1].to", "leaves a gap", "or change from of grades[0]"),
    (START, "to = 100", "to = 99 #!", "grades[0].to", "they end at 99", "write to = 100"),
    (START, "from = 0", "from = 1 #!", "grades[2].from", "they end at 1", "write from = 0"),
    # the gate, the peer groups, the price
    ("[status]", "= 20", "= 9 #!", "status.provisional_half_width", "below rated_half_width, 10", "larger"),
    (
        "[status]",
        "rated_half_width = 10\n",
        "",
        "status.provisional_half_width",
        "there is no rated_half_width",
        "add it",
    ),
    (
        "[[peer_groups]]",
        'en = "All" }',
        'en = "All" }\nparent = "all" #!',
        "peer_groups[0].parent",
        "all → all",
        "delete",
    ),
    ("[[selection", "= 0.3", "= 0.05 #!", "selection.uses[0].price_maximum", "below price_minimum, 0.1", "upper bound"),
]


@pytest.mark.parametrize("case", [Case(*row) for row in FAULTS], ids=lambda case: case.key)
def test_one_change_brings_one_fault(faults_after: FaultsAfter, case: Case) -> None:
    faults, line = faults_after((case.anchor, case.old, case.new))
    assert [(fault.key, fault.line) for fault in faults] == [(case.key, line)], [str(fault) for fault in faults]
    assert case.wrong in faults[0].wrong.en
    assert case.write in faults[0].write.en


def test_misspelt_scale_says_nothing_of_the_anchors(faults_after: FaultsAfter) -> None:
    faults, line = faults_after(
        ("help_care", 'scale = "good"', 'scale = "goood" #!\nanchors = [{ zh = "一", en = "one" }]')
    )
    assert [(fault.key, fault.line) for fault in faults] == [("criteria[2].scale", line)]


def test_scored_criterion_needs_a_dimension(faults_after: FaultsAfter) -> None:
    faults, line = faults_after(
        ("help_training", "[[weights]]", NEW_CRITERION.replace("[[criteria]]", "[[criteria]] #!")),
        ("on_time", 'dimension = "management" #!\n', ""),
    )
    assert [(fault.key, fault.line) for fault in faults] == [("criteria[5].dimension", line)]
    assert "one of outcomes, management" in faults[0].write.en


def test_sum_over_dimensions_is_told_at_the_first_row(faults_after: FaultsAfter) -> None:
    faults, line = faults_after((START, "[[weights]]", "[[weights]] #!"), ("[[weights]]", "0.6", "0.7"))
    assert [(fault.key, fault.line) for fault in faults] == [("weights", line)]
    assert faults[0].wrong.en == "the dimensions' shares sum to 1.1"


def test_dimension_without_parties_sums_to_nothing(faults_after: FaultsAfter) -> None:
    faults, line = faults_after(("[[weights]]", "{ buyer = 1 }", "{}"))
    assert [fault.key for fault in faults] == ["criteria[1].dimension", "weights[1].parties"]
    assert faults[1].line == line
    assert faults[1].wrong.en == "the parties' shares sum to 0"


@pytest.mark.parametrize(
    ("anchor", "old", "new", "key"),
    [
        ("help_care", '"recipient"', '"recip"', "criteria[2].party"),
        ("help_care", '"outcomes"', '"outcome"', "criteria[2].dimension"),
        ("help_care", '["care"]', '["cares"]', "criteria[2].service_types[0]"),
        ("[[weights]]", "recipient =", "recip =", "weights[0].parties.recip"),
        ("share = 0.6", '"management"', '"manage"', "weights[1].dimension"),
    ],
)
def test_misspelt_name_is_told_without_what_follows_from_it(
    faults_after: FaultsAfter, anchor: str, old: str, new: str, key: str
) -> None:
    faults, line = faults_after((anchor, old, new))
    assert [(fault.key, fault.line) for fault in faults] == [(key, line)]


def test_thirds_of_seven_digits_are_thirds(small: str) -> None:
    assert loads(
        small.replace("buyer = 0.25, recipient = 0.75", "buyer = 0.3333333, recipient = 0.6666666").encode(), ""
    )
    with pytest.raises(RulesFaulty, match=r"sum to 0\.999;"):
        loads(small.replace("buyer = 0.25, recipient = 0.75", "buyer = 0.333, recipient = 0.666").encode(), "")


def test_weight_needs_a_required_criterion_for_every_service_type(faults_after: FaultsAfter) -> None:
    faults, line = faults_after(
        ("help_training", '["training"]', '["care"]'), ("[[weights]]", "recipient = 0.75 }", "recipient = 0.75 } #!")
    )
    assert [(fault.key, fault.line) for fault in faults] == [("weights[0].parties.recipient", line)]
    assert faults[0].wrong.en.endswith("no required scored criterion serves it for training")


def test_optional_criterion_carries_no_weight_alone(faults_after: FaultsAfter) -> None:
    faults, line = faults_after(
        ("buyer_result", "weight = 2", "required = false"), ("[[weights]]", "buyer = 0.25,", "buyer = 0.25, ")
    )
    assert [(fault.key, fault.line) for fault in faults] == [("weights[0].parties.buyer", line)]


def test_grade_upside_down_is_told_beside_what_follows_from_it(faults_after: FaultsAfter) -> None:
    faults, line = faults_after(('code = "fair"', "from = 60\nto = 80", "from = 80 #!\nto = 60"))
    assert (faults[0].key, faults[0].line) == ("grades[1].from", line)
    assert faults[0].wrong.en == "from (80) is not below to (60)"


def test_grades_must_stand_the_best_first(faults_after: FaultsAfter) -> None:
    faults, line = faults_after(
        ('code = "fair"', "from = 60\nto = 80", "from = 0\nto = 60"),
        ('code = "poor"', "from = 0\nto = 60", "from = 60\nto = 80"),
        ("[[grades]]", '[[grades]]\ncode = "fair"', '[[grades]] #!\ncode = "fair"'),
    )
    assert [(fault.key, fault.line) for fault in faults] == [("grades[1]", line)]
    assert faults[0].write.en == "here belongs the one with from = 60"


def test_circle_of_peer_groups_is_told_at_each_of_its_parents(faults_after: FaultsAfter) -> None:
    faults, line = faults_after(("[[peer_groups]]", 'en = "All" }', 'en = "All" }\nparent = "personal" #!'))
    assert [fault.key for fault in faults] == ["peer_groups[0].parent", "peer_groups[1].parent"]
    assert faults[0].line == line
    assert "all → personal → all" in faults[0].wrong.en


def test_group_below_a_circle_is_not_blamed_for_it(faults_after: FaultsAfter) -> None:
    faults, _ = faults_after(("[[peer_groups]]", 'en = "All" }', 'en = "All" }\nparent = "all" #!'))
    assert [fault.key for fault in faults] == ["peer_groups[0].parent"]


def test_service_type_belongs_to_one_peer_group(faults_after: FaultsAfter) -> None:
    faults, line = faults_after(
        ("[[peer_groups]]", 'en = "All" }', 'en = "All" }\nservice_types = ["care"]'),
        (
            "[[peer_groups]]",
            'en = "Personal" }\nservice_types = ["care"]',
            'en = "Personal" }\nservice_types = ["care"] #!',
        ),
    )
    assert [(fault.key, fault.line) for fault in faults] == [("peer_groups[1].service_types[0]", line)]
    assert faults[0].wrong.en == '"care" is in peer group "all" already'


def test_every_fault_is_told_at_once_in_the_order_of_lines(faults_after: FaultsAfter) -> None:
    faults, _ = faults_after(
        (START, "minimum = 5", 'minimum = "5"'),
        (START, "best = 1", "best = 0.5"),
        ("help_care", 'party = "recipient"\n', ""),
        ("help_care", 'scale = "good"', 'scale = "goood"'),
        ("[[weights]]", "share = 0.6", "share = 1.4"),
        ("[[weights]]", "buyer = 0.25", "buyer = 0.3"),
        ("[cap]", '"fair"', '"fare"'),
        ('code = "fair"', "to = 80", "to = 85"),
        ("[[selection", "= 0.3", "= 0.05"),
    )
    assert [fault.key for fault in faults] == [
        "parties[1].minimum",
        "scales[3].best",
        "criteria[2].party",
        "criteria[2].scale",
        "weights[0].share",
        "cap.grade",
        "grades[1].to",
        "selection.uses[0].price_maximum",
    ]


def test_name_of_a_kind_that_the_file_has_none_of_is_told_with_where_to_write_it(small: str) -> None:
    head, service_types, rest = small.partition("[[service_types]]")
    without = head + rest[rest.index("[[criteria]]") :]
    assert service_types
    with pytest.raises(RulesFaulty) as caught:
        loads(without.encode(), "small.toml")
    assert [fault.key for fault in caught.value.faults] == [
        "criteria[2].service_types[0]",
        "criteria[3].service_types[0]",
        "peer_groups[1].service_types[0]",
    ]
    assert caught.value.faults[0].write.en == "add its [[service_types]], or delete it here"


@pytest.mark.parametrize("gone", ["parties", "dimensions", "scales", "criteria", "weights", "grades"])
def test_missing_list_is_told_once_and_not_by_each_that_names_its_parts(small: str, gone: str) -> None:
    tables = small.split("\n\n")
    left = [table for table in tables if not table.startswith(f"[[{gone}]]")]
    with pytest.raises(RulesFaulty) as caught:
        loads("\n\n".join(left).encode(), "small.toml")
    assert [(fault.key, fault.line) for fault in caught.value.faults] == [(gone, 1)]
    assert caught.value.faults[0].write.en == f"add it, for example [[{gone}]]"


def test_empty_file_is_told_what_it_needs() -> None:
    with pytest.raises(RulesFaulty) as caught:
        loads(b"", "empty.toml")
    assert [fault.key for fault in caught.value.faults] == [
        "criteria",
        "dimensions",
        "format",
        "grades",
        "parties",
        "scales",
        "title",
        "version",
        "weights",
    ]


def test_optional_or_misspelt_criteria_hide_only_the_cells_they_may_mean(faults_after: FaultsAfter) -> None:
    for misspelt, key in (
        (('"help_care"', '"recipient"', '"recip"'), "party"),
        (('"help_care"', '"outcomes"', '"outc"'), "dimension"),
    ):
        faults, line = faults_after(
            misspelt,
            ("buyer_staff", 'source = "measured"', 'source = "measured"\nrequired = false'),
            ("share = 0.4", "buyer = 1 }", "buyer = 1 } #!"),
        )
        assert [fault.key for fault in faults] == [f"criteria[2].{key}", "weights[1].parties.buyer"]
        assert faults[1].line == line


def test_required_adjuster_carries_no_weight(faults_after: FaultsAfter) -> None:
    faults, _ = faults_after(('"proxy"', "required = false\n", ""), ("help_training", '["training"]', '["care"]'))
    assert [fault.key for fault in faults] == ["weights[0].parties.recipient"]


def test_faulty_grade_leaves_no_gap_to_tell(faults_after: FaultsAfter) -> None:
    faults, _ = faults_after(('code = "fair"', 'zh = "中", ', ""))
    assert [fault.key for fault in faults] == ["grades[1].name.zh"]


def test_grade_of_no_width_is_told(faults_after: FaultsAfter) -> None:
    faults, line = faults_after(('code = "fair"', "from = 60", "from = 80"))
    assert (faults[0].key, faults[0].line) == ("grades[1].from", line)


def test_provisional_gate_may_equal_the_rated_one(small: str) -> None:
    rules = loads(small.replace("provisional_half_width = 20", "provisional_half_width = 10").encode(), "small.toml")
    assert rules.status.provisional_half_width == rules.status.rated_half_width
