from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from evalsys.registry import credit_code
from tests.factories import credit_code as made


@pytest.mark.parametrize(
    "text",
    ["91110000600037341L", " 91110000600037341l ", "9111 0000-6000 37341L", "９１１１００００６０００３７３４１Ｌ"],
)
def test_a_code_is_taken_however_it_is_typed(text: str) -> None:
    assert credit_code.checked(text) == "91110000600037341L"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("9111000060003734", "共 18 位，这里是 16 位"),
        ("", "共 18 位，这里是 0 位"),
        ("911100006000373OIL", "“OI”"),
        ("9111AB006000373410", "第 3 至 8 位"),
        ("91110000600037342L", "校验码不符"),
    ],
)
def test_what_is_wrong_is_said(app: Flask, text: str, says: str) -> None:
    with pytest.raises(credit_code.CreditCodeWrong) as caught:
        credit_code.checked(text)
    assert says in caught.value.message
    assert caught.value.remedy


@given(st.integers(0, 31**7 - 1), st.integers(0, 17), st.sampled_from(credit_code.ALPHABET))
def test_every_single_wrong_character_is_found(number: int, place: int, other: str) -> None:
    code = made(number)
    assert uscc.validate(code) == code
    wrong = code[:place] + other + code[place + 1 :]
    assert wrong == code or not uscc.is_valid(wrong)
