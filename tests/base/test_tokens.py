"""Keys by purpose, and sealed tokens."""

from __future__ import annotations

from datetime import UTC, datetime

import time_machine

from evalsys.base.tokens import Box, Seal, derive_key, keyed_hash


def test_each_purpose_has_its_own_key() -> None:
    assert len(derive_key("secret", "a")) == 32
    assert derive_key("secret", "a") == derive_key("secret", "a")
    assert len({derive_key("secret", "a"), derive_key("secret", "b"), derive_key("other", "a")}) == 3


def test_a_hash_needs_its_key() -> None:
    assert keyed_hash(b"one", b"data") != keyed_hash(b"two", b"data")


def test_a_token_says_when_it_was_made_and_a_nonce_of_its_own() -> None:
    seal = Seal(b"k" * 32)
    moment = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    with time_machine.travel(moment, tick=False):
        first, second = seal.fresh("thing"), seal.fresh("thing")
    said = seal.opened(first, "thing")
    assert said is not None
    assert said.issued_at == moment
    assert len(said.nonce) == 22
    other = seal.opened(second, "thing")
    assert other is not None
    assert other.nonce != said.nonce


def test_a_token_that_is_changed_foreign_or_for_another_thing_says_nothing() -> None:
    seal = Seal(b"k" * 32)
    token = seal.fresh("thing")
    assert seal.opened(token, "another thing") is None
    assert seal.opened(token[:-1] + ("A" if token[-1] != "A" else "E"), "thing") is None
    for broken in ("", ".", "..", "不是", "\udc80", token.replace(".", ""), f"x{token}"):
        assert seal.opened(broken, "thing") is None
    assert Seal(b"x" * 32).opened(token, "thing") is None


def test_a_box_gives_back_what_was_locked_for_one_thing_and_nothing_else() -> None:
    box = Box(derive_key("secret", "kept codes"))
    locked, again = (box.closed("2222222222", "invitation 7") for _ in range(2))
    assert locked != again
    assert b"2222222222" not in locked
    assert box.opened(locked, "invitation 7") == "2222222222"
    assert box.opened(locked, "invitation 8") is None
    assert box.opened(locked[:-1] + bytes([locked[-1] ^ 1]), "invitation 7") is None
    assert Box(derive_key("other", "kept codes")).opened(locked, "invitation 7") is None
