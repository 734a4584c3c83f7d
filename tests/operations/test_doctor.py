"""`evalsys doctor`: each thing it looks at, fit and unfit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evalsys import cli
from evalsys.base import migrations
from evalsys.base.command import speaking
from evalsys.base.db import Database
from evalsys.config import Settings
from evalsys.operations import doctor
from evalsys.operations.doctor import Finding, Verdict, examine, wal_reset_is_safe


@pytest.fixture(autouse=True)
def words(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")
    with speaking(settings):
        yield


def bad(settings: Settings) -> list[Finding]:
    return [finding for finding in examine(settings) if finding.verdict is Verdict.BAD]


def only_bad(settings: Settings) -> Finding:
    (finding,) = bad(settings)
    assert finding.remedy
    return finding


def test_a_sound_installation_has_nothing_bad(settings: Settings) -> None:
    assert bad(settings) == []


@pytest.mark.parametrize(("key", "said"), [(None, "not set"), ("short", "short enough to be guessed")])
def test_a_weak_secret_key_is_bad(settings: Settings, key: str | None, said: str) -> None:
    assert only_bad(replace(settings, secret_key=key)).said == said


def test_an_unencrypted_address_is_noted(settings: Settings) -> None:
    verdicts = [
        {finding.subject: finding.verdict for finding in examine(replace(settings, base_url=url))}["address"]
        for url in ("http://pj.example.cn", "https://pj.example.cn")
    ]
    assert verdicts == [Verdict.NOTE, Verdict.GOOD]


def test_https_without_a_proxy_that_is_believed_is_noted(settings: Settings) -> None:
    safe = replace(settings, base_url="https://pj.example.cn")
    verdicts = [
        {finding.subject: finding.verdict for finding in examine(one)}.get("proxies")
        for one in (settings, safe, replace(safe, proxies=1))
    ]
    assert verdicts == [None, Verdict.NOTE, Verdict.GOOD]


def test_an_instance_folder_that_cannot_be_made_is_bad(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    finding = only_bad(replace(settings, instance=tmp_path / "file" / "instance"))
    assert str(tmp_path / "file") in finding.said


def test_an_older_schema_is_bad(settings: Settings, database: Database) -> None:
    migrations.downgrade(database, "-1")
    assert "evalsys db upgrade" in only_bad(settings).remedy


def test_looking_makes_no_database(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "none" / "evalsys.sqlite"
    finding = only_bad(replace(settings, database_url=f"sqlite:///{file}"))
    assert finding.said == f"stands at -, the newest is {migrations.head()}"
    assert not file.parent.exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [("postgresql+psycopg://nobody@127.0.0.1:9/none", "connection failed"), ("nonsense", "Could not parse")],
)
def test_a_database_that_does_not_answer_is_bad(settings: Settings, url: str, said: str) -> None:
    assert said in only_bad(replace(settings, database_url=url)).said


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 6, 23), True),
        ((3, 7, 0), False),
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), False),
        ((3, 53, 0), True),
    ],
)
def test_which_sqlite_can_damage_its_log(version: tuple[int, int, int], safe: bool) -> None:
    assert wal_reset_is_safe(version) is safe


@pytest.mark.parametrize(("version", "verdict"), [((3, 40, 1), Verdict.NOTE), ((3, 53, 0), Verdict.GOOD)])
def test_the_sqlite_in_use_is_judged(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], verdict: Verdict
) -> None:
    monkeypatch.setattr("sqlite3.sqlite_version_info", version)
    found = {finding.subject: finding.verdict for finding in examine(replace(settings, database_url="sqlite:///none"))}
    assert found["SQLite"] is verdict


def test_an_old_postgresql_is_bad(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "OLDEST_POSTGRESQL", 99)
    expected = [] if settings.database_url.startswith("sqlite") else ["PostgreSQL"]
    assert [finding.subject for finding in bad(settings)] == expected


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_it_says_where_messages_go(settings: Settings) -> None:
    def found(given: Settings) -> dict[str, Finding]:
        return {finding.subject: finding for finding in examine(given)}

    unset = found(settings)
    for subject, setting in (("e-mail", "EVALSYS_SMTP_URL"), ("SMS", "EVALSYS_SMS_URL")):
        assert unset[subject].verdict is Verdict.NOTE
        assert "messages.jsonl" in unset[subject].said
        assert setting in unset[subject].remedy
    sms = "aliyun://key:hidden@dysmsapi.aliyuncs.com/?sign=x&invitation=SMS_1&reminder=SMS_2"
    smtp = "smtps://me:hidden@mail.example.cn"
    both = found(replace(settings, smtp_url=smtp, mail_from="pj@example.cn", sms_url=sms))
    assert both["e-mail"].said == "smtps://mail.example.cn:465"
    assert both["SMS"].said == "https://dysmsapi.aliyuncs.com"
    assert "hidden" not in str(both)
    assert only_bad(replace(settings, sms_url="sms")).subject == "messages"


def test_the_exit_code_says_whether_it_is_fit(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVALSYS_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("EVALSYS_INSTANCE", str(settings.instance))
    monkeypatch.delenv("EVALSYS_SECRET_KEY", raising=False)
    assert cli.run(["doctor"]) == 1
    assert "BAD   secret key: not set\n      -> Set EVALSYS_SECRET_KEY" in capsys.readouterr().out
    monkeypatch.setenv("EVALSYS_SECRET_KEY", "x" * 40)
    assert cli.run(["doctor"]) == 0
    assert "BAD" not in capsys.readouterr().out
