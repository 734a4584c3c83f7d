"""Parquet files are opened by DuckDB, in bounded memory, with a folder for what does not fit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evalsys.evaluation.file_faults import Findings, _l

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAGIC = b"PAR1"
"""The first bytes of a Parquet file."""


@dataclass(frozen=True)
class Room:
    """What DuckDB may use. `memory`: megabytes; `threads`: None = all cores."""

    memory: int = 800
    threads: int | None = None


def is_parquet(path: Path) -> bool:
    """Whether the file says in its first bytes that it is one.

    Raises:
        OSError: it cannot be opened.
    """
    with path.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


@contextmanager
def opened(path: Path, room: Room, findings: Findings) -> Iterator[DuckDBPyConnection]:
    """A connection in which `file` is the Parquet file, with `file_row_number`; closed and cleaned up at the end.

    Raises:
        FilesFaulty: DuckDB is missing, cannot read the file, or has too little memory.
    """
    try:
        import duckdb
    except ImportError:
        findings.refuse(_l("is Parquet, which needs DuckDB."), _l("Install it: pip install 'evalsys[big]'"))
    with tempfile.TemporaryDirectory(prefix="evalsys-") as folder, duckdb.connect() as connection:
        try:
            connection.execute("SET temp_directory = ?", [folder])
            connection.execute(f"SET memory_limit = '{room.memory}MB'")
            if room.threads:
                connection.execute("SET threads = ?", [room.threads])
            name = str(path).replace("'", "''")
            source = f"SELECT * FROM read_parquet('{name}', file_row_number = true)"
            connection.execute(f"CREATE TEMP VIEW file AS {source}")
            yield connection
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
            raise  # a fault of the program, not of the file
        except duckdb.OutOfMemoryException:
            wrong = _l("does not fit into %(memory)s MB of memory.", memory=room.memory)
            findings.refuse(wrong, _l("Give more with --memory."))
        except duckdb.Error as error:
            wrong = _l("is not a Parquet file that can be read (%(error)s).", error=str(error).splitlines()[0])
            findings.refuse(wrong, _l("Write it again; it may have been cut off."))
