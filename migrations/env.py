"""How migrations run: on the database they are given, all or nothing, as a writer.

SQLite changes a table by making it anew and dropping the old one. With its foreign keys on, the drop would fail for
rows that others point to, or take these along; so they are off meanwhile, and checked before the end.
"""

from alembic import context

from evalsys.base.db import Database
from evalsys.models import metadata

database: Database = context.config.attributes["database"]

with database.writing(), database.connect_for_writing() as connection:
    driver = connection.connection.driver_connection  # no transaction has begun: inside one the pragma does nothing
    if database.is_sqlite:
        driver.execute("PRAGMA foreign_keys=OFF")
    try:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            render_as_batch=True,
            compare_type=True,
            transactional_ddl=True,  # Alembic thinks that SQLite cannot
            transaction_per_migration=False,
        )
        with context.begin_transaction():
            context.run_migrations()
            if database.is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise RuntimeError("a migration left rows that point to nothing; nothing was changed")
        connection.commit()
    finally:
        connection.rollback()
        if database.is_sqlite:
            driver.execute("PRAGMA foreign_keys=ON")
