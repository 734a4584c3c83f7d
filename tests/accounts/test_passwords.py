"""Passwords: hashing, guessing, and making."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from flask import Flask

from evalsys.accounts import passwords
from evalsys.base.errors import Invalid


def test_a_hash_is_argon2id_and_matches_its_password_alone() -> None:
    stored = passwords.hashed("一句只有自己知道的话")
    assert stored.startswith("$argon2id$")
    assert passwords.matches(stored, "一句只有自己知道的话")
    assert not passwords.matches(stored, "一句只有自己知道的话。")


def test_nobody_has_no_password_but_costs_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    verified = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
            verified.append((hash, password))
            return True

    monkeypatch.setattr(passwords, "_hasher", Counting())
    assert not passwords.matches(None, "whatever it is")
    assert verified == [(passwords._NOBODYS, "whatever it is")]


def test_the_hash_for_nobody_has_todays_parameters() -> None:
    assert not passwords.outdated(passwords._NOBODYS)


def test_a_weaker_hash_is_outdated_and_a_broken_one_matches_nothing() -> None:
    assert passwords.outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x"))
    assert not passwords.matches("!", "x")


def test_a_generated_password_is_good_and_new_each_time(app: Flask) -> None:
    made = {passwords.generated() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        passwords.require_good(password, username="liwei", name="李伟")


@pytest.mark.parametrize("password", ["三个字", "x" * 129, "", "onlynine9"])
def test_a_password_of_the_wrong_length_says_how_long_it_is(app: Flask, password: str) -> None:
    with pytest.raises(Invalid, match=str(len(password))) as caught:
        passwords.require_good(password, username="liwei", name="李伟")
    assert "10" in caught.value.remedy


@pytest.mark.parametrize("password", ["LiWei-2026-abc", "我就是李伟本人没有错吧"])
def test_a_password_does_not_say_who_its_owner_is(app: Flask, password: str) -> None:
    with pytest.raises(Invalid):
        passwords.require_good(password, username="liwei", name="李伟")


@pytest.mark.parametrize(
    "password", ["aaaaaaaaaaaa", "abababababab", "1234567890", "0987654321", "qwertyuiop", "ABCDEFGHIJKL"]
)
def test_a_plain_password_is_refused(app: Flask, password: str) -> None:
    with pytest.raises(Invalid):
        passwords.require_good(password, username="somebody", name="王芳")


def test_a_name_of_one_letter_rules_nothing_out(app: Flask) -> None:
    passwords.require_good("correct horse battery", username="wang", name="c")
