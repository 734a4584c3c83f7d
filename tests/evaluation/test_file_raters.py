"""Steps 11 and 12 from files: how far raters can be relied on, and which of their ratings a person must look at."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from evalsys import cli
from evalsys.evaluation.file_signs import Flag
from evalsys.evaluation.files import Scored, Sources, score_files
from evalsys.evaluation.score_output import write_scores
from evalsys.rules.model import Rules
from tests.evaluation.test_same_from_any_file import (
    LABELS,
    Row,
    as_numbers,
    long_rows,
    wide_columns,
    write_csv,
    write_parquet,
)
from tests.evaluation.written import ONE_PARTY, long_rules, write
from tests.scoring.made import words

RELIABILITY = {"reliability": {"draws": 50}}
INTEGRITY = {"integrity": {"least_questions": 3, "twins": 3}}


def asked(code: str, party: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "party": party, "dimension": "outcomes", "text": words("?"), "scale": "five"} | more


def four_questions(**changes: Any) -> Rules:
    """Four questions to recipients and three to the third party, who is to count half."""
    criteria = [asked(f"r{n}", "recipient") for n in range(4)]
    criteria += [asked(f"t{n}", "third_party", not_applicable=n == 2) for n in range(3)]
    half = [{"dimension": "outcomes", "share": 1.0, "parties": {"recipient": 0.5, "third_party": 0.5}}]
    return long_rules(criteria=criteria, weights=half, **changes)


def rows_of(contract: str, party: str, rater: str, answers: str) -> list[str]:
    """One rater's answers, a character a question; "." = left out, "n" = not applicable."""
    letter = party[0]
    given = enumerate(answers)
    return [
        f"{contract},{party},{rater},{letter}{n},{'na' if level == 'n' else level}\n"
        for n, level in given
        if level != "."
    ]


def text_of(*raters: tuple[str, str, str, str]) -> str:
    return "contract,party,rater,criterion,value\n" + "".join(row for rater in raters for row in rows_of(*rater))


def scored(folder: Path, text: str, rules: Rules, contracts: str = "") -> Scored:
    listed = write(folder, contracts, "contracts.csv") if contracts else None
    return score_files(Sources(write(folder, text), listed), rules)


def signs(folder: Path, text: str, rules: Rules, contracts: str = "") -> list[tuple[str, str, str, str]]:
    flags = scored(folder, text, rules, contracts).flags
    assert flags is not None
    return [(flag.contract, flag.party, flag.rater, flag.sign) for flag in flags]


def many(luck: random.Random) -> list[Row]:
    """Recipients and two to three evaluators of each of 24 contracts, with gaps and what does not apply."""
    rows: list[Row] = []
    for number in range(24):
        contract, middle = f"C{number:02}", luck.choice([2, 3, 4])
        for party, count in (("recipient", 6), ("third_party", luck.choice([2, 2, 3]))):
            for rater in range(count):
                row: Row = dict.fromkeys(LABELS, "") | {"contract": contract, "party": party}
                row["rater"] = f"{party[0]}{(rater + number) % 4 if party == 'third_party' else rater}"
                row["held"] = "yes" if luck.random() < 0.05 else ""
                for n in range(4 if party == "recipient" else 3):
                    level: Any = min(5, max(1, middle + luck.choice([-1, 0, 1])))
                    if party == "third_party" and n == 2 and luck.random() < 0.2:
                        level = "na"
                    if luck.random() < 0.95:
                        row[f"{party[0]}{n}"] = level
                rows.append(row)
    return rows


def test_every_kind_of_file_tells_the_same_of_the_raters(tmp_path: Path) -> None:
    luck = random.Random(4)
    rules = four_questions(**RELIABILITY)
    rows = many(luck)
    long = long_rows(rows)
    kinds = ["care", "training"]
    contracts = write(
        tmp_path,
        "contract,vendor,service_type\n" + "".join(f"C{n:02},v{n % 5},{kinds[n % 2]}\n" for n in range(24)),
        "contracts.csv",
    )
    shuffled = luck.sample(long, len(long))
    files = [
        write_csv(tmp_path / "long.csv", long),
        write_csv(tmp_path / "shuffled.csv", shuffled),
        write_parquet(tmp_path / "long.parquet", dict.fromkeys((*LABELS, "criterion", "value"), "VARCHAR"), shuffled),
        write_parquet(tmp_path / "wide.parquet", wide_columns(rules, "TINYINT"), as_numbers(rows, rules)),
    ]
    told = [score_files(Sources(file, contracts), rules).reliability for file in files]
    assert told[0] is not None
    (evaluators,) = told[0]["raters"]
    assert (evaluators["party"], evaluators["raters"], evaluators["contracts"]) == ("third_party", 4, 24)
    assert [one["criterion"] for one in evaluators["criteria"]] == ["t0", "t1", "t2"]
    assert evaluators["icc"]["one"] > 0.3
    assert [(one["party"], one["kind"]) for one in told[0]["questionnaires"]] == [
        ("recipient", "personal"),
        ("recipient", "transactional"),
        ("third_party", "personal"),
        ("third_party", "transactional"),
    ]
    assert all(one == told[0] for one in told[1:])


def test_measured_values_belong_to_every_raters_points(tmp_path: Path) -> None:
    rules = long_rules(**RELIABILITY)
    luck = random.Random(1)
    rows: list[Row] = []
    for number in range(12):
        for rater in ("e1", "e2"):
            row: Row = dict.fromkeys(LABELS, "") | {"contract": f"C{number:02}", "party": "third_party", "rater": rater}
            row |= {"goals": luck.randint(1, 5), "records": luck.randint(1, 2)}
            rows.append(row | ({"staffing": 0.5 + number / 24} if rater == "e1" else {}))
    files = [
        write_csv(tmp_path / "long.csv", long_rows(rows)),
        write_parquet(tmp_path / "wide.parquet", wide_columns(rules, "TINYINT"), rows),
    ]
    one, other = (score_files(Sources(file), rules).reliability for file in files)
    assert one == other
    assert one is not None
    without = write_csv(tmp_path / "less.csv", [row for row in long_rows(rows) if row["criterion"] != "staffing"])
    less = score_files(Sources(without), rules).reliability
    assert less is not None
    assert less["raters"][0]["components"] != one["raters"][0]["components"]


def test_a_questionnaire_without_a_column_has_no_sums(tmp_path: Path) -> None:
    rules = four_questions(**RELIABILITY)
    rows: list[Row] = [
        {"contract": "A", "party": "recipient", "rater": f"r{n}"} | {f"r{k}": 1 + (n + k) % 5 for k in range(3)}
        for n in range(9)
    ]
    kinds = dict.fromkeys(("contract", "party", "rater"), "VARCHAR") | {f"r{k}": "TINYINT" for k in range(3)}
    told = score_files(Sources(write_parquet(tmp_path / "wide.parquet", kinds, rows)), rules).reliability
    assert told is not None
    assert told["questionnaires"] == told["raters"] == []


VARIED = ("4523", "3254", "5342", "2435", "4253", "3524")


def test_repeated_answers_of_recipients_are_named_by_their_labels(tmp_path: Path) -> None:
    others = [("B", "recipient", f"q{n}", answers) for n, answers in enumerate(VARIED * 40)]
    copied = [("A", "recipient", label, "1425") for label in ("李", "r 7", "x1", "x2")]
    plain = [("A", "recipient", "same", "2222"), ("A", "recipient", "content", "5555")]
    text = text_of(*others, *copied, *plain)
    assert signs(tmp_path, text, four_questions(**INTEGRITY)) == [
        ("A", "recipient", "r 7", "near_duplicates"),
        ("A", "recipient", "same", "long_string"),
        ("A", "recipient", "x1", "near_duplicates"),
        ("A", "recipient", "x2", "near_duplicates"),
        ("A", "recipient", "李", "near_duplicates"),
    ]


def test_answers_are_beside_those_to_the_same_service(tmp_path: Path) -> None:
    text = text_of(
        *[("B", "recipient", f"q{n}", "1425") for n in range(300)],
        *[("A", "recipient", f"r{n}", "1425") for n in range(4)],
    )
    rules = four_questions(**INTEGRITY)
    assert signs(tmp_path, text, rules, "contract,vendor,service_type\nA,v,care\nB,v,care\n") == []
    apart = signs(tmp_path, text, rules, "contract,vendor,service_type\nA,v,care\nB,v,training\n")
    assert {contract for contract, *_rest in apart} == {"A", "B"}  # nothing tells what would be usual


def test_what_does_not_apply_is_no_answer(tmp_path: Path) -> None:
    rules = four_questions(**INTEGRITY)
    assert signs(tmp_path, text_of(("A", "third_party", "e1", "44n")), rules) == []
    assert signs(tmp_path, text_of(("A", "third_party", "e1", "444")), rules) == [
        ("A", "third_party", "e1", "long_string")
    ]


def test_a_rater_who_moves_a_score_and_a_party_far_off_are_flagged(tmp_path: Path) -> None:
    text = text_of(
        ("A", "third_party", "e1", "545"),
        ("A", "third_party", "e2", "545"),
        ("A", "third_party", "e3", "121"),
        *[("A", "recipient", f"r{n}", answers) for n, answers in enumerate(("1211", "2121", "1121", "1112", "2112"))],
    )
    flags = scored(tmp_path, text, four_questions(**INTEGRITY)).flags
    assert flags is not None
    shifts = [flag for flag in flags if flag.sign == "shift"]
    assert {flag.rater for flag in shifts} == {"e1", "e2", "e3"}
    # points of 91.7, 91.7 and 8.3: without e3 the third party's mean is 27.8 higher, and half of the score is its
    assert [flag for flag in shifts if flag.rater == "e3"] == [Flag("A", "third_party", "e3", "shift", -13.89, 5.0)]
    assert [(flag.party, flag.rater, flag.threshold) for flag in flags if flag.sign == "party_gap"] == [
        ("recipient", "", 25.0),
        ("third_party", "", 25.0),
    ]


def test_favour_for_a_vendor_is_flagged_with_its_chance(tmp_path: Path) -> None:
    luck, said = random.Random(3), []
    for number in range(60):
        for place in (0, 1):
            rater = f"e{(number + place) % 4}"
            level = 5 if rater == "e1" and number % 20 == 4 else 2 + luck.choice([0, 0, 0, 1])
            said.append((f"C{number:02}", "third_party", rater, f"{level}{level}{min(5, level + 1)}"))
    contracts = "contract,vendor\n" + "".join(f"C{n:02},v{n % 20}\n" for n in range(60))
    found = signs(tmp_path, text_of(*said), four_questions(**INTEGRITY), contracts)
    favoured = {(contract, rater) for contract, _party, rater, sign in found if sign == "pair_residual"}
    assert ("C04", "e1") in favoured
    flags = scored(tmp_path, text_of(*said), four_questions(**INTEGRITY), contracts).flags or []
    assert all(flag.value <= flag.threshold == 0.05 for flag in flags if flag.sign == "pair_residual")


def test_flags_are_a_table_that_does_not_change_with_the_order_of_rows(tmp_path: Path) -> None:
    rules = four_questions(**RELIABILITY, **INTEGRITY)
    raters = [("A", "third_party", "e2", "444"), ("A", "third_party", "e1", "333"), ("A", "recipient", "r", "2222")]
    rows = text_of(*raters).splitlines(keepends=True)
    written = []
    for name, text in (("one", rows), ("two", rows[:1] + rows[:0:-1])):
        run = scored(tmp_path, "".join(text), rules)
        written.append([path.read_text("utf-8") for path in write_scores(tmp_path / name, run, rules, {})])
    assert written[0] == written[1]
    assert written[0][2] == (
        "contract,party,rater,sign,value,threshold\n"
        "A,recipient,r,long_string,1,1\n"
        "A,third_party,e1,long_string,1,1\n"
        "A,third_party,e1,shift,-6.25,5\n"
        "A,third_party,e2,long_string,1,1\n"
        "A,third_party,e2,shift,6.25,5\n"
    )
    document = json.loads(written[0][1])
    assert document["steps"]["reliability"] is document["steps"]["integrity"] is True
    assert document["reliability"]["target"] == 0.8


def test_held_ratings_are_not_looked_at(tmp_path: Path) -> None:
    text = text_of(("A", "third_party", "e1", "444"), ("A", "third_party", "e2", "343"))
    header, *rows = text.splitlines()
    held = [f"{header},held\n", *(f"{row},{'yes' if ',e1,' in row else ''}\n" for row in rows)]
    assert signs(tmp_path, "".join(held), four_questions(**INTEGRITY)) == []


def by_command(folder: Path, ratings: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, Any]:
    """The last line that is said, and what the output says of step 12."""
    rules = folder / "rules.toml"
    rules.write_text(ONE_PARTY.read_text("utf-8") + "\n[integrity]\n", "utf-8")
    assert cli.run(["score", str(ratings), "--rules", str(rules), "--out", str(folder / "out")]) == 0
    document = json.loads((folder / "out" / "scores.json").read_text("utf-8"))
    return capsys.readouterr().out.splitlines()[-1], document["steps"]["integrity"]


FOUR: list[Row] = [{"contract": "A", "rater": f"r{n}", "value": "4"} for n in range(5)]


def test_the_command_tells_how_many_signs_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")
    ratings = write(tmp_path, "contract,rater,value\n" + "".join(f"{','.join(row.values())}\n" for row in FOUR))
    flags = tmp_path / "out" / "flags.csv"
    said = f"Signs that a person must look at: 0 ({flags})"
    assert by_command(tmp_path, ratings, capsys) == (said, True)
    assert flags.read_text("utf-8") == "contract,party,rater,sign,value,threshold\n"


def test_the_command_tells_that_signs_are_not_looked_for_in_parquet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")
    ratings = write_parquet(tmp_path / "ratings.parquet", dict.fromkeys(FOUR[0], "VARCHAR"), FOUR)
    said = "Signs are not looked for in Parquet; give the ratings as .csv to see them."
    assert by_command(tmp_path, ratings, capsys) == (said, None)
    assert not (tmp_path / "out" / "flags.csv").exists()
