"""The worked example of the method page: reckoned anew from open data, against the scoring core and the edition."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from evalsys.base import language
from evalsys.base.access import Role
from evalsys.config import Settings
from evalsys.evaluation.naming import Names
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication import worked_example
from evalsys.publication.bundle.recomputation import Recomputed, recomputed
from evalsys.publication.keys import key_folder
from evalsys.publication.models import Edition, EditionRecord, EditionScore
from evalsys.publication.queries import lines_of, rules_of_edition
from evalsys.publication.sealing import record_of as record_in
from evalsys.publication.sealing import seal
from evalsys.publication.usecases import publish
from evalsys.publication.worked_example import _cell, example_of, worked
from evalsys.publication.worked_words import chapters
from evalsys.rules.loading import loads
from evalsys.scoring.arrays import Vector
from tests.evaluation.rated import rated_cycle, rated_entry
from tests.factories import NOW, actor, make_contract
from tests.pages import CheckedClient
from tests.publication.bundle.made import RULES_TEXT, SEED, made_files, signed

OFFICER = actor(Role.OFFICER)
GEOMETRIC = RULES_TEXT.replace(b'aggregation = "arithmetic"', b'aggregation = "geometric"')
ADJUSTED = (
    RULES_TEXT
    + b"""
[adjustment]
ground.zh = "\xe6\x8d\xae"
ground.en = "ground"
[[adjustment.coefficients]]
dimension = "outcomes"
mode = "telephone"
points = 3.2
"""
)
CAPPED = RULES_TEXT.replace(b"dimension_below = 40", b"dimension_below = 99")
_numbers = itertools.count()


def record_of(files: dict[str, bytes]) -> EditionRecord:
    """A seal of its own; the hash names it."""
    return EditionRecord(hash=str(next(_numbers)), bundle=signed(files))


def recalculated(files: dict[str, bytes]) -> Recomputed:
    return recomputed(files, seed=SEED)


@pytest.mark.parametrize("rules_text", [RULES_TEXT, GEOMETRIC, ADJUSTED], ids=["arithmetic", "geometric", "adjusted"])
def test_plain_arithmetic_gives_what_the_core_gives(rules_text: bytes) -> None:
    files = made_files(rules_text)
    found = recalculated(files)
    record = record_of(files)
    for c, contract in enumerate(found.result.contracts):
        told = worked(record, contract, found.rules)
        assert told is not None
        ends = [found.result.score[c], found.result.low[c], found.result.high[c]]
        assert [told.score, told.low, told.high] == pytest.approx(ends, abs=1e-9)
        assert list(told.chances.values()) == pytest.approx(found.result.chances[c].tolist(), abs=1e-9)
        for cell in told.cells:
            p = [party.code for party in found.rules.parties].index(cell.party)
            d = [dimension.code for dimension in found.rules.dimensions].index(cell.dimension)
            cells = found.result.cells
            stated: list[Vector] = [cells.estimate, cells.low, cells.high, cells.weight]
            assert [cell.estimate, cell.low, cell.high, cell.share] == pytest.approx(
                [float(one[c, p, d]) for one in stated], abs=1e-9
            )
    assert worked(record, "C99", found.rules) is None


def test_what_the_bundle_does_not_tell_is_not_reckoned() -> None:
    files = made_files()
    rules = loads(RULES_TEXT, "x")
    assert worked(EditionRecord(hash="withdrawn", bundle=None), "C01", rules) is None
    few = [line for line in files["inputs.csv"].decode().splitlines() if not line.startswith("C01,recipient")]
    assert worked(record_of(files | {"inputs.csv": "\n".join(few).encode()}), "C01", rules) is None


def test_a_bundle_is_read_once_for_a_contract() -> None:
    record = record_of(made_files())
    rules = loads(RULES_TEXT, "x")
    first = worked(record, "C01", rules)
    assert worked(EditionRecord(hash=record.hash, bundle=b"not looked at"), "C01", rules) == first


@pytest.mark.parametrize(
    ("answers", "frame", "dispersion", "standing"),
    [
        ("5,5,5,50,0,0", "", 0.5, 10.0),  # all alike: the pooled spread stands
        ("5,5,5,50,0,0", "5", 0.5, math.inf),  # everybody answered
        ("5,5,5,100,0,0", "4", 0.5, 10.0),  # more answers than the frame holds: it is no frame
        ("5,5,5,50,0,500", "", (8 * 0.5 + 4 * 0.0125 / 0.25) / 12, 5 / 0.35),
    ],
)
def test_the_spread_of_a_cell(answers: str, frame: str, dispersion: float, standing: float) -> None:
    n, weight, squares, centre, total, products = answers.split(",")
    rules = loads(RULES_TEXT, "x")
    recipients = {"party": "recipient", "dimension": "outcomes", "other_dimension": "", "rater": "", "n": n}
    row = recipients | {"weight": weight, "squares": squares, "centre": centre, "sum": total, "products": products}
    told = {"contracts.csv": [{"frame": frame}], "inputs.csv": [row], "adjusted.csv": [], "raters.csv": []}
    terms = {("dispersion", "recipient", "outcomes", ""): 0.5}
    cell = _cell("recipient", "outcomes", told, rules, terms, frame=float(frame or "nan"), z=1.96)
    assert cell is not None
    assert (cell.dispersion, cell.standing) == pytest.approx((dispersion, standing))


@pytest.fixture
def chinese() -> Iterator[None]:
    app = Flask("words")
    language.install(app)
    with app.app_context():
        yield


def line_of(found: Recomputed, **breakdown: Any) -> EditionScore:
    """The published line of contract C01."""
    result = found.result
    place = result.contracts.index("C01")
    grade = found.rules.grades[int(result.grade[place])].code
    kept = {"capped": False, "ranked": 6} | breakdown
    return EditionScore(contract_reference="C01", score=float(result.score[place]), grade=grade, breakdown=kept)


@pytest.mark.usefixtures("chinese")
def test_every_step_is_told_with_its_numbers() -> None:
    files = made_files()
    found = recalculated(files)
    told = worked(record_of(files), "C01", found.rules)
    assert told is not None
    line = line_of(
        found,
        shrunken={"reliability": 0.8, "peer_mean": 70.0, "value": 0.8 * told.score + 14},
        rank_set={"low": 2, "high": 5},
    )
    steps = chapters(told, line, Names(found.rules))
    titles = ["各方的评价", "服务对象的评价有多准", "购买主体、评价机构的评价有多准", "总分", "误差范围"]
    assert [step.title for step in steps] == [*titles, "与同组比较后的估计", "等级", "名次"]
    assert steps[0].cells
    text = "\n".join(part for step in steps for part in [*step.told, *map(str, step.sums)])
    for number in (told.score, told.low, told.high, *(cell.estimate for cell in told.cells)):
        assert f"{number:.4f}" in text
    assert "同组 6 个已计分项目中，确定高于它的有 1 个，确定低于它的有 1 个" in text
    assert "_" not in text


@pytest.mark.usefixtures("chinese")
def test_steps_that_are_not_there_are_left_out() -> None:
    files = made_files(CAPPED)
    found = recalculated(files)
    told = worked(record_of(files), "C01", found.rules)
    assert told is not None
    line = line_of(found, capped=True, shrunken={"reliability": None})
    steps = chapters(told, line, Names(found.rules))
    assert [step.title for step in steps][-2:] == ["误差范围", "等级"]
    assert "封顶" in steps[-1].told[0]
    appointed = replace(told, cells=[cell for cell in told.cells if cell.party != "recipient"])
    assert "服务对象的评价有多准" not in [step.title for step in chapters(appointed, line, Names(found.rules))]
    asked = replace(told, cells=[cell for cell in told.cells if cell.party == "recipient"], frame=None)
    assert "购买主体、评价机构的评价有多准" not in [s.title for s in chapters(asked, line, Names(found.rules))]


@pytest.mark.usefixtures("chinese")
def test_dimensions_that_are_multiplied_and_answers_that_are_all_alike_are_told_so() -> None:
    files = made_files(GEOMETRIC)
    found = recalculated(files)
    told = worked(record_of(files), "C01", found.rules)
    assert told is not None
    alike = replace(told, cells=[replace(cell, variance=0.0, adjusted=1.5) for cell in told.cells])
    text = "\n".join(str(one) for step in chapters(alike, line_of(found), Names(found.rules)) for one in step.sums)
    assert "φ = φ<sub>pool</sub> = " in text
    assert " + 1.5000 = " in text
    assert re.search(r"服务成效: .* / 0\.5000 = ", text)


def publish_some(session: Session, settings: Settings) -> Edition:
    """A sealed edition: five contracts of one group, one of another."""
    cycle = rated_cycle(session, code="2026")
    for n in range(4):
        contract = make_contract(session, reference=f"QX-{n}", recipients_served=60)
        rated_entry(session, cycle, contract=contract, recipients=(5,) * (9 + n) + (2,) * (7 - n))
    other = make_contract(session, service_type="screening", recipients_served=60)
    rated_entry(session, cycle, contract=other)
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    edition = publish(session, cycle, actor=OFFICER, now=NOW)
    seal(session, edition, key_folder(settings), actor=OFFICER, now=NOW)
    return edition


def test_the_example_is_the_middle_of_the_largest_group_and_agrees_with_the_edition(
    client: CheckedClient, write: Callable[..., Any], settings: Settings
) -> None:
    def look(session: Session) -> tuple[int, str]:
        edition = publish_some(session, settings)
        line = example_of(session, edition)
        rules = rules_of_edition(edition)
        assert line is not None
        told = worked(record_in(session, edition), line.contract_reference, rules)
        assert told is not None
        group = [one for one in lines_of(session, edition) if one.peer_group == line.peer_group and one.score]
        assert line.score == sorted(one.score for one in group if one.score)[len(group) // 2]
        assert [told.score, told.low, told.high] == pytest.approx([line.score, line.low, line.high], abs=1e-9)
        assert [told.chances[grade] for grade in told.chances] == pytest.approx(
            [line.breakdown["chances"][grade] for grade in told.chances], abs=1e-9
        )
        stated = {(cell["party"], cell["dimension"]): cell for cell in line.breakdown["cells"]}
        for cell in told.cells:
            kept = stated[cell.party, cell.dimension]
            assert [cell.estimate, cell.low, cell.high, cell.share] == pytest.approx(
                [kept["estimate"], kept["low"], kept["high"], kept["weight"]], abs=1e-9
            )
        drawn = line.breakdown["shrunken"]
        assert drawn["value"] == pytest.approx(
            drawn["reliability"] * told.score + (1 - drawn["reliability"]) * drawn["peer_mean"], abs=1e-9
        )
        return edition.id, f"{told.score:.4f}"

    number, score = write(look)
    page = client.get(f"/methodology?edition={number}").text
    assert f"= {score}</p>" in page
    assert "选取办法" in page
    assert "公式中的符号说明" in page


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_contract_that_all_parties_judged_is_preferred(
    write: Callable[..., Any], app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app

    def look(session: Session) -> None:
        assert example_of(session, Edition(id=0)) is None
        edition = publish_some(session, settings)
        ordinary = example_of(session, edition)
        assert ordinary is not None
        original = worked_example._all_judged

        def not_that_one(line: EditionScore) -> bool:
            return line.id != ordinary.id and original(line)

        monkeypatch.setattr(worked_example, "_all_judged", not_that_one)
        other = example_of(session, edition)
        assert other is not None
        assert other.peer_group == ordinary.peer_group
        assert other.id != ordinary.id
        monkeypatch.setattr(worked_example, "_all_judged", lambda _line: False)
        last = example_of(session, edition)
        assert last is not None
        assert last.id == ordinary.id

    write(look)
