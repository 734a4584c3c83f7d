"""The bulletin of an edition, read as its readers do: the text of its pages, its tags, its size."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pypdfium2
import pytest
from sqlalchemy.orm import Session

from evalsys.base.access import Role
from evalsys.config import Settings
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication import bulletin, queries, remarks
from evalsys.publication.bulletin import annexes_of
from evalsys.publication.keys import key_folder
from evalsys.publication.remarks import Remark
from evalsys.publication.sealing import seal
from evalsys.publication.usecases import publish
from evalsys.rules.model import Rules
from tests.evaluation.rated import rated_cycle, rated_entry
from tests.factories import NOW, actor, make_contract, make_cycle, make_vendor
from tests.pages import CheckedClient
from tests.publication.test_views import WHY, Published, published

__all__ = ["published"]

OFFICER = actor(Role.OFFICER)
ONE_ENGINE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # of tests about how it is printed
ODD = '#let x = 1 *粗* _斜_ $x^2$ @ref <lab> \\n `c` // /* [龘䶮] ~ -- "q"'


def pages_of(client: CheckedClient, address: str) -> list[str]:
    """The text of each page."""
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(answer.data)]


def flat(pages: list[str]) -> str:
    """Without the breaks of lines and cells."""
    return re.sub(r"\s", "", "".join(pages))


def test_the_bulletin_tells_what_how_and_with_what_result(client: CheckedClient, published: Published) -> None:
    told = flat(pages_of(client, f"/editions/{published.old}/bulletin.pdf"))
    for words in (
        "2025年度评价结果公告",
        "一、评价对象",
        "服务项目4个，涉及承接主体2家、购买主体",
        "二、评价方法",
        f"/methodology?edition={published.old}",
        "三、参评情况",
        "服务对象50",
        "四、评价结果",
        "照料一号QX-1",
        "（二）暂不评级",
        "探访四号QX-4",
        "服务对象有效评价2份，至少需要5份。",
        "五、查验方法",
        "乙县政府购买服务评价组织单位",
    ):
        assert words in told, (words, told)
    assert "更正" not in told
    assert "模拟" not in told
    corrected = flat(pages_of(client, f"/editions/{published.new}/bulletin.pdf"))
    assert "（第2版，更正公告）" in corrected
    assert re.search(rf"五、更正说明{WHY}与上一版次相比，\d个项目的结果有变动，逐项列于", corrected)


@ONE_ENGINE
def test_a_correction_tells_what_differs_while_that_may_be_shown(
    client: CheckedClient, write: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(session: Session) -> int:
        cycle = rated_cycle(session, contracts=1)
        for reason in ("", WHY):
            run_cycle(session, cycle, actor=OFFICER, now=NOW)
            edition = publish(session, cycle, reason=reason, actor=OFFICER, now=datetime(2026, 11, 2, 20, tzinfo=UTC))
        return int(edition.id)

    address = f"/editions/{write(twice)}/bulletin.pdf"
    assert f"{WHY}与上一版次相比，各项目的得分、误差范围、等级、名次和状态均无变化。" in flat(pages_of(client, address))
    made = pypdfium2.PdfDocument(client.get(address).data).get_metadata_dict()["CreationDate"]
    assert made.startswith("D:20261103")  # in China it is the next day already
    monkeypatch.setattr(queries, "compared_with", lambda _session, _edition: None)  # withdrawn before this one came
    told = flat(pages_of(client, f"{address}?x=2"))
    assert f"{WHY}六、" in told


@ONE_ENGINE
def test_a_bulletin_is_tagged_titled_and_always_the_same(client: CheckedClient, published: Published) -> None:
    address = f"/editions/{published.old}/bulletin.pdf"
    first = client.get(address)
    assert all(mark in first.data for mark in (b"/StructTreeRoot", b"/MarkInfo", b"/Lang(zh-CN)", b"/S/TH"))
    assert pypdfium2.PdfDocument(first.data).get_metadata_dict()["Title"] == "2025 年度评价结果公告"
    bulletin._pressed.cache_clear()
    assert client.get(f"{address}?again=1").data == first.data
    assert client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_the_bulletin_of_a_sealed_edition_says_how_to_check_it(
    client: CheckedClient, write: Callable[..., Any], settings: Settings
) -> None:
    def sealed(session: Session) -> tuple[int, list[str]]:
        cycle = rated_cycle(session, code="2026")
        cycle.simulated = True
        run_cycle(session, cycle, actor=OFFICER, now=NOW)
        edition = publish(session, cycle, actor=OFFICER, now=NOW)
        record = seal(session, edition, key_folder(settings), actor=OFFICER, now=NOW)
        return edition.id, [record.root, record.hash, *record.fingerprints, edition.run.rules.hash]

    number, marks = write(sealed)
    pages = pages_of(client, f"/editions/{number}/bulletin.pdf?lang=en")
    assert all(mark in flat(pages) for mark in [*marks, f"/editions/{number}/bundle.zip", "Announcementoftheresult"])
    assert all("Simulated data" in page for page in pages)


@ONE_ENGINE
def test_names_print_as_they_are_written_and_stay_in_their_column(
    client: CheckedClient, write: Callable[..., Any]
) -> None:
    def odd(session: Session) -> int:
        cycle = make_cycle(session, state="review", title="2025 年度评价", year=2025)
        for title, name in ((ODD, "甲" * 120), ("W" * 200, "名𠮷")):
            vendor = make_vendor(session, name=name)
            rated_entry(session, cycle, contract=make_contract(session, title=title, vendor=vendor))
        run_cycle(session, cycle, actor=OFFICER, now=NOW)
        return int(publish(session, cycle, actor=OFFICER, now=NOW).id)

    answer = client.get(f"/editions/{write(odd)}/bulletin.pdf")
    assert b"/StructTreeRoot" in answer.data  # also where a character (𠮷) is in no font, which PDF/UA refuses
    document = pypdfium2.PdfDocument(answer.data)
    told = flat([page.get_textpage().get_text_range() for page in document])
    assert re.sub(r"\s", "", ODD) in told
    assert told.replace("\u200b", "").count("W") == 200
    for page in document:
        text = page.get_textpage()
        right = max(text.get_rect(n)[2] for n in range(text.count_rects()))
        assert right <= page.get_width() - 26 / 25.4 * 72 + 6  # the margin, over which a full stop may hang


@ONE_ENGINE
def test_what_is_said_beside_a_line_stands_in_the_bulletin(
    client: CheckedClient, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [Remark("QX-3", tag="复核中", code="review"), Remark("QX-1", template="x.html")]
    monkeypatch.setattr(remarks, "_offered", [lambda _session, _cycle, _reference: said])
    told = flat(pages_of(client, f"/editions/{published.old}/bulletin.pdf"))
    assert "五、异议情况合同编号状态QX-3复核中六、" in told


def test_many_contracts_stand_in_annexes(
    client: CheckedClient, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/editions/{published.old}/bulletin.pdf"
    assert client.get(f"{address}?annex=1").status_code == 404
    monkeypatch.setattr(bulletin, "IN_ONE", 3)
    whole, first, second = (flat(pages_of(client, address + part)) for part in ("?x=1", "?annex=1&x=1", "?annex=2"))
    assert "全部4个项目的结果见附件1至附件2" in whole
    assert "QX-1" not in whole
    assert "附件1：评价结果明细（第1–3个，共4个）" in first
    assert [set(re.findall(r"QX-\d", part)) for part in (first, second)] == [{"QX-1", "QX-2", "QX-3"}, {"QX-4"}]
    assert client.get(f"{address}?annex=3").status_code == 404
    assert f"{address}?annex=2" in client.get(f"/editions/{published.old}").text


@pytest.mark.parametrize(("contracts", "annexes"), [(0, 0), (2000, 0), (2001, 2), (20_000, 10)])
def test_so_many_annexes_as_are_needed(contracts: int, annexes: int) -> None:
    assert annexes_of(contracts) == annexes


@ONE_ENGINE
def test_the_geometric_mean_is_told_as_such(
    client: CheckedClient, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = bulletin.rules_of_edition

    def geometric(edition: Any) -> Rules:
        return original(edition).model_copy(update={"aggregation": "geometric"})

    monkeypatch.setattr(bulletin, "rules_of_edition", geometric)
    assert "取加权几何平均" in flat(pages_of(client, f"/editions/{published.old}/bulletin.pdf"))


@ONE_ENGINE
def test_pages_lead_to_the_bulletin(client: CheckedClient, published: Published) -> None:
    for address in ("/rankings", f"/editions/{published.new}"):
        assert f"/editions/{published.new}/bulletin.pdf" in client.get(address).text
