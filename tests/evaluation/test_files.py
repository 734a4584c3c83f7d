"""Scores from files: what is read, what is refused, and what is written."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evalsys.evaluation.file_faults import FilesFaulty, Message
from evalsys.evaluation.files import Scored, Sources, score_files
from evalsys.evaluation.score_output import write_scores
from evalsys.rules.model import Rules
from tests.evaluation.written import long_rules, one_party, write, write_sheet
from tests.scoring.made import words

THIRD = "A,third_party,e1,goals,5\nA,third_party,e1,records,1\n"
FIVE = "contract,rater,value\n" + "".join(f"A,r{n},{n}\n" for n in range(1, 6))


def run(folder: Path, ratings: str, rules: Rules | None = None, **files: str) -> Scored:
    paths = {name: write(folder, text, f"{name}.csv") for name, text in files.items()}
    return score_files(Sources(write(folder, ratings), **paths), rules or long_rules())


def faults_of(folder: Path, ratings: str, rules: Rules | None = None, **files: str) -> list[str]:
    with pytest.raises(FilesFaulty) as caught:
        run(folder, ratings, rules, **files)
    return [fault.said("en") for fault in caught.value.faults]


def long(*rows: str) -> str:
    return "contract,party,rater,criterion,value\n" + "".join(f"{row}\n" for row in rows)


def test_party_and_criterion_may_be_left_out_where_the_rules_have_one(tmp_path: Path) -> None:
    scored = run(tmp_path, FIVE, one_party())
    assert scored.inputs.contracts == scored.inputs.vendors == ("A",)
    assert scored.result.score[0] == pytest.approx(50)
    assert scored.result.respondents.tolist() == [[5]]
    assert scored.inputs.frames.size.size == 0


def test_a_respondents_answers_become_one_composite(tmp_path: Path) -> None:
    text = long(
        "B,recipient,r1,satisfied,5",
        "B,recipient,r2,satisfied,4",
        "A,recipient,r1,satisfied,1",
        "A,recipient,r1,gentle,3",
        "A,recipient,r1,age,2",
        "A,recipient,r2,satisfied,2",
        "A,third_party,e1,goals,na",
        "A,third_party,e1,records,2",
        "A,third_party,e2,goals,3",
    )
    moments = run(tmp_path, text).inputs.moments
    cells = list(
        zip(moments.contract.tolist(), moments.party.tolist(), moments.y[:, 0, 0], moments.n[:, 0, 0], strict=True)
    )
    # contract A: r1 answered the care question too, r2 did not and need not; e2 answered half of the weight
    assert cells == [(0, 1, 25_000 + 25_000, 2), (1, 1, 175_000, 2), (0, 2, 100_000 + 50_000, 2)]
    assert moments.yy[0, 0, 0] == 2 * 25_000**2


def test_levels_are_counted_with_those_that_do_not_apply(tmp_path: Path) -> None:
    inputs = run(tmp_path, long("A,recipient,r1,age,2", "A,recipient,r2,age,2", "A,third_party,e1,goals,不适用")).inputs
    rows = zip(
        inputs.levels.criterion.tolist(), inputs.levels.level.tolist(), inputs.levels.count.tolist(), strict=True
    )
    assert [(inputs.criteria[k], level, count) for k, level, count in rows] == [("age", 2, 2), ("goals", 0, 1)]


def test_a_measured_value_joins_every_composite_of_its_party(tmp_path: Path) -> None:
    rows = (
        "A,third_party,e1,goals,1",
        "A,third_party,e1,records,1",
        "A,third_party,e2,goals,5",
        "A,third_party,e2,records,2",
    )
    measured = ("A,third_party,,staffing,0.75", "A,third_party,,paid,na")
    moments = run(tmp_path, long(*rows, *measured)).inputs.moments
    assert moments.n[0, 0, 0] == 2
    assert moments.y[0, 0, 0] == round(50_000 / 3) + round(250_000 / 3)


def test_the_service_type_says_what_was_asked(tmp_path: Path) -> None:
    rows = [f"{c},recipient,r{n},satisfied,5" for c in "AB" for n in (1, 2)]
    contracts = "contract,vendor,service_type\nA,v,照料护理\nB,v,training\n"
    rules = long_rules(answered_share=0.6)
    scored = run(tmp_path, long(*rows), rules, contracts=contracts)
    # A was asked two questions and answered half of their weight: no composite
    assert scored.inputs.moments.contract.tolist() == [1]
    assert scored.inputs.moments.n[:, 0, 0].tolist() == [2]
    (fault,) = faults_of(tmp_path, long("B,recipient,r1,gentle,3"), rules, contracts=contracts)
    assert "row 2, column criterion “gentle”: It is not asked of this service type." in fault


def test_contracts_bring_vendors_groups_and_sizes(tmp_path: Path) -> None:
    groups = [
        {"code": "care", "name": words("护理"), "service_types": ["care"]},
        {"code": "rest", "name": words("其他")},
    ]
    contracts = (
        '合同编号,承接主体,比较组,金额,服务人数,服务类型\nC,v2,,"1,000",,care\nA,v1,其他,0,12,\nB,v1,,,,training\n'
    )
    inputs = run(
        tmp_path, long("A,recipient,r1,satisfied,5"), long_rules(peer_groups=groups), contracts=contracts
    ).inputs
    assert inputs.contracts == ("A", "B", "C")
    assert [inputs.vendors[v] for v in inputs.vendor] == ["v1", "v1", "v2"]
    assert [inputs.peer_groups[g] for g in inputs.peer_group] == ["rest", "rest", "care"]
    assert inputs.amount.tolist()[::2] == [0, 1000]
    assert inputs.served[0] == 12
    assert np.isnan(inputs.served[1:]).all()


def test_a_group_needs_no_rules(tmp_path: Path) -> None:
    scored = run(tmp_path, FIVE, one_party(), contracts="contract,vendor,peer_group\nA,v,north\n")
    assert scored.inputs.peer_groups == ("north",)


def test_the_ratings_may_name_the_vendor(tmp_path: Path) -> None:
    text = "contract,rater,value,vendor\nA,r,1,v\nB,r,2,v\nC,r,2,\n"
    inputs = run(tmp_path, text, one_party()).inputs
    assert [inputs.vendors[v] for v in inputs.vendor] == ["v", "v", "C"]


def test_a_frame_narrows_the_interval(tmp_path: Path) -> None:
    unknown = run(tmp_path, FIVE, one_party()).result
    known = run(tmp_path, FIVE, one_party(), frame="contract,size\nA,6\n").result
    assert known.low[0] > unknown.low[0]
    strata = "contract,rater,value,stratum,mode\n" + "".join(f"A,r{n},{n},north,paper\n" for n in range(1, 6))
    by_stratum = run(tmp_path, strata, one_party(), frame="contract,stratum,size\nA,north,5\nA,south,1\n")
    assert by_stratum.result.low[0] == known.low[0]
    assert by_stratum.inputs.strata == ("north", "south")
    assert by_stratum.inputs.modes == ("paper",)


def test_a_spreadsheet_scores_like_its_csv(tmp_path: Path) -> None:
    rows = [line.split(",") for line in FIVE.splitlines()]
    sheet = write_sheet(tmp_path, [rows[0], *([a, b, float(c)] for a, b, c in rows[1:])])
    from_csv = run(tmp_path, FIVE, one_party())
    assert score_files(Sources(sheet), one_party()).result.low.tolist() == from_csv.result.low.tolist()
    assert from_csv.files.keys() == {"ratings"}


def test_progress_is_told_in_rows(tmp_path: Path) -> None:
    told: list[Message] = []
    score_files(Sources(write(tmp_path, FIVE)), one_party(), progress=told.append)
    assert [message.said("en") for message in told] == ["5 rows read", "scoring 1 contracts"]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["A,nobody,r,satisfied,5"], "row 2, column party “nobody”: The rules do not have it. Write one of: purchaser"),
        (
            ["A,recipient,r,what,5"],
            "column criterion “what”: The rules do not have it. Write one of: satisfied, gentle",
        ),
        (["A,recipient,r,goals,5"], "column criterion “goals”: This party is not asked this. `evalsys rules show`"),
        ([" ,recipient,r,satisfied,5"], "row 2, column contract: The cell is empty. Write the contract's code."),
        (["A,recipient,,satisfied,5"], "row 2, column rater: The cell is empty. Write who rated"),
        (
            ["A,recipient,r,satisfied,6"],
            "value “6”: The value is not on the scale of satisfied. Write a whole number from 1",
        ),
        (["A,recipient,r,satisfied,2.5"], "value “2.5”: The value is not on the scale"),
        (["A,recipient,r,satisfied,"], "column value: The value is not on the scale"),
        (["A,recipient,r,satisfied,na"], "value “na”: The value is not on the scale"),
        (["A,recipient,r,satisfied,inf"], "value “inf”: The value is not on the scale"),
        (
            ["A,third_party,r,goals,x"],
            "value “x”: The value is not on the scale of goals. Write a whole number from 1 to 5, or na",
        ),
        (
            ["A,third_party,r,records,3"],
            "value “3”: The value is not on the scale of records. Write a whole number from 1 to 2",
        ),
        (
            ["A,third_party,r,staffing,1_0"],
            "value “1_0”: The value is not on the scale of staffing. Write a number, or na",
        ),
        (
            ["A,recipient,r,satisfied,5", "A,recipient, r ,satisfied,4"],
            "row 3: Row 2 already rates this contract on this criterion by this rater. Delete one of the two rows.",
        ),
        (["A,third_party,a,staffing,1", "A,third_party,b,staffing,1"], "row 3: Row 2 already rates this contract"),
        ([], "has no ratings. Write one rating a row below the header."),
    ],
)
def test_a_faulty_rating_is_named_with_its_remedy(tmp_path: Path, rows: list[str], said: str) -> None:
    (fault,) = faults_of(tmp_path, long(*rows))
    assert said in fault


@pytest.mark.parametrize(
    ("column", "rows", "said"),
    [
        (
            "mode",
            ["A,r,1,paper", "A,q,1,", "A,r,2,self"],
            "row 4, column mode “self”: Row 2 says “paper”. Write the same",
        ),
        ("stratum", ["A,r,1,north", "A,r,2,"], "row 3, column stratum: Row 2 says “north”."),
        ("vendor", ["A,r,1,v", "A,q,2,w"], "row 3, column vendor “w”: Row 2 says “v”."),
    ],
)
def test_what_belongs_to_a_respondent_or_contract_does_not_change(
    tmp_path: Path, column: str, rows: list[str], said: str
) -> None:
    criteria = [
        {"code": c, "party": "recipient", "dimension": "outcomes", "text": words("?"), "scale": "five_levels"}
        for c in ("one", "two")
    ]
    rules = one_party().model_validate(
        one_party().model_dump(by_alias=True, exclude={"criteria"}, exclude_none=True) | {"criteria": criteria}
    )
    text = f"contract,rater,value,{column},criterion\n" + "".join(
        f"{row},{'two' if place == 2 or (place == 1 and column == 'stratum') else 'one'}\n"
        for place, row in enumerate(rows)
    )
    (fault,) = faults_of(tmp_path, text, rules)
    assert said in fault


def test_a_hundred_faults_are_listed(tmp_path: Path) -> None:
    rows = "contract,rater,value\n" + "".join(f"A,r{n},9\n" for n in range(500))
    with pytest.raises(FilesFaulty) as caught:
        run(tmp_path, rows, one_party())
    assert len(caught.value.faults) == 100
    assert caught.value.more
    assert [fault.row for fault in caught.value.faults] == list(range(2, 102))


@pytest.mark.parametrize(
    ("contracts", "said"),
    [
        ("A,v,,,,\nA,v,,,,", "row 3, column contract “A”: This contract is there twice."),
        ("A,,,,,", "row 2, column vendor: The cell is empty. Write the vendor's code."),
        (",v,,,,", "row 2, column contract: The cell is empty."),
        ("A,v,x,,,", "row 2, column peer_group “x”: The rules do not have it. Write one of: all."),
        ("A,v,,x,,", "row 2, column amount “x”: Not a number of 0 or more. Write digits only"),
        ("A,v,,-1,,", "row 2, column amount “-1”: Not a number of 0 or more."),
        ("A,v,,,1_0,", "row 2, column served “1_0”: Not a number"),
        ("A,v,,,nan,", "row 2, column served “nan”: Not a number"),
        ("A,v,,,,x", "row 2, column service_type “x”: The rules do not have it. Write one of: care, training."),
    ],
)
def test_a_faulty_contract_is_named(tmp_path: Path, contracts: str, said: str) -> None:
    rules = long_rules(peer_groups=[{"code": "all", "name": words("全部")}])
    header = "contract,vendor,peer_group,amount,served,service_type\n"
    faults = faults_of(tmp_path, long("A,recipient,r,satisfied,5"), rules, contracts=f"{header}{contracts}\n")
    assert said in faults[0]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ("B,,5", "row 2, column contract “B”: There is no such contract. Correct the code"),
        ("A,x,5\nA,x,6", "row 3, column stratum “x”: This stratum is there twice."),
        ("A,,2.5", "row 2, column size “2.5”: Not a whole number. Write how many"),
        ("A,,", "row 2, column size: Not a number of 0 or more."),
        (",,5", "row 2, column contract: The cell is empty."),
    ],
)
def test_a_faulty_frame_is_named(tmp_path: Path, frame: str, said: str) -> None:
    (fault,) = faults_of(tmp_path, FIVE, one_party(), frame=f"contract,stratum,size\n{frame}\n")
    assert said in fault


def test_files_that_disagree_are_named_at_the_rating(tmp_path: Path) -> None:
    contracts = "contract,vendor\nA,v\n"
    ratings = "contract,rater,value,vendor,stratum\nA,r,1,w,north\nB,r,1,w,\nA,q,1,w,\nB,q,1,w,\n"
    faults = faults_of(tmp_path, ratings, one_party(), contracts=contracts, frame="contract,stratum,size\nA,south,9\n")
    assert [fault.removeprefix("ratings.csv, row ") for fault in faults] == [
        "2, column vendor “w”: The contracts name another vendor, v. Correct one of the two files.",
        "2, column stratum “north”: The frame of contract A has no such stratum. Add it to the frame, or correct it.",
        "3, column contract “B”: There is no such contract. Add it to the contracts, or correct the code.",
    ]


def output(folder: Path, scored: Scored, rules: Rules) -> tuple[str, dict[str, Any]]:
    table, breakdown, *_flags = write_scores(folder / "out", scored, rules, {"files": dict(scored.files)})
    return table.read_text("utf-8"), json.loads(breakdown.read_text("utf-8"))


def test_the_table_has_six_decimals_and_says_why(tmp_path: Path) -> None:
    rules = one_party()
    text = FIVE + "B,r,3\n" + "".join(f"C,r{n},5\n" for n in range(6))
    table, breakdown = output(tmp_path, run(tmp_path, text, rules), rules)
    lines = table.splitlines()
    first, later = (
        "contract,vendor,score,low,high,grade,status,reason,rank",
        ",rank_low,rank_high,band,shrunk,reliability",
    )
    assert lines[0] == f"{first},n_recipient,n_purchaser,n_third_party{later}"
    assert lines[1].startswith("A,A,50.000000,")
    assert lines[1].endswith(",poor,rated,,2,5,0,0,,,,,")
    assert lines[2] == "B,B,,,,,withheld,too_few_answers party=recipient have=1 need=5,,1,0,0,,,,,"
    assert lines[3].startswith("C,C,100.000000,")
    assert breakdown["contracts"][1]["reasons"] == [
        {"code": "too_few_answers", "party": "recipient", "have": 1, "need": 5}
    ]
    assert breakdown["contracts"][1]["score"] is None
    assert breakdown["contracts"][1]["chances"] == dict.fromkeys(("excellent", "good", "fair", "poor"))


def test_the_breakdown_adds_up_to_the_score(tmp_path: Path) -> None:
    rules = long_rules(status={"provisional_half_width": 60.0, "rated_half_width": 1.0})
    rows = [f"A,recipient,r{n},satisfied,{n}" for n in (2, 3, 4)]
    scored = run(tmp_path, long(*rows) + THIRD.replace("goals,5", "goals,na"), rules)
    table, document = output(tmp_path, scored, rules)
    (contract,) = document["contracts"]
    assert sum(cell["contribution"] + cell["cut"] for cell in contract["cells"]) == pytest.approx(
        contract["score"], abs=1e-9
    )
    assert contract["levels"] == {
        "satisfied": {"2": 1, "3": 1, "4": 1},
        "goals": {"na": 1},
        "records": {"1": 1},
    }
    assert document["vendors"] == [
        {
            "vendor": "A",
            "score": contract["score"],
            "low": contract["low"],
            "high": contract["high"],
            "grade": contract["grade"],
            "contracts": 1,
            "scored": 1,
            "equal_weights": True,
            "in_groups": [{"peer_group": "", "score": contract["score"], "rank": 1, "ranked": 1}],
        }
    ]
    assert "wide_interval have=" in table
    assert " need=1," in table
    assert document["files"].keys() == {"ratings"}


def test_modes_of_one_level_are_added_up(tmp_path: Path) -> None:
    text = "contract,rater,value,mode\nA,a,5,paper\nA,b,5,self\n"
    _, document = output(tmp_path, run(tmp_path, text, one_party()), one_party())
    assert document["contracts"][0]["levels"] == {"overall": {"5": 2}}


def test_nothing_half_written_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = one_party()
    scored = run(tmp_path, FIVE, rules)
    before, _ = output(tmp_path, scored, rules)

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        output(tmp_path, run(tmp_path, FIVE + "B,r,3\n", rules), rules)
    assert (tmp_path / "out" / "scores.csv").read_text("utf-8") == before
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["scores.csv", "scores.json"]
