"""Slips and posters: what stands on them, and how many pages they are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import typst
from flask import Flask
from flask_babel import force_locale

from evalsys.base.errors import Conflict
from evalsys.base.typesetting import require_fonts
from evalsys.collection import slips
from evalsys.collection.codes import new_code
from evalsys.collection.invitations import Invited
from evalsys.collection.slips import Notice, posters_pdf, require_few, slips_pdf

NOTICE = Notice("https://pj.example.cn", date(2026, 11, 30), "0763-8731234")


def heap(count: int, reference: str = "HT-1", township: str = "三江镇") -> list[Invited]:
    return [Invited(reference, new_code(), "居家照料项目", "测试社工中心", township) for _ in range(count)]


def pages(pdf: bytes) -> int:
    assert pdf.startswith(b"%PDF-")
    counted = re.search(rb"/Type\s*/Pages\s*/Count\s*(\d+)|/Count\s*(\d+)", pdf)
    assert counted
    return int(counted[1] or counted[2])


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the last document was printed from."""
    kept: dict[str, Any] = {}
    compile_ = typst.compile

    def compiled(source: bytes, **options: Any) -> object:
        kept.update(json.loads(options["sys_inputs"]["given"]))
        return compile_(source, **options)

    monkeypatch.setattr(typst, "compile", compiled)
    return kept


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (8, 1), (9, 2)])
def test_eight_slips_are_a_page(app: Flask, count: int, expected: int) -> None:
    assert pages(slips_pdf(heap(count), NOTICE)) == expected


def test_each_heap_begins_a_page(app: Flask) -> None:
    both = [*heap(2), *heap(2, township="大麦山镇"), *heap(2, "HT-2")]
    assert pages(slips_pdf(both, NOTICE)) == pages(posters_pdf(both, NOTICE)) == 3


def test_a_slip_says_what_it_is_in_chinese_whoever_prints_it(app: Flask, given: dict[str, Any]) -> None:
    (one,) = heap(1)
    with app.test_request_context(), force_locale("en"):
        slips_pdf([one], NOTICE)
    (printed,) = given["heaps"]
    (slip,) = printed["slips"]
    assert printed["name"] == "HT-1 · 三江镇"
    assert slip["code"] == f"{one.code[:5]}-{one.code[5:]}"
    assert (slip["contract"], slip["vendor"]) == ("居家照料项目", "测试社工中心")
    assert given["address"] == "pj.example.cn/s/"
    assert given["words"]["until"] == "截止：2026年11月30日"
    assert given["words"]["phone"] == "咨询：0763-8731234"
    assert "自愿" in given["words"]["voluntary"]


def test_a_slip_of_a_sample_says_whose_it_is_by_a_number(app: Flask, given: dict[str, Any]) -> None:
    numbered = [
        Invited("HT-1", new_code(), "居家照料", "中心", "三江镇", item, number)
        for item, number in (("", 17), ("上门照料与康复训练", 3), ("上门", None))
    ]
    assert pages(slips_pdf(numbered, NOTICE)) == 1
    (printed,) = given["heaps"]
    assert [slip["place"] for slip in printed["slips"]] == ["名单第 17 号", "上门照料与康复… · 名单第 3 号", ""]


def test_the_qr_code_of_a_slip_opens_its_survey(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(
        slips, "qr_code", lambda address: made.append(address) or "<svg xmlns='http://www.w3.org/2000/svg'/>"
    )
    (one,) = heap(1)
    slips_pdf([one], NOTICE)
    posters_pdf([one], NOTICE)
    assert made == [f"https://pj.example.cn/s/{one.code}", "https://pj.example.cn/s/"]


def test_a_poster_tells_no_code(app: Flask, given: dict[str, Any]) -> None:
    (one,) = heap(1)
    posters_pdf([one], Notice("https://pj.example.cn", date(2026, 11, 30)))
    assert one.code not in json.dumps(given)
    assert given["words"]["phone"] == ""
    assert given["heaps"] == [{"place": "三江镇", "contract": "居家照料项目", "vendor": "测试社工中心"}]


def test_a_long_title_is_shortened_and_a_frame_without_townships_is_one_heap(app: Flask, given: dict[str, Any]) -> None:
    assert pages(slips_pdf([Invited("HT-1", new_code(), "长" * 200, "名" * 120)], NOTICE)) == 1
    (printed,) = given["heaps"]
    assert printed["name"] == "HT-1"
    assert printed["slips"][0]["contract"] == "长" * (slips.LONGEST_TITLE - 1) + "…"
    assert printed["slips"][0]["vendor"] == "名" * (slips.LONGEST_VENDOR - 1) + "…"


def test_a_folder_without_fonts_is_told(app: Flask, tmp_path: Path) -> None:
    with pytest.raises(Conflict) as caught:
        require_fonts(tmp_path)
    assert "EVALSYS_FONTS" in caught.value.remedy
    require_fonts(None)


def test_own_fonts_are_printed_with(app: Flask, tmp_path: Path, given: dict[str, Any]) -> None:
    import pylopdf_fonts_zh_cn

    serif = pylopdf_fonts_zh_cn.serif_path()
    (tmp_path / serif.name).symlink_to(serif)
    slips_pdf(heap(1), Notice("https://pj.example.cn", date(2026, 11, 30), fonts=tmp_path))
    assert given["fonts"] == ["Noto Serif SC"]


def test_a_download_has_its_limit(app: Flask) -> None:
    require_few(heap(1) * slips.IN_A_DOWNLOAD)
    with pytest.raises(Conflict) as caught:
        require_few(heap(1) * (slips.IN_A_DOWNLOAD + 1))
    assert "--slips" in caught.value.remedy
