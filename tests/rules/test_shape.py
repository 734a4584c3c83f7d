"""Each fault of form: its words, its key and its line."""

from __future__ import annotations

import tomllib
from typing import NamedTuple, get_args

import pytest
from pydantic import BaseModel

from evalsys.rules.loading import RulesFaulty, loads
from evalsys.rules.model import Rules
from evalsys.rules.shape import EXAMPLES, SCALE_KINDS, known_keys
from evalsys.rules.values import Text
from tests.rules.conftest import FaultsAfter

START = "format = 1"
LEVELS = 'levels = [\n  { zh = "差", en = "Poor" },\n  { zh = "中", en = "Fair" },\n  { zh = "好", en = "Good" },\n]'
TWELVE_LEVELS = "levels = [" + "".join(f'{{ zh = "{n}", en = "{n}" }},' for n in range(12)) + "]"


class Case(NamedTuple):
    """The first `old` behind the anchor becomes `new`; then the fault has this key and these words."""

    anchor: str
    old: str
    new: str
    key: str
    wrong: str
    write: str


FAULTS = [
    # types
    (START, 'version = "1"', "version = 1 #!", "version", "1 is not text", "put it in quotes"),
    (START, 'version = "1"', "version = 2026-01-01 #!", "version", "2026-01-01 is not text", "put it in quotes"),
    (START, "minimum = 5", 'minimum = "5" #!', "parties[1].minimum", '"5" is not a whole number', "without quotes"),
    (START, "minimum = 5", "minimum = true #!", "parties[1].minimum", "true is not a whole number", "without quotes"),
    (START, "minimum = 5", "minimum = 4.5 #!", "parties[1].minimum", "4.5 is not a whole number", "without quotes"),
    (START, "minimum = 5", "minimum = 0 #!", "parties[1].minimum", "0 is too small", "at least 1"),
    (START, "best = 1", "best = '1' #!", "scales[3].best", '"1" is not a number', "without quotes"),
    (START, "best = 1", "best = false #!", "scales[3].best", "false is not a number", "without quotes"),
    (START, "best = 1", "best = inf #!", "scales[3].best", "inf is not finite", "an ordinary number"),
    (START, "required = false", "required = 0 #!", "criteria[4].required", "0 is not true or false", "one of them"),
    (
        START,
        'name = { zh = "服务对象", en = "Recipient" }',
        'name = "x" #!',
        "parties[1].name",
        '"x" is not a table',
        "name.key",
    ),
    (START, "parties = { buyer = 1 }", "parties = [1] #!", "weights[1].parties", "[…] is not a table", "parties.key"),
    (START, '["care"]', '"care" #!', "criteria[2].service_types", '"care" is not a list', "in square brackets"),
    (START, "[cap]", "[[cap]] #!", "cap", "[…] is not a table", "cap.key"),
    # ranges
    (
        START,
        "share = 0.6",
        "share = 1.4 #!",
        "weights[0].share",
        "1.4 is not a share",
        "a number above 0 and at most 1",
    ),
    (START, "share = 0.6", "share = 0 #!", "weights[0].share", "0 is not a share", "a number above 0 and at most 1"),
    (START, "recipient = 0.75", "recipient = 75", "weights[0].parties.recipient", "75 is not a share", "at most 1"),
    (START, "answered_share = 0.5", "answered_share = 50 #!", "answered_share", "50 is not a share", "at most 1"),
    (
        START,
        "price_minimum = 0.1",
        "price_minimum = 10 #!",
        "selection.uses[0].price_minimum",
        "10 is not from 0 to 1",
        "",
    ),
    (START, "price_minimum = 0.1", "price_minimum = -1 #!", "selection.uses[0].price_minimum", "-1 is not from", ""),
    (START, "to = 100", "to = 101 #!", "grades[0].to", "101 is not a number of points", "from 0 to 100"),
    (START, "weight = 2", "weight = -2 #!", "criteria[0].weight", "-2 is too small", "a number above 0"),
    (START, "[cap]", "[interval]\nlevel = 1 #!\n[cap]", "interval.level", "1 is too large", "below 1"),
    (
        START,
        "[cap]",
        "[interval]\nprior_strength = -1 #!\n[cap]",
        "interval.prior_strength",
        "-1 is too small",
        "at least 0",
    ),
    # words
    (START, 'version = "1"', 'version = " " #!', "version", "the text is empty", "write the words"),
    (START, 'zh = "购买主体"', 'zh = ""', "parties[0].name.zh", "the text is empty", "write the words"),
    (START, 'version = "1"', r'version = "1\u0007" #!', "version", r'"1\u0007" holds a control character', "delete it"),
    (START, "best = 1", f"best = 1{'0' * 400} #!", "scales[3].best", "0x1b4ec7f919… is not", ""),
    (START, 'code = "yes"', 'code = "Yes" #!', "scales[1].code", '"Yes" is not a code', "small letter"),
    (
        START,
        'code = "proxy"',
        f'code = "p{"x" * 40}" #!',
        "criteria[4].code",
        f'"p{"x" * 38}…" is not',
        "40 characters",
    ),
    # choices
    (START, "format = 1", "format = 2 #!", "format", "2 is not allowed", "write 1"),
    (
        START,
        'source = "measured"',
        'source = "counted" #!',
        "criteria[1].source",
        '"counted" is not',
        '"measured" or "adj',
    ),
    (
        START,
        'kind = "personal"',
        'kind = "private" #!',
        "service_types[0].kind",
        '"private" is not',
        '"transactional" or',
    ),
    (
        START,
        'kind = "yes_no"',
        'kind = "yesno" #!',
        "scales[1].kind",
        '"yesno" is not allowed',
        '"levels" or "yes_no" or',
    ),
    # lengths
    (START, LEVELS, 'levels = [{ zh = "差", en = "Poor" }]', "scales[0].levels", "too few entries: 1", "at least 2"),
    (START, LEVELS, TWELVE_LEVELS, "scales[0].levels", "too many entries: 12", "at most 11"),
    # keys
    (
        START,
        "minimum = 5",
        "minimum = 5\nminimun = 5 #!",
        "parties[1].minimun",
        "unknown key",
        'did you mean "minimum"?',
    ),
    (
        START,
        "minimum = 5",
        'minimum = 5\n"a b" = 5 #!',
        'parties[1]."a b"',
        "unknown key",
        "write one of code, name, minimum",
    ),
    (START, "answered_share", "answerd_share", "answerd_share", "unknown key", 'did you mean "answered_share"?'),
    (
        START,
        "best = 1",
        "best = 1\nbests = 1 #!",
        "scales[3].bests",
        "unknown key",
        'did you mean "best"? write one of code, k',
    ),
    (
        START,
        "{ at = 5, points = 60 }",
        "{ at = 5, points = 60, pt = 1 }",
        "scales[2].bands[1].pt",
        "unknown key",
        "at, points",
    ),
    (
        START,
        'zh = "好", en = "Good"',
        'zh = "好", en = "Good", fr = "Bon"',
        "scales[0].levels[2].fr",
        "unknown key",
        "zh, en",
    ),
    ("[[scales]]", "kind =", "kindx =", "scales[0].kindx", "unknown key", 'did you mean "kind"?'),
    ("[cap]", "grade =", "grades =", "cap.grades", "unknown key", 'did you mean "grade"?'),
    (
        "[[grades]]",
        "from = 80",
        "from = 80\nstart = 80 #!",
        "grades[0].start",
        "unknown key",
        "one of code, name, from, to",
    ),
    ("[[selection", "price_minimum", "price_min", "selection.uses[0].price_min", "unknown key", '"price_minimum"'),
]

MISSING = [
    ("[[scales]]", 'code = "good"\n', "scales[0].code"),
    ("[[scales]]", 'kind = "levels"\n', "scales[0].kind"),
    ("[[criteria]]", 'code = "buyer_result"\n', "criteria[0].code"),
    ("[[criteria]]", 'party = "buyer"\n', "criteria[0].party"),
    ("[[criteria]]", 'scale = "yes"\n', "criteria[0].scale"),
    ("[[weights]]", "parties = { buyer = 0.25, recipient = 0.75 }\n", "weights[0].parties"),
    ("[[grades]]", "from = 80\n", "grades[0].from"),
    ("[[selection.uses]]", 'past_performance = "beside"\n', "selection.uses[0].past_performance"),
]


@pytest.mark.parametrize("case", [Case(*row) for row in FAULTS], ids=lambda case: f"{case.key}: {case.wrong}")
def test_one_change_brings_one_fault(faults_after: FaultsAfter, case: Case) -> None:
    faults, line = faults_after((case.anchor, case.old, case.new))
    told = [fault for fault in faults if fault.key == case.key]  # what follows from it may be told as well
    assert [fault.line for fault in told] == [line], [str(fault) for fault in faults]
    assert case.wrong in told[0].wrong.en
    assert case.write in told[0].write.en


@pytest.mark.parametrize(("table", "gone", "key"), MISSING)
def test_missing_key_is_told_at_its_table(faults_after: FaultsAfter, table: str, gone: str, key: str) -> None:
    faults, line = faults_after((table, gone, ""), (START, table, f"{table} #!"))
    fault = next(fault for fault in faults if fault.key == key)
    assert fault.line == line
    assert fault.wrong == Text(zh="没有写", en="it is missing")
    assert fault.write.en == f"add it, for example {EXAMPLES[key.rsplit('.', 1)[-1]]}" or key == "weights[0].parties"


def test_missing_parties_of_a_weight_are_shown_as_shares(faults_after: FaultsAfter) -> None:
    faults, _ = faults_after(("[[weights]]", "parties = { buyer = 0.25, recipient = 0.75 }\n", ""))
    assert "parties = { purchaser = 0.2" in faults[0].write.zh


def test_missing_translation_is_told_at_its_line(faults_after: FaultsAfter) -> None:
    faults, line = faults_after(
        ("help_care", 'text = { zh = "有帮助吗", en = "Did it help?" }', 'text.zh = "有帮助吗"')
    )
    assert [(fault.key, fault.line) for fault in faults] == [("criteria[2].text.en", line)]


def test_list_whose_entries_are_faulty_is_not_called_short_as_well(faults_after: FaultsAfter) -> None:
    faults, _ = faults_after(
        ('code = "good"', 'en = "Poor"', 'fr = "x"'),
        ('code = "good"', 'en = "Fair"', 'fr = "x"'),
        ('code = "good"', 'en = "Good"', 'fr = "x"'),
    )
    assert {fault.key.rsplit(".", 1)[-1] for fault in faults} == {"en", "fr"}


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("parties = 1", "parties"),
        ("[parties]\ncode = 1", "parties"),
        ("parties = [1]", "parties[0]"),
        ("scales = ['x']", "scales[0]"),
        ("grades = []", "grades"),
        ("selection = 5", "selection"),
        ("[selection.uses]\nx = 1", "selection.uses"),
        ("criteria = [{ code = 1, service_types = [1] }]", "criteria[0].service_types[0]"),
        ("weights = [{ parties = { 'A b' = 1 } }]", 'weights[0].parties."A b"'),
        ("peer_groups = [[1]]", "peer_groups[0]"),
        ("cap = { grade = 3 }", "cap.grade"),
    ],
)
def test_wild_shapes_are_faults_and_no_crash(text: str, keys: str) -> None:
    with pytest.raises(RulesFaulty) as caught:
        loads(text.encode(), "wild.toml")
    assert keys in [fault.key for fault in caught.value.faults]


def models(annotation: object = Rules) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}.union(*(models(field.annotation) for field in annotation.model_fields.values()))
    return set().union(*map(models, get_args(annotation)))


def test_each_key_that_must_be_given_has_an_example_that_toml_can_read() -> None:
    required = {
        field.alias or name for model in models() for name, field in model.model_fields.items() if field.is_required()
    }
    assert required <= set(EXAMPLES)
    for key, example in EXAMPLES.items():
        assert list(tomllib.loads(example)) == [key]


def test_keys_of_each_kind_of_scale_are_known() -> None:
    assert known_keys(("scales", 0, "goalposts")) == ["code", "kind", "unit", "worst", "best"]
    assert {tag: known_keys(("scales", 0, tag))[1] for tag in SCALE_KINDS} == dict.fromkeys(SCALE_KINDS, "kind")
    assert known_keys(("scales", 0, "levels", "levels", 3)) == ["zh", "en"]
    assert known_keys(("cap",)) == ["dimension_below", "grade"]
