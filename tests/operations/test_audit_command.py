"""`evalsys audit` from the command line."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from evalsys.base import audit
from evalsys.base.access import COMMAND_LINE, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.audit_chain import VERIFIED
from evalsys.base.db import Database, not_permanent
from evalsys.cli import run
from evalsys.config import Settings
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.keys import key_folder
from evalsys.publication.sealing import seal
from evalsys.publication.usecases import publish
from tests.evaluation.rated import rated_cycle
from tests.factories import NOW, actor

OFFICER = actor(Role.OFFICER)


@pytest.fixture(autouse=True)
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALSYS_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("EVALSYS_INSTANCE", str(settings.instance))
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")


@pytest.mark.usefixtures("app")
def test_the_chain_from_the_first_link_to_a_forged_entry(
    database: Database, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.transaction() as session:
        cycle = rated_cycle(session, contracts=1)
        run_cycle(session, cycle, actor=OFFICER, now=NOW)
        seal(session, publish(session, cycle, actor=OFFICER, now=NOW), key_folder(settings), actor=OFFICER, now=NOW)
    assert run(["audit", "verify"]) == 0
    assert "is not linked yet" in capsys.readouterr().out  # the key that sealing made
    with database.reading() as session:
        told = session.scalars(select(AuditEntry.detail).where(AuditEntry.act == VERIFIED)).one()
    assert told["holds"]
    assert told["links"]
    assert run(["audit", "link"]) == 0
    head = capsys.readouterr().out.strip()
    assert run(["audit", "verify", "--head", head]) == 0
    assert "✓ Nothing was changed" in capsys.readouterr().out
    assert run(["audit", "verify", "--head", "f" * 64]) == 1
    assert "does not hold the head ffff" in capsys.readouterr().out
    with database.transaction() as session:
        for ddl in not_permanent("audit_entry", "sqlite" if database.is_sqlite else "postgresql"):
            session.execute(text(ddl))
        session.execute(text("UPDATE audit_entry SET actor_name = 'nobody' WHERE act = 'publication.publish'"))
        audit.record(session, actor=COMMAND_LINE, act="x.y", subject="z", now=NOW)
    assert run(["audit", "verify"]) == 1
    assert "✗ The chain is broken at link" in capsys.readouterr().out
