"""What one test leaves in PostgreSQL is not seen by the next."""

from __future__ import annotations

from sqlalchemy import func, select, text

from evalsys.base import audit
from evalsys.base.audit import AuditEntry
from evalsys.registry.models import Region
from tests import factories as f
from tests.postgresql import Server


def test_rows_numbers_and_connections_are_gone(postgresql: Server) -> None:
    with postgresql.migrated() as lent:
        with lent.transaction() as session:
            f.make_county(session)
            audit.record(session, actor=f.actor(), act="test.act", subject="", now=f.NOW)  # permanent for the product
        left = lent.engine.connect()
        left.execute(select(Region).with_for_update())
    with postgresql.migrated() as again:
        assert again is lent
        with again.transaction() as session:
            assert session.scalar(select(func.count()).select_from(AuditEntry)) == 0
            assert f.make_region(session).id == 1
    left.invalidate()


def test_after_a_change_of_the_schema_there_is_a_new_copy(postgresql: Server) -> None:
    with postgresql.migrated() as lent, lent.transaction() as session:
        session.execute(text("ALTER TABLE purchaser RENAME TO elsewhere"))
    with postgresql.migrated() as other:
        assert other is not lent
        with other.reading() as session:
            assert session.execute(text("SELECT * FROM purchaser")).all() == []
