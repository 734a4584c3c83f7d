"""The ranking as people use it: chosen, compared, printed and taken away."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from sqlalchemy.orm import Session

from evalsys.publication.models import Edition
from tests.factories import make_county, make_cycle
from tests.pages import CheckedClient
from tests.publication.editions import make_edition, make_line

OTHER = "914418000000000002"
RANKED = {"rank_low": 1, "rank_high": 2, "band": 1}


@dataclass
class Years:
    """Two editions of one county, by their numbers."""

    then: int
    now: int


def publish_two_years(session: Session) -> Years:
    """R-2 fell beyond chance, R-1 rose within it, R-3 is new and not rated."""
    county, made = make_county(session), []
    for year in (2024, 2025):
        days = {"opens_on": date(year, 10, 1), "closes_on": date(year, 12, 31)}
        cycle = make_cycle(
            session, region=county, state="published", year=year, code=str(year), title=f"{year} 年度评价", **days
        )
        made.append(make_edition(session, cycle))
    then, now = made
    make_line(session, then, "Q-1", 84, rank=1, **RANKED)
    make_line(session, then, "R-2", 90, vendor_credit_code=OTHER, rank=2, **RANKED)
    make_line(session, now, "R-1", 86, rank=1, recipients_served=300, **RANKED)
    make_line(session, now, "R-2", 80, rank=2, vendor_credit_code=OTHER, vendor_name="和邻中心", **RANKED)
    make_line(session, now, "R-3", None, vendor_credit_code="914418000000000003", vendor_name="新来的")
    return Years(then.id, now.id)


@pytest.fixture
def years(write: Callable[..., Any], app: object) -> Years:
    made: Years = write(publish_two_years)
    return made


def text_of(client: CheckedClient, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, response.text
    return response.text


def row(page: str, reference: str) -> str:
    """The text of a contract's row."""
    found = next(part for part in re.findall(r'<tr role="row">.*?</tr>', page, re.DOTALL) if f"/{reference}?" in part)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found))


def test_a_row_says_who_answered_and_what_became_of_the_year_before(client: CheckedClient, years: Years) -> None:
    page = text_of(client, "/rankings")
    assert "62.5% 30 份答卷" in row(page, "R-1")
    assert "提高 2.00 分 误差范围内" in row(page, "R-1")
    assert "下降 10.00 分 真实变化" in row(page, "R-2")
    assert "—" in row(page, "R-3")
    assert "2024 年度评价 · 第 1 版" in page
    assert "与上年比较的对象" not in text_of(client, f"/rankings?edition={years.then}")


@pytest.mark.parametrize(
    ("asked", "expected"), [("served=300-599", {"R-1"}), ("served=1-299", {"R-2", "R-3"}), ("served=x", set())]
)
def test_contracts_of_a_size_are_chosen_by_link(
    client: CheckedClient, years: Years, asked: str, expected: set[str]
) -> None:
    assert set(re.findall(r"/contracts/(R-\d)\?", text_of(client, f"/rankings?{asked}"))) == expected


def test_links_keep_the_choice(client: CheckedClient, years: Years) -> None:
    page = text_of(client, f"/rankings?edition={years.now}&served=1-299&sort=-score&size=50")
    links = [link for link in re.findall(r'href="(/rankings[^"]*\?[^"]*)"', page) if "sort=" in link]
    assert len(links) == 8  # five headers, two files, the print view
    assert all(f"edition={years.now}" in link and "served=1-299" in link and "size=50" in link for link in links)
    form = page[page.index('<form class="panel filters') :]
    assert '<input type="hidden" name="size" value="50">' in form
    assert '<input type="hidden" name="sort" value="-score">' in form


def test_a_result_grows_old_on_its_day_even_where_pages_are_kept(client: CheckedClient, years: Years) -> None:
    with time_machine.travel(datetime(2026, 12, 30, 15, 59, tzinfo=UTC), tick=False) as clock:
        assert "成绩已满一年" not in row(text_of(client, "/rankings"), "R-1")
        tag = client.get("/rankings").headers["ETag"]
        clock.move_to(datetime(2026, 12, 30, 16, 1, tzinfo=UTC))  # the 31st in China
        answer = client.get("/rankings", headers={"If-None-Match": tag})
        assert answer.status_code == 200
        assert "成绩已满一年" in row(answer.text, "R-1")
        assert "成绩已满一年" in text_of(client, "/contracts/R-1")


def test_the_print_view_holds_the_whole_list_with_its_address_and_day(
    client: CheckedClient, years: Years, write: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(datetime(2026, 11, 23, 4, tzinfo=UTC), tick=False):
        page = text_of(client, "/rankings?print=1&page=7&sort=score")
    assert set(re.findall(r"/contracts/(R-\d)\?", page)) == {"R-1", "R-2", "R-3"}
    assert (
        f"打印于 2026年11月23日，网址：http://localhost/rankings?page=7&amp;sort=score&amp;edition={years.now}" in page
    )
    assert "<form" not in page
    assert 'href="/rankings?page=7&amp;sort=score"' in page  # back
    assert "Excel 文件。" not in page
    monkeypatch.setattr("evalsys.publication.queries.WHOLE", 2)
    assert "共 3 行，此处只列前 2 行" in text_of(client, "/rankings?print=1")


def test_the_files_tell_what_the_screen_tells(
    client: CheckedClient, years: Years, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evalsys.publication.queries.WHOLE", 2)  # in two parts
    with time_machine.travel(datetime(2027, 1, 1, tzinfo=UTC), tick=False):
        data = client.get("/rankings.csv").data.decode("utf-8-sig")
    table = list(csv.reader(io.StringIO(data)))
    places = {name: table[0].index(name) for name in table[0]}
    names = ("合同编号", "应答率", "评价截至", "成绩已满一年", "上年得分", "变化", "变化下限", "变化上限", "变化说明")
    told = [[line[places[name]] for name in names] for line in table[1:]]
    arm = 8**0.5
    ends = {change: [f"{change - arm:.6f}", f"{change + arm:.6f}"] for change in (2.0, -10.0)}
    answered = ["0.625", "2025-12-31", "是"]
    assert told == [
        ["R-1", *answered, "84.0", "2.0", *ends[2.0], "误差范围内"],
        ["R-2", *answered, "90.0", "-10.0", *ends[-10.0], "真实变化"],
        ["R-3", *answered, "", "", "", "", ""],
    ]
    assert table[1][places["对比对象"]] == "2024 年度评价 1, 该承接主体同类服务"
    assert table[2][places["对比对象"]] == "2024 年度评价 1, 本项目"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_is_kept_like_a_page(client: CheckedClient, years: Years, kind: str) -> None:
    first = client.get(f"/rankings.{kind}")
    again = client.get(f"/rankings.{kind}")
    assert (again.data, again.headers["Content-Disposition"]) == (first.data, first.headers["Content-Disposition"])
    asked = {"If-None-Match": first.headers["ETag"]}
    assert client.get(f"/rankings.{kind}", headers=asked).status_code == 304


def test_the_chosen_stand_beside_each_other_with_the_reason(client: CheckedClient, years: Years) -> None:
    ranking = text_of(client, "/rankings")
    assert 'action="/compare"' in ranking
    assert ranking.count('type="checkbox" name="contract"') == 3
    asked = f"/compare?edition={years.now}&amp;contract=R-1&amp;contract=R-2"
    assert ranking.count("为何高于下一项") == 1
    assert f'href="{asked}"' in ranking
    page = text_of(client, asked.replace("&amp;", "&"))
    assert "“项目 R-1”为何高于“项目 R-2”" in page
    assert "高出 6.00 分。" in page
    assert "名次区间有重叠" in page
    assert "+0.67" in page  # a ninth of the six points in each of nine cells
    assert "移出对比" not in page
    assert f"/compare?edition={years.now}&amp;vendor=914418000000000001&amp;vendor={OTHER}" in page
    three = text_of(client, "/compare?contract=R-3&contract=R-2&contract=R-1")
    assert three.count("移出对比") == 3
    assert "没有得分的不分先后" in three


def test_equal_scores_are_not_called_higher(client: CheckedClient, years: Years, write: Callable[..., Any]) -> None:
    def twins(session: Session) -> None:
        edition = session.get_one(Edition, years.now)
        for reference in ("T-1", "T-2"):
            make_line(session, edition, reference, 70)

    write(twins)
    page = text_of(client, "/compare?contract=T-1&contract=T-2")
    assert "“项目 T-1”与“项目 T-2”" in page
    assert "为何高于" not in page


def test_vendors_stand_beside_each_other_too(client: CheckedClient, years: Years) -> None:
    page = text_of(client, f"/compare?vendor={OTHER}&vendor=914418000000000001")
    assert "承接主体对比" in page
    assert "“仁爱社工中心”为何高于“和邻中心”" in page
    assert "再加一家" in page


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ("contract=R-1", 422, "可对比 2 至 4 项，现选了 1 项"),
        ("", 422, "现选了 0 项"),
        ("contract=1&contract=2&contract=3&contract=4&contract=5", 422, "现选了 5 项"),
        ("contract=R-1&contract=Q-1", 404, "它在“2024 年度评价”第 1 版中"),
        ("contract=R-1&contract=%3Cb%3E", 404, "&lt;b&gt;"),
        ("edition=77&contract=R-1&contract=R-2", 404, "没有这一版次"),
    ],
)
def test_what_cannot_be_compared_is_answered_in_words(
    client: CheckedClient, years: Years, asked: str, status: int, told: str
) -> None:
    assert told in text_of(client, f"/compare?{asked}", status)


def test_before_anything_is_published_there_is_nothing_to_compare(client: CheckedClient) -> None:
    assert "尚无公告" in text_of(client, "/compare?contract=R-1&contract=R-2")


def test_one_alone_is_not_offered_for_comparison(client: CheckedClient, years: Years) -> None:
    assert "checkbox" not in text_of(client, "/rankings?q=R-1")


def test_a_contract_page_tells_the_trend(client: CheckedClient, years: Years) -> None:
    page = text_of(client, "/contracts/R-2")
    assert "本项目在“2024 年度评价”第 1 版中得 90.00 分。" in page
    assert "属真实变化" in page
    assert "“2024 年度评价”第 1 版中得" not in text_of(client, f"/contracts/R-2?edition={years.then}")


def test_a_vendors_page_tells_the_trend_of_each_contract(client: CheckedClient, years: Years) -> None:
    page = text_of(client, f"/vendors/{OTHER}")
    assert "下降 10.00 分" in page
    assert page.count("真实变化") == 1
