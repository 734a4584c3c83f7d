"""What everybody may read, through a browser; every page is checked by the client."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Role
from evalsys.collection.sample_models import Sample, SamplePart, SampleSeed
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.queries import lines_of
from evalsys.publication.usecases import publish
from evalsys.registry.models import Contract, Entry, Region
from tests.evaluation.rated import all_at, rated_entry, respond
from tests.factories import NOW, actor, make_contract, make_cycle, make_region, make_stratum, make_vendor
from tests.pages import CheckedClient

OFFICER = actor(Role.OFFICER)
WHY = "补入漏登的纸质问卷，重新计算。"


@dataclass
class Published:
    """What a test has published: two editions of one cycle, and how to find its things."""

    old: int
    new: int
    vendor: str
    first: str
    gap: str
    town: str


def publish_county(session: Session) -> Published:
    """Two towns, three scored contracts and one that is not rated; then a correction."""
    city = make_region(session, name="甲市")
    county = make_region(session, name="乙县", parent=city)
    town, other = make_region(session, name="丙镇", parent=county), make_region(session, name="丁镇", parent=county)
    vendor = make_vendor(session, name="仁爱社工中心")
    cycle = make_cycle(session, region=county, state="review", code="2025", title="2025 年度评价", year=2025)

    def enter(level: int, region: Region, **columns: Any) -> Entry:
        contract = make_contract(session, region=region, recipients_served=60, **columns)
        return rated_entry(session, cycle, contract=contract, recipients=(level,) * 12 + (4,) * 4)

    first = enter(5, town, vendor=vendor, title="照料一号", reference="QX-1")
    enter(4, town, vendor=vendor, title="照料二号", reference="QX-2")
    enter(2, other, title="排查三号", reference="QX-3", service_type="screening")
    gap = rated_entry(
        session,
        cycle,
        recipients=(5, 5),
        contract=make_contract(session, region=other, vendor=vendor, title="探访四号", reference="QX-4"),
    )
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    old = publish(session, cycle, actor=OFFICER, now=NOW).id
    for _ in range(8):
        respond(session, first, all_at(cycle, "recipient", "care", 1))
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    new = publish(session, cycle, reason=WHY, actor=OFFICER, now=NOW).id
    return Published(old, new, vendor.credit_code, "QX-1", gap.contract.reference, town.path)


@pytest.fixture
def published(write: Callable[..., Any], app: object) -> Published:
    made: Published = write(publish_county)
    return made


def text_of(client: CheckedClient, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, response.text
    return response.text


def rows(html: str) -> list[str]:
    """The contracts of the ranking in their order."""
    return re.findall(r"/contracts/(QX-\d)", html)


@pytest.mark.parametrize("address", ["/", "/rankings", "/methodology"])
def test_before_anything_is_published_pages_say_so(client: CheckedClient, address: str) -> None:
    assert "尚无公告" in text_of(client, address)


@pytest.mark.parametrize("asked", ["", "?edition=1&text=%E5%85%BB"])
def test_the_rankings_have_one_address(client: CheckedClient, asked: str) -> None:
    answer = client.get(f"/rankings/{asked}")
    assert (answer.status_code, answer.location) == (308, f"/rankings{asked}")


def test_before_anything_is_published_there_is_no_file(client: CheckedClient) -> None:
    text_of(client, "/rankings.csv", 404)


@pytest.mark.parametrize(
    "address",
    ["/vendors/91441802MA4XXXXXX0", "/contracts/none", "/editions/77", "/rankings?edition=77", "/rankings?edition=x"],
)
def test_what_was_never_published_is_not_found(client: CheckedClient, address: str) -> None:
    text_of(client, address, 404)


def test_the_home_page_leads_to_survey_and_results(client: CheckedClient, published: Published) -> None:
    page = text_of(client, "/")
    assert 'action="/s/"' in page
    assert f"/editions/{published.new}" in page
    assert f"/editions/{published.old}" not in page


def test_the_ranking_lists_everybody_by_rank_and_the_unrated_last(client: CheckedClient, published: Published) -> None:
    page = text_of(client, "/rankings")
    assert rows(page) == ["QX-2", "QX-1", "QX-3", "QX-4"]
    assert "暂不评级" in page
    assert "服务对象有效评价 2 份，至少需要 5 份。" in page
    assert "2025 年度评价 · 第 2 版" in page
    assert rows(text_of(client, f"/rankings?edition={published.old}"))[0] == "QX-1"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("type=screening", ["QX-3"]),
        ("grade=none", ["QX-4"]),
        ("q=照料", ["QX-2", "QX-1"]),
        ("sort=score", ["QX-3", "QX-1", "QX-2", "QX-4"]),
        ("sort=-score", ["QX-2", "QX-1", "QX-3", "QX-4"]),
        ("grade=nonsense", []),
        ("group=nonsense", []),
        ("endpoint=x&_external=1&reference=y", ["QX-2", "QX-1", "QX-3", "QX-4"]),
    ],
)
def test_choosing_hides_lines(client: CheckedClient, published: Published, choice: str, expected: list[str]) -> None:
    assert rows(text_of(client, f"/rankings?{choice}")) == expected


def test_choosing_never_changes_a_rank(client: CheckedClient, published: Published) -> None:
    page = text_of(client, "/rankings?q=QX-1")
    assert rows(page) == ["QX-1"]
    assert "按得分第 2 名<" in page


def test_a_region_shows_its_branch(client: CheckedClient, published: Published) -> None:
    assert set(rows(text_of(client, f"/rankings?region={published.town}"))) == {"QX-1", "QX-2"}
    county = published.town.rsplit("/", 2)[0] + "/"
    assert len(rows(text_of(client, f"/rankings?region={county}"))) == 4


def test_several_groups_are_listed_one_after_the_other(client: CheckedClient, write: Callable[..., Any]) -> None:
    def many(session: Session) -> None:
        cycle = make_cycle(session, state="review")
        for n in range(22):
            kind = "care" if n % 2 else "screening"
            contract = make_contract(session, region=session.get_one(Region, cycle.region_id), service_type=kind)
            rated_entry(session, cycle, contract=contract, recipients=(5,) * (16 - n % 9) + (2,) * (n % 9))
        run_cycle(session, cycle, actor=OFFICER, now=NOW)
        publish(session, cycle, actor=OFFICER, now=NOW)

    write(many)
    page = text_of(client, "/rankings?size=50")
    groups = re.findall(r'<tr role="row" class="band"><th [^>]*>(事务性服务|服务性服务) · 第', page)
    assert sorted(set(groups), key=groups.index) == ["服务性服务", "事务性服务"]
    assert groups == sorted(groups, reverse=True)
    noted = re.findall(
        r'<span class="note">(事务性服务|服务性服务)</span>', text_of(client, "/rankings?size=50&sort=score")
    )
    assert sorted(noted) == ["事务性服务"] * 11 + ["服务性服务"] * 11
    assert len(set(re.findall(r"/contracts/[^?]+", text_of(client, "/rankings?group=transactional")))) == 11


def test_the_table_is_taken_away_as_it_is_on_screen(client: CheckedClient, published: Published) -> None:
    answer = client.get("/rankings.csv?type=care&sort=-score")
    table = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [line[2] for line in table[1:]] == ["QX-2", "QX-1", "QX-4"]
    assert table[0][0] == "名次"
    assert table[0][16:20] == ["名次自", "名次至", "档次", "收缩后得分"]
    assert [line[16:19] for line in table[1:]] == [["1", "3", "1"], ["1", "3", "1"], [""] * 3]
    assert [bool(line[19]) for line in table[1:]] == [True, True, False]
    assert table[3][-1].startswith("服务对象有效评价 2 份")
    assert "rankings-2025-2" in answer.headers["Content-Disposition"]
    assert client.get("/rankings.xlsx").data.startswith(b"PK")
    text_of(client, "/rankings.pdf", 404)


def test_a_contract_page_tells_the_score_and_its_parts(client: CheckedClient, published: Published) -> None:
    page = text_of(client, f"/contracts/{published.first}")
    assert "得分构成" in page
    assert "满分 100 分" in page
    assert "答案分布" in page
    english = text_of(client, f"/contracts/{published.first}?lang=en")
    assert "Where the points come from" in english
    assert "with 95% confidence" in english


def test_a_contract_page_tells_how_its_recipients_were_drawn(
    client: CheckedClient, published: Published, write: Callable[..., Any]
) -> None:
    address = f"/contracts/{published.first}"
    assert "调查对象如何抽取" not in text_of(client, address)

    def draw(session: Session) -> None:
        entry = session.scalars(select(Entry).join(Contract).where(Contract.reference == published.first)).one()
        seed = SampleSeed(cycle_id=entry.cycle_id, seed="种子", source="彩票", fixed_at=NOW, fixed_by="甲")
        given = {"design": "equal", "size": 12, "size_is_percent": False, "least": 0, "spare_percent": 20}
        drawn = Sample(entry_id=entry.id, seed=seed, drawn_at=NOW, drawn_by="甲", **given)
        stratum = make_stratum(session, entry=entry, size=60)
        drawn.parts = [SamplePart(stratum_id=stratum.id, frame=60, drawn=12, spare=3, released=2)]
        session.add(drawn)
        audit.record(session, actor=OFFICER, act="collection.draw_sample", subject="cycle:2025", now=NOW)

    write(draw)
    page = text_of(client, address)
    assert "等额分层" in page
    assert "种子 (彩票)" in page
    assert "启用备用样本" in page


def test_an_unrated_contract_keeps_its_page_and_tells_why(client: CheckedClient, published: Published) -> None:
    page = text_of(client, f"/contracts/{published.gap}")
    assert "服务对象有效评价 2 份，至少需要 5 份。" in page
    assert "得分构成" not in page
    assert "总的来说，您对这项服务满意吗？" not in page  # two recipients could be recognised


def test_an_old_edition_stays_readable_under_a_banner(client: CheckedClient, published: Published) -> None:
    for address in ("/rankings?edition={}", "/contracts/QX-1?edition={}", "/editions/{}", "/methodology?edition={}"):
        old = text_of(client, address.format(published.old))
        assert "已被更正" in old
        assert f"/editions/{published.new}" in old
        assert "已被更正" not in text_of(client, address.format(published.new))


def test_an_edition_says_what_when_who_and_how_to_recompute(client: CheckedClient, published: Published) -> None:
    page = text_of(client, f"/editions/{published.new}")
    for told in (WHY, "QX-1", "测试员", "SHA-256", "evalsys "):
        assert told in page
    assert len(re.findall(r"<code>[0-9a-f]{64}</code>", page)) == 2
    assert "本次更正的内容" not in text_of(client, f"/editions/{published.old}")


def test_a_correction_without_effect_says_so(client: CheckedClient, write: Callable[..., Any]) -> None:
    def twice(session: Session) -> int:
        cycle = make_cycle(session, state="review")
        rated_entry(session, cycle)
        for reason in ("", WHY):
            run_cycle(session, cycle, actor=OFFICER, now=NOW)
            edition = publish(session, cycle, reason=reason, actor=OFFICER, now=NOW)
        return edition.id

    assert "均无变化" in text_of(client, f"/editions/{write(twice)}")


def test_a_vendor_page_gathers_its_contracts(client: CheckedClient, published: Published) -> None:
    page = text_of(client, f"/vendors/{published.vendor}")
    assert "仁爱社工中心" in page
    assert set(rows(page)) == {"QX-1", "QX-2", "QX-4"}
    assert "按服务对象人数加权" in page
    assert rows(text_of(client, f"/vendors/{published.vendor}?sort=-score")) == ["QX-2", "QX-1", "QX-4"]


def test_a_vendor_without_a_score_has_none(client: CheckedClient, write: Callable[..., Any]) -> None:
    def unrated(session: Session) -> str:
        cycle = make_cycle(session, state="review")
        rated_entry(session, cycle)
        gap = rated_entry(session, cycle, purchaser=None)
        run_cycle(session, cycle, actor=OFFICER, now=NOW)
        publish(session, cycle, actor=OFFICER, now=NOW)
        code: str = gap.contract.vendor.credit_code
        return code

    assert "因此也没有得分" in text_of(client, f"/vendors/{write(unrated)}")


def test_the_method_is_drawn_from_the_rules_with_an_example(client: CheckedClient, published: Published) -> None:
    page = text_of(client, "/methodology")
    assert "总的来说，您对这项服务满意吗？" in page
    assert "取自本版次的算例" in page
    assert "90 分至 100 分" in page
    assert "25.0%" in page  # recipients on outcomes: .5 × .5
    assert page.count("<summary>第 ") == 12  # every step's formulas but those of the one that is off
    assert "未启用：电话、代填等不同答题方式的答卷一视同仁" in page
    assert "n′ = n<sub>eff</sub> / (φ·(1 − n/F))" in page
    assert "按原始评分、每份评价同等计算" in page


def test_a_signed_in_vendor_reads_the_same_pages_and_finds_them_on_the_desk(
    sign_in: Callable[..., CheckedClient], published: Published, write: Callable[..., Any]
) -> None:
    from evalsys.registry.models import Vendor
    from tests.factories import make_account

    def account(session: Session) -> Any:
        vendor = session.scalars(select(Vendor).where(Vendor.credit_code == published.vendor)).one()
        return make_account(session, Role.VENDOR, vendor_id=vendor.id)

    browser = sign_in(write(account))
    assert f"/vendors/{published.vendor}" in text_of(browser, "/desk")
    page = browser.get("/rankings")
    assert page.headers["Cache-Control"] == "no-store"
    assert "测试用户" in page.text


def test_a_page_is_kept_and_renewed_by_a_publication(
    client: CheckedClient, published: Published, write: Callable[..., Any]
) -> None:
    first = client.get("/rankings")
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "no-cache"
    assert client.get("/rankings", headers={"If-None-Match": tag}).status_code == 304
    assert client.get("/rankings").data == first.data

    def another(session: Session) -> None:
        cycle = make_cycle(session, state="review", title="2031 年度评价", year=2031)
        rated_entry(session, cycle)
        run_cycle(session, cycle, actor=OFFICER, now=NOW)
        publish(session, cycle, actor=OFFICER, now=NOW)

    write(another)
    renewed = client.get("/rankings", headers={"If-None-Match": tag})
    assert renewed.status_code == 200
    assert "2031 年度评价" in renewed.text


def test_languages_and_addresses_are_kept_apart(client: CheckedClient, published: Published) -> None:
    chinese = client.get("/rankings").text
    assert client.get("/rankings", headers={"Accept-Language": "en"}).text != chinese
    assert client.get("/rankings").text == chinese
    assert client.get("/rankings?q=QX-1").text != chinese


def test_the_stored_lines_are_what_is_shown(
    client: CheckedClient, published: Published, write: Callable[..., Any]
) -> None:
    from evalsys.publication.queries import edition_by_id

    def scores(session: Session) -> list[str]:
        lines = lines_of(session, edition_by_id(session, published.new))
        return [f"{line.score:.2f}" for line in lines if line.score is not None]

    page = text_of(client, "/rankings")
    assert all(score in page for score in write(scores))


def test_the_way_from_answers_to_score_is_told_drawn_and_tabled(client: CheckedClient, published: Published) -> None:
    page = text_of(client, f"/contracts/{published.first}")
    for words in (
        "从原始评分到得分",
        "服务对象 60 人中 24 人作答",
        "服务对象的作答方式：本人填写 24 份",
        "距“良”还差",
        "评价员",
        "得分按评价主体构成",
    ):
        assert words in page, words
    address = f"/editions/{published.new}/contracts/{published.first}/waterfall.svg"
    assert f'src="{address}"' in page
    assert f'srcset="{address}?narrow=1"' in page
    drawn = client.get(address)
    assert drawn.mimetype == "image/svg+xml"
    assert "购买主体：原始评分" in drawn.text
    assert client.get(address, headers={"If-None-Match": drawn.headers["ETag"]}).status_code == 304


def test_a_contract_without_a_score_has_no_waterfall(client: CheckedClient, published: Published) -> None:
    assert ".svg" not in text_of(client, f"/contracts/{published.gap}").replace("icon.svg", "")
    text_of(client, f"/editions/{published.new}/contracts/{published.gap}/waterfall.svg", 404)
