"""Ratings from files: what is read, refused, stored, replaced, and never stored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from evalsys.base.access import COMMAND_LINE, Actor, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, Invalid, NotAllowed
from evalsys.base.tables import Sheet, TableFaulty, write_xlsx
from evalsys.collection.models import (
    Assessment,
    AssessmentRating,
    Assignment,
    RatingsImport,
    Response,
    ResponseRating,
)
from evalsys.collection.ratings_files import stage_ratings, stratum_names
from evalsys.collection.ratings_import import Preview, preview, take_in
from evalsys.collection.ratings_staging import Staging
from evalsys.models import metadata
from evalsys.registry.models import Stratum
from tests.collection.world import World, make_world
from tests.factories import NOW, make_account, make_contract, make_county, make_entry, make_rules

HEAD = "contract,party,rater,criterion,value,mode,stratum\n"


@pytest.fixture
def world(session: Session, app: Flask) -> World:
    made = make_world(session)
    made.contract.reference = "HT-1"
    for township, item in (("城东镇", ""), ("城西镇", "护理"), ("城西镇", "陪护"), ("城北镇", "护理")):
        session.add(Stratum(entry_id=made.entry.id, township=township, item=item, size=50))
    session.flush()
    return made


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    def written(rows: str, encoding: str = "utf-8", head: str = HEAD) -> Path:
        path = tmp_path / "ratings.csv"
        path.write_bytes((head + rows).encode(encoding))
        return path

    return written


@contextmanager
def staged(session: Session, path: Path, world: World, actor: Actor = COMMAND_LINE) -> Iterator[Staging]:
    with path.open("rb") as stream:
        staging = stage_ratings(session, stream, world.cycle, actor=actor)
    try:
        yield staging
    finally:
        staging.close()


def imported(session: Session, path: Path, world: World, *, replace: bool = False) -> Preview:
    with staged(session, path, world) as staging:
        done = take_in(session, staging, replace=replace, actor=COMMAND_LINE, now=NOW)
    session.expire_all()
    return done


def faults(session: Session, path: Path, world: World, actor: Actor = COMMAND_LINE) -> list[tuple[int, str, str]]:
    with pytest.raises(TableFaulty) as caught, staged(session, path, world, actor):
        pass
    return [(fault.row, fault.column.split(" ")[1], fault.wrong) for fault in caught.value.faults]


ROWS = (
    "HT-1,recipient,张三,recipient_satisfied,5,self,城东镇\n"
    "HT-1,recipient,张三,recipient_reachable,na,self,城东镇\n"
    "HT-1,recipient,李四,recipient_satisfied,2,telephone,城西镇/护理\n"
    "HT-1,third_party,评委一,third_goals,4,,\n"
    "HT-1,third_party,评委一,third_privacy,2,,\n"
    "HT-1,purchaser,民政局,purchaser_staff_share,0.85,,\n"
    "HT-1,purchaser,民政局,purchaser_correction,不适用,,\n"
)


def test_a_file_becomes_responses_and_submitted_assessments(
    session: Session, world: World, file: Callable[..., Path]
) -> None:
    done = imported(session, file(ROWS), world)
    assert {(c.party, c.contracts, c.raters, c.ratings) for c in done.counts} == {
        ("recipient", 1, 2, 3),
        ("third_party", 1, 1, 2),
        ("purchaser", 1, 1, 2),
    }
    responses = session.scalars(select(Response).order_by(Response.mode)).all()
    townships = [session.get_one(Stratum, r.stratum_id).township for r in responses]
    assert [(r.mode, r.time_band, t) for r, t in zip(responses, townships, strict=True)] == [
        ("self", "unknown", "城东镇"),
        ("telephone", "unknown", "城西镇"),
    ]
    answers = session.execute(select(ResponseRating.criterion, ResponseRating.value))
    assert sorted(map(tuple, answers), key=str) == [
        ("recipient_reachable", None),
        ("recipient_satisfied", 2.0),
        ("recipient_satisfied", 5.0),
    ]
    assessments = session.scalars(select(Assessment).order_by(Assessment.party)).all()
    assert [(a.party, a.rater_label, a.state) for a in assessments] == [
        ("purchaser", "民政局", "submitted"),
        ("third_party", "评委一", "submitted"),
    ]
    assert [(r.criterion, r.value, r.not_applicable) for r in assessments[0].ratings] == [
        ("purchaser_correction", None, True),
        ("purchaser_staff_share", 0.85, False),
    ]


def test_recipients_labels_stand_nowhere_in_the_database(
    session: Session, world: World, file: Callable[..., Path]
) -> None:
    imported(session, file(ROWS), world)
    for table in metadata.sorted_tables:
        for row in session.execute(text(f'SELECT * FROM "{table.name}"')):
            assert "张三" not in str(row), table.name


def test_an_import_leaves_an_entry_with_the_hash_of_its_sorted_rows(
    session: Session, world: World, file: Callable[..., Path]
) -> None:
    rows = "HT-1,recipient,b,recipient_satisfied,3,,\nHT-1,recipient,a,recipient_satisfied,4,,\n"
    imported(session, file(rows), world)
    canonical = "".join(
        "\x1f".join(("HT-1", "recipient", rater, "recipient_satisfied", value, "self", "", "", "\n"))
        for rater, value in (("a", "4"), ("b", "3"))
    )
    entry = session.scalars(select(AuditEntry)).one()
    assert entry.act == "collection.import_ratings"
    assert entry.detail == {"hash": hashlib.sha256(canonical.encode()).hexdigest(), "rows": 2, "replaced": 0}


@pytest.mark.parametrize(
    ("encoding", "head"),
    [
        ("utf-8-sig", HEAD),
        ("gb18030", "合同编号,评价主体,评价人,评价指标,评分,作答方式,乡镇\n"),
        ("utf-16", "Contract；Party；Rater；Criterion；Value；Mode；Stratum\n".replace("；", ",")),
    ],
)
def test_the_same_rows_are_the_same_file_however_they_are_written(
    session: Session, world: World, file: Callable[..., Path], encoding: str, head: str
) -> None:
    imported(session, file(ROWS), world)
    other = "".join(reversed(ROWS.splitlines(keepends=True)))
    other = other.replace("recipient,张", "服务对象,张").replace(",self,", ",本人填写,").replace(",5,", ",５.0,")
    other = other.replace("third_goals", "项目目标的实现程度")
    again = imported(session, file(other, encoding, head), world)
    assert again.unchanged
    assert session.scalar(select(func.count()).select_from(RatingsImport)) == 1


def test_a_workbook_is_read_too(session: Session, world: World, tmp_path: Path) -> None:
    path = tmp_path / "ratings.xlsx"
    rows = [["HT-1", "服务对象", 1, "recipient_satisfied", 5, None, None]]
    path.write_bytes(write_xlsx([Sheet("评分", HEAD.strip().split(","), rows)]))
    assert imported(session, path, world).counts[0].ratings == 1


def test_a_date_or_a_lost_figure_in_a_workbook_is_told(session: Session, world: World, tmp_path: Path) -> None:
    path = tmp_path / "ratings.xlsx"
    rows = [
        ["HT-1", "recipient", 1, "recipient_satisfied", date(2026, 11, 2)],
        ["HT-1", "recipient", True, "recipient_satisfied", 5],
        [4418020202600001234.0, "recipient", 1, "recipient_satisfied", 5],
        ["HT-1", "purchaser", 1, "purchaser_staff_share", 0.85],
    ]
    path.write_bytes(write_xlsx([Sheet("评分", HEAD.strip().split(",")[:5], rows)]))
    assert [(row, column) for row, column, _wrong in faults(session, path, world)] == [(2, "value"), (4, "contract")]


def test_every_faulty_cell_is_listed_and_nothing_is_staged(
    session: Session, world: World, file: Callable[..., Path]
) -> None:
    other = make_entry(session, cycle=world.cycle, contract=make_contract(session, reference="HT-9"))
    assert other.id
    rows = (
        "HT-0,recipient,a,recipient_satisfied,5,,\n"  # row 2
        "HT-1,nobody,a,recipient_satisfied,5,,\n"
        "HT-1,recipient,,recipient_satisfied,5,,\n"
        "HT-1,recipient,a,third_goals,5,,\n"
        "HT-1,recipient,a,recipient_satisfied,6,,\n"
        "HT-1,recipient,a,recipient_satisfied,na,,\n"
        "HT-1,recipient,a,recipient_satisfied,很好,,\n"
        "HT-1,recipient,a,recipient_on_time,5,邮寄,\n"
        "HT-1,recipient,a,recipient_on_time,5,,城南镇\n"
        "HT-1,recipient,a,recipient_on_time,5,,城西镇\n"
        "HT-1,third_party,a,third_goals,5,self,\n"
        "HT-1,third_party,a,third_goals,5,,城东镇\n"
        f"HT-1,recipient,{'长' * 61},recipient_on_time,5,,\n"
        "HT-1,purchaser,a,purchaser_reach,5,,\n"
        "HT-9,recipient,a,recipient_satisfied,5,,\n"
    )
    told = faults(session, file(rows), world, world.administrator.as_actor())
    assert [(row, column) for row, column, _wrong in told] == [
        (2, "contract"),
        (3, "party"),
        (4, "rater"),
        (5, "criterion"),
        (6, "value"),
        (7, "value"),
        (8, "value"),
        (9, "mode"),
        (10, "stratum"),
        (11, "stratum"),
        (12, "mode"),
        (13, "stratum"),
        (14, "rater"),
        (15, "criterion"),
        (16, "contract"),
    ]
    assert "其他地区" in told[-1][2]


def test_a_faulty_recipients_label_is_not_shown(session: Session, world: World, file: Callable[..., Path]) -> None:
    with pytest.raises(TableFaulty) as caught, staged(session, file(f"HT-1,recipient,{'长' * 61},x,5,,\n"), world):
        pass
    assert caught.value.faults[0].value == ""


def test_doubles_and_contradictions_are_told_with_both_places(
    session: Session, world: World, file: Callable[..., Path]
) -> None:
    rows = (
        "HT-1,recipient,a,recipient_satisfied,5,self,城东镇\n"
        "HT-1,recipient,a,recipient_satisfied,4,self,城东镇\n"
        "HT-1,recipient,b,recipient_satisfied,4,self,城东镇\n"
        "HT-1,recipient,b,recipient_on_time,4,paper,城北镇\n"
    )
    told = faults(session, file(rows), world)
    assert [(row, column) for row, column, _wrong in told] == [(3, "criterion"), (5, "mode"), (5, "stratum")]
    assert "第 2 行" in told[0][2]
    assert "paper" in told[1][2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "文件是空的"),
        (HEAD.encode(), "只有表头"),
        (b"contract,party,rater,value\nHT-1,recipient,a,5\n", "表头"),
        (b"a,b\n1,2\n", "没有这张表"),
        (HEAD.encode() + b'HT-1,recipient,"a,recipient_satisfied,5,,\n', "引号"),
        (b"\x00\x01\x02\x03", "既不是"),
        (b"\xd0\xcf\x11\xe0....", ".xls"),
    ],
)
def test_what_is_no_table_of_ratings(session: Session, world: World, tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "broken"
    path.write_bytes(content)
    with pytest.raises(Invalid) as caught, staged(session, path, world):
        pass
    assert said in caught.value.message
    assert caught.value.remedy


def test_how_strata_may_be_written() -> None:
    names = stratum_names([("城东镇", ""), ("城西镇", "护理"), ("城西镇", "陪护"), ("城北镇", "护理")])
    assert names["城东镇"] == "城东镇/"
    assert names["城北镇"] == "城北镇/护理"
    assert "城西镇" not in names
    assert names["城西镇/陪护"] == "城西镇/陪护"


# ── The same file, and a changed one ──


def responses(session: Session) -> set[bytes]:
    return set(session.scalars(select(Response.key)))


def test_a_changed_file_needs_replace_and_replaces_only_what_it_touches(
    session: Session, world: World, file: Callable[..., Path]
) -> None:
    other = make_entry(
        session, cycle=world.cycle, contract=make_contract(session, region=world.county, reference="HT-2")
    )
    first = ROWS + "HT-2,recipient,x,recipient_satisfied,1,,\n"
    imported(session, file(first), world)
    on_the_web = Response(key=b"w" * 16, entry_id=world.entry.id, mode="self", time_band="over_60")
    session.add(on_the_web)
    session.flush()
    untouched = set(session.scalars(select(Response.key).where(Response.entry_id == other.id)))
    changed = file("HT-1,recipient,张三,recipient_satisfied,1,,\n")
    before = responses(session)
    with pytest.raises(Conflict) as caught:
        imported(session, changed, world)
    assert caught.value.details == ("HT-1, recipient",)
    assert responses(session) == before
    done = imported(session, changed, world, replace=True)
    assert done.replaced == [("HT-1", "recipient")]
    assert responses(session) & before == untouched | {b"w" * 16}
    assert session.scalar(select(func.count()).select_from(Assessment)) == 2
    assert session.scalar(select(func.count()).select_from(RatingsImport)) == 2


def test_the_first_file_again_after_a_part_of_it_was_replaced_is_not_taken_for_unchanged(
    session: Session, world: World, file: Callable[..., Path]
) -> None:
    imported(session, file(ROWS), world)
    imported(session, file("HT-1,third_party,评委一,third_goals,1,,\n"), world, replace=True)
    with staged(session, file(ROWS), world) as staging:
        found = preview(session, staging, actor=COMMAND_LINE)
    assert not found.unchanged
    assert len(found.replaced) == 3
    imported(session, file(ROWS), world, replace=True)
    assert session.scalar(select(func.count()).select_from(RatingsImport)) == 1
    assert set(session.scalars(select(AssessmentRating.value).where(AssessmentRating.criterion == "third_goals"))) == {
        4
    }


def test_many_replaced_pairs_are_counted_after_the_first_ones(
    session: Session, world: World, file: Callable[..., Path]
) -> None:
    rows = []
    for number in range(22):
        contract = make_contract(session, region=world.county, reference=f"M-{number:02d}")
        make_entry(session, cycle=world.cycle, contract=contract)
        rows.append(f"M-{number:02d},recipient,a,recipient_satisfied,{{value}},,\n")
    imported(session, file("".join(rows).format(value=5)), world)
    with pytest.raises(Conflict) as caught:
        imported(session, file("".join(rows).format(value=4)), world)
    assert len(caught.value.details) == 21
    assert "2" in caught.value.details[-1]


@pytest.mark.parametrize("state", ["preliminary", "published", "closed"])
def test_ratings_come_in_while_collecting_or_under_review_only(
    session: Session, world: World, file: Callable[..., Path], state: str
) -> None:
    world.cycle.state = "review"
    session.flush()
    with staged(session, file(ROWS), world) as staging:
        assert not preview(session, staging, actor=COMMAND_LINE).unchanged
        world.cycle.state = state
        session.flush()
        with pytest.raises(Conflict):
            take_in(session, staging, replace=False, actor=COMMAND_LINE, now=NOW)


def test_only_an_administrator_imports(session: Session, world: World, file: Callable[..., Path]) -> None:
    with staged(session, file(ROWS), world) as staging, pytest.raises(NotAllowed):
        take_in(session, staging, replace=False, actor=world.auditor.as_actor(), now=NOW)
    elsewhere = make_account(session, Role.ADMINISTRATOR, region=make_county(session))
    told = faults(session, file(ROWS), world, elsewhere.as_actor())
    assert {column for _row, column, _wrong in told} == {"contract"}


def test_what_changed_between_reading_and_storing_is_noticed(
    session: Session, world: World, file: Callable[..., Path]
) -> None:
    with staged(session, file(ROWS), world) as staging:
        session.query(Stratum).delete()
        with pytest.raises(Conflict):
            take_in(session, staging, replace=False, actor=COMMAND_LINE, now=NOW)
    with staged(session, file("HT-1,recipient,a,recipient_satisfied,5,,\n"), world) as staging:
        session.query(Assignment).delete()
        session.delete(world.entry)
        world.contract.reference = "HT-other"
        session.query(RatingsImport).delete()
        session.flush()
        with pytest.raises(Conflict):
            preview(session, staging, actor=COMMAND_LINE)


def test_rules_pinned_after_the_file_was_read_are_noticed(
    session: Session, world: World, file: Callable[..., Path]
) -> None:
    with staged(session, file(ROWS), world) as staging:
        world.cycle.rules_id = make_rules(session, b"# another version\n").id
        session.flush()
        with pytest.raises(Conflict):
            preview(session, staging, actor=COMMAND_LINE)


def test_progress_is_told_now_and_then(session: Session, world: World, file: Callable[..., Path]) -> None:
    rows = "".join(f"HT-1,recipient,{n},recipient_satisfied,{n % 5 + 1},,\n" for n in range(50_001))
    told: list[int] = []
    with file(rows).open("rb") as stream:
        stage_ratings(session, stream, world.cycle, actor=COMMAND_LINE, progress=told.append).close()
    assert told == [50_000]


def test_a_kept_staging_holds_no_recipients_label(session: Session, world: World, file: Callable[..., Path]) -> None:
    with staged(session, file(ROWS), world) as staging:
        content = staging.content()
    assert "张三".encode() not in content
    assert "评委一".encode() in content
    restored = Staging.restored(content)
    assert take_in(session, restored, replace=False, actor=COMMAND_LINE, now=NOW).counts
    restored.close()
