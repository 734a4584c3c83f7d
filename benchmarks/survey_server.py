"""The survey under the server it is deployed with, posts to it, and what its database holds in the end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.survey_posts import SECRET, THREADS

ROOT = Path(__file__).resolve().parent.parent
Form = tuple[str, str]  # path and body
PORT = int(os.environ.get("PORT", "8767"))
LONGEST = 15  # seconds that anybody waits for an answer


@dataclass
class Server:
    """The application under the server it is deployed with; `ready`: seconds from start to the first page."""

    url: str
    process: subprocess.Popen[bytes] | None = None
    ready: list[float] = field(default_factory=list)

    def start(self) -> None:
        environment = os.environ | {
            "EVALSYS_DATABASE_URL": self.url,
            "EVALSYS_SECRET_KEY": SECRET,
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(PORT)]
        command += ["--workers", "1", "--blocking-threads", str(THREADS), "--log-level", "critical", "--factory"]
        began = time.perf_counter()
        command.append("evalsys.web:create_app")
        self.process = subprocess.Popen(  # its own group, so that a kill reaches the worker too
            command, env=environment, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL
        )
        while not asyncio.run(answers_at_all()):
            time.sleep(0.01)
        self.ready.append(time.perf_counter() - began)

    def worker(self) -> int:
        """The process with the application in it: the server's only child."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            if self.process and int(stat.read_text().rpartition(")")[2].split()[1]) == self.process.pid:
                return int(stat.parent.name)
        raise SystemExit("the server has no worker")

    def end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        os.killpg(self.process.pid, how)
        self.process.wait(timeout=60)


@contextmanager
def running(url: str) -> Iterator[Server]:
    server = Server(url)
    server.start()
    try:
        yield server
    finally:
        server.end(signal.SIGTERM)


async def answers_at_all() -> bool:
    try:
        return await post(("/s/", ""), method="GET") == 200
    except OSError:
        return False


async def post(form: Form, *, method: str = "POST", cut: bool = False) -> int:
    """The status of one request on a connection of its own; 0 where it was cut off or broke."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        path, body = form
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        head += "Content-Type: application/x-www-form-urlencoded\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        await writer.drain()
        first = b"" if cut else await asyncio.wait_for(reader.readline(), LONGEST)
        writer.close()
    except (ConnectionError, TimeoutError):
        if method == "GET":
            raise
        return 0
    found = re.match(rb"HTTP/1.1 (\d+)", first)
    return int(found[1]) if found else 0


@dataclass
class Kept:
    """What the database holds."""

    used: int
    responses: int
    leaves: int
    days: int
    partial: int

    def of(self, expected: int) -> bool:
        return self.partial == 0 and {self.used, self.responses, self.leaves, self.days} == {expected}


def kept(url: str) -> Kept:
    from sqlalchemy import create_engine, text

    engine = create_engine(url)
    with engine.connect() as connection:

        def number(statement: str) -> int:
            return int(connection.execute(text(statement)).scalar() or 0)

        found = Kept(
            used=number("SELECT count(*) FROM invitation WHERE used"),
            responses=number("SELECT count(*) FROM response"),
            leaves=number("SELECT count(*) FROM receipt_leaf"),
            days=number("SELECT sum(count) FROM response_day"),
            partial=number(
                "SELECT count(*) FROM response r"
                " WHERE (SELECT count(*) FROM response_rating g WHERE g.response_key = r.key) <> 8"
            ),
        )
    engine.dispose()
    return found
