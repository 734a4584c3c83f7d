"""Which language a reader gets, and how values are written in it."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale, gettext

from evalsys import config
from evalsys.base import language
from evalsys.rules.values import Text
from tests.pages import CheckedClient


@pytest.mark.parametrize(
    ("wish", "address", "spoken"),
    [
        (None, "/sign-in", "zh-CN"),
        ("en-GB,en;q=0.8", "/sign-in", "en"),
        ("fr", "/sign-in", "zh-CN"),
        ("en", "/sign-in?lang=zh", "zh-CN"),
        ("zh", "/sign-in?lang=en", "en"),
        ("en", "/sign-in?lang=tlh", "en"),
    ],
)
def test_the_address_wins_over_the_browsers_wish(
    client: CheckedClient, wish: str | None, address: str, spoken: str
) -> None:
    headers = {"Accept-Language": wish} if wish else {}
    assert f'<html lang="{spoken}">' in client.get(address, headers=headers).text


def test_a_choice_is_remembered(client: CheckedClient) -> None:
    client.get("/sign-in?lang=en")
    assert '<html lang="en">' in client.get("/sign-in", headers={"Accept-Language": "zh"}).text


def test_the_survey_remembers_nothing(client: CheckedClient) -> None:
    answer = client.get("/s/whatever?lang=en")
    assert "Set-Cookie" not in answer.headers


def test_outside_a_request_the_language_is_chinese(app: Flask) -> None:
    assert language.language() == "zh"
    assert language.words(Text(zh="优", en="Excellent")) == "优"
    with force_locale("en"):
        assert language.words(Text(zh="优", en="Excellent")) == "Excellent"


def test_values_are_written_in_the_readers_language(app: Flask) -> None:
    late = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)  # past midnight in China
    assert language.day(date(2026, 11, 23)) == "2026年11月23日"
    assert language.day(late) == "2026年11月23日"
    assert language.moment(late) == "2026-11-23 00:30"
    assert language.number(1234567.891, 1) == "1,234,567.9"
    assert language.number(1234) == "1,234"
    assert language.points(89.996) == "90.00"
    assert language.percent(0.305) == "30%"
    assert language.percent(0.305, 1) == "30.5%"
    assert language.yuan(12345678) == "¥123,456.78"
    assert [language.size(count) for count in (1, 4_400, 1_400_000)] == ["1 kB", "5 kB", "1.4 MB"]
    with force_locale("en"):
        assert language.day(late) == "Nov 23, 2026"


def test_a_missing_value_is_a_dash(app: Flask) -> None:
    writers = (language.day, language.moment, language.number, language.points, language.percent, language.yuan)
    assert {write(None) for write in writers} == {"—"}


def test_a_catalogue_is_compiled_when_its_source_is_newer(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "zh" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    shutil.copy(config.TRANSLATIONS / "zh" / "LC_MESSAGES" / "messages.po", folder)
    monkeypatch.setattr(config, "TRANSLATIONS", tmp_path)
    language.compile_catalogues()
    compiled = folder / "messages.mo"
    first = compiled.stat().st_mtime_ns
    assert first > 0
    language.compile_catalogues()
    assert compiled.stat().st_mtime_ns == first
    assert [file.name for file in folder.glob("*.tmp")] == []
    assert gettext("Sign in") == "登录"
