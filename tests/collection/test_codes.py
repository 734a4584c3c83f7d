"""Codes that can be read out and mistyped without harm."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evalsys.collection import codes

KEY = b"k" * 32
drawn = st.text(alphabet=codes.ALPHABET, min_size=9, max_size=9).map(
    lambda text: next(code for c in codes.ALPHABET if (code := codes.read_code(text + c)))
)


def test_a_new_code_reads_as_itself() -> None:
    made = {codes.new_code() for _ in range(200)}
    assert len(made) == 200
    assert all(codes.read_code(code) == code and len(code) == codes.CODE_LENGTH for code in made)


@given(code=drawn, at=st.integers(0, 9), other=st.sampled_from(codes.ALPHABET))
def test_every_single_wrong_character_is_found(code: str, at: int, other: str) -> None:
    wrong = code[:at] + other + code[at + 1 :]
    assert codes.read_code(wrong) == (code if wrong == code else None)


@given(code=drawn, at=st.integers(0, 8))
def test_every_swap_of_neighbours_is_found(code: str, at: int) -> None:
    swapped = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
    assert codes.read_code(swapped) == (code if swapped == code else None)


@given(code=drawn, lower=st.booleans(), wide=st.booleans(), dashes=st.sampled_from(["", "-", " ", "—", "\u3000", "."]))
def test_case_width_blanks_and_dashes_do_not_matter(code: str, lower: bool, wide: bool, dashes: str) -> None:
    typed = codes.grouped(code, 5).replace("-", dashes)
    typed = typed.lower() if lower else typed
    typed = "".join(chr(ord(c) + 0xFEE0) if wide and c.isascii() and c.isalnum() else c for c in typed)
    assert codes.read_code(typed) == code


@given(code=drawn)
def test_letters_that_look_like_digits_are_read_as_them(code: str) -> None:
    assert codes.read_code(code.translate(str.maketrans("8652", "BGSZ"))) == code


@given(st.text())
def test_whatever_is_typed_is_a_code_or_nothing(typed: str) -> None:
    code = codes.read_code(typed)
    assert code is None or codes.read_code(code) == code


def test_a_receipt_follows_from_its_nonce_and_shows_whose_it_is() -> None:
    receipt = codes.receipt_of("a nonce", KEY)
    assert len(receipt) == codes.RECEIPT_LENGTH
    assert codes.receipt_of("a nonce", KEY) == receipt
    assert codes.receipt_of("another", KEY) != receipt
    assert codes.read_receipt(codes.grouped(receipt, 4).lower(), KEY) == receipt
    assert codes.read_receipt(receipt, b"another key" * 3) is None
    assert codes.read_receipt(receipt[:-1], KEY) is None


def test_only_the_keyed_hash_of_a_code_is_kept() -> None:
    assert len(codes.code_hash("2222222222", KEY)) == 32
    assert codes.code_hash("2222222222", KEY) != codes.code_hash("2222222222", b"other")
