"""What is told while the database is away or the disk is full."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from psycopg.errors import DiskFull
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from evalsys.base.access import public
from evalsys.base.outages import kind_of
from tests.pages import CheckedClient

ONE_ENGINE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def raised_by_sqlite(file: Path, *statements: str) -> OperationalError:
    """What the driver says, as the page sees it."""
    connection = sqlite3.connect(file)
    for statement in statements[:-1]:
        connection.execute(statement)
    with pytest.raises(sqlite3.OperationalError) as raised:
        connection.execute(statements[-1])
    connection.close()
    return OperationalError("INSERT", {}, raised.value)


@ONE_ENGINE
def test_an_outage_is_told_by_its_kind(app: Flask, client: CheckedClient, tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "there").close()
    full = raised_by_sqlite(
        tmp_path / "full", "PRAGMA max_page_count = 2", "CREATE TABLE a (b)", "INSERT INTO a VALUES (zeroblob(99999))"
    )
    only_read = raised_by_sqlite(tmp_path / "there", "PRAGMA query_only = 1", "CREATE TABLE a (b)")
    disk, away = "磁盘已满", "数据库没有回应"
    for error, status, said in (
        (full, 507, disk),
        (only_read, 507, disk),
        (OperationalError("INSERT", {}, DiskFull()), 507, disk),
        (OSError(errno.ENOSPC, "No space left on device"), 507, disk),
        (OSError(errno.EROFS, "Read-only file system"), 507, disk),
        (OperationalError("SELECT", {}, Exception("server closed the connection")), 503, away),
        (InterfaceError("SELECT", {}, Exception()), 503, away),
        (PoolTimeout(), 503, away),
        (TimeoutError("another process is still writing"), 503, away),
    ):
        app.view_functions["healthz"] = failing(error)
        page = client.get("/healthz")
        assert (page.status_code, said in page.text, page.headers["Retry-After"]) == (status, True, "10"), error


@ONE_ENGINE
def test_any_other_fault_of_a_file_is_no_outage(app: Flask, client: CheckedClient) -> None:
    app.view_functions["healthz"] = failing(FileNotFoundError(errno.ENOENT, "No such file"))
    with pytest.raises(FileNotFoundError):
        client.get("/healthz")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert client.get("/healthz").status_code == 500


def test_a_log_line_names_the_cause_and_no_value() -> None:
    assert kind_of(OSError(errno.EROFS, "Read-only file system", "/secret/name")) == "OSError EROFS"
    assert kind_of(OperationalError("INSERT", {"a": "secret"}, DiskFull("secret"))) == "OperationalError 53100"
    assert kind_of(TimeoutError("still writing")) == "TimeoutError"


def failing(error: Exception) -> Callable[[], None]:
    @public
    def view() -> None:
        raise error

    return view
