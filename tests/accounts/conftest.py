"""Quick hashes: these tests are about who may do what; test_passwords.py looks at the real parameters."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from evalsys.accounts import passwords


@pytest.fixture(autouse=True)
def quick_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.module.__name__.endswith("test_passwords"):
        return
    quick = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", quick)
    monkeypatch.setattr(passwords, "_NOBODYS", quick.hash("nobody's"))
