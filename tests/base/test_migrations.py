"""The schema: up, down, and equal to the models, on both engines."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from evalsys.base import migrations
from evalsys.base.db import Database
from evalsys.models import metadata


def test_migrations_make_the_schema_that_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    assert migrations.current(database) == migrations.head()


def test_migrations_go_down_to_nothing_and_up_again(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    migrations.upgrade(database)
    migrations.downgrade(database, "base")
    assert migrations.current(database) is None
    migrations.upgrade(database)
    assert migrations.current(database) == migrations.head()
    database.dispose()
