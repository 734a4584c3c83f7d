"""Each fault of the sections that switch a step on: its key, its line, its words and its remedy."""

from __future__ import annotations

from typing import get_args

import pytest

from evalsys.collection.models import Mode as CollectedMode
from evalsys.rules import model, step_consistency
from evalsys.rules.loading import loads
from evalsys.scoring.cells import SAMPLED
from tests.rules.conftest import FaultsAfter
from tests.rules.test_consistency import Case

TELEPHONE, PROXY = 'mode = "telephone"', 'criterion = "proxy"'
ALSO_PAPER = (
    'mean = 0.2\n\n[[adjustment.coefficients]]\ndimension = "outcomes"\nmode = "paper"\npoints = 1\nmean = 0.9 #!'
)
NO_ADJUSTER = 'source = "asked"\ndimension = "outcomes"'

FAULTS = [
    # a name of nothing
    (TELEPHONE, PROXY, 'criterion = "porxy" #!', "adjustment.coefficients[1].criterion", "no criterion", '"proxy"?'),
    ("[adjust", '"outcomes"', '"outcome" #!', "adjustment.coefficients[0].dimension", "no dimension", '"outcomes"?'),
    ("[severity]", '"buyer"', '"byer" #!', "severity.party", 'no party "byer"', 'did you mean "buyer"?'),
    # a mode or a criterion
    (
        "[adjust",
        "points = 3",
        f"{PROXY}\npoints = 3",
        "adjustment.coefficients[0]",
        "either a mode or",
        "exactly one",
    ),
    (PROXY, f"{PROXY}\n", "", "adjustment.coefficients[1]", "either a mode or a criterion", "exactly one"),
    (
        "[adjust",
        TELEPHONE,
        'mode = "fax" #!',
        "adjustment.coefficients[0].mode",
        '"fax" is not',
        '"self" or "assisted"',
    ),
    ("[adjust", TELEPHONE, 'mode = "self" #!', "adjustment.coefficients[0].mode", "is the reference mode", "delete"),
    ("[adjust", '"proxy"', '"help_care" #!', "adjustment.coefficients[1].criterion", "not an adjuster", "one of proxy"),
    ("[adjust", f"{PROXY}\npoints = -1.5", f"{TELEPHONE}\npoints = -1.5", "adjustment.coefficients[1]", "there", "one"),
    ("[adjust", '"outcomes"', '"management" #!', "adjustment.coefficients[0].dimension", "have no weight", "another"),
    ("[adjust", "points = 3", "points = 101 #!", "adjustment.coefficients[0].points", "too large", "at most 100"),
    ("[adjust", "mean = 0.2", ALSO_PAPER, "adjustment.coefficients[1].mean", "sum to 1.1", "at most 1"),
    # draws
    ("[rank_sets]", "draws = 500", "draws = 99 #!", "rank_sets.draws", "99 draws are too few for limits", "least 100"),
    ("[rank_sets]", "draws = 500", "draws = 499 #!\nlevel = 0.99", "rank_sets.draws", "level 0.99", "at least 500"),
    ("[rank_sets]", "draws = 500", "draws = 100001 #!", "rank_sets.draws", "too large", "at most 100000"),
    ("[sensitivity]", "draws = 500", "draws = 199 #!", "sensitivity.draws", "199 draws are too few", "at least 200"),
    ("[reliability]", "target = 0.7", "draws = 150 #!", "reliability.draws", "of level 0.95", "at least 200"),
]


@pytest.mark.parametrize("case", [Case(*row) for row in FAULTS], ids=lambda case: f"{case.key}: {case.wrong}")
def test_one_change_brings_one_fault(faults_after: FaultsAfter, case: Case) -> None:
    faults, line = faults_after((case.anchor, case.old, case.new))
    told = [fault for fault in faults if fault.key == case.key]
    assert [fault.key for fault in faults] == [case.key], [str(fault) for fault in faults]
    if "#!" in case.new:
        assert told[0].line == line
    assert case.wrong in told[0].wrong.en
    assert case.write in told[0].write.en


def test_duplicate_and_wordless_entries_are_told_at_their_head(faults_after: FaultsAfter) -> None:
    marked = ("points = 3", "[[adjustment.coefficients]]", "[[adjustment.coefficients]] #!")
    for change in ((PROXY, f"{PROXY}\n", ""), (PROXY, f"{PROXY}\n", f"{TELEPHONE}\n")):
        faults, line = faults_after(marked, change)
        assert [(fault.key, fault.line) for fault in faults] == [("adjustment.coefficients[1]", line)]


def test_criterion_of_another_party_or_without_any_adjuster(faults_after: FaultsAfter) -> None:
    faults, _ = faults_after(('"proxy"', 'source = "adjuster"', NO_ADJUSTER))
    assert [fault.key for fault in faults] == ["adjustment.coefficients[1].criterion"]
    assert 'add a criterion with source = "adjuster"' in faults[0].write.en
    faults, _ = faults_after(('"proxy"', 'party = "recipient"', 'party = "buyer"'))
    assert [fault.key for fault in faults] == ["adjustment.coefficients[1].criterion"]


def test_faulty_criterion_is_told_once(faults_after: FaultsAfter) -> None:
    faults, _ = faults_after(('code = "proxy"', 'scale = "yes"', "scale = 7"))
    assert [fault.key for fault in faults] == ["criteria[4].scale"]


@pytest.mark.parametrize("party", [step_consistency.SAMPLED, step_consistency.ALONE])
def test_severity_is_for_raters_who_share_contracts(faults_after: FaultsAfter, party: str) -> None:
    changes = [("[severity]", 'party = "buyer"', f'party = "{party}" #!')]
    if party == step_consistency.ALONE:
        changes = [
            ("[[parties]]", 'code = "buyer"', 'code = "purchaser"'),
            ("buyer_result", 'party = "buyer"', 'party = "purchaser"'),
            ("buyer_staff", 'party = "buyer"', 'party = "purchaser"'),
            ("[[weights]]", "buyer = 0.25", "purchaser = 0.25"),
            ("share = 0.4", "buyer = 1", "purchaser = 1"),
            *changes,
        ]
    faults, line = faults_after(*changes)
    assert [(fault.key, fault.line) for fault in faults] == [("severity.party", line)]
    assert "whose raters share contracts" in faults[0].write.en


def test_weighting_and_adjustment_need_recipients(faults_after: FaultsAfter) -> None:
    faults, _ = faults_after(
        ('code = "recipient"', 'code = "recipient"', 'code = "people"'),
        ("help_care", 'party = "recipient"', 'party = "people"'),
        ("help_training", 'party = "recipient"', 'party = "people"'),
        ('"proxy"', 'party = "recipient"', 'party = "people"'),
        ("[[weights]]", "recipient =", "people ="),
    )
    assert {"weighting", "adjustment"} <= {fault.key for fault in faults}
    assert 'no party "recipient"' in faults[0].wrong.en
    assert all(fault.line > 1 for fault in faults)


def test_section_without_keys_switches_its_step_on(small: str) -> None:
    rules = loads(small.replace("[weighting]\ntrim = 4", "[weighting]").encode(), "small.toml")
    assert rules.weighting == model.Weighting()
    assert loads(small.replace("[weighting]\ntrim = 4\n", "").encode(), "small.toml").weighting is None


def test_criteria_read_by_the_adjustment_are_told(small: str) -> None:
    assert loads(small.encode(), "small.toml").adjusters == ("proxy",)


def test_modes_and_parties_are_those_of_collection_and_scoring() -> None:
    assert set(get_args(model.Mode)) == {mode.value for mode in CollectedMode}
    assert step_consistency.SAMPLED == SAMPLED
