"""Rank sets, ranks under other weights and distributions as everybody sees them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.usecases import publish
from evalsys.registry.models import Cycle, Entry
from tests.evaluation.rated import all_at, assess, rated_cycle
from tests.factories import NOW, make_cycle, make_rules, without_notice
from tests.pages import CheckedClient
from tests.publication.test_views import OFFICER, Published, publish_county, rows, text_of


@pytest.fixture
def published(write: Callable[..., Any], app: object) -> Published:
    made: Published = write(publish_county)
    return made


def test_a_ranking_shows_sets_of_ranks_under_headings_of_bands(client: CheckedClient, published: Published) -> None:
    page = text_of(client, "/rankings")
    assert re.findall(r'class="band">.*?第 (\d) 档', page) == ["1"]
    assert "第 1–3 名" in page
    assert "按得分第 1 名<" in page
    assert "名次范围与该档最高者重叠" in page
    by_score = text_of(client, "/rankings?sort=-score")
    assert 'class="band"' not in by_score
    assert by_score.count(">第 1 档<") == 3


@pytest.mark.parametrize("place", ["sensitivity", "distribution", "reliability"])
def test_the_views_of_an_edition_lead_to_each_other(client: CheckedClient, published: Published, place: str) -> None:
    address = f"/editions/{published.new}/{place}"
    assert f'href="{address}"' in text_of(client, f"/editions/{published.new}")
    page = text_of(client, address)
    assert f'href="{address}" aria-current="page"' in page
    assert f'href="/editions/{published.new}"' in page
    assert "第 2 版" in page
    text_of(client, f"/editions/77/{place}", 404)
    assert "alert-warning" in text_of(client, f"/editions/{published.old}/{place}")


def test_ranks_under_other_weights_are_told_drawn_and_tabled(client: CheckedClient, published: Published) -> None:
    address = f"/editions/{published.new}/sensitivity"
    page = text_of(client, address)
    assert rows(page) == ["QX-2", "QX-1", "QX-3"]
    assert "在所抽取的权重下居本组第一的项目：“照料二号”" in page
    assert '<span class="note">照料一号</span>' in page
    assert f'src="{address}.svg"' in page
    drawn = client.get(f"{address}.svg")
    assert drawn.mimetype == "image/svg+xml"
    assert "照料二号" in drawn.text
    assert "ETag" in drawn.headers
    assert rows(text_of(client, f"{address}?q=QX-1")) == ["QX-1"]
    assert "没有符合条件的项目" in text_of(client, f"{address}?q=nothing-like-it")
    text_of(client, f"{address}.svg?q=nothing-like-it", 404)


def test_distributions_are_told_drawn_and_tabled(client: CheckedClient, published: Published) -> None:
    address = f"/editions/{published.new}/distribution"
    page = text_of(client, address)
    for words in ("4 个服务项目中 3 个有得分", "半数得分在", "等级分布", "最高一级占比"):
        assert words in page, words
    for what, words in (("scores", "项目"), ("answers", "服务对象：")):
        assert f'src="{address}/{what}.svg"' in page
        assert words in client.get(f"{address}/{what}.svg").text
    text_of(client, f"{address}/people.svg", 404)


def publish_plainly(session: Session, *, contracts: int) -> int:
    """An edition by rules that compare nothing."""

    text = without_notice().decode()
    sections = "weighting|adjustment|severity|shrinkage|rank_sets|sensitivity|reliability|integrity"
    plain = re.sub(rf"^\[+(?:{sections})\b.*?(?=^\[(?!\[?(?:{sections})))", "", text, flags=re.MULTILINE | re.DOTALL)
    cycle: Cycle = rated_cycle(session, contracts=contracts) if contracts else make_cycle(session, state="review")
    cycle.rules_id = make_rules(session, plain.encode()).id
    session.flush()
    session.refresh(cycle)
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    edition = publish(session, cycle, actor=OFFICER, now=NOW)
    return edition.id


def test_editions_without_comparisons_show_plain_ranks(client: CheckedClient, write: Callable[..., Any]) -> None:
    number = write(publish_plainly, contracts=3)
    page = text_of(client, "/rankings")
    assert '<strong class="nowrap">1</strong>' in page
    assert 'class="band"' not in page
    assert "名次范围" not in page
    assert "没有计算不同权重下的名次" in text_of(client, f"/editions/{number}/sensitivity")
    text_of(client, f"/editions/{number}/sensitivity.svg", 404)
    assert "reliability" not in text_of(client, f"/editions/{number}")
    text_of(client, f"/editions/{number}/reliability", 404)


def publish_twice_assessed(session: Session) -> int:
    """An edition in which a second evaluator assessed every contract."""
    cycle = rated_cycle(session, contracts=6)
    entries = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id)).all()
    for n, entry in enumerate(entries):
        assess(session, entry, "third_party", all_at(cycle, "third_party", entry.contract.service_type, 3 + n % 3))
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    return publish(session, cycle, actor=OFFICER, now=NOW).id


def test_the_raters_agreement_is_published_without_anybodys_severity(
    client: CheckedClient, write: Callable[..., Any]
) -> None:
    number = write(publish_twice_assessed)
    page = text_of(client, f"/editions/{number}/reliability")
    for words in ("第三方评价机构", "问卷", "各评价员的宽严尺度不予公布"):
        assert words in page, words
    assert "severity.svg" not in page
    address = f"/editions/{number}/reliability/agreement.svg?party=third_party"
    assert f'src="{address}"' in page
    assert client.get(address).mimetype == "image/svg+xml"
    text_of(client, f"/editions/{number}/reliability/agreement.svg?party=nobody", 404)
