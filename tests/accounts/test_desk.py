"""What the cycles put on an administrator's desk, and the trail on an auditor's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.registry.models import Region
from tests.factories import make_account, make_county, make_cycle
from tests.pages import CheckedClient

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]


@pytest.fixture
def region(write: Write) -> Region:
    made: Region = write(make_county)
    return made


def test_an_administrator_without_a_cycle_makes_one(sign_in: SignIn, write: Write, region: Region) -> None:
    write(make_cycle, title="别处的年度")
    page = sign_in(write(make_account, region=region)).get("/desk").text
    assert "建立第一个评价年度" in page
    assert "别处的年度" not in page


@pytest.mark.parametrize(
    ("state", "today", "said"),
    [
        ("draft", 1, "完成“某年度”的准备并启动"),
        ("collecting", 30, "“某年度”正在收集评分"),
        ("collecting", 31, "“某年度”收集期已过"),
        ("review", 1, "为“某年度”计分"),
        ("published", 1, "目前没有待办事项"),
    ],
)
def test_each_cycle_waits_for_its_next_step(
    sign_in: SignIn,
    write: Write,
    region: Region,
    monkeypatch: pytest.MonkeyPatch,
    *,
    state: str,
    today: int,
    said: str,
) -> None:
    """Collecting ends with the day in China: 30 November, 16:30 UTC on the 30th is past it."""
    write(make_cycle, region=region, state=state, title="某年度")
    browser = sign_in(write(make_account, region=region))
    day = datetime(2026, 11, 30, 16 if today == 31 else 15, 30, tzinfo=UTC)
    monkeypatch.setattr("evalsys.accounts.desk.now", lambda: day)
    page = browser.get("/desk").text
    assert said in page
    assert ("/registry/cycles/" in page) is (state != "published")


def test_an_auditor_is_led_to_the_trail(sign_in: SignIn, write: Write) -> None:
    assert 'href="/audit"' in sign_in(write(make_account, Role.AUDITOR)).get("/desk").text
