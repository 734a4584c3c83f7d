"""Settings from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalsys import config
from evalsys.config import SettingMissing, Settings, command_language


def test_nothing_set_gives_an_instance_beside_the_caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment({}) == Settings(
        instance=tmp_path / "instance",
        database_url=f"sqlite:///{tmp_path}/instance/evalsys.sqlite",
        secret_key=None,
        base_url="http://127.0.0.1:8000",
        port=8000,
    )


def test_the_process_environment_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    assert Settings.from_environment().port == 8123


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_postgresql_address_gets_the_driver_we_ship(scheme: str) -> None:
    url = Settings.from_environment({"EVALSYS_DATABASE_URL": f"{scheme}://me:secret@db/evalsys"}).database_url
    assert url == "postgresql+psycopg://me:secret@db/evalsys"


def test_the_base_url_loses_its_slash() -> None:
    assert Settings.from_environment({"EVALSYS_BASE_URL": "https://pj.example.cn/"}).base_url == "https://pj.example.cn"


@pytest.mark.parametrize("port", ["", "0", "65536", "http", "-1"])
def test_a_port_must_be_one(port: str) -> None:
    with pytest.raises(SettingMissing, match="PORT=") as refused:
        Settings.from_environment({"PORT": port})
    assert "65535" in refused.value.remedy


def test_a_missing_secret_key_says_how_to_make_one() -> None:
    with pytest.raises(SettingMissing, match="EVALSYS_SECRET_KEY") as refused:
        Settings.from_environment({}).require_secret_key()
    assert "secrets.token_urlsafe" in refused.value.remedy
    assert Settings.from_environment({"EVALSYS_SECRET_KEY": "s"}).require_secret_key() == "s"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "zh"),
        ({"LANG": "C.UTF-8"}, "zh"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "POSIX", "LANG": "de_DE"}, "en"),
        ({"EVALSYS_LANGUAGE": "zh", "LANG": "en_US.UTF-8"}, "zh"),
    ],
)
def test_commands_speak_the_language_of_the_terminal(environment: dict[str, str], language: str) -> None:
    assert command_language(environment) == language


def test_the_terminals_own_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")
    assert command_language() == "en"


def test_what_the_package_carries_is_where_it_looks() -> None:
    assert config.SHIPPED_RULES.is_file()
    assert (config.MIGRATIONS / "env.py").is_file()
    assert (config.TEMPLATES / "layouts").is_dir()


@pytest.mark.parametrize("given", ["", "one", "-1", "10"])
def test_proxies_that_are_no_number_are_refused(given: str) -> None:
    with pytest.raises(SettingMissing, match="EVALSYS_PROXIES"):
        Settings.from_environment({"EVALSYS_PROXIES": given})
    assert Settings.from_environment({"EVALSYS_PROXIES": "2"}).proxies == 2
    assert Settings.from_environment({}).proxies == 0


def test_fonts_of_ones_own_are_a_folder() -> None:
    assert Settings.from_environment({"EVALSYS_FONTS": "/srv/fonts"}).fonts == Path("/srv/fonts")
    assert Settings.from_environment({}).fonts is None
