"""The ground that commands stand on."""

from __future__ import annotations

import pytest
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import text

from evalsys.base import migrations
from evalsys.base.command import application, speaking
from evalsys.base.db import Database, database, reading
from evalsys.base.errors import Conflict
from evalsys.config import Settings


def test_a_command_finds_its_database_and_settings(settings: Settings) -> None:
    with application(settings) as found:
        assert found is database()
        assert current_app.config["SETTINGS"] is settings
        assert reading().scalar(text("SELECT count(*) FROM account")) == 0


def test_the_settings_come_from_the_environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSYS_DATABASE_URL", settings.database_url)
    with application() as found:
        assert found.url.render_as_string(hide_password=False) == settings.database_url


@pytest.mark.parametrize(("language", "said"), [("zh", "没有设置"), ("en", "not set")])
def test_a_command_speaks_the_terminals_language(
    language: str, said: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVALSYS_LANGUAGE", language)
    with speaking(settings):
        assert _("not set") == said


def test_an_older_schema_is_refused_with_the_remedy(settings: Settings, database: Database) -> None:
    migrations.downgrade(database, "-1")
    with pytest.raises(Conflict) as refused, application(settings):
        pass
    assert "evalsys db upgrade" in refused.value.remedy
    with application(settings, newest_schema=False) as found:
        migrations.upgrade(found)
    with application(settings):
        pass
