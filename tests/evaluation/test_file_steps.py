"""What the later steps need of files, and what they leave in the output."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evalsys.evaluation.file_faults import FilesFaulty
from evalsys.evaluation.files import Scored, Sources, read_inputs, score_files
from evalsys.evaluation.score_output import STEPS
from evalsys.rules.model import Rules
from evalsys.scoring.inputs import Inputs
from evalsys.scoring.result import Ranked, Shrunken, WeightSpace
from tests.evaluation.test_files import FIVE, faults_of, long, output, run
from tests.evaluation.written import long_rules, one_party, write
from tests.scoring.made import words

COEFFICIENTS = [
    {"dimension": "outcomes", "mode": "telephone", "points": 3.0},
    {"dimension": "outcomes", "criterion": "age", "points": -4.0},
]
ADJUSTED = {"adjustment": {"ground": words("2025"), "coefficients": COEFFICIENTS}}


def parted(folder: Path, *rows: str, frame: str = "") -> Scored:
    text = "contract,rater,value,乡镇,服务内容\n" + "".join(f"{row}\n" for row in rows)
    return run(folder, text, one_party(), **({"frame": f"contract,township,item,size\n{frame}"} if frame else {}))


def read(folder: Path, ratings: str, rules: Rules) -> Inputs:
    return read_inputs(Sources(write(folder, ratings)), rules)[0]


def test_an_adjuster_is_a_column_of_those_who_have_a_composite(tmp_path: Path) -> None:
    text = long(
        "A,recipient,r1,satisfied,5",
        "A,recipient,r1,age,2",
        "A,recipient,r2,satisfied,1",
        "A,recipient,r3,age,5",
        "A,third_party,e1,goals,3",
    )
    inputs = read(tmp_path, text, long_rules(**ADJUSTED))
    assert inputs.adjusters == ("age",)
    moments = inputs.moments
    assert [inputs.parties[p] for p in moments.party] == ["recipient", "third_party"]
    age = len(inputs.dimensions)
    assert moments.respondents.tolist() == [2, 1]
    assert moments.n[:, age, age].tolist() == [1, 0]
    assert moments.y[0, age, 0] == 25_000
    assert moments.y[0, 0, age] == 100_000
    assert moments.yy[0, 0, age] == 25_000 * 100_000


def test_an_adjuster_that_nothing_is_taken_off_for_is_no_column(tmp_path: Path) -> None:
    inputs = run(tmp_path, long("A,recipient,r1,satisfied,5", "A,recipient,r1,age,2")).inputs
    assert inputs.adjusters == ()
    assert inputs.moments.n.shape == (1, 3, 3)


def test_modes_are_known_by_chinese_words(tmp_path: Path) -> None:
    text = "contract,rater,value,mode\nA,a,5,电话访问\nA,b,5, 本人 \nA,c,5,telephone\nA,d,5,street\n"
    inputs = run(tmp_path, text, one_party()).inputs
    assert inputs.modes == ("self", "street", "telephone")
    assert inputs.moments.respondents.tolist() == [1, 1, 2]


def test_each_appointed_rater_is_judged_by_its_own_sums(tmp_path: Path) -> None:
    rows = ("B,third_party,z,goals,3", "A,third_party,z,goals,5", "A,third_party,b,records,1")
    text = long(*rows, "A,recipient,r1,satisfied,5")
    inputs = run(tmp_path, text, long_rules(severity={"party": "third_party"})).inputs
    assert inputs.raters == ("b", "z")
    judged = inputs.judged
    assert judged is not None
    told = zip(
        judged.contract.tolist(), judged.rater.tolist(), judged.n[:, 0], judged.y[:, 0], judged.yy[:, 0], strict=True
    )
    assert sorted(told) == [(0, 0, 1, 0, 0), (0, 1, 1, 100_000, 10**10), (1, 1, 1, 50_000, 50_000**2)]
    assert not judged.n[:, 1:].any()
    plain = run(tmp_path, text).inputs
    assert plain.judged is None
    assert plain.raters == ()


def test_held_ratings_count_nowhere_but_are_told(tmp_path: Path) -> None:
    held = "contract,rater,value,held\nA,r1,5,no\nA,r2,1,YES\nA,r2,4,\nB,r1,1,是\n"
    scored = run(tmp_path, held, one_party())
    assert scored.held == 2
    assert scored.inputs.contracts == ("A", "B")
    assert scored.inputs.vendors == ("A", "B")
    assert scored.inputs.levels.level.tolist() == [4, 5]
    assert scored.inputs.moments.respondents.tolist() == [2]
    without = run(tmp_path, "contract,rater,value\nA,r1,5\nA,r2,4\n", one_party())
    assert scored.result.respondents[0] == without.result.respondents[0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("A,r1,5,maybe\n", "row 2, column held “maybe”: Neither yes nor no. Write yes where the rating is held back"),
        ("A,r1,5,1\n", "has no rating that is not held back. Release ratings in the column held."),
    ],
)
def test_what_held_cannot_say(tmp_path: Path, rows: str, said: str) -> None:
    (fault,) = faults_of(tmp_path, f"contract,rater,value,held\n{rows}", one_party())
    assert said in fault


def test_strata_of_parts_are_told_part_by_part(tmp_path: Path) -> None:
    inputs = parted(tmp_path, "A,r1,5,东,送餐", "A,r3,4,,", frame="A,东,送餐,9\nA,西,送餐,8\n").inputs
    assert sorted(inputs.parts) == [("", ""), ("东", "送餐"), ("西", "送餐")]
    assert dict(zip(inputs.parts, inputs.strata, strict=True))["东", "送餐"] == '["东", "送餐"]'
    assert inputs.strata[inputs.parts.index(("", ""))] == ""
    assert [inputs.parts[s] for s in inputs.frames.stratum] == [("东", "送餐"), ("西", "送餐")]


def test_a_township_alone_is_enough(tmp_path: Path) -> None:
    inputs = run(tmp_path, "contract,rater,value,township\nA,r1,5,东\nA,r2,5,西\n", one_party()).inputs
    assert inputs.parts == (("东", ""), ("西", ""))


def test_a_stratum_of_one_name_has_no_parts(tmp_path: Path) -> None:
    assert run(tmp_path, "contract,rater,value,stratum\nA,r1,5,东\n", one_party()).inputs.parts == ()


def test_a_frame_may_know_only_margins(tmp_path: Path) -> None:
    frame = "A,东,,9\nA,西,,1\nA,,送餐,4\nA,,照料,6\n"
    inputs = parted(tmp_path, "A,r1,5,东,送餐", "A,r2,4,西,照料", frame=frame).inputs
    assert sorted(inputs.parts[s] for s in inputs.frames.stratum) == [
        ("", "照料"),
        ("", "送餐"),
        ("东", ""),
        ("西", ""),
    ]
    assert sum(inputs.frames.size) == 20


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ("A,东,,9\nA,,送餐,8\n", "row 3, column contract “A”: Its townships add up to 9, its items to 8. Correct the"),
        ("A,东,,9\nA,西,送餐,8\n", "row 3, column contract “A”: The frame of this contract mixes whole strata"),
        ("A,西,,9\nA,,送餐,9\n", "row 2, column stratum “东 / 送餐”: The frame of contract A has no such stratum."),
        ("A,东,,9\nA,,照料,9\n", "row 2, column stratum “东 / 送餐”: The frame of contract A has no such stratum."),
        ("A,东,照料,9\n", "row 2, column stratum “东 / 送餐”: The frame of contract A has no such stratum."),
    ],
)
def test_strata_that_do_not_fit_are_named(tmp_path: Path, frame: str, said: str) -> None:
    with pytest.raises(FilesFaulty) as caught:
        parted(tmp_path, "A,r1,5,东,送餐", frame=frame)
    (fault,) = caught.value.faults
    assert said in fault.said("en")


def test_a_stratum_has_a_name_or_parts(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path, "contract,rater,value,stratum,item\nA,r,1,x,y\n", one_party())
    assert "row 1, column stratum: It stands beside township or item. Write either stratum" in fault
    text = "contract,rater,value,stratum\nA,r,1,x\n"
    (fault,) = faults_of(tmp_path, text, one_party(), frame="contract,township,size\nA,x,5\n")
    assert "names strata by township and item, or the frame does" in fault


def test_a_frame_of_parts_fits_ratings_that_tell_no_stratum(tmp_path: Path) -> None:
    inputs = run(tmp_path, FIVE, one_party(), frame="contract,township,size\nA,x,5\n").inputs
    assert inputs.parts == (("", ""), ("x", ""))


def with_everything(scored: Scored) -> Scored:
    """A result in which every later step says something of contract A and nothing of B, which has no score."""
    ranked = Ranked(np.array([1, 0]), np.array([2, 0]), np.array([1, 0]), np.array([2.2]), np.array([True]))
    nothing = np.array([np.nan])
    drawn = Shrunken(
        *(np.array([value, np.nan]) for value in (51.5, 2.0, 47.0, 55.0, 0.75)), mean=np.array([60.0]), tau2=nothing
    )
    space = WeightSpace(
        np.array([1.5, np.nan]),
        np.array([1, 0]),
        np.array([3, 0]),
        *(np.array([share, np.nan]) for share in (0.5,)),
        next=np.array([1, -1]),
        leads=np.array([0.6, np.nan]),
    )
    result = replace(scored.result, rank_sets=ranked, shrunken=drawn, weight_space=space, vendor_sets=ranked)
    return replace(scored, result=result)


def test_the_output_tells_the_later_steps(tmp_path: Path) -> None:
    scored = with_everything(run(tmp_path, FIVE + "B,r1,1\n", one_party()))
    table, document = output(tmp_path, scored, one_party())
    one, two = table.splitlines()[1:]
    assert one.endswith(",5,0,0,1,2,1,51.500000,0.750000")
    assert two.endswith(",1,0,0,,,,,")
    first, second = document["contracts"]
    assert first["rank_set"] == {"low": 1, "high": 2, "band": 1, "conservative": True}
    assert first["shrunken"] == {
        "value": 51.5,
        "sd": 2.0,
        "low": 47.0,
        "high": 55.0,
        "reliability": 0.75,
        "peer_mean": 60.0,
        "tau2": None,
    }
    assert first["weight_space"] == {"sd": 1.5, "low": 1, "high": 3, "first": 0.5, "next": "B", "leads": 0.6}
    assert second["rank_set"] is second["shrunken"] is second["weight_space"] is None
    assert document["vendors"][0]["in_groups"][0]["rank_set"]["band"] == 1
    assert document["vendors"][1]["in_groups"][0]["rank_set"] is None


def last_one(document: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = document["contracts"][-1]
    return kept


def test_a_step_that_is_off_leaves_no_trace_and_is_said_to_be_off(tmp_path: Path) -> None:
    rules = one_party()
    _, document = output(tmp_path, run(tmp_path, FIVE, rules), rules)
    assert document["steps"] == dict.fromkeys(STEPS, False)
    assert "reliability" not in document
    only = last_one(document)
    assert not {"shrunken", "rank_set", "weight_space"} & only.keys()
    assert not {"weighting", "n_effective", "mode", "case_mix", "severity"} & only["cells"][0].keys()
    assert "rank_set" not in document["vendors"][0]["in_groups"][0]


def test_a_step_that_is_on_is_told_in_every_cell(tmp_path: Path) -> None:
    rules = long_rules(weighting={}, severity={}, reliability={})
    text = long("A,recipient,r1,satisfied,5", "A,third_party,e1,goals,3", "A,third_party,e1,records,2")
    _, document = output(tmp_path, run(tmp_path, text, rules), rules)
    assert [step for step, taken in document["steps"].items() if taken] == ["weighting", "severity", "reliability"]
    assert {"weighting", "n_effective", "severity"} <= last_one(document)["cells"][0].keys()


def test_scores_do_not_change_with_the_spelling_of_a_column(tmp_path: Path) -> None:
    rules: Rules = one_party()
    renamed = FIVE.replace("contract,rater,value", "合同,评价人,评分")
    scored = [score_files(Sources(write(tmp_path, text)), rules) for text in (FIVE, renamed)]
    assert scored[0].result.low.tolist() == scored[1].result.low.tolist()
