"""How migrations run: on the database they are given, all or nothing, as a writer."""

from alembic import context

from evalsys.base.db import Database
from evalsys.models import metadata

database: Database = context.config.attributes["database"]

with database.writing(), database.connect_for_writing() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        compare_type=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
