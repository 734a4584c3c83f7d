"""Personal data in a text: found however it is written, masked so that nothing tells who it is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric, uscc

from evalsys.appeals.personal_data import JUDGED, Kind, findings, masked, pieces
from tests.factories import credit_code

ID_CARD = "441802195003121234"
VALID = ID_CARD[:17] + ric.calc_check_digit(ID_CARD)
CARD = "622202200011223344"
CARD += luhn.calc_check_digit(CARD)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("请打13812345678找我", "请打138****5678找我"),
        ("请打 138-1234-5678。", "请打 138****5678。"),
        ("138 1234 5678", "138****5678"),
        ("+86 138 1234 5678", "+138****5678"),
        ("０１３８１２３４５６７８", "138****5678"),
        ("１３８１２３４５６７８", "138****5678"),
        ("一三八一二三四五六七八", "138****5678"),
        ("幺三八 一二三四 五六七八", "138****5678"),
        ("0763-3361234", "0763*******"),
        ("(020) 8765 4321", "(020*******"),
        ("电话：3361234", "电话：*******"),
        ("身份证" + VALID, "身份证4418" + "*" * 14),
        ("441802 19500312 1234", "4418" + "*" * 14),
        ("44180219500312123x", "4418" + "*" * 14),
        ("13812345678x", "138****5678x"),
        ("441802500312123", "4418" + "*" * 11),
        ("卡号" + CARD, "卡号6222" + "*" * 15),
        ("卡号6222 0220 0011 2233 44" + CARD[-1], "卡号6222" + "*" * 15),
        ("写信到 li.si@example.com.cn，谢谢", "写信到 *@***，谢谢"),
        ("13812345678@qq.com", "*@***"),
        ("ｌｉ＠ｅｘａｍｐｌｅ．ｃｏｍ", "*@***"),
        ("13812345678、13987654321", "138****5678、139****4321"),
    ],
)
def test_what_tells_who_a_person_is_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "2025年服务 1,280 人次，合同金额 380000.00 元。",
        "合同编号 HT-2026-0012，执行期 2026.01.01-2026.12.31",
        "全国热线 12345",
        f"统一社会信用代码 {credit_code(7)}",
        "三一八国道一百二十三号",
        "服务热线 400-830-8300",
        "",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert masked(text) == text
    assert findings(text) == []


def test_an_id_number_is_certain_by_its_check_digit_and_possible_by_its_look() -> None:
    wrong = VALID[:17] + ("1" if VALID[17] != "1" else "2")
    assert [(f.kind, f.certain) for f in findings(f"{VALID}，{wrong}")] == [(Kind.ID_CARD, True), (Kind.ID_CARD, False)]
    assert [f.certain for f in findings("441802500312123")] == [False]  # 15 figures have no check digit


@pytest.mark.parametrize("text", ["档案号 998877665544332211", "9988776655-01"])
def test_a_long_number_of_no_known_kind_is_pointed_at(text: str) -> None:
    (found,) = findings(text)
    assert (found.kind, found.masked, masked(text)) == (Kind.NUMBER, "", text)


def test_a_credit_code_of_figures_alone_is_no_bank_card() -> None:
    codes = (f"52441802{n:09d}" for n in range(10**6))
    code = next(c for body in codes if luhn.is_valid(c := body + uscc.calc_check_digit(body)))
    assert findings(code) == []


@pytest.mark.parametrize("text", ["老人张三反映", "户主：李四", "姓名是王小明"])
def test_a_name_after_a_word_for_a_person_is_pointed_at(text: str) -> None:
    (found,) = findings(text)
    assert (found.kind, found.certain, masked(text)) == (Kind.NAME, False, text)


def test_pieces_are_the_text() -> None:
    parts = pieces("请打13812345678，老人张三。")
    assert [(part.text, part.finding.kind if part.finding else None) for part in parts] == [
        ("请打", None),
        ("13812345678", Kind.MOBILE),
        ("，老人", None),
        ("张三", Kind.NAME),
        ("。", None),
    ]


WORDS = st.text("服务对象们都说很好，。：； \n*（）-老人王电话abc", max_size=30)
ANY = st.text(max_size=60) | st.text("0123456789 -.一二三四五六七八九〇４５xX@*.电话", max_size=80)
WAYS = (
    lambda n: n,
    " ".join,
    lambda n: f"{n[:3]}-{n[3:7]}—{n[7:]}",
    lambda n: n.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
    lambda n: n.translate(str.maketrans("0123456789", "〇一二三四五六七八九")),
)


@given(st.integers(13_000_000_000, 19_999_999_999).map(str), st.sampled_from(WAYS), WORDS, WORDS)
def test_a_mobile_number_is_found_in_any_text(number: str, way: object, before: str, after: str) -> None:
    assert callable(way)
    text = f"{before}，{way(number)}，{after}"
    assert Kind.MOBILE in {found.kind for found in findings(text)}
    assert f"{number[:3]}****{number[-4:]}" in masked(text)


@given(st.dates().filter(lambda day: 1900 <= day.year <= 2030), st.integers(0, 999), st.sampled_from(WAYS), WORDS)
def test_an_id_number_is_found_in_any_text(day: object, order: int, way: object, around: str) -> None:
    assert callable(way)
    body = f"441802{day:%Y%m%d}{order:03d}"
    number = body + ric.calc_check_digit(body + "0")
    (found,) = [f for f in findings(f"{around}，{way(number)}，{around}") if f.kind is Kind.ID_CARD]
    assert found.certain
    assert found.masked == "4418" + "*" * 14


@given(ANY)
def test_masking_leaves_nothing_to_mask_and_the_rest_as_it_is(text: str) -> None:
    found = findings(text)
    assert "".join(part.text for part in pieces(text)) == text
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= two.start for one, two in pairwise(found))
    shown = masked(text)
    assert masked(shown) == shown
    assert len(shown) <= len(text)
    assert all(one.kind in JUDGED for one in findings(shown))
    if not any(one.masked for one in found):
        assert shown == text
