"""Somebody fetches the public site as fast as it goes, while a recipient opens the survey ten times a second.

    python -m benchmarks.scraping [--contracts 20000] [--seconds 15]

The site runs under its own server on 127.0.0.1 with SQLite. Four ways, one after another: nobody scrapes; one page
again and again; ever new pages from one address; ever new pages with a cookie, for which nothing is kept. Told are
requests a second, what they were answered, and how long the survey's page took meanwhile.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.ranking_page import publish_some
from benchmarks.survey_server import PORT, running
from evalsys.base import migrations
from evalsys.base.db import Database

CONNECTIONS = 8
GAP = 0.1  # seconds between two looks at the survey
Addresses = Callable[[], Iterator[tuple[str, dict[str, str]]]]


def one_page() -> Iterator[tuple[str, dict[str, str]]]:
    return itertools.repeat(("/rankings", {}))


def new_pages() -> Iterator[tuple[str, dict[str, str]]]:
    return ((f"/rankings?q={n}", {}) for n in itertools.count())


def with_cookie() -> Iterator[tuple[str, dict[str, str]]]:
    return ((f"/contracts/QX2026-{n % 20000:05d}", {"Cookie": "a=b"}) for n in itertools.count())


WAYS: dict[str, Addresses | None] = {
    "nobody scrapes": None,
    "one page": one_page,
    "ever new pages": new_pages,
    "ever new pages, with a cookie": with_cookie,
}


def scrape(addresses: Iterator[tuple[str, dict[str, str]]], end: float, answers: Counter[int]) -> None:
    """Requests over one connection, each after the answer to the one before."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    while time.perf_counter() < end:
        path, headers = next(addresses)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        answers[answer.status] += 1
    connection.close()


def look_at_the_survey(end: float) -> list[float]:
    """Milliseconds that each look took."""
    took = []
    while time.perf_counter() < end:
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        connection.request("GET", "/s/")
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status != 200:
            raise SystemExit(f"the survey answered {answer.status}")
        took.append((time.perf_counter() - began) * 1000)
        time.sleep(GAP)
    return took


class Shared:
    """One iterator for all connections."""

    def __init__(self, addresses: Iterator[tuple[str, dict[str, str]]]) -> None:
        self._addresses, self._guard = addresses, threading.Lock()

    def __iter__(self) -> Iterator[tuple[str, dict[str, str]]]:
        return self

    def __next__(self) -> tuple[str, dict[str, str]]:
        with self._guard:
            return next(self._addresses)


def measure(name: str, addresses: Addresses | None, seconds: float) -> str:
    end = time.perf_counter() + seconds
    counts = [Counter[int]() for _ in range(CONNECTIONS if addresses else 0)]
    shared = Shared(addresses()) if addresses else iter(())
    threads = [threading.Thread(target=scrape, args=(shared, end, count)) for count in counts]
    for thread in threads:
        thread.start()
    took = sorted(look_at_the_survey(end))
    for thread in threads:
        thread.join()
    answers = sum(counts, Counter[int]())
    told = ", ".join(f"{status}: {count}" for status, count in sorted(answers.items())) or "-"
    p99 = took[int(len(took) * 0.99)]
    rate = answers.total() / seconds
    return f"| {name} | {rate:,.0f} | {told} | {statistics.median(took):.0f} ms | {p99:.0f} ms |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contracts", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=15)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="evalsys-benchmark-") as folder:
        url = f"sqlite:///{Path(folder) / 'site.sqlite'}"
        database = Database(url)
        migrations.upgrade(database)
        publish_some(database, chosen.contracts)
        database.dispose()
        with running(url):
            print("| | requests/s | answers | survey, median | survey, 99 % |")
            print("| --- | ---: | --- | ---: | ---: |")
            for name, addresses in WAYS.items():
                print(measure(name, addresses, chosen.seconds), flush=True)


if __name__ == "__main__":
    main()
